"""create_app(): the FastAPI application, its security headers, its limits and its error answers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer.engines.base import Engine, EngineDownError
from indexer.query import QueryError
from library.settings import Settings
from library.source import Source
from library.store.database import StoreDownError
from library.store.store import Store
from library.times import now
from search_api import wording
from search_api.door import OPERATOR_COOKIE, Door, open_door
from search_api.routes import api, keeping, operator, pages, watching

logger = logging.getLogger(__name__)

STATIC = Path(__file__).with_name("static")
TARGET_LIMIT_BYTES = 8 * 1024  # of path and query; longer searches go by POST
BODY_LIMIT_BYTES = 256 * 1024
UPLOAD_LIMIT_BYTES = 64 * 1024 * 1024
STORE_PAUSE = timedelta(seconds=30)  # a store that is locked or moved is back within it, or needs a person

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "private, no-cache",
}


def create_app(
    settings: Settings,
    store: Store,
    engine: Engine,
    sources: Mapping[str, Source],
    *,
    mailbox_folder: Path | None = None,
) -> FastAPI:
    """Build the application. mailbox_folder: where the practice mailbox keeps its .eml files, shown in the demo only."""
    app = FastAPI(
        title="ttm",
        summary="A searchable library of technical trade measures",
        version="1",
        docs_url=None,  # the usual page loads script from elsewhere; ours is /docs, made from /openapi.json
        redoc_url=None,
        redirect_slashes=False,  # such a redirect would be built from the Host header
    )
    door = open_door(settings, store, engine, sources, mailbox_folder)
    app.state.door = door
    app.include_router(api.router)
    app.include_router(pages.router)
    app.include_router(keeping.router)
    app.include_router(operator.router)
    app.include_router(watching.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_exception_handler(StarletteHTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(QueryError, _query_error)
    app.add_exception_handler(StoreDownError, _down)
    app.add_exception_handler(EngineDownError, _down)
    app.add_exception_handler(Exception, _unforeseen)
    app.add_middleware(Threshold, door=door)
    return app


class Threshold:
    """Refuses what is too long before anything reads it, and puts the security headers on every answer."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > TARGET_LIMIT_BYTES:
            answer = JSONResponse({"error": wording.say("error.target_too_long", "en")}, status_code=414)
            await answer(scope, receive, send_with_headers)
            return
        limit = UPLOAD_LIMIT_BYTES if self._may_upload(scope, headers) else BODY_LIMIT_BYTES
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > limit:
            answer = JSONResponse({"error": wording.say("error.body_too_long", "en")}, status_code=413)
            await answer(scope, receive, send_with_headers)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413, "error.body_too_long")
            return message

        await self._app(scope, counted, send_with_headers)

    def _may_upload(self, scope: Scope, headers: Headers) -> bool:
        if scope["path"] != "/intake":
            return False
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(OPERATOR_COOKIE)
        except CookieError:
            return False
        return cookie is not None and self._door.is_operator(cookie.value)


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/")


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    door: Door = request.app.state.door
    reader = door.reader(request)
    key = str(error.detail)
    if not wording.is_known(key):
        key = f"error.{error.status_code}" if wording.is_known(f"error.{error.status_code}") else "error.other"
    headers = error.headers or {}
    if _is_api(request):
        return JSONResponse({"error": wording.say(key, "en")}, status_code=error.status_code, headers=headers)
    response = door.page(
        request, "error.html", status=error.status_code, sentence=reader.say(key), code=error.status_code
    )
    response.headers.update(headers)
    return response


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    said = "; ".join(f"{'.'.join(str(part) for part in item['loc'][1:])}: {item['msg']}" for item in error.errors())
    if _is_api(request):
        return JSONResponse({"error": said}, status_code=400)
    door: Door = request.app.state.door
    sentence = door.reader(request).say("error.400")
    return door.page(request, "error.html", status=400, sentence=sentence, code=400)


async def _query_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, QueryError)
    return JSONResponse({"error": error.message, "code": error.code, "column": error.column}, status_code=400)


async def _down(request: Request, error: Exception) -> Response:
    """The store or the engine does not answer for now: a sentence with the time to try again; the log says why."""
    logger.error("%s: %s", request.url.path, error)
    door: Door = request.app.state.door
    reader = door.reader(request)
    retry_at = error.retry_at if isinstance(error, EngineDownError) else now() + STORE_PAUSE
    headers = {"retry-after": str(max(1, round((retry_at - now()).total_seconds())))}
    key = "error.engine_down" if isinstance(error, EngineDownError) else "error.503"
    at = f"{retry_at.astimezone(reader.zone):%H:%M:%S}"
    if _is_api(request):
        return JSONResponse({"error": wording.say(key, "en", at=at)}, status_code=503, headers=headers)
    response = door.page(request, "error.html", status=503, sentence=reader.say(key, at=at), code=503)
    response.headers.update(headers)
    return response


async def _unforeseen(request: Request, error: Exception) -> Response:
    """Say nothing of the inside; the log has the traceback, which starlette raises again after this answer."""
    door: Door = request.app.state.door
    sentence = wording.say("error.500", "en" if _is_api(request) else door.reader(request).language)
    return JSONResponse({"error": sentence}, status_code=500, headers=SECURITY_HEADERS)
