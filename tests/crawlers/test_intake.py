"""Intake: what people hand in is read once, in the order it was captured; what nobody reads is named with its reason."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastwarc.warc import WarcRecord as OtherRecord
from fastwarc.warc import WarcRecordType as OtherType
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

import crawlers.crawl
from crawlers.crawl import lease
from crawlers.intake import ImportReport, import_paths, watch_folder
from library.archive import Archive
from library.settings import Settings, sources_folder
from library.source import load_source
from library.store.store import Store

AT = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
API = "https://www.saferproducts.gov/RestWebServices/Recall?format=json"
SOURCES = {
    name: load_source(sources_folder() / jurisdiction / f"{rest}.toml")
    for name, jurisdiction, rest in (("us_cpsc", "us", "cpsc"), ("eu_rasff", "eu", "rasff"))
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def handed(tmp_path: Path) -> Path:
    """A folder of somebody else's."""
    folder = tmp_path / "handed"
    folder.mkdir()
    return folder


def recall(number: str, title: str = "Star lantern") -> bytes:
    row = {"RecallID": 9, "RecallNumber": number, "RecallDate": "2026-10-01T00:00:00", "Title": title}
    return json.dumps([row]).encode()


def url(number: int) -> str:
    return f"{API}&RecallDateStart=2026-10-01&RecallDateEnd=2026-10-{number:02d}"


def row(file: str, number: int = 1, **more: Any) -> dict[str, Any]:
    fields = {"file": file, "source": "us_cpsc", "url": url(number), "status": 200, "content_type": "application/json"}
    return fields | {"captured": "2026-10-02", "form": "original"} | more


def lay(folder: Path, rows: list[Any], **files: bytes) -> Path:
    """Lay files and their manifest into a folder."""
    for name, body in files.items():
        (folder / name).write_bytes(body)
    lines = [one if isinstance(one, str) else json.dumps(one) for one in rows]
    (folder / "MANIFEST.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def take(settings: Settings, store: Store, *paths: Path) -> ImportReport:
    return import_paths(settings, store, SOURCES, paths, at=AT)


def log(store: Store) -> list[tuple[str, str, str]]:
    return [(change.record_id, change.action, change.origin.value) for change in store.changes(0)]


def reasons(report: ImportReport) -> dict[str, str]:
    return {one.file: one.reason for one in report.unrouted}


def test_a_folder_is_read_by_its_manifest_as_backfill_and_a_second_time_changes_nothing(
    settings: Settings, store: Store, handed: Path
) -> None:
    lay(handed, [row("a", 1), row("b", 2)], a=recall("27001"), b=recall("27002"))

    take(settings, store, handed)
    first = log(store)
    again = take(settings, store, handed)

    assert first == [("us_cpsc:27001", "added", "backfill"), ("us_cpsc:27002", "added", "backfill")]
    assert log(store) == first
    assert again.rows()[0]["pages"] == {"unchanged": 2}
    assert Archive(settings.archive, store).check() == []


def test_the_oldest_capture_goes_first_so_that_the_newest_words_stand(
    settings: Settings, store: Store, handed: Path
) -> None:
    rows = [row("new", captured="2026-10-05"), row("old", captured="2026-10-01"), row("undated", captured="")]
    lay(handed, rows, new=recall("27001", "New"), old=recall("27001", "Old"), undated=recall("27001", "Undated"))

    take(settings, store, handed)
    take(settings, store, handed)

    record = store.get("us_cpsc:27001")
    assert record is not None and record.titles[0].value == "New"
    assert [version.record.titles[0].value for version in reversed(store.versions(record.id))] == [
        "Undated",
        "Old",
        "New",
    ]


def test_what_no_source_reads_is_named_with_its_reason_and_the_rest_is_read(
    settings: Settings, store: Store, handed: Path
) -> None:
    (handed.parent / "outside").write_bytes(recall("27666"))
    (handed / "link").symlink_to(handed.parent / "outside")
    rows = [
        *(
            row("good", 1),
            row("missing", 2),
            row("../outside", 3),
            row("link", 4),
            row(str(handed.parent / "outside"), 5),
        ),
        *(
            row("good", 6, source="nobody", url="https://x.example/"),
            row("good", 7, url=""),
            row("good", url="https://x.example/"),
        ),
        *(
            row("good", 8, form="extract"),
            "{not json",
            "[1]",
            '"text"',
            "null",
            row("", 9),
            row("good", 10, status="many"),
        ),
        *(
            row("good", 11, url=["a"]),
            row("good", 12) | {"file": None},
            row("good", 13, captured=None),
            row("good", 14, status=None),
            "",
        ),
    ]
    lay(handed, rows, good=recall("27001"))

    report = take(settings, store, handed)

    assert {record.id for record in store.all_records()} == {"us_cpsc:27001"}
    found = reasons(report)
    assert "missing" in found["missing"] and "outside" in found["../outside"] and "outside" in found["link"]
    assert "outside" in found[str(handed.parent / "outside")]
    assert sum(line.startswith("MANIFEST.jsonl line") for line in found) == 7
    assert all(len(one.reason) > 10 for one in report.unrouted)
    tally = report.tallies["us_cpsc"].counts
    pages = sum(count for name, count in tally.items() if name.startswith("pages."))
    assert pages + len(report.unrouted) == len(rows) - 1  # the empty line


def test_a_manifest_below_the_folder_is_not_followed(settings: Settings, store: Store, handed: Path) -> None:
    below = handed / "below"
    below.mkdir()
    lay(below, [row("b", 2)], b=recall("27002"))
    lay(handed, [row("a", 1)], a=recall("27001"))

    take(settings, store, handed)

    assert {record.key for record in store.all_records()} == {"27001"}


def test_two_files_of_one_answer_are_two_pages(settings: Settings, store: Store, handed: Path) -> None:
    lay(handed, [row("a"), row("b")], a=recall("27001"), b=recall("27002"))

    report = take(settings, store, handed)

    assert {record.key for record in store.all_records()} == {"27001", "27002"}
    assert report.rows()[0]["pages"] == {"read": 2}


# WARC files of others

HTTP = [("Content-Type", "application/json"), ("Server", "x")]


def by_warcio(path: Path, *, packed: bool) -> Path:
    """A file with a response, a revisit of it, one in chunks, and records that are no pages."""
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=packed)
        writer.write_record(writer.create_warcinfo_record("x", {"software": "another"}))

        def add(number: int, body: bytes, kind: str = "response", headers: list[tuple[str, str]] = HTTP) -> Any:
            http = StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1")
            ours = {"WARC-Date": f"2026-10-0{number}T00:00:00Z"}
            record = writer.create_warc_record(
                url(number), kind, io.BytesIO(body), http_headers=http, warc_headers_dict=ours
            )
            writer.write_record(record)
            return record

        first = add(1, recall("27001"))
        digest = first.rec_headers["WARC-Payload-Digest"]
        http = StatusAndHeaders("200 OK", HTTP, protocol="HTTP/1.1")
        writer.write_record(
            writer.create_revisit_record(url(2), digest, url(1), "2026-10-01T00:00:00Z", http_headers=http)
        )
        body = recall("27003")
        chunks = (
            f"{10:x}\r\n".encode() + body[:10] + f"\r\n{len(body) - 10:x}\r\n".encode() + body[10:] + b"\r\n0\r\n\r\n"
        )
        add(3, chunks, headers=[*HTTP, ("Transfer-Encoding", "chunked")])
        add(4, b"", "request")
        lost = writer.create_revisit_record(
            url(5), "sha1:" + "A" * 32, url(9), "2026-10-01T00:00:00Z", http_headers=http
        )
        writer.write_record(lost)
        other = writer.create_warc_record("https://elsewhere.example/", "response", io.BytesIO(b"x"), http_headers=http)
        writer.write_record(other)
    return path


