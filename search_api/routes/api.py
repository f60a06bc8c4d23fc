"""The HTTP API: search, records, sources, health, and search results as CSV and XLSX."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from indexer.engines.base import EngineDownError
from indexer.search import Choice
from indexer.suggest import suggest
from library.store.database import StoreDownError
from library.times import now, stamp
from search_api.asking import ANY_FACET, REACH, Asked, all_found, asked, end_of, find, found_json
from search_api.board import alerts_standing, standings
from search_api.door import AtDoor, Door, record_path
from search_api.exports import as_csv, write_xlsx

router = APIRouter(prefix="/api", tags=["api"])
USUAL_FACETS = "kind,source,jurisdiction,year"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Sort = Literal["relevance", "newest", "oldest"]


class Error(BaseModel):
    """Why a request was refused. code and column: what the trouble of a query is, and where, from 1."""

    error: str
    code: str | None = None
    column: int | None = None


class Bucket(BaseModel):
    """One value of a facet and how many of the hits have it."""

    value: str
    count: int


class FoundRecord(BaseModel):
    """One hit. nearby: it lacks a word or two. found_by_meaning: it was found by its meaning alone."""

    id: str
    kind: str
    jurisdiction: str
    published: str | None
    title: str
    score: float
    nearby: bool
    found_by_meaning: bool


class Found(BaseModel):
    """Hits and facets. total_estimated, facets_estimated: there are so many hits that these were counted in a sample.

    Estimates have two digits. reach: how many hits can be paged to, with those that nearly fit. also_searched: words
    that were searched beside the typed ones. loosened: nothing held every word, and these hits lack some of them.
    did_you_mean: queries with other words, where little was found and a word is in no record.
    """

    query: str
    total: int
    total_estimated: bool
    took_ms: float
    hits: list[FoundRecord]
    facets: dict[str, list[Bucket]]
    facets_estimated: bool
    also_searched: list[str]
    loosened: bool
    reach: int
    by_meaning: bool
    did_you_mean: list[str]


class Search(BaseModel):
    """A search too long for an address."""

    model_config = ConfigDict(extra="forbid")

    query: str = ""
    first: int = Field(default=0, ge=0, le=REACH)
    count: int = Field(default=20, ge=0, le=200)
    sort: Sort = "relevance"
    facets: list[str] = Field(default_factory=lambda: USUAL_FACETS.split(","))
    expand: bool = True
    meaning: Choice = "auto"
    asof: date | None = None


REFUSALS: dict[int | str, dict[str, Any]] = {400: {"model": Error}, 414: {"model": Error}}


@router.get("/search", response_model=Found, responses=REFUSALS, summary="Search")
def search_by_address(
    door: AtDoor,
    q: Annotated[str, Query(description="the query; see /help for its language")] = "",
    first: Annotated[int, Query(ge=0, le=REACH)] = 0,
    count: Annotated[int, Query(ge=0, le=200)] = 20,
    sort: Sort = "relevance",
    facets: Annotated[str, Query(description="names, separated by commas; empty for none")] = USUAL_FACETS,
    expand: Annotated[bool, Query(description="search terms of the trade in other languages too")] = True,
    meaning: Annotated[Choice, Query(description="search by meaning too; auto: where it helps")] = "auto",
    asof: Annotated[date | None, Query(description="only what was held on this day, UTC, as it was then")] = None,
) -> Response:
    """Search by address. A query that cannot be read is refused with its column."""
    names = [name.strip() for name in facets.split(",") if name.strip()]
    wanted = Asked(q=q, sort=sort, expand=expand, meaning=meaning, asof=asof)
    return _answer(door, wanted, first=first, count=count, facets=names)


@router.post("/search", response_model=Found, responses=REFUSALS, summary="Search with a long query")
def search_by_body(door: AtDoor, search: Search) -> Response:
    """The same search; the query stands in the body. Nothing is changed by it."""
    wanted = Asked(q=search.query, sort=search.sort, expand=search.expand, meaning=search.meaning, asof=search.asof)
    return _answer(door, wanted, first=search.first, count=search.count, facets=search.facets)


def _answer(door: Door, wanted: Asked, *, first: int, count: int, facets: Sequence[str]) -> Response:
    if any(name not in ANY_FACET for name in facets):
        raise HTTPException(400, "error.facets")
    if first + count > REACH:
        raise HTTPException(400, "error.reach")
    found = found_json(door.store, door.engine, wanted, first=first, count=count, facets=facets, meaning=door.meaning)
    return Response(orjson.dumps(found), media_type="application/json")  # made by us: to check it again took a sixth


class Offer(BaseModel):
    """text: the whole box with the offer taken; shown: the word itself; said: its kind, in the reader's language."""

    text: str
    shown: str
    kind: str
    said: str


class Offers(BaseModel):
    """What a text may become, the best first."""

    query: str
    suggestions: list[Offer]


@router.get("/suggest", response_model=Offers, responses=REFUSALS, summary="Suggestions while typing")
def suggestions(
    request: Request, door: AtDoor, q: Annotated[str, Query(description="what is in the box")] = ""
) -> dict[str, Any]:
    """References, names, words of the trade in Chinese and English, and Chinese words by their pinyin."""
    reader = door.reader(request)
    found = suggest(door.store, q)
    return {
        "query": q,
        "suggestions": [
            {"text": one.text, "shown": one.shown, "kind": one.kind, "said": reader.say(f"suggest.{one.kind}")}
            for one in found
        ],
    }


