"""Matching: the follower that finds, for each change, the watches to tell of it.

A watch requires some words or codes of every record it selects. An index over the watches by what they require names
the few candidates for a record; `matches()` decides, and `explain()` gives the reasons.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

from alerts.reasons import printed_reasons, write_reasons
from alerts.watches import QUIET, Cadence, Watch, active_watches, watches_revision
from indexer.entry import Entry, entry_of
from indexer.expand import expand
from indexer.query import And, Filter, Or, Phrase, Query, QueryError, Term, explain, matches, parse_query
from library.record import Record, decode
from library.source import Source
from library.store.database import Transaction
from library.store.store import BATCH, Change, Origin, Store
from library.times import stamp

log = logging.getLogger(__name__)

MAIL, HOOK, FEED = "mail", "hook", "feed"
DIGEST_AT = time(8)  # on the clock of the watch's zone
DIGEST_WEEKDAY = 0  # Monday
LATE_DAYS = 30  # a page may wait so long for a reading, and its records are news none the less
ALERTING = (Origin.CRAWL, Origin.LATE)

# How rare a thing is, rarest first; of several things a query requires, the rarest leads to it.
RARITY = ("id", "reference", "word", "hs", "ics", "hazard", "category", "measure", "origin", "jurisdiction", "source")
PATHS_MAX = 32  # by which one query is entered; a query of two common words has 900
DEPTH_MAX = 3

Key = tuple[str, str]  # ('word', 'balloon') or ('hazard', 'choking')


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One watch to be told of one version of one record. action: added, amended, withdrawn, restored or deadline.

    about: '' for what the version brought, or the day that comes near.
    """

    watch: Watch
    record_id: str
    version: int
    action: str
    late: bool
    reasons: str
    about: str = ""

    @property
    def channels(self) -> tuple[tuple[str, str], ...]:
        """(channel, recipient): the reader's mail, or the feed alone; and the web address of the watch if it has one."""
        own = (MAIL if self.watch.by_mail else FEED, self.watch.recipient)
        return (own, (HOOK, self.watch.hook)) if self.watch.hook else (own,)


class MatchingFollower:
    """Writes the deliveries that changes give rise to. `counts` says what became of the changes seen so far."""

    name = "alerts"

    def __init__(self, store: Store, sources: Mapping[str, Source], now: Callable[[], datetime]) -> None:
        self._store = store
        self._sources = sources
        self._now = now
        self._index = WatchIndex()
        self._revision = (-1, -1)
        self.counts: Counter[str] = Counter()

    def position(self) -> int:
        """The number of the last change that was handled."""
        return self._store.position(self.name)

    def handle(self, changes: Sequence[Change]) -> None:
        """Write the deliveries of some changes and the position behind them, in one transaction."""
        if not changes:
            return
        self._keep_index()
        found = _find(self._store, changes, self._index, self._sources)
        now = self._now()
        with self._store.write() as transaction:
            rows = add_deliveries(transaction, found.deliveries, now)
            for change, reason in found.failures:
                self._quarantine(transaction, change, reason, now)
            self._store.set_position(transaction, self.name, changes[-1].seq, at=now)
        self.counts += found.counts
        self.counts["deliveries"] += rows
        if rows:
            log.info("alerts: %d changes, %d deliveries, at %d", len(changes), rows, changes[-1].seq)

    def _keep_index(self) -> None:
        """Let the index know the watches as they are now; reading 100,000 takes a second, so only after a change."""
        revision = watches_revision(self._store)
        if revision != self._revision:
            self._index.keep(active_watches(self._store))
            self._revision = revision

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
    return _find(store, changes, WatchIndex(watches, everything=everything), sources)


