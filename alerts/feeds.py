"""Feeds of a watch: what it was told, as Atom and as JSON, and the days that come, as a calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import feedgenerator
from icalendar import Alarm, Calendar, Event

from alerts.deadlines import DEADLINES, read_about
from alerts.differences import LINES_MAX, Difference, amendments
from alerts.letter import original_url, place, record_url
from alerts.reasons import read_reasons
from alerts.watches import Watch
from alerts.wording import FIELDS, SENTENCES, clean, generated_line, reason_line, sentence
from alerts.workdays import is_known, last_workday
from indexer.engines.base import Engine
from indexer.expand import expand
from indexer.query import And, Or, Range, Reason, parse_query
from library.record import Record, State, decode
from library.store.store import Store
from library.times import instant

ITEMS = 100
DAYS_BACK, DAYS_AHEAD = 30, 730
EVENTS_MAX = 1000
ALARM_AT = timedelta(hours=9)  # in the morning of the last workday
JSON_FEED = "https://jsonfeed.org/version/1.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One thing a watch was told, or is to be told: a record as it is known now. changes: of an amendment."""

    id: int
    record: Record
    version: int
    action: str
    about: str
    state: str
    at: datetime
    reasons: Sequence[Reason]
    changes: Sequence[Difference] = ()

    @property
    def name(self) -> str:
        """What it is known by to a feed reader."""
        return f"{self.record.id}#{self.about or self.version}"


def told(store: Store, watch_id: str, *, limit: int = ITEMS) -> list[Told]:
    """What a watch was told, newest first."""
    with store.read() as transaction:
        rows = transaction.rows(TOLD, id=watch_id, limit=limit)
        changes = amendments(transaction, [row["id"] for row in rows])
    records = {record.id: record for record in store.get_many([row["record_id"] for row in rows])}
    return [
        replace(_told(row, records[row["record_id"]]), changes=changes.get(row["id"], ()))
        for row in rows
        if row["record_id"] in records
    ]


def _told(row: Mapping[str, Any], record: Record) -> Told:
    return Told(
        id=row["id"],
        record=record,
        version=row["version"],
        action=row["action"],
        about=row["about"],
        state=row["state"],
        at=instant(row["created_at"]),
        reasons=read_reasons(row["reasons"]),
    )


def told_together(store: Store, name: str) -> tuple[datetime | None, list[Told]]:
    """What stood in one mail or call, in the order of a mail, each record as its version had it; and when it was written.

    name: 'mail:' and a Message-ID, or 'call:', a watch and an occasion. (None, []) for one that there is not.
    """
    kind, _, rest = name.partition(":")
    with store.read() as transaction:
        if kind == "mail":
            head = transaction.row("SELECT id, created_at FROM mail WHERE message_id = :name", name=rest)
        else:
            watch_id, _, occasion = rest.partition(":")
            head = transaction.row(CALL, watch=watch_id, occasion=occasion)
        if head is None:
            return None, []
        rows = transaction.rows(IN_MAIL if kind == "mail" else IN_CALL, id=head["id"])
        found = [_told(row, decode(row["payload"])) for row in rows]
    return instant(head["created_at"]), sorted(found, key=lambda item: place(item.record))


def atom(watch: Watch, items: Sequence[Told], *, base_url: str, feed_url: str) -> str:
    """An Atom feed (RFC 4287)."""
    feed = feedgenerator.Atom1Feed(
        title=clean(watch.title, 80),
        link=base_url,
        description=clean(watch.query, 200),
        language=watch.language,
        feed_url=feed_url,
        feed_guid=f"urn:ttm:watch:{watch.id}",
    )
    for item in items:
        feed.add_item(
            title=_title(item, watch.language),
            link=record_url(base_url, item.record.id),
            description=_summary(item, watch.language),
            unique_id=f"urn:ttm:{watch.id}:{item.id}",
            pubdate=item.at,
            updateddate=item.at,
        )
    return str(feed.writeString("utf-8"))


def json_feed(watch: Watch, items: Sequence[Told], *, base_url: str, feed_url: str) -> dict[str, Any]:
    """The same as a JSON Feed 1.1."""
    return {
        "version": JSON_FEED,
        "title": clean(watch.title, 80),
        "description": clean(watch.query, 200),
        "home_page_url": base_url,
        "feed_url": feed_url,
        "language": watch.language,
        "items": [_json_item(item, watch.language, base_url) for item in items],
    }


