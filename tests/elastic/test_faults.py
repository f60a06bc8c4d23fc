"""Elasticsearch slow, red, read-only, overloaded, half done or lying: nothing lost, nothing doubled, a clear line."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from indexer.engines import cluster
from indexer.engines.base import EngineDownError
from indexer.engines.elastic import ElasticEngine
from indexer.entry import entry_of
from indexer.query import All, parse_query
from library.house import House
from library.settings import ElasticSettings, Settings
from library.store.store import Origin, SeenPage, Store
from operations.following import follow_on
from tests.elastic import between as manners
from tests.elastic import nodes
from tests.elastic.between import Asked, Between, Manner, between
from tests.indexer.invented_records import BALLOONS, RECORDS

ENTRIES = [entry_of(record) for record in RECORDS]
IDS = {record.id for record in RECORDS}
NIGHT = datetime(2026, 5, 9, 18, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "READING_S", 0.3)
    monkeypatch.setattr(cluster, "WRITING_S", 1.0)
    monkeypatch.setattr(cluster, "REST_S", 0.5)


@pytest.fixture
def teller(server: nodes.Cluster) -> Iterator[Between]:
    with between(server.urls[0]) as listening:
        yield listening


@pytest.fixture
def engine(teller: Between, place: ElasticSettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[ElasticEngine]:
    monkeypatch.setattr(cluster, "WRITING_S", 30.0)
    made = ElasticEngine(place.model_copy(update={"hosts": (teller.url,), "timeout_s": 1.0}))
    made.write(ENTRIES[:4], 4)
    monkeypatch.setattr(cluster, "WRITING_S", 1.0)
    yield made
    teller.manner = manners.honest
    made.close()


FAULTS: dict[Manner, str] = {
    manners.slow: "takes too long to answer",
    manners.dead: "cannot be reached",
    manners.forgetful: "cannot be reached",
    manners.busy: "more to do than it can",
    manners.headless: "has no master",
    manners.broken_gateway: "answered 502",
    manners.login_page: "is not Elasticsearch",
    manners.other_product: "is not Elasticsearch",
    manners.empty_yes: "an answer that is none",
}


@pytest.mark.parametrize("manner", FAULTS, ids=lambda manner: manner.__name__)
def test_a_fault_is_told_in_a_line_and_afterwards_nothing_is_lost_or_doubled(
    engine: ElasticEngine, teller: Between, manner: Manner
) -> None:
    teller.manner = manner

    with pytest.raises(EngineDownError, match=FAULTS[manner]):
        engine.search(All(), 0, 100)
    with pytest.raises(EngineDownError, match=FAULTS[manner]) as told:
        engine.write(ENTRIES, 9)

    assert "\n" not in str(told.value)
    teller.manner = manners.honest
    time.sleep(max((told.value.retry_at - datetime.now(UTC)).total_seconds(), 0))
    assert engine.position() in (4, 9)  # 9 where only the answer was lost
    engine.write(ENTRIES, 9)
    assert set(engine.search(All(), 0, 100).ids) == IDS
    assert (engine.count(), engine.position()) == (len(IDS), 9)


@pytest.mark.parametrize(
    "manner", [manners.rejects_half, manners.silent_about_half], ids=lambda manner: manner.__name__
)
def test_what_a_bulk_did_not_take_is_sent_again_and_nothing_else(
    engine: ElasticEngine, teller: Between, manner: Manner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "WRITING_S", 20.0)
    sent: list[int] = []

    def counted(asked: Asked) -> manners.Answer:
        if asked.is_bulk:
            sent.append(asked.body.count(b"\n") // 2)
        return manner(asked)

    teller.manner = counted
    engine.write(ENTRIES, 9)

    assert set(engine.search(All(), 0, 100).ids) == IDS
    assert engine.position() == 9
    assert sent[0] == len(IDS) and sent == sorted(sent, reverse=True) and sent[1] < sent[0]


def test_a_search_without_all_shards_is_an_error_and_no_short_answer(engine: ElasticEngine, teller: Between) -> None:
    teller.manner = manners.some_shards_missing

    with pytest.raises(EngineDownError, match="some shards did not answer"):
        engine.search(All(), 0, 10)


def test_a_cluster_that_was_down_is_left_alone_for_a_moment_and_readers_are_told_at_once(
    engine: ElasticEngine, teller: Between
) -> None:
    asked: list[Asked] = []

    def silent(request: Asked) -> manners.Answer:
        asked.append(request)
        raise manners.Hangup

    teller.manner = silent
    with pytest.raises(EngineDownError) as first:
        engine.search(All(), 0, 10)
    before = len(asked)
    with pytest.raises(EngineDownError) as second:
        engine.search(All(), 0, 10)

    assert len(asked) == before
    assert second.value.retry_at == first.value.retry_at > datetime.now(UTC)
    teller.manner = manners.honest
    time.sleep(cluster.REST_S)
    assert engine.search(All(), 0, 10).total == 4


def test_nobody_listening_is_an_engine_that_is_down(place: ElasticSettings) -> None:
    port = nodes.free_ports(1)[0]
    engine = ElasticEngine(place.model_copy(update={"hosts": (f"http://127.0.0.1:{port}",)}))

    started = time.monotonic()
    with pytest.raises(EngineDownError, match=f"Elasticsearch at http://127.0.0.1:{port} cannot be reached"):
        engine.search(All(), 0, 10)

    assert time.monotonic() - started < 2
    engine.close()


@pytest.mark.parametrize("block", ["read_only", "read_only_allow_delete", "write"])
def test_a_read_only_index_is_searched_and_written_when_it_may_be_again(
    engine: ElasticEngine, server: nodes.Cluster, block: str
) -> None:
    with Elasticsearch(server.urls[0]) as client:
        client.indices.put_settings(index=f"{engine._alias}-*", settings={f"index.blocks.{block}": True})
        with pytest.raises(EngineDownError, match="read-only|refused"):
            engine.write(ENTRIES, 9)
        assert engine.count() == 4
        assert engine.position() == 4
        client.indices.put_settings(index=f"{engine._alias}-*", settings={f"index.blocks.{block}": None})

    engine.write(ENTRIES, 9)
    assert (engine.count(), engine.position()) == (len(IDS), 9)


def test_a_red_index_is_said_to_be_red_and_works_when_its_shards_are_back(
    engine: ElasticEngine, server: nodes.Cluster
) -> None:
    nowhere = "index.routing.allocation.require._name"
    with Elasticsearch(server.urls[0]) as client:
        made = engine._new_name()
        client.indices.create(index=made, settings={nowhere: "no such node"}, wait_for_active_shards=0)
        point_to(client, engine._alias, made)

        with pytest.raises(EngineDownError, match="is red"):
            engine.search(parse_query("toys"), 0, 10)
        with pytest.raises(EngineDownError, match="is red"):
            engine.position()
        with pytest.raises(EngineDownError, match="takes too long|is red"):
            engine._written = made
            engine.write(ENTRIES, 9)
        assert "is red" in engine.health()

        client.indices.put_settings(index=made, settings={nowhere: None})
        client.cluster.health(index=made, wait_for_status="green", timeout="20s")
    time.sleep(cluster.REST_S)
    engine.write(ENTRIES, 9)
    assert set(engine.search(All(), 0, 100).ids) == IDS


def test_an_index_of_another_make_is_refused_with_the_field_that_is_wrong(
    engine: ElasticEngine, server: nodes.Cluster
) -> None:
    with Elasticsearch(server.urls[0]) as client:
        made = f"{engine._alias}-by-hand"
        client.indices.create(index=made, mappings={"properties": {"published": {"type": "boolean"}}})
        point_to(client, engine._alias, made)

        engine._written = None
        with pytest.raises(EngineDownError, match=r"documents were refused, the first with 400 .*published"):
            engine.write(ENTRIES, 9)


def test_the_follower_waits_for_the_engine_with_one_line_and_catches_up(
    tmp_path: Path, teller: Between, place: ElasticSettings, caplog: pytest.LogCaptureFixture
) -> None:
    here = place.model_copy(update={"hosts": (teller.url,), "timeout_s": 1.0})
    house = House(Settings(home=tmp_path, engine="elastic", elastic=here), Store(f"sqlite:///{tmp_path}/s.sqlite"), {})
    page = SeenPage(id=0, url_key="invented", fetched_at=NIGHT)
    stop = threading.Event()
    caplog.set_level("INFO", "operations.following")
    teller.manner = manners.dead
    follower = threading.Thread(target=follow_on, args=(house, stop))
    follower.start()
    engine = ElasticEngine(place)
    try:
        for record in RECORDS:  # crawling goes on
            house.store.put(record, page, origin=Origin.CRAWL, at=NIGHT)
        time.sleep(2.5)
        house.store.put(BALLOONS.model_copy(update={"key": "late"}), page, origin=Origin.CRAWL, at=NIGHT)
        teller.manner = manners.honest
        wait_until(lambda: "the engine answers again" in caplog.text)
    finally:
        stop.set()
        follower.join()

    assert engine.position() == house.store.head()
    assert engine.count() == len(RECORDS) + 1
    waits = [line for line in caplog.messages if line.startswith("the index waits")]
    assert len(waits) == 1 and "cannot be reached" in waits[0]
    engine.close()
    house.store.close()


def point_to(client: Elasticsearch, alias: str, index: str) -> None:
    """Move the alias of an engine by hand."""
    away, here = {"index": "*", "alias": alias}, {"index": index, "alias": alias}
    client.indices.update_aliases(actions=[{"remove": away}, {"add": here}])


def wait_until(is_so: object, within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.1)