def by_fastwarc(path: Path) -> Path:
    with path.open("wb") as file:
        for number, key in ((1, "27001"), (2, "27002")):
            record = OtherRecord()
            record.init_headers(record_type=OtherType.response)
            record.headers["WARC-Target-URI"] = url(number)
            record.headers["WARC-Date"] = f"2026-10-0{number}T00:00:00Z"
            record.headers["Content-Type"] = "application/http; msgtype=response"
            record.set_bytes_content(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + recall(key))
            record.write(file, checksum_data=True)
    return path


@pytest.mark.parametrize("packed", [True, False], ids=["gzip", "plain"])
def test_a_warc_file_by_warcio_is_read_with_its_revisits_and_chunks(
    packed: bool, settings: Settings, store: Store, handed: Path
) -> None:
    path = by_warcio(handed / ("x.warc.gz" if packed else "x.warc"), packed=packed)

    report = take(settings, store, path)
    first = log(store)
    take(settings, store, path)

    assert {record.key for record in store.all_records()} == {"27001", "27003"}
    assert report.rows()[0]["pages"] == {"read": 3}
    assert sorted(one.reason for one in report.unrouted) == [
        "a revisit of a body that the file lacks",
        "no source's URL patterns fit",
    ]
    assert log(store) == first


def test_a_warc_file_by_fastwarc_is_read(settings: Settings, store: Store, handed: Path) -> None:
    take(settings, store, by_fastwarc(handed / "x.warc"))

    assert {record.key for record in store.all_records()} == {"27001", "27002"}


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
def test_a_warc_file_that_was_cut_is_read_as_far_as_it_goes_and_named(
    cut: float, settings: Settings, store: Store, handed: Path
) -> None:
    path = by_warcio(handed / "x.warc.gz", packed=True)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * cut)])

    report = take(settings, store, path)

    assert {record.key for record in store.all_records()} <= {"27001", "27003"}
    assert report.unrouted or cut < 0.4 or len(report.rows()[0]["pages"]) > 0