def _find(store: Store, changes: Sequence[Change], index: WatchIndex, sources: Mapping[str, Source]) -> Findings:
    found = Findings()
    loud = [change for change in changes if change.origin in ALERTING]
    found.counts["quiet"] += len(changes) - len(loud)
    if not loud or index.is_empty:
        return found
    with store.read() as transaction:
        seen = Versions(transaction, loud)
    for change in loud:
        try:
            record = seen.record(change)
            is_old = not is_news(record, change, sources.get(record.source), first_seen=seen.first_seen(change))
            deliveries = sorted(
                _deliveries(change, record, seen.before(change), index, is_old),
                key=lambda delivery: (delivery.watch.created_at, delivery.watch.id),
            )
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
    for group in index.candidates(entry):
        watches = [watch for watch in group.watches.values() if change.seq > watch.after_change]
        if not watches or not matches(group.query, entry):
            continue
        was_selected = old_entry is not None and matches(group.query, old_entry)
        reasons = ""
        for watch in watches:
            action = action_for(change, watch, is_old, was_selected=was_selected)
            if action is None:
                continue
            reasons = reasons or write_reasons(printed_reasons(explain(group.query, entry), record))
            yield Delivery(
                watch=watch,
                record_id=change.record_id,
                version=change.version,
                action=action,
                late=change.origin is Origin.LATE,
                reasons=reasons,
            )


def add_deliveries(transaction: Transaction, deliveries: Iterable[Delivery], now: datetime) -> int:
    """Write deliveries of watches that go on; one that is there already stays as it is. Returns how many were asked for."""
    listed = list(deliveries)
    wanted = list({delivery.watch.id for delivery in listed})
    going_on: set[str] = set()
    for start in range(0, len(wanted), BATCH):
        going_on |= {row["id"] for row in transaction.rows(GOING_ON, ids=wanted[start : start + BATCH])}
    rows = [row for delivery in listed if delivery.watch.id in going_on for row in _rows(delivery, now)]
    transaction.do_many(ADD_DELIVERY, rows)
    return len(rows)


def is_news(record: Record, change: Change, source: Source | None, *, first_seen: date) -> bool:
    """Say whether a record may be called new: sources print a new date on old records, and list them again.

    The day of publication counts, or where none is printed the day we first saw it. Late ones have LATE_DAYS more.
    """
    restamp_days = source.restamp_days if source else Source.model_fields["restamp_days"].default
    if change.origin is Origin.LATE:
        restamp_days += LATE_DAYS
    return (record.published or first_seen) >= change.at.date() - timedelta(days=restamp_days)


def due_at(watch: Watch, now: datetime) -> datetime:
    """When a watch is told of what is found now: by its cadence, on the clock of its zone, and not in its quiet time.

    For Asia/Shanghai 08:00 is 00:00 UTC; what is found in the night at 18:31 UTC, 02:31 there, is due the same morning.
    """
    return after_quiet(watch, now if watch.cadence is Cadence.IMMEDIATE else next_slot(watch, now))


def next_slot(watch: Watch, now: datetime) -> datetime:
    """The first instant after now at which digests of the watch are due."""
    return next(slot for slot in _slots(watch, now, (0, 1, 2, 3, 4, 5, 6, 7)) if slot > now)


def last_slot(watch: Watch, now: datetime) -> datetime:
    """The last instant up to now at which digests of the watch were due."""
    return max(slot for slot in _slots(watch, now, (-7, -6, -5, -4, -3, -2, -1, 0)) if slot <= now)


def _slots(watch: Watch, now: datetime, days: Iterable[int]) -> Iterator[datetime]:
    """The slots of some days around now, in order."""
    zone = ZoneInfo(watch.zone)
    if watch.cadence is Cadence.HOURLY:
        hour = now.replace(minute=0, second=0, microsecond=0)
        yield from (hour - timedelta(hours=1), hour, hour + timedelta(hours=1))
        return
    today = now.astimezone(zone).date()
    for day in days:
        slot = datetime.combine(today + timedelta(days=day), DIGEST_AT, tzinfo=zone)
        if watch.cadence is not Cadence.WEEKLY or slot.weekday() == DIGEST_WEEKDAY:
            yield slot


