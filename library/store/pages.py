"""The page index: what was archived where, what came of it, and what stands at each address now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from library.page import Outcome, Page, PageRef
from library.store.database import Database, Transaction
from library.times import instant, stamp


def url_key(method: str, url: str, body: bytes = b"") -> str:
    """One key for a method, URL and request body: 32 hex digits."""
    return sha256(b"\n".join((method.encode(), url.encode(), body))).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRow:
    """One row of the page index."""

    id: int
    source: str
    url: str
    url_key: str
    kind: str
    status: int
    content_type: str
    fetched_at: datetime
    ref: PageRef
    digest: str
    size: int
    outcome: Outcome
    reason: str
    drafts: int
    unread: tuple[str, ...]
    run_id: int

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> PageRow:
        """Build from a row of the table."""
        return cls(
            id=row["id"],
            source=row["source"],
            url=row["url"],
            url_key=row["url_key"],
            kind=row["kind"],
            status=row["status"],
            content_type=row["content_type"],
            fetched_at=instant(row["fetched_at"]),
            ref=PageRef(row["warc"], row["warc_offset"], row["warc_length"]),
            digest=row["digest"],
            size=row["size"],
            outcome=Outcome(row["outcome"]),
            reason=row["reason"],
            drafts=row["drafts"],
            unread=tuple(orjson.loads(row["unread"])),
            run_id=row["run_id"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """What stands at an address as of the last page read there: validators, digest and the pages it leads to."""

    url_key: str
    kind: str
    page_id: int
    digest: str
    etag: str
    last_modified: str
    follows: tuple[Mapping[str, Any], ...]
    seen_at: datetime
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What came of reading a page: its outcome, counts, and what it leads to."""

    outcome: Outcome
    reason: str = ""
    drafts: int = 0
    unread: Sequence[str] = ()
    follows: Sequence[Mapping[str, Any]] = ()


