"""The second engine: an Elasticsearch cluster, for a library that has outgrown one machine.

Fields hold our tokens, joined by blanks and cut at blanks: Elasticsearch analyses nothing, and never parses a query. A
field of words is kept twice, once with every token for terms, once with the primary ones in order for phrases.
"""

from __future__ import annotations

import base64
import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson
from elasticsearch import ApiError, BadRequestError, TransportError

from indexer.analysis import fingerprint
from indexer.engines.base import EngineDownError, Hits, Sort
from indexer.engines.cluster import ENTRY, ClusterIndex, Json, note_properties
from indexer.entry import BREAK, DATES, EXACT, FACETS, NO_WORDS, Entry
from indexer.query import ALL, LEAVES_MAX, All, And, Filter, Not, Or, Phrase, Query, QueryError, Range, Term, leaves
from library.settings import ElasticSettings

logger = logging.getLogger(__name__)

SEARCHED = ("title", "product", "brand", "company", "reference")  # fields that a query may name
EVERYTHING = "all"
FACET_VALUES_MAX = 100
FACET_VALUES_OF_A_SHARD = 5_000  # counts are exact while a field has no more values than this

WINDOW = 10_000  # from + size; what lies behind is walked to at a point in time
POINT_KEPT = "2m"
POINTS_MAX = 8  # exports at once that are not walked through from the start for every page

TOKEN_LENGTH_MAX = 100  # the whitespace analyzer cuts at 255 UTF-16 units
VALUE_BYTES_MAX = 8_000  # Lucene refuses a keyword of more than 32,766 bytes
# A longer query is ordered by day: Elasticsearch refuses some thousand conditions, 8,192 on a node of 512 MB and two cores
SCORED_MAX = 2_500
QUERY_DEPTH_MAX = 10  # Elasticsearch refuses queries nested deeper than 30

TITLE_BOOST = 1.5
NAME_BOOST = 1.0
REFERENCE_SCORE = 20.0  # above any sum of words: who types a number wants that document first
EXACT_REFERENCE_SCORE = 20.0
CODE_SCORE = 4.0  # a code counts like one good word: 'choking' as hazard, where the notice does not print the word
SYNONYM_SHARE = 0.1
RECENCY_SHARE = 0.15  # a notice of 2030 scores a tenth above the same of 2000
RECENCY_FROM, RECENCY_TO = 730_000, 741_000  # 1999-09 and 2029-10 as ordinals


@dataclass(frozen=True, slots=True)
class Point:
    """How far a point in time has been walked. at: hits passed; after: the sort values of the last."""

    id: str
    at: int
    after: list[Any] | None


class ElasticEngine(ClusterIndex):
    """A cluster as an engine."""

    KIND, MARK = "records", "tokens"

    def __init__(self, settings: ElasticSettings, *, _index: str | None = None) -> None:
        super().__init__(settings, _index=_index)
        self._points: OrderedDict[bytes, Point] = OrderedDict()
        self._points_lock = threading.Lock()

    def _properties(self) -> Json:
        return _properties()

    def _mark(self) -> str:
        return f"{fingerprint()} {FIELDS}"

    # Writing

    def write(self, entries: Iterable[Entry], position: int) -> None:
        documents = {entry.id: _document(entry) for entry in entries}
        self._commit(documents, (), position)  # all of them are made by now: the source may fail in the middle

    def remove(self, ids: Iterable[str], position: int) -> None:
        self._commit({}, ids, position)

    # Reading

    def is_stale(self) -> bool:
        noted = self._noted()
        return bool(noted) and noted.get(self.MARK) != self._mark()

    def count(self, query: Query = ALL) -> int:
        return self.search(query, 0, 0).total

    def search(
        self,
        query: Query,
        first: int,
        count: int,
        sort: Sort = "relevance",
        facets: Sequence[str] = (),
        *,
        is_counted: bool = True,
    ) -> Hits:
        if unknown := set(facets) - set(FACETS):
            raise ValueError(f"unknown facets {sorted(unknown)}")
        if sort == "relevance" and not any(isinstance(leaf, Term | Phrase) for leaf in leaves(query)):
            sort = "newest"  # filters do not score
        is_beyond = first + count > WINDOW  # where the pages end is known by the total
        body = _body(query, sort, facets, is_counted=is_counted or is_beyond)
        # the same query asks the same copies, whose statistics differ from the others' by what they have not merged yet
        key = blake2b(orjson.dumps(body | {"track_total_hits": True}), digest_size=12).digest()

        def ask() -> Hits:
            if is_beyond:
                return self._hits_beyond(body, key, first, count, facets)
            place = {"index": self._searched, "preference": key.hex()}
            return _hits(body, self._found(**body, **place, from_=first, size=count), facets)

        try:
            return self._answered(ask, nothing=Hits(0, (), dict.fromkeys(facets, ())))
        except EngineDownError as error:
            if isinstance(error.__cause__, BadRequestError) and "too many" in str(error):
                raise QueryError("many", 1, count=LEAVES_MAX) from error
            raise

    def _hits_beyond(self, body: Json, key: bytes, first: int, count: int, facets: Sequence[str]) -> Hits:
        """Walk to hits behind the window, from where the page before ended if that was kept."""
        with self._points_lock:
            point = self._points.pop(key, None)
        if point is None or point.at != first:
            self._close_point(point)
            opened = self._client.open_point_in_time(index=self._searched, preference=key.hex(), keep_alive=POINT_KEPT)
            point = Point(opened["id"], 0, None)
        plain = {name: value for name, value in body.items() if name not in ("aggs", "track_total_hits")}
        while point.at < first:
            step = min(WINDOW, first - point.at)
            point, passed = self._step(point, plain | {"track_total_hits": False}, step)
            if len(passed["hits"]["hits"]) < step:
                break
        point, found = self._step(point, body, min(count, WINDOW))
        answer = _hits(body, found, facets)
        hits = answer.hits
        while len(hits) < count and point.at < answer.total:
            point, more = self._step(point, plain | {"track_total_hits": False}, min(count - len(hits), WINDOW))
            hits += _hits(body, more, ()).hits
        with self._points_lock:
            self._points[key] = point
            oldest = self._points.popitem(last=False)[1] if len(self._points) > POINTS_MAX else None
        self._close_point(oldest)
        return Hits(answer.total, hits, answer.facets)

    def _step(self, point: Point, body: Json, count: int) -> tuple[Point, Json]:
        after = {"search_after": point.after} if point.after else {}
        found = self._found(**body, **after, size=count, pit={"id": point.id, "keep_alive": POINT_KEPT})
        rows = found["hits"]["hits"]
        return Point(found["pit_id"], point.at + len(rows), rows[-1]["sort"] if rows else point.after), found

    def _close_point(self, point: Point | None) -> None:
        if point is None:
            return
        try:
            self._client.close_point_in_time(id=point.id)
        except (ApiError, TransportError) as error:  # it closes by itself
            logger.debug("a point in time is left to run out: %s", error)


