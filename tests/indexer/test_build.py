"""The index and the links follow the change log."""

from __future__ import annotations

import pytest

from indexer.build import IndexFollower, rebuild
from indexer.engines.base import Engine
from indexer.links import LinkFollower, cited_references, own_references
from indexer.looser import looser_queries
from indexer.query import parse_query
from indexer.search import highlight, search, snippet
from library.follow import follow
from library.record import Record, Text
from library.store.store import Origin, Store
from tests.indexer.conftest import NIGHT, PAGE
from tests.indexer.invented_records import BALLOONS, EU_ACT, EU_CITING, POWER_BANK, RECORDS


def test_the_index_follows_the_store(store: Store, engine: Engine) -> None:
    follower = IndexFollower(engine, store)

    assert follow(store, follower, batch=4) == len(RECORDS)

    assert engine.count() == len(RECORDS)
    assert engine.position() == store.head()
    assert follow(store, follower) == 0


def test_an_amended_record_is_found_by_its_new_words_only(store: Store, engine: Engine) -> None:
    follow(store, IndexFollower(engine, store))
    amended = BALLOONS.model_copy(update={"titles": (Text(language="en", value="Rubber ducks"),), "products": ()})
    store.put(amended, PAGE, origin=Origin.CRAWL, at=NIGHT)

    follow(store, IndexFollower(engine, store))

    assert engine.search(parse_query("rubber ducks"), 0, 10).ids == (BALLOONS.id,)
    assert engine.search(parse_query("balloons"), 0, 10).total == 0


def test_a_batch_handled_twice_changes_nothing(store: Store, engine: Engine) -> None:
    follower = IndexFollower(engine, store)
    changes = store.changes(0)

    follower.handle(changes)
    follower.handle(changes)

    assert (engine.count(), engine.position()) == (len(RECORDS), store.head())


def test_a_rebuild_catches_up_with_what_changed_meanwhile(store: Store, engine: Engine) -> None:
    follow(store, IndexFollower(engine, store))
    late = POWER_BANK.model_copy(update={"key": "26-777", "titles": (Text(language="en", value="Kettle"),)})

    def progress(done: int) -> None:
        assert engine.count() == len(RECORDS)  # searches go on
        store.put(late, PAGE, origin=Origin.CRAWL, at=NIGHT)

    rebuild(store, engine, progress)

    assert engine.search(parse_query("kettle"), 0, 10).ids == (late.id,)
    assert engine.count() == len(RECORDS) + 1
    assert engine.position() == store.head()


def test_a_record_that_carries_a_cited_number_is_linked(store: Store) -> None:
    follow(store, LinkFollower(store))

    assert store.cited_by(EU_ACT.id) == [EU_CITING.id]
    assert ("EU 2024/903", [EU_ACT.id]) in store.cites(EU_CITING.id)
    assert store.position("links") == store.head()


def test_own_references_hold_the_wider_forms_and_are_not_cited() -> None:
    standard = RECORDS[3]

    assert own_references(standard) == ["GB/T 5606.1-2004", "GB/T 5606.1", "GB/T 5606"]
    assert cited_references(standard) == []
    assert "EN 71-1:2014" in cited_references(BALLOONS)


def test_search_gives_records_facets_and_the_words_it_was_widened_by(store: Store, engine: Engine) -> None:
    follow(store, IndexFollower(engine, store))

    result = search(store, engine, "充电宝 起火", facets=("kind",))

    assert result.total == 1
    assert [hit.record for hit in result.hits if not hit.is_nearby] == [POWER_BANK]
    assert result.facets["kind"] == (("recall", 1),)
    assert "power bank" in result.also_searched
    assert not result.is_loosened


def test_where_nothing_holds_every_word_records_with_most_of_them_are_shown(store: Store, engine: Engine) -> None:
    follow(store, IndexFollower(engine, store))

    result = search(store, engine, "power bank fire xyzzy kind:recall")

    assert result.is_loosened
    assert result.hits[0].id == POWER_BANK.id
    assert search(store, engine, "xyzzy").total == 0
    assert list(looser_queries(engine, parse_query("one"), 0)) == []


