"""What is Elasticsearch's own: the template, versions, deep pages, unusual tokens, leases and swaps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from elasticsearch import BadRequestError, Elasticsearch, NotFoundError

from indexer.engines import cluster, elastic
from indexer.engines.base import EngineBusyError, EngineDownError
from indexer.engines.elastic import ElasticEngine
from indexer.entry import Entry, Words, entry_of
from indexer.expand import expand
from indexer.query import All, And, Filter, Not, Or, Phrase, Query, QueryError, Term, matches, parse_query
from library.settings import ElasticSettings
from tests.elastic import nodes
from tests.indexer.invented_records import BALLOONS, POWER_BANK, RECORDS

ENTRIES = [entry_of(record) for record in RECORDS]


@pytest.fixture
def client(server: nodes.Cluster) -> Iterator[Elasticsearch]:
    with Elasticsearch(server.urls[0]) as made:
        yield made


def test_the_index_is_strict_sharded_as_set_and_keeps_no_copy_of_the_record(
    engine: ElasticEngine, client: Elasticsearch
) -> None:
    engine.write(ENTRIES, 9)

    index = str(engine._current())
    said = client.indices.get(index=index)[index]
    assert said["mappings"]["dynamic"] == "strict"
    assert (said["settings"]["index"]["number_of_shards"], said["settings"]["index"]["number_of_replicas"]) == (
        "2",
        "0",
    )
    assert client.get(index=index, id=BALLOONS.id)["_source"] == {}
    with pytest.raises(BadRequestError, match="strict_dynamic_mapping_exception"):
        client.index(index=index, document={"colour": "red"})
    with pytest.raises(NotFoundError):  # a name of ours is never made by the way
        client.index(index=f"{index}-typo", document={"id": "x"})
    assert engine.health().startswith("Elasticsearch is ")


def test_a_late_batch_never_overwrites_what_is_newer(engine: ElasticEngine) -> None:
    old = entry_of(BALLOONS)
    new = entry_of(BALLOONS.model_copy(update={"titles": POWER_BANK.titles}))
    engine.write([new], 20)

    engine.write([old], 10)
    engine.remove([BALLOONS.id], 10)

    assert engine.search(parse_query("title:power"), 0, 10).ids == (BALLOONS.id,)
    assert engine.position() == 20


def odd(number: int, *runs: str, title: str = "") -> Entry:
    words = {"text": Words(runs, runs)} | ({"title": Words((title,), (title,))} if title else {})
    return Entry(f"odd:{number}", words, {"kind": ("recall",)})


LONG = "x" * 300
ODD = [
    odd(0, "a b", "c"),
    odd(1, "a", "b", "c"),
    odd(2, f"{LONG}1", "c"),
    odd(3, f"{LONG}2", "c", title="a\u2028b"),
    odd(4, "é" * 120, "\u00a0", "*", "?", "/", "\\", '"', "AND", "(", "a:b", "𠮷" * 100),
    Entry(f"odd:{'long' * 300}", {"text": Words(("c",), ("c",))}, {"origin": ("word " * 8_000,)}),
]


@pytest.mark.parametrize(
    "query",
    [
        *(Term("", (value,)) for value in ("a b", "a", "b", f"{LONG}1", f"{LONG}2", LONG, "\u00a0", "*", "𠮷" * 100)),
        *(Phrase("", (run,)) for run in (("a b", "c"), ("b", "c"), ("a", "b c"), (f"{LONG}2", "c"), ("*", "?"))),
        Phrase("", (("/", "\\", '"', "AND", "(", "a:b"), ("no", "such"))),
        Term("", ("a\u2028b",), "title"),
        Filter("origin", "word " * 8_000),
        Filter("id", ODD[-1].id),
        Filter("no_such_field", "x"),
        And(()),
        Not(Or(())),
        Not(Term("", ("c",))),
    ],
    ids=str,
)
def test_odd_values_stand_whole_and_apart(engine: ElasticEngine, query: Query) -> None:
    engine.write(ODD, 1)

    found = engine.search(query, 0, 100)

    assert set(found.ids) == {entry.id for entry in ODD if matches(query, entry)}


def test_deep_long_and_hostile_queries_are_answered(engine: ElasticEngine) -> None:
    engine.write(ENTRIES, 9)
    deep: Query = parse_query("toys")
    for level in range(60):
        deep = And((deep, All())) if level % 2 else Or((deep, Filter("kind", "none")))
    hostile = [
        "a-b " * 255,
        '"' + "x-" * 500 + '"',
        "电玩具充窒息召回镉触电" * 30,
        " ".join(f"w{n}-b" for n in range(140)),
    ]
    queries = [deep, *(expand(parse_query(text[:1020])).query for text in hostile if len(text.encode()) < 1024)]

    for query in [*queries, Not(deep)]:
        found = engine.search(query, 0, 100)
        assert set(found.ids) == {entry.id for entry in ENTRIES if matches(query, entry)}
    with pytest.raises(QueryError, match="more than 256 conditions"):
        engine.search(Or(tuple(Phrase("", (("a", f"b{number}"),)) for number in range(10_000))), 0, 100)
    assert engine.count() == len(ENTRIES)  # and nobody else was turned away


@pytest.mark.parametrize("sort", ["relevance", "newest", "oldest"])
def test_pages_behind_the_window_are_walked_to_at_a_point_in_time(
    engine: ElasticEngine, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    monkeypatch.setattr(elastic, "WINDOW", 20)
    twins = [entry_of(BALLOONS.model_copy(update={"key": f"K-{number:03}"})) for number in range(100)]
    engine.write(twins, 1)
    query = parse_query("balloons")
    begun = engine.search(query, 20, 10, sort)  # type: ignore[arg-type]

    engine.write([entry_of(BALLOONS.model_copy(update={"key": f"A-{number:03}"})) for number in range(30)], 2)
    pages = [engine.search(query, first, 10, sort).ids for first in range(30, 110, 10)]  # type: ignore[arg-type]

    seen = [*begun.ids, *(hit for page in pages for hit in page)]
    assert seen == [f"eu_safety_gate:K-{number:03}" for number in range(20, 100)]
    assert engine.search(query, 50, 70, "newest", facets=("kind",)).total == 130
    assert len(engine.search(query, 50, 70, "newest").ids) == 70
    assert engine.search(query, 500, 10).ids == ()


def test_an_export_goes_on_when_its_index_is_replaced(engine: ElasticEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elastic, "WINDOW", 5)
    engine.write(ENTRIES, 9)
    first = engine.search(All(), 3, 3).ids
    successor = engine.successor()
    successor.write(ENTRIES, 9)
    engine.promote(successor)

    assert not set(first) & set(engine.search(All(), 6, 3).ids)


def test_two_processes_that_begin_at_once_share_one_index(place: ElasticSettings) -> None:
    engines = [ElasticEngine(place) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: engines[number].write(ENTRIES[number : number + 2], number), range(4)))

    for engine in engines:
        assert (engine.count(), engine.position()) == (5, 3)
        engine.close()


def test_a_dead_rebuild_is_taken_over_and_swept(place: ElasticSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = ElasticEngine(place)
    engine.write(ENTRIES, 9)
    monkeypatch.setattr(cluster, "LEASE_S", 2.0)
    dead = engine.successor()  # and nobody closes it
    dead.write(ENTRIES[:2], 10)
    with pytest.raises(EngineBusyError, match="try again at"):
        ElasticEngine(place).successor()
    time.sleep(2.5)

    successor = ElasticEngine(place).successor()
    with pytest.raises((EngineBusyError, EngineDownError)):
        dead.write(ENTRIES[:3], 11)
    successor.write(ENTRIES, 12)
    engine.promote(successor)

    assert (engine.count(), engine.position()) == (len(ENTRIES), 12)
    names = engine._client.indices.get(index=f"{engine._alias}-*")
    assert list(names) == [engine._current()]
    engine.close()


def test_a_writer_that_does_not_know_of_a_swap_writes_nothing_into_the_new_index(engine: ElasticEngine) -> None:
    follower = ElasticEngine(engine._settings)
    follower.write(ENTRIES[:4], 4)
    successor = engine.successor()
    successor.write(ENTRIES[:5], 5)
    engine.promote(successor)

    with pytest.raises(EngineDownError, match="the index was replaced"):
        follower.write(ENTRIES[7:], 9)  # 6 to 7 went into the index that is gone

    assert follower.position() == 5
    follower.write(ENTRIES[5:], 9)
    assert (engine.count(), engine.position()) == (len(ENTRIES), 9)
    follower.close()


def test_a_cluster_that_lost_everything_is_filled_again_from_the_start(
    engine: ElasticEngine, client: Elasticsearch
) -> None:
    engine.write(ENTRIES, 9)
    client.indices.delete(index=f"{engine._alias}-*")

    with pytest.raises(EngineDownError, match="the index was replaced"):
        engine.write(ENTRIES[:1], 10)

    assert (engine.position(), engine.count()) == (0, 0)
    engine.write(ENTRIES, 10)
    assert (engine.position(), engine.count()) == (10, len(ENTRIES))
