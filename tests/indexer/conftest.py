"""One engine of every kind, empty, and a store with the invented records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer.engines.base import Engine
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
    made = Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    for record in RECORDS:
        made.put(record, PAGE, origin=Origin.CRAWL, at=NIGHT)
    yield made
    made.close()