@pytest.mark.parametrize("text", ["xyzzy plugh power bank zzzqq qqzzz", "没见过的词 充电宝 xyzzy 另一个生词"])
def test_words_that_no_record_holds_are_left_out_however_many(store: Store, engine: Engine, text: str) -> None:
    follow(store, IndexFollower(engine, store))

    result = search(store, engine, text)

    assert result.is_loosened
    assert result.hits[0].id == POWER_BANK.id


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("partyballoons", BALLOONS),
        ("Zwölf Stern", BALLOONS),
        ("shortcircuit", POWER_BANK),
        ("BoarHeadElectric", POWER_BANK),
    ],
)
def test_words_that_no_record_holds_are_joined_and_split(
    store: Store, engine: Engine, text: str, record: Record
) -> None:
    follow(store, IndexFollower(engine, store))

    result = search(store, engine, text)

    assert search(store, engine, text, expand=False).total == 0
    assert result.is_loosened
    assert result.hits[0].id == record.id


def test_what_holds_the_word_of_the_trade_stands_before_what_holds_the_other(store: Store, engine: Engine) -> None:
    follow(store, IndexFollower(engine, store))

    result = search(store, engine, "power bank mouth")

    ids = [hit.id for hit in result.hits]
    assert result.is_loosened
    assert result.total == search(store, engine, "power bank").total
    assert ids.index(POWER_BANK.id) < ids.index(BALLOONS.id)


def test_a_reference_is_found_without_the_words_around_it(store: Store, engine: Engine) -> None:
    follow(store, IndexFollower(engine, store))

    result = search(store, engine, "国家推荐标准 xyzzy GB/T 5606.1-2004")

    assert result.hits[0].record and result.hits[0].record.references == ("GB/T 5606.1-2004",)


def test_a_number_whose_year_no_record_has_finds_the_same_number_of_other_years(store: Store, engine: Engine) -> None:
    follow(store, IndexFollower(engine, store))

    right, wrong = (search(store, engine, text) for text in ("GB/T 5606.1-2004", "GB/T 5606.1-1999"))

    assert right.total and not right.is_loosened
    assert wrong.is_loosened and right.hits[0].id in [hit.id for hit in wrong.hits]
    assert search(store, engine, "GB/T 5606.1-1999", expand=False).total == 0
    assert search(store, engine, "GB/T 777777-1999").total == 0


def test_below_few_records_with_every_word_stand_those_with_most(store: Store, engine: Engine) -> None:
    follow(store, IndexFollower(engine, store))

    result = search(store, engine, "firm power bank")

    assert (result.total, result.is_loosened) == (1, False)
    assert [hit.is_nearby for hit in result.hits][0] is False
    assert all(hit.is_nearby for hit in result.hits[1:]) and len(result.hits) > 1
    assert len(search(store, engine, "firm power bank", nearby=False).hits) == 1
    assert len(search(store, engine, "firm power bank", sort="newest").hits) == 1


def test_a_quoted_phrase_and_a_filter_of_several_values_are_never_left_out(store: Store, engine: Engine) -> None:
    follow(store, IndexFollower(engine, store))

    for text in ('firm power bank xyzzy "short circuit"', "firm power bank xyzzy origin:CN,VN"):
        assert {hit.id for hit in search(store, engine, text).hits} == {POWER_BANK.id}
    for text in ('firm power bank xyzzy "long circuit"', "firm power bank xyzzy origin:VN,TH"):
        assert search(store, engine, text).hits == ()


def test_words_and_their_translations_are_marked(store: Store, engine: Engine) -> None:
    query = search(store, engine, "充电宝 起火").query
    title = POWER_BANK.titles[0].value

    assert [title[start:end] for start, end in highlight(title, "en", query)] == ["power banks", "fire"]


def test_a_word_asked_for_in_the_title_is_not_marked_in_the_text() -> None:
    query = parse_query("title:fire")

    assert highlight("fire", "en", query, "title") == [(0, 4)]
    assert highlight("fire", "en", query, "text") == []


def test_a_snippet_shows_the_stretch_with_most_words() -> None:
    text = "fire " + "one two three four " * 30 + "a short circuit may cause fire in the unit. " + "end " * 80

    shown, spans = snippet(text, "en", parse_query('fire "short circuit"'), width=120)

    assert shown.startswith("…") and shown.endswith("…") and len(shown) < 170
    assert [shown[start:end] for start, end in spans] == ["short circuit", "fire"]


def test_a_snippet_of_traditional_chinese_marks_the_simplified_word() -> None:
    text = "兒童玩具標準" * 3

    shown, spans = snippet(text, "zh-Hant", parse_query("标准"))

    assert (shown, [shown[start:end] for start, end in spans]) == (text, ["標準"] * 3)
