"""The seed decides everything, identities are unique, and each night changes what `expected` says and nothing else."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from lxml import etree

from crawlers.practice.publishers import (
    ca_recalls_opendata,
    cn_openstd_samr,
    eu_cellar,
    eu_rasff,
    eu_safety_gate,
    uk_fsa_food_alerts,
    us_cpsc,
    us_federal_register,
    us_openfda,
    wto_eping,
)
from crawlers.practice.world import SOURCES, World
from tests.practice.conftest import PAGES, SAFETY_GATE, TODAY, respond, small_world


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page[0])
def test_two_worlds_with_the_same_arguments_give_the_same_bytes(page: tuple[str, str]) -> None:
    assert respond(small_world(3), page).body == respond(small_world(3), page).body


def test_the_workbook_has_the_same_bytes_twice(tmp_path: Path) -> None:
    first = wto_eping.write_export(small_world(), tmp_path / "first").read_bytes()
    second = wto_eping.write_export(small_world(), tmp_path / "second").read_bytes()

    assert first == second


@pytest.mark.parametrize("page", [page for page in PAGES if page != SAFETY_GATE], ids=lambda page: page[0])
def test_another_seed_gives_other_bytes(page: tuple[str, str]) -> None:
    assert respond(small_world(seed=1), page).body != respond(small_world(seed=2), page).body


@pytest.mark.parametrize("source", SOURCES)
def test_no_identity_is_given_twice(source: str) -> None:
    world = World(7, 30_000, 12, today=TODAY)

    keys = [world.key(source, index) for index in range(world.total(source))]

    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("source", SOURCES)
def test_the_library_of_night_one_ends_yesterday_and_night_two_adds_today(source: str) -> None:
    world = small_world(2)

    newest_before = world.published(source, world.total(source, 1) - 1)
    added = {world.published(source, index) for index in world.plan(source, 2).added}

    assert newest_before == date(2026, 11, 23)
    assert added == {TODAY}


def test_the_shares_of_the_sources_add_up_to_the_records_asked_for() -> None:
    world = small_world(records=307)

    assert sum(world.share(source) for source in SOURCES) == 307


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("night", [2, 3, 9])
def test_a_night_changes_what_it_promises_and_nothing_else(source: str, night: int) -> None:
    before, after = meanings(small_world(night - 1), source), meanings(small_world(night), source)
    expected = small_world(night).expected()[source]
    vanished = [key for key in before if key not in after]
    changed = [key for key in before if key in after and before[key] != after[key]]
    withdrawn_in_place = [key for key in expected["withdrawn"] if key in after]

    assert sorted(after.keys() - before.keys()) == sorted(expected["added"])
    assert sorted(changed) == sorted([*expected["amended"], *expected["restamped"], *withdrawn_in_place])
    assert sorted(vanished) == sorted(key for key in expected["withdrawn"] if key not in after)
    assert len(after) == expected["records"]


def test_every_kind_of_change_happens_on_night_two() -> None:
    expected = small_world(2).expected()

    assert all(expected[source]["added"] for source in SOURCES)
    assert {source for source in SOURCES if expected[source]["withdrawn"]} == {
        "ca_recalls_opendata",
        "cn_openstd_samr",
        "eu_safety_gate",
        "uk_fsa_food_alerts",
    }
    assert {source for source in SOURCES if expected[source]["restamped"]} == {
        "ca_recalls_opendata",
        "uk_fsa_food_alerts",
        "us_cpsc",
    }
    assert all(expected[source]["amended"] for source in SOURCES if source not in {"eu_cellar", "us_federal_register"})


def test_a_restamped_recall_of_years_ago_keeps_its_text_and_moves_its_stamp() -> None:
    key = small_world(2).expected()["us_cpsc"]["restamped"][0]

    before, after = meanings(small_world(1), "us_cpsc")[key], meanings(small_world(2), "us_cpsc")[key]

    assert after["LastPublishDate"] == "2026-11-24T00:00:00"
    assert before | {"LastPublishDate": ""} == after | {"LastPublishDate": ""}
    assert after["RecallDate"] < "2025-11-24"


def test_the_addendum_of_the_night_names_what_was_amended_and_withdrawn() -> None:
    world = small_world(2)
    expected = world.expected()["eu_safety_gate"]

    report = next(safety_gate_reports(world))
    addendum = report.findtext("report_addendum") or ""

    assert all(key in addendum for key in (*expected["amended"], *expected["withdrawn"]))
    assert f"{expected['withdrawn'][0]} has been withdrawn" in addendum


def test_page_views_move_every_night_though_no_document_changes() -> None:
    source = us_federal_register.SOURCE
    first, second = small_world(1), small_world(2)

    before = us_federal_register.document(first, first.item(source, 3))
    after = us_federal_register.document(second, second.item(source, 3))

    assert before["page_views"] != after["page_views"]


def test_a_hundred_thousand_records_are_paged() -> None:
    world = World(1, 100_000, 2, today=TODAY)
    host = "www.federalregister.gov"

    first = orjson.loads(respond(world, (host, "/api/v1/documents.json?per_page=1000&fields[]=document_number")).body)
    second_page = first["next_page_url"].removeprefix(f"https://{host}")
    second = orjson.loads(respond(world, (host, second_page)).body)
    numbers = {row["document_number"] for row in (*first["results"], *second["results"])}

    assert first["count"] > 10_000
    assert first["total_pages"] == 10
    assert len(numbers) == 2000


def test_half_of_the_goods_come_from_china() -> None:
    world = World(1, 4000, today=TODAY)

    rows = list(eu_rasff.rows(world))[1:]
    chinese = sum(row[3] == "China" for row in rows)

    assert 0.4 < chinese / len(rows) < 0.6


def meanings(world: World, source: str) -> dict[str, Any]:
    """What a source says of each record, counters left out."""
    return dict(READERS[source](world))


def _items(world: World, source: str) -> Iterator[Any]:
    return (world.item(source, index) for index in range(world.total(source)))


def _safety_gate(world: World) -> Iterator[tuple[str, Any]]:
    for report in safety_gate_reports(world):
        for alert in report.iter("notifications"):
            yield alert.findtext("caseNumber") or "", [(part.tag, part.text) for part in alert if part.tag != "order"]


def safety_gate_reports(world: World) -> Iterator[etree._Element]:
    index = etree.fromstring(respond(world, SAFETY_GATE).body)
    for url in index.iter("URL"):
        target = (url.text or "").removeprefix("https://ec.europa.eu")
        yield etree.fromstring(respond(world, ("ec.europa.eu", target)).body)


def _cellar(world: World) -> Iterator[tuple[str, Any]]:
    return ((item.key, eu_cellar.act(world, item)) for item in _items(world, "eu_cellar"))


def _rasff(world: World) -> Iterator[tuple[str, Any]]:
    return ((row[1], row) for row in list(eu_rasff.rows(world))[1:])


def _cpsc(world: World) -> Iterator[tuple[str, Any]]:
    return ((item.key, us_cpsc.recall(item)) for item in _items(world, "us_cpsc"))


def _openfda(world: World) -> Iterator[tuple[str, Any]]:
    for item in _items(world, "us_openfda"):
        yield item.key, us_openfda.enforcement(item, world.enforcement_kind(item.index))


def _register(world: World) -> Iterator[tuple[str, Any]]:
    counters = {"page_views", "dockets", "regulations_dot_gov_info"}
    for item in _items(world, "us_federal_register"):
        row = us_federal_register.document(world, item)
        yield item.key, {name: value for name, value in row.items() if name not in counters}


def _canada(world: World) -> Iterator[tuple[str, Any]]:
    for item in _items(world, "ca_recalls_opendata"):
        if not item.withdrawn:
            yield item.key, ca_recalls_opendata.notice(item)


def _eping(world: World) -> Iterator[tuple[str, Any]]:
    return ((item.key, wto_eping.notification(world, item)) for item in _items(world, "wto_eping"))


def _openstd(world: World) -> Iterator[tuple[str, Any]]:
    return ((item.key, cn_openstd_samr.standard(world, item)) for item in _items(world, "cn_openstd_samr"))


def _food_alerts(world: World) -> Iterator[tuple[str, Any]]:
    return ((item.key, uk_fsa_food_alerts.alert(world, item)) for item in _items(world, "uk_fsa_food_alerts"))


READERS = {
    "eu_safety_gate": _safety_gate,
    "eu_cellar": _cellar,
    "eu_rasff": _rasff,
    "us_cpsc": _cpsc,
    "us_openfda": _openfda,
    "us_federal_register": _register,
    "ca_recalls_opendata": _canada,
    "wto_eping": _eping,
    "cn_openstd_samr": _openstd,
    "uk_fsa_food_alerts": _food_alerts,
}


def test_the_exported_csv_can_be_read_back(tmp_path: Path) -> None:
    path = eu_rasff.write_export(small_world(), tmp_path)

    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))

    assert tuple(rows[0]) == eu_rasff.COLUMNS
    assert len(rows) == 31
    assert {len(row) for row in rows} == {8}


def test_the_index_of_safety_gate_leads_to_every_alert() -> None:
    world = small_world(2)

    assert (
        sum(len(report.findall("notifications")) for report in safety_gate_reports(world))
        == (world.expected()[eu_safety_gate.SOURCE]["records"])
    )
