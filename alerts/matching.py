"""Matching: the follower that finds, for each change, the watches to tell of it.

A watch requires some word or code of every record it selects. An index over the watches by the rarest such thing
names the few candidates for a record; `matches()` decides, and `explain()` gives the reasons.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from alerts.reasons import printed_reasons, write_reasons
from alerts.watches import Cadence, Watch, active_watches
from indexer.entry import Entry, entry_of
from indexer.expand import expand
from indexer.query import And, Filter, Or, Phrase, Query, QueryError, Term, explain, matches, parse_query
from library.record import Record, decode
from library.source import Source
from library.store.database import Transaction
from library.store.store import BATCH, Change, Origin, Store
from library.times import stamp

log = logging.getLogger(__name__)

CHANNEL = "mail"
DIGEST_AT = time(8)  # on the clock of the watch's zone
LATE_DAYS = 30  # a page may wait so long for a reading, and its records are news none the less
ALERTING = (Origin.CRAWL, Origin.LATE)

# How rare a thing is, rarest first; of several things a query requires, the rarest leads to it.
RARITY = ("id", "reference", "word", "hs", "ics", "hazard", "category", "measure", "origin", "jurisdiction", "source")

Key = tuple[str, str]  # ('word', 'balloon') or ('hazard', 'choking')


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One watch to be told of one version of one record. action: added, amended, withdrawn or restored."""

    watch: Watch
    record_id: str
    version: int
    action: str
    late: bool
    reasons: str


class MatchingFollower:
    """Writes the deliveries that changes give rise to. `counts` says what became of the changes seen so far."""

    name = "alerts"

    def __init__(self, store: Store, sources: Mapping[str, Source], now: Callable[[], datetime]) -> None:
        self._store = store
        self._sources = sources
        self._now = now
        self.counts: Counter[str] = Counter()

    def position(self) -> int:
        """The number of the last change that was handled."""
        return self._store.position(self.name)

    def handle(self, changes: Sequence[Change]) -> None:
        """Write the deliveries of some changes and the position behind them, in one transaction."""
        if not changes:
            return
        found = find_deliveries(self._store, changes, active_watches(self._store), self._sources)
        now = self._now()
        with self._store.write() as transaction:
            going_on = {row["id"] for row in transaction.rows("SELECT id FROM watch WHERE ended_at IS NULL")}
            rows = [_row(delivery, now) for delivery in found.deliveries if delivery.watch.id in going_on]
            transaction.do_many(ADD_DELIVERY, rows)
            for change, reason in found.failures:
                self._quarantine(transaction, change, reason, now)
            self._store.set_position(transaction, self.name, changes[-1].seq, at=now)
        self.counts += found.counts
        self.counts["deliveries"] += len(rows)
        if rows:
            log.info("alerts: %d changes, %d deliveries, at %d", len(changes), len(rows), changes[-1].seq)

    def _quarantine(self, transaction: Transaction, change: Change, reason: str, at: datetime) -> None:
        """Show on the source board that nobody could be told of a change."""
        source, _, key = change.record_id.partition(":")
        self._store.runs.problem(
            transaction,
            source=source,
            page_id=0,
            key=key,
            reason=f"alerts: version {change.version} could not be matched: {reason}",
            draft={"change": change.seq},
            at=at,
        )


