"""search(): what pages, programs and previews call; and where the words of a query stand in a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from time import perf_counter

from indexer.analysis import Token, tokens
from indexer.engines.base import Engine, Hits, Sort
from indexer.expand import expand as widen
from indexer.query import And, Filter, Not, Or, Phrase, Query, Range, Term, leaves, parse_query
from library.record import Record
from library.store.store import Store

FEW = 10  # fewer hits than this leave room on the first page for what nearly fits
NEARBY_PAGE_MAX = 100  # a longer page is an export, which holds what was asked for and nothing else
LOOSER_PARTS_MAX = 8  # a longer query is loosened no further: 8 words without 2 are 28 alternatives
HIGHLIGHTED_CHARACTERS = 50_000  # a reader sees the beginning of a text; the whole of an act is 2 MB


@dataclass(frozen=True, slots=True)
class Hit:
    """One record found; record is None where no store was asked.

    is_nearby: it holds all but one or two of the words, and is shown below the few that hold them all.
    """

    id: str
    score: float
    record: Record | None = None
    is_nearby: bool = False


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One page of an answer.

    query: what was searched, widened; explain() and highlight() take it. also_searched: the words it was widened by.
    total: the records that hold every word. Where they are few, the first page goes on with hits that are `is_nearby`.
    is_loosened: nothing held every word, and all of these records hold all but one or two of them.
    """

    query: Query
    also_searched: tuple[str, ...]
    total: int
    hits: tuple[Hit, ...]
    facets: Mapping[str, tuple[tuple[str, int], ...]]
    is_loosened: bool
    took_ms: float


def search(
    store: Store | None,
    engine: Engine,
    text: str,
    *,
    first: int = 0,
    count: int = 20,
    sort: Sort = "relevance",
    facets: Sequence[str] = (),
    expand: bool = True,
) -> SearchResult:
    """Answer what somebody typed. Raises QueryError for a text that is no query."""
    started = perf_counter()
    query = parse_query(text)
    also: tuple[str, ...] = ()
    if expand:
        widened = widen(query)
        query, also = widened.query, widened.also
    found = engine.search(query, first, count, sort, facets)
    is_loosened = False
    for looser in looser_queries(query) if expand and not found.total else ():
        loosened = engine.search(looser, first, count, sort, facets)
        if loosened.total:
            query, found, is_loosened = looser, loosened, True
            break
    hits = list(_hits(store, found))
    if expand and sort == "relevance" and first == 0 and 0 < found.total < FEW and count <= NEARBY_PAGE_MAX:
        hits += _nearby(store, engine, query, count - len(hits), seen={hit.id for hit in hits})
    return SearchResult(
        query=query,
        also_searched=also,
        total=found.total,
        hits=tuple(hits),
        facets=found.facets,
        is_loosened=is_loosened,
        took_ms=(perf_counter() - started) * 1000,
    )


def _nearby(store: Store | None, engine: Engine, query: Query, count: int, *, seen: set[str]) -> Iterator[Hit]:
    for looser in looser_queries(query):
        if count <= 0:
            return
        found = engine.search(looser, 0, count + len(seen))
        more = [hit for hit in _hits(store, found) if hit.id not in seen][:count]
        yield from (replace(hit, is_nearby=True) for hit in more)
        seen = seen | {hit.id for hit in more}
        count -= len(more)


def warm_up() -> None:
    """Load dictionaries and tables, half a second of them, before the first reader waits for it."""
    widen(parse_query("玩具 toys origin:CN hazard:fire"))


def looser_queries(query: Query) -> Iterator[Query]:
    """Yield the query without one, then without two of its words; filters and exclusions stay."""
    if not isinstance(query, And):
        return
    kept = tuple(part for part in query.parts if isinstance(part, Filter | Range | Not))
    words = tuple(part for part in query.parts if not isinstance(part, Filter | Range | Not))
    if not 2 <= len(words) <= LOOSER_PARTS_MAX:
        return
    for left_out in range(1, min(3, len(words))):
        choices = [And((*kept, *chosen)) for chosen in combinations(words, len(words) - left_out)]
        yield Or(tuple(choices))


def _hits(store: Store | None, found: Hits) -> Iterator[Hit]:
    records = {record.id: record for record in store.get_many(found.ids)} if store else {}
    for hit_id, score in found.hits:
        yield Hit(hit_id, score, records.get(hit_id))


# Marking --------------------------------------------------------------------------------------------------------------


def highlight(text: str, language: str, query: Query, field: str | None = None) -> list[tuple[int, int]]:
    """Return where a query's words stand in a text, as (start, end), ordered and without overlap.

    query: widened, so that translations are marked too. field: the field the text belongs to; words that were asked
    for in another field are not marked. Only the first 50,000 characters are looked at.
    """
    wanted = [leaf for leaf in leaves(query) if isinstance(leaf, Term | Phrase) and leaf.field in (None, field)]
    if not wanted:
        return []
    values = {value for leaf in wanted if isinstance(leaf, Term) for value in leaf.values}
    runs = {run for leaf in wanted if isinstance(leaf, Phrase) for run in leaf.runs}
    found = tokens(text[:HIGHLIGHTED_CHARACTERS], language)
    spans = [(token.start, token.end) for token in found if token.value in values]
    spans += _run_spans([token for token in found if token.primary], runs)
    return _merged(sorted(spans))


def _run_spans(primary: Sequence[Token], runs: set[tuple[str, ...]]) -> Iterator[tuple[int, int]]:
    starting: dict[str, list[tuple[str, ...]]] = {}
    for run in runs:
        starting.setdefault(run[0], []).append(run)
    for first, token in enumerate(primary):
        for run in starting.get(token.value, ()):
            stretch = primary[first : first + len(run)]
            if tuple(part.value for part in stretch) == run:
                yield stretch[0].start, stretch[-1].end


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


def snippet(
    text: str, language: str, query: Query, width: int = 200, field: str | None = None
) -> tuple[str, list[tuple[int, int]]]:
    """Return the stretch of a text that holds most of a query's words, and the places of the words in that stretch.

    width: characters, about; '…' stands where text was cut off.
    """
    spans = highlight(text, language, query, field)
    begin, end = _window(text, spans, width)
    before, after = ("…" if begin > 0 else ""), ("…" if end < len(text) else "")
    shift = len(before) - begin
    shown = [(start + shift, min(stop, end) + shift) for start, stop in spans if begin <= start < end]
    return before + text[begin:end] + after, shown


def _window(text: str, spans: Sequence[tuple[int, int]], width: int) -> tuple[int, int]:
    if len(text) <= width:
        return 0, len(text)
    best_start, best_words = 0, 0
    for first, (start, _) in enumerate(spans):
        inside = [
            text[one:other].casefold() for one, other in spans[first : first + 20] if other <= start + width * 3 // 4
        ]
        if len(set(inside)) > best_words:
            best_start, best_words = start, len(set(inside))
    begin = max(0, min(best_start - width // 4, len(text) - width))
    if begin > 0:
        blank = text.rfind(" ", max(0, begin - 20), begin + 1)
        begin = blank + 1 if blank >= 0 else begin
    end = min(len(text), begin + width)
    if end < len(text):
        blank = text.find(" ", end, end + 20)
        end = blank if blank >= 0 else end
    return begin, end
