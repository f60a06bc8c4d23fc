"""asking: what a reader asks of the search pages, as it stands in an address, and the one way to the engine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any
from urllib.parse import urlencode

from indexer.engines.base import Engine, Sort
from indexer.entry import FACETS
from indexer.meaning import Meaning
from indexer.query import parse_query
from indexer.search import CHOICES, Choice, Hit, SearchResult, search
from indexer.suggest import corrections
from library.record import Record
from library.store.store import Store
from library.vocabulary.dates import parse_loose

SORTS: Mapping[str, Sort] = {"relevance": "relevance", "newest": "newest", "oldest": "oldest"}
SIDEBAR = ("kind", "source", "jurisdiction", "origin", "hazard", "category", "measure", "status", "year")
ANY_FACET = (*FACETS, "month")
PAGE_SIZE = 20
FEW = 3  # hits; with fewer, other words are offered
REACH = 10_000  # hits that can be paged to or exported
EXPORT_BATCH = 500
OPERATOR = re.compile(r"\bOR\b|[或|]")
PLAIN = re.compile(r"[\w.:-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """A search as the address bar holds it.

    filters: clauses clicked in the sidebar, each 'facet:value'. meaning: whether the meaning is searched too.
    fold: pages show the records of one event as one. asof: only what was known on a past day, as it was then.
    """

    q: str = ""
    filters: tuple[str, ...] = ()
    sort: Sort = "relevance"
    page: int = 1
    expand: bool = True
    meaning: Choice = "auto"
    fold: bool = True
    asof: date | None = None

    @property
    def text(self) -> str:
        """The query with the filters in it, as a watch or the command line takes it."""
        typed = self.q.strip()
        if typed and self.filters and OPERATOR.search(typed):
            typed = f"({typed})"
        return " ".join(part for part in (typed, *self.filters) if part)

    @property
    def first(self) -> int:
        """How many hits stand before this page."""
        return (self.page - 1) * PAGE_SIZE

    def address(self, path: str = "/search") -> str:
        """The address of the search; what is as usual is left out."""
        pairs = [("q", self.q), *(("f", clause) for clause in self.filters)]
        if self.sort != "relevance":
            pairs.append(("sort", self.sort))
        if not self.expand:
            pairs.append(("expand", "0"))
        if self.meaning != "auto":
            pairs.append(("meaning", self.meaning))
        if self.asof:
            pairs.append(("asof", self.asof.isoformat()))
        if not self.fold:
            pairs.append(("fold", "0"))
        if self.page > 1:
            pairs.append(("page", str(self.page)))
        return f"{path}?{urlencode(pairs)}"

    def narrowed(self, clause: str) -> Asked:
        """The same search with one more filter, from its first page."""
        return replace(self, filters=tuple(dict.fromkeys((*self.filters, clause))), page=1)

    def without(self, clause: str) -> Asked:
        """The same search without one of its filters."""
        return replace(self, filters=tuple(kept for kept in self.filters if kept != clause), page=1)

    def sorted_by(self, sort: Sort) -> Asked:
        """The same search in another order."""
        return replace(self, sort=sort, page=1)

    def literal(self) -> Asked:
        """The same search for the typed words alone."""
        return replace(self, expand=False, page=1)

    def widened(self) -> Asked:
        """The same search in other languages too."""
        return replace(self, expand=True, page=1)

    def by_words(self) -> Asked:
        """The same search without asking for meaning."""
        return replace(self, meaning="off", page=1)

    def by_meaning(self) -> Asked:
        """The same search by meaning as well; for the typed words alone that has to be said."""
        return replace(self, meaning="auto" if self.expand else "on", page=1)

    def folded(self, fold: bool) -> Asked:
        """The same page with the records of one event as one, or each by itself."""
        return replace(self, fold=fold)

    def today(self) -> Asked:
        """The same search over what is known today."""
        return replace(self, asof=None, page=1)

    def at_page(self, page: int) -> Asked:
        """Another page of the same search."""
        return replace(self, page=page)


def asked(
    q: str,
    filters: Sequence[str],
    sort: str,
    page: str,
    expand: str,
    meaning: str = "auto",
    fold: str = "1",
    asof: str = "",
) -> Asked:
    """Read an address; what makes no sense in it counts as not said."""
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1
    return Asked(
        q=q,
        filters=tuple(dict.fromkeys(clause for clause in filters if clause))[:20],
        sort=SORTS.get(sort, "relevance"),
        page=min(max(number, 1), REACH // PAGE_SIZE),
        expand=expand != "0",
        meaning=CHOICES.get(meaning, "auto"),
        fold=fold != "0",
        asof=past_day(asof),
    )


def past_day(printed: str) -> date | None:
    """A day as ISO 8601, None for anything else."""
    try:
        return parse_loose(printed)
    except ValueError:
        return None


def end_of(day: date) -> datetime:
    """The last instant of a day in UTC."""
    return datetime.combine(day, time.max, UTC)


def clause(facet: str, value: str) -> str:
    """A facet value as a clause of the query language.

    >>> clause("month", "2024-03"), clause("classification", "class i")
    ('published:2024-03', 'classification:"class i"')
    """
    name = "published" if facet == "month" else facet
    plain = value.replace('"', "")
    return f"{name}:{plain}" if PLAIN.fullmatch(plain) else f'{name}:"{plain}"'


def find(
    store: Store,
    engine: Engine,
    asked: Asked,
    *,
    first: int,
    count: int,
    facets: Sequence[str] = (),
    meaning: Meaning | None = None,
    nearby: bool = True,
) -> SearchResult:
    """Search. Raises QueryError whose column counts in what was typed, not in what the filters add."""
    if asked.q.strip():
        parse_query(asked.q)
    result = search(
        store,
        engine,
        asked.text,
        first=first,
        count=count,
        sort=asked.sort,
        facets=tuple(facets),
        expand=asked.expand,
        nearby=nearby,
        meaning=meaning,
        by_meaning=asked.meaning,
        asof=asked.asof,
    )
    if asked.asof is None:
        return result
    then = {record.id: record for record in store.get_many_at([hit.id for hit in result.hits], end_of(asked.asof))}
    return replace(result, hits=tuple(replace(hit, record=then.get(hit.id)) for hit in result.hits))


def meant(store: Store, engine: Engine, asked: Asked, result: SearchResult) -> list[Asked]:
    """The same search with other words, where little was found and a word of it stands in no record."""
    if result.total >= FEW and not result.is_loosened:
        return []
    found = corrections(store, engine, asked.q, lambda text: replace(asked, q=text).text)
    return [replace(asked, q=text, page=1) for text in found]


def all_found(store: Store, engine: Engine, asked: Asked, meaning: Meaning | None = None) -> Iterator[Record]:
    """The records of a search in its order, up to REACH of them; none that only nearly fit."""
    first = 0
    while first < REACH:
        found = find(store, engine, asked, first=first, count=EXPORT_BATCH, meaning=meaning, nearby=False)
        if not found.hits:
            return
        yield from (hit.record for hit in found.hits if hit.record is not None)
        first += EXPORT_BATCH


def found_json(
    store: Store,
    engine: Engine,
    asked: Asked,
    *,
    first: int,
    count: int,
    facets: Sequence[str],
    meaning: Meaning | None = None,
) -> dict[str, Any]:
    """Search, and shape the answer as the API and `ttm search --json` give it. Raises QueryError."""
    result = find(store, engine, asked, first=first, count=count, facets=facets, meaning=meaning)
    return {
        "query": asked.text,
        "total": result.total,
        "total_estimated": result.is_total_estimated,
        "took_ms": round(result.took_ms, 2),
        "hits": [_hit_json(hit.record, hit) for hit in result.hits if hit.record is not None],
        "facets": {
            name: [{"value": str(value), "count": n} for value, n in values] for name, values in result.facets.items()
        },
        "facets_estimated": result.is_estimated,
        "also_searched": list(result.also_searched),
        "loosened": result.is_loosened,
        "reach": min(result.reach, REACH),
        "by_meaning": result.is_by_meaning,
        "did_you_mean": [other.text for other in meant(store, engine, asked, result)],
    }


def _hit_json(record: Record, hit: Hit) -> dict[str, Any]:
    """One hit; the title is the Chinese one where there is one."""
    return {
        "id": record.id,
        "kind": record.kind.value,
        "jurisdiction": record.jurisdiction,
        "published": record.published.isoformat() if record.published else None,
        "title": record.title("zh"),
        "score": round(hit.score, 6),
        "nearby": hit.is_nearby,
        "found_by_meaning": hit.is_by_meaning,
    }
