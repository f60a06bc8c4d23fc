"""Store: records, their versions, and the change log that followers read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson

from library.merge import merge
from library.record import Coded, Kind, Record, State, Status, Text, content_hash, decode, encode, field_diff
from library.store.database import Database, Transaction
from library.store.pages import PageIndex
from library.store.runs import RunLedger
from library.times import instant, stamp

REMARK = "remark:"  # parts of this name hold what other pages say about a record
BATCH = 400  # rows asked for in one IN list; SQLite allows 32,766 values, and short statements stay cached
WITHDRAWN_AFTER = timedelta(hours=20)  # two absences this far apart are two nights, one is a server's old copy


class Origin(StrEnum):
    """Where a change came from. Only 'crawl' and 'late' may alert anybody."""

    CRAWL = "crawl"
    LATE = "late"  # a page that could not be read when it came, read by a later version of ours
    BACKFILL = "backfill"
    REPARSE = "reparse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line of the change log. action: added, amended, withdrawn or restored."""

    seq: int
    record_id: str
    version: int
    action: str
    origin: Origin
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a record. diff: field -> (old, new) as JSON values."""

    record: Record
    version: int
    action: str
    origin: Origin
    at: datetime
    diff: Mapping[str, Sequence[Any]]
    page_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPage:
    """The page a record was read from, as `put` needs it."""

    id: int
    url_key: str
    fetched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One record as one page shows it. part: which side of the record; order: all parts, the one that wins first."""

    record: Record
    part: str = "main"
    order: tuple[str, ...] = ("main",)


