"""Fetch and archive 5 kB JSON pages: our spider against a bare Scrapy spider that only downloads them.

Both ask the same loopback server for the same pages with 16 requests at a time, in child processes, in turn.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from benchmarks.figure import Figure
from crawlers.page import Finding, Follow
from crawlers.spider import SourceSpider
from library.page import Page
from library.record import Kind
from library.settings import PracticeSettings, Settings
from library.source import PageKind, Source, Wording
from library.store.store import Store
from library.times import now

HOST = "pages.example"
PADDING = "x" * 4900


class _Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"" if self.path == "/robots.txt" else orjson.dumps({"path": self.path, "text": PADDING})
        self.send_response(404 if self.path == "/robots.txt" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _serve(pipe: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    pipe.send(server.server_address[1])
    server.serve_forever()


class OurSpider(SourceSpider):
    """Asks for the pages through gate, archive and store, and reads nothing in them."""

    name = "bench_pages"
    page_count = 0

    def begin(self, since: date, today: date) -> Iterator[Follow]:
        for number in range(self.page_count):
            yield Follow(url=f"https://{HOST}/{number}", kind="page")

    def read(self, page: Page) -> Iterable[Finding]:
        return ()


def _ours(port: int, page_count: int, pipe: Connection) -> None:
    from crawlers.crawl import crawl

    OurSpider.page_count = page_count
    source = Source(
        name="bench_pages",
        title=Wording(zh="页", en="pages"),
        publisher=Wording(zh="页", en="pages"),
        home=f"https://{HOST}/",
        jurisdiction="INT",
        language="en",
        kinds=(Kind.RECALL,),
        rights="",
        attribution="",
        hosts=(HOST,),
        pages={"page": PageKind(pattern=".")},
    )
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), database_url="", practice=PracticeSettings(port=port, names=(HOST,)))
        store = Store(settings.database)
        started = time.perf_counter()
        outcomes = crawl(settings, store, source, at=now(), spider=OurSpider)
        seconds = time.perf_counter() - started
        assert outcomes.tally.counts["pages.read"] == page_count, outcomes.tally.counts
        store.close()
    pipe.send(seconds)


def _bare(port: int, page_count: int, pipe: Connection) -> None:
    import scrapy
    from scrapy.crawler import CrawlerProcess

    class Bare(scrapy.Spider):
        name = "bare"
        seen = 0

        async def start(self) -> Any:
            for number in range(page_count):
                yield scrapy.Request(f"http://127.0.0.1:{port}/{number}")

        def parse(self, response: Any) -> None:
            Bare.seen += 1

    started = time.perf_counter()
    settings = {
        "CONCURRENT_REQUESTS": 16,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
        "LOG_ENABLED": False,
        "DOWNLOAD_DELAY": 0,
    }
    process = CrawlerProcess(settings | {"TELNETCONSOLE_ENABLED": False})
    process.crawl(Bare)
    process.start()
    assert Bare.seen == page_count
    pipe.send(time.perf_counter() - started)


def _timed(target: Any, port: int, page_count: int) -> float:
    context = get_context("spawn")
    here, there = context.Pipe()
    child = context.Process(target=target, args=(port, page_count, there))
    child.start()
    seconds = float(here.recv())
    child.join()
    return seconds


def figures(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Pages a second of a whole run, its start and end included."""
    page_count, rounds = (100, 1) if quick else (1000, 5)
    context = get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=_serve, args=(there,), daemon=True)
    server.start()
    port = int(here.recv())
    try:
        pairs = [(_timed(_bare, port, page_count), _timed(_ours, port, page_count)) for _ in range(rounds)]
    finally:
        server.terminate()
    bare, ours = (page_count / median(pair[side] for pair in pairs) for side in (0, 1))
    yield Figure(
        name="fetch_and_archive_against_bare_scrapy",
        value=median(pair[0] / pair[1] for pair in pairs),
        at_least=0.7,
        details=f"ours={ours:.0f}/s bare={bare:.0f}/s",
        n=f"{page_count}x{rounds}",
    )
