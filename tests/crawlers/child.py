"""One crawl in a process of its own: Scrapy's reactor runs once per process.

Runs `crawlers.crawl.crawl` itself. Beside the run's outcomes it says which pages were given to the parser, and the
peak memory. `urls` crawls a probe instead of a source: those addresses, read as '<h1>key: title</h1>' pages.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterable
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import crawlers.crawl
import crawlers.spider
from crawlers.page import Draft, Finding, Follow, as_html
from crawlers.reading import PageReading, read_page
from crawlers.settings import scrapy_settings
from crawlers.spider import SourceSpider
from library.console import set_up_logging
from library.page import Page
from library.settings import PracticeSettings, Settings, sources_folder
from library.source import PageKind, Source, Wording, load_source
from library.store.store import Store
from library.times import now

DIED = 9


class Probe(SourceSpider):
    """Reads any page with a heading 'key: title'."""

    name = "xx_probe"
    urls: tuple[str, ...] = ()

    def begin(self, since: date, today: date) -> Iterable[Follow]:
        return [Follow(url=url, kind="page") for url in self.urls]

    def read(self, page: Page) -> Iterable[Finding]:
        heading = as_html(page).h1
        key, _, title = (heading.get_text() if heading else "").partition(": ")
        yield Draft(kind="recall", key=key, fields={"titles": {"en": title}})


def probe(hosts: Iterable[str]) -> Source:
    """Facts of a source that nobody publishes."""
    words = Wording(zh="试", en="probe")
    return Source(
        name="xx_probe",
        title=words,
        publisher=words,
        home="https://probe.example/",
        jurisdiction="EU",
        language="en",
        kinds=("recall",),
        rights="",
        attribution="",
        hosts=tuple(hosts),
        pages={"page": PageKind(pattern=".*")},
    )


def peak_mib() -> float:
    """Peak memory of this process; getrusage would begin with what the parent held when it forked."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0


def answer(asked: dict[str, Any], log: str, sender: Connection) -> None:
    """Crawl as asked with the log in a file, and send what came of it."""
    descriptor = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sender.send(outcome_of(asked))


def outcome_of(asked: dict[str, Any]) -> dict[str, Any]:
    """Crawl as asked and say what came of it."""
    os.environ.pop("TTM_HOME", None)
    set_up_logging()
    settings = Settings(
        home=Path(asked["home"]),
        practice=PracticeSettings(port=asked["port"], names=tuple(asked["names"])),
        crawl={"backfill_since": asked.get("since", "2020-01-01"), "time_limit_s": asked.get("time_limit_s", 120)},
    )
    if urls := asked.get("urls"):
        source = probe(asked["hosts"])
        Probe.urls = tuple(urls)
    else:
        jurisdiction, _, rest = asked["source"].partition("_")
        source = load_source(sources_folder() / jurisdiction / f"{rest}.toml")
    source = source.model_copy(
        update={
            "politeness": source.politeness.model_copy(update=asked.get("politeness", {})),
            "expect": source.expect.model_copy(update={"quiet_days": 100_000}),
            "pages": {
                kind: page.model_copy(update={"recheck_days": asked.get("recheck_days", page.recheck_days)})
                for kind, page in source.pages.items()
            },
        }
    )
    if overrides := asked.get("scrapy"):
        wanted = lambda settings, source: scrapy_settings(settings, source) | overrides  # noqa: E731
        setattr(crawlers.crawl, "scrapy_settings", wanted)  # noqa: B010
    read: list[str] = []
    resolved: list[str] = []
    resolve = socket.getaddrinfo

    def resolving(host: Any, *more: Any, **named: Any) -> Any:
        if host not in ("127.0.0.1", None):
            resolved.append(str(host))
        return resolve(host, *more, **named)

    socket.getaddrinfo = resolving

    def reading(reader: SourceSpider, page_id: int, page: Page, *, fault: str = "") -> PageReading:
        read.append(page.url)
        if re.search(asked.get("die_at", "(?!)"), page.url):
            os._exit(DIED)
        return read_page(reader, page_id, page, fault=fault)

    setattr(crawlers.spider, "read_page", reading)  # noqa: B010
    store = Store(settings.database)
    try:
        outcomes = crawlers.crawl.crawl(
            settings, store, source, at=now(), parent=asked.get("parent", 0), spider=Probe if urls else None
        )
    finally:
        store.close()
    return {
        "run": outcomes.run_id,
        "verdict": outcomes.verdict.word,
        "reason": outcomes.verdict.reason,
        "counts": outcomes.tally.as_counts(),
        "problems": outcomes.tally.problems,
        "seconds": outcomes.seconds,
        "read": read,
        "resolved": resolved,
        "peak_mib": peak_mib(),
    }
