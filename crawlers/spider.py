"""SourceSpider: the one Scrapy callback of the project. A source overrides `begin` and `read`, nothing else."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import scrapy
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from crawlers.page import Finding, Follow
from crawlers.reading import PageReading, Tally, follow_of, read_page
from library.archive import ArchiveWriter, Kept
from library.page import Outcome, Page
from library.source import Source
from library.store.pages import Address, url_key
from library.store.store import Origin, Store

logger = logging.getLogger(__name__)


def running(crawler: Crawler) -> SourceSpider:
    """The spider of a run, for those that Scrapy hands a crawler."""
    spider = crawler.spider
    if not isinstance(spider, SourceSpider):
        raise TypeError(f"{spider!r} is no spider of ours")
    return spider


class SourceSpider(scrapy.Spider):
    """Base of every source's spider.

    `facts` is the source's Source. `begin` names the first pages of a run; `read` turns one page into findings.
    Both are functions of their arguments and the facts: no network, no clock, no settings. The other attributes
    belong to the run and are set by crawlers.crawl.
    """

    facts: Source
    store: Store
    writer: ArchiveWriter
    origin: Origin
    since: date
    started_at: datetime
    tally: Tally

    def begin(self, since: date, today: date) -> Iterable[Follow]:
        """The first pages of a run. since: the day of the last good run (or the start of the backfill)."""
        raise NotImplementedError

    def read(self, page: Page) -> Iterable[Finding]:
        """Turn one page into drafts, remarks and further pages.

        Raises NotThePage for an error, challenge or empty page, UnreadablePage for one that cannot be parsed.
        """
        raise NotImplementedError

    async def start(self) -> AsyncIterator[Any]:
        """Scrapy's entry: the requests of a run's first pages."""
        for follow in self.begin(self.since, self.started_at.date()):
            for request in self._requests(follow):
                yield request

    def _requests(self, follow: Follow) -> Iterator[scrapy.Request]:
        """The request for a page, or what it leads to where the page was read so lately that it is not asked for again."""
        address = self.store.pages.address(url_key(follow.method, follow.url, follow.body))
        recheck = timedelta(days=self.facts.pages[follow.kind].recheck_days)
        if address is not None and recheck and self.started_at - address.read_at < recheck:
            self.tally.counts["pages.not_asked"] += 1
            for row in address.follows:
                yield from self._requests(follow_of(row))
            return
        yield scrapy.Request(
            follow.url,
            method=follow.method,
            body=follow.body,
            headers=dict(follow.headers),
            callback=self.take,
            errback=self.miss,
            meta={"kind": follow.kind, "carry": dict(follow.carry), "address": address},
        )

    def take(self, response: Response) -> Iterator[Any]:
        """The one callback: read the archived page, hand its reading to the pipeline, ask for what it leads to."""
        kept: Kept = response.meta["kept"]
        address: Address | None = response.meta["address"]
        reading = self._reading(kept, address)
        yield reading
        for follow in reading.follows:
            yield from self._requests(follow)

    def _reading(self, kept: Kept, address: Address | None) -> PageReading:
        unchanged = kept.page.status == 304 or (
            address is not None and not kept.fault and kept.page.status == 200 and kept.page.digest == address.digest
        )
        if unchanged and address is not None:
            # what the page leads to is asked for again: a run that died may have got no further
            follows = [follow_of(row) for row in address.follows]
            return PageReading(page_id=kept.page_id, page=kept.page, outcome=Outcome.UNCHANGED, follows=follows)
        return read_page(self, kept.page_id, kept.page, fault=kept.fault)

    def miss(self, failure: Failure) -> None:
        """A page that could not be had at all: counted, and named with its reason."""
        url = failure.request.url  # type: ignore[attr-defined]
        reason = f"{url}: {failure.getErrorMessage() or failure.type}"
        self.tally.counts["pages.missed"] += 1
        self.tally.problems.append(reason)
        logger.warning("%s: not fetched: %s", self.name, reason)
        with self.store.write() as transaction:
            self.store.runs.problem(
                transaction, source=self.name, page_id=0, key=url, reason=reason, draft={}, at=self.started_at
            )
