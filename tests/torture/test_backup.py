"""A backup holds one moment of a library that goes on working, and a file that lies is refused with a sentence."""

from __future__ import annotations

import io
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from library.archive import Answer, Archive
from library.backup import MANIFEST, BackupError, check_backup, restore_backup, write_backup
from library.page import Outcome
from library.record import Coded, Kind, Record, Text
from library.store.pages import Reading
from library.store.store import Origin, SeenPage, Sighting, Store
from tests.crawlers.crawls import library

NIGHT = datetime(2026, 3, 2, 18, 30, tzinfo=UTC)


def answer(number: int) -> Answer:
    return Answer(
        source="us_cpsc",
        kind="list",
        url=f"https://example.org/recalls?page={number}",
        status=200,
        headers=(("Content-Type", "text/html"),),
        raw_body=f"<p>recall {number}</p>".encode() * 50,
        fetched_at=NIGHT,
    )


def recall(number: int) -> Record:
    return Record(
        source="us_cpsc",
        key=f"{number:05}",
        kind=Kind.RECALL,
        jurisdictions=(Coded(printed="US", code="US"),),
        titles=(Text(language="en", value=f"Balloons {number} – 气球"),),
    )


def keep_night(store: Store, archive: Archive, pages: range) -> None:
    """Archive some pages and keep a record of each, as a crawl does."""
    run = store.runs.start("us_cpsc", origin="crawl", live=False, at=NIGHT, process=1)
    with archive.writer(run, "us_cpsc", NIGHT) as writer:
        for number in pages:
            kept = writer.add(answer(number)).result()
            seen = SeenPage(id=kept.page_id, url_key=f"address{number}", fetched_at=NIGHT)
            with store.write() as transaction:
                sightings = [Sighting(record=recall(number))]
                store.put_many(transaction, sightings, seen, origin=Origin.CRAWL, at=NIGHT)
                store.pages.finish(transaction, kept.page_id, kept.page, Reading(outcome=Outcome.READ, drafts=1))
    store.runs.end(run, verdict="good", reason="", counts={"drafts": len(pages)}, at=NIGHT)


def tables(store: Store) -> dict[str, Sequence[Mapping[str, Any]]]:
    """Every row of every table, in the order of their first columns."""
    with store.read() as transaction:
        return {
            table: transaction.rows(
                f"SELECT * FROM {table} ORDER BY 1, 2" if len(columns) > 1 else f"SELECT * FROM {table}"
            )
            for table, columns in store.tables.items()
        }


