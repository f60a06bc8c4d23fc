"""Routes that change something, and the pages they belong to.

A watch, a handed-in file: the operator's cookie and a form of our own. An unsubscription: its signed token, by POST only,
since mail scanners fetch every link they see. A language: the reader's own cookie.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, HTTPException, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from alerts.practice_mailbox import read_mailbox
from alerts.tokens import TokenError, unsubscribe, watches_of
from alerts.watches import Preview, WatchError, add_watch, categories, end_watch, list_watches, preview
from indexer.query import QueryError
from library.store.runs import Run
from library.times import now
from search_api import wording
from search_api.asking import Asked, clause
from search_api.board import IMPORTED, reason, sentence, tone_of
from search_api.charts import Column, months_chart
from search_api.door import (
    LANGUAGE_COOKIE,
    OPERATOR,
    OPERATOR_COOKIE,
    OPERATOR_FOR_S,
    YEAR_S,
    AtDoor,
    Door,
    Reader,
    same_site,
)

router = APIRouter(include_in_schema=False)
CHUNK_BYTES = 1024 * 1024
MAILS_SHOWN = 50
SAFE_NAME = re.compile(r"[^\w.()\-]+")
SAID = {"saved": "done", "asked": "done", "removed": "done", "gone": "trouble"}


# Language and sign-in -------------------------------------------------------------------------------------------------


@router.get("/lang")
def choose_language(door: AtDoor, to: str = "zh", back: str = "/") -> Response:
    """Keep the reader's language in a cookie and go back to a page of ours."""
    response = RedirectResponse(own_path(back), status_code=303)
    if to in wording.LANGUAGES:
        door.set_cookie(response, LANGUAGE_COOKIE, to, max_age=YEAR_S)
    return response


def own_path(back: str) -> str:
    """A path on these pages, '/' for anything that would lead elsewhere.

    >>> own_path("/search?q=a"), own_path("//evil.example"), own_path("/\\\\evil.example"), own_path("https://x")
    ('/search?q=a', '/', '/', '/')
    """
    leads_away = not back.startswith("/") or back.startswith(("//", "/\\")) or len(back) > 4000
    return "/" if leads_away or any(ord(character) < 33 or character == "\\" for character in back) else back


@router.post("/operator", dependencies=[Depends(same_site)])
def sign_in(
    request: Request, door: AtDoor, token: Annotated[str, Form()] = "", back: Annotated[str, Form()] = "/"
) -> Response:
    """Take the operator's token; without one, sign out."""
    if token and not door.is_token(token):
        sentence = door.reader(request).say("operator.wrong")
        return door.page(request, "error.html", status=403, sentence=sentence, code=403)
    response = RedirectResponse(own_path(back), status_code=303)
    if token:
        door.set_cookie(response, OPERATOR_COOKIE, door.operator_cookie(), max_age=OPERATOR_FOR_S)
    else:
        response.delete_cookie(OPERATOR_COOKIE)
    return response


# Watches --------------------------------------------------------------------------------------------------------------


@router.get("/watches")
def watches_page(request: Request, door: AtDoor, q: str = "", title: str = "", said: str = "") -> HTMLResponse:
    """Watches on offer, what a query would have brought, and, for the operator, the watches there are."""
    reader = door.reader(request)
    message = (SAID[said], reader.say(f"watch.{said}")) if said in SAID else None
    return _watches(request, door, q=q, title=title, said=message)


