"""The gate: the only place that decides what may be fetched, and at what pace.

Only http and https, only the names in the source's facts, only public addresses, only what robots.txt
allows. The address that was checked is the one connected to: the check sits in the resolver. In practice
mode the listed names are answered by a loopback port, and no other name is answered at all.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import Cookie
from typing import Any, ClassVar, cast
from urllib.parse import SplitResult, urlsplit, urlunsplit

from scrapy import Request, signals
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.cookies import CookiesMiddleware
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import (
    CannotResolveHostError,
    CloseSpider,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.http import Response
from scrapy.http.cookies import CookieJar
from scrapy.resolver import CachingThreadedResolver
from scrapy.robotstxt import RobotParser
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

logger = logging.getLogger(__name__)

ROBOTS_LIMIT_BYTES = 500 * 1024  # RFC 9309, 2.5: at least 500 kibibytes must be read
CRAWL_DELAY_MAX_S = 60.0
WAIT_MAX_S = 15 * 60.0  # a publisher that wants longer is left alone for the night
IPV4_IN_LAST_32_BITS = tuple(  # 'IPv4-compatible', translated, and both NAT64 prefixes
    ipaddress.IPv6Network(prefix) for prefix in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
)


class Refused(IgnoreRequest):
    """A request the gate does not let through. The message says why."""


def refusal(url: str, hosts: tuple[str, ...]) -> str | None:
    """Why a URL may not be fetched, None if it may: scheme, name and port, before any name is resolved.

    >>> refusal("https://ec.europa.eu/x", ("ec.europa.eu",))
    >>> refusal("http://127.0.0.1/x", ("ec.europa.eu",))
    "'127.0.0.1' is none of the source's hosts"
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError as error:
        return f"the address is none: {error}"
    if parts.scheme not in ("http", "https"):
        return f"{parts.scheme or 'no'} is not a scheme we fetch"
    if "@" in parts.netloc:
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


def why_not_fetched(error: BaseException) -> str:
    """Why a page could not be had, in words: Scrapy's and Twisted's exceptions say little, or print themselves."""
    if isinstance(error, ResponseDataLossError):
        return "the line was closed before the answer was whole"
    if isinstance(error, DownloadTimeoutError):
        return "no whole answer within the time allowed"
    if isinstance(error, CannotResolveHostError):
        return f"the name cannot be resolved: {error}"
    if isinstance(error, DownloadFailedError):
        return f"the line was closed without an answer: {_innermost(error)}"
    return str(error) or type(error).__name__


def _innermost(error: BaseException) -> str:
    """What Twisted's failures behind Scrapy's exception say."""
    failures: Sequence[Failure] = getattr(error.__cause__, "reasons", ())
    return "; ".join(failure.getErrorMessage() for failure in failures) or str(error)


def is_public(address: str) -> bool:
    """Whether an address may be connected to: global unicast, also behind IPv6 forms of IPv4."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.is_site_local:
            return False
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if inner is None and any(parsed in network for network in IPV4_IN_LAST_32_BITS):
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is not None:
            parsed = inner
    return parsed.is_global and not parsed.is_multicast


class GateResolver(CachingThreadedResolver):
    """Scrapy's resolver, which gives out public addresses only; in practice mode the loopback address and no other."""

    is_practice = False
    refused: ClassVar[dict[str, str]] = {}  # name -> why; Twisted turns the failure into 'no results'

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
            self.refused[name] = f"{name} resolves to {address}, which is not a public address"
            raise Refused(self.refused[name])
        return address


