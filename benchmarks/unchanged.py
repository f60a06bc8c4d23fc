"""A night in which nothing changed: requests and hashes only. No page is parsed, no record changes, no index is written.

Three rounds over all practice sources that are crawled: the first fills the library, the second asks what a nightly
round asks, the third asks the same again. Processes start anew for every crawl, as at night; their start is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.crawling import Crawled, crawled, practice_settings
from benchmarks.figure import Figure
from benchmarks.practice_pages import SEED, practice_sources
from crawlers.practice.site import PracticeSite
from crawlers.practice.world import World
from indexer.build import IndexFollower
from indexer.engines.tantivy import TantivyEngine
from library.follow import follow
from library.settings import Settings
from library.source import Source
from library.store.store import Store
from library.times import now


def figures(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """What the third round costs, and what it must not do."""
    records, names = (60, ("uk_fsa_food_alerts", "us_federal_register")) if quick else (600, ())
    sources = [
        source for source in practice_sources().values() if not source.handed_in and (not names or source.name in names)
    ]
    # today is the real day: the spiders ask for windows that end today
    with PracticeSite(World(seed=SEED, records=records, today=now().date())) as site:
        settings = practice_settings(folder / "home", site)
        settings.home.mkdir()
        first = _round(settings, sources)
        _round(settings, sources)
        before, asked = _state(settings), len(site.served)
        third = _round(settings, sources)
        after, requests = _state(settings), len(site.served) - asked
    pages = {name: sum(one.counts.get(f"pages.{name}", 0) for one in third) for name in ("read", "unchanged", "empty")}
    n = f"{len(sources)}_sources"
    yield Figure(
        name="unchanged_night_against_the_first",
        value=sum(one.cpu_s for one in third) / sum(one.cpu_s for one in first),
        details=f"cpu_s={sum(one.cpu_s for one in third):.1f} of {sum(one.cpu_s for one in first):.1f} requests={requests} "
        f"unchanged={pages['unchanged']} nothing_found={pages['empty']}",
        n=n,
    )
    yield Figure(name="unchanged_night_pages_parsed", value=pages["read"], at_most=0, n=n)
    yield Figure(name="unchanged_night_changes", value=after[0] - before[0], at_most=0, n=n)
    yield Figure(name="unchanged_night_index_files_written", value=len(after[1] - before[1]), at_most=0, n=n)


def _round(settings: Settings, sources: list[Source]) -> list[Crawled]:
    with ThreadPoolExecutor(settings.crawl.at_once) as pool:
        return list(pool.map(lambda source: crawled(settings, source), sources))


def _state(settings: Settings) -> tuple[int, set[tuple[str, int, int]]]:
    """Let the index follow; then the head of the change log, and the index's files with size and time."""
    store = Store(settings.database)
    follow(store, IndexFollower(TantivyEngine(settings.index), store))
    head = store.head()
    store.close()
    files = {(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in settings.index.rglob("*.*")}
    return head, files
