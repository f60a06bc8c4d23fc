"""Pages for readers. None of them changes anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response

from alerts.canary import last_flight
from alerts.sweep import last_sweep
from indexer.expand import expand
from indexer.folding import folded
from indexer.query import And, Filter, QueryError, parse_query
from indexer.query import Query as Tree
from indexer.search import Hit, SearchResult, highlight
from indexer.similar import similar
from library.archive import ArchiveError
from library.page import Page
from library.record import Kind, Record
from library.times import now
from search_api.archived import shown
from search_api.asking import PAGE_SIZE, REACH, SIDEBAR, Asked, asked, clause, end_of, find, meant, past_day
from search_api.board import kinds, news, pages_by_outcome, reason, sentence, standing, standings, tone_of
from search_api.charts import Column, Night, months_chart, sparkline, two_digits
from search_api.door import AtDoor, Door, Reader
from search_api.kept import COOKIE, read_kept
from search_api.problems import said_of
from search_api.render import (
    country,
    differences,
    generated_line,
    hit_of,
    label,
    language_name,
    marked,
    original_url,
    printed_texts,
    rows_of,
    safe_url,
)
from search_api.saved import saved_searches

router = APIRouter(include_in_schema=False)
WEEK = timedelta(days=7)
MONTHS_SHOWN = 48
FOLDED = 5 * PAGE_SIZE  # hits among which those of one event are found, whatever pages they stand on
EXAMPLES = (
    "玩具 窒息",
    "充电宝 起火",
    "GB/T 5606.1-2004",
    "(EU) 2023/988",
    "origin:中国 kind:召回 hazard:起火",
    '"short circuit"',
    "G/TBT/N",
    "儿童服装 绳带",
)


@router.get("/")
def home(request: Request, door: AtDoor) -> HTMLResponse:
    """The search box, what the library holds, and what is new this week."""
    reader = door.reader(request)
    news_total, changes = news(door.store, now() - WEEK, 12)
    records = {record.id: record for record in door.store.get_many([change["record_id"] for change in changes])}
    newest: list[Record] = []
    if not changes:
        found = find(door.store, door.engine, Asked(sort="newest"), first=0, count=8)
        newest = [hit.record for hit in found.hits if hit.record is not None]
    by_kind, by_source = kinds(door.store), door.store.counts()
    return door.page(
        request,
        "home.html",
        asked=Asked(),
        saved=saved_searches(),
        kept=read_kept(request.cookies.get(COOKIE, "")),
        examples=[(text, Asked(q=text).address()) for text in EXAMPLES],
        by_kind=[(kind.value, by_kind.get(kind.value, 0)) for kind in Kind],
        by_source=sorted(by_source.items(), key=lambda pair: -pair[1]),
        total=sum(by_source.values()),
        news_total=news_total,
        news=[(change["action"], records[change["record_id"]]) for change in changes if change["record_id"] in records],
        newest=newest,
        label=lambda facet, value: label(facet, value, reader, door.sources),
        clause=clause,
        generated_line=lambda record: generated_line(record, reader),
    )


@router.get("/search")
def search_page(
    request: Request,
    door: AtDoor,
    q: str = "",
    f: Annotated[list[str] | None, Query()] = None,
    sort: str = "relevance",
    page: str = "1",
    expand: str = "1",
    meaning: str = "auto",
    fold: str = "1",
    asof: str = "",
) -> HTMLResponse:
    """Hits with their facets. A query that cannot be read comes back with a mark under the place of the trouble."""
    reader = door.reader(request)
    wanted = asked(q, f or [], sort, page, expand, meaning, fold, asof)
    begin = wanted.first - wanted.first % FOLDED if wanted.fold else wanted.first
    try:
        result = find(
            door.store,
            door.engine,
            wanted,
            first=begin,
            count=FOLDED if wanted.fold else PAGE_SIZE,
            facets=SIDEBAR,
            meaning=door.meaning,
        )
    except QueryError as error:
        return door.page(request, "search.html", status=400, asked=wanted, error=error, result=None)
    here = range(wanted.first - begin, wanted.first - begin + PAGE_SIZE)
    groups = _groups(result.hits, here, is_folded=wanted.fold)
    entries = [
        (hit_of(group[0].record, group[0], result.query, reader, door.sources), [hit.record for hit in group[1:]])
        for group in groups
        if group[0].record
    ]
    facets = [
        (name, [(clause(name, str(value)), label(name, str(value), reader, door.sources), n) for value, n in values])
        for name in SIDEBAR
        if (
            values := sorted(
                result.facets.get(name, ()), key=lambda pair: pair[0] if name == "year" else "", reverse=True
            )
        )
    ]
    chips = [(chosen, _chip(chosen, reader, door), wanted.without(chosen).address()) for chosen in wanted.filters]
    return door.page(
        request,
        "search.html",
        asked=wanted,
        error=None,
        result=result,
        entries=entries,
        shown=sum(map(len, groups)),
        is_folded=len(groups) < len([hit for hit in result.hits[here.start : here.stop] if hit.record])
        or any(len(group) > 1 for group in groups),
        is_kept=wanted.at_page(1) in read_kept(request.cookies.get(COOKIE, "")),
        facets=facets,
        meant=meant(door.store, door.engine, wanted, result),
        chips=chips,
        chart=_chart(door, wanted, result, reader),
        last_page=max(1, -(-min(result.reach, REACH) // PAGE_SIZE)),
        can_mean=door.meaning is not None and wanted.sort == "relevance",
        country=country,
    )


def _groups(hits: Sequence[Hit], here: range, *, is_folded: bool) -> list[list[Hit]]:
    """The hits of a page, those of one event together where the first of them stands, be it pages before."""
    held = [(place, hit) for place, hit in enumerate(hits) if hit.record is not None]
    if not is_folded:
        return [[hit] for place, hit in held if place in here]
    groups = folded([hit.record for _, hit in held if hit.record])
    return [[held[place][1] for place in group] for group in groups if held[group[0]][0] in here]


def _chip(chosen: str, reader: Reader, door: Door) -> str:
    facet, _, value = chosen.partition(":")
    name = "year" if facet == "published" else facet
    said = label(name, value.strip('"'), reader, door.sources)
    return f"{reader.say(f'facet.{name}')}: {said}" if name in SIDEBAR else chosen


def _chart(door: Door, wanted: Asked, result: SearchResult, reader: Reader) -> str:
    """Hits per month by kind, over the last years in which there are any; a search per kind, without hits."""
    by_kind = {}
    is_estimated = False
    for kind, _ in result.facets.get("kind", ()):
        found = door.engine.search(And((result.query, Filter("kind", kind))), 0, 0, facets=("month",))
        by_kind[kind] = dict(found.facets.get("month", ()))
        is_estimated |= found.is_estimated
    seen = sorted({month for months in by_kind.values() for month in months})
    if len(seen) < 2:
        return ""
    columns = []
    for month in _months(seen[0], seen[-1])[-MONTHS_SHOWN:]:
        counts = {kind: months[month] for kind, months in by_kind.items() if month in months}
        n = sum(counts.values())
        if is_estimated:
            said = reader.say("search.month_about", month=month, n=two_digits(n))
        else:
            said = reader.say("search.month", month=month, n=n)
        columns.append(Column(month, counts, wanted.narrowed(clause("month", month)).address(), said))
    return months_chart(columns, reader.say("search.chart"), is_estimated=is_estimated)


def _months(first: str, last: str) -> list[str]:
    """Months from one to another, both included: '2025-11', '2025-12', '2026-01'."""
    start, end = (int(month[:4]) * 12 + int(month[5:7]) - 1 for month in (first, last))
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(start, end + 1)]


@router.get("/records/{record_id:path}")
def record_page(request: Request, door: AtDoor, record_id: str, q: str = "", asof: str = "") -> HTMLResponse:
    """Everything known of a record: its fields, versions, links in both directions, archived pages and rights.

    q: the query that led here; its words are marked. asof: show the version of a past day.
    """
    reader = door.reader(request)
    versions = door.store.versions(record_id)
    if not versions:
        raise HTTPException(404, "error.record")
    day, newest = past_day(asof), versions[0].version
    versions = [version for version in versions if day is None or version.at <= end_of(day)]
    if not versions:
        raise HTTPException(404, "error.record_then")
    record = versions[0].record
    query = _read(q)
    rows, unprinted = rows_of(record, reader)
    cites = door.store.cites(record.id)
    cited_by = door.store.cited_by(record.id)
    mentioned = {target for _, targets in cites for target in targets} | set(cited_by)
    others = {other.id: other for other in door.store.get_many(sorted(mentioned))}
    pages = {part: door.store.pages.get(page_id) for part, page_id in door.store.pages_of(record.id).items()}
    title = next((text for text in record.titles if text.language == reader.language), record.titles[0])
    return door.page(
        request,
        "record.html",
        record=record,
        title=title,
        then=day if day and versions[0].version < newest else None,
        title_marked=marked(title.value, highlight(title.value, title.language, query, "title") if query else ()),
        texts=printed_texts(record, query),
        like=similar(door.store, door.engine, record),
        rows=rows,
        unprinted=unprinted,
        line=generated_line(record, reader),
        versions=[(version, differences(version.diff, reader)) for version in versions],
        cites=[(canonical, [others[target] for target in targets if target in others]) for canonical, targets in cites],
        cited_by=[others[one] for one in cited_by if one in others],
        pages=[(part, page) for part, page in pages.items() if page is not None],
        first_seen=door.store.first_seen(record.id),
        original=original_url(record),
        safe_url=safe_url,
        language_name=lambda code: language_name(code, reader.language),
        label=lambda facet, value: label(facet, value, reader, door.sources),
        search_for=lambda text: Asked(q=text).address(),
    )


def _read(typed: str) -> Tree | None:
    """A query, widened as a search would; None for an empty one or one that cannot be read."""
    try:
        return expand(parse_query(typed)).query if typed.strip() else None
    except QueryError:
        return None


@router.get("/pages/{page_id:int}")
def archived_page(request: Request, door: AtDoor, page_id: int) -> HTMLResponse:
    """One archived answer with where it came from; its body as text."""
    row = door.store.pages.get(page_id)
    if row is None:
        raise HTTPException(404, "error.page")
    try:
        page: Page | None = door.archive.get(row.ref)
    except ArchiveError:
        page = None
    with door.store.read() as transaction:
        shows = transaction.rows(
            "SELECT record_id FROM part WHERE page_id = :id ORDER BY record_id LIMIT 50", id=page_id
        )
    return door.page(
        request,
        "page.html",
        row=row,
        archived=page,
        body=shown(page) if page is not None else None,
        safe_url=safe_url,
        records=door.store.get_many(list(dict.fromkeys(part["record_id"] for part in shows))),
    )


@router.get("/pages/{page_id:int}/original")
def archived_original(door: AtDoor, page_id: int) -> Response:
    """The bytes of an archived answer, as a download that no browser opens."""
    row = door.store.pages.get(page_id)
    if row is None:
        raise HTTPException(404, "error.page")
    try:
        page = door.archive.get(row.ref)
    except ArchiveError as error:
        raise HTTPException(404, "error.archive") from error
    headers = {
        "content-disposition": f'attachment; filename="{row.source}-{row.id}.bin"',
        "content-security-policy": "default-src 'none'; sandbox",
    }
    return Response(page.body, media_type="application/octet-stream", headers=headers)


@router.get("/sources")
def source_board(request: Request, door: AtDoor) -> HTMLResponse:
    """How every source does, those in trouble first."""
    reader = door.reader(request)
    found = standings(door.store, door.sources, reader, now())
    return door.page(
        request,
        "board.html",
        standings=found,
        reason=lambda run: reason(run, reader),
        sweep=last_sweep(door.store),
        flight=(flight := last_flight(door.store)),
        flight_stands=flight.standing(now(), door.settings.canary.within_s) if flight else "none",
        tones={tone: sum(one.tone == tone for one in found) for tone in ("good", "quiet", "bad", "running", "none")},
        nights=lambda one: sparkline(one.nights, _nights_said(one.nights, reader)),
    )


def _nights_said(nights: Sequence[Night], reader: Reader) -> str:
    tones = [night.tone for night in nights]
    return reader.say(
        "board.nights_said",
        good=tones.count("good"),
        quiet=tones.count("quiet"),
        bad=tones.count("bad"),
        none=tones.count("none"),
    )


@router.get("/sources/{name}")
def source_page(request: Request, door: AtDoor, name: str) -> HTMLResponse:
    """One source: facts, runs, open problems with their reasons, archived pages by outcome."""
    reader = door.reader(request)
    source = door.sources.get(name)
    if source is None:
        raise HTTPException(404, "error.source")
    one = standing(door.store, source, reader, now(), door.store.counts().get(name, 0))
    return door.page(
        request,
        "source.html",
        source=source,
        one=one,
        nights=sparkline(one.nights, _nights_said(one.nights, reader)),
        runs=door.store.runs.of(name, 30),
        problems=[(problem, said_of(problem, reader)) for problem in door.store.runs.problems(name, 50)],
        outcomes=pages_by_outcome(door.store, name),
        safe_url=safe_url,
        country=country,
        tone_of=tone_of,
        sentence=lambda run: sentence(run, reader),
        reason=lambda run: reason(run, reader),
    )


@router.get("/help")
def help_page(request: Request, door: AtDoor) -> HTMLResponse:
    """The query language, by example."""
    return door.page(request, "help.html", search_for=lambda text: Asked(q=text).address())


@router.get("/docs")
def api_page(request: Request, door: AtDoor) -> HTMLResponse:
    """The HTTP API for a person to read, made from its OpenAPI description."""
    description = request.app.openapi()
    calls = [
        (method.upper(), path, call)
        for path, methods in description["paths"].items()
        for method, call in methods.items()
    ]
    return door.page(request, "docs.html", calls=calls)
