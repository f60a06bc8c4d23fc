"""search(): what pages, programs and previews call; and where the words of a query stand in a text.

An answer has a front of up to FRONT hits, ordered by what the words and the meaning say together, and a rest in the
order of the words. In the front the records that hold every word stand first. Where these are few, it goes on with
records that nearly fit: they lack some of the words, or are near in meaning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from math import ceil
from time import perf_counter
from typing import Literal

from indexer.analysis import Token, tokens
from indexer.engines.base import Engine, Hits, Sort
from indexer.entry import FIRST_SEEN
from indexer.expand import expand as widen
from indexer.looser import is_condition, is_quoted, is_reference, looser_queries, narrows
from indexer.meaning import Meaning
from indexer.query import All, And, Filter, Not, Or, Phrase, Query, Range, Term, leaves, parse_query, parts_of
from library.record import Record
from library.store.store import Store

FRONT = 200  # hits ordered by words and meaning together; fewer leave room for what nearly fits
NEIGHBOURS = 100
SELECTED_MAX = 2000  # a filter that selects no more than this is compared record by record
SPARE = 2  # times as many neighbours are looked up as a filter of that size would leave if it knew nothing of meaning
COSINE_MIN = 0.25  # right records lie at 0.2 to 0.5, and what shares nothing with a text mostly below
RANK_CONSTANT = 60  # of reciprocal rank fusion: how little the first ranks stand out
MEANING_AMONG_FULL, MEANING_AMONG_NEARLY = 0.3, 0.4  # what the rank in meaning weighs beside that of the words
HIGHLIGHTED_CHARACTERS = 50_000  # a reader sees the beginning of a text; the whole of an act is 2 MB

_beside = ThreadPoolExecutor(4, thread_name_prefix="meaning")

Choice = Literal["auto", "on", "off"]
CHOICES: Mapping[str, Choice] = {"auto": "auto", "on": "on", "off": "off"}


@dataclass(frozen=True, slots=True)
class Hit:
    """One record found; record is None where no store was asked.

    is_nearby: it lacks some of the words, and is shown below the few that hold more of them.
    is_by_meaning: it does not even do that, and was found by its meaning alone.
    """

    id: str
    score: float
    record: Record | None = None
    is_nearby: bool = False
    is_by_meaning: bool = False


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One page of an answer.

    query: what was searched, widened; explain() and highlight() take it. also_searched: the words it was widened by.
    total: the records that hold every word. reach: the hits that can be paged to, with those that nearly fit.
    is_loosened: nothing held every word, and the records of `total` lack some of them.
    is_by_meaning: the meaning of the question was searched for as well.
    is_estimated, is_total_estimated: the facets, and the total, were counted in a sample of the hits.
    """

    query: Query
    also_searched: tuple[str, ...]
    total: int
    hits: tuple[Hit, ...]
    facets: Mapping[str, tuple[tuple[str, int], ...]]
    is_loosened: bool
    took_ms: float
    reach: int
    is_by_meaning: bool
    is_estimated: bool
    is_total_estimated: bool


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
    nearby: bool = True,
    meaning: Meaning | None = None,
    by_meaning: Choice = "auto",
    asof: date | None = None,
) -> SearchResult:
    """Answer what somebody typed. Raises QueryError for a text that is no query.

    expand: search other languages too, and loosen what nothing fits. nearby: go on with what nearly fits.
    by_meaning: 'auto' asks `meaning` where it helps: for plain words that are widened and sorted by relevance.
    asof: only what was first kept on or before this day, in UTC.
    """
    started = perf_counter()
    query = parse_query(text)
    also: tuple[str, ...] = ()
    if expand:
        widened = widen(query)
        query, also = widened.query, widened.also
    if asof is not None:
        kept = Range(FIRST_SEEN, None, asof.toordinal())
        query = kept if isinstance(query, All) else And((*parts_of(query), kept))
    question = None
    if meaning and sort == "relevance" and by_meaning != "off" and (expand or by_meaning == "on"):
        question = question_of(query, is_forced=by_meaning == "on")
    # the meaning is looked up beside the words: each takes half of the time, and most of it outside of Python
    ask = partial(_neighbours, engine, meaning, question) if meaning and question else list[str]
    near = _beside.submit(ask) if question and first < FRONT else None
    has_words = any(isinstance(leaf, Term | Phrase) for leaf in leaves(query))  # filters alone put nothing in order
    # a lone reference or phrase has nothing that nearly fits: its order is the engine's, and a page of it is enough
    is_ranked = sort == "relevance" and has_words and (question is not None or (expand and isinstance(query, And)))
    if is_ranked:
        found = _first_hits(engine, query, _reaching(first + count) if question else min(first + count, FRONT), facets)
    else:
        found = engine.search(query, first, count, sort, facets)
    looser = looser_queries(engine, query, found.total) if expand else iter(())
    is_loosened = False
    while not found.total and (attempt := next(looser, None)) is not None:
        if is_ranked:
            answer = _first_hits(engine, attempt, FRONT if question else min(first + count, FRONT), facets)
        else:
            answer = engine.search(attempt, first, count, sort, facets)
        if answer.total:
            query, found, is_loosened = attempt, answer, True
    if is_ranked:
        is_in_rest = first >= FRONT and found.total >= FRONT  # the words alone give its order
        neighbours = [] if is_in_rest else near.result() if near else ask()
        front = _front(engine, query, found, looser, neighbours, nearby=nearby)
        length = max(len(front.scored), min(found.total, FRONT))
        reach = length + max(0, found.total - FRONT)
        hits = front.page(first, count)
        if len(hits) < count and first + count > length and found.total > FRONT:
            behind = max(first - length, 0)
            rest = engine.search(query, FRONT + behind, count - len(hits), is_counted=False)
            hits += [
                Hit(record_id, round(_reciprocal(FRONT + behind + place), 9))
                for place, record_id in enumerate(rest.ids)
            ]
    else:
        hits, reach = [Hit(record_id, score) for record_id, score in found.hits], found.total
    return SearchResult(
        query=query,
        also_searched=also,
        total=found.total,
        hits=tuple(_with_records(store, hits)),
        facets=found.facets,
        is_loosened=is_loosened,
        took_ms=(perf_counter() - started) * 1000,
        reach=reach,
        is_by_meaning=question is not None,
        is_estimated=found.is_estimated,
        is_total_estimated=found.is_total_estimated,
    )


