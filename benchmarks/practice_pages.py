"""Pages of the practice publishers without a network: a spider's own walk, answered by the publisher's own function."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from crawlers.page import Follow
from crawlers.practice.exchange import Request
from crawlers.practice.publishers import PUBLISHERS, Publisher, eu_rasff
from crawlers.practice.world import SOURCES, World
from crawlers.reading import read_page
from crawlers.registry import reader_of
from library.page import Page
from library.settings import sources_folder
from library.source import Source, load_sources

TODAY = date(2026, 3, 2)
SEED = 7
FETCHED_AT = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
BACKFILL_SINCE = date(2020, 1, 1)


def practice_world(records: int) -> World:
    """Invented libraries of ten publishers with so many records in all, the same every time."""
    return World(seed=SEED, records=records, today=TODAY)


def practice_sources() -> dict[str, Source]:
    """The sources that a practice publisher plays, by name."""
    return {name: source for name, source in load_sources(sources_folder()).items() if name in SOURCES}


def pages(source: Source, world: World) -> Iterator[Page]:
    """The pages of a first run over a source that hold drafts, in the order of the walk."""
    if source.handed_in:
        yield _export(source, world)
        return
    publishers = {host: publisher for publisher in PUBLISHERS for host in publisher.HOSTS}
    reader = reader_of(source)
    waiting = deque(reader.begin(BACKFILL_SINCE, TODAY))
    asked: set[tuple[str, bytes]] = set()
    while waiting:
        follow = waiting.popleft()
        if (follow.url, follow.body) in asked:
            continue
        asked.add((follow.url, follow.body))
        page = _answered(source, follow, publishers[urlsplit(follow.url).hostname or ""], world)
        reading = read_page(reader, 0, page)
        waiting.extend(reading.follows)
        if reading.drafts:
            yield page


def _answered(source: Source, follow: Follow, publisher: Publisher, world: World) -> Page:
    parts = urlsplit(follow.url)
    request = Request(
        host=parts.hostname or "",
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        method=follow.method,
        headers={name.lower(): value for name, value in follow.headers.items()},
        body=follow.body,
    )
    answer = publisher.respond(request, world)
    return Page(
        source=source.name,
        url=follow.url,
        kind=follow.kind,
        status=answer.status,
        body=answer.body,
        fetched_at=FETCHED_AT,
        method=follow.method,
        request_body=follow.body,
        headers={"content-type": answer.content_type} | {name.lower(): value for name, value in answer.headers},
        carry=follow.carry,
    )


def _export(source: Source, world: World) -> Page:
    with TemporaryDirectory() as folder:
        file = eu_rasff.write_export(world, Path(folder))
        return Page(
            source=source.name,
            url=f"{source.home}#{file.name}",
            kind=next(iter(source.pages)),
            body=file.read_bytes(),
            fetched_at=FETCHED_AT,
        )
