"""One engine of every kind, empty, and a store with the invented records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer.engines.base import Engine
from library.record import Record
from library.store.store import Origin, SeenPage, Store
from tests.indexer.invented_records import ENGINES, RECORDS

NIGHT = datetime(2026, 5, 9, 18, 30, tzinfo=UTC)
PAGE = SeenPage(id=0, url_key="invented", fetched_at=NIGHT)


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    made = ENGINES[request.param](tmp_path / "index")
    yield made
    made.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    yield from store_of(RECORDS, tmp_path)


def store_of(records: Iterable[Record], folder: Path) -> Iterator[Store]:
    """A store that a crawl has filled, open for as long as it is asked for."""
    made = Store(f"sqlite:///{folder / 'store.sqlite'}")
    for record in records:
        made.put(record, PAGE, origin=Origin.CRAWL, at=NIGHT)
    yield made
    made.close()