class Store:
    """The store of one library, on SQLite by default, on PostgreSQL by address."""

    def __init__(self, address: str) -> None:
        self._database = Database(address)
        self.pages = PageIndex(self._database)
        self.runs = RunLedger(self._database)

    def read(self) -> AbstractContextManager[Transaction]:
        """A transaction that only reads."""
        return self._database.read()

    def write(self) -> AbstractContextManager[Transaction]:
        """A transaction that writes."""
        return self._database.write()

    @property
    def is_postgresql(self) -> bool:
        """Whether the store is on a PostgreSQL server."""
        return self._database.is_postgresql

    @property
    def tables(self) -> dict[str, tuple[str, ...]]:
        """Every table with its columns, in an order in which they can be filled."""
        return self._database.tables

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    def put(self, record: Record, page: SeenPage, *, origin: Origin, at: datetime, part: str = "main") -> Change | None:
        """Keep one record. None: nothing new, only the page is noted as showing it."""
        with self.write() as transaction:
            changes = self.put_many(transaction, [Sighting(record=record, part=part)], page, origin=origin, at=at)
        return changes[0] if changes else None

    def put_many(
        self, transaction: Transaction, sightings: Sequence[Sighting], page: SeenPage, *, origin: Origin, at: datetime
    ) -> list[Change]:
        """Keep the records of one page in its transaction; returns a change for each that is new in content.

        An older capture than the one a part came from changes nothing: a server may serve old copies after new ones.
        """
        changes: list[Change] = []
        for start in range(0, len(sightings), BATCH):
            batch = sightings[start : start + BATCH]
            known = _Known.of(transaction, list({sighting.record.id for sighting in batch}))
            for sighting in batch:
                change = _put(transaction, known, sighting, page, origin=origin, at=at)
                if change is not None:
                    changes.append(change)
            known.save(transaction)
        return changes

    def remark(
        self,
        transaction: Transaction,
        record_id: str,
        text: Text,
        page: SeenPage,
        *,
        kind: Kind,
        withdrawn: bool,
        order: tuple[str, ...],
        origin: Origin,
        at: datetime,
    ) -> Change | None:
        """Keep what a page says about a record it does not describe; None if the record is not known yet or says so already.

        Of a remark only the text counts, and that the record was withdrawn; it waits for a record not known yet.
        """
        known = _Known.of(transaction, [record_id])
        source, key = record_id.split(":", 1)
        status = Status(state=State.WITHDRAWN, printed=text.value[:200]) if withdrawn else None
        said = Record(
            source=source,
            key=key,
            kind=kind,
            jurisdictions=(Coded(printed="remark"),),
            titles=(Text(language="und", value=key),),
            texts=(text,),
            status=status,
        )
        sighting = Sighting(record=said, part=f"{REMARK}{page.url_key}", order=order)
        change = _put(transaction, known, sighting, page, origin=origin, at=at)
        known.save(transaction)
        return change

    def note_absences(self, source: str, run_started: datetime, *, at: datetime, origin: Origin) -> list[Change]:
        """After a good run over a complete list: note the records it did not show; withdraw those missing twice.

        The second absence counts only WITHDRAWN_AFTER the first.
        """
        changes = []
        with self.write() as transaction:
            transaction.do(PRESENT_AGAIN, source=source, since=stamp(run_started))
            rows = transaction.rows(ABSENT, source=source, since=stamp(run_started))
            for row in rows:
                if row["absent_since"] is None:
                    transaction.do("UPDATE record SET absent_since = :at WHERE id = :id", id=row["id"], at=stamp(at))
                elif at - instant(row["absent_since"]) >= WITHDRAWN_AFTER:
                    record = decode(row["payload"])
                    if record.status is not None and record.status.state is State.WITHDRAWN:
                        continue
                    status = Status(state=State.WITHDRAWN, printed="no longer in the publisher's list", since=at.date())
                    gone = record.model_copy(update={"status": status})
                    known = _Known.of(transaction, [gone.id])
                    changes.append(known.append(transaction, gone, page_id=0, origin=origin, at=at))
                    known.save(transaction)
        return changes

    def changes(self, after: int, limit: int = 500) -> list[Change]:
        """The change log after a number, in order."""
        with self.read() as transaction:
            rows = transaction.rows(CHANGES, after=after, limit=limit)
        return [
            Change(
                seq=row["seq"],
                record_id=row["record_id"],
                version=row["version"],
                action=row["action"],
                origin=Origin(row["origin"]),
                at=instant(row["at"]),
            )
            for row in rows
        ]

    def head(self) -> int:
        """The number of the last change."""
        with self.read() as transaction:
            return int(transaction.value("SELECT seq FROM head WHERE id = 1"))

    def get(self, record_id: str) -> Record | None:
        """The newest version of a record."""
        found = self.get_many([record_id])
        return found[0] if found else None

    def get_many(self, record_ids: Sequence[str]) -> list[Record]:
        """The newest versions of records, in the order asked for; unknown ids are left out."""
        payloads: dict[str, str] = {}
        with self.read() as transaction:
            for start in range(0, len(record_ids), BATCH):
                ids = list(record_ids[start : start + BATCH])
                rows = transaction.rows("SELECT id, payload FROM record WHERE id IN :ids", ids=ids)
                payloads |= {row["id"]: row["payload"] for row in rows}
        return [decode(payloads[record_id]) for record_id in record_ids if record_id in payloads]

    def existing(self, record_ids: Collection[str]) -> set[str]:
        """Which of some record ids the store knows."""
        wanted, found = list(record_ids), set[str]()
        with self.read() as transaction:
            for start in range(0, len(wanted), BATCH):
                rows = transaction.rows("SELECT id FROM record WHERE id IN :ids", ids=wanted[start : start + BATCH])
                found |= {row["id"] for row in rows}
        return found

    def all_records(self, after_id: str = "", limit: int = 1000) -> list[Record]:
        """Records in the order of their ids, after one of them."""
        with self.read() as transaction:
            rows = transaction.rows(
                "SELECT payload FROM record WHERE id > :after ORDER BY id LIMIT :limit", after=after_id, limit=limit
            )
        return [decode(row["payload"]) for row in rows]

    def version(self, record_id: str, number: int) -> Version | None:
        """One version of a record."""
        return next((version for version in self.versions(record_id) if version.version == number), None)

    def versions(self, record_id: str) -> list[Version]:
        """All versions of a record, newest first."""
        with self.read() as transaction:
            rows = transaction.rows("SELECT * FROM version WHERE record_id = :id ORDER BY version DESC", id=record_id)
        return [
            Version(
                record=decode(row["payload"]),
                version=row["version"],
                action=row["action"],
                origin=Origin(row["origin"]),
                at=instant(row["at"]),
                diff=orjson.loads(row["diff"]),
                page_id=row["page_id"],
            )
            for row in rows
        ]

    def first_seen(self, record_id: str) -> datetime | None:
        """When a record was first kept."""
        with self.read() as transaction:
            at = transaction.value("SELECT first_seen FROM record WHERE id = :id", id=record_id)
        return instant(at) if at else None

    def first_seen_of(self, record_ids: Sequence[str]) -> dict[str, datetime]:
        """When some records were first kept; unknown ids are left out."""
        found: dict[str, datetime] = {}
        with self.read() as transaction:
            for start in range(0, len(record_ids), BATCH):
                ids = list(record_ids[start : start + BATCH])
                rows = transaction.rows("SELECT id, first_seen FROM record WHERE id IN :ids", ids=ids)
                found |= {row["id"]: instant(row["first_seen"]) for row in rows}
        return found

    def get_many_at(self, record_ids: Sequence[str], at: datetime) -> list[Record]:
        """Records as they were known at a time, in the order asked for; those not known by then are left out."""
        payloads: dict[str, str] = {}
        with self.read() as transaction:
            for start in range(0, len(record_ids), BATCH):
                rows = transaction.rows(THEN, ids=list(record_ids[start : start + BATCH]), at=stamp(at))
                payloads |= {row["record_id"]: row["payload"] for row in rows}
        return [decode(payloads[record_id]) for record_id in record_ids if record_id in payloads]

    def pages_of(self, record_id: str) -> dict[str, int]:
        """The archived page each part of a record came from: part -> page id."""
        with self.read() as transaction:
            rows = transaction.rows("SELECT part, page_id FROM part WHERE record_id = :id ORDER BY part", id=record_id)
        return {row["part"]: row["page_id"] for row in rows}

    def counts(self) -> dict[str, int]:
        """Records by source."""
        with self.read() as transaction:
            rows = transaction.rows("SELECT source, count(*) AS n FROM record GROUP BY source")
        return {row["source"]: row["n"] for row in rows}

    def last_added(self, source: str) -> datetime | None:
        """When a source last brought a record that was not known."""
        with self.read() as transaction:
            at = transaction.value("SELECT max(first_seen) FROM record WHERE source = :source", source=source)
        return instant(at) if at else None

    def position(self, follower: str) -> int:
        """How far a follower that keeps its position in the store has come."""
        with self.read() as transaction:
            return int(transaction.value("SELECT position FROM follower WHERE name = :name", name=follower) or 0)

    def set_position(self, transaction: Transaction, follower: str, position: int, *, at: datetime) -> None:
        """Keep a follower's position in the transaction of its effect."""
        transaction.do(SET_POSITION, name=follower, position=position, at=stamp(at))

    def replace_links(
        self, transaction: Transaction, record_id: str, *, own: Sequence[str], cited: Sequence[str]
    ) -> None:
        """Keep a record's own references and those it mentions, all canonical."""
        transaction.do("DELETE FROM reference WHERE record_id = :id", id=record_id)
        rows = [{"id": record_id, "canonical": value, "own": 1} for value in dict.fromkeys(own)]
        rows += [{"id": record_id, "canonical": value, "own": 0} for value in dict.fromkeys(cited) if value not in own]
        transaction.do_many("INSERT INTO reference (record_id, canonical, own) VALUES (:id, :canonical, :own)", rows)

    def cites(self, record_id: str, limit: int = 100) -> list[tuple[str, list[str]]]:
        """What a record mentions: (canonical reference, ids of the records that carry it)."""
        with self.read() as transaction:
            rows = transaction.rows(CITES, id=record_id, limit=limit)
        found: dict[str, list[str]] = {}
        for row in rows:
            found.setdefault(row["canonical"], []).extend([row["target"]] if row["target"] else [])
        return list(found.items())

    def cited_by(self, record_id: str, limit: int = 100) -> list[str]:
        """The records that mention a number this record carries."""
        with self.read() as transaction:
            rows = transaction.rows(CITED_BY, id=record_id, limit=limit)
        return [row["record_id"] for row in rows]