@pytest.mark.parametrize(
    "body", [b"", b"\x1f\x8b\x08", b"no warc at all", b"WARC/1.0\r\n", b"WARC/1.1\r\nWARC-Type: response\r\n\r\n"]
)
def test_a_file_that_is_no_warc_ends_no_import(body: bytes, settings: Settings, store: Store, handed: Path) -> None:
    (handed / "bad.warc").write_bytes(body)
    good = by_fastwarc(handed / "good.warc")

    take(settings, store, handed / "bad.warc", good)

    assert {record.key for record in store.all_records()} == {"27001", "27002"}


def test_a_warc_record_without_a_date_is_named_and_the_others_are_read(
    settings: Settings, store: Store, handed: Path
) -> None:
    path = by_fastwarc(handed / "x.warc")
    path.write_bytes(
        path.read_bytes().replace(b"WARC-Date: 2026-10-01T00:00:00Z\r\n", b"WARC-Note: 2026-10-01T00:00:00Z\r\n")
    )

    report = take(settings, store, path)

    assert {record.key for record in store.all_records()} == {"27001", "27002"} or len(report.unrouted) == 1


# The watched folder

HEADER = (
    "Date of Case,Reference,Notification From,Country Origin,Product,Product Category,Hazard Substance,Hazard Category"
)


def sheet(*rows: tuple[str, str]) -> bytes:
    lines = [
        f"01-11-2026,{key},Italy,China,{product},Food contact materials,Melamine,Migration" for key, product in rows
    ]
    return ("\r\n".join([HEADER, *lines]) + "\r\n").encode()


def watched(settings: Settings, name: str, body: bytes, *, age_s: float = 60) -> Path:
    """Lay a sheet into the watched folder, as somebody did so many seconds ago."""
    folder = settings.intake / "eu_rasff"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(body)
    os.utime(folder / name, (AT.timestamp() - age_s,) * 2)
    return folder / name


@pytest.fixture
def rounds(settings: Settings, store: Store) -> Iterator[Any]:
    def look(at: datetime = AT) -> list[str]:
        return [file.name for file, _ in watch_folder(settings, store, SOURCES, at=at)]

    yield look


def test_a_sheet_is_read_once_moved_and_its_second_version_is_news(
    settings: Settings, store: Store, rounds: Any
) -> None:
    first = watched(settings, "export.csv", sheet(("2026.0001", "Spoon"), ("2026.0002", "Plate")))

    assert rounds() == ["export.csv"]
    assert rounds() == []
    assert not first.exists()
    assert len(list((first.parent / "done").iterdir())) == 1
    assert {origin for _, _, origin in log(store)} == {"backfill"}

    watched(settings, "export.csv", sheet(("2026.0001", "Spoon"), ("2026.0002", "Big plate"), ("2026.0003", "Cup")))
    rounds(AT + timedelta(minutes=1))

    assert log(store)[2:] == [("eu_rasff:2026.0002", "amended", "crawl"), ("eu_rasff:2026.0003", "added", "crawl")]
    assert [run.verdict for run in store.runs.of("eu_rasff")] == ["good", "good"]


def test_the_same_sheet_under_another_name_changes_nothing(settings: Settings, store: Store, rounds: Any) -> None:
    watched(settings, "one.csv", sheet(("2026.0001", "Spoon")))
    rounds()
    known = log(store)

    watched(settings, "two.csv", sheet(("2026.0001", "Spoon")))
    rounds(AT + timedelta(minutes=1))

    assert log(store) == known


def test_a_file_that_is_still_being_copied_waits(settings: Settings, store: Store, rounds: Any) -> None:
    watched(settings, "export.csv", sheet(("2026.0001", "Spoon"))[:120], age_s=0.5)
    watched(settings, ".hidden", b"x")

    assert rounds() == []
    assert store.counts() == {}


@pytest.mark.parametrize(
    "body", [b"", b"\x00" * 500, b"PK\x03\x04broken", b"Name,Price\r\nSpoon,3\r\n", b"<html>error</html>"]
)
def test_a_sheet_that_is_none_is_moved_too_and_the_board_says_why(
    body: bytes, settings: Settings, store: Store, rounds: Any
) -> None:
    watched(settings, "export.csv", body)

    assert rounds() == ["export.csv"]
    assert rounds() == []
    run = store.runs.of("eu_rasff")[0]
    assert run.verdict not in ("good", "quiet", None)
    assert store.counts() == {}


def test_a_source_that_is_busy_keeps_its_sheet_and_holds_up_no_other(
    settings: Settings, store: Store, monkeypatch: Any
) -> None:
    monkeypatch.setattr(crawlers.crawl, "LEASE_WAIT_S", 0.1)
    kept = watched(settings, "export.csv", sheet(("2026.0001", "Spoon")))
    folder = settings.intake / "us_cpsc"
    folder.mkdir()
    (folder / "list.json").write_bytes(recall("27001"))
    os.utime(folder / "list.json", (AT.timestamp() - 60,) * 2)

    with lease(settings.home, "eu_rasff"):
        taken = watch_folder(settings, store, dict(reversed(SOURCES.items())), at=AT)

    assert kept.exists()
    assert [file.name for file, _ in taken] == ["list.json"]
