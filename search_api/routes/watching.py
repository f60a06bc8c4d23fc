"""A watch as its owner sees it: agreeing to it, its page, and its feeds. Signed links stand for the owner; nobody signs in.

Only a POST changes anything: mail scanners fetch every link they see. The owner's page is a form of our own, and its POST
must come from it.
"""

from __future__ import annotations

from secrets import token_hex
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from alerts.feeds import atom, calendar, json_feed, told, told_together
from alerts.hooks import last_call
from alerts.robots import robot_of
from alerts.tokens import TokenError, digest_name_of, feed_token, owner_token, watch_id_of
from alerts.watches import (
    ACTIONS,
    Cadence,
    Watch,
    WatchError,
    confirm_watch,
    edit_watch,
    end_watch,
    get_watch,
    preview,
)
from alerts.wording import FIELDS, reason_line
from alerts.workdays import known_until
from indexer.query import QueryError
from library.times import now
from search_api.door import AtDoor, Door, same_site

router = APIRouter(include_in_schema=False)
DIGEST_ITEMS = 200  # on one page
HOOK_SECRET_BYTES = 32
SAID = {"confirmed": "done", "saved": "done", "removed": "done"}


# Agreeing -------------------------------------------------------------------------------------------------------------


@router.get("/confirm")
def confirm_page(request: Request, door: AtDoor, token: str = "") -> HTMLResponse:
    """Say what a link would begin, with a button; nothing has happened yet."""
    watch = _watch(door, token, "confirm")
    return door.page(request, "confirm.html", watch=watch, token=token)


@router.post("/confirm")
def confirm_now(door: AtDoor, token: str = "") -> Response:
    """Let the watch of a link begin, and show it to its owner."""
    watch = _watch(door, token, "confirm")
    if confirm_watch(door.store, watch.id, now=now()) is None:
        raise HTTPException(404, "watch.gone")
    return _to_page(door, watch.id, "confirmed")


# The owner's page -----------------------------------------------------------------------------------------------------


@router.get("/watch")
def watch_page(request: Request, door: AtDoor, token: str = "", said: str = "") -> HTMLResponse:
    """One watch: what it asks, what it would have brought, what it brought and why, and the forms to change it."""
    watch = _watch(door, token, "owner")
    reader = door.reader(request)
    return _page(request, door, watch, token, (SAID[said], reader.say(f"watch.{said}")) if said in SAID else None)


@router.post("/watch", dependencies=[Depends(same_site)])
def change_watch(
    request: Request,
    door: AtDoor,
    q: Annotated[str, Form()],
    token: str = "",
    title: Annotated[str, Form()] = "",
    cadence: Annotated[str, Form()] = "immediate",
    language: Annotated[str, Form()] = "zh",
    quiet: Annotated[str, Form()] = "",
    days_before: Annotated[int, Form()] = 7,
    actions: Annotated[list[str] | None, Form()] = None,
    nothing_too: Annotated[bool, Form()] = False,
    by_mail: Annotated[bool, Form()] = True,
    hook: Annotated[str, Form()] = "",
    hook_secret: Annotated[str, Form()] = "",
    hook_off: Annotated[bool, Form()] = False,
    new_key: Annotated[bool, Form()] = False,
) -> Response:
    """Change a watch as its owner's form says; it goes on for a year from now.

    hook: '' leaves the web address as it is. The key that signs the calls of a new address is shown in the answer, once.
    """
    watch = _watch(door, token, "owner")
    address = "" if hook_off else hook.strip() or watch.hook
    is_new = bool(address) and address != watch.hook
    is_robot = robot_of(address, door.settings.alerts) is not None
    key = token_hex(HOOK_SECRET_BYTES) if address and not is_robot and (is_new or new_key) else ""
    if is_robot:
        own_secret = hook_secret or ("" if is_new else watch.hook_secret)
    else:
        own_secret = key or (watch.hook_secret if address else "")
    changes: dict[str, Any] = {
        "by_mail": by_mail,
        "hook": address,
        "hook_secret": own_secret,
        "query": q,
        "title": title,
        "cadence": cadence,
        "language": language,
        "quiet": quiet,
        "days_before": days_before,
        "actions": tuple(actions or ()),
        "nothing_too": nothing_too,
    }
    reader = door.reader(request)
    try:
        changed = edit_watch(door.store, watch.id, now=now(), **changes)
    except QueryError as error:
        why = reader.say(f"query.{error.code}", **error.values)
        reason = reader.say("search.error", column=error.column, message=why)
        return _page(request, door, watch, token, ("trouble", reason), status=400)
    except WatchError as error:
        return _page(
            request,
            door,
            watch,
            token,
            ("trouble", reader.say("watch.refused", reason=error.say(reader.language))),
            status=400,
        )
    if key:
        return _page(request, door, changed, token, ("done", reader.say("watch.key_once")), key=key)
    return _to_page(door, watch.id, "saved")