@router.get("/search.csv", responses=REFUSALS, summary="Search results as CSV", response_class=StreamingResponse)
def search_as_csv(
    request: Request,
    door: AtDoor,
    q: str = "",
    f: Annotated[list[str] | None, Query(description="further clauses")] = None,
    sort: Sort = "relevance",
    expand: str = "1",
    meaning: Choice = "auto",
    asof: date | None = None,
) -> StreamingResponse:
    """Up to 10,000 records in the order of the search."""
    wanted = replace(asked(q, f or [], sort, "1", expand, meaning), asof=asof)
    find(
        door.store, door.engine, wanted, first=0, count=1
    )  # a query that cannot be read is refused before the answer begins
    rows = as_csv(
        all_found(door.store, door.engine, wanted, door.meaning), door.reader(request), door.settings.web.base_url
    )
    return StreamingResponse(rows, media_type="text/csv; charset=utf-8", headers=_download("csv"))


@router.get("/search.xlsx", responses=REFUSALS, summary="Search results as XLSX", response_class=FileResponse)
def search_as_xlsx(
    request: Request,
    door: AtDoor,
    q: str = "",
    f: Annotated[list[str] | None, Query(description="further clauses")] = None,
    sort: Sort = "relevance",
    expand: str = "1",
    meaning: Choice = "auto",
    asof: date | None = None,
) -> FileResponse:
    """Up to 10,000 records in the order of the search."""
    wanted = replace(asked(q, f or [], sort, "1", expand, meaning), asof=asof)
    find(door.store, door.engine, wanted, first=0, count=1)
    with tempfile.NamedTemporaryFile(suffix=".xlsx", delete=False) as file:
        path = Path(file.name)
    write_xlsx(
        path, all_found(door.store, door.engine, wanted, door.meaning), door.reader(request), door.settings.web.base_url
    )
    return FileResponse(path, media_type=XLSX, headers=_download("xlsx"), background=BackgroundTask(path.unlink))


def _download(suffix: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="ttm-{now():%Y%m%d}.{suffix}"'}


@router.get("/records/{record_id:path}", responses={404: {"model": Error}}, summary="One record")
def record(
    door: AtDoor,
    record_id: str,
    asof: Annotated[date | None, Query(description="the record as it was held on this day, UTC")] = None,
) -> JSONResponse:
    """A record with its versions and what changed in each, its links in both directions, and its archived pages."""
    versions = door.store.versions(record_id)
    if not versions:
        raise HTTPException(404, "error.record")
    versions = [version for version in versions if asof is None or version.at <= end_of(asof)]
    if not versions:
        raise HTTPException(404, "error.record_then")
    first_seen = door.store.first_seen(record_id)
    pages = {part: door.store.pages.get(page_id) for part, page_id in door.store.pages_of(record_id).items()}
    newest = versions[0].record
    return JSONResponse(
        {
            "id": newest.id,
            "record": newest.model_dump(mode="json"),
            "first_seen": stamp(first_seen) if first_seen else None,
            "address": door.settings.web.base_url.rstrip("/") + record_path(newest.id),
            "versions": [
                {
                    "version": version.version,
                    "action": version.action,
                    "origin": version.origin.value,
                    "at": stamp(version.at),
                    "page": version.page_id or None,
                    "diff": {name: list(pair) for name, pair in version.diff.items()},
                }
                for version in versions
            ],
            "cites": [{"reference": canonical, "records": ids} for canonical, ids in door.store.cites(newest.id)],
            "cited_by": door.store.cited_by(newest.id),
            "pages": [
                {
                    "id": page.id,
                    "part": part,
                    "url": page.url,
                    "kind": page.kind,
                    "fetched_at": stamp(page.fetched_at),
                    "sha256": page.digest,
                    "outcome": page.outcome.value,
                    "address": f"{door.settings.web.base_url.rstrip('/')}/pages/{page.id}",
                }
                for part, page in pages.items()
                if page is not None
            ],
        }
    )


@router.get("/sources", summary="The source board")
def sources(request: Request, door: AtDoor) -> JSONResponse:
    """How each source does. verdict: the word of its last run; said: the sentence in the language of the request.

    alerts: the last comparison of the ledger with what it should hold, and the last canary; null where there was none.
    """
    found = standings(door.store, door.sources, door.reader(request), now())
    return JSONResponse(
        {
            "sources": [
                {
                    "name": one.source.name,
                    "title": one.source.title.model_dump(),
                    "standing": one.tone,
                    "verdict": one.last_run.verdict if one.last_run else None,
                    "said": one.said,
                    "reason": one.last_run.reason if one.last_run else "",
                    "last_run": stamp(one.last_run.started_at) if one.last_run else None,
                    "last_good": stamp(one.last_good.started_at) if one.last_good else None,
                    "records": one.records,
                    "problems": one.problems,
                    "unread": list(one.unread),
                    "proven": one.is_proven,
                    "nights": [{"standing": night.tone, "news": night.news} for night in one.nights],
                }
                for one in found
            ],
            "alerts": alerts_standing(door.store, now(), within_s=door.settings.canary.within_s),
        }
    )


@router.get("/health", summary="Whether the library answers")
def health(door: AtDoor) -> JSONResponse:
    """Records, the last change, and how far the index is behind it; 503 while the store or the index cannot be read."""
    try:
        head = door.store.head()
        records = sum(door.store.counts().values())
    except StoreDownError:
        return JSONResponse({"status": "the store cannot be read"}, status_code=503)
    try:
        indexed = door.engine.position()
    except (EngineDownError, OSError, ValueError):  # a folder that is gone, an index that cannot be opened
        return JSONResponse(
            {"status": "the index cannot be read", "records": records, "changes": head}, status_code=503
        )
    behind = max(head - indexed, 0)
    return JSONResponse({"status": "ok", "records": records, "changes": head, "indexed": indexed, "behind": behind})