@dataclass(slots=True)
class _Row:
    """A record's row as it is in memory while a batch is put."""

    version: int
    hash: str
    payload: str
    first_seen: str
    is_withdrawn: bool


class _Known:
    """What the store knows of the records of one batch, and what the batch changes about them."""

    def __init__(self) -> None:
        self.records: dict[str, _Row] = {}
        self.parts: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._changed_records: dict[str, dict[str, Any]] = {}
        self._changed_parts: dict[tuple[str, str], dict[str, Any]] = {}
        self._versions: list[dict[str, Any]] = []
        self._changes: list[dict[str, Any]] = []

    @classmethod
    def of(cls, transaction: Transaction, record_ids: list[str]) -> _Known:
        known = cls()
        for row in transaction.rows("SELECT * FROM record WHERE id IN :ids", ids=record_ids):
            known.records[row["id"]] = _Row(
                version=row["version"],
                hash=row["hash"],
                payload=row["payload"],
                first_seen=row["first_seen"],
                is_withdrawn=_is_withdrawn(decode(row["payload"])),
            )
        for row in transaction.rows("SELECT * FROM part WHERE record_id IN :ids", ids=record_ids):
            known.parts[row["record_id"], row["part"]] = row
        return known

    def keep_part(self, record_id: str, part: str, row: dict[str, Any]) -> None:
        self.parts[record_id, part] = row
        self._changed_parts[record_id, part] = row

    def merged(self, record_id: str, order: tuple[str, ...]) -> Record | None:
        """The record as its parts and remarks have it; None while only remarks are known."""
        parts = {part: decode(row["payload"]) for (known_id, part), row in self.parts.items() if known_id == record_id}
        remarks = [parts.pop(name) for name in sorted(parts) if name.startswith(REMARK)]
        if not parts:
            return None
        names = [name for name in order if name in parts] + sorted(name for name in parts if name not in order)
        record = merge([parts[name] for name in names])
        texts = tuple(dict.fromkeys((*record.texts, *(text for remark in remarks for text in remark.texts))))
        status = next((remark.status for remark in remarks if remark.status is not None), record.status)
        return record.model_copy(update={"texts": texts, "status": status}) if remarks else record

    def append(self, transaction: Transaction, record: Record, *, page_id: int, origin: Origin, at: datetime) -> Change:
        before = self.records.get(record.id)
        withdrawn = _is_withdrawn(record)
        version = before.version + 1 if before else 1
        if before is None:
            action = "added"
        elif withdrawn != before.is_withdrawn:
            action = "withdrawn" if withdrawn else "restored"
        else:
            action = "amended"
        diff = field_diff(decode(before.payload), record) if before else {}
        payload, digest, when = encode(record), content_hash(record), stamp(at)
        first_seen = before.first_seen if before else when
        change = Change(
            seq=transaction.next_number(), record_id=record.id, version=version, action=action, origin=origin, at=at
        )
        self.records[record.id] = _Row(version, digest, payload, first_seen, withdrawn)
        self._changed_records[record.id] = {
            "id": record.id,
            "source": record.source,
            "kind": record.kind.value,
            "version": version,
            "hash": digest,
            "payload": payload,
            "published": record.published.isoformat() if record.published else None,
            "first_seen": first_seen,
        }
        row = {"record_id": record.id, "version": version, "action": action, "origin": origin.value, "at": when}
        self._versions.append(row | {"payload": payload, "diff": orjson.dumps(diff).decode(), "page_id": page_id})
        self._changes.append(row | {"seq": change.seq})
        return change

    def save(self, transaction: Transaction) -> None:
        transaction.do_many(SAVE_PART, list(self._changed_parts.values()))
        transaction.do_many(SAVE_RECORD, list(self._changed_records.values()))
        transaction.do_many(SAVE_VERSION, self._versions)
        transaction.do_many(SAVE_CHANGE, self._changes)


