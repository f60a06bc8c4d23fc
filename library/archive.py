"""Archive: whole answers as they were sent, in WARC 1.1, durable before anything reads them.

One file a run, one gzip member a record. A body the source has sent before is a `revisit` that refers
to the first. What a later reading needs (the page's kind, what an earlier page knew of it) stands in
fields of ours, 'TTM-…', which other readers pass over. Format: ISO 28500:2017.
"""

from __future__ import annotations

import io
import json
import os
import zlib
from base64 import b32encode, b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha1
from http import HTTPStatus
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import BinaryIO

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from library.content_encoding import EncodedBodyError, decoded
from library.page import Page, PageRef
from library.store.pages import PageRow
from library.store.store import Store
from library.times import instant, stamp

BODY_LIMIT_BYTES = 512 * 1024 * 1024  # of an archived body on the way out; what is crawled has its own, smaller limit
GROUP = 64  # pages that share one fsync at most
GZIP_MAGIC = b"\x1f\x8b\x08"
CHUNK = 1024 * 1024


class ArchiveError(OSError):
    """The archive cannot give what the page index promises. Names the file and the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer as it came over the wire: header lines in their order, body before content decoding."""

    source: str
    kind: str
    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    raw_body: bytes
    fetched_at: datetime
    method: str = "GET"
    request_body: bytes = b""
    carry: Mapping[str, str] = field(default_factory=dict)

    @property
    def payload_digest(self) -> str:
        """sha1 of the body as sent, as WARC files write it."""
        return "sha1:" + b32encode(sha1(self.raw_body, usedforsecurity=False).digest()).decode()

    def page(self, limit_bytes: int) -> Page:
        """The answer as a page with its body decoded. Raises EncodedBodyError."""
        sealed = self.sealed_page()
        return replace(sealed, body=decoded(self.raw_body, sealed.headers.get("content-encoding", ""), limit_bytes))

    def sealed_page(self) -> Page:
        """The answer as a page whose body is still as sent."""
        return Page(
            source=self.source,
            url=self.url,
            kind=self.kind,
            body=self.raw_body,
            fetched_at=self.fetched_at,
            status=self.status,
            method=self.method,
            request_body=self.request_body,
            headers={name.lower(): value for name, value in self.headers},
            carry=self.carry,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An archived page: its number in the page index and itself. fault: why its body was not decoded, '' if it was."""

    page_id: int
    page: Page
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in the archive: file, place in bytes, and what it is."""

    warc: str
    offset: int
    reason: str

    def __str__(self) -> str:
        return f"{self.warc} at byte {self.offset:,}: {self.reason}"


class Archive:
    """The WARC files below a folder, and their index in the store."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder = folder
        self._store = store
        folder.mkdir(parents=True, exist_ok=True)

    def writer(self, run_id: int, source: str, at: datetime, *, limit_bytes: int = BODY_LIMIT_BYTES) -> ArchiveWriter:
        """Begin the file of a run. limit_bytes: of a body after decoding; a larger one is kept and not read."""
        name = f"{source}/{at:%Y}/{source}-{at:%Y%m%dT%H%M%S}-{run_id:06d}.warc.gz"
        return ArchiveWriter(self.folder, name, self._store, run_id, limit_bytes=limit_bytes)

    def get(self, ref: PageRef) -> Page:
        """Read one page back. Raises ArchiveError where the file lacks what the index says."""
        return self.read(ref)[0]

    def read(self, ref: PageRef, limit_bytes: int = BODY_LIMIT_BYTES) -> tuple[Page, str]:
        """Read one page back, and say why its body was not decoded ('' if it was), as when it was kept.

        limit_bytes: of the body after decoding. Raises ArchiveError where the file lacks what the index says.
        """
        try:
            answer, refers_to = self._answer(ref)
            if refers_to is not None:
                original, _ = self._answer(refers_to)
                answer = replace(answer, raw_body=original.raw_body)
        except (OSError, ArchiveLoadFailed, zlib.error, KeyError, ValueError, StopIteration) as error:
            raise ArchiveError(f"{ref.warc} at byte {ref.offset:,}: {error}") from error
        try:
            return replace(answer.page(limit_bytes), ref=ref), ""
        except EncodedBodyError as error:
            return replace(answer.sealed_page(), ref=ref), str(error)

    def pages(self, source: str, limit_bytes: int = BODY_LIMIT_BYTES) -> Iterator[tuple[PageRow, Page, str]]:
        """What a source shows now, the newest capture first, as (row, page, fault).

        The newest read page of each address, and later ones that could not be read.
        """
        for row in self._store.pages.worth_reading(source):
            yield row, *self.read(row.ref, limit_bytes)

    def check(self) -> list[Fault]:
        """Verify every record: gzip member, block and payload digest, and the index's count per file."""
        indexed = self._store.pages.by_file()
        on_disk = self._files()
        faults = []
        for name, path in on_disk.items():
            pages = 0
            for member in _members(path, 0):
                fault = member.fault or _digest_fault(member.content)
                if fault:
                    faults.append(Fault(name, member.offset, fault))
                elif _is_page(member.content):
                    pages += 1
            if pages != indexed.get(name, 0):
                reason = f"{pages} whole pages in the file, {indexed.get(name, 0)} in the page index"
                faults.append(Fault(name, path.stat().st_size, reason))
        faults += [Fault(name, 0, "the file is missing") for name in indexed if name not in on_disk]
        return faults

    def repair(self, source: str) -> list[str]:
        """Heal what killed runs of a source left behind: index whole records the index lacks, cut off a torn tail.

        Says what it did. Whoever calls holds the source's lease: nobody may be writing. Only bytes after the last
        indexed page can be torn: a page is indexed after its bytes are durable.
        """
        done = []
        ends = self._store.pages.ends()
        for name, path in self._files(source).items():
            end = ends.get(name, 0)
            size = path.stat().st_size
            if size == end:
                continue
            whole = end
            for member in _members(path, end):
                if member.fault or _digest_fault(member.content):
                    break
                whole = member.offset + member.length
                if _is_page(member.content):
                    ref = PageRef(name, member.offset, member.length)
                    answer, _ = self._answer(ref)
                    self._store.pages.add([(self.get(ref), ref, answer.payload_digest)], 0)
                    done.append(f"{name}: indexed {answer.url}, which was archived and not yet in the index")
            if whole < size:
                os.truncate(path, whole)
                done.append(f"{name}: cut off {size - whole:,} bytes of a torn record")
        return done

    def _files(self, source: str = "") -> dict[str, Path]:
        found = sorted((self.folder / source).rglob("*.warc.gz"))
        return {path.relative_to(self.folder).as_posix(): path for path in found}

    def _answer(self, ref: PageRef) -> tuple[Answer, PageRef | None]:
        """Read one record; where it is a revisit, also say where the body stands."""
        with (self.folder / ref.warc).open("rb") as file:
            file.seek(ref.offset)
            record = next(ArchiveIterator(io.BytesIO(file.read(ref.length))))
            headers, http = record.rec_headers, record.http_headers
            answer = Answer(
                source=headers["TTM-Source"],
                kind=headers["TTM-Page-Kind"],
                url=headers["WARC-Target-URI"],
                status=int(http.get_statuscode()),
                headers=tuple(http.headers),
                raw_body=record.raw_stream.read(),
                fetched_at=instant(headers["WARC-Date"]),
                method=headers["TTM-Method"],
                request_body=b64decode(headers.get("TTM-Request-Body") or ""),
                carry=json.loads(headers["TTM-Carry"]),
            )
        if record.rec_type != "revisit":
            return answer, None
        warc, offset, length = headers["TTM-Refers-To-Place"].rsplit(" ", 2)
        return answer, PageRef(warc, int(offset), int(length))


class ArchiveWriter:
    """Writes the pages of one run to one file; a thread of its own puts several under one fsync.

    `add` returns a future that is done when the page is durable and indexed. Use as a context manager.
    """

    def __init__(self, folder: Path, name: str, store: Store, run_id: int, *, limit_bytes: int) -> None:
        self._folder, self._name, self._store, self._run_id, self._limit = folder, name, store, run_id, limit_bytes
        self._queue: SimpleQueue[tuple[Answer, Future[Kept]] | None] = SimpleQueue()
        self._file: BinaryIO | None = None
        self._thread = Thread(target=self._work, name="archive", daemon=True)
        self._thread.start()

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, answer: Answer) -> Future[Kept]:
        """Archive one answer. The future raises OSError if the disk did not take it."""
        future: Future[Kept] = Future()
        self._queue.put((answer, future))
        return future

    def close(self) -> None:
        """Write what is waiting and close the file."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _work(self) -> None:
        ends = False
        while not ends and (first := self._queue.get()) is not None:
            group = [first]
            while len(group) < GROUP and not self._queue.empty():
                waiting = self._queue.get()
                if waiting is None:
                    ends = True
                    break
                group.append(waiting)
            try:
                kept = self._keep([answer for answer, _ in group])
            except Exception as error:  # noqa: BLE001 - the outermost frame of a thread: whoever waits is told
                for _, future in group:
                    future.set_exception(error)
            else:
                for (_, future), page in zip(group, kept, strict=True):
                    future.set_result(page)

    def _keep(self, answers: Sequence[Answer]) -> list[Kept]:
        file = self._open()
        pages, faults, refs = [], [], []
        whole: dict[str, tuple[Answer, PageRef]] = {}
        for answer in answers:
            try:
                pages.append(answer.page(self._limit))
                faults.append("")
            except EncodedBodyError as error:
                pages.append(answer.sealed_page())
                faults.append(str(error))
            original = whole.get(answer.payload_digest) or self._original(answer)
            ref = _append(file, self._name, answer, original)
            refs.append(ref)
            if original is None:
                whole[answer.payload_digest] = (answer, ref)
        file.flush()
        os.fsync(file.fileno())
        entries = [(page, ref, answer.payload_digest) for page, ref, answer in zip(pages, refs, answers, strict=True)]
        page_ids = self._store.pages.add(entries, self._run_id)
        return [
            Kept(page_id=page_id, page=replace(page, ref=ref), fault=fault)
            for page_id, page, ref, fault in zip(page_ids, pages, refs, faults, strict=True)
        ]

    def _original(self, answer: Answer) -> tuple[Answer, PageRef] | None:
        if not answer.raw_body:
            return None
        row = self._store.pages.original(answer.source, answer.payload_digest)
        return (replace(answer, url=row.url, fetched_at=row.fetched_at), row.ref) if row else None

    def _open(self) -> BinaryIO:
        if self._file is None:
            path = self._folder / self._name
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab")
            writer = WARCWriter(self._file, gzip=True, warc_version="1.1")
            writer.write_record(writer.create_warcinfo_record(path.name, {"software": "ttm", "format": "WARC/1.1"}))
            for folder in (path.parent, *path.parent.parents):
                _sync_folder(folder)
                if folder == self._folder:
                    break
        return self._file


def _append(file: BinaryIO, name: str, answer: Answer, original: tuple[Answer, PageRef] | None) -> PageRef:
    """Write one answer as one gzip member and say where it stands."""
    writer = WARCWriter(file, gzip=True, warc_version="1.1")
    http = StatusAndHeaders(f"{answer.status} {_phrase(answer.status)}", list(answer.headers), protocol="HTTP/1.1")
    # ASCII JSON: some readers take header lines for UTF-8 and some for Latin-1
    ours = {
        "WARC-Date": stamp(answer.fetched_at),
        "TTM-Source": answer.source,
        "TTM-Page-Kind": answer.kind,
        "TTM-Method": answer.method,
        "TTM-Carry": json.dumps(dict(answer.carry)),
    }
    if answer.request_body:
        ours["TTM-Request-Body"] = b64encode(answer.request_body).decode()
    if original is None:
        record = writer.create_warc_record(
            answer.url, "response", payload=io.BytesIO(answer.raw_body), http_headers=http, warc_headers_dict=ours
        )
    else:
        first, ref = original
        ours["TTM-Refers-To-Place"] = f"{ref.warc} {ref.offset} {ref.length}"
        record = writer.create_revisit_record(
            answer.url, answer.payload_digest, first.url, stamp(first.fetched_at), http, ours
        )
    start = file.tell()
    writer.write_record(record)
    return PageRef(name, start, file.tell() - start)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a synced file whose name is not is lost with the power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class _Member:
    """One gzip member of a file: its place, its content unpacked, and what is wrong with it."""

    offset: int
    length: int
    content: bytes
    fault: str


def _members(path: Path, start: int) -> Iterator[_Member]:
    """Walk the gzip members of a file; after a broken one go on at the next place that looks like one."""
    with path.open("rb") as file:
        size = path.stat().st_size
        offset = start
        while offset < size:
            file.seek(offset)
            inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
            content, used, fault = bytearray(), 0, ""
            try:
                while not inflater.eof and (chunk := file.read(CHUNK)):
                    content += inflater.decompress(chunk)
                    used += len(chunk)
                used -= len(inflater.unused_data)
                if not inflater.eof:
                    fault = "the record is cut short"
            except zlib.error as error:
                fault = f"the record does not unpack: {error}"
            if fault:
                used = _next_magic(file, offset + 1, size) - offset
            yield _Member(offset, used, bytes(content), fault)
            offset += used


def _next_magic(file: BinaryIO, start: int, size: int) -> int:
    """The next place at which a gzip member may begin, the end of the file where there is none."""
    file.seek(start)
    at, tail = start, b""
    while chunk := file.read(CHUNK):
        found = (tail + chunk).find(GZIP_MAGIC)
        if found >= 0:
            return at - len(tail) + found
        at += len(chunk)
        tail = chunk[-2:]
    return size


def _split(content: bytes) -> tuple[dict[str, str], bytes]:
    """The header fields (lower case) and the block of a record."""
    head, _, rest = content.partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "replace").split("\r\n")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return fields, rest


def _is_page(content: bytes) -> bool:
    fields, _ = _split(content)
    return fields.get("warc-type") in ("response", "revisit") and "ttm-source" in fields


def _digest_fault(content: bytes) -> str:
    """What is wrong with an unpacked record, '' if nothing is: version line, length, block and payload digest."""
    if not content.startswith(b"WARC/1.1\r\n"):
        return "no WARC 1.1 record"
    fields, rest = _split(content)
    length = fields.get("content-length", "")
    if not length.isdigit() or len(rest) != int(length) + 4 or not rest.endswith(b"\r\n\r\n"):
        return f"the record holds {len(rest) - 4} bytes and says {length or 'nothing'}"
    block = rest[:-4]
    if fields.get("warc-block-digest", _sha1(block)) != _sha1(block):
        return "the block digest does not fit"
    if fields.get("warc-type") == "response":
        payload = block.partition(b"\r\n\r\n")[2]
        if fields.get("warc-payload-digest") != _sha1(payload):
            return "the payload digest does not fit"
    return ""


def _sha1(content: bytes) -> str:
    return "sha1:" + b32encode(sha1(content, usedforsecurity=False).digest()).decode()
