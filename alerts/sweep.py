"""Sweep: once a night the ledger is compared with what it should hold, found in two ways that share nothing with the index
over watches: every watch as a query of a search engine over the new versions, and pairs held together by `matches()`.

Where they disagree with the ledger, `matches()` decides; what is missing is made up for, what should not be there and is
still due is cancelled, and the operator is told.
"""

from __future__ import annotations

import html
import logging
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from alerts.letter import Letter
from alerts.mail import plan_letter
from alerts.matching import (
    ALERTING,
    FEED,
    HOOK,
    MAIL,
    Delivery,
    Group,
    MatchingFollower,
    Versions,
    WatchIndex,
    action_for,
    add_deliveries,
    is_news,
)
from alerts.reasons import printed_reasons, write_reasons
from alerts.watches import Watch, active_watches
from indexer.engines.tantivy import TantivyEngine
from indexer.entry import Entry, entry_of
from indexer.query import explain, matches
from library.record import Record
from library.settings import Settings
from library.source import Source
from library.store.database import Transaction
from library.store.store import BATCH, Change, Origin, Store
from library.times import instant, stamp

log = logging.getLogger(__name__)

SWEEP_AT = clock_time(5, 30)  # on the operator's clock: after the night's rounds, before the digests of the morning
PAIRS = 1_000_000
SAMPLED_VERSIONS = 1_000  # held in memory for the pairs
AT_ONCE = 20_000  # changes searched together
NAMED = 200  # differences that a row and a mail name

Key = tuple[str, str, int, str]  # watch, record, version, channel


@dataclass(frozen=True, slots=True)
class Difference:
    """A delivery that should be in the ledger and is not, or is there and should not be."""

    watch_id: str
    record_id: str
    version: int
    channel: str
    is_missing: bool

    @property
    def key(self) -> Key:
        """By what a delivery is known."""
        return self.watch_id, self.record_id, self.version, self.channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What one sweep compared and found; of one that was kept, the first NAMED differences.

    pairs: held together by matches(); unmatched: versions that nothing could be said of; disagreements: where the engine
    selects what `matches()` does not, or the other way round.
    """

    at: datetime
    after_change: int
    upto_change: int
    watches: int
    versions: int
    pairs: int
    missing: int
    surplus: int
    repaired: int
    unmatched: int
    seconds: float
    differences: tuple[Difference, ...] = ()
    disagreements: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether the ledger held exactly what it should."""
        return not (self.missing or self.surplus or self.unmatched or self.disagreements)

    def as_json(self) -> dict[str, Any]:
        """The figures for programs."""
        return {
            "at": stamp(self.at),
            "after_change": self.after_change,
            "upto_change": self.upto_change,
            "watches": self.watches,
            "versions": self.versions,
            "pairs": self.pairs,
            "missing": self.missing,
            "surplus": self.surplus,
            "repaired": self.repaired,
            "unmatched": self.unmatched,
            "seconds": round(self.seconds, 1),
        }


def sweep(
    store: Store,
    sources: Mapping[str, Source],
    *,
    now: datetime,
    after: int | None = None,
    repair: bool = False,
    pairs: int = PAIRS,
    operator: tuple[str, str] | None = None,
) -> Sweep:
    """Compare the ledger with what it should hold for the changes after a number, by default those since the last sweep.

    Up to the follower's position, and for watches that go on. repair: mend it, keep the result, and mail the operator
    (sender, address) where there was something to mend. pairs: at least so many are held together, or all there are.
    """
    begun = time.perf_counter()
    upto = store.position(MatchingFollower.name)
    last = last_sweep(store)
    after = after if after is not None else last.upto_change if last else 0
    watches = active_watches(store)
    index = WatchIndex(watches, everything=True)
    found = _Found({watch.id: watch for watch in watches}, Random(upto))
    first = after
    while changes := [change for change in store.changes(first, AT_ONCE) if change.seq <= upto]:
        first = changes[-1].seq
        _compare(store, sources, changes, index, found, pairs)
    still = {watch.id: watch.revision for watch in active_watches(store)}
    differences = tuple(
        Difference(*key, is_missing=key in found.missing)
        for key in sorted(found.missing.keys() | found.surplus.keys())
        if still.get(key[0]) == found.watches[key[0]].revision
    )
    result = Sweep(
        at=now,
        after_change=after,
        upto_change=upto,
        watches=len(watches),
        versions=found.versions,
        pairs=found.pairs,
        missing=sum(difference.is_missing for difference in differences),
        surplus=sum(not difference.is_missing for difference in differences),
        repaired=0,
        unmatched=found.unmatched,
        seconds=time.perf_counter() - begun,
        differences=differences,
        disagreements=tuple(found.disagreements),
    )
    return _repair(store, result, found, now, operator) if repair else result


