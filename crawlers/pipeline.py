"""The one item pipeline: an item is what one page said, and keeping it is one transaction."""

from __future__ import annotations

import logging

from scrapy.crawler import Crawler

from crawlers.reading import PageReading, keep_reading
from crawlers.spider import running
from library.times import now

logger = logging.getLogger(__name__)


class StorePipeline:
    """Keeps readings in the store."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> StorePipeline:
        """Scrapy's way to make a pipeline."""
        return cls(crawler)

    def process_item(self, item: PageReading) -> PageReading:
        """Keep one page's reading."""
        spider = running(self._crawler)
        before = len(spider.tally.problems)
        keep_reading(spider.store, spider.facts, item, origin=spider.origin, at=now(), tally=spider.tally)
        for problem in spider.tally.problems[before:]:
            logger.warning("%s: %s", spider.name, problem)
        return item