class GateHandler(HTTP11DownloadHandler):
    """Scrapy's HTTP handler behind the gate: the last place before the wire, where no middleware is missed."""

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._hosts: tuple[str, ...] = tuple(crawler.settings.getlist("TTM_HOSTS"))
        self._practice_port: int = crawler.settings.getint("TTM_PRACTICE_PORT")
        self._practice_names = frozenset(crawler.settings.getlist("TTM_PRACTICE_NAMES"))
        self._not_before: dict[str, float] = {}

    async def download_request(self, request: Request) -> Response:
        """Fetch a request that may be fetched, not before the host wants to be asked. Raises Refused for any other."""
        reason = refusal(request.url, self._hosts)
        if reason is not None:
            raise Refused(reason)
        parts = urlsplit(request.url)
        while (wait := self._not_before.get(parts.netloc, 0.0) - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        response = await self._answer(request, parts)
        wait = asked_to_wait_s(response)
        if 0 < wait <= WAIT_MAX_S:
            # answers that were under way together name different times: the latest counts
            self._not_before[parts.netloc] = max(self._not_before.get(parts.netloc, 0.0), time.monotonic() + wait)
        return response

    async def _answer(self, request: Request, parts: SplitResult) -> Response:
        """The publisher's answer, or in practice mode that of the loopback port in its name."""
        if not self._practice_port:
            try:
                return await super().download_request(request)
            except CannotResolveHostError as error:
                if (reason := GateResolver.refused.get(parts.hostname or "")) is not None:
                    raise Refused(reason) from error
                raise
        if parts.hostname not in self._practice_names:
            raise Refused(f"{parts.hostname!r} is no practice publisher")
        headers = request.headers.copy()
        headers["Host"] = parts.netloc
        here = urlunsplit(("http", f"127.0.0.1:{self._practice_port}", parts.path or "/", parts.query, ""))
        response = await super().download_request(request.replace(url=here, headers=headers))
        return response.replace(url=request.url)


class Robots(RobotsTxtMiddleware):
    """Scrapy's robots middleware with four repairs.

    Scrapy 2.14 - 2.19 gives the parser to the first waiter alone and None ('allowed') to the others. A robots.txt
    that cannot be had means 'nothing' (RFC 9309, 2.3.1.4), not 'everything'. Crawl-delay is parsed and applied by nobody.
    The rules of a host that may not be asked are not asked for.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._hosts: tuple[str, ...] = tuple(crawler.settings.getlist("TTM_HOSTS"))
        self._unknown: dict[str, str] = {}
        crawler.signals.connect(self._slow_down, signal=signals.robots_parsed)

    async def process_request(self, request: Request) -> None:  # type: ignore[override]
        """Let through what the gate and the host's rules allow. Raises Refused and IgnoreRequest, saying why."""
        reason = refusal(request.url, self._hosts)
        if reason is not None:
            raise Refused(reason)
        await super().process_request(request)

    def process_request_2(self, rp: RobotParser | None, request: Request) -> None:
        """Apply the rules of the request's host."""
        netloc = urlsplit(request.url).netloc
        if netloc in self._unknown:
            raise IgnoreRequest(
                f"robots.txt of {netloc} cannot be had ({self._unknown[netloc]}): nothing is fetched there"
            )
        super().process_request_2(rp, request)

    async def robot_parser(self, request: Request) -> RobotParser | None:
        """The rules of the request's host, the same for everyone who waits for them."""
        await super().robot_parser(request)
        return cast("RobotParser | None", self._parsers[urlsplit(request.url).netloc])

    async def _parse_robots(self, resp: Response, netloc: str, request: Request) -> None:
        body = resp.body[:ROBOTS_LIMIT_BYTES]
        if resp.status >= 500 or resp.status == 429:
            self._unknown[netloc] = f"answered {resp.status}"
        elif resp.status >= 400 or b"<html" in body[:1000].lower():
            body = b""
        await super()._parse_robots(resp.replace(body=body), netloc, request)

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        self._unknown[netloc] = why_not_fetched(exc)  # before those who wait go on
        super()._robots_error(exc, netloc)

    def _slow_down(self, robotparser: RobotParser, request: Request) -> None:
        delay = robotparser.crawl_delay(self._default_useragent)
        if delay is None or delay <= 0:
            return
        delay = min(float(delay), CRAWL_DELAY_MAX_S)
        downloader, host = self.crawler.engine.downloader, urlsplit(request.url).hostname or ""
        slot = downloader.slots.get(host)
        if slot is not None:
            slot.delay = max(slot.delay, delay)
        # a slot that is idle for a minute is dropped, and made anew with these
        downloader.per_slot_settings[host] = {"delay": max(downloader.settings.getfloat("DOWNLOAD_DELAY"), delay)}


class Cookies(CookiesMiddleware):
    """Scrapy's cookies without its look at the list of public suffixes, which it fetches from a host of its own.

    The list keeps one site's cookies from another's; a source has only its own few hosts.
    """

    def _process_cookies(self, cookies: Iterable[Cookie], *, jar: CookieJar, request: Request) -> None:
        for cookie in cookies:
            jar.set_cookie_if_ok(cookie, request)


class ComeBackLater:
    """Ends the run where a busy publisher names a time that is not tonight; shorter waits are the handler's."""

    def process_response(self, request: Request, response: Response) -> Response:
        """Look for a long Retry-After."""
        wait = asked_to_wait_s(response)
        if wait > WAIT_MAX_S:
            raise CloseSpider(f"the publisher asks to come back in {wait:,.0f} s")
        return response


def asked_to_wait_s(response: Response) -> float:
    """Seconds that a busy publisher asks to be left alone, 0 where it does not."""
    if response.status not in (429, 503):
        return 0.0
    return retry_after_s((response.headers.get("Retry-After") or b"").decode("latin-1"), datetime.now(UTC))


def retry_after_s(value: str, now: datetime) -> float:
    """Seconds that a Retry-After header asks for; 0 for a past date, a negative number or nonsense.

    >>> retry_after_s("120", datetime(2026, 1, 1, tzinfo=UTC))
    120.0
    """
    if re.fullmatch("[0-9]+", value.strip()):
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):
        return 0.0