# Entries and their fields ---------------------------------------------------------------------------------------------


def _properties() -> Json:
    words: Json = {"type": "text", "analyzer": "whitespace", "index_options": "freqs"}
    run: Json = {"type": "text", "analyzer": "whitespace", "index_options": "positions", "norms": False}
    return {
        "id": {"type": "keyword"},
        "names": words,
        **dict.fromkeys((EVERYTHING, *SEARCHED), words),
        **{f"{name}_run": run for name in (EVERYTHING, *SEARCHED)},
        **{name: {"type": "keyword"} for name in FACETS},
        **{name: {"type": "integer"} for name in DATES},
        "recency": {"type": "float", "index": False},
        **note_properties(ElasticEngine.MARK),
    }


# an index with other fields than today's is searched, and must be built anew before it is written
FIELDS = blake2b(orjson.dumps(_properties()), digest_size=3).hexdigest()


def _document(entry: Entry) -> Json:
    names = [value for name in ("product", "brand", "company") for value in entry.words.get(name, NO_WORDS).every]
    day = entry.dates.get("published", RECENCY_FROM)
    age = min(max(day - RECENCY_FROM, 0), RECENCY_TO - RECENCY_FROM) / (RECENCY_TO - RECENCY_FROM)
    document: Json = {
        "id": entry.id,
        EVERYTHING: " ".join(_joined(found.every) for found in entry.words.values()),
        f"{EVERYTHING}_run": f" {BREAK} ".join(_joined(found.run) for found in entry.words.values()),
        "names": _joined(names),
        "recency": 1 + RECENCY_SHARE * age,
    }
    for name in SEARCHED:
        if found := entry.words.get(name):
            document[name] = _joined(found.every)
            document[f"{name}_run"] = _joined(found.run)
    document |= {name: [_facet(value) for value in entry.facets[name]] for name in FACETS if name in entry.facets}
    document |= {name: entry.dates[name] for name in DATES if name in entry.dates}
    return document


def _joined(values: Iterable[str]) -> str:
    return " ".join(map(_token, values))


def _token(value: str) -> str:
    """A token value as it stands in the index: whole between blanks, and never so long that it is cut."""
    if len(value) <= TOKEN_LENGTH_MAX and value.isprintable() and " " not in value:
        return value
    return f"#{blake2b(value.encode(), digest_size=20).hexdigest()}"


def _facet(value: str) -> str:
    is_short = len(value.encode()) <= VALUE_BYTES_MAX
    return value if is_short else f"#{blake2b(value.encode(), digest_size=20).hexdigest()}"


# Queries --------------------------------------------------------------------------------------------------------------


