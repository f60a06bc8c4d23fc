"""Which records tell of one event."""

from __future__ import annotations

from datetime import date

import pytest

from indexer.folding import folded
from library.record import Coded, Kind, Link, Product, Record, Text

TITLE = "Zephyr Toys recalls wooden rattles due to choking hazard"


def recall(key: str, **facts) -> Record:
    title = facts.pop("title", TITLE)
    usual = {
        "source": "us_cpsc",
        "key": key,
        "kind": Kind.RECALL,
        "jurisdictions": (Coded(printed="US", code="US"),),
        "titles": (Text(language="en", value=title, label="title"),),
        "published": date(2026, 3, 5),
        "hazards": (Coded(printed="Choking", code="choking"),),
    }
    return Record(**usual | facts)


CANADA = {
    "source": "ca_recalls_opendata",
    "jurisdictions": (Coded(printed="CA", code="CA"),),
    "title": "Wooden rattles recalled by Zephyr Toys due to choking hazard",
    "published": date(2026, 3, 7),
}
ORIGINAL = (Link(url="https://agency.example/event?number=7", label="original"),)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"published": date(2026, 3, 30)}),
        (
            {"references": ("D-0001", "96569"), "title": "Tablets"},
            {"references": ("D-0002", "96569"), "title": "Syrup"},
        ),
        ({"links": ORIGINAL, "title": "Tablets"}, {"links": ORIGINAL, "title": "Syrup"}),
        ({}, CANADA),
        ({"references": ("G/TBT/N/EU/1",), "title": "One"}, CANADA | {"references": ("G/TBT/N/EU/1",), "title": "Two"}),
    ],
)
def test_records_of_one_event_are_one_group(one, other):
    assert folded([recall("1", **one), recall("2", **other)]) == [[0, 1]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"published": date(2026, 5, 5)}),
        ({}, {"published": None}),
        ({}, {"hazards": (Coded(printed="Fire", code="fire"),)}),
        ({"title": "dried figs"}, {"title": "dried figs"}),
        ({"references": ("96569",)}, CANADA | {"references": ("96569",), "title": "Something else that is recalled"}),
        ({}, CANADA | {"published": date(2026, 4, 30)}),
        ({"products": (Product(name="Rattle", brand="Zephyr"),)}, CANADA | {"products": (Product(name="Puzzle"),)}),
        ({}, {"kind": Kind.NOTIFICATION}),
    ],
)
def test_records_of_two_events_are_two_groups(one, other):
    assert folded([recall("1", **one), recall("2", **other)]) == [[0], [1]]


def test_groups_stand_in_the_order_of_their_first_record():
    other = {"title": "Another thing that burns and is recalled"}

    assert folded([recall("1"), recall("2", **other), recall("3"), recall("4", **other)]) == [[0, 2], [1, 3]]
    assert folded([]) == []
