"""ValidatorsMiddleware: asks 'only if it changed' with what the last page that was read at an address carried.

Validators of a page that was fetched and not read are never used: after a crash between the two, the
publisher would answer 'unchanged' and the page would never be read.
"""

from __future__ import annotations

from scrapy import Request
from scrapy.crawler import Crawler


class ValidatorsMiddleware:
    """Sets If-None-Match and If-Modified-Since from the page index."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ValidatorsMiddleware:
        """Scrapy's way to make a middleware."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Add the validators of the request's address."""
        address = request.meta.get("address")
        if address is None:
            return
        if address.etag:
            request.headers["If-None-Match"] = address.etag
        if address.last_modified:
            request.headers["If-Modified-Since"] = address.last_modified