def _first_hits(engine: Engine, query: Query, wanted: int, facets: Sequence[str]) -> Hits:
    """So many hits of a query; all where these are so few that what nearly fits follows them."""
    found = engine.search(query, 0, wanted, "relevance", facets)
    if wanted < found.total < FRONT:
        others = engine.search(query, wanted, FRONT - wanted, is_counted=False)
        found = replace(found, hits=found.hits + others.hits)
    return found


def warm_up(meaning: Meaning | None = None) -> None:
    """Load dictionaries, tables and the encoder, a second of them, before the first reader waits for it."""
    widen(parse_query("玩具 toys origin:CN hazard:fire"))
    if meaning:
        meaning.nearest("玩具", 1)


def _with_records(store: Store | None, hits: Sequence[Hit]) -> Iterator[Hit]:
    records = {record.id: record for record in store.get_many([hit.id for hit in hits])} if store else {}
    for hit in hits:
        yield Hit(hit.id, hit.score, records.get(hit.id), hit.is_nearby, hit.is_by_meaning)


# Meaning --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Question:
    """What of a query has a meaning, and the conditions that hold for its neighbours as well."""

    text: str
    kept: tuple[Query, ...]


def question_of(query: Query, *, is_forced: bool = False) -> Question | None:
    """Say what a widened query means; None where only its words can answer it.

    References and quoted phrases are never guessed at. Words joined by OR, brackets and named fields are exact, too,
    unless is_forced.
    """
    if any(is_reference(leaf) or is_quoted(leaf) for leaf in leaves(query)):
        return None
    texts: list[str] = []
    kept: list[Query] = []
    has_words = False
    for part in parts_of(query):
        if is_condition(part):
            kept.append(part)
        elif narrows(part):
            kept.append(part)
            texts.append(_text(part))
        elif is_forced or _is_plain(part):
            words = [_text(part)] if _text(part) else [word for leaf in leaves(part) if (word := _text(leaf))]
            has_words |= bool(words)
            texts += dict.fromkeys(words)
        else:
            return None
    return Question(" ".join(texts), tuple(kept)) if has_words else None


def _is_plain(part: Query) -> bool:
    """Whether a part is a typed word, widened or not, that may stand in any field."""
    return bool(_text(part)) and all(one.field is None for one in leaves(part) if isinstance(one, Term | Phrase))


def _text(part: Query) -> str:
    return part.text if isinstance(part, Term | Phrase | And | Or) else ""