def last_sweep(store: Store) -> Sweep | None:
    """The newest sweep whose result was kept."""
    with store.read() as transaction:
        row = transaction.row("SELECT * FROM sweep ORDER BY id DESC LIMIT 1")
    if row is None:
        return None
    details = orjson.loads(row["details"])
    return Sweep(
        at=instant(row["at"]),
        after_change=row["after_change"],
        upto_change=row["upto_change"],
        watches=row["watches"],
        versions=row["versions"],
        pairs=row["pairs"],
        missing=row["missing"],
        surplus=row["surplus"],
        repaired=row["repaired"],
        unmatched=row["unmatched"],
        seconds=float(row["seconds"]),
        differences=tuple(Difference(*values) for values in details["differences"]),
        disagreements=tuple(details["disagreements"]),
    )


class NightlySweep:
    """Sweeps when called for the first time after SWEEP_AT; trouble is logged and keeps nobody from sending."""

    def __init__(self, store: Store, settings: Settings, sources: Mapping[str, Source]) -> None:
        self._store, self._settings, self._sources = store, settings, sources
        last = last_sweep(store)
        self._done = last.at if last else None

    def __call__(self, now: datetime) -> Sweep | None:
        """Sweep if it is time."""
        if self._done is not None and self._done >= self._due(now):
            return None
        self._done = now
        mail = self._settings.mail
        operator = (mail.sender, mail.operator) if mail.operator else None
        try:
            result = sweep(self._store, self._sources, now=now, repair=True, operator=operator)
        except Exception:  # mails go on, and the next night tries again; the page shows that the figure is old
            log.exception("alerts: the sweep ended early")
            return None
        log.info("alerts: swept, %s", result.as_json())
        return result

    def _due(self, now: datetime) -> datetime:
        zone = ZoneInfo(self._settings.zone)
        today = datetime.combine(now.astimezone(zone).date(), SWEEP_AT, tzinfo=zone)
        return today if today <= now else today - timedelta(days=1)


@dataclass(slots=True)
class _Found:
    """What a sweep has found so far."""

    watches: Mapping[str, Watch]
    dice: Random
    versions: int = 0
    pairs: int = 0
    unmatched: int = 0
    missing: dict[Key, Delivery] = field(default_factory=dict)
    surplus: dict[Key, int] = field(default_factory=dict)
    disagreements: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Version:
    """One version as a change left it, with what deciding about it needs."""

    change: Change
    record: Record
    entry: Entry
    before: Entry | None
    is_old: bool