@router.post("/watch/end", dependencies=[Depends(same_site)])
def end_own_watch(door: AtDoor, token: str = "") -> Response:
    """End a watch."""
    watch = _watch(door, token, "owner")
    end_watch(door.store, watch.id, now=now(), why="unsubscribed")
    return _to_page(door, watch.id, "removed")


def _page(
    request: Request,
    door: Door,
    watch: Watch,
    token: str,
    said: tuple[str, str] | None,
    *,
    status: int = 200,
    key: str = "",
) -> HTMLResponse:
    reader = door.reader(request)
    try:
        looked = preview(door.store, door.engine, watch.query, now=now())
    except QueryError:  # a code has left the vocabulary since; the watch is told nothing, and the page says so
        looked = None
    feed = f"{door.settings.web.base_url.rstrip('/')}/feed/{feed_token(door.secret, watch.id)}"
    return door.page(
        request,
        "watch.html",
        status=status,
        watch=watch,
        token=token,
        said=said,
        preview=looked,
        told=told(door.store, watch.id),
        why=lambda item: reason_line(item.reasons, reader.language),
        about=lambda about: FIELDS[reader.language][about.partition(":")[0]] + " " + about.partition(":")[2],
        actions=ACTIONS,
        cadences=list(Cadence),
        feed=feed,
        key=key,
        call=last_call(door.store, watch.id) if watch.hook else None,
        known_until=known_until(now().date()),
        hook_host=urlsplit(watch.hook).hostname or "",
        robot=robot_of(watch.hook, door.settings.alerts) if watch.hook else None,
    )


@router.get("/digest")
def digest_page(request: Request, door: AtDoor, token: str = "", first: int = 0) -> HTMLResponse:
    """What one mail or call was about, as it stood when it was written, however much of it that named."""
    reader = door.reader(request)
    try:
        at, items = told_together(door.store, digest_name_of(door.secret, token))
    except TokenError as error:
        raise HTTPException(400, "unsubscribe.bad") from error
    if at is None:
        raise HTTPException(404, "error.404")
    first = min(max(first, 0), len(items))
    return door.page(
        request,
        "digest.html",
        token=token,
        at=at,
        count=len({item.record.id for item in items}),
        items=items[first : first + DIGEST_ITEMS],
        rest=first + DIGEST_ITEMS if first + DIGEST_ITEMS < len(items) else 0,
        why=lambda item: reason_line(item.reasons, reader.language),
    )


# Feeds ----------------------------------------------------------------------------------------------------------------


@router.get("/feed/{token}.atom")
def atom_feed(door: AtDoor, token: str) -> Response:
    """What a watch was told, for feed readers."""
    watch, url, base_url = _feed(door, token, "atom")
    written = atom(watch, told(door.store, watch.id), base_url=base_url, feed_url=url)
    return Response(written, media_type="application/atom+xml; charset=utf-8")


@router.get("/feed/{token}.json")
def json_feed_of(door: AtDoor, token: str) -> Response:
    """The same as JSON."""
    watch, url, base_url = _feed(door, token, "json")
    written = json_feed(watch, told(door.store, watch.id), base_url=base_url, feed_url=url)
    return JSONResponse(written, media_type="application/feed+json")


@router.get("/feed/{token}.ics")
def calendar_of(door: AtDoor, token: str) -> Response:
    """The days that come, for calendars."""
    watch, _, base_url = _feed(door, token, "ics")
    written = calendar(door.store, door.engine, watch, now=now(), base_url=base_url)
    return Response(written, media_type="text/calendar; charset=utf-8")


def _feed(door: Door, token: str, ending: str) -> tuple[Watch, str, str]:
    watch = _watch(door, token, "feed")
    if watch.ended_at is not None:
        raise HTTPException(410, "watch.gone")
    base_url = door.settings.web.base_url.rstrip("/")
    return watch, f"{base_url}/feed/{token}.{ending}", base_url


def _watch(door: Door, token: str, kind: str) -> Watch:
    try:
        watch = get_watch(door.store, watch_id_of(door.secret, token, kind))
    except TokenError as error:
        raise HTTPException(400, "unsubscribe.bad") from error
    if watch is None:
        raise HTTPException(404, "watch.gone")
    return watch


def _to_page(door: Door, watch_id: str, said: str) -> Response:
    token = owner_token(door.secret, watch_id)
    return RedirectResponse(f"/watch?{urlencode({'token': token, 'said': said})}", status_code=303)
