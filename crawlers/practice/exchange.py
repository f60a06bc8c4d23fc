"""Request and Answer: what a practice publisher is asked and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as the site received it. target: path and query as sent; headers: lower-case names."""

    host: str
    target: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query_string(self) -> str:
        return urlsplit(self.target).query

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(self.query_string, keep_blank_values=True)

    def first(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query.get(name, [default])[0]

    def number(self, name: str, default: int, *, most: int) -> int:
        """A query parameter as a number between 0 and `most`; the default where it is absent or no number."""
        value = self.first(name)
        return min(int(value), most) if value.isdigit() else default


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer before it is put on the wire.

    modified: the publisher sends ETag and Last-Modified and answers 304. compress: gzip where the client takes it.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    modified: datetime | None = None
    compress: bool = False


def not_found(text: str = "Not Found") -> Answer:
    """A plain 404."""
    page = f"<html><head><title>404 {text}</title></head><body><h1>{text}</h1></body></html>"
    return Answer(status=404, body=page.encode("utf-8"))


def moved(url: str, status: int = 301) -> Answer:
    """A redirect to a URL."""
    page = f'<html><head><title>{status}</title></head><body><a href="{url}">moved</a></body></html>'
    return Answer(status=status, body=page.encode("utf-8"), headers=(("Location", url),))
