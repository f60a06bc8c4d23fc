"""The run ledger: runs and their verdicts, quarantined problems, due rounds and leases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from library.store.database import Database, Transaction
from library.times import instant, stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of one source. counts: 'pages.read', 'drafts', 'added', ... verdict None while it goes on."""

    id: int
    source: str
    started_at: datetime
    ended_at: datetime | None
    verdict: str | None
    reason: str
    counts: Mapping[str, int]
    origin: str
    live: bool

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Run:
        """Build from a row of the table."""
        return cls(
            id=row["id"],
            source=row["source"],
            started_at=instant(row["started_at"]),
            ended_at=instant(row["ended_at"]) if row["ended_at"] else None,
            verdict=row["verdict"],
            reason=row["reason"],
            counts=orjson.loads(row["counts"]),
            origin=row["origin"],
            live=bool(row["live"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that could not become a record, with its reason."""

    id: int
    source: str
    page_id: int
    key: str
    reason: str
    at: datetime


GOOD = ("good", "quiet")  # verdicts after which what a source showed may be believed


class RunLedger:
    """Runs, problems, rounds and leases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, source: str, *, origin: str, live: bool, at: datetime, process: int) -> int:
        """Note that a run begins; returns its id. Runs of the source that died before are closed as 'died'."""
        with self._database.write() as transaction:
            transaction.do(CLOSE_DEAD, source=source, at=stamp(at))
            return int(
                transaction.value(
                    START_RUN, source=source, origin=origin, live=int(live), at=stamp(at), process=process
                )
            )

    def end(self, run_id: int, *, verdict: str, reason: str, counts: Mapping[str, int], at: datetime) -> None:
        """Note how a run ended."""
        with self._database.write() as transaction:
            transaction.do(
                END_RUN,
                id=run_id,
                verdict=verdict,
                reason=reason,
                at=stamp(at),
                counts=orjson.dumps(dict(counts)).decode(),
            )

    def get(self, run_id: int) -> Run | None:
        """One run."""
        with self._database.read() as transaction:
            row = transaction.row("SELECT * FROM run WHERE id = :id", id=run_id)
        return Run.of(row) if row else None

    def of(self, source: str, limit: int = 30) -> list[Run]:
        """The last runs of a source, newest first."""
        with self._database.read() as transaction:
            rows = transaction.rows(
                "SELECT * FROM run WHERE source = :source ORDER BY id DESC LIMIT :limit", source=source, limit=limit
            )
        return [Run.of(row) for row in rows]

    def last_good(self, source: str, *, origin: str | None = None) -> Run | None:
        """The last run of a source that may be believed."""
        with self._database.read() as transaction:
            row = transaction.row(LAST_GOOD, source=source, verdicts=GOOD, origin=origin, any=int(origin is None))
        return Run.of(row) if row else None

    def has_read_live(self, source: str) -> bool:
        """Whether any run of the source ever read a page of the publisher itself."""
        with self._database.read() as transaction:
            return bool(transaction.value(READ_LIVE, source=source))

    def problem(
        self, transaction: Transaction, *, source: str, page_id: int, key: str, reason: str, draft: object, at: datetime
    ) -> None:
        """Quarantine a draft or page with its reason; the same reason for the same key of a page is kept once."""
        transaction.do(
            ADD_PROBLEM,
            source=source,
            page_id=page_id,
            key=key,
            reason=reason,
            draft=orjson.dumps(draft, default=str).decode(),
            at=stamp(at),
        )

    def close_problems(
        self,
        transaction: Transaction,
        *,
        source: str,
        page_id: int,
        url: str,
        url_key: str,
        was_read: bool,
        at: datetime,
    ) -> None:
        """A page was seen again at an address: what could not be had or read there before is over.

        was_read: it was read, so that all earlier problems of the address are over too; those that remain are added
        anew. An unchanged page keeps the problems of its first reading.
        """
        closing = CLOSE_PROBLEMS if was_read else CLOSE_MISSES
        transaction.do(closing, source=source, page=page_id, url=url, url_key=url_key, at=stamp(at))

    def problems(self, source: str, limit: int = 100) -> list[Problem]:
        """Open problems of a source, newest first."""
        with self._database.read() as transaction:
            rows = transaction.rows(OPEN_PROBLEMS, source=source, limit=limit)
        return [
            Problem(
                id=row["id"],
                source=row["source"],
                page_id=row["page_id"],
                key=row["key"],
                reason=row["reason"],
                at=instant(row["at"]),
            )
            for row in rows
        ]

    def problem_count(self, source: str) -> int:
        """How many problems of a source are open."""
        with self._database.read() as transaction:
            return int(
                transaction.value(
                    "SELECT count(*) FROM problem WHERE source = :source AND closed_at IS NULL", source=source
                )
            )

    def last_due(self, source: str) -> datetime | None:
        """The newest round of a source that was taken or let pass."""
        with self._database.read() as transaction:
            due = transaction.value("SELECT max(due_at) FROM round WHERE source = :source", source=source)
        return instant(due) if due else None

    def take_round(self, source: str, due_at: datetime, *, at: datetime) -> bool:
        """Claim a due round; False if somebody has it already."""
        with self._database.write() as transaction:
            return transaction.do(TAKE_ROUND, source=source, due=stamp(due_at), at=stamp(at)) == 1

    def end_round(self, source: str, due_at: datetime, *, exit_code: int, at: datetime) -> None:
        """Note that a round is over, and with which exit code."""
        with self._database.write() as transaction:
            transaction.do(END_ROUND, source=source, due=stamp(due_at), code=exit_code, at=stamp(at))

    def unfinished_rounds(self, source: str) -> Sequence[datetime]:
        """Rounds that were taken and never ended: their process died."""
        with self._database.read() as transaction:
            rows = transaction.rows(
                "SELECT due_at FROM round WHERE source = :source AND ended_at IS NULL ORDER BY due_at", source=source
            )
        return [instant(row["due_at"]) for row in rows]

    def take_lease(self, name: str, owner: str, *, for_s: float, at: datetime) -> bool:
        """Take or renew a lease; False while another owner holds it."""
        with self._database.write() as transaction:
            until = stamp(at + timedelta(seconds=for_s))
            return transaction.do(TAKE_LEASE, name=name, owner=owner, until=until, at=stamp(at)) == 1

    def end_lease(self, name: str, owner: str) -> None:
        """Give a lease back."""
        with self._database.write() as transaction:
            transaction.do("DELETE FROM lease WHERE name = :name AND owner = :owner", name=name, owner=owner)


CLOSE_DEAD = """
    UPDATE run SET ended_at = :at, verdict = 'died', reason = 'the process ended before the run did'
    WHERE source = :source AND ended_at IS NULL
"""

START_RUN = """
    INSERT INTO run (source, started_at, origin, live, process)
    VALUES (:source, :at, :origin, :live, :process) RETURNING id
"""

END_RUN = "UPDATE run SET ended_at = :at, verdict = :verdict, reason = :reason, counts = :counts WHERE id = :id"

LAST_GOOD = """
    SELECT * FROM run WHERE source = :source AND verdict IN :verdicts AND (:any = 1 OR origin = :origin)
    ORDER BY id DESC LIMIT 1
"""

READ_LIVE = """
    SELECT 1 FROM page JOIN run ON run.id = page.run_id
    WHERE run.source = :source AND run.live = 1 AND page.outcome = 'read' LIMIT 1
"""

ADD_PROBLEM = """
    INSERT INTO problem (source, page_id, key, reason, draft, at)
    VALUES (:source, :page_id, :key, :reason, :draft, :at)
    ON CONFLICT (page_id, key, reason) DO UPDATE SET closed_at = NULL, at = excluded.at, draft = excluded.draft
"""

CLOSE_PROBLEMS = """
    UPDATE problem SET closed_at = :at
    WHERE source = :source AND closed_at IS NULL
      AND (page_id = :page OR (page_id = 0 AND key = :url)
           OR page_id IN (SELECT id FROM page WHERE source = :source AND url_key = :url_key AND id < :page))
"""

# a problem without a key speaks of the page as a whole: it could not be read
CLOSE_MISSES = """
    UPDATE problem SET closed_at = :at
    WHERE source = :source AND closed_at IS NULL
      AND ((page_id = 0 AND key = :url)
           OR (key = '' AND page_id IN (SELECT id FROM page WHERE source = :source AND url_key = :url_key AND id < :page)))
"""

OPEN_PROBLEMS = """
    SELECT id, source, page_id, key, reason, at FROM problem
    WHERE source = :source AND closed_at IS NULL ORDER BY id DESC LIMIT :limit
"""

TAKE_ROUND = """
    INSERT INTO round (source, due_at, started_at) VALUES (:source, :due, :at)
    ON CONFLICT (source, due_at) DO NOTHING
"""

END_ROUND = "UPDATE round SET ended_at = :at, exit_code = :code WHERE source = :source AND due_at = :due"

TAKE_LEASE = """
    INSERT INTO lease (name, owner, until) VALUES (:name, :owner, :until)
    ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
    WHERE lease.owner = excluded.owner OR lease.until < :at
"""