def _put(
    transaction: Transaction, known: _Known, sighting: Sighting, page: SeenPage, *, origin: Origin, at: datetime
) -> Change | None:
    record, name = sighting.record, sighting.part
    before = known.parts.get((record.id, name))
    fetched_at, digest = stamp(page.fetched_at), content_hash(record)
    if before is not None and before["fetched_at"] > fetched_at:
        return None
    same = before is not None and before["hash"] == digest
    row = {
        "record_id": record.id,
        "part": name,
        "payload": before["payload"] if before is not None and same else encode(record),
        "hash": digest,
        "fetched_at": fetched_at,
        "page_id": page.id,
        "url_key": page.url_key,
    }
    known.keep_part(record.id, name, row)
    current = known.records.get(record.id)
    if same and current is not None:
        return None
    merged = known.merged(record.id, sighting.order)
    if merged is None or (current is not None and current.hash == content_hash(merged)):
        return None
    return known.append(transaction, merged, page_id=page.id, origin=origin, at=at)


def _is_withdrawn(record: Record) -> bool:
    return record.status is not None and record.status.state is State.WITHDRAWN


THEN = """
    SELECT record_id, payload FROM version WHERE record_id IN :ids AND version = (
        SELECT max(older.version) FROM version AS older WHERE older.record_id = version.record_id AND older.at <= :at
    )
"""