def after_quiet(watch: Watch, at: datetime) -> datetime:
    """The instant itself, or the end of the quiet time it falls into."""
    found = QUIET.fullmatch(watch.quiet)
    if not found:
        return at
    begin = time(int(found["from"]), int(found["from_minute"]))
    end = time(int(found["to"]), int(found["to_minute"]))
    local = at.astimezone(ZoneInfo(watch.zone))
    clock = local.time()
    over_midnight = begin > end
    is_quiet = (clock >= begin or clock < end) if over_midnight else begin <= clock < end
    if not is_quiet:
        return at
    day = local.date() + timedelta(days=over_midnight and clock >= begin)
    return datetime.combine(day, end, tzinfo=local.tzinfo)


def required(query: Query) -> tuple[frozenset[Key], ...]:
    """Sets of things; every record the query selects has at least one thing of each set, the rarest set first.

    Of an And, the sets of all parts; of an Or, one set with the rarest set of each part. Empty where it requires nothing.
    """
    match query:
        case Term(values=values, is_reference=is_reference):
            return (frozenset(("reference" if is_reference else "word", value) for value in values),)
        case Phrase(runs=runs):
            return (frozenset(("word", max(run, key=_telling)) for run in runs),)
        case Filter(field, value):
            return (frozenset({(field, value)}),)
        case And(parts):
            return tuple(sorted((need for part in parts for need in required(part)), key=_commonness))
        case Or(parts):
            needs = [required(part) for part in parts]
            return (frozenset(key for need in needs for key in need[0]),) if all(needs) else ()
        case _:
            return ()


@dataclass(slots=True)
class Group:
    """The watches that ask the same. rest: sets of keys of which a record must have one each, beside the path here."""

    query: Query
    watches: dict[str, Watch] = field(default_factory=dict)
    rest: tuple[frozenset[Key], ...] = ()


@dataclass(slots=True)
class _Node:
    """One step of a path of required keys, and the groups whose path ends here."""

    groups: list[Group] = field(default_factory=list)
    after: dict[Key, _Node] = field(default_factory=dict)


class WatchIndex:
    """Watches by what they require. A query that cannot be read any more is logged and left out.

    Watches that ask the same share a group. A group stands at the end of a path of up to DEPTH_MAX keys that a record
    must have; at each step the smaller of the two sets is gone through, those that go on from here and those the record has.
    """

    def __init__(self, watches: Iterable[Watch] = (), *, everything: bool = False) -> None:
        self._everything = everything
        self._root = _Node()
        self._groups: dict[str, Group] = {}
        self._query_of: dict[str, tuple[int, str]] = {}  # by watch id: its revision, and its query
        self._asked: Counter[Key] = Counter()  # how many groups require a key: of two words the rarer one leads
        self.keep(watches)

    def keep(self, watches: Iterable[Watch]) -> None:
        """Hold these watches and no others."""
        wanted = {watch.id: watch for watch in watches}
        for watch_id, (revision, text) in list(self._query_of.items()):
            if watch_id not in wanted or wanted[watch_id].revision != revision:
                self._groups[text].watches.pop(watch_id, None)
                del self._query_of[watch_id]
        new: list[tuple[Group, list[frozenset[Key]]]] = []
        for watch in wanted.values():
            if watch.id in self._query_of:
                continue
            group = self._groups.get(watch.query)
            if group is None:
                try:
                    group = Group(compiled(watch.query))
                except QueryError as error:
                    log.error("alerts: watch %s of %s cannot be read: %s", watch.id, watch.recipient, error)
                    continue
                self._groups[watch.query] = group
                new.append((group, [] if self._everything else [_as_held(need) for need in required(group.query)]))
            group.watches[watch.id] = watch
            self._query_of[watch.id] = (watch.revision, watch.query)
        for _, needs in new:
            self._asked.update({key for need in needs for key in need})
        for group, needs in new:
            self._enter(group, needs)

    @property
    def is_empty(self) -> bool:
        """Whether there is no watch at all."""
        return not self._query_of

    def groups(self) -> list[Group]:
        """Every group that has watches."""
        return [group for group in self._groups.values() if group.watches]

    def candidates(self, entry: Entry) -> list[Group]:
        """The groups that may select an entry, each once."""
        keys = set(_keys(entry))
        found: dict[int, Group] = {}
        steps = [self._root]
        while steps:
            node = steps.pop()
            for group in node.groups:
                if not any(need.isdisjoint(keys) for need in group.rest):
                    found[id(group)] = group
            steps += [node.after[key] for key in node.after.keys() & keys]
        return [group for group in found.values() if group.watches]

    def _enter(self, group: Group, needs: list[frozenset[Key]]) -> None:
        """Post a group under every path its first needs make, as long as those are few; the rest is looked at there."""
        needs = sorted(needs, key=lambda need: (_rank(need), sum(self._asked[key] for key in need)))
        depth = min(1, len(needs))
        paths = len(needs[0]) if needs else 1
        while depth < min(DEPTH_MAX, len(needs)) and paths * len(needs[depth]) <= PATHS_MAX:
            paths *= len(needs[depth])
            depth += 1
        group.rest = tuple(needs[depth:])
        for path in product(*needs[:depth]):
            node = self._root
            for key in path:
                node = node.after.setdefault(key, _Node())
            node.groups.append(group)


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


