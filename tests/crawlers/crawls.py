"""Crawls for the tests: practice publishers in this process, each crawl in a child process, one home folder a library."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from crawlers.practice.exchange import Answer
from crawlers.practice.site import PracticeSite
from crawlers.practice.world import World
from library.page import Outcome
from library.store.pages import PageRow
from library.store.store import Store
from tests.crawlers import child

TODAY = date.today()  # the crawl asks for windows that end today
LIMIT_S = 60
CHILDREN = multiprocessing.get_context("forkserver")  # imports once, then a fresh fork for every crawl
CHILDREN.set_forkserver_preload(["tests.crawlers.child"])


def always(answer: Answer) -> Callable[[Answer], Answer]:
    """The change of a fault that answers the same whatever is asked."""
    return lambda right: answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What came of a crawl. read: the addresses given to the parser. resolved: names asked of the system. said: its log."""

    run: int
    verdict: str
    reason: str
    counts: Mapping[str, int]
    problems: list[str]
    seconds: float
    read: list[str]
    resolved: list[str]
    peak_mib: float
    said: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Library:
    """One home folder, and the practice publishers that its crawls ask."""

    home: Path
    site: PracticeSite

    def crawl(self, source: str = "", **more: Any) -> Ran:
        """Crawl a source, or the `urls` of `hosts`; see child.py for what else can be asked."""
        receiver, process, log = self._begin(source, more)
        try:
            found = receiver.recv() if receiver.poll(LIMIT_S) else None
        except EOFError:
            found = None
        process.kill()
        process.join()
        said = log.read_text(encoding="utf-8", errors="replace")
        assert found is not None, f"no end within {LIMIT_S} s, or an end without a word:\n{said[-3000:]}"
        return Ran(**found, said=said)

    def crawl_and_die(self, source: str = "", **more: Any) -> int:
        """A crawl that is to die on its way; its exit code."""
        _, process, _ = self._begin(source, more)
        process.join(LIMIT_S)
        assert process.exitcode is not None
        return process.exitcode

    def _begin(self, source: str, more: dict[str, Any]) -> tuple[Connection, BaseProcess, Path]:
        order = {"home": str(self.home), "port": self.site.port, "names": self.site.hosts, "source": source} | more
        receiver, sender = CHILDREN.Pipe(duplex=False)
        log = self.home / "crawl.log"
        process = CHILDREN.Process(target=child.answer, args=(order, str(log), sender), daemon=True)
        process.start()
        sender.close()
        return receiver, process, log

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The library's store, opened beside its crawls."""
        store = Store(f"sqlite:///{self.home / 'store.sqlite'}")
        try:
            yield store
        finally:
            store.close()

    def pages(self, run: int) -> list[PageRow]:
        """The page index's rows of a run, in order."""
        with self.store() as store, store.read() as transaction:
            rows = transaction.rows("SELECT * FROM page WHERE run_id = :run ORDER BY id", run=run)
            return [PageRow.of(row) for row in rows]

    def outcomes(self, run: int) -> dict[str, list[tuple[Outcome, str]]]:
        """What came of each address of a run: (outcome, reason) in the order of its answers."""
        found: dict[str, list[tuple[Outcome, str]]] = {}
        for row in self.pages(run):
            found.setdefault(row.url, []).append((row.outcome, row.reason))
        return found

    def changes(self) -> list[tuple[str, str, str]]:
        """The change log: (record, action, origin)."""
        with self.store() as store:
            return [(one.record_id, one.action, one.origin.value) for one in store.changes(0, 100_000)]

    def keys(self, source: str) -> set[str]:
        """The keys of the records of a source."""
        with self.store() as store:
            return {one.key for one in store.all_records(limit=100_000) if one.source == source}


@contextmanager
def library(home: Path, *, records: int = 300, night: int = 1, seed: int = 1) -> Iterator[Library]:
    """A new library beside its own practice publishers."""
    home.mkdir(exist_ok=True)
    with PracticeSite(World(seed=seed, records=records, night=night, today=TODAY)) as site:
        yield Library(home, site)
