"""Digests in groups: by kind and by market, in one order, each heading with the number of what stands under it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from alerts.feeds import told_together
from alerts.letter import Item, grouped
from alerts.wording import KINDS
from library.record import Coded, Kind
from library.store.store import Origin, SeenPage, Sighting
from tests.alerts.conftest import House, body, recall

GERMANY = Coded(printed="Germany", code="DE")
FRANCE = Coded(printed="France", code="FR")
UNKNOWN = Coded(printed="Ruritania")


def _record(key: str, kind: Kind = Kind.RECALL, market: Coded = GERMANY) -> Any:
    return recall(key, f"Balloon {key}", kind=kind, jurisdictions=(market,))


def _digest(house: House, *records: Any, **watch: Any) -> Any:
    house.watch("balloon", **watch)
    page = SeenPage(id=1, url_key="1" * 32, fetched_at=house.clock())
    with house.store.write() as transaction:
        sightings = [Sighting(record=record) for record in records]
        house.store.put_many(transaction, sightings, page, origin=Origin.CRAWL, at=house.clock())
    house.match()
    house.send()
    return house.mailbox.messages()[-1]


def _text(message: Any) -> str:
    return body(message).replace("\r\n", "\n")


MIXED = (
    _record("R1", Kind.REGULATION, FRANCE),
    _record("N1", Kind.NOTIFICATION),
    _record("C1", Kind.RECALL, UNKNOWN),
    _record("C2", Kind.RECALL, FRANCE),
    _record("C3", Kind.RECALL),
    _record("C4", Kind.RECALL, FRANCE),
    _record("B1", Kind.REJECTION),
)


def test_a_digest_is_read_from_recalls_to_rules_and_by_market_each_with_its_number(house: House):
    message = _digest(house, *MIXED, language="en")

    lines = re.findall(r"(?m)^(?:===|---|\[New\]) .*", _text(message))
    assert lines == [
        "=== 4 recalls ===",
        "--- Germany: 1 ---",
        "[New] Balloon C3",
        "--- France: 2 ---",
        "[New] Balloon C2",
        "[New] Balloon C4",
        "--- Ruritania: 1 ---",
        "[New] Balloon C1",
        "=== 1 rejection ===",
        "--- Germany: 1 ---",
        "[New] Balloon B1",
        "=== 1 notification ===",
        "--- Germany: 1 ---",
        "[New] Balloon N1",
        "=== 1 regulation ===",
        "--- France: 1 ---",
        "[New] Balloon R1",
    ]


def test_the_page_of_a_mail_has_the_same_headings_as_its_text(house: House):
    message = _digest(house, *MIXED)

    written = re.findall(r"(?m)^(?:===|---) (.*) (?:===|---)$", _text(message))
    shown = re.findall(r"<h[23][^>]*>([^<]*)</h[23]>", body(message, "html"))
    assert written[:3] == ["召回 4 条", "德国：1 条", "法国：2 条"]
    assert shown == written


def test_the_frozen_list_of_a_mail_has_its_order(house: House):
    text = _text(_digest(house, *MIXED))
    (mail,) = house.mails()
    _, frozen = told_together(house.store, f"mail:{mail['message_id']}")

    assert [item.record.key for item in frozen] == re.findall(r"\] Balloon (\w+)", text)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_one_item_alone_stands_under_no_heading(house: House, language: str):
    message = _digest(house, _record("C1"), language=language)

    assert "===" not in _text(message)
    assert "<h2" not in body(message, "html")


def test_an_item_of_several_watches_stands_once_under_one_heading_with_the_reasons_of_all(house: House):
    house.watch("hazard:choking", title="Choking")
    message = _digest(house, *MIXED, title="Balloons")

    text = _text(message)
    assert [text.count(f"] Balloon {record.key}\n") for record in MIXED] == [1] * len(MIXED)
    assert text.count("订阅“Choking”：") == text.count("订阅“Balloons”：") == len(MIXED)


def test_where_not_all_are_told_in_full_it_is_the_recalls_that_are(house: House):
    standards = [_record(f"S{number}", Kind.STANDARD) for number in range(45)]
    recalls = [_record(f"C{number}") for number in range(10)]

    text = _text(_digest(house, *standards, *recalls, language="en"))

    recalled, _, standard = text.partition("=== 45 standards ===")
    assert "=== 10 recalls ===" in recalled
    assert recalled.count("Why you receive this") == 10
    assert standard.count("Why you receive this") == 40
    assert "5 more, by title only:" in standard


def test_where_not_all_are_named_it_is_the_recalls_that_are(house: House):
    standards = [_record(f"S{number}", Kind.STANDARD) for number in range(505)]

    message = _digest(house, *standards, _record("C1"), language="en")

    text = _text(message)
    assert text.index("Balloon C1") < text.index("=== 499 standards ===")
    assert "6 more are not listed" in text
    assert "506 records" in str(message["Subject"])


def test_every_kind_has_a_place(house: House):
    watch = house.watch()
    items = [
        Item(record=_record(kind, Kind(kind)), action="added", late=False, reasons=[(watch, [])])
        for kind in KINDS["en"]
    ]

    groups = grouped(items, "en")

    assert len(groups) == len(Kind)
    assert all(group.heading.startswith("1 ") for group in groups)