@dataclass(slots=True)
class Findings:
    """What changes give rise to. failures: changes that could not be matched, each with its reason.

    counts: 'quiet' (not a crawl), 'restamped' (an old record that looks new), 'told' and 'failed' changes.
    """

    deliveries: list[Delivery] = field(default_factory=list)
    failures: list[tuple[Change, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def find_deliveries(
    store: Store,
    changes: Sequence[Change],
    watches: Sequence[Watch],
    sources: Mapping[str, Source],
    *,
    everything: bool = False,
) -> Findings:
    """Say which watches are to be told of which changes; nothing is written.

    everything: every watch is held against every change, as a check on the index over the watches.
    """
    found = Findings()
    loud = [change for change in changes if change.origin in ALERTING]
    found.counts["quiet"] += len(changes) - len(loud)
    index = WatchIndex(watches, everything=everything)
    if not loud or index.is_empty:
        return found
    with store.read() as transaction:
        seen = _Versions(transaction, loud)
    for change in loud:
        try:
            record = seen.record(change)
            is_old = not is_news(record, change, sources.get(record.source), first_seen=seen.first_seen(change))
            deliveries = list(_deliveries(change, record, seen.before(change), index, is_old))
        except Exception as error:  # one record nobody foresaw must not hold up the alerts of all others
            log.exception("alerts: change %d of %s could not be matched", change.seq, change.record_id)
            found.failures.append((change, f"{type(error).__name__}: {error}"[:500]))
            found.counts["failed"] += 1
            continue
        found.deliveries += deliveries
        found.counts["told"] += bool(deliveries)
        found.counts["restamped"] += is_old and change.action == "added"
    return found


def _deliveries(
    change: Change, record: Record, before: Record | None, index: WatchIndex, is_old: bool
) -> Iterator[Delivery]:
    entry = entry_of(record)
    old_entry = entry_of(before) if before else None
    for watch, query in index.candidates(entry):
        if change.seq <= watch.after_change or not matches(query, entry):
            continue
        action = _action(change, watch, is_old, was_selected=old_entry is not None and matches(query, old_entry))
        if action is not None:
            yield Delivery(
                watch=watch,
                record_id=change.record_id,
                version=change.version,
                action=action,
                late=change.origin is Origin.LATE,
                reasons=write_reasons(printed_reasons(explain(query, entry), record)),
            )


@dataclass(frozen=True, slots=True)
class Difference:
    """A delivery that should be in the ledger and is not, or is there and should not be."""

    watch_id: str
    record_id: str
    version: int
    is_missing: bool


def differences(store: Store, sources: Mapping[str, Source], *, after: int) -> list[Difference]:
    """Hold every watch against every change after a number, and compare with the ledger; none is what we promise.

    Up to the follower's position, and for watches that go on. It is an alarm and repairs nothing.
    """
    watches = active_watches(store)
    going_on = {watch.id for watch in watches}
    position = store.position(MatchingFollower.name)
    expected: set[tuple[str, str, int]] = set()
    kept: set[tuple[str, str, int]] = set()
    while changes := [change for change in store.changes(after) if change.seq <= position]:
        after = changes[-1].seq
        for delivery in find_deliveries(store, changes, watches, sources, everything=True).deliveries:
            expected.add((delivery.watch.id, delivery.record_id, delivery.version))
        versions = {(change.record_id, change.version) for change in changes}
        ids = list({change.record_id for change in changes})
        with store.read() as transaction:
            for start in range(0, len(ids), BATCH):
                rows = transaction.rows(DELIVERED, ids=ids[start : start + BATCH])
                kept |= {
                    (row["watch_id"], row["record_id"], row["version"])
                    for row in rows
                    if row["watch_id"] in going_on and (row["record_id"], row["version"]) in versions
                }
    return [Difference(*key, is_missing=key in expected) for key in sorted(expected ^ kept)]


def is_news(record: Record, change: Change, source: Source | None, *, first_seen: date) -> bool:
    """Say whether a record may be called new: sources print a new date on old records, and list them again.

    The day of publication counts, or where none is printed the day we first saw it. Late ones have LATE_DAYS more.
    """
    restamp_days = source.restamp_days if source else Source.model_fields["restamp_days"].default
    if change.origin is Origin.LATE:
        restamp_days += LATE_DAYS
    return (record.published or first_seen) >= change.at.date() - timedelta(days=restamp_days)


def due_at(watch: Watch, now: datetime) -> datetime:
    """When a watch is told of what is found now: at once, or at 08:00 in its zone.

    For Asia/Shanghai that is 00:00 UTC; what is found in the night at 18:31 UTC, 02:31 there, is due the same morning.
    """
    if watch.cadence is Cadence.IMMEDIATE:
        return now
    zone = ZoneInfo(watch.zone)
    today = now.astimezone(zone).date()
    slots = (datetime.combine(today + timedelta(days=days), DIGEST_AT, tzinfo=zone) for days in (0, 1))
    return next(slot for slot in slots if slot > now)


def required(query: Query) -> frozenset[Key] | None:
    """Some things of which every record the query selects has at least one; None where it requires nothing.

    Of the parts of an And, the one whose things are rarest; of an Or, the things of all parts together.
    """
    match query:
        case Term(values=values, is_reference=is_reference):
            return frozenset(("reference" if is_reference else "word", value) for value in values)
        case Phrase(runs=runs):
            return frozenset(("word", max(run, key=_telling)) for run in runs)
        case Filter(field, value):
            return frozenset({(field, value)})
        case And(parts):
            return min(filter(None, map(required, parts)), key=_commonness, default=None)
        case Or(parts):
            needs = [required(part) for part in parts]
            return frozenset(key for need in needs for key in need or ()) if None not in needs else None
        case _:
            return None


class WatchIndex:
    """Watches by the rarest thing each one requires. A query that cannot be read any more is logged and left out."""

    def __init__(self, watches: Iterable[Watch], *, everything: bool = False) -> None:
        self._by_key: dict[Key, list[tuple[Watch, Query]]] = {}
        self._always: list[tuple[Watch, Query]] = []
        for watch in watches:
            try:
                query = compiled(watch.query)
            except QueryError as error:
                log.error("alerts: watch %s of %s cannot be read: %s", watch.id, watch.recipient, error)
                continue
            keys = None if everything else required(query)
            if keys is None:
                self._always.append((watch, query))
            for key in keys or ():
                # Words and references are both values of an entry's words.
                kind = "word" if key[0] == "reference" else key[0]
                self._by_key.setdefault((kind, key[1]), []).append((watch, query))

    @property
    def is_empty(self) -> bool:
        """Whether there is no watch at all."""
        return not self._by_key and not self._always

    def candidates(self, entry: Entry) -> list[tuple[Watch, Query]]:
        """The watches that may select an entry, each once, in the order they were made."""
        found = {watch.id: (watch, query) for watch, query in self._always}
        for key in _keys(entry):
            for watch, query in self._by_key.get(key, ()):
                found[watch.id] = (watch, query)
        return sorted(found.values(), key=lambda pair: (pair[0].created_at, pair[0].id))


@lru_cache(maxsize=20_000)
def compiled(query: str) -> Query:
    """A watch's query as it is matched: read and expanded. Raises QueryError."""
    return expand(parse_query(query)).query


def _keys(entry: Entry) -> Iterator[Key]:
    yield "id", entry.id
    for value in {value for words in entry.words.values() for value in words.values}:
        yield "word", value
    for name, values in entry.facets.items():
        for value in values:
            yield name, value


def _commonness(keys: frozenset[Key]) -> tuple[int, int]:
    return max(RARITY.index(kind) if kind in RARITY else len(RARITY) for kind, _ in keys), len(keys)


def _telling(value: str) -> tuple[bool, int]:
    """Of the words of a phrase the rarest is, as a rule, the one with digits, or the longest."""
    return any(map(str.isdigit, value)), len(value)


def _action(change: Change, watch: Watch, is_old: bool, *, was_selected: bool) -> str | None:
    """What a watch that selects the record is told about the change; None for nothing.

    A record is new to a watch when it comes to be selected: its list page may come a minute before the page that
    names the hazard.
    """
    is_new = change.action == "added" or (change.action == "amended" and not was_selected)
    if is_new and not is_old and "added" in watch.actions:
        return "added"
    if change.action in watch.actions and change.action != "added":
        return change.action
    return None


class _Versions:
    """The records as the versions of some changes have them, and as the versions before."""

    def __init__(self, transaction: Transaction, changes: Sequence[Change]) -> None:
        ids = list(dict.fromkeys(change.record_id for change in changes))
        wanted = {(change.record_id, change.version - step) for change in changes for step in (0, 1)}
        self._payloads: dict[tuple[str, int], str] = {}
        self._first_seen: dict[str, date] = {}
        for start in range(0, len(ids), BATCH):
            some = ids[start : start + BATCH]
            for row in transaction.rows(VERSIONS, ids=some):
                key = (row["record_id"], row["version"])
                if key in wanted:
                    self._payloads[key] = row["payload"]
            for row in transaction.rows("SELECT id, first_seen FROM record WHERE id IN :ids", ids=some):
                self._first_seen[row["id"]] = date.fromisoformat(row["first_seen"][:10])

    def record(self, change: Change) -> Record:
        return decode(self._payloads[change.record_id, change.version])

    def before(self, change: Change) -> Record | None:
        payload = self._payloads.get((change.record_id, change.version - 1))
        return decode(payload) if payload and change.action == "amended" else None

    def first_seen(self, change: Change) -> date:
        return self._first_seen.get(change.record_id, change.at.date())


def _row(delivery: Delivery, now: datetime) -> dict[str, Any]:
    return {
        "watch_id": delivery.watch.id,
        "record_id": delivery.record_id,
        "version": delivery.version,
        "channel": CHANNEL,
        "recipient": delivery.watch.recipient,
        "action": delivery.action,
        "reasons": delivery.reasons,
        "late": int(delivery.late),
        "due_at": stamp(due_at(delivery.watch, now)),
        "created_at": stamp(now),
    }


VERSIONS = "SELECT record_id, version, payload FROM version WHERE record_id IN :ids"

DELIVERED = "SELECT watch_id, record_id, version FROM delivery WHERE record_id IN :ids"

ADD_DELIVERY = """
    INSERT INTO delivery (watch_id, record_id, version, channel, recipient, action, reasons, late, state, due_at,
                          created_at)
    VALUES (:watch_id, :record_id, :version, :channel, :recipient, :action, :reasons, :late, 'due', :due_at, :created_at)
    ON CONFLICT (watch_id, record_id, version, channel, recipient) DO NOTHING
"""
