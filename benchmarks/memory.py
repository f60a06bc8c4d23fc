"""Peak memory of a crawl: under 300 MB plus the largest single body, whatever the number of pages.

The same practice source is crawled with so many records and with four times as many, each in a process of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.crawling import crawled, practice_settings
from benchmarks.figure import Figure
from benchmarks.practice_pages import SEED, practice_sources
from crawlers.practice.site import PracticeSite
from crawlers.practice.world import SOURCES, World
from library.store.store import Store
from library.times import now

SOURCE = "cn_openstd_samr"  # a page for every record, and lists of them
LIMIT_MIB = 300e6 / 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Crawl:
    pages: int
    largest_mib: float
    peak_mib: float


def figures(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """The peak against its limit, and its growth with four times the pages."""
    records = 30 if quick else 500
    few, many = (_crawl(folder / str(factor), factor * records) for factor in (1, 4))
    yield Figure(
        name="crawl_peak_memory_against_its_limit",
        value=many.peak_mib / (LIMIT_MIB + many.largest_mib),
        at_most=1.0,
        details=f"peak={many.peak_mib:.0f}_MiB limit={LIMIT_MIB:.0f}_MiB+{many.largest_mib:.2f}_MiB_body",
        n=f"{many.pages}_pages",
    )
    yield Figure(
        name="crawl_peak_memory_with_four_times_the_records",
        value=many.peak_mib / few.peak_mib,
        at_most=1.1,
        details=f"peak={few.peak_mib:.0f}_MiB->{many.peak_mib:.0f}_MiB",
        n=f"{few.pages}->{many.pages}_pages",
    )


def _crawl(home: Path, records: int) -> _Crawl:
    home.mkdir()
    with PracticeSite(World(seed=SEED, records=records * len(SOURCES), today=now().date())) as site:
        settings = practice_settings(home, site)
        came = crawled(settings, practice_sources()[SOURCE])
    store = Store(settings.database)
    with store.read() as transaction:
        row = transaction.row("SELECT count(*) AS pages, max(size) AS largest FROM page") or {}
    store.close()
    return _Crawl(pages=row["pages"], largest_mib=row["largest"] / 2**20, peak_mib=came.peak_mib)
