"""Intake: pages that people hand in. WARC files of others, folders with a manifest, sheets that may not be crawled.

`import_paths` is backfill and mails nobody. The watched folder (`take_in`) is how a source that may not be
crawled brings news: after its first good sheet, what is new in the next one is news.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, ValidationError
from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataReader
from warcio.exceptions import ArchiveLoadFailed

from crawlers.crawl import SourceIsBusy, lease
from crawlers.health import verdict
from crawlers.reading import PageReading, Tally, keep_reading, read_page
from crawlers.registry import reader_of
from crawlers.spider import SourceSpider
from library.archive import Answer, Archive, Kept
from library.page import Outcome
from library.settings import Settings
from library.source import Source
from library.store.pages import url_key
from library.store.store import Origin, Store

logger = logging.getLogger(__name__)

MANIFEST = "MANIFEST.jsonl"
UNKNOWN_CAPTURE = datetime(1970, 1, 1, tzinfo=UTC)  # nobody noted when; older than every capture somebody noted
NOT_PAGES = {  # forms a manifest may give a row that are not a publisher's answer
    "extract": "somebody else's reading of the publisher, not its page",
    "reference": "a code table, not a page of the feed",
    "sample": "a sample of an encoding, not a page of the feed",
}
SETTLED_S = 2.0  # a file in the watched folder that changed less long ago may still be being copied


class ManifestRow(BaseModel):
    """One row of a manifest: a file, and the answer of a publisher that it holds. More fields are passed over."""

    model_config = ConfigDict(frozen=True, strict=True)

    file: str
    source: str = ""
    url: str | None = None
    status: int | None = None
    content_type: str | None = None
    captured: str | None = None
    form: str = ""
    method: str = "GET"
    request_body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrouted:
    """A page that no source reads, and why."""

    file: str
    reason: str
    source: str = ""


@dataclass(slots=True)
class ImportReport:
    """What an import came to: a tally per source, and the pages that no source reads."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    unrouted: list[Unrouted] = field(default_factory=list)

    def rows(self) -> list[dict[str, Any]]:
        """One row per source: pages by outcome, drafts, records, unread fields, problems."""
        return [
            {
                "source": name,
                "pages": {
                    key.removeprefix("pages."): count
                    for key, count in sorted(tally.counts.items())
                    if key.startswith("pages.")
                },
                "drafts": tally.counts["drafts"],
                "records": len(tally.records),
                "unread": sorted(tally.unread),
                "problems": tally.counts["problems"],
            }
            for name, tally in sorted(self.tallies.items())
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A page found below a path: where, whose, when it was captured, and how to get its answer."""

    file: str
    source: Source
    captured: datetime
    answer: Callable[[], Answer]


def import_paths(
    settings: Settings,
    store: Store,
    sources: Mapping[str, Source],
    paths: Sequence[Path],
    *,
    at: datetime,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ImportReport:
    """Archive and read pages of others: WARC files, and folders with a manifest, the oldest capture first.

    progress: called with (pages done, pages in all). Raises FileNotFoundError for a path that is not there.
    """
    report = ImportReport()
    found: list[_Found] = []
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"there is no {path}")
        found += _found_in(path, sources, report)
    found.sort(key=lambda one: one.captured)
    done = 0
    for name in dict.fromkeys(one.source.name for one in found):
        mine = [one for one in found if one.source.name == name]
        with lease(settings.home, name):
            for _ in _take_pages(settings, store, sources[name], mine, Origin.BACKFILL, at, report):
                done += 1
                progress(done, len(found))
    return report


def take_in(settings: Settings, store: Store, source: Source, file: Path, *, at: datetime) -> Tally:
    """Read one handed-in file of a source as if it had been crawled; its run gets a verdict like any other."""
    report = ImportReport()
    origin = Origin.CRAWL if store.runs.last_good(source.name) is not None else Origin.BACKFILL
    found = _Found(
        file=file.name,
        source=source,
        captured=at,
        answer=lambda: _answer_of_file(source, file, _url_of(source, file), at),
    )
    with lease(settings.home, source.name):
        for _ in _take_pages(settings, store, source, [found], origin, at, report, judged=True):
            pass
    return report.tallies[source.name]


def watch_folder(
    settings: Settings, store: Store, sources: Mapping[str, Source], *, at: datetime, settled_s: float = SETTLED_S
) -> list[tuple[Path, Tally]]:
    """Take in what lies in intake/<source>/ and move it to intake/<source>/done/.

    settled_s: a file that changed less long ago may still be being copied, and waits.
    """
    taken = []
    for source in sources.values():
        folder = settings.intake / source.name
        for file in sorted(folder.glob("*")) if folder.is_dir() else ():
            if not file.is_file() or file.name.startswith(".") or at.timestamp() - file.stat().st_mtime < settled_s:
                continue
            try:
                tally = take_in(settings, store, source, file, at=at)
            except SourceIsBusy as error:
                logger.info("%s waits: %s", file, error)
                break
            done = folder / "done" / f"{at:%Y%m%dT%H%M%S}-{file.name}"
            done.parent.mkdir(exist_ok=True)
            os.replace(file, done)
            taken.append((file, tally))
    return taken


def _take_pages(
    settings: Settings,
    store: Store,
    source: Source,
    found: Sequence[_Found],
    origin: Origin,
    at: datetime,
    report: ImportReport,
    *,
    judged: bool = False,
) -> Iterator[PageReading]:
    """Archive and read the found pages of one source as one run."""
    tally = report.tallies.setdefault(source.name, Tally())
    reader = reader_of(source)
    archive = Archive(settings.archive, store)
    archive.repair(source.name)
    run_id = store.runs.start(source.name, origin=origin.value, live=False, at=at, process=os.getpid())
    with archive.writer(run_id, source.name, at) as writer:
        for one in found:
            kept = writer.add(one.answer()).result()
            reading = _read_kept(store, reader, kept)
            keep_reading(store, source, reading, origin=origin, at=at, tally=tally)
            yield reading
    word, reason = "imported", f"{len(found):,} pages were handed in"
    if judged:
        judgement = verdict(tally.as_counts(), source.expect, last_added=None, now=at)
        word, reason = judgement.word, judgement.reason
    store.runs.end(run_id, verdict=word, reason=reason, counts=tally.as_counts(), at=at)


def _read_kept(store: Store, reader: SourceSpider, kept: Kept) -> PageReading:
    page = kept.page
    address = store.pages.address(url_key(page.method, page.url, page.request_body))
    if address is not None and address.digest == page.digest and page.status == 200:
        return PageReading(page_id=kept.page_id, page=page, outcome=Outcome.UNCHANGED)
    return read_page(reader, kept.page_id, page, fault=kept.fault)


def _found_in(path: Path, sources: Mapping[str, Source], report: ImportReport) -> Iterator[_Found]:
    if path.is_file():
        yield from _found_in_file(path, path.name, sources, report)
        return
    manifest = path / MANIFEST
    if manifest.is_file():
        yield from _found_in_manifest(manifest, sources, report)
        return
    for file in sorted(path.rglob("*")):
        if file.is_file():
            yield from _found_in_file(file, file.relative_to(path).as_posix(), sources, report)


def _found_in_file(path: Path, name: str, sources: Mapping[str, Source], report: ImportReport) -> Iterator[_Found]:
    """A WARC file, or a sheet in a folder named after its source."""
    if path.name.endswith((".warc", ".warc.gz")):
        yield from _found_in_warc(path, name, sources, report)
        return
    source = sources.get(path.parent.name) or next(
        (one for one in sources.values() if one.handed_in and path.name.startswith(one.name)), None
    )
    if source is None:
        report.unrouted.append(
            Unrouted(file=name, reason=f"no WARC file, and neither its folder nor a {MANIFEST} names a source")
        )
        return
    captured = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    yield _Found(
        file=name,
        source=source,
        captured=captured,
        answer=lambda: _answer_of_file(source, path, _url_of(source, path), captured),
    )


def _found_in_manifest(manifest: Path, sources: Mapping[str, Source], report: ImportReport) -> Iterator[_Found]:
    """The rows of a manifest, one JSON object a line."""
    rows = []
    for number, line in enumerate(manifest.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            rows.append(ManifestRow.model_validate_json(line))
        except ValidationError as error:
            reasons = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'row'}: {one['msg']}" for one in error.errors())
            report.unrouted.append(Unrouted(file=f"{manifest.name} line {number}", reason=reasons))
    shared = _repeated((row.url, row.captured) for row in rows)
    for row in rows:
        source = sources.get(row.source)
        file = manifest.parent / row.file
        url = row.url or ""
        is_extract = source is not None and _is_extract(row, source)
        if source is not None and is_extract:
            url = _url_of(source, file)  # a reader's file has no address at the publisher's but the site's own
        if source is None:
            source = next((one for one in sources.values() if url and one.page_kind(url)), None)
        reason = _not_routed(row, file, manifest.parent, source, url)
        if reason or source is None:
            report.unrouted.append(Unrouted(file=row.file, source=row.source, reason=reason))
            continue
        if (row.url, row.captured) in shared and not is_extract:
            url = f"{url}#{row.file}"  # several files unpacked from one answer
        yield _Found(
            file=row.file,
            source=source,
            captured=capture_time(row.captured or ""),
            answer=_row_answer(row, source, file, url),
        )


def _not_routed(row: ManifestRow, file: Path, folder: Path, source: Source | None, url: str) -> str:
    if source is None:
        return f"no source named {row.source!r} and none whose patterns fit its URL"
    if row.form in NOT_PAGES and not _is_extract(row, source):
        return NOT_PAGES[row.form]
    if not url:
        return "the manifest names no URL, so nobody knows which kind of page it is"
    if source.page_kind(url) is None and row.form not in ("redirect", "error"):
        return f"no page kind of {source.name} fits {url}"
    if not file.resolve().is_relative_to(folder.resolve()):
        return "the file lies outside the manifest's folder"
    return "" if file.is_file() else "the file is missing"


def _is_extract(row: ManifestRow, source: Source) -> bool:
    return source.takes_extracts and row.form == "extract"


def _repeated(values: Iterator[Any]) -> set[Any]:
    seen: set[Any] = set()
    return {value for value in values if value in seen or seen.add(value)}  # type: ignore[func-returns-value]


def _row_answer(row: ManifestRow, source: Source, file: Path, url: str) -> Callable[[], Answer]:
    def answer() -> Answer:
        return Answer(
            source=source.name,
            kind=source.page_kind(url) or next(iter(source.pages)),
            url=url,
            status=row.status or 200,
            headers=(("Content-Type", row.content_type or ""),),
            raw_body=file.read_bytes(),
            fetched_at=capture_time(row.captured or ""),
            method=row.method,
            request_body=(row.request_body or "").encode(),
        )

    return answer


def capture_time(printed: str) -> datetime:
    """When a page was captured, as exactly as known: a year, month, day or instant; UNKNOWN_CAPTURE where nobody noted it.

    >>> capture_time("2026-09")
    datetime.datetime(2026, 9, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    padded = printed + "-01" * (2 - printed.count("-")) if 4 <= len(printed) < 10 else printed
    try:
        captured = datetime.fromisoformat(padded)
    except ValueError:
        return UNKNOWN_CAPTURE
    return captured if captured.tzinfo else captured.replace(tzinfo=UTC)


def _url_of(source: Source, file: Path) -> str:
    """The address a handed-in sheet is kept under: the source's own page, with the file's name behind it."""
    return f"{source.home}#{file.name}"


def _answer_of_file(source: Source, file: Path, url: str, at: datetime) -> Answer:
    kind = source.page_kind(url) or next(iter(source.pages))
    return Answer(
        source=source.name, kind=kind, url=url, status=200, headers=(), raw_body=file.read_bytes(), fetched_at=at
    )


def _found_in_warc(path: Path, name: str, sources: Mapping[str, Source], report: ImportReport) -> Iterator[_Found]:
    """The responses in a WARC file of anybody's; a revisit takes the body of the record it refers to."""
    bodies: dict[str, int] = {}
    try:
        with path.open("rb") as file:
            records = ArchiveIterator(file)
            for record in records:
                headers = record.rec_headers
                url, offset = headers.get("WARC-Target-URI") or "", records.get_record_offset()
                place = f"{name} at byte {offset:,}: {url}"
                if record.rec_type not in ("response", "revisit") or not url.startswith(("http://", "https://")):
                    continue
                digest = headers.get("WARC-Payload-Digest") or ""
                if record.rec_type == "response" and digest:
                    bodies.setdefault(digest, offset)
                source = next((one for one in sources.values() if one.page_kind(url)), None)
                body_at = offset if record.rec_type == "response" else bodies.get(digest)
                if source is None or body_at is None or record.http_headers is None:
                    reason = "a revisit of a body that the file lacks" if body_at is None else "it holds no HTTP answer"
                    reason = "no source's URL patterns fit" if source is None else reason
                    report.unrouted.append(Unrouted(file=place, source=source.name if source else "", reason=reason))
                    continue
                captured = capture_time(headers.get("WARC-Date") or "")
                yield _Found(
                    file=place,
                    source=source,
                    captured=captured,
                    answer=_warc_answer(path, offset, body_at, source, captured),
                )
    except (ArchiveLoadFailed, OSError, EOFError, ValueError, AttributeError) as error:
        # AttributeError: warcio's own, at a record whose head was cut before its address
        report.unrouted.append(Unrouted(file=name, reason=f"the file cannot be read to its end: {error}"))


def _warc_answer(path: Path, offset: int, body_at: int, source: Source, captured: datetime) -> Callable[[], Answer]:
    def answer() -> Answer:
        with path.open("rb") as file:
            record = _record_at(file, offset)
            url = record.rec_headers["WARC-Target-URI"]
            http = record.http_headers
            body = _body_of(record if offset == body_at else _record_at(file, body_at))
        return Answer(
            source=source.name,
            kind=source.page_kind(url) or next(iter(source.pages)),
            url=url,
            status=int(http.get_statuscode()),
            headers=tuple((key, value) for key, value in http.headers if key.lower() != "transfer-encoding"),
            raw_body=body,
            fetched_at=captured,
        )

    return answer


def _body_of(record: Any) -> bytes:
    """A record's body before content decoding; some crawlers keep the chunks of the wire, and others keep only their header."""
    if "chunked" in (record.http_headers.get_header("transfer-encoding") or "").lower():
        return bytes(ChunkedDataReader(record.raw_stream, decomp_type=None).read())
    return bytes(record.raw_stream.read())


def _record_at(file: BinaryIO, offset: int) -> Any:
    file.seek(offset)
    return next(ArchiveIterator(file))
