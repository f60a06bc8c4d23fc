"""The archive: durable, whole or absent, readable by others, and every fault named with its place."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator as OtherReader
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from library.archive import Answer, Archive, ArchiveError, Kept
from library.page import PageRef
from library.store.store import Store

NIGHT = datetime(2026, 3, 2, 18, 30, tzinfo=UTC)


@pytest.fixture
def archive(tmp_path: Path, store: Store) -> Iterator[Archive]:
    yield Archive(tmp_path / "archive", store)


def answer(body: bytes, number: int = 0, **more: object) -> Answer:
    fields: dict[str, object] = {
        "source": "us_cpsc",
        "kind": "list",
        "url": f"https://example.org/recalls?page={number}",
        "status": 200,
        "headers": (("Content-Type", "application/json"),),
        "raw_body": body,
        "fetched_at": NIGHT + timedelta(seconds=number),
    }
    return Answer(**(fields | more))  # type: ignore[arg-type]


def keep(archive: Archive, *answers: Answer, run: int = 1) -> list[Kept]:
    with archive.writer(run, "us_cpsc", NIGHT) as writer:
        return [future.result() for future in [writer.add(one) for one in answers]]


def only_file(archive: Archive) -> Path:
    return next(archive.folder.rglob("*.warc.gz"))


def test_a_page_comes_back_as_it_was_kept(archive: Archive) -> None:
    asked = answer(b"[1]", method="POST", request_body=b'{"page": 1}', carry={"published": "2026年3月2日"})

    kept = keep(archive, asked)[0]

    back = archive.get(kept.page.ref or PageRef("", 0, 0))
    assert (back.body, back.method, back.request_body, back.carry) == (b"[1]", "POST", b'{"page": 1}', asked.carry)
    assert back == kept.page


def test_a_compressed_body_is_archived_as_sent_and_read_decoded(archive: Archive) -> None:
    sent = gzip.compress(b"[1]" * 100)
    kept = keep(archive, answer(sent, headers=(("Content-Encoding", "gzip"),)))[0]

    with only_file(archive).open("rb") as file:
        responses = [record.raw_stream.read() for record in ArchiveIterator(file) if record.rec_type == "response"]

    assert responses == [sent]
    assert kept.page.body == b"[1]" * 100


def test_a_body_that_does_not_unpack_is_kept_as_sent_with_the_reason(archive: Archive) -> None:
    kept = keep(archive, answer(b"no gzip at all", headers=(("Content-Encoding", "gzip"),)))[0]

    assert "not gzip" in kept.fault
    assert kept.page.body == b"no gzip at all"


def test_a_body_that_unpacks_to_more_than_allowed_is_kept_and_not_read(archive: Archive) -> None:
    bomb = gzip.compress(bytes(4_000_000))
    with archive.writer(1, "us_cpsc", NIGHT, limit_bytes=1_000_000) as writer:
        kept = writer.add(answer(bomb, headers=(("Content-Encoding", "gzip"),))).result()

    assert "more than the 1,000,000 bytes allowed" in kept.fault
    assert kept.page.body == bomb


def test_the_same_body_again_is_a_revisit_and_reads_the_same(archive: Archive) -> None:
    first, second = keep(archive, answer(b"[1]", 1), answer(b"[1]", 2))

    with only_file(archive).open("rb") as file:
        kinds = [record.rec_type for record in ArchiveIterator(file)]

    assert kinds == ["warcinfo", "response", "revisit"]
    assert archive.get(second.page.ref or PageRef("", 0, 0)).body == first.page.body
    assert archive.check() == []


def test_another_reader_opens_the_archive(archive: Archive) -> None:
    keep(archive, answer(b"[1]", 1), answer(b"[2]", 2), answer(b"[1]", 3))

    with only_file(archive).open("rb") as file:
        read = [
            (record.headers["WARC-Target-URI"], record.reader.read())
            for record in OtherReader(file)
            if record.http_headers
        ]

    assert [body for _, body in read] == [b"[1]", b"[2]", b""]
    assert read[0][0] == "https://example.org/recalls?page=1"


@given(share=st.floats(0, 1, exclude_max=True), seed=st.integers(0, 2**32))
@settings(max_examples=120, deadline=None)
def test_every_cut_and_every_flipped_bit_is_found_and_the_neighbours_stay_readable(
    share: float, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damage")
    store = Store(f"sqlite:///{folder / 'store.sqlite'}")
    archive = Archive(folder / "archive", store)
    kept = keep(archive, *(answer(random.Random(number).randbytes(60), number) for number in range(4)))
    path, whole = only_file(archive), only_file(archive).read_bytes()
    place = int(share * len(whole))

    path.write_bytes(whole[:place])
    cut = archive.check()
    flipped = bytearray(whole)
    flipped[place] ^= 1 << (seed % 8)
    path.write_bytes(flipped)
    flip = archive.check()
    readable = [
        page
        for page in kept
        if page.page.ref and not page.page.ref.offset <= place < page.page.ref.offset + page.page.ref.length
    ]

    assert cut
    assert flip or bytes(flipped) == whole or _is_blind_spot(whole, bytes(flipped))
    assert all(archive.get(page.page.ref or PageRef("", 0, 0)).body == page.page.body for page in readable)
    store.close()


def _is_blind_spot(whole: bytes, flipped: bytes) -> bool:
    """A flip in a gzip header's time or flags changes no content: every record unpacks to the same bytes."""
    with gzip.open(BytesIO(whole)) as one, gzip.open(BytesIO(flipped)) as other:
        return one.read() == other.read()


def test_a_torn_tail_is_cut_off_and_a_whole_record_that_was_not_indexed_is_indexed(
    archive: Archive, store: Store
) -> None:
    keep(archive, answer(b"[1]", 1), answer(b"[2]", 2))
    with store.write() as transaction:
        transaction.do("DELETE FROM page WHERE id = 2")
    with only_file(archive).open("ab") as file:
        file.write(gzip.compress(b"WARC/1.1\r\nWARC-Type: response\r\n")[:20])

    healed = archive.repair("us_cpsc")

    assert len(healed) == 2
    assert archive.check() == []
    assert store.pages.in_run(0) == {"fetched": 1}


def test_a_missing_file_is_named(archive: Archive) -> None:
    kept = keep(archive, answer(b"[1]"))[0]
    only_file(archive).unlink()

    with pytest.raises(ArchiveError, match=r"us_cpsc-.*at byte"):
        archive.get(kept.page.ref or PageRef("", 0, 0))
    assert [fault.reason for fault in archive.check()] == ["the file is missing"]


def test_a_body_that_was_too_large_to_read_when_it_came_is_too_large_when_it_is_read_again(archive: Archive) -> None:
    bomb = gzip.compress(bytes(4_000_000))
    kept = keep(archive, answer(bomb, headers=(("Content-Encoding", "gzip"),)))[0]

    page, fault = archive.read(kept.page.ref or PageRef("", 0, 0), 1_000_000)

    assert "more than the 1,000,000 bytes allowed" in fault
    assert page.body == bomb