def hashes(folder: Path) -> dict[str, str]:
    """What the files below a folder hold."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}


def opened(home: Path) -> Store:
    return Store(f"sqlite:///{home / 'store.sqlite'}")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Store]:
    """The store of a small library; its archive is beside it."""
    store = opened(tmp_path / "small")
    keep_night(store, Archive(tmp_path / "small" / "archive", store), range(20))
    yield store
    store.close()


@pytest.fixture
def backup(tmp_path: Path, small: Store) -> Path:
    """The backup of the small library."""
    write_backup(small, tmp_path / "small" / "archive", tmp_path / "backup.tar", at=NIGHT)
    return tmp_path / "backup.tar"


def test_a_backup_made_while_a_crawl_runs_holds_one_moment_of_it(tmp_path: Path) -> None:
    with library(tmp_path / "home", records=200) as crawled, ThreadPoolExecutor() as pool, crawled.store() as store:
        crawled.site.delay_s = 0.1
        crawl = pool.submit(crawled.crawl, "eu_safety_gate")
        until(lambda: len(store.pages.by_file()) > 0 and store.head() > 3)
        write_backup(store, crawled.home / "archive", tmp_path / "amid.tar", at=NIGHT)
        assert not crawl.done()
        crawled.site.delay_s = 0.0
        assert crawl.result().verdict == "good"
        final = {record.id: record for record in store.all_records()}

    home = tmp_path / "restored"
    restored = opened(home)
    summary = restore_backup(tmp_path / "amid.tar", restored, home / "archive")

    assert 0 < summary.rows["record"] < len(final)
    assert {record.id for record in restored.all_records()} < final.keys()
    assert agrees_with_itself(restored)
    assert Archive(home / "archive", restored).check() == []
    restored.close()


def test_a_restored_library_holds_the_same_rows_and_files_on_either_database(
    tmp_path: Path, small: Store, backup: Path, empty_database: str
) -> None:
    server, again = Store(empty_database), opened(tmp_path / "again")
    restore_backup(backup, server, tmp_path / "on-server")
    write_backup(server, tmp_path / "on-server", tmp_path / "second.tar", at=NIGHT)
    restore_backup(tmp_path / "second.tar", again, tmp_path / "again" / "archive")

    assert tables(server) == tables(small)
    assert tables(again) == tables(small)
    assert (
        hashes(tmp_path / "on-server")
        == hashes(tmp_path / "again" / "archive")
        == hashes(tmp_path / "small" / "archive")
    )
    for one in (server, again):
        one.close()


def test_a_restored_library_goes_on_from_where_it_was(tmp_path: Path, backup: Path, any_store: Store) -> None:
    folder = tmp_path / "elsewhere"
    restore_backup(backup, any_store, folder)

    keep_night(any_store, Archive(folder, any_store), range(15, 25))

    assert sum(any_store.counts().values()) == 25
    assert any_store.head() == 25
    assert agrees_with_itself(any_store)
    assert Archive(folder, any_store).check() == []


def test_a_backup_of_a_server_that_is_written_to_holds_one_moment(tmp_path: Path, empty_database: str) -> None:
    server = Store(empty_database)
    archive = Archive(tmp_path / "archive", server)
    keep_night(server, archive, range(3))
    stop = threading.Event()

    def go_on() -> None:
        number = 100
        while not stop.is_set():
            keep_night(server, archive, range(number, number + 5))
            number += 5

    with ThreadPoolExecutor() as pool:
        going_on = pool.submit(go_on)
        before = server.head()
        for number in range(3):
            write_backup(server, archive.folder, tmp_path / f"{number}.tar", at=NIGHT)
        after = server.head()
        stop.set()
        going_on.result()
    server.close()

    assert after > before
    for number in range(3):
        restored = opened(tmp_path / f"restored-{number}")
        restore_backup(tmp_path / f"{number}.tar", restored, tmp_path / f"restored-{number}" / "archive")
        assert agrees_with_itself(restored)
        restored.close()


def test_a_backup_goes_only_into_an_empty_library(tmp_path: Path, small: Store, backup: Path) -> None:
    before = tables(small)

    with pytest.raises(BackupError, match="not empty"):
        restore_backup(backup, small, tmp_path / "elsewhere")

    assert tables(small) == before
    assert not (tmp_path / "elsewhere").exists()


def test_a_backup_cut_short_anywhere_is_refused(tmp_path: Path, backup: Path) -> None:
    whole = backup.read_bytes()
    cut = tmp_path / "cut.tar"
    for length in range(0, backup_end(backup), len(whole) // 60):
        cut.write_bytes(whole[:length])
        assert refusal(cut)


def test_a_flipped_bit_in_a_table_or_an_archived_file_is_named(tmp_path: Path, backup: Path) -> None:
    with tarfile.open(backup) as tar:
        places = {member.name: member.offset_data + member.size // 2 for member in tar if member.size}
    flipped = tmp_path / "flipped.tar"
    for name, place in places.items():
        content = bytearray(backup.read_bytes())
        content[place] ^= 4
        flipped.write_bytes(content)
        said = refusal(flipped)
        assert name in said or name == MANIFEST, said


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("/etc/ttm", tarfile.REGTYPE),
        ("archive/../../ttm", tarfile.REGTYPE),
        ("../ttm", tarfile.REGTYPE),
        ("archive/link.warc.gz", tarfile.SYMTYPE),
        ("archive/link.warc.gz", tarfile.LNKTYPE),
        ("archive/device.warc.gz", tarfile.CHRTYPE),
        ("archive/pipe.warc.gz", tarfile.FIFOTYPE),
        ("archive/folder", tarfile.DIRTYPE),
    ],
)
def test_a_member_that_would_reach_outside_is_refused(tmp_path: Path, backup: Path, name: str, kind: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, "/etc/passwd"
    content = b"" if kind != tarfile.REGTYPE else b"hostile"
    hostile = rewritten(backup, tmp_path / "hostile.tar", more=[(member, content)])

    assert "no place in a backup" in refusal(hostile)
    assert_nothing_is_restored(tmp_path, hostile)


def test_a_member_that_stands_there_twice_is_refused(tmp_path: Path, backup: Path) -> None:
    twice = rewritten(
        backup, tmp_path / "twice.tar", more=[(tarfile.TarInfo("tables/watch.jsonl"), b"{}\n")], first=True
    )

    assert "twice" in refusal(twice)
    assert_nothing_is_restored(tmp_path, twice)


@pytest.mark.parametrize("table", ["surprise", "record; DROP TABLE record", "record WHERE 1=0 UNION SELECT 1"])
def test_a_table_that_we_do_not_know_is_refused(tmp_path: Path, backup: Path, table: str) -> None:
    member = tarfile.TarInfo(f"tables/{table}.jsonl")
    strange = rewritten(backup, tmp_path / "strange.tar", more=[(member, b"")], rows={table: 0})

    assert_nothing_is_restored(tmp_path, strange, match="tables we do not know")


@pytest.mark.parametrize("name", ["tables/surprise.jsonl", "tables/more/record.jsonl"])
def test_a_table_that_the_list_does_not_count_is_refused(tmp_path: Path, backup: Path, name: str) -> None:
    uncounted = rewritten(backup, tmp_path / "uncounted.tar", more=[(tarfile.TarInfo(name), b"{}\n")])

    assert_nothing_is_restored(tmp_path, uncounted, match=f"does not count the rows of {name}")


def test_a_file_that_is_no_backup_is_refused(tmp_path: Path) -> None:
    for number, content in enumerate((b"", b"no tar at all", b"\x1f\x8b\x08 no gzip either", b"\0" * 10240)):
        path = tmp_path / f"{number}.tar"
        path.write_bytes(content)
        assert refusal(path)


def rewritten(
    backup: Path,
    target: Path,
    *,
    more: list[tuple[tarfile.TarInfo, bytes]],
    rows: Mapping[str, int] | None = None,
    first: bool = False,
) -> Path:
    """A backup with more members, whose list agrees with them as a forger would see to. first: before the others."""
    with tarfile.open(backup) as tar, tarfile.open(target, "w") as forged:
        members = [(member, _content(tar, member)) for member in tar]
        listed = orjson.loads(next(content for member, content in members if member.name == MANIFEST))
        for member, content in more:
            member.size = len(content)
            listed["sha256"].setdefault(member.name, sha256(content).hexdigest())
        listed["rows"] |= rows or {}
        rest = [(member, content) for member, content in members if member.name != MANIFEST]
        for member, content in [*more, *rest] if first else [*rest, *more]:
            forged.addfile(member, io.BytesIO(content))
        manifest = tarfile.TarInfo(MANIFEST)
        content = orjson.dumps(listed)
        manifest.size = len(content)
        forged.addfile(manifest, io.BytesIO(content))
    return target


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None
    return file.read()


def backup_end(backup: Path) -> int:
    """Where the last byte of the last member stands; what follows is padding that nobody needs."""
    with tarfile.open(backup) as tar:
        return max(member.offset_data + member.size for member in tar)


def refusal(backup: Path) -> str:
    """The sentence with which a backup is refused."""
    with pytest.raises(BackupError) as raised:
        check_backup(backup)
    return str(raised.value)


def assert_nothing_is_restored(tmp_path: Path, backup: Path, match: str | None = None) -> None:
    home = tmp_path / "empty"
    empty = opened(home)
    before = tables(empty)
    with pytest.raises(BackupError, match=match):
        restore_backup(backup, empty, home / "archive")
    assert tables(empty) == before
    assert hashes(home / "archive") == {}
    empty.close()


def agrees_with_itself(store: Store) -> bool:
    """Whether log, versions, records and pages speak of the same things."""
    changes = store.changes(0, 100_000)
    with store.read() as transaction:
        versions = transaction.rows("SELECT record_id, version, page_id FROM version")
        pages = {row["id"] for row in transaction.rows("SELECT id FROM page")}
        parts = transaction.rows("SELECT record_id, page_id FROM part")
    return (
        [change.seq for change in changes] == list(range(1, store.head() + 1))
        and {(change.record_id, change.version) for change in changes}
        == {(row["record_id"], row["version"]) for row in versions}
        and {record.id for record in store.all_records(limit=100_000)} == {row["record_id"] for row in parts}
        and {row["page_id"] for row in (*versions, *parts)} <= pages
    )


def until(is_so: Callable[[], bool], within_s: float = 30.0) -> None:
    """Wait for something."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)
