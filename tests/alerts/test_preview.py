"""What a query would have found, before anybody is mailed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from alerts.watches import preview
from indexer.engines.tantivy import TantivyEngine
from indexer.entry import entry_of
from indexer.query import QueryError
from library.store.store import Origin
from tests.alerts.conftest import House, recall


@pytest.fixture
def engine(house: House, tmp_path: Path) -> Iterator[TantivyEngine]:
    """An index of 40 recalls: 24 of balloons in 12 months, 4 kites, and 12 balloons of 2020."""
    records = [
        recall(f"B{month}-{number}", published=date(2025, month, 9)) for month in range(4, 13) for number in (1, 2)
    ]
    records += [
        recall(f"B{month}-{number}", published=date(2026, month, 2)) for month in (1, 2, 3) for number in (1, 2)
    ]
    records += [recall(f"K{number}", "Kite", published=date(2026, 2, number)) for number in range(1, 5)]
    records += [recall(f"O{month}", published=date(2020, month, 1)) for month in range(1, 13)]
    for record in records:
        house.put(record, Origin.BACKFILL)
    opened = TantivyEngine(tmp_path / "index")
    opened.write([entry_of(record) for record in records], position=1)
    yield opened
    opened.close()


def test_a_preview_counts_the_last_twelve_months_by_month(house: House, engine: TantivyEngine):
    seen = preview(house.store, engine, "kite", now=house.clock())

    assert seen.total == 4
    assert {month: count for month, count in seen.months.items() if count} == {"2026-02": 4}
    assert (next(iter(seen.months)), list(seen.months)[-1], len(seen.months)) == ("2025-03", "2026-03", 13)
    assert [record.key for record in seen.newest] == ["K4", "K3", "K2", "K1"]
    assert seen.warning == ""


def test_a_preview_counts_hits_a_week_over_the_years_of_the_library(house: House, engine: TantivyEngine):
    balloons = preview(house.store, engine, "balloon", now=house.clock())
    kites = preview(house.store, engine, "kite", now=house.clock())

    assert [(one.year, one.total) for one in balloons.years] == [(2026, 6), (2025, 18), (2020, 12)]
    assert [(one.year, one.total) for one in kites.years] == [(2026, 4), (2025, 0), (2020, 0)]
    assert [round(one.a_week, 2) for one in balloons.years] == [
        round(6 / (61 / 7), 2),
        round(18 * 7 / 365, 2),
        round(12 * 7 / 366, 2),
    ]


def test_a_preview_warns_of_a_query_that_finds_everything(house: House, engine: TantivyEngine):
    assert preview(house.store, engine, "kind:recall", now=house.clock()).warning == "everything"


def test_a_preview_warns_of_a_query_that_finds_nothing(house: House, engine: TantivyEngine):
    seen = preview(house.store, engine, "zeppelin", now=house.clock())

    assert (seen.total, seen.warning, seen.newest) == (0, "nothing", ())


def test_a_preview_says_what_else_was_searched_for(house: House, engine: TantivyEngine):
    seen = preview(house.store, engine, "气球", now=house.clock())

    assert seen.total == 24
    assert "balloon" in " ".join(seen.also_searched)


def test_a_preview_of_an_empty_library_says_nothing_was_found(house: House, tmp_path: Path):
    empty = TantivyEngine(tmp_path / "empty")

    assert preview(house.store, empty, "kite", now=house.clock()).warning == "nothing"
    empty.close()


def test_a_query_that_cannot_be_read_names_its_column(house: House, engine: TantivyEngine):
    with pytest.raises(QueryError) as refused:
        preview(house.store, engine, "kite (", now=house.clock())

    assert refused.value.column >= 6
