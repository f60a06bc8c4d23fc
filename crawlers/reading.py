"""Read one archived page, and keep what it says. Crawl, re-parse and intake all come through here."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Protocol

from bs4 import BeautifulSoup

from crawlers.normalise import DraftError, clean_text, normalise
from crawlers.page import Draft, Finding, Follow, NotThePage, Remark, UnreadablePage
from library.charset import UndecidableEncoding
from library.page import Outcome, Page
from library.record import Text
from library.source import Source
from library.store.database import Transaction
from library.store.pages import Reading, url_key
from library.store.store import Change, Origin, SeenPage, Sighting, Store

logger = logging.getLogger(__name__)

SEEN = (Outcome.READ, Outcome.EMPTY, Outcome.UNCHANGED)  # the publisher showed what stands at the address

# of firewalls that want a browser to prove itself; looked for only in pages that could not be read
CHALLENGE = re.compile(rb"captcha|awswaf|cf-chl|challenge-platform|challenge\.js", re.IGNORECASE)


class Reader(Protocol):
    """Whoever turns a page into findings: a SourceSpider."""

    def read(self, page: Page) -> Any:
        """Yield the page's findings."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReading:
    """What one page said: its outcome with the reason, and its findings."""

    page_id: int
    page: Page
    outcome: Outcome
    reason: str = ""
    drafts: Sequence[Draft] = ()
    remarks: Sequence[Remark] = ()
    follows: Sequence[Follow] = ()

    @property
    def unread(self) -> list[str]:
        """The source's fields that nobody has looked at yet, each once."""
        return sorted({name for draft in self.drafts for name in draft.unread})


@dataclass(slots=True)
class Tally:
    """Counts of a run, an import or a re-parse of one source."""

    counts: Counter[str] = field(default_factory=Counter)
    records: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def as_counts(self) -> dict[str, int]:
        """The counts as the run ledger keeps them."""
        return dict(self.counts) | {"unread": len(self.unread)}


def read_page(reader: Reader, page_id: int, page: Page, *, fault: str = "") -> PageReading:
    """Read one page. Never raises for what the page holds: every page ends in an outcome with its reason.

    fault: why the body could not be decoded.
    """
    if fault:
        return PageReading(page_id=page_id, page=page, outcome=Outcome.UNREADABLE, reason=fault)
    if 300 <= page.status < 400:
        return unread_answer(page_id, page)
    try:
        findings: list[Finding] = list(reader.read(page))
    except NotThePage as error:
        return _not_read(page_id, page, Outcome(error.outcome), str(error))
    except (UnreadablePage, UndecidableEncoding) as error:
        return _not_read(page_id, page, Outcome.UNREADABLE, str(error))
    except Exception as error:
        if page.status < 400:
            logger.exception("%s: the parser failed at %s", page.source, page.url)
        return _not_read(
            page_id, page, Outcome.UNREADABLE, f"the parser failed: {type(error).__name__}: {str(error)[:500]}"
        )
    if page.status >= 400:
        return unread_answer(page_id, page)
    return PageReading(
        page_id=page_id,
        page=page,
        outcome=Outcome.READ,
        drafts=[finding for finding in findings if isinstance(finding, Draft)],
        remarks=[finding for finding in findings if isinstance(finding, Remark)],
        follows=[finding for finding in findings if isinstance(finding, Follow)],
    )


def unread_answer(page_id: int, page: Page) -> PageReading:
    """What to think of an answer by its status alone, without reading it."""
    if page.status == 304:
        reason = "the site answered 304, 'unchanged', and no page was ever read there"
        return PageReading(page_id=page_id, page=page, outcome=Outcome.ERROR, reason=reason)
    if 300 <= page.status < 400:
        reason = f"moved to {page.headers.get('location', 'nowhere')} ({page.status})"
        return PageReading(page_id=page_id, page=page, outcome=Outcome.REDIRECT, reason=reason)
    return _not_read(page_id, page, Outcome.ERROR, "")


def _not_read(page_id: int, page: Page, outcome: Outcome, reason: str) -> PageReading:
    """A page that is not what it should be: what it is instead, in the words of its status, its reader and its title."""
    if outcome in (Outcome.ERROR, Outcome.UNREADABLE):
        start = page.body[:20_000]
        title = BeautifulSoup(start, "lxml").title if b"<title" in start.lower() else None
        said = clean_text(title.get_text())[:200] if title else ""
        parts = [f"the site answered {page.status}" if page.status >= 400 else "", reason]
        parts.append(f"the page is titled {said!r}" if said and said not in reason else "")
        reason = ": ".join(filter(None, parts))
        if page.headers.get("x-amzn-waf-action") or page.headers.get("cf-mitigated") or CHALLENGE.search(start):
            outcome, reason = Outcome.CHALLENGE, f"a challenge for browsers, no page: {reason}"
        elif page.status >= 400:
            outcome = Outcome.ERROR
    return PageReading(page_id=page_id, page=page, outcome=outcome, reason=reason)


def keep_reading(
    store: Store,
    source: Source,
    reading: PageReading,
    *,
    origin: Origin,
    at: datetime,
    tally: Tally,
    skip: set[tuple[str, str]] | None = None,
    dry_run: bool = False,
) -> None:
    """Keep what a page said, in one transaction: records, remarks, problems and the page's outcome.

    skip: (record id, part) pairs already seen in a newer page; those of this page are added to it.
    dry_run: count what would change, and change nothing.
    """
    keep_readings(store, source, [reading], origin=origin, at=at, tally=tally, skip=skip, dry_run=dry_run)


