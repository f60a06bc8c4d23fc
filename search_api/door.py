"""Door: what every route needs, handed in once; and the reader who stands before it."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse
from itsdangerous import BadSignature, URLSafeTimedSerializer
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from alerts.tokens import secret
from indexer.engines.base import Engine
from indexer.meaning import Meaning, open_meaning
from indexer.suggest import trade_words
from library.archive import Archive
from library.settings import Settings
from library.source import Source
from library.store.store import Store
from search_api import wording

TEMPLATES = Path(__file__).with_name("templates")
LANGUAGE_COOKIE, CSRF_COOKIE, OPERATOR_COOKIE = "ttm_language", "ttm_csrf", "ttm_operator"
OPERATOR_FOR_S = 12 * 60 * 60
YEAR_S = 365 * 24 * 60 * 60
CSRF_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")


def record_path(record_id: str) -> str:
    """The address of a record on our pages: '/records/eu_safety_gate:SR/02222/26', everything unsafe quoted."""
    return "/records/" + quote(record_id, safe="/:()")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: the language of the pages, the zone of their times, and what the cookies say."""

    language: str
    zone: ZoneInfo
    csrf: str
    is_operator: bool
    path: str

    def say(self, key: str, **values: Any) -> str:
        """One sentence of the catalogue in the reader's language."""
        return wording.say(key, self.language, **values)

    def time(self, at: datetime | None) -> str:
        """An instant in the reader's zone, to the minute; '' for none."""
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}" if at else ""

    def day(self, day: date | None) -> str:
        """A day as ISO 8601; '' for none."""
        return day.isoformat() if day else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Settings, store, engine and facts, as the routes use them."""

    settings: Settings
    store: Store
    engine: Engine
    sources: Mapping[str, Source]
    archive: Archive
    mailbox_folder: Path | None
    secret: str
    meaning: Meaning | None = None
    templates: Environment = field(
        default_factory=lambda: Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
    )

    def reader(self, request: Request) -> Reader:
        """Read the cookies and the languages a browser asks for. A browser without our cookies gets a fresh CSRF value."""
        csrf = request.cookies.get(CSRF_COOKIE, "")
        return Reader(
            language=_language(request),
            zone=ZoneInfo(self.settings.zone),
            csrf=csrf if CSRF_SHAPE.fullmatch(csrf) else secrets.token_urlsafe(32),
            is_operator=self.is_operator(request.cookies.get(OPERATOR_COOKIE, "")),
            path=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        )

    def page(self, request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Render one page for the reader of a request."""
        reader = self.reader(request)
        html = self.templates.get_template(template).render(
            reader=reader,
            say=reader.say,
            settings=self.settings,
            sources=self.sources,
            record_path=record_path,
            trade_words=lambda: trade_words(reader.language),
            **values,
        )
        response = HTMLResponse(html, status_code=status)
        if request.cookies.get(CSRF_COOKIE) != reader.csrf:
            self.set_cookie(response, CSRF_COOKIE, reader.csrf, max_age=YEAR_S)
        return response

    def set_cookie(self, response: HTMLResponse | Any, name: str, value: str, *, max_age: int) -> None:
        """A cookie no script reads and no other site sends; over TLS only where the pages are served over TLS."""
        secure = self.settings.web.base_url.startswith("https://")
        response.set_cookie(name, value, max_age=max_age, httponly=True, samesite="lax", secure=secure)

    def operator_cookie(self) -> str:
        """The signed value that stands for a token entered rightly; it ends when the token is changed."""
        return self._signer.dumps(self._token_digest)

    def is_operator(self, cookie: str) -> bool:
        """Whether a cookie was given by `operator_cookie` in the last twelve hours under the present token."""
        if not self.settings.web.operator_token:
            return False
        try:
            return hmac.compare_digest(str(self._signer.loads(cookie, max_age=OPERATOR_FOR_S)), self._token_digest)
        except BadSignature:
            return False

    def is_token(self, token: str) -> bool:
        """Whether this is the operator's token; never where none is set."""
        expected = self.settings.web.operator_token
        return bool(expected) and hmac.compare_digest(token.encode(), expected.encode())

    @property
    def _token_digest(self) -> str:
        return sha256(self.settings.web.operator_token.encode()).hexdigest()

    @property
    def _signer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.secret, salt="operator")


def open_door(
    settings: Settings, store: Store, engine: Engine, sources: Mapping[str, Source], mailbox_folder: Path | None
) -> Door:
    """Put the parts together."""
    return Door(
        settings=settings,
        store=store,
        engine=engine,
        sources=sources,
        archive=Archive(settings.archive, store),
        mailbox_folder=mailbox_folder,
        secret=secret(settings),
        meaning=open_meaning(settings),
    )


def _language(request: Request) -> str:
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in wording.LANGUAGES:
        return chosen
    wanted = []
    for part in request.headers.get("accept-language", "")[:500].split(","):
        name, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((-float(weight or 1), name[:2].lower()))
        except ValueError:
            continue
    known = [name for _, name in sorted(wanted, key=lambda pair: pair[0]) if name in wording.LANGUAGES]
    return known[0] if known else "zh"


def door_of(request: Request) -> Door:
    """The door the application was made with."""
    door: Door = request.app.state.door
    return door


AtDoor = Annotated[Door, Depends(door_of)]


async def same_site(request: Request) -> None:
    """Refuse a form that did not come from our own page: the hidden field must repeat the cookie."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HTTPException(403, "error.csrf")
    form = await request.form()
    cookie, repeated = request.cookies.get(CSRF_COOKIE, ""), form.get("csrf", "")
    if not cookie or not isinstance(repeated, str) or not hmac.compare_digest(cookie.encode(), repeated.encode()):
        raise HTTPException(403, "error.csrf")


def operator_only(request: Request, door: AtDoor) -> None:
    """Let only the operator through."""
    if not door.settings.web.operator_token:
        raise HTTPException(403, "error.no_token")
    if not door.is_operator(request.cookies.get(OPERATOR_COOKIE, "")):
        raise HTTPException(403, "error.operator")


# What stands before every route that changes state.
OPERATOR = [Depends(operator_only), Depends(same_site)]