class PageIndex:
    """Rows of archived pages and of the addresses they stand at."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, entries: Sequence[tuple[Page, PageRef, str]], run_id: int) -> list[int]:
        """Index archived pages, each (page, place in the archive, payload digest); returns their ids. One transaction."""
        with self._database.write() as transaction:
            values = [_page_values(page, ref, digest, run_id) for page, ref, digest in entries]
            return [int(transaction.value(ADD_PAGE, **row)) for row in values]

    def finish(self, transaction: Transaction, page_id: int, page: Page, reading: Reading) -> None:
        """Store what came of a page. Only a page that was read moves what stands at its address."""
        decoding = ("", "")
        if reading.outcome is Outcome.READ and not page.body.startswith(b"PK"):
            found = page.decoding
            decoding = (found.encoding, found.evidence)
        transaction.do(
            FINISH_PAGE,
            id=page_id,
            outcome=reading.outcome.value,
            reason=reading.reason,
            drafts=reading.drafts,
            unread=orjson.dumps(sorted(reading.unread)).decode(),
            encoding=decoding[0],
            evidence=decoding[1],
        )
        key = url_key(page.method, page.url, page.request_body)
        at = stamp(page.fetched_at)
        if reading.outcome is Outcome.UNCHANGED:
            transaction.do("UPDATE address SET seen_at = :at WHERE url_key = :key AND seen_at < :at", key=key, at=at)
        if reading.outcome in (Outcome.READ, Outcome.EMPTY):
            transaction.do(
                READ_ADDRESS,
                url_key=key,
                source=page.source,
                url=page.url,
                kind=page.kind,
                page_id=page_id,
                digest=page.digest,
                etag=page.headers.get("etag", ""),
                last_modified=page.headers.get("last-modified", ""),
                follows=orjson.dumps(list(reading.follows)).decode(),
                at=at,
            )

    def address(self, key: str) -> Address | None:
        """What stands at an address, None where no page was read there yet."""
        with self._database.read() as transaction:
            row = transaction.row("SELECT * FROM address WHERE url_key = :key", key=key)
        if row is None:
            return None
        return Address(
            url_key=row["url_key"],
            kind=row["kind"],
            page_id=row["page_id"],
            digest=row["digest"],
            etag=row["etag"],
            last_modified=row["last_modified"],
            follows=tuple(orjson.loads(row["follows"])),
            seen_at=instant(row["seen_at"]),
            read_at=instant(row["read_at"]),
        )

    def get(self, page_id: int) -> PageRow | None:
        """One row of the index."""
        with self._database.read() as transaction:
            row = transaction.row("SELECT * FROM page WHERE id = :id", id=page_id)
        return PageRow.of(row) if row else None

    def original(self, source: str, payload_digest: str) -> PageRow | None:
        """The first page of a source that was archived with this body as sent; later ones refer to it."""
        with self._database.read() as transaction:
            row = transaction.row(FIRST_WITH_DIGEST, source=source, digest=payload_digest)
        return PageRow.of(row) if row else None

    def worth_reading(self, source: str) -> Iterator[PageRow]:
        """The newest read page of each address and anything later that could not be read, newest capture first.

        Pages known to be errors, empty, or unchanged since an earlier one are left out.
        """
        with self._database.read() as transaction:
            rows = transaction.rows(WORTH_READING, source=source)
        return (PageRow.of(row) for row in rows)

    def in_run(self, run_id: int) -> dict[str, int]:
        """Pages of a run by outcome."""
        with self._database.read() as transaction:
            rows = transaction.rows(
                "SELECT outcome, count(*) AS n FROM page WHERE run_id = :run GROUP BY outcome", run=run_id
            )
        return {row["outcome"]: row["n"] for row in rows}

    def by_file(self) -> dict[str, int]:
        """How many pages the index has in each WARC file."""
        with self._database.read() as transaction:
            rows = transaction.rows("SELECT warc, count(*) AS n FROM page GROUP BY warc")
        return {row["warc"]: row["n"] for row in rows}

    def ends(self) -> dict[str, int]:
        """Where the last indexed page of each WARC file ends, in bytes."""
        with self._database.read() as transaction:
            rows = transaction.rows("SELECT warc, max(warc_offset + warc_length) AS size FROM page GROUP BY warc")
        return {row["warc"]: row["size"] for row in rows}


def _page_values(page: Page, ref: PageRef, payload_digest: str, run_id: int) -> dict[str, Any]:
    return {
        "source": page.source,
        "url": page.url,
        "url_key": url_key(page.method, page.url, page.request_body),
        "kind": page.kind,
        "status": page.status,
        "content_type": page.content_type,
        "fetched_at": stamp(page.fetched_at),
        "warc": ref.warc,
        "warc_offset": ref.offset,
        "warc_length": ref.length,
        "digest": page.digest,
        "payload_digest": payload_digest,
        "size": len(page.body),
        "outcome": Outcome.FETCHED.value,
        "run_id": run_id,
    }


ADD_PAGE = """
    INSERT INTO page (source, url, url_key, kind, status, content_type, fetched_at, warc, warc_offset, warc_length,
                      digest, payload_digest, size, outcome, run_id)
    VALUES (:source, :url, :url_key, :kind, :status, :content_type, :fetched_at, :warc, :warc_offset, :warc_length,
            :digest, :payload_digest, :size, :outcome, :run_id)
    RETURNING id
"""

FINISH_PAGE = """
    UPDATE page SET outcome = :outcome, reason = :reason, drafts = :drafts, unread = :unread,
                    encoding = :encoding, evidence = :evidence
    WHERE id = :id
"""

# An older capture that is imported late never moves what a newer one established.
READ_ADDRESS = """
    INSERT INTO address (url_key, source, url, kind, page_id, digest, etag, last_modified, follows, seen_at, read_at)
    VALUES (:url_key, :source, :url, :kind, :page_id, :digest, :etag, :last_modified, :follows, :at, :at)
    ON CONFLICT (url_key) DO UPDATE
    SET kind = excluded.kind, page_id = excluded.page_id, digest = excluded.digest, etag = excluded.etag,
        last_modified = excluded.last_modified, follows = excluded.follows, seen_at = excluded.seen_at,
        read_at = excluded.read_at
    WHERE excluded.seen_at >= address.seen_at
"""

FIRST_WITH_DIGEST = (
    "SELECT * FROM page WHERE source = :source AND payload_digest = :digest AND size > 0 ORDER BY id LIMIT 1"
)

WORTH_READING = """
    SELECT page.* FROM page
    LEFT JOIN address ON address.url_key = page.url_key
    WHERE page.source = :source
      AND (page.id = address.page_id
           OR (page.outcome IN ('fetched', 'unreadable') AND page.id > coalesce(address.page_id, 0)))
    ORDER BY page.fetched_at DESC, page.id DESC
"""
