"""PracticeSite: a real HTTP/1.1 server on 127.0.0.1 that answers as ten publishers, chosen by the Host header.

A client connects to 127.0.0.1:port and names the publisher ('Host: api.fda.gov', or the whole URL as to a proxy).
Links inside pages are the publishers' own https addresses.
"""

from __future__ import annotations

import gzip
import socket
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import urlsplit

from crawlers.practice.exchange import Answer, Request, not_found
from crawlers.practice.faults import Fault
from crawlers.practice.publishers import PUBLISHERS
from crawlers.practice.world import World

CONNECTIONS = 32
BODY_LIMIT_BYTES = 1024 * 1024
CRAWL_DELAY_S = {"recalls-rappels.canada.ca": 1, "data.food.gov.uk": 1}
WITHOUT_ROBOTS = {"openstd.samr.gov.cn"}  # answers 404


@dataclass(frozen=True, slots=True)
class Served:
    """One answer that was given. bytes: of the body as sent, before it was cut or dripped."""

    at: datetime
    host: str
    path: str
    status: int
    bytes: int


class PracticeSite:
    """The ten publishers on one port, while the `with` block lasts.

    world.night may be set while it runs. delay_s: wait before every answer. faults: (host or '*', path prefix) -> Fault;
    the longest prefix wins. served: every answer, in order.
    """

    def __init__(self, world: World, port: int = 0) -> None:
        self.world = world
        self.delay_s = 0.0
        self.faults: dict[tuple[str, str], Fault] = {}
        self.served: list[Served] = []
        self._asked: dict[tuple[str, str], tuple[Fault, int]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._hosts = {host: publisher for publisher in PUBLISHERS for host in publisher.HOSTS}
        self._server = _Server(("127.0.0.1", port), _handler_for(self))
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="practice site")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names the site answers for."""
        return tuple(self._hosts)

    def __enter__(self) -> PracticeSite:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()

    def answer(self, request: Request) -> Answer:
        """What the named publisher says, faults and validators left out."""
        publisher = self._hosts.get(request.host)
        if publisher is None:
            return not_found("Unknown host")
        if request.path == "/robots.txt":
            return _robots(request.host)
        return publisher.respond(request, self.world)

    def fault_for(self, request: Request) -> Fault | None:
        """The fault that this request meets, counting it; None where there is none or it is not its turn."""
        fitting = [key for key in self.faults if key[0] in {request.host, "*"} and request.target.startswith(key[1])]
        if not fitting:
            return None
        key = max(fitting, key=lambda key: (len(key[1]), key[0] != "*"))
        fault = self.faults[key]
        with self._lock:
            known, count = self._asked.get(key, (fault, 0))
            count = count if known is fault else 0
            self._asked[key] = (fault, count + 1)
        if count < fault.after or (fault.times is not None and count >= fault.after + fault.times):
            return None
        return fault

    def pause(self, seconds: float) -> bool:
        """Wait; True when the site stops meanwhile."""
        return self._stopping.wait(seconds)


def serve(world: World, port: int, *, seconds: float | None = None) -> None:
    """Answer on 127.0.0.1:port until interrupted, or for so many seconds."""
    with PracticeSite(world, port):
        end = None if seconds is None else time.monotonic() + seconds
        try:
            while end is None or time.monotonic() < end:
                time.sleep(0.2)
        except KeyboardInterrupt:
            return


class _Server(ThreadingHTTPServer):
    """Threads are joined at the end; lines still open are hung up so that no thread waits for its client."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = CONNECTIONS

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._lines: set[socket.socket] = set()
        self._places = threading.BoundedSemaphore(CONNECTIONS)
        super().__init__(address, handler)

    def process_request_thread(self, request, client_address) -> None:  # type: ignore[no-untyped-def]
        with self._places:
            self._lines.add(request)
            try:
                super().process_request_thread(request, client_address)
            finally:
                self._lines.discard(request)

    def handle_error(self, request, client_address) -> None:  # type: ignore[no-untyped-def]
        """A client that hangs up is no news; the server prints nothing."""

    def hang_up(self) -> None:
        for line in list(self._lines):
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the other side was quicker