def _compare(
    store: Store, sources: Mapping[str, Source], changes: Sequence[Change], index: WatchIndex, found: _Found, pairs: int
) -> None:
    loud = [change for change in changes if change.origin in ALERTING]
    versions: dict[tuple[str, int], _Version] = {}
    with store.read() as transaction:
        seen = Versions(transaction, loud)
        kept = _kept(transaction, loud, found.watches)
    for change in loud:
        try:
            versions[change.record_id, change.version] = _version(change, seen, sources)
        except Exception:  # the follower put it into quarantine; the figure says that nobody could look
            log.exception("alerts: change %d of %s cannot be compared", change.seq, change.record_id)
            found.unmatched += 1
    groups = index.groups()
    expected: dict[Key, Delivery] = {}
    for group, version in _selected(groups, list(versions.values())):
        if matches(group.query, version.entry):
            expected |= _expected(group, version)
        else:
            found.disagreements.append(f"the engine selects {version.entry.id} for a watch, and matches() does not")
    for group, version in _sampled(groups, list(versions.values()), pairs, found):
        if matches(group.query, version.entry):
            for key, delivery in _expected(group, version).items():
                if key not in expected:
                    expected[key] = delivery
                    found.disagreements.append(
                        f"matches() selects {key[1]} for watch {key[0]}, and the engine does not"
                    )
    found.versions += len(versions)
    found.missing |= {key: delivery for key, delivery in expected.items() if key not in kept}
    compared = {key: number for key, number in kept.items() if (key[1], key[2]) in versions}
    found.surplus |= {key: number for key, number in compared.items() if key not in expected}


def _version(change: Change, seen: Versions, sources: Mapping[str, Source]) -> _Version:
    record, before = seen.record(change), seen.before(change)
    return _Version(
        change=change,
        record=record,
        entry=entry_of(record),
        before=entry_of(before) if before else None,
        is_old=not is_news(record, change, sources.get(record.source), first_seen=seen.first_seen(change)),
    )


def _kept(transaction: Transaction, changes: Sequence[Change], watches: Mapping[str, Watch]) -> dict[Key, int]:
    """What the ledger holds of some changes, for the watches that were there before them: key -> number of the row."""
    numbers = {(change.record_id, change.version): change.seq for change in changes}
    ids = list({change.record_id for change in changes})
    kept: dict[Key, int] = {}
    for start in range(0, len(ids), BATCH):
        for row in transaction.rows(DELIVERED, ids=ids[start : start + BATCH]):
            number = numbers.get((row["record_id"], row["version"]))
            watch = watches.get(row["watch_id"])
            if number is not None and watch is not None and number > watch.after_change:
                kept[row["watch_id"], row["record_id"], row["version"], row["channel"]] = row["id"]
    return kept


def _expected(group: Group, version: _Version) -> dict[Key, Delivery]:
    """The deliveries a version that a group selects gives rise to."""
    was_selected = version.before is not None and matches(group.query, version.before)
    found: dict[Key, Delivery] = {}
    for watch in group.watches.values():
        change = version.change
        if change.seq <= watch.after_change:
            continue
        action = action_for(change, watch, version.is_old, was_selected=was_selected)
        if action is None:
            continue
        delivery = Delivery(
            watch=watch,
            record_id=change.record_id,
            version=change.version,
            action=action,
            late=change.origin is Origin.LATE,
            reasons=write_reasons(printed_reasons(explain(group.query, version.entry), version.record)),
        )
        found |= {(watch.id, change.record_id, change.version, channel): delivery for channel, _ in delivery.channels}
    return found


def _selected(groups: Sequence[Group], versions: Sequence[_Version]) -> Iterator[tuple[Group, _Version]]:
    """Ask an engine of its own, one that holds the new versions and nothing else, every query.

    An engine holds one entry of an id, so the second versions of the night's records are asked in a second round.
    """
    left = list(versions)
    while left and groups:
        this_round: dict[str, _Version] = {}
        later: list[_Version] = []
        for version in left:
            if version.entry.id in this_round:
                later.append(version)
            else:
                this_round[version.entry.id] = version
        with tempfile.TemporaryDirectory(prefix="ttm-sweep-") as folder:
            engine = TantivyEngine(Path(folder))
            try:
                engine.write((version.entry for version in this_round.values()), 1)
                for group in groups:
                    hits = engine.search(group.query, first=0, count=len(this_round))
                    yield from ((group, this_round[hit_id]) for hit_id in hits.ids)
            finally:
                engine.close()
        left = later


