"""Somebody between us and Elasticsearch who forwards everything, and can be told to misbehave."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import orjson

GENUINE = {"content-type": "application/json", "x-elastic-product": "Elasticsearch"}


@dataclass
class Asked:
    """A request, and what the server answers if it is forwarded."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    server: str

    @property
    def is_bulk(self) -> bool:
        return self.path.split("?")[0].endswith("/_bulk")

    @property
    def is_search(self) -> bool:
        return self.path.split("?")[0].endswith("/_search")

    def forward(self) -> Answer:
        parts = urlsplit(self.server)
        link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        ours = ("host", "connection", "content-length")
        passed = {name: value for name, value in self.headers.items() if name.lower() not in ours}
        link.request(self.method, self.path, self.body, passed)
        got = link.getresponse()
        answer = Answer(got.status, dict(got.getheaders()), got.read())
        link.close()
        return answer


@dataclass
class Answer:
    """What goes back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, status: int, value: Any) -> Answer:
        return cls(status, GENUINE, orjson.dumps(value))


class Hangup(Exception):
    """The line goes dead before the answer."""


Manner = Callable[[Asked], Answer]


def honest(asked: Asked) -> Answer:
    return asked.forward()


@dataclass
class Between:
    """url: what to give as host. manner: what is done with every request from now on."""

    url: str
    manner: Manner = honest


@contextmanager
def between(server: str) -> Iterator[Between]:
    """Listen on a loopback port and forward to a server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            try:
                answer = teller.manner(Asked(self.command, self.path, dict(self.headers), body, server))
            except Hangup:
                self.close_connection = True
                return
            try:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.body)
            except OSError:  # who asked has gone
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

        def log_message(self, format: str, *arguments: object) -> None:
            return

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    teller = Between(f"http://127.0.0.1:{listener.server_address[1]}")
    yield teller
    listener.shutdown()
    listener.server_close()


# Manners --------------------------------------------------------------------------------------------------------------


def slow(asked: Asked) -> Answer:
    time.sleep(1.5)
    return asked.forward()


def dead(asked: Asked) -> Answer:
    raise Hangup


def forgetful(asked: Asked) -> Answer:
    """Does what is asked, and loses the answer."""
    asked.forward()
    raise Hangup


def busy(asked: Asked) -> Answer:
    return Answer.of(429, {"error": {"type": "circuit_breaking_exception", "reason": "too much"}, "status": 429})


def headless(asked: Asked) -> Answer:
    reason = {"type": "cluster_block_exception", "reason": "blocked by: [SERVICE_UNAVAILABLE/2/no master];"}
    return Answer.of(503, {"error": {"root_cause": [reason], **reason}, "status": 503})


def broken_gateway(asked: Asked) -> Answer:
    return Answer(502, {"content-type": "text/html"}, b"<h1>Bad Gateway</h1>")


def login_page(asked: Asked) -> Answer:
    return Answer(200, {"content-type": "text/html"}, b"<h1>Please log in</h1>")


def other_product(asked: Asked) -> Answer:
    return Answer(200, {"content-type": "application/json"}, b'{"took": 1}')


def empty_yes(asked: Asked) -> Answer:
    return Answer.of(200, {})


def silent_about_half(asked: Asked) -> Answer:
    """Does half of a bulk, and says that all is well."""
    if not asked.is_bulk:
        return asked.forward()
    lines = asked.body.split(b"\n")
    asked.body = b"\n".join(lines[: max(len(lines) // 4 * 2, 2)]) + b"\n"
    return asked.forward()


def rejects_half(asked: Asked) -> Answer:
    """Does half of a bulk, and rejects the rest, as a full write queue does."""
    if not asked.is_bulk:
        return asked.forward()
    lines = asked.body.rstrip(b"\n").split(b"\n")
    cut = max(len(lines) // 4 * 2, 2)
    asked.body = b"\n".join(lines[:cut]) + b"\n"
    answer = asked.forward()
    said = orjson.loads(answer.body)
    error = {"type": "es_rejected_execution_exception", "reason": "rejected execution of coordinating operation"}
    for line in lines[cut::2]:
        ((operation, where),) = orjson.loads(line).items()
        said["items"].append(
            {operation: {"_id": where["_id"], "_index": where["_index"], "status": 429, "error": error}}
        )
    return Answer(answer.status, answer.headers, orjson.dumps(said | {"errors": True}))


def some_shards_missing(asked: Asked) -> Answer:
    answer = asked.forward()
    if not asked.is_search:
        return answer
    said = orjson.loads(answer.body)
    said["_shards"] |= {"failed": 1, "failures": [{"reason": {"type": "node_disconnected_exception"}}]}
    return Answer(answer.status, answer.headers, orjson.dumps(said))