def _handler_for(site: PracticeSite) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "nginx"
        sys_version = ""
        timeout = 30
        wbufsize = 65536
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._respond()

        def do_HEAD(self) -> None:
            self._respond()

        def do_POST(self) -> None:
            self._respond()

        def log_message(self, format: str, *arguments: object) -> None:
            """What was served stands in `site.served`."""

        def _respond(self) -> None:
            if site.pause(site.delay_s):
                self.close_connection = True
                return
            request = self._request()
            fault = site.fault_for(request)
            if fault and fault.wire == "reset":
                self.close_connection = True
                self._note(request, 0, 0)
                return
            answer = site.answer(request)
            answer = fault.change(answer) if fault else _conditional(answer, request)
            answer = _compressed(answer, request)
            self._note(request, answer.status, len(answer.body))
            self._send(answer, fault.wire if fault else "whole")

        def _request(self) -> Request:
            parts = urlsplit(self.path)  # absolute where the client takes us for a proxy
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            length = min(int(self.headers.get("Content-Length") or 0), BODY_LIMIT_BYTES)
            return Request(
                host=(parts.hostname or self.headers.get("Host", "").partition(":")[0]).lower(),
                target=target,
                method=self.command,
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(length),
            )

        def _note(self, request: Request, status: int, size: int) -> None:
            site.served.append(Served(datetime.now(UTC), request.host, request.target, status, size))

        def _send(self, answer: Answer, wire: str) -> None:
            self.send_response(answer.status)
            if answer.status != 304:
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body)))
            for name, value in answer.headers:
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD" or answer.status == 304:
                return
            if wire == "drip":
                self._drip(answer.body)
            elif wire == "cut":
                self.wfile.write(answer.body[: len(answer.body) // 2])
                self.close_connection = True
            else:
                self.wfile.write(answer.body)

        def _drip(self, body: bytes) -> None:
            self.close_connection = True
            for place in range(len(body)):
                self.wfile.write(body[place : place + 1])
                self.wfile.flush()
                if site.pause(1.0):
                    return

    return Handler


def _conditional(answer: Answer, request: Request) -> Answer:
    """Add ETag and Last-Modified where the publisher sends them, and answer 304 where the client has the page."""
    if answer.modified is None or answer.status != 200:
        return answer
    etag = f'"{sha256(answer.body).hexdigest()[:20]}"'
    validators = (("ETag", etag), ("Last-Modified", format_datetime(answer.modified, usegmt=True)))
    if known := request.headers.get("if-none-match"):
        unchanged = etag in {one.strip().removeprefix("W/") for one in known.split(",")}
    else:
        unchanged = _is_since(request.headers.get("if-modified-since", ""), answer.modified)
    headers = (*answer.headers, *validators)
    if unchanged:
        return Answer(status=304, content_type=answer.content_type, headers=headers)
    return Answer(body=answer.body, content_type=answer.content_type, headers=headers, compress=answer.compress)


def _is_since(printed: str, modified: datetime) -> bool:
    try:
        return parsedate_to_datetime(printed) >= modified
    except ValueError:
        return False


def _compressed(answer: Answer, request: Request) -> Answer:
    if not answer.compress or len(answer.body) < 200 or "gzip" not in request.headers.get("accept-encoding", ""):
        return answer
    body = gzip.compress(answer.body, 5, mtime=0)
    headers = (*answer.headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
    return Answer(status=answer.status, body=body, content_type=answer.content_type, headers=headers)


def _robots(host: str) -> Answer:
    if host in WITHOUT_ROBOTS:
        return not_found()
    lines = ["User-agent: *", "Disallow: /admin/"]
    if host in CRAWL_DELAY_S:
        lines.append(f"Crawl-delay: {CRAWL_DELAY_S[host]}")
    return Answer(body="\n".join([*lines, ""]).encode("ascii"), content_type="text/plain; charset=utf-8")