def _neighbours(engine: Engine, meaning: Meaning, question: Question) -> list[str]:
    """The records nearest in meaning that fulfil the question's conditions, nearest first."""
    kept = And(question.kept)
    among: Collection[str] | None = None
    count = NEIGHBOURS
    if question.kept:
        total = engine.count(kept)
        if total <= SELECTED_MAX:
            among = engine.search(kept, 0, SELECTED_MAX, "newest", is_counted=False).ids
        else:  # of so many neighbours a fair share fulfils the conditions
            count = min(SELECTED_MAX, NEIGHBOURS * SPARE * engine.count() // total)
    near = meaning.nearest(question.text, count, among)
    ids = [record_id for record_id, cosine in near if cosine >= COSINE_MIN]
    if question.kept and among is None:
        ids = _selected(engine, ids, question.kept)
    return ids[:NEIGHBOURS]


def _selected(engine: Engine, ids: Sequence[str], conditions: Iterable[Query]) -> list[str]:
    """Those of some records that the index holds and that fulfil conditions, in the same order."""
    if not ids:
        return []
    these = Or(tuple(Filter("id", record_id) for record_id in ids))
    held = set(engine.search(And((these, *conditions)), 0, len(ids), "newest", is_counted=False).ids)
    return [record_id for record_id in ids if record_id in held]


# Fusing ---------------------------------------------------------------------------------------------------------------


def _front(
    engine: Engine, query: Query, found: Hits, looser: Iterator[Query], neighbours: Sequence[str], *, nearby: bool
) -> _Front:
    """Order the first hits by words and meaning, and go on with what nearly fits where there are few."""
    full = found.ids
    nearly: list[str] = []
    strange: list[str] = []
    if nearby and found.total < FRONT:  # all of them are among the ids
        nearly = _nearly(engine, query, looser, FRONT - found.total)
        worded = {*full, *nearly}
        strange = _selected(engine, [record_id for record_id in neighbours if record_id not in worded], ())
    fits, behind = set(full), {*nearly, *strange}
    tiers = [
        _fused(full, [record_id for record_id in neighbours if record_id in fits], MEANING_AMONG_FULL),
        _fused(nearly, [record_id for record_id in neighbours if record_id in behind], MEANING_AMONG_NEARLY),
    ]
    scored = [(record_id, score + len(tiers) - tier - 1) for tier, of in enumerate(tiers) for record_id, score in of]
    return _Front(scored, set(nearly), set(strange))


@dataclass(frozen=True, slots=True)
class _Front:
    """The first hits with their scores, best first. nearby, by_meaning: those that lack some words, and more."""

    scored: Sequence[tuple[str, float]]
    nearby: Collection[str]
    by_meaning: Collection[str]

    def page(self, first: int, count: int) -> list[Hit]:
        return [
            Hit(
                record_id,
                round(score, 9),
                is_nearby=record_id in self.nearby,
                is_by_meaning=record_id in self.by_meaning,
            )
            for record_id, score in self.scored[first : first + count]
        ]


def _reaching(count: int) -> int:
    """How many hits by words may stand among the first `count`, whatever their meaning lifts them by."""
    last = _reciprocal(max(count, 1) - 1) - MEANING_AMONG_FULL * _reciprocal(0)
    return min(FRONT, ceil(1 / last) - RANK_CONSTANT) if last > 0 else FRONT


def _nearly(engine: Engine, query: Query, looser: Iterator[Query], count: int) -> list[str]:
    """Records that lack some of the words, those that hold most first."""
    found: dict[str, None] = {}
    for attempt in looser:
        if len(found) >= count:
            break
        found |= dict.fromkeys(engine.search(And((attempt, Not(query))), 0, count, is_counted=False).ids)
    return list(found)[:count]


def _fused(words: Sequence[str], meanings: Sequence[str], weight: float) -> list[tuple[str, float]]:
    """Join two orders by reciprocal rank: scores of words and cosines have no common measure, ranks have."""
    scores = {record_id: _reciprocal(place) for place, record_id in enumerate(words)}
    for place, record_id in enumerate(meanings):
        scores[record_id] = scores.get(record_id, 0.0) + weight * _reciprocal(place)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


def _reciprocal(place: int) -> float:
    return 1 / (RANK_CONSTANT + place + 1)


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
    shown, spans, _ = excerpt(text, highlight(text, language, query, field), width)
    return shown, spans


def excerpt(text: str, spans: Sequence[tuple[int, int]], width: int = 200) -> tuple[str, list[tuple[int, int]], int]:
    """Return the stretch of a text that holds most of some spans, the spans in it, and where in the text it is.

    The place is that of the stretch's first span, or of its beginning.
    """
    begin, end = _window(text, spans, width)
    before, after = ("…" if begin > 0 else ""), ("…" if end < len(text) else "")
    shift = len(before) - begin
    inside = [(start, stop) for start, stop in spans if begin <= start < end]
    shown = [(start + shift, min(stop, end) + shift) for start, stop in inside]
    return before + text[begin:end] + after, shown, inside[0][0] if inside else begin


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
