"""Page: one archived answer of a publisher, and the outcomes a page can have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from library.charset import Decoding, decide


class Outcome(StrEnum):
    """What came of a page; 'fetched' until somebody has read it."""

    FETCHED = "fetched"
    READ = "read"
    UNCHANGED = "unchanged"
    EMPTY = "empty"
    ERROR = "error"
    CHALLENGE = "challenge"
    REDIRECT = "redirect"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class PageRef:
    """Where an archived page stands: file below the archive folder, offset and length of its gzip member in bytes."""

    warc: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer: what was asked, what came back, and what an earlier page knew about it.

    kind: the page's role in its source ('list', 'weekly', 'notice'); the facts name them.
    carry: strings an earlier page printed and this one lacks.
    headers: lower-case names; body: after content decoding.
    """

    source: str
    url: str
    kind: str
    body: bytes
    fetched_at: datetime
    status: int = 200
    method: str = "GET"
    request_body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    carry: Mapping[str, str] = field(default_factory=dict)
    ref: PageRef | None = None

    @property
    def content_type(self) -> str:
        """The media type alone, lower case; '' where the publisher says none."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    @property
    def decoding(self) -> Decoding:
        """Which encoding the body is in, and on what evidence."""
        return decide(self.body, self.headers.get("content-type", ""))

    @property
    def text(self) -> str:
        """The body as text. Raises UndecidableEncoding when no encoding fits the bytes."""
        return self.decoding.text(self.body)

    @property
    def digest(self) -> str:
        """sha256 of the body, hex."""
        return sha256(self.body).hexdigest()
