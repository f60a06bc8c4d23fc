"""SourceSpider: the one Scrapy callback of the project. A source overrides `begin` and `read`, nothing else."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import scrapy
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider
from scrapy.http import Response
from twisted.python.failure import Failure

from crawlers.middlewares.gate import why_not_fetched
from crawlers.page import Finding, Follow
from crawlers.reading import PageReading, Tally, follow_of, read_page, unread_answer
from library.archive import ArchiveWriter, Kept
from library.page import Outcome, Page
from library.source import Source
from library.store.pages import Address, Reading, url_key
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
        follows = list(
            self.begin(self.since, self.started_at.date())
        )  # all or none: a failure in between would be quiet
        for request in [request for follow in follows for request in self._requests(follow)]:
            yield request

    def _requests(self, follow: Follow) -> Iterator[scrapy.Request]:
        """The request for a page, or what it leads to where the page was read so lately that it is not asked for again."""
        request = scrapy.Request(
            follow.url,
            method=follow.method,
            body=follow.body,
            headers=dict(follow.headers),
            callback=self.take,
            errback=self.miss,
            meta={"kind": follow.kind, "carry": dict(follow.carry)},
        )
        # pages are kept under the address as Scrapy writes it: '…/mostRecent/?' loses its question mark
        address = self.store.pages.address(url_key(follow.method, request.url, follow.body))
        recheck = timedelta(days=self.facts.pages[follow.kind].recheck_days)
        if address is not None and recheck and self.started_at - address.read_at < recheck:
            self.tally.counts["pages.not_asked"] += 1
            for row in address.follows:
                yield from self._requests(follow_of(row))
            return
        request.meta["address"] = address
        yield request

    def take(self, response: Response) -> Iterator[Any]:
        """The one callback: read the archived page, hand its reading to the pipeline, ask for what it leads to."""
        kept: Kept = response.meta["kept"]
        address: Address | None = response.meta["address"]
        if address is None and "redirect_urls" in response.meta:  # pages are kept where they stand, not where one asked
            page = kept.page
            address = self.store.pages.address(url_key(page.method, page.url, page.request_body))
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
        """A page that could not be had at all."""
        error = failure.value
        self._missed(failure.request, why_not_fetched(error))  # type: ignore[attr-defined, arg-type]
        if isinstance(error, CloseSpider):
            raise CloseSpider(error.reason)  # raised in a middleware it would end the request, not the run

    def dropped(self, request: scrapy.Request) -> None:
        """A request for what was asked already: where a redirect led to it, the redirect ends here."""
        if request.url in request.meta.get("redirect_urls", ()):
            self._missed(request, "it moves in a circle")
        else:
            self.passed_by(request)

    def _missed(self, request: scrapy.Request, why: str) -> None:
        """Count a page that could not be had, and name it with its reason."""
        self.passed_by(request)
        first = request.meta.get("redirect_urls", [request.url])[0]
        moved = f"moved to {request.url}: " if request.url != first else ""
        reason = f"{first}: {moved}{why}"
        self.tally.counts["pages.missed"] += 1
        self.tally.problems.append(reason)
        logger.warning("%s: not fetched: %s", self.name, reason)
        with self.store.write() as transaction:
            self.store.runs.problem(
                transaction, source=self.name, page_id=0, key=first, reason=reason, draft={}, at=self.started_at
            )

    def passed_by(self, request: scrapy.Request) -> None:
        """Close the page of an answer that nobody reads: a redirect that is followed, a busy answer that is asked for again."""
        kept: Kept | None = request.meta.pop("kept", None)
        if kept is None:
            return
        reading = unread_answer(kept.page_id, kept.page)
        self.tally.counts["pages.passed"] += 1
        with self.store.write() as transaction:
            self.store.pages.finish(
                transaction, kept.page_id, kept.page, Reading(outcome=reading.outcome, reason=reading.reason)
            )
