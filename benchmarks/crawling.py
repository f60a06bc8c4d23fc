"""One crawl of a practice source in a child process, as the nightly round runs it: Scrapy's reactor runs once per process."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from crawlers.practice.site import PracticeSite
from library.settings import PracticeSettings, Settings
from library.source import Source
from library.store.runs import GOOD


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawled:
    """What came of a crawl. seconds, cpu_s: of the crawl alone, without the start of its process; peak_mib: of the process."""

    verdict: str
    reason: str
    counts: Mapping[str, int]
    seconds: float
    cpu_s: float
    peak_mib: float


def practice_settings(home: Path, site: PracticeSite) -> Settings:
    """Settings of a library in a folder that asks the practice site."""
    return Settings(
        home=home, database_url="", engine="tantivy", practice=PracticeSettings(port=site.port, names=site.hosts)
    )


def crawled(settings: Settings, source: Source) -> Crawled:
    """Crawl a source once in a child. Raises RuntimeError with the verdict of a run that is not good."""
    context = get_context("spawn")
    here, there = context.Pipe()
    child = context.Process(target=_crawl, args=(settings.model_dump_json(), source.name, there))
    child.start()
    there.close()
    try:
        came: Crawled = here.recv()
    except EOFError:
        raise RuntimeError(f"the crawl of {source.name} died") from None
    finally:
        child.join()
    if came.verdict not in GOOD:
        raise RuntimeError(f"the crawl of {source.name} is {came.verdict}: {came.reason}")
    return came


def _crawl(settings_json: str, name: str, pipe: Connection) -> None:
    from time import process_time

    from benchmarks.figure import peak_mib
    from crawlers.crawl import crawl
    from library.settings import sources_folder
    from library.source import load_sources
    from library.store.store import Store
    from library.times import now

    settings = Settings.model_validate_json(settings_json)
    logging.disable()  # words that nobody has mapped are told on stderr, a line each
    store = Store(settings.database)
    source = load_sources(sources_folder())[name]
    started = process_time()
    outcomes = crawl(settings, store, source, at=now())
    spent = process_time() - started
    store.close()
    pipe.send(
        Crawled(
            verdict=outcomes.verdict.word,
            reason=outcomes.verdict.reason,
            counts=outcomes.tally.as_counts(),
            seconds=outcomes.seconds,
            cpu_s=spent,
            peak_mib=peak_mib(),
        )
    )
