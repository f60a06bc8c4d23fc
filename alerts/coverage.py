"""Coverage: which sources were looked at, when, and what could not be seen; the receipt in every digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from alerts.watches import Cadence, Watch
from alerts.wording import clean, sentence
from library.source import Source
from library.store.runs import GOOD, Run
from library.store.store import Store
from library.times import instant, stamp

RUNS_LOOKED_AT = 20
IMPORTED = "imported"  # pages that others captured are no look at a source
REASON_LIMIT = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One source. seen_at: the start of its last good run; reason: why it could not be seen since, '' where it was."""

    source: Source
    seen_at: datetime | None
    reason: str
    was_tried: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What was looked at since a time. handed_in: sources nobody can ask, with the day of the last sheet.

    covers: from when to when nothing was kept from the reader: since the last receipt, however long nobody was up.
    """

    since: datetime
    looks: tuple[Look, ...]
    handed_in: tuple[Look, ...] = ()
    covers: tuple[datetime, datetime] | None = None

    @property
    def seen(self) -> tuple[Look, ...]:
        """The sources that were seen."""
        return tuple(look for look in self.looks if not look.reason)

    @property
    def unseen(self) -> tuple[Look, ...]:
        """The sources of which nothing may be concluded."""
        return tuple(look for look in self.looks if look.reason)


def fresh_since(watch: Watch, due: datetime) -> datetime:
    """From when on sources had to be looked at for a digest; they are looked at once a day, and some need the morning."""
    return due - (timedelta(days=7) if watch.cadence is Cadence.WEEKLY else timedelta(hours=26))


def last_receipt(store: Store, recipient: str, cadence: str, *, before: datetime) -> datetime | None:
    """When a reader's last digest of a cadence was made, with or without news; None for none, or none that came through."""
    with store.read() as transaction:
        made = transaction.value(LAST_RECEIPT, recipient=recipient, cadence=cadence, before=stamp(before))
    return instant(made) if made else None


def coverage(
    store: Store,
    sources: Mapping[str, Source],
    *,
    since: datetime,
    covers: tuple[datetime, datetime] | None = None,
) -> Coverage:
    """Look up how every source was looked at since a time. A run that goes on counts for nothing yet."""
    looks = {source.name: _look(store, source, since) for source in sources.values()}
    by_name = sorted(sources.values(), key=lambda source: source.name)
    return Coverage(
        since=since,
        looks=tuple(looks[source.name] for source in by_name if not source.handed_in),
        handed_in=tuple(looks[source.name] for source in by_name if source.handed_in),
        covers=covers,
    )


def _look(store: Store, source: Source, since: datetime) -> Look:
    runs = [run for run in store.runs.of(source.name, RUNS_LOOKED_AT) if run.verdict not in (None, IMPORTED)]
    good = next((run for run in runs if run.verdict in GOOD), None)
    tried = next((run for run in runs if run.started_at >= since), None)
    seen_at = good.started_at if good else None
    return Look(
        source=source,
        seen_at=seen_at,
        reason="" if seen_at is not None and seen_at >= since else _reason(tried),
        was_tried=tried is not None,
    )


def _reason(tried: Run | None) -> str:
    return f"{tried.verdict}: {clean(tried.reason, REASON_LIMIT)}" if tried else "-"


def coverage_lines(found: Coverage, language: str, zone: str) -> list[str]:
    """The receipt as lines for a reader, in their language and zone."""
    place = ZoneInfo(zone)
    seen, total = found.seen, len(found.looks)
    times = sorted(look.seen_at for look in seen if look.seen_at)
    lines = []
    if found.covers:
        begun, ended = (f"{at.astimezone(place):%Y-%m-%d %H:%M}" for at in found.covers)
        lines.append(sentence(language, "covers", begun=begun, ended=ended, zone=zone))
    if times:
        first, last = (f"{at.astimezone(place):%Y-%m-%d %H:%M}" for at in (times[0], times[-1]))
        name = "all_seen" if len(seen) == total else "some_seen"
        lines.append(sentence(language, name, seen=len(seen), total=total, first=first, last=last, zone=zone))
    else:
        since = f"{found.since.astimezone(place):%Y-%m-%d %H:%M}"
        lines.append(sentence(language, "none_seen", total=total, since=since, zone=zone))
    for look in found.unseen:
        last = f"{look.seen_at.astimezone(place):%Y-%m-%d %H:%M}" if look.seen_at else sentence(language, "never")
        name = "unseen" if look.was_tried else "not_tried"
        lines.append(sentence(language, name, source=_title(look.source, language), reason=look.reason, last=last))
    for look in found.handed_in:
        last = f"{look.seen_at.astimezone(place):%Y-%m-%d}" if look.seen_at else sentence(language, "never")
        lines.append(sentence(language, "handed_in", source=_title(look.source, language), last=last))
    return lines


def _title(source: Source, language: str) -> str:
    return source.title.zh if language == "zh" else source.title.en


LAST_RECEIPT = """
    SELECT max(created_at) FROM mail
    WHERE recipient = :recipient AND created_at < :before AND state NOT IN ('failed', 'given_up', 'cancelled')
      AND (occasion LIKE :cadence || ':%' OR occasion LIKE 'nothing:' || :cadence || ':%')
"""