def _watches(
    request: Request,
    door: Door,
    *,
    q: str = "",
    title: str = "",
    said: tuple[str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:
    reader = door.reader(request)
    looked: Preview | None = None
    error: QueryError | None = None
    if q.strip():
        try:
            looked = preview(door.store, door.engine, q, now=now())
        except QueryError as found:
            error, status = found, 400
    return door.page(
        request,
        "watches.html",
        status=status,
        categories=list(categories().values()),
        q=q,
        title=title[:80],
        said=said,
        error=error,
        preview=looked,
        chart=_chart(looked, reader) if looked else "",
        watches=list_watches(door.store, ended=False) if reader.is_operator else [],
    )


def _chart(looked: Preview, reader: Reader) -> str:
    asked = Asked(q=looked.query)
    columns = [
        Column(
            month,
            {"recall": count} if count else {},
            asked.narrowed(clause("month", month)).address(),
            reader.say("search.month", month=month, n=count),
        )
        for month, count in looked.months.items()
    ]
    return months_chart(columns, reader.say("search.chart"))


@router.post("/watches/add", dependencies=OPERATOR)
def save_watch(
    request: Request,
    door: AtDoor,
    q: Annotated[str, Form()],
    recipient: Annotated[str, Form()],
    title: Annotated[str, Form()] = "",
    cadence: Annotated[str, Form()] = "immediate",
    language: Annotated[str, Form()] = "zh",
    confirmed: Annotated[bool, Form()] = False,
) -> Response:
    """Save a watch. confirmed: the operator vouches for the reader; otherwise a mail asks them first."""
    try:
        add_watch(
            door.store,
            q,
            recipient,
            now=now(),
            title=title,
            cadence=cadence,
            language=language,
            zone=door.settings.zone,
            confirmed=confirmed,
        )
    except WatchError as error:
        refused = (
            "trouble",
            door.reader(request).say("watch.refused", reason=error.say(door.reader(request).language)),
        )
        return _watches(request, door, q=q, title=title, said=refused, status=400)
    except QueryError:
        return _watches(request, door, q=q, title=title)
    return RedirectResponse(f"/watches?said={'saved' if confirmed else 'asked'}", status_code=303)


@router.post("/watches/remove", dependencies=OPERATOR)
def remove_watch(door: AtDoor, watch: Annotated[str, Form()]) -> Response:
    """End a watch."""
    ended = end_watch(door.store, watch, now=now())
    return RedirectResponse(f"/watches?said={'removed' if ended else 'gone'}", status_code=303)


@router.get("/unsubscribe")
def unsubscribe_page(request: Request, door: AtDoor, token: str = "") -> HTMLResponse:
    """Say which watches a link would end, with a button; nothing has happened yet."""
    try:
        found = watches_of(door.store, door.secret, token)
    except TokenError as error:
        raise HTTPException(400, "unsubscribe.bad") from error
    return door.page(request, "unsubscribe.html", watches=found, token=token, done=None)


@router.post("/unsubscribe")
def unsubscribe_now(request: Request, door: AtDoor, token: str = "") -> HTMLResponse:
    """End the watches of a link; mail programs post here by themselves (RFC 8058)."""
    try:
        ended = unsubscribe(door.store, door.secret, token, now=now())
    except TokenError as error:
        raise HTTPException(400, "unsubscribe.bad") from error
    return door.page(request, "unsubscribe.html", watches=ended, token=token, done=True)


# Intake ---------------------------------------------------------------------------------------------------------------


@router.get("/intake")
def intake_page(request: Request, door: AtDoor, kept: str = "") -> HTMLResponse:
    """The upload form, the files that wait, and how the last imports went."""
    reader = door.reader(request)
    said = ("done", reader.say("intake.kept", name=kept)) if kept and reader.is_operator else None
    return _intake(request, door, said)


def _intake(request: Request, door: Door, said: tuple[str, str] | None, status: int = 200) -> HTMLResponse:
    reader = door.reader(request)
    return door.page(
        request,
        "intake.html",
        status=status,
        said=said,
        offered=sorted(door.sources.values(), key=lambda source: (not source.handed_in, source.name)),
        waiting=_waiting(door.settings.intake) if reader.is_operator else [],
        runs=_imports(door),
        tone_of=tone_of,
        sentence=lambda run: sentence(run, reader),
        reason=lambda run: reason(run, reader),
    )


def _imports(door: Door) -> list[Run]:
    runs = [
        run
        for source in door.sources.values()
        for run in door.store.runs.of(source.name, 10)
        if source.handed_in or run.verdict == IMPORTED
    ]
    return sorted(runs, key=lambda run: -run.id)[:20]


def _waiting(folder: Path) -> list[str]:
    found = sorted(folder.glob("*/*")) if folder.is_dir() else []
    return [f"{path.parent.name}/{path.name}" for path in found if path.is_file() and not path.name.startswith(".")]


@router.post("/intake", dependencies=OPERATOR)
def hand_in(request: Request, door: AtDoor, source: Annotated[str, Form()], file: UploadFile) -> Response:
    """Put an uploaded file into the folder of its source, whole before it has its name; the intake reads it."""
    if source not in door.sources:
        raise HTTPException(404, "error.source")
    if not file.filename or not file.size:
        return _intake(request, door, ("trouble", door.reader(request).say("intake.no_file")), 400)
    name = f"{now():%Y%m%dT%H%M%S}-{safe_name(file.filename)}"
    folder = door.settings.intake / source
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{name}.part"  # names with a dot in front are left alone by the intake
    with draft.open("wb") as target:
        while chunk := file.file.read(CHUNK_BYTES):
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    os.replace(draft, folder / name)
    return RedirectResponse(f"/intake?{urlencode({'kept': name})}", status_code=303)


def safe_name(name: str) -> str:
    """The last part of a file name without anything a path, a shell or a hidden file could be made of.

    >>> safe_name("../../etc/pass wd.csv"), safe_name("...")
    ('pass_wd.csv', 'file')
    """
    last = re.split(r"[/\\]", name)[-1]
    return SAFE_NAME.sub("_", last).strip("._")[-120:] or "file"


# The practice mailbox of the demonstration ----------------------------------------------------------------------------


class Mail:
    """One mail of the practice mailbox as the page shows it."""

    def __init__(self, name: str, message: EmailMessage) -> None:
        self.name = name
        self.subject = _header(message, "subject")
        self.sender = _header(message, "from")
        self.recipient = _header(message, "to")
        self.date = _header(message, "date")
        self.headers = "\n".join(f"{key}: {value}" for key, value in message.items())
        self.text = _part(message, "plain")
        self.html = _part(message, "html")
        self.has_html = bool(self.html)

    def dated(self, reader: Reader) -> Mail:
        """With its date in the reader's zone."""
        with suppress(ValueError, TypeError):
            at: datetime = parsedate_to_datetime(self.date)
            self.date = reader.time(at)
        return self


def _header(message: EmailMessage, name: str) -> str:
    return str(message.get(name, ""))


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    return str(part.get_content()) if isinstance(part, EmailMessage) else ""


def _mailbox(door: Door) -> Sequence[tuple[str, EmailMessage]]:
    if not door.settings.demo or door.mailbox_folder is None:
        raise HTTPException(404, "error.404")
    names = sorted(path.stem for path in door.mailbox_folder.glob("*.eml"))
    return list(zip(names, read_mailbox(door.mailbox_folder), strict=False))


@router.get("/outbox")
def outbox_page(request: Request, door: AtDoor) -> HTMLResponse:
    """The newest mails of the demonstration, as they arrived."""
    reader = door.reader(request)
    mails = [Mail(name, message).dated(reader) for name, message in reversed(_mailbox(door)[-MAILS_SHOWN:])]
    return door.page(request, "outbox.html", mails=mails)


@router.get("/outbox/{name}")
def outbox_mail(door: AtDoor, name: str) -> HTMLResponse:
    """The HTML part of one mail, in a frame that runs nothing and loads nothing."""
    message = dict(_mailbox(door)).get(name)
    if message is None:
        raise HTTPException(404, "error.404")
    headers = {
        "content-security-policy": (
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"
        ),
        "x-frame-options": "SAMEORIGIN",
    }
    return HTMLResponse(Mail(name, message).html, headers=headers)
