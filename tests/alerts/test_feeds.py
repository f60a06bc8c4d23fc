"""Feeds of a watch: Atom, JSON and a calendar."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from icalendar import Calendar

from alerts.feeds import atom, calendar, json_feed, told
from alerts.workdays import known_until
from indexer.build import rebuild
from indexer.engines.tantivy import TantivyEngine
from indexer.entry import entry_of
from library.record import Kind
from library.store.store import Origin
from tests.alerts.conftest import NIGHT, House, recall, withdrawn

ATOM = "{http://www.w3.org/2005/Atom}"
BASE, FEED = "https://ttm.example", "https://ttm.example/feed/x"


def test_what_a_watch_was_told_is_an_atom_feed_newest_first(house: House):
    watch = house.watch("balloon", title="Balloons & <kites>")
    house.put(recall("SR/00001/26"))
    house.put(recall("SR/00002/26", "Balloon <script>"))
    house.match()

    root = ElementTree.fromstring(atom(watch, told(house.store, watch.id), base_url=BASE, feed_url=FEED))

    entries = root.findall(f"{ATOM}entry")
    assert root.findtext(f"{ATOM}title") == "Balloons & <kites>"
    assert [entry.findtext(f"{ATOM}title") for entry in entries] == [
        "[新] Balloon <script>",
        "[新] Balloon with a choking hazard",
    ]
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == 2
    assert "为什么收到：标题含“Balloon”" in str(entries[0].findtext(f"{ATOM}summary"))


def test_the_same_is_a_json_feed(house: House):
    watch = house.watch("balloon")
    house.put(recall())
    house.match()

    feed = json_feed(watch, told(house.store, watch.id), base_url=BASE, feed_url=FEED)

    (item,) = feed["items"]
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert item["url"] == "https://ttm.example/records/eu_safety_gate:SR/00001/26"
    assert item["external_url"] == "https://publisher.example/notice?id=1&lang=en"


def test_feeds_say_what_was_amended(house: House):
    watch = house.watch("balloon", actions=("amended",), language="en")
    house.put(recall(), Origin.BACKFILL)
    house.put(recall(title="Balloon with a burning hazard", in_force=date(2026, 3, 9)))
    house.put(recall(title="Balloon with a burning hazard", in_force=date(2026, 3, 10)))
    house.match()
    items = told(house.store, watch.id)

    root = ElementTree.fromstring(atom(watch, items, base_url=BASE, feed_url=FEED))
    last, first = json_feed(watch, items, base_url=BASE, feed_url=FEED)["items"]

    assert last["_ttm"]["changes"] == [{"field": "in_force", "removed": ["2026-03-09"], "added": ["2026-03-10"]}]
    assert [change["field"] for change in first["_ttm"]["changes"]] == ["title", "in_force"]
    line = "in force: “2026-03-09” is now “2026-03-10”"
    assert line in last["content_text"]
    assert line not in first["content_text"]
    assert line in str(root.findtext(f"{ATOM}entry/{ATOM}summary"))


def test_feeds_say_of_what_is_new_that_nothing_was_amended(house: House):
    watch = house.watch("balloon")
    house.put(recall("SR/1", "Kite"))
    house.put(recall("SR/1", "Balloon"))  # it was not selected before
    house.match()

    (item,) = json_feed(watch, told(house.store, watch.id), base_url=BASE, feed_url=FEED)["items"]

    assert (item["_ttm"]["action"], item["_ttm"]["changes"]) == ("added", [])


def test_a_calendar_says_of_which_years_the_holidays_are_not_announced(house: House, tmp_path: Path):
    year = known_until(house.clock().date()) + 1
    if date(year, 1, 15) > house.clock().date() + timedelta(days=730):
        pytest.skip("the holidays of all the days a calendar holds are announced")
    engine = TantivyEngine(tmp_path / "index")
    record = recall(kind=Kind.REGULATION, in_force=date(year, 1, 15))
    house.put(record)
    engine.write([entry_of(record)], position=1)
    watch = house.watch("balloon", language="en")

    written = Calendar.from_ical(
        calendar(house.store, engine, watch, now=house.clock(), base_url="https://ttm.example")
    )
    engine.close()

    (event,) = written.walk("VEVENT")
    assert str(written["X-WR-CALDESC"]) == (
        f"The holidays of {year} are not announced yet; for these days only weekends are left out."
    )
    assert "are not announced; weekends only" in str(event["DESCRIPTION"])


def test_a_calendar_holds_the_days_that_come_and_rings_on_the_last_workday(house: House, tmp_path: Path):
    watch = house.watch("balloon")
    rule = recall("R1", "Balloon rule, a; b", kind=Kind.REGULATION, comments_until=date(2026, 10, 3))
    house.put(rule)
    house.put(withdrawn(recall("R2", "Balloon rule", in_force=date(2026, 6, 1))))
    house.put(recall("R3", "Kite rule", in_force=date(2026, 6, 1)))
    house.put(recall("R4", "Balloon rule", published=date(2019, 12, 1), in_force=date(2020, 1, 1)))
    engine = TantivyEngine(tmp_path / "index")
    rebuild(house.store, engine)

    events: dict[str, Any] = {
        str(event["uid"]).partition("@")[0]: event
        for event in Calendar.from_ical(calendar(house.store, engine, watch, now=NIGHT, base_url=BASE)).walk("VEVENT")
    }
    engine.close()

    assert events.keys() == {"eu_safety_gate:R1:comments_until", "eu_safety_gate:R2:in_force"}
    event = events["eu_safety_gate:R1:comments_until"]
    assert event["dtstart"].dt == date(2026, 10, 3)
    assert str(event["summary"]) == "评议截止日期：Balloon rule, a; b"
    assert "此前中国大陆最后一个工作日：2026-09-30" in str(event["description"])
    (alarm,) = event.walk("VALARM")
    assert alarm["trigger"].dt == timedelta(days=-3, hours=9)
    assert str(events["eu_safety_gate:R2:in_force"]["status"]) == "CANCELLED"
