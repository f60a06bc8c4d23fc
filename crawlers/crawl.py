"""One run of one source: lease, repair, crawl, verdict."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from crawlers.health import Verdict, verdict
from crawlers.reading import Tally
from crawlers.registry import spider_class
from crawlers.settings import scrapy_settings
from crawlers.spider import SourceSpider
from library.archive import Archive
from library.page import Outcome
from library.settings import Settings
from library.source import Source
from library.store.runs import GOOD
from library.store.store import Origin, Store
from library.times import now

logger = logging.getLogger(__name__)

LEASE_WAIT_S = 10.0  # a crawl whose parent was killed notices within a few seconds and gives its lease back


class SourceIsBusy(RuntimeError):
    """Another process crawls, imports or re-parses the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What a run came to: its number, verdict and counts."""

    run_id: int
    verdict: Verdict
    tally: Tally
    seconds: float


def crawl(
    settings: Settings,
    store: Store,
    source: Source,
    *,
    at: datetime,
    parent: int = 0,
    spider: type[SourceSpider] | None = None,
) -> Outcomes:
    """Crawl one source once in this process. Raises SourceIsBusy; every other trouble is the verdict's.

    parent: the process to end with, 0 for none. spider: another class than the one named after the source.
    Scrapy's reactor runs once per process, and so does this.
    """
    if source.handed_in:
        raise ValueError(
            f"{source.name} may not be crawled; its files are handed in: ttm import, /intake or intake/{source.name}/"
        )
    started = time.monotonic()
    with lease(settings.home, source.name):
        archive = Archive(settings.archive, store)
        for line in archive.repair(source.name):
            logger.warning("%s", line)
        last_good = store.runs.last_good(source.name)
        origin = Origin.CRAWL if last_good is not None else Origin.BACKFILL
        since = last_good.started_at.date() if last_good else date.fromisoformat(settings.crawl.backfill_since)
        run_id = store.runs.start(
            source.name, origin=origin.value, live=not settings.practice.port, at=at, process=os.getpid()
        )
        tally = Tally()
        with archive.writer(run_id, source.name, at, limit_bytes=source.politeness.body_limit_bytes) as writer:
            attributes = {
                "facts": source,
                "store": store,
                "writer": writer,
                "origin": origin,
                "since": since,
                "started_at": at,
                "tally": tally,
            }
            finished, failures = _run_spider(settings, source, spider or spider_class(source), attributes, parent)
        # Scrapy only logs what our own code raises; a page without an outcome shows it too
        failed = max(failures, store.pages.in_run(run_id).get(Outcome.FETCHED, 0))
        if failed:
            tally.counts["pages.failed"] = failed
        ended = now()
        expect = source.expect.model_copy(update={"drafts_min": 1}) if settings.practice.port else source.expect
        found = verdict(tally.as_counts(), expect, last_added=store.last_added(source.name), now=ended)
        if finished != "finished":
            found = Verdict("stopped", f"could not look everywhere: the run was stopped ({finished})")
        if found.word in GOOD and source.complete:
            for change in store.note_absences(source.name, at, at=ended, origin=origin):
                tally.counts[change.action] += 1
        store.runs.end(run_id, verdict=found.word, reason=found.reason, counts=tally.as_counts(), at=ended)
    return Outcomes(run_id=run_id, verdict=found, tally=tally, seconds=time.monotonic() - started)


def _run_spider(
    settings: Settings, source: Source, spider: type[SourceSpider], attributes: dict[str, object], parent: int
) -> tuple[str, int]:
    """Run Scrapy to its end; returns the reason it finished for, and how often our own code raised."""
    from scrapy.crawler import CrawlerProcess
    from twisted.internet.task import LoopingCall

    process = CrawlerProcess(scrapy_settings(settings, source))
    crawler = process.create_crawler(spider)
    process.crawl(crawler, **attributes)
    if parent:

        def end_with_parent() -> None:
            if os.getppid() != parent:
                os._exit(75)  # whoever started us is gone; what is durable stays, the rest is asked for again

        LoopingCall(end_with_parent).start(1.0, now=False)
    process.start()
    reason, failures = (crawler.stats.get_value(name) for name in ("finish_reason", "spider_exceptions/count"))
    return str(reason or "no finish"), int(failures or 0)


@contextmanager
def lease(home: Path, name: str) -> Iterator[None]:
    """Hold the one lease on a source: a lock file that the system gives back when its holder dies."""
    path = home / "leases" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + LEASE_WAIT_S
    with path.open("ab") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise SourceIsBusy(f"{name} is being crawled, imported or re-parsed by another process") from None
                time.sleep(0.1)
        yield
