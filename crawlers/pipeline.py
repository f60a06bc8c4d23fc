"""The one item pipeline: an item is what one page said. Pages that come together are kept together."""

from __future__ import annotations

import asyncio
import logging

from scrapy.crawler import Crawler

from crawlers.reading import PageReading, keep_readings
from crawlers.spider import running
from library.times import now

logger = logging.getLogger(__name__)

GATHER_S = (
    0.05  # pages read within this time share one transaction: a third of what keeping a small page costs is its commit
)
GATHER_MAX = 64


class StorePipeline:
    """Keeps readings in the store, those that come within GATHER_S of each other in one transaction."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._waiting: list[tuple[PageReading, asyncio.Future[None]]] = []

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> StorePipeline:
        """Scrapy's way to make a pipeline."""
        return cls(crawler)

    async def process_item(self, item: PageReading) -> PageReading:
        """Keep one page's reading; done when it is durable."""
        loop = asyncio.get_running_loop()
        kept: asyncio.Future[None] = loop.create_future()
        self._waiting.append((item, kept))
        if len(self._waiting) == 1:
            loop.call_later(GATHER_S, self._keep_waiting)
        elif len(self._waiting) >= GATHER_MAX:
            self._keep_waiting()
        await kept
        return item

    def _keep_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._settle(waiting)

    def _settle(self, waiting: list[tuple[PageReading, asyncio.Future[None]]]) -> None:
        try:
            self._keep([reading for reading, _ in waiting])
        except Exception as error:  # noqa: BLE001 - whoever waits is told, and Scrapy counts it against the run
            if len(waiting) == 1:
                waiting[0][1].set_exception(error)
                return
            for one in waiting:  # a page that cannot be kept must not take the others with it
                self._settle([one])
        else:
            for _, kept in waiting:
                kept.set_result(None)

    def _keep(self, readings: list[PageReading]) -> None:
        spider = running(self._crawler)
        before = len(spider.tally.problems)
        keep_readings(spider.store, spider.facts, readings, origin=spider.origin, at=now(), tally=spider.tally)
        for problem in spider.tally.problems[before:]:
            logger.warning("%s: %s", spider.name, problem)
