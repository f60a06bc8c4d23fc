"""The gate: the only place that decides what may be fetched, and at what pace.

Only http and https, only the names in the source's facts, only public addresses, only what robots.txt
allows. The address that was checked is the one connected to: the check sits in the resolver. In practice
mode the listed names are answered by a loopback port, and no other name is answered at all.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

from scrapy import Request, signals
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import CloseSpider, IgnoreRequest
from scrapy.http import Response
from scrapy.resolver import CachingThreadedResolver
from scrapy.robotstxt import ProtegoRobotParser, RobotParser
from twisted.internet.defer import Deferred

logger = logging.getLogger(__name__)

NOBODY = b"User-agent: *\nDisallow: /\n"
ROBOTS_LIMIT_BYTES = 500 * 1024  # RFC 9309, 2.5: at least 500 kibibytes must be read
CRAWL_DELAY_MAX_S = 60.0
WAIT_MAX_S = 15 * 60.0  # a publisher that wants longer is left alone for the night


class Refused(IgnoreRequest):
    """A request the gate does not let through. The message says why."""


def refusal(url: str, hosts: tuple[str, ...]) -> str | None:
    """Why a URL may not be fetched, None if it may: scheme, name and port, before any name is resolved.

    >>> refusal("https://ec.europa.eu/x", ("ec.europa.eu",))
    >>> refusal("http://127.0.0.1/x", ("ec.europa.eu",))
    "'127.0.0.1' is none of the source's hosts"
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return f"{parts.scheme or 'no'} is not a scheme we fetch"
    host = (parts.hostname or "").rstrip(".")
    if parts.username or parts.password:
        return "the address carries a user name"
    if host not in hosts:
        return f"{host!r} is none of the source's hosts"
    try:
        port = parts.port
    except ValueError:
        return "the port is no number"
    if port not in (None, 80, 443):
        return f"port {port} is not one of the web's"
    return None


def is_public(address: str) -> bool:
    """Whether an address may be connected to: global unicast, also behind IPv6 forms of IPv4."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if inner is not None:
            parsed = inner
    return parsed.is_global and not parsed.is_multicast


class GateResolver(CachingThreadedResolver):
    """Scrapy's resolver, which gives out public addresses only; in practice mode the loopback address and no other."""

    is_practice = False

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: Any) -> GateResolver:
        """Scrapy's way to make a resolver."""
        resolver = super().from_crawler(crawler, reactor)
        resolver.is_practice = bool(crawler.settings.getint("TTM_PRACTICE_PORT"))
        return resolver

    def getHostByName(self, name: str, timeout: Any = ()) -> Deferred[str]:
        """Resolve a name. The deferred fails with Refused where the address is not public."""
        return super().getHostByName(name, timeout).addCallback(self._checked, name)

    def _checked(self, address: str, name: str) -> str:
        if self.is_practice != (address == "127.0.0.1") or not (self.is_practice or is_public(address)):
            raise Refused(f"{name} resolves to {address}, which is not a public address")
        return address


class GateHandler(HTTP11DownloadHandler):
    """Scrapy's HTTP handler behind the gate."""

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._hosts: tuple[str, ...] = tuple(crawler.settings.getlist("TTM_HOSTS"))
        self._practice_port: int = crawler.settings.getint("TTM_PRACTICE_PORT")
        self._practice_names = frozenset(crawler.settings.getlist("TTM_PRACTICE_NAMES"))

    async def download_request(self, request: Request) -> Response:
        """Fetch a request that may be fetched. Raises Refused for any other."""
        reason = refusal(request.url, self._hosts)
        if reason is not None:
            raise Refused(f"{request.url}: {reason}")
        if not self._practice_port:
            return await super().download_request(request)
        parts = urlsplit(request.url)
        if parts.hostname not in self._practice_names:
            raise Refused(f"{request.url}: {parts.hostname!r} is no practice publisher")
        headers = request.headers.copy()
        headers["Host"] = parts.netloc
        here = urlunsplit(("http", f"127.0.0.1:{self._practice_port}", parts.path or "/", parts.query, ""))
        response = await super().download_request(request.replace(url=here, headers=headers))
        return response.replace(url=request.url)


class Robots(RobotsTxtMiddleware):
    """Scrapy's robots middleware with three repairs.

    Scrapy 2.14 - 2.19 gives the parser to the first waiter alone and None ('allowed') to the others. A robots.txt
    that cannot be had means 'nothing' (RFC 9309, 2.3.1.4), not 'everything'. Crawl-delay is parsed and applied by nobody.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        crawler.signals.connect(self._slow_down, signal=signals.robots_parsed)

    async def robot_parser(self, request: Request) -> RobotParser | None:
        """The rules of the request's host, the same for everyone who waits for them."""
        await super().robot_parser(request)
        return cast("RobotParser | None", self._parsers[urlsplit(request.url).netloc])

    async def _parse_robots(self, resp: Response, netloc: str, request: Request) -> None:
        body = resp.body[:ROBOTS_LIMIT_BYTES]
        if resp.status >= 500:
            body = NOBODY
        elif resp.status >= 400 or b"<html" in body[:1000].lower():
            body = b""
        await super()._parse_robots(resp.replace(body=body), netloc, request)

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        waiting = self._parsers[netloc]
        super()._robots_error(exc, netloc)
        self._parsers[netloc] = ProtegoRobotParser.from_crawler(self.crawler, NOBODY)
        logger.warning("robots.txt of %s cannot be had (%s): nothing is fetched there", netloc, exc)
        assert waiting is not None

    def _slow_down(self, robotparser: RobotParser, request: Request) -> None:
        delay = robotparser.crawl_delay(self._default_useragent)
        if delay is None or delay <= 0:
            return
        slot = self.crawler.engine.downloader.slots.get(urlsplit(request.url).hostname or "")
        if slot is not None:
            slot.delay = max(slot.delay, min(float(delay), CRAWL_DELAY_MAX_S))


class RetryAfter:
    """Honours Retry-After: nothing is asked of a host before the time it named."""

    def __init__(self) -> None:
        self._not_before: dict[str, float] = {}

    async def process_request(self, request: Request) -> None:
        """Wait until the host may be asked again."""
        wait = self._not_before.get(urlsplit(request.url).netloc, 0.0) - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)

    def process_response(self, request: Request, response: Response) -> Response:
        """Note the time a busy publisher names; end the run if that is not tonight."""
        if response.status in (429, 503):
            wait = retry_after_s((response.headers.get("Retry-After") or b"").decode("latin-1"), datetime.now(UTC))
            if wait > WAIT_MAX_S:
                raise CloseSpider(f"the publisher asks to come back in {wait:,.0f} s")
            self._not_before[urlsplit(request.url).netloc] = time.monotonic() + wait
        return response


def retry_after_s(value: str, now: datetime) -> float:
    """Seconds that a Retry-After header asks for; 0 for a past date, a negative number or nonsense.

    >>> retry_after_s("120", datetime(2026, 1, 1, tzinfo=UTC))
    120.0
    """
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):
        return 0.0
