"""Deadlines: days that come near, told to the watches that ask for them. Comments close, and rules come into force.

No change of a record brings such a delivery, time does; it is of no version, 0, and the day it is about makes it one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from alerts.matching import Delivery, WatchIndex, add_deliveries
from alerts.reasons import printed_reasons, write_reasons
from alerts.watches import Watch, active_watches
from indexer.engines import open_engine
from indexer.engines.base import Engine
from indexer.entry import entry_of
from indexer.query import Or, Range, explain, matches
from library.record import Record, State
from library.settings import Settings
from library.store.store import Store

log = logging.getLogger(__name__)

DEADLINES = ("comments_until", "in_force")
EVERY = timedelta(hours=1)
RECORDS_MAX = 20_000  # with a day in the next three months


def find_deadlines(store: Store, engine: Engine, *, now: datetime) -> list[Delivery]:
    """The days that are near for some watch now; those told already are among them, the ledger knows."""
    watches = [watch for watch in active_watches(store) if "deadline" in watch.actions]
    if not watches:
        return []
    today = now.date()
    low = (today - timedelta(days=1)).toordinal()  # in some zone it is yesterday, in another tomorrow
    high = (today + timedelta(days=1 + max(watch.days_before for watch in watches))).toordinal()
    near = Or(tuple(Range(field, low, high) for field in DEADLINES))
    hits = engine.search(near, first=0, count=RECORDS_MAX)
    if hits.total > RECORDS_MAX:
        log.error("alerts: %d records have a day that comes near, and only %d are looked at", hits.total, RECORDS_MAX)
    index = WatchIndex(watches)
    return [delivery for record in store.get_many(hits.ids) for delivery in _near(record, index, now)]


def tell_deadlines(store: Store, settings: Settings, *, now: datetime) -> int:
    """Write down the days that are near; returns how many deliveries there are for them, new and told."""
    engine = open_engine(settings)
    try:
        found = find_deadlines(store, engine, now=now)
    finally:
        engine.close()
    if found:
        with store.write() as transaction:
            add_deliveries(transaction, found, now)
    return len(found)


class HourlyDeadlines:
    """Tells deadlines when called an hour after the last time; trouble is logged and keeps nobody from sending."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._last: datetime | None = None

    def __call__(self, now: datetime) -> None:
        """Tell deadlines if it is time."""
        if self._last is not None and self._last <= now < self._last + EVERY:
            return
        self._last = now
        try:
            tell_deadlines(self._store, self._settings, now=now)
        except Exception:  # the engine may be down; an hour later it is asked again
            log.exception("alerts: deadlines could not be looked up")


def read_about(about: str) -> tuple[str, date]:
    """What a delivery of a deadline is about: 'comments_until:2026-03-10' -> the field and the day."""
    field, _, day = about.partition(":")
    return field, date.fromisoformat(day)


def _near(record: Record, index: WatchIndex, now: datetime) -> Iterator[Delivery]:
    if record.status is not None and record.status.state is State.WITHDRAWN:
        return
    entry = entry_of(record)
    for group in index.candidates(entry):
        if not matches(group.query, entry):
            continue
        reasons = write_reasons(printed_reasons(explain(group.query, entry), record))
        for watch in group.watches.values():
            for about in _abouts(record, watch, now):
                yield Delivery(
                    watch=watch,
                    record_id=record.id,
                    version=0,
                    action="deadline",
                    late=False,
                    reasons=reasons,
                    about=about,
                )


def _abouts(record: Record, watch: Watch, now: datetime) -> Iterator[str]:
    today = now.astimezone(ZoneInfo(watch.zone)).date()
    for field in DEADLINES:
        day = getattr(record, field)
        if day is not None and 0 <= (day - today).days <= watch.days_before:
            yield f"{field}:{day.isoformat()}"
