"""ArchiveMiddleware: the outermost one, where a body is still as it was sent.

A page is durable before anything reads it. What is archived is what is read: the body is decoded here,
once, by the code that decodes it when it is read back.
"""

from __future__ import annotations

import asyncio
import logging

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawlers.spider import running
from library.archive import Answer
from library.times import now

logger = logging.getLogger(__name__)


class ArchiveMiddleware:
    """Archives every answer to a source's request and puts the kept page into `request.meta['kept']`."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ArchiveMiddleware:
        """Scrapy's way to make a middleware."""
        middleware = cls(crawler)
        crawler.signals.connect(middleware.dropped, signal=signals.request_dropped)
        return middleware

    def dropped(self, request: Request) -> None:
        """Scrapy asks for no address twice, and says so here only."""
        running(self._crawler).dropped(request)

    def process_request(self, request: Request) -> None:
        """A request that follows an answer (a redirect, a busy moment) says that nobody will read that answer."""
        running(self._crawler).passed_by(request)

    async def process_response(self, request: Request, response: Response) -> Response:
        """Archive an answer and give its decoded body on."""
        if "kind" not in request.meta:
            return response  # robots.txt
        spider = running(self._crawler)
        answer = Answer(
            source=spider.name,
            kind=request.meta["kind"],
            url=response.url,
            status=response.status,
            headers=tuple(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, values in response.headers.items()
                for value in values
            ),
            raw_body=response.body,
            fetched_at=now(),
            method=request.method,
            request_body=request.body,
            carry=request.meta["carry"],
        )
        try:
            kept = await asyncio.wrap_future(spider.writer.add(answer))
        except OSError as error:
            # a disk that does not take the page: no page may be read that is not durable
            await self._crawler.engine.close_spider_async(reason="the archive did not take a page")
            raise IgnoreRequest(f"the archive did not take {response.url}: {error}") from error
        request.meta["kept"] = kept
        return response.replace(body=kept.page.body, headers=_without_encoding(response))


def _without_encoding(response: Response) -> dict[bytes, list[bytes]]:
    return {name: values for name, values in response.headers.items() if name.lower() != b"content-encoding"}