def _sampled(
    groups: Sequence[Group], versions: Sequence[_Version], pairs: int, found: _Found
) -> Iterator[tuple[Group, _Version]]:
    """Pairs of a group and a version, at random, at least as many as asked for; all where there are no more."""
    if not groups or not versions:
        return
    each = min(len(groups), -(-pairs // min(len(versions), SAMPLED_VERSIONS)))
    some = found.dice.sample(versions, min(len(versions), -(-pairs // each)))
    for version in some:
        for group in groups if each == len(groups) else found.dice.sample(groups, each):
            found.pairs += 1
            yield group, version


def _repair(store: Store, result: Sweep, found: _Found, now: datetime, operator: tuple[str, str] | None) -> Sweep:
    missing = [found.missing[one.key] for one in result.differences if one.is_missing]
    with store.write() as transaction:
        add_deliveries(transaction, missing, now)
        cancelled = sum(
            transaction.do(CANCEL, id=found.surplus[one.key]) for one in result.differences if not one.is_missing
        )
        mended = replace(result, repaired=len(missing) + cancelled)
        number = transaction.value(KEEP, **_row(mended))
        if operator and not mended.is_clean:
            sender, recipient = operator
            plan_letter(
                transaction,
                sweep_letter(mended),
                sender=sender,
                recipient=recipient,
                occasion=f"sweep:{number}",
                at=now,
            )
    if not mended.is_clean:
        log.error("alerts: the ledger differed from what it should hold: %s", mended.as_json())
    return mended


def sweep_letter(result: Sweep) -> Letter:
    """The mail that tells the operator of differences."""
    words = {True: "缺失 missing", False: "多余 surplus"}
    lines = [
        f"{words[one.is_missing]}: {one.record_id} v{one.version} → {one.watch_id} ({one.channel})"
        for one in result.differences[:NAMED]
    ]
    lines += list(result.disagreements[:NAMED])
    intro = (
        f"昨夜核对：缺失 {result.missing} 条，多余 {result.surplus} 条，已修正 {result.repaired} 条，"
        f"无法核对 {result.unmatched} 条。 "
        f"The nightly sweep found {result.missing} missing and {result.surplus} surplus deliveries, mended {result.repaired}, "
        f"and could not compare {result.unmatched} versions."
    )
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return Letter(
        subject=f"[ttm] 核对发现差异 The sweep found differences: {result.missing + result.surplus}",
        text="\n".join((intro, "", *(f"- {line}" for line in lines), "")),
        html=f'<!doctype html><html lang="zh"><body><p>{html.escape(intro)}</p><ul>{items}</ul></body></html>',
    )


def _row(result: Sweep) -> dict[str, Any]:
    details = {
        "differences": [
            [one.watch_id, one.record_id, one.version, one.channel, one.is_missing]
            for one in result.differences[:NAMED]
        ],
        "disagreements": result.disagreements[:NAMED],
    }
    return {
        "at": stamp(result.at),
        "after_change": result.after_change,
        "upto_change": result.upto_change,
        "watches": result.watches,
        "versions": result.versions,
        "pairs": result.pairs,
        "missing": result.missing,
        "surplus": result.surplus,
        "repaired": result.repaired,
        "unmatched": result.unmatched,
        "seconds": round(result.seconds),
        "details": orjson.dumps(details).decode(),
    }


DELIVERED = f"""
    SELECT id, watch_id, record_id, version, channel FROM delivery
    WHERE record_id IN :ids AND about = '' AND channel IN ('{MAIL}', '{HOOK}', '{FEED}') AND state <> 'cancelled'
"""

CANCEL = "UPDATE delivery SET state = 'cancelled' WHERE id = :id AND state = 'due'"

KEEP = """
    INSERT INTO sweep (at, after_change, upto_change, watches, versions, pairs, missing, surplus, repaired, unmatched,
                       seconds, details)
    VALUES (:at, :after_change, :upto_change, :watches, :versions, :pairs, :missing, :surplus, :repaired, :unmatched,
            :seconds, :details)
    RETURNING id
"""