CHANGES = "SELECT * FROM change WHERE seq > :after ORDER BY seq LIMIT :limit"

SAVE_PART = """
    INSERT INTO part (record_id, part, payload, hash, fetched_at, page_id, url_key)
    VALUES (:record_id, :part, :payload, :hash, :fetched_at, :page_id, :url_key)
    ON CONFLICT (record_id, part) DO UPDATE
    SET payload = excluded.payload, hash = excluded.hash, fetched_at = excluded.fetched_at,
        page_id = excluded.page_id, url_key = excluded.url_key
"""

SAVE_RECORD = """
    INSERT INTO record (id, source, kind, version, hash, payload, published, first_seen)
    VALUES (:id, :source, :kind, :version, :hash, :payload, :published, :first_seen)
    ON CONFLICT (id) DO UPDATE
    SET kind = excluded.kind, version = excluded.version, hash = excluded.hash, payload = excluded.payload,
        published = excluded.published, absent_since = NULL
"""

SAVE_VERSION = """
    INSERT INTO version (record_id, version, payload, diff, action, origin, at, page_id)
    VALUES (:record_id, :version, :payload, :diff, :action, :origin, :at, :page_id)
"""

SAVE_CHANGE = """
    INSERT INTO change (seq, record_id, version, action, origin, at)
    VALUES (:seq, :record_id, :version, :action, :origin, :at)
"""

SET_POSITION = """
    INSERT INTO follower (name, position, at) VALUES (:name, :position, :at)
    ON CONFLICT (name) DO UPDATE SET position = excluded.position, at = excluded.at
"""

# A record is present if the last page read at an address that was seen in this run shows one of its parts.
_SHOWN = """
    SELECT 1 FROM part JOIN address ON address.url_key = part.url_key
    WHERE part.record_id = record.id AND part.page_id = address.page_id AND address.seen_at >= :since
"""

PRESENT_AGAIN = f"""
    UPDATE record SET absent_since = NULL
    WHERE source = :source AND absent_since IS NOT NULL AND EXISTS ({_SHOWN})
"""

ABSENT = f"SELECT id, payload, absent_since FROM record WHERE source = :source AND NOT EXISTS ({_SHOWN}) ORDER BY id"

CITES = """
    SELECT mentioned.canonical, target.record_id AS target FROM reference AS mentioned
    LEFT JOIN reference AS target
      ON target.canonical = mentioned.canonical AND target.own = 1 AND target.record_id <> :id
    WHERE mentioned.record_id = :id AND mentioned.own = 0
    ORDER BY mentioned.canonical, target.record_id LIMIT :limit
"""

CITED_BY = """
    SELECT DISTINCT mentioning.record_id FROM reference AS mine
    JOIN reference AS mentioning ON mentioning.canonical = mine.canonical AND mentioning.own = 0
    WHERE mine.record_id = :id AND mine.own = 1 AND mentioning.record_id <> :id
    ORDER BY mentioning.record_id LIMIT :limit
"""