def keep_readings(
    store: Store,
    source: Source,
    readings: Sequence[PageReading],
    *,
    origin: Origin,
    at: datetime,
    tally: Tally,
    skip: set[tuple[str, str]] | None = None,
    dry_run: bool = False,
) -> None:
    """Keep what several pages said, in order, in one transaction: all of it is kept, or nothing."""
    kept = []
    with store.write() as transaction:
        for reading in readings:
            kept.append((reading, _keep(store, transaction, source, reading, origin=origin, at=at, skip=skip)))
        if dry_run:
            transaction.undo()
    for reading, what in kept:
        _count(tally, reading, what)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What keeping one reading came to."""

    record_ids: Sequence[str]
    refused: int
    unread: Sequence[str]
    changes: Sequence[Change]
    problems: Sequence[str]


def _keep(
    store: Store,
    transaction: Transaction,
    source: Source,
    reading: PageReading,
    *,
    origin: Origin,
    at: datetime,
    skip: set[tuple[str, str]] | None,
) -> _Kept:
    page = reading.page
    read, problems = _sightings(source, reading)
    sightings = read
    if skip is not None:
        sightings = [one for one in read if (one.record.id, one.part) not in skip]
        skip.update((one.record.id, one.part) for one in sightings)
    seen = SeenPage(
        id=reading.page_id, url_key=url_key(page.method, page.url, page.request_body), fetched_at=page.fetched_at
    )
    changes = store.put_many(transaction, sightings, seen, origin=origin, at=at)
    for key, remark in _remarks_by_record(reading.remarks).items():
        change = store.remark(
            transaction,
            f"{source.name}:{key}",
            Text(language=source.language, value=clean_text(remark.text), label="note"),
            seen,
            kind=source.kinds[0],
            withdrawn=remark.withdrawn,
            order=source.merge,
            origin=origin,
            at=at,
        )
        changes += [change] if change else []
    if reading.outcome in SEEN:
        store.runs.close_problems(
            transaction,
            source=source.name,
            page_id=reading.page_id,
            url=page.url,
            url_key=seen.url_key,
            was_read=reading.outcome is not Outcome.UNCHANGED,
            at=at,
        )
    for key, reason, draft in problems:
        store.runs.problem(
            transaction, source=source.name, page_id=reading.page_id, key=key, reason=reason, draft=draft, at=at
        )
    unread = [name for name in reading.unread if name not in source.ignore_unread]
    store.pages.finish(
        transaction,
        reading.page_id,
        page,
        Reading(
            outcome=reading.outcome,
            reason=reading.reason,
            drafts=len(reading.drafts),
            unread=unread,
            follows=[_as_row(follow) for follow in reading.follows],
        ),
    )
    return _Kept(
        record_ids=[one.record.id for one in sightings],
        refused=len(reading.drafts) - len(read),
        unread=unread,
        changes=changes,
        problems=[f"{key}: {reason}" if key else reason for key, reason, _ in problems],
    )


def _sightings(source: Source, reading: PageReading) -> tuple[list[Sighting], list[tuple[str, str, Mapping[str, Any]]]]:
    """The page's records, and what is wrong with it as (key, reason, draft)."""
    sightings: list[Sighting] = []
    problems: list[tuple[str, str, Mapping[str, Any]]] = []
    facts = source.pages.get(reading.page.kind)
    for draft in reading.drafts:
        try:
            normalised = normalise(draft, reading.page, source)
        except DraftError as error:
            problems.append((draft.key, str(error), asdict(draft) | {"unread": sorted(draft.unread)}))
            continue
        problems += [(draft.key, note, {}) for note in normalised.notes]
        part = draft.part or (facts.part if facts else "main")
        sightings.append(Sighting(record=normalised.record, part=part, order=source.merge))
    if reading.outcome is Outcome.UNREADABLE:
        problems.append(("", f"{reading.page.url}: {reading.reason}", {}))
    return sightings, problems


def _remarks_by_record(remarks: Sequence[Remark]) -> dict[str, Remark]:
    """One remark per record and page: a page that speaks of a record twice says both things."""
    joined: dict[str, Remark] = {}
    for remark in remarks:
        before = joined.get(remark.key)
        if before is not None:
            text = before.text if remark.text in before.text else f"{before.text}\n{remark.text}"
            remark = Remark(key=remark.key, text=text, withdrawn=before.withdrawn or remark.withdrawn)
        joined[remark.key] = remark
    return joined


def _as_row(follow: Follow) -> dict[str, Any]:
    row = {"url": follow.url, "kind": follow.kind, "carry": dict(follow.carry), "method": follow.method}
    return row | {"body": follow.body.decode("utf-8"), "headers": dict(follow.headers)}


def follow_of(row: Mapping[str, Any]) -> Follow:
    """A further page as the page index keeps it."""
    return Follow(
        url=row["url"],
        kind=row["kind"],
        carry=row["carry"],
        method=row["method"],
        body=row["body"].encode("utf-8"),
        headers=row["headers"],
    )


def _count(tally: Tally, reading: PageReading, kept: _Kept) -> None:
    tally.counts[f"pages.{reading.outcome.value}"] += 1
    tally.counts["drafts"] += len(reading.drafts)
    tally.counts["refused"] += kept.refused
    tally.counts["problems"] += len(kept.problems)
    for change in kept.changes:
        tally.counts[change.action] += 1
    tally.records.update(kept.record_ids)
    tally.changes += kept.changes
    tally.unread.update(kept.unread)
    tally.problems += kept.problems
