"""Importing a folder with a manifest, against raw sqlite3 inserts of the same payloads with the same durability."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import orjson

from benchmarks.figure import Figure, cpu_seconds
from benchmarks.practice_pages import pages, practice_sources, practice_world
from crawlers.intake import MANIFEST, ImportReport, import_paths
from library.page import Page
from library.record import encode
from library.settings import Settings
from library.source import Source
from library.store.store import Store
from library.times import now


def figures(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Records a second and core."""
    records, rounds = (60, 1) if quick else (400, 3)
    sources = practice_sources()
    world = practice_world(records)
    handed_in = folder / "handed-in"
    found_pages = [page for source in sources.values() for page in pages(source, world)]
    _write(handed_in, found_pages)
    ours, peer, waited = [], [], []
    payloads: list[tuple[str, str]] = []
    for number in range(rounds):
        home = folder / f"home-{number}"
        home.mkdir()
        started = perf_counter()
        ours.append(cpu_seconds(lambda: _imported(home, sources, handed_in)))  # noqa: B023 - called at once
        waited.append(perf_counter() - started)
        payloads = _payloads(home)
        a_page = max(1, len(payloads) // len(found_pages))
        peer.append(cpu_seconds(lambda: _insert(home / "peer.sqlite", payloads, a_page)))  # noqa: B023 - called at once
    found = len(payloads)
    yield Figure(
        name="importing_against_raw_inserts",
        value=median(bare / own for bare, own in zip(peer, ours, strict=True)),
        details=f"ours={found / median(ours):.0f}_records/s_per_core,{found / median(waited):.0f}/s_on_the_wall "
        f"bare={found / median(peer):.0f}/s",
        n=f"{found}_records,{len(found_pages)}_pagesx{rounds}",
    )


def _write(folder: Path, found: Sequence[Page]) -> None:
    folder.mkdir()
    rows = []
    for number, page in enumerate(found):
        (folder / f"{number}.page").write_bytes(page.body)
        rows.append(
            {
                "file": f"{number}.page",
                "source": page.source,
                "url": page.url,
                "status": page.status,
                "content_type": page.headers.get("content-type", ""),
                "captured": page.fetched_at.isoformat(),
                "method": page.method,
                "request_body": page.request_body.decode("utf-8"),
            }
        )
    (folder / MANIFEST).write_bytes(b"\n".join(map(orjson.dumps, rows)))


def _imported(home: Path, sources: dict[str, Source], handed_in: Path) -> ImportReport:
    settings = Settings(home=home, database_url="", engine="tantivy")
    store = Store(settings.database)
    report = import_paths(settings, store, sources, [handed_in], at=now())
    store.close()
    if report.unrouted:
        raise RuntimeError(f"a page was not read: {report.unrouted[0]}")
    return report


def _payloads(home: Path) -> list[tuple[str, str]]:
    store = Store(f"sqlite:///{home / 'store.sqlite'}")
    found = [(record.id, encode(record)) for record in store.all_records(limit=1_000_000)]
    store.close()
    return found


def _insert(path: Path, payloads: Sequence[tuple[str, str]], a_page: int) -> None:
    """Insert payloads, as many a transaction as a page holds."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=wal; PRAGMA synchronous=full; CREATE TABLE record (id TEXT PRIMARY KEY, payload TEXT)"
    )
    for start in range(0, len(payloads), a_page):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO record VALUES (?, ?)", payloads[start : start + a_page])
        connection.execute("COMMIT")
    connection.close()