def _body(query: Query, sort: Sort, facets: Sequence[str], *, is_counted: bool) -> Json:
    selected: Json = {"bool": {"filter": [ENTRY, _selection(query)]}}
    order: list[Json] = [{"published": {"order": "desc", "missing": "_last"}}, {"id": "asc"}]
    if sort == "oldest":
        order[0] = {"published": {"order": "asc", "missing": "_last"}}
    if sort == "relevance":
        order.insert(0, {"_score": "desc"})
        scoring = _scoring(query)
        selected["bool"]["should"] = scoring if _clauses(scoring) <= SCORED_MAX else []
        recent = {"field": "recency", "missing": 1}
        selected = {"function_score": {"query": selected, "field_value_factor": recent, "boost_mode": "multiply"}}
    body: Json = {"query": selected, "sort": order, "source": False, "track_total_hits": is_counted}
    if facets:
        counted = {"size": FACET_VALUES_MAX, "shard_size": FACET_VALUES_OF_A_SHARD}
        body["aggs"] = {name: {"terms": {"field": name, **counted}} for name in facets}
    return body


def _hits(body: Json, found: Json, facets: Sequence[str]) -> Hits:
    rows = found["hits"]["hits"]
    place = len(body["sort"]) - 1  # of the id among the sort values; at a point in time one more follows
    total = found["hits"].get("total", {}).get("value", 0)
    counted = {
        name: tuple((str(bucket["key"]), int(bucket["doc_count"])) for bucket in found["aggregations"][name]["buckets"])
        for name in facets
    }
    return Hits(total, tuple((str(row["sort"][place]), float(row["_score"] or 0.0)) for row in rows), counted)


def _selection(query: Query, depth: int = 0) -> Json:
    """What matches() says, and no score."""
    if depth == QUERY_DEPTH_MAX:  # the depth of what is wrapped is counted from 1 again
        return {"wrapper": {"query": base64.b64encode(orjson.dumps(_selection(query))).decode()}}
    match query:
        case Term(values=values, field=field):
            return {"terms": {field or EVERYTHING: [_token(value) for value in values]}}
        case Phrase(runs=runs, field=field):
            return _any([_run(field or EVERYTHING, run) for run in runs])
        case Filter("id", value):
            return {"term": {"id": value}}
        case Filter(field, value):
            return {"term": {field: _facet(value)}}
        case Range(field, low, high):
            bounds = {name: bound for name, bound in (("gte", low), ("lte", high)) if bound is not None}
            return {"range": {field: bounds}} if bounds else {"exists": {"field": field}}
        case And(parts):
            return {"bool": {"filter": [_selection(part, depth + 1) for part in parts]}}
        case Or(parts):
            return _any([_selection(part, depth + 1) for part in parts])
        case Not(part):
            return {"bool": {"must_not": [_selection(part, depth + 1)]}}
        case All():
            return {"match_all": {}}


def _scoring(query: Query) -> list[Json]:
    """Clauses whose scores are added up. They select nothing; what is under a Not, and a filter, adds nothing."""
    match query:
        case Term(values=values, field=field):
            boosts = [] if field else _term_boosts(values, is_reference=query.is_reference)
            return [*_terms(field or EVERYTHING, values), *boosts]
        case Phrase(runs=runs, field=field):
            boosts = [] if field else [_run("title", run, TITLE_BOOST) for run in runs]
            return [*(_run(field or EVERYTHING, run) for run in runs), *boosts]
        case Or(parts, text) if text:  # one word and what it was widened to: the best of them counts
            return [{"dis_max": {"queries": [_meaning(part) for part in parts], "tie_breaker": SYNONYM_SHARE}}]
        case And(parts) | Or(parts):
            return [clause for part in parts for clause in _scoring(part)]
        case _:
            return []


def _meaning(query: Query) -> Json:
    """One meaning of a word, which counts where all of it is met."""
    if isinstance(query, Filter):
        return {"constant_score": {"filter": _selection(query), "boost": CODE_SCORE}}
    return {"bool": {"filter": [_selection(query)], "should": _scoring(query)}}


def _term_boosts(values: Sequence[str], *, is_reference: bool) -> list[Json]:
    if is_reference:
        exact = [EXACT + value for value in values]
        return [
            {"constant_score": {"filter": _selection(Term("", wanted, "reference")), "boost": score}}
            for wanted, score in ((tuple(values), REFERENCE_SCORE), (tuple(exact), EXACT_REFERENCE_SCORE))
        ]
    return [*_terms("title", values, TITLE_BOOST), *_terms("names", values, NAME_BOOST)]


def _terms(field: str, values: Sequence[str], boost: float = 1.0) -> list[Json]:
    return [{"term": {field: {"value": _token(value), "boost": boost}}} for value in values]


def _run(field: str, run: Sequence[str], boost: float = 1.0) -> Json:
    return {"match_phrase": {f"{field}_run": {"query": _joined(run), "analyzer": "whitespace", "boost": boost}}}


def _clauses(query: Any) -> int:
    """How many conditions Lucene will count."""
    match query:
        case {"term": _} | {"terms": _}:
            return 1
        case {"match_phrase": run}:
            return sum(len(said["query"].split()) for said in run.values())
        case dict():
            return sum(map(_clauses, query.values()))
        case list():
            return sum(map(_clauses, query))
        case _:
            return 0


def _any(queries: Sequence[Json]) -> Json:
    return {"bool": {"should": queries, "minimum_should_match": 1}} if queries else {"match_none": {}}
