"""Re-parse: archive -> read -> normalise -> store. Nothing is fetched, and nobody is mailed about our own corrections."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from crawlers.crawl import lease
from crawlers.reading import Tally, keep_reading, read_page
from crawlers.registry import reader_of
from library.archive import Archive
from library.page import Outcome
from library.settings import Settings
from library.source import Source
from library.store.pages import PageRow
from library.store.store import Origin, Store

LATE_UNTIL = timedelta(days=30)  # a page that nobody could read when it came still alerts for so long


def reparse(
    settings: Settings,
    store: Store,
    source: Source,
    *,
    at: datetime,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda pages: None,
) -> Tally:
    """Read the archived pages of a source again; right after a crawl this changes nothing.

    The newest page goes first, and what it shows of a record is not taken from an older one.
    """
    reader, tally, seen = reader_of(source), Tally(), set[tuple[str, str]]()
    with lease(settings.home, source.name):
        pages = Archive(settings.archive, store).pages(source.name, source.politeness.body_limit_bytes)
        for number, (row, page, fault) in enumerate(pages, start=1):
            reading = read_page(reader, row.id, page, fault=fault)
            keep_reading(
                store,
                source,
                reading,
                origin=_origin(store, row, at),
                at=at,
                tally=tally,
                skip=seen,
                dry_run=dry_run,
            )
            progress(number)
    return tally


def _origin(store: Store, row: PageRow, at: datetime) -> Origin:
    """'late' for what a crawl brought lately and nobody could read, 're-parse' for everything else."""
    if row.outcome not in (Outcome.UNREADABLE, Outcome.FETCHED) or at - row.fetched_at > LATE_UNTIL:
        return Origin.REPARSE
    run = store.runs.get(row.run_id)
    return Origin.LATE if run is not None and run.origin == Origin.CRAWL.value else Origin.REPARSE