def _as_held(need: frozenset[Key]) -> frozenset[Key]:
    """Words and references are both values of an entry's words."""
    return frozenset(("word" if kind == "reference" else kind, value) for kind, value in need)


def _commonness(keys: frozenset[Key]) -> tuple[int, int]:
    return _rank(keys), len(keys)


def _rank(keys: frozenset[Key]) -> int:
    return max((RARITY.index(kind) if kind in RARITY else len(RARITY) for kind, _ in keys), default=0)


def _telling(value: str) -> tuple[bool, int]:
    """Of the words of a phrase the rarest is, as a rule, the one with digits, or the longest."""
    return any(map(str.isdigit, value)), len(value)


def action_for(change: Change, watch: Watch, is_old: bool, *, was_selected: bool) -> str | None:
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


class Versions:
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
        """The record as the change left it."""
        return decode(self._payloads[change.record_id, change.version])

    def before(self, change: Change) -> Record | None:
        """The record before it was amended; None for any other change."""
        payload = self._payloads.get((change.record_id, change.version - 1))
        return decode(payload) if payload and change.action == "amended" else None

    def first_seen(self, change: Change) -> date:
        """The day we first saw the record."""
        return self._first_seen.get(change.record_id, change.at.date())


def _rows(delivery: Delivery, now: datetime) -> Iterator[dict[str, Any]]:
    for channel, recipient in delivery.channels:
        yield {
            "watch_id": delivery.watch.id,
            "record_id": delivery.record_id,
            "version": delivery.version,
            "channel": channel,
            "recipient": recipient,
            "action": delivery.action,
            "about": delivery.about,
            "reasons": delivery.reasons,
            "late": int(delivery.late),
            "state": "sent" if channel == FEED else "due",  # nothing is sent; a feed has it as soon as it is written
            "due_at": stamp(due_at(delivery.watch, now) if channel == MAIL else now),
            "created_at": stamp(now),
        }


VERSIONS = "SELECT record_id, version, payload FROM version WHERE record_id IN :ids"

GOING_ON = "SELECT id FROM watch WHERE id IN :ids AND ended_at IS NULL"

ADD_DELIVERY = """
    INSERT INTO delivery (watch_id, record_id, version, channel, recipient, action, about, reasons, late, state, due_at,
                          created_at)
    VALUES (:watch_id, :record_id, :version, :channel, :recipient, :action, :about, :reasons, :late, :state, :due_at,
            :created_at)
    ON CONFLICT (watch_id, record_id, version, channel, recipient, about) DO NOTHING
"""
