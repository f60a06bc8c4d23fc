"""Rebuilding and moving while people search: no failed search, no missing record."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from indexer.build import IndexFollower, rebuild
from indexer.engines import engine_in_use, open_engine, use_engine
from indexer.engines.base import Engine
from indexer.engines.elastic import ElasticEngine
from indexer.query import All, parse_query
from library.follow import follow
from library.house import House
from library.record import Record
from library.settings import ElasticSettings, Settings
from library.store.store import Origin, SeenPage, Store
from operations.following import follow_on
from tests.elastic.test_faults import wait_until
from tests.indexer.invented_records import RECORDS
from tests.places import ROOT

NIGHT = datetime(2026, 5, 9, 18, 30, tzinfo=UTC)
PAGE = SeenPage(id=0, url_key="invented", fetched_at=NIGHT)
A_SECOND = 20  # searches


def invented(first: int, count: int) -> Iterator[Record]:
    for number in range(first, first + count):
        record = RECORDS[number % len(RECORDS)]
        yield record.model_copy(update={"key": f"{record.key}-{number}", "references": ()})


def put(store: Store, records: Iterator[Record]) -> list[str]:
    stored = []
    for record in records:
        store.put(record, PAGE, origin=Origin.CRAWL, at=NIGHT)
        stored.append(record.id)
    return stored


@dataclass
class Searching:
    """What people saw."""

    searches: int = 0
    failed: list[Exception] = field(default_factory=list)
    fewest: int = sys.maxsize


@contextmanager
def searching(engine: Engine) -> Iterator[Searching]:
    """Search twenty times a second, for everything and for words in turn."""
    seen, stop = Searching(), threading.Event()
    queries = [All(), parse_query("toys"), parse_query('kind:recall "short circuit"')]

    def search() -> None:
        due = time.monotonic()
        while not stop.wait(max(due - time.monotonic(), 0)):
            due += 1 / A_SECOND
            try:
                found = engine.search(queries[seen.searches % 3], 0, 10, facets=("kind",))
                if seen.searches % 3 == 0:
                    seen.fewest = min(seen.fewest, found.total)
            except Exception as error:  # noqa: BLE001 - whatever it is, somebody has seen it
                seen.failed.append(error)
            seen.searches += 1

    thread = threading.Thread(target=search)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    yield made
    made.close()


def test_a_rebuild_and_its_swap_fail_no_search_and_lose_no_record(engine: ElasticEngine, store: Store) -> None:
    put(store, invented(0, 600))
    follower = IndexFollower(engine, store)
    follow(store, follower)

    def progress(done: int) -> None:
        put(store, invented(600 + store.head(), 5))  # the night goes on, and the follower with it
        follow(store, follower)

    reader = ElasticEngine(engine._settings)
    with searching(reader) as seen:
        for _ in range(3):
            rebuild(store, engine, progress)
            follow(store, follower)

    assert seen.failed == []
    assert seen.searches > 20
    assert seen.fewest >= 600
    assert engine.count() == sum(store.counts().values())
    assert engine.position() == store.head()
    reader.close()


@pytest.fixture
def moving_house(tmp_path: Path, place: ElasticSettings) -> Iterator[House]:
    settings = Settings(home=tmp_path, elastic=place)
    store = Store(settings.database)
    yield House(settings, store, {})
    store.close()


def ttm(house: House, *arguments: str) -> subprocess.CompletedProcess[str]:
    elastic = house.settings.elastic
    environment = os.environ | {
        "TTM_HOME": str(house.settings.home),
        "TTM_ELASTIC__HOSTS": orjson.dumps(elastic.hosts).decode(),
        "TTM_ELASTIC__PREFIX": elastic.prefix,
        "TTM_ELASTIC__REPLICAS": "0",
    }
    command = [sys.executable, str(ROOT / "ttm.py"), *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def test_a_running_library_moves_to_the_cluster_and_back_without_stopping(moving_house: House) -> None:
    house = moving_house
    stored = put(house.store, invented(0, 200))
    engine, stop = open_engine(house.settings), threading.Event()
    follower = threading.Thread(target=follow_on, args=(house, stop))
    follower.start()
    try:
        wait_until(lambda: engine.count() == 200)
        with searching(engine) as seen:
            moved = ttm(house, "index", "rebuild", "--engine", "elastic")
            assert moved.returncode == 0, moved.stderr
            assert engine_in_use(house.settings) == "elastic"
            stored += put(house.store, invented(len(stored), 20))
            wait_until(lambda: engine.position() == house.store.head())
            use_engine(house.settings, "tantivy")  # back to what the move left behind, which the follower brings up
            stored += put(house.store, invented(len(stored), 20))
            wait_until(lambda: engine.position() == house.store.head())
            use_engine(house.settings, "elastic")
            wait_until(lambda: engine.position() == house.store.head())
        said = ttm(house, "status")
    finally:
        stop.set()
        follower.join()

    assert seen.failed == []
    assert seen.fewest >= 200
    there = ElasticEngine(house.settings.elastic)
    assert set(there.search(All(), 0, 1000).ids) == set(stored)
    assert f"index (elastic) at {house.store.head()} with {len(stored)} records; Elasticsearch is " in said.stdout
    there.close()
    engine.close()


def test_a_move_that_fails_leaves_the_engine_in_use_as_it_is(moving_house: House) -> None:
    put(moving_house.store, invented(0, 3))
    hosts = moving_house.settings.elastic.model_copy(update={"hosts": ("http://127.0.0.1:1",)})
    house = House(moving_house.settings.model_copy(update={"elastic": hosts}), moving_house.store, {})

    moved = ttm(house, "index", "rebuild", "--engine", "elastic")

    assert moved.returncode == 1
    assert "the index was not built: Elasticsearch at http://127.0.0.1:1 cannot be reached" in moved.stderr
    assert engine_in_use(house.settings) == "tantivy"