def calendar(store: Store, engine: Engine, watch: Watch, *, now: datetime, base_url: str) -> bytes:
    """The days of the records a watch selects on which comments close or a rule comes into force (RFC 5545).

    Each day says which is the last workday in mainland China up to it, and rings in the morning of that one. Of a year
    whose holidays are not announced the calendar says so, and its days too.
    """
    today = now.date()
    low, high = today - timedelta(days=DAYS_BACK), today + timedelta(days=DAYS_AHEAD)
    near = Or(tuple(Range(field, low.toordinal(), high.toordinal()) for field in DEADLINES))
    hits = engine.search(And((expand(parse_query(watch.query)).query, near)), first=0, count=EVENTS_MAX, sort="newest")
    page = Calendar()
    page.add("prodid", "-//ttm//watch//EN")
    page.add("version", "2.0")
    page.add("x-wr-calname", clean(watch.title, 80))
    days = [
        (record, field, day)
        for record in store.get_many(hits.ids)
        for field in DEADLINES
        if (day := getattr(record, field)) is not None and low <= day <= high
    ]
    if unknown := sorted({day.year for _, _, day in days if not is_known(day.year)}):
        years = sentence(watch.language, "list").join(map(str, unknown))
        page.add("x-wr-caldesc", sentence(watch.language, "holidays_unknown", years=years))
    for record, field, day in days:
        page.add_component(_event(record, field, day, watch, now, base_url))
    return bytes(page.to_ical())


def _event(record: Record, field: str, day: date, watch: Watch, now: datetime, base_url: str) -> Event:
    language = watch.language
    workday = last_workday(day)
    words = FIELDS[language][field] + sentence(language, "colon")
    event = Event()
    # one id for a record's day, whatever the day is: one that moves takes its entry in the calendar with it
    event.add("uid", f"{record.id}:{field}@{watch.id}.ttm")
    event.add("dtstamp", now)
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("transp", "TRANSPARENT")
    event.add("summary", words + clean(record.title(language), 120))
    name = "last_workday" if workday.is_sure else "last_workday_unsure"
    lines = [generated_line(record, language), *(clean(reference, 60) for reference in record.references[:2])]
    if workday.day != day or not workday.is_sure:
        lines.append(sentence(language, name, day=workday.day.isoformat()))
    event.add("description", "\n".join(lines))
    event.add("url", record_url(base_url, record.id))
    if record.status is not None and record.status.state is State.WITHDRAWN:
        event.add("status", "CANCELLED")
        return event
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", words + clean(record.title(language), 120))
    alarm.add("trigger", workday.day - day + ALARM_AT)
    event.add_component(alarm)
    return event


def _title(item: Told, language: str) -> str:
    title = clean(item.record.title(language), 200) or sentence(language, "unread_title")
    return f"[{sentence(language, item.action)}] {title}"


def _summary(item: Told, language: str) -> str:
    lines = [generated_line(item.record, language)]
    if item.about:
        field, day = read_about(item.about)
        lines.append(FIELDS[language][field] + sentence(language, "colon") + day.isoformat())
    lines += [change.line(language) for change in item.changes[:LINES_MAX]]
    if why := reason_line(item.reasons, language):
        lines.append(SENTENCES[language]["why"] + sentence(language, "colon") + why)
    return "\n".join(lines)


def _json_item(item: Told, language: str, base_url: str) -> Mapping[str, Any]:
    url = original_url(item.record)
    return {
        "id": f"urn:ttm:{item.id}",
        "url": record_url(base_url, item.record.id),
        "title": _title(item, language),
        "content_text": _summary(item, language),
        "date_published": item.at.isoformat(),
        "_ttm": {
            "record": item.record.id,
            "version": item.version,
            "action": item.action,
            "about": item.about,
            "changes": [change.as_json() for change in item.changes],
        },
    } | ({"external_url": url} if url else {})


TOLD = """
    SELECT id, record_id, version, action, about, state, created_at, reasons FROM delivery
    WHERE watch_id = :id AND channel IN ('mail', 'feed') AND state <> 'cancelled' ORDER BY id DESC LIMIT :limit
"""

CALL = "SELECT id, created_at FROM call WHERE watch_id = :watch AND occasion = :occasion"

TOLD_TOGETHER = """
    SELECT delivery.id, delivery.version, delivery.action, delivery.about, delivery.state, delivery.created_at,
           delivery.reasons, coalesce(version.payload, record.payload) AS payload
    FROM delivery JOIN record ON record.id = delivery.record_id
    LEFT JOIN version ON version.record_id = delivery.record_id AND version.version = delivery.version
"""
IN_MAIL = TOLD_TOGETHER + "WHERE delivery.mail_id = :id ORDER BY delivery.id"
IN_CALL = TOLD_TOGETHER + "WHERE delivery.call_id = :id ORDER BY delivery.id"
