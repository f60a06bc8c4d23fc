"""What every engine owes: the meaning of matches(), whole commits, and a swap that nobody notices."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.engines import tantivy_search
from indexer.engines.base import Engine, EngineBusyError, Sort
from indexer.engines.tantivy import TantivyEngine
from indexer.entry import FACETS, Entry, Words, entry_of
from indexer.expand import Group, expand
from indexer.query import All, And, Filter, Not, Or, Phrase, Query, Range, Term, matches, parse_query
from library.record import Coded, Kind, Record, Text
from tests.indexer.invented_records import (
    BALLOONS,
    ENGINES,
    EU_ACT,
    EU_CITING,
    GB_LATER,
    GB_STANDARD,
    NOTIFICATION,
    POWER_BANK,
    RECORDS,
)

ENTRIES = [entry_of(record) for record in RECORDS]


@pytest.fixture
def filled(engine: Engine) -> Engine:
    engine.write(ENTRIES, 9)
    return engine


# One meaning

WORDS = (
    *("玩具", "儿童玩具安全", "窒息", "召回", "消費者安全法", "ハンガー"),
    *(
        "toys",
        "toy safety",
        "choking hazard",
        "short-circuit",
        "AB-12",
        "Spielzeug",
        "Spielwaren für Kinder",
        "un jouet",
    ),
    *("GB/T 5606.1-2004", "GB/T 5606", "(EU) 2024/903", "EN 71-1:2014", "G/TBT/N/CHN/9072"),
)
KINDS = st.sampled_from(list(Kind))
COUNTRIES = st.sampled_from(["CN", "DE", "EU"])
PROSE = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
TEXTS = st.builds(Text, language=st.sampled_from(["en", "zh", "ja", "de", "fr"]), value=PROSE)
DAYS = st.sampled_from([None, date(2024, 1, 31), date(2025, 6, 1), date(2026, 2, 1)])
MADE = st.builds(
    Record,
    source=st.sampled_from(["one", "two"]),
    key=st.sampled_from([f"K-{number}" for number in range(30)]),
    kind=KINDS,
    references=st.lists(st.sampled_from(["GB/T 5606.1-2004", "32024R0903", "A-1"]), max_size=1).map(tuple),
    jurisdictions=COUNTRIES.map(lambda code: (Coded(printed=code, code=code),)),
    titles=st.lists(TEXTS, min_size=1, max_size=2).map(tuple),
    texts=st.lists(TEXTS, max_size=2).map(tuple),
    published=DAYS,
    origins=st.lists(COUNTRIES, max_size=2, unique=True).map(
        lambda codes: tuple(Coded(printed=c, code=c) for c in codes)
    ),
)
LEAVES = (
    st.sampled_from(WORDS).map(parse_query)
    | st.sampled_from(WORDS).map(lambda word: parse_query(f'"{word}"'))
    | st.sampled_from(WORDS).map(lambda word: parse_query(f'title:"{word}"'))
    | st.sampled_from(["玩具", "toys", "窒息"]).map(lambda word: expand(parse_query(word)).query)
    | KINDS.map(lambda kind: Filter("kind", kind.value))
    | COUNTRIES.map(lambda code: Filter("origin", code))
    | st.builds(
        Range, st.just("published"), st.sampled_from([None, 738_916, 739_200]), st.sampled_from([None, 739_500])
    )
    | st.just(All())
    | st.just(Or(()))
)
TREES: st.SearchStrategy[Query] = st.recursive(
    LEAVES,
    lambda parts: (
        st.lists(parts, min_size=1, max_size=3).map(lambda some: And(tuple(some)))
        | st.lists(parts, min_size=1, max_size=3).map(lambda some: Or(tuple(some)))
        | parts.map(Not)
    ),
    max_leaves=8,
)


@given(
    records=st.lists(MADE, min_size=1, max_size=12, unique_by=lambda record: record.id),
    trees=st.lists(TREES, min_size=20, max_size=20),
)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_an_engine_selects_what_matches_selects(engine: Engine, records: list[Record], trees: list[Query]) -> None:
    entries = {record.id: entry_of(record) for record in records}
    stale = {hit_id for hit_id in engine.search(All(), 0, 1000).ids if hit_id not in entries}
    position = engine.position()
    engine.remove(stale, position + 1)
    engine.write(entries.values(), position + 2)

    for query in trees:
        answer = engine.search(query, 0, 1000, facets=("kind", "origin"))
        selected = [entry for entry in entries.values() if matches(query, entry)]
        assert set(answer.ids) == {entry.id for entry in selected}, query
        assert answer.total == len(selected)
        assert dict(answer.facets["kind"]) == counted(selected, "kind")
        assert dict(answer.facets["origin"]) == counted(selected, "origin")
        assert [engine.search(query, 0, count, sort).total for count in (0, 2) for sort in ("relevance", "oldest")] == [
            len(selected)
        ] * 4
        if isinstance(engine, TantivyEngine) and (commit := engine._opened()):
            assert commit.compiler.at_most(query) >= len(selected)


def counted(entries: list[Entry], field: str) -> dict[str, int]:
    values = [value for entry in entries for value in entry.facets.get(field, ())]
    return {value: values.count(value) for value in values}


# Writing


def test_an_entry_written_again_replaces_itself(filled: Engine) -> None:
    filled.write(ENTRIES, 10)

    assert filled.count() == len(ENTRIES)
    assert filled.position() == 10


def test_a_removed_entry_is_gone(filled: Engine) -> None:
    filled.remove([BALLOONS.id], 11)

    assert filled.search(parse_query("balloons"), 0, 10).total == 0
    assert (filled.count(), filled.position()) == (len(ENTRIES) - 1, 11)


def test_a_batch_that_fails_leaves_nothing_behind(filled: Engine) -> None:
    def torn() -> object:
        yield entry_of(BALLOONS.model_copy(update={"key": "new"}))
        raise OSError("the store is gone")

    with pytest.raises(OSError, match="the store is gone"):
        filled.write(torn(), 12)  # type: ignore[arg-type]

    assert (filled.count(), filled.position()) == (len(ENTRIES), 9)
    filled.write([], 13)
    assert (filled.count(), filled.position()) == (len(ENTRIES), 13)


def test_an_empty_engine_answers(engine: Engine) -> None:
    assert engine.search(parse_query("toys"), 0, 10, facets=("kind",)).total == 0
    assert (engine.position(), engine.count(), engine.is_stale()) == (0, 0, False)


@pytest.mark.parametrize("name", sorted(ENGINES))
def test_another_process_sees_what_was_committed(name: str, tmp_path: Path) -> None:
    writer, reader = ENGINES[name](tmp_path), ENGINES[name](tmp_path)
    assert reader.count() == 0

    writer.write(ENTRIES[:2], 1)
    assert reader.count() == 2
    writer.write(ENTRIES, 2)
    assert (reader.count(), reader.position()) == (len(ENTRIES), 2)


def test_an_index_of_other_tokens_is_stale(filled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{type(filled).__module__}.fingerprint", lambda: "another dictionary")

    assert filled.is_stale()


# Order


def test_who_types_a_number_gets_that_document_first(filled: Engine) -> None:
    assert filled.search(parse_query("(EU) 2024/903"), 0, 10).ids == (EU_ACT.id, EU_CITING.id)
    assert filled.search(parse_query("GB/T 5606"), 0, 10).ids == (GB_LATER.id, GB_STANDARD.id)  # the newer one first


def test_a_word_in_the_title_counts_more_than_one_in_the_text(filled: Engine) -> None:
    in_text = EU_ACT.model_copy(
        update={"key": "t", "texts": (Text(language="en", value="Power banks are sold. " * 3),), "references": ()}
    )
    filled.write([entry_of(in_text)], 20)

    assert filled.search(parse_query("power bank"), 0, 10).ids[0] == POWER_BANK.id


def test_newest_and_oldest_are_days_and_undated_records_come_last(filled: Engine) -> None:
    dated = sorted((record for record in RECORDS if record.published), key=lambda record: record.published or date.min)

    assert filled.search(All(), 0, 20, "oldest").ids == (
        *(record.id for record in dated),
        "jp_egov_law:421AC0000000050",
    )
    assert filled.search(All(), 0, 20, "newest").ids == (
        *(record.id for record in reversed(dated)),
        "jp_egov_law:421AC0000000050",
    )


@pytest.mark.parametrize("sort", ["relevance", "newest", "oldest"])
def test_pages_do_not_overlap_and_miss_nothing(engine: Engine, sort: str) -> None:
    twins = [entry_of(BALLOONS.model_copy(update={"key": f"K-{number}"})) for number in range(25)]
    engine.write(twins, 1)

    pages = [engine.search(parse_query("balloons"), first, 10, sort).ids for first in (0, 10, 20)]  # type: ignore[arg-type]

    assert sorted(hit for page in pages for hit in page) == sorted(twin.id for twin in twins)


def test_facets_count_every_value_of_a_record(filled: Engine) -> None:
    counts = filled.search(parse_query("kind:recall"), 0, 0, facets=FACETS).facets

    assert dict(counts["origin"]) == {"CN": 2, "unknown": 1}
    assert dict(counts["hs"])["8507"] == 1
    assert counts["kind"] == (("recall", 3),)
    with pytest.raises(ValueError, match="unknown facets"):
        filled.search(All(), 0, 0, facets=("color",))


# Rebuilding


def test_a_successor_takes_over_in_one_step(filled: Engine) -> None:
    successor = filled.successor()
    successor.write(ENTRIES[:3], 40)
    assert (filled.count(), filled.position()) == (len(ENTRIES), 9)

    filled.promote(successor)

    assert (filled.count(), filled.position()) == (3, 40)
    filled.write([entry_of(NOTIFICATION)], 41)
    assert filled.position() == 41


def test_two_successors_at_once_are_one_too_many(filled: Engine) -> None:
    first = filled.successor()

    with pytest.raises(EngineBusyError):
        filled.successor()
    first.close()
    filled.successor().close()


def test_an_interrupted_rebuild_leaves_an_orphan_that_the_next_one_sweeps(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from indexer.entry import entry_of\n"
        "from indexer.engines.tantivy import TantivyEngine; from tests.indexer.invented_records import RECORDS\n"
        "engine = TantivyEngine(Path(sys.argv[1])); engine.write(map(entry_of, RECORDS), 5)\n"
        "successor = engine.successor(); successor.write(map(entry_of, RECORDS[:1]), 6)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path)], env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob("index-*"))) == 2

    engine = ENGINES["tantivy"](tmp_path)
    assert (engine.count(), engine.position()) == (len(RECORDS), 5)
    engine.write([], 7)
    successor = engine.successor()
    assert len(list(tmp_path.glob("index-*"))) == 2  # the current one and the new successor
    successor.write(ENTRIES, 8)
    engine.promote(successor)
    assert (engine.count(), engine.position()) == (len(RECORDS), 8)
    assert len(list(tmp_path.glob("index-*"))) == 1


def test_a_writer_killed_in_the_middle_of_a_batch_changes_nothing(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from indexer.entry import entry_of\n"
        "from indexer.engines.tantivy import TantivyEngine; from tests.indexer.invented_records import RECORDS\n"
        "def entries():\n"
        "    yield entry_of(RECORDS[0]); os.kill(os.getpid(), signal.SIGKILL)\n"
        "engine = TantivyEngine(Path(sys.argv[1])); engine.write(map(entry_of, RECORDS[1:]), 5); engine.write(entries(), 6)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], env=environment, check=False)

    engine = ENGINES["tantivy"](tmp_path)
    assert (engine.count(), engine.position()) == (len(RECORDS) - 1, 5)
    engine.write(ENTRIES, 6)
    assert (engine.count(), engine.position()) == (len(RECORDS), 6)


def test_terms_and_phrases_of_one_field(filled: Engine) -> None:
    assert filled.search(Term("x", ("fire",), "title"), 0, 10).ids == (POWER_BANK.id,)
    assert filled.search(Phrase("x", (("fire", "hazard"),), "product"), 0, 10).ids == ()


def test_facets_of_very_many_hits_are_estimated_from_a_sample_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tantivy_search, "COUNTED_MAX", 1000)
    engine = TantivyEngine(tmp_path)
    counted = {"recall": 9000, "standard": 3000, "regulation": 500}
    engine.write(
        [Entry(f"{kind}:{number}", {}, {"kind": (kind,)}) for kind, n in counted.items() for number in range(n)], 1
    )

    found = engine.search(All(), 0, 5, facets=("kind",))
    few = engine.search(Filter("kind", "regulation"), 0, 5, facets=("kind",))

    assert found.is_estimated and not found.is_total_estimated and found.total == 12_500
    assert all(abs(n - counted[kind]) < counted[kind] / 3 for kind, n in found.facets["kind"] if kind != "regulation")
    assert [kind for kind, _ in found.facets["kind"]] == ["recall", "standard", "regulation"]
    assert not few.is_estimated and few.facets["kind"] == (("regulation", 500),)


def test_the_total_of_very_many_hits_of_a_word_is_estimated_and_can_be_had_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tantivy_search, "COUNTED_MAX", 1000)
    engine = TantivyEngine(tmp_path)
    held = Words(("balloon",), ("balloon",))
    engine.write([Entry(f"a:{number}", {"text": held}, {"kind": ("recall",)}) for number in range(8000)], 1)
    engine.write([Entry(f"b:{number}", {"text": Words(("toy",), ("toy",))}) for number in range(900)], 2)

    word = Term("balloon", ("balloon",))
    many, few = (engine.search(one, 0, 5, facets=("kind",)) for one in (word, Term("toy", ("toy",))))

    assert many.is_total_estimated and abs(many.total - 8000) < 1500
    assert many.facets["kind"] == (("recall", many.total),)
    assert engine.count(word) == 8000
    assert engine.search(word, 0, 5, is_counted=False).ids == many.ids
    assert (few.total, few.is_total_estimated) == (900, False)
    engine.remove([f"a:{number}" for number in range(7500)], 3)
    assert (engine.search(word, 0, 5).total, engine.search(word, 0, 5).is_total_estimated) == (500, False)


def test_a_successor_counts_in_a_sample_of_all_its_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tantivy_search, "COUNTED_MAX", 1000)
    engine, held = TantivyEngine(tmp_path), Words(("balloon",), ("balloon",))
    word = Term("balloon", ("balloon",))
    successor = engine.successor()

    for batch in range(2):
        successor.write([Entry(f"{batch}:{number}", {"text": held}) for number in range(4000)], batch)
    before = successor.search(word, 0, 5)
    successor.write([Entry(f"2:{number}", {"text": held}) for number in range(4000)], 2)
    engine.promote(successor)
    after = engine.search(word, 0, 5)

    assert before.is_total_estimated and abs(before.total - 8000) < 1500
    assert after.is_total_estimated and abs(after.total - 12_000) < 2000


def notices(count: int) -> tuple[list[Record], list[Record]]:
    """Notices with a word in the title, and three times as many with it in the text, a day each."""
    plain = BALLOONS.model_copy(
        update={"titles": (Text(language="en", value="A notice"),), "products": (), "texts": BALLOONS.titles}
    )
    day = date(2020, 1, 1)
    titled = [
        BALLOONS.model_copy(update={"key": f"T-{n}", "published": day + timedelta(n), "products": ()})
        for n in range(count)
    ]
    texts = [
        plain.model_copy(update={"key": f"X-{n}", "published": day + timedelta(10_000 + n)}) for n in range(3 * count)
    ]
    return titled, texts


@pytest.mark.parametrize("scored", [5, 15])
def test_of_very_many_hits_those_with_the_words_in_the_title_come_first_and_then_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scored: int
) -> None:
    monkeypatch.setattr(tantivy_search, "SCORED_MAX", scored)
    engine = TantivyEngine(tmp_path)
    titled, texts = notices(10)
    engine.write([entry_of(record) for record in (*texts, *titled)], 1)

    pages = [engine.search(parse_query("balloons"), first, 7) for first in range(0, 40, 7)]

    ids = [hit for page in pages for hit in page.ids]
    assert {page.total for page in pages} == {40}
    assert ids[:10] == [record.id for record in reversed(titled)]
    assert ids[10:] == [record.id for record in reversed(texts)]


@pytest.mark.parametrize("scored", [30, 39, 40, 41, 50])
def test_pages_whose_hits_are_counted_go_on_in_those_that_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scored: int
) -> None:
    monkeypatch.setattr(tantivy_search, "SCORED_MAX", scored)
    engine = TantivyEngine(tmp_path)
    titled, texts = notices(10)
    unlike = [
        record.model_copy(update={"key": f"Y-{n}", "titles": texts[0].titles, "texts": ()})
        for n, record in enumerate(texts)
    ]
    engine.write([entry_of(record) for record in (*texts, *titled, *unlike)], 1)
    query = And((parse_query("balloons"), parse_query("notice OR balloons")))

    whole = engine.search(query, 0, 60).ids
    pages = [engine.search(query, first, 7, is_counted=first == 0).ids for first in range(0, 60, 7)]

    assert tuple(hit for page in pages for hit in page) == whole


@pytest.mark.parametrize("sort", ["newest", "oldest"])
def test_hits_in_the_order_of_their_days_are_the_same_whether_some_days_or_all_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sort: Sort
) -> None:
    titled, texts = notices(40)
    undated = [BALLOONS.model_copy(update={"key": f"U-{number}", "published": None}) for number in range(5)]
    engine = TantivyEngine(tmp_path)
    engine.write([entry_of(record) for record in (*titled, *texts, *undated)], 1)
    queries = [parse_query(text) for text in ("balloons", '"balloons"', "title:balloons", "balloons -title:balloons")]

    whole = [engine.search(query, first, 4, sort).ids for query in queries for first in (0, 4, 60, 160)]
    monkeypatch.setattr(tantivy_search, "DAYS_SHARE", 1.0)
    monkeypatch.setattr(tantivy_search, "DAYS_MORE", 0)
    on_some_days = [engine.search(query, first, 4, sort).ids for query in queries for first in (0, 4, 60, 160)]

    assert on_some_days == whole


def test_a_group_that_the_index_holds_as_one_value_selects_what_its_words_select(tmp_path: Path) -> None:
    group = Group(
        frozenset({"battery", "电池"}),
        frozenset({("fire", "hazard", "of"), ("バッ", "ッテ", "テリ", "リー")}),
        frozenset({("category", "batteries")}),
    )
    texts = [
        "バッテリー",
        "モバイルバッテリーの火災",
        "バッテリ",
        "fire hazard of toys",
        "hazard of fire",
        "a battery",
        "toys",
    ]
    entries = [
        entry_of(BALLOONS.model_copy(update={"key": f"{n}", "texts": (Text(language="ja", value=text),)}))
        for n, text in enumerate(texts)
    ]
    entries.append(replace(entries[-1], id="coded", facets={"category": ("batteries",)}))
    term, phrase = Term("x", tuple(sorted(group.values))), Phrase("x", tuple(sorted(group.runs)))
    code = Filter("category", "batteries")
    asked: list[Query] = [
        *(Or(parts, "x") for parts in ((term, phrase, code), (term, phrase), (term, code), (phrase, code))),
        Or((replace(term, values=(*term.values, "toy", "nothing")), phrase, code), "x"),
        Or((term, replace(phrase, runs=(*phrase.runs, ("hazard", "of"))), code), "x"),
        Or((term, replace(phrase, runs=(("fire", "hazard"), ("テリ", "リー"))), code), "x"),
        Or((replace(term, field="title"), replace(phrase, field="title")), "x"),
        *(term, phrase),
    ]
    engines = [
        TantivyEngine(tmp_path / "with", groups=lambda: [group]),
        TantivyEngine(tmp_path / "without", groups=list),
    ]
    for engine in engines:
        engine.write(entries, 1)

    for query in asked:
        selected = {entry.id for entry in entries if matches(query, entry)}
        assert [set(engine.search(query, 0, 10).ids) for engine in engines] == [selected, selected], query
        assert [engine.count(query) for engine in engines] == [len(selected)] * 2


def test_what_is_kept_of_a_search_goes_with_the_next_commit(filled: Engine) -> None:
    before = filled.search(parse_query("kind:recall"), 0, 1, facets=("kind",))
    again = filled.search(parse_query("kind:recall"), 1, 1, facets=("kind",))

    filled.remove([before.ids[0]], 10)
    after = filled.search(parse_query("kind:recall"), 0, 5, facets=("kind",))

    assert (again.total, again.facets) == (before.total, before.facets) and again.ids != before.ids
    assert after.total == before.total - 1 == dict(after.facets["kind"])["recall"]
