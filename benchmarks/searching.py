"""Search at 100,000 records: search() against the bare engine that is handed the same compiled query.

Ours parses, widens, compiles, asks, and gives ids; the bare engine only runs the compiled query and fetches the ids.
Both are asked in turn. p50, p95 and p99 are milliseconds on the wall; the ratio is that of the two p95 in CPU time of
the asking thread, because on a shared machine a p95 on the wall measures the neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import islice
from pathlib import Path
from random import Random
from time import perf_counter, thread_time
from typing import Any

import tantivy

from benchmarks.figure import Figure, percentile
from benchmarks.invented_records import LAST_DAY, SPAN_DAYS, name, records
from indexer import analysis
from indexer.engines.tantivy import TantivyEngine
from indexer.entry import Entry, Words, entry_of
from indexer.query import Phrase, Query, Term, leaves
from indexer.search import search, warm_up

HITS = 20
FACETS = ("kind", "source", "jurisdiction", "origin", "hazard", "year")
QUERIES: Mapping[str, Sequence[str]] = {
    "word": ("bicycle", "cadmium", "drawstrings", "纽扣电池", "charger", "shrimps", "Plüschbär", "Lumonest"),
    "common_word": ("product", "toy", "recall", "使用", "shop", "child", "standard", "产品"),
    "phrase": ('"does not comply"', '"small parts"', '"electric shock"', '"不符合国家标准"', '"full refund"'),
    "filter": ("origin:CN hazard:choking", "jurisdiction:DE kind:recall", "published:2025-01..2025-06", "hs:9503"),
    "word_and_filter": ("toy origin:CN", "charger published:2025-01..2025-12", "玩具 hazard:窒息"),
    "facets": ("toy", "battery origin:CN", "充电器", "kind:recall"),
    "reference": ("EN 71-1", "EN 62115:2015", "SR/000123/26", "GB 5606-2014", "G/TBT/N/DE/120"),
    "cross_language": ("毛绒玩具 窒息", "充电宝 起火", "电动自行车", "儿童服装 勒伤", "化妆品 化学"),
}


def figures(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """One figure for each kind of query."""
    count, asked = (2_000, 8) if quick else (100_000, 200)
    engine = TantivyEngine(folder / "index")
    successor = engine.successor()
    successor.write(_entries(count), count)
    engine.promote(successor)
    warm_up()
    for kind, texts in QUERIES.items():
        yield _figure(engine, kind, texts, asked, count, FACETS if kind == "facets" else ())


def _entries(count: int) -> Iterator[Entry]:
    """Entries of so many records: a few thousand are tokenised, the others are those with other numbers, days and names."""
    known = [entry_of(record) for record in records(min(count, 4_000))]
    yield from known
    dice = Random(3)
    for number in range(len(known), count):
        entry = known[number % len(known)]
        day = date.fromordinal(LAST_DAY.toordinal() - dice.randrange(SPAN_DAYS))
        names = tuple(name(dice).casefold() for _ in range(8))
        text = entry.words["text"]
        yield replace(
            entry,
            id=f"{entry.id}-{number}",
            words={**entry.words, "text": Words((*text.every, *names), (*text.run, *names))},
            facets={**entry.facets, "year": (str(day.year),), "month": (f"{day:%Y-%m}",)},
            dates={"published": day.toordinal()},
        )


def _figure(
    engine: TantivyEngine, kind: str, texts: Sequence[str], asked: int, count: int, facets: Sequence[str]
) -> Figure:
    commit = engine._opened()
    if commit is None:
        raise RuntimeError("the index is empty")
    results = {text: search(None, engine, text, count=HITS, facets=facets) for text in texts}
    ours, bare = _Times(), _Times()
    for number, text in enumerate(islice(_again_and_again(texts), asked)):
        query = results[text].query
        compiled, order = commit.compiler.compile(query), _order(query)
        analysis._scan_of_short.cache_clear()
        commit.forget()  # compiled and counted anew, as for a search that nobody has made before
        both = (
            (ours, lambda: search(None, engine, text, count=HITS, facets=facets)),  # noqa: B023 - called at once
            (bare, lambda: _bare(commit.searcher, compiled, order, facets)),  # noqa: B023 - called at once
        )
        for times, work in both if number % 2 else reversed(both):
            times.take(work)
    totals = [result.total for result in results.values()]
    return Figure(
        name=f"search_{kind}_against_the_bare_engine",
        value=percentile(ours.cpu_ms, 0.95) / percentile(bare.cpu_ms, 0.95),
        at_most=3.0,
        details=f"p50/p95/p99_ms ours={ours.shown} bare={bare.shown} hits={min(totals)}..{max(totals)}",
        n=f"{asked}_at_{count}",
    )


def _again_and_again(texts: Sequence[str]) -> Iterator[str]:
    while True:
        yield from texts


class _Times:
    """How long things took, in milliseconds on the wall and of the thread's CPU."""

    def __init__(self) -> None:
        self.wall_ms: list[float] = []
        self.cpu_ms: list[float] = []

    def take(self, work: Callable[[], object]) -> None:
        """Run something and note its times."""
        wall, cpu = perf_counter(), thread_time()
        work()
        self.cpu_ms.append((thread_time() - cpu) * 1000)
        self.wall_ms.append((perf_counter() - wall) * 1000)

    @property
    def shown(self) -> str:
        return "/".join(f"{percentile(self.wall_ms, share):.2f}" for share in (0.5, 0.95, 0.99))


def _order(query: Query) -> dict[str, Any]:
    """The order the engine gives hits in: by score where there are words, else the newest first."""
    if any(isinstance(leaf, Term | Phrase) for leaf in leaves(query)):
        return {"weight_by_field": "recency"}
    return {"order_by_field": "newest", "order": tantivy.Order.Desc}


def _bare(
    searcher: tantivy.Searcher, query: tantivy.Query, order: Mapping[str, Any], facets: Sequence[str]
) -> Sequence[str]:
    found = searcher.search(query, HITS, **order)
    if facets:
        searcher.aggregate(query, {facet: {"terms": {"field": facet, "size": 100}} for facet in facets})
    return [str(searcher.doc(address).get_first("id")) for _, address in found.hits]
