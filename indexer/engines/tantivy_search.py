"""Searches one commit of the embedded index, and keeps the work of one search small however many entries it selects.

Few hits are counted one by one and scored. Of more than SCORED_MAX, those with the words in the title come first, best
first while they are few enough themselves, and the others follow from the newest to the oldest, looked for among the
days that are likely to hold them. A search with words that selects more than COUNTED_MAX entries is counted in a sample, an
index of every sixteenth entry beside the whole one, and says so. At a million records these took 100 ms (to score all that
holds 'product'), 60 ms (to count 'recall' in seven languages) and 65 ms (six facets).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Any

import orjson
import tantivy

from indexer.engines.base import Hits, Sort
from indexer.engines.tantivy_fields import SAMPLE, Groups
from indexer.engines.tantivy_query import Compiler, Days
from indexer.entry import FACETS
from indexer.query import All, And, Not, Phrase, Query, Term, in_titles, leaves

FACET_VALUES_MAX = 100
COUNTS_MAX = 1_000  # searches of which totals and facets are kept
SCORED_MAX = 15_000
COUNTED_MAX = 40_000  # 2,500 of these are in the sample: totals are right to 2 %, facets of a tenth of the hits to 6 %
DAYS_SHARE = 0.05  # of the entries; who looks for hits on so many days looks at all that the query selects

DAYS_MORE = 50  # hits more than are wanted, so that few are not missed by chance

_ORDERS: dict[Sort, dict[str, Any]] = {
    "relevance": {"weight_by_field": "recency"},
    "newest": {"order_by_field": "newest", "order": tantivy.Order.Desc},
    "oldest": {"order_by_field": "oldest", "order": tantivy.Order.Asc},
}
_Facets = dict[str, tuple[tuple[str, int], ...]]


@dataclass(frozen=True, slots=True)
class _Counts:
    """Total and facets. are_sampled, is_sampled: the facets and the total are those of the sample, scaled."""

    total: int
    facets: _Facets
    are_sampled: bool = False
    is_sampled: bool = False


class Commit:
    """One commit of the index, open. Totals and facets are kept: the next page of a search asks the same."""

    def __init__(
        self, schema: tantivy.Schema, searcher: tantivy.Searcher, sample: tantivy.Searcher, groups: Groups
    ) -> None:
        """sample: searches the sample of the same entries. groups: those that both hold as one value each."""
        self._schema, self.searcher, self._sample = schema, searcher, sample
        self.compiler, self._sampler = Compiler(schema, searcher, groups), Compiler(schema, sample, groups)
        self._counts: dict[tuple[Query, tuple[str, ...]], _Counts] = {}
        self._in_sample = lru_cache(COUNTS_MAX)(self._counted_in_sample)

    def forget(self) -> None:
        """Answer the next searches as if nobody had made them before."""
        self._counts.clear()
        self._in_sample.cache_clear()
        self.compiler.forget()
        self._sampler.forget()

    def search(
        self, query: Query, first: int, count: int, sort: Sort, facets: Sequence[str], *, is_counted: bool
    ) -> Hits:
        """One page. Without is_counted the total is 0 and stands for nothing."""
        if unknown := set(facets) - set(FACETS):
            raise ValueError(f"unknown facets {sorted(unknown)}")
        has_words = any(isinstance(leaf, Term | Phrase) for leaf in leaves(query))
        if sort == "relevance" and not has_words:
            sort = "newest"  # filters do not score
        if not is_counted:
            hits = self._hits(query, self._about(query), first, count, sort) if count > 0 else []
            return Hits(0, tuple(hits), {})
        asked = (query, tuple(facets))
        counts = self._counts.get(asked)
        if counts is None and count > 0 and not facets and self._is_small(query, sort, has_words=has_words):
            total, hits = self._found(self.compiler.compile(query), first, count, sort, is_counted=True)
            counts = self._keep(asked, _Counts(total, {}))
            if sort != "relevance" or total <= SCORED_MAX:
                return Hits(total, tuple(hits), {})
        if counts is None:
            counts = self._keep(asked, self._counts_of(*asked, has_words=has_words))
        hits = self._hits(query, counts.total, first, count, sort) if count > 0 and counts.total else []
        return Hits(counts.total, tuple(hits), counts.facets, counts.are_sampled, counts.is_sampled)

    @cached_property
    def noted(self) -> Mapping[str, Any]:
        """What was noted with the commit."""
        asked = tantivy.Query.term_query(self._schema, "note", "position", "basic")
        found = self.searcher.search(asked, 1).hits
        return dict(orjson.loads(str(self.searcher.doc(found[0][1]).get_first("noted")))) if found else {}

    def count(self, query: Query) -> int:
        """How many entries a query selects, one by one."""
        if isinstance(query, All):
            return max(int(self.searcher.num_docs) - 1, 0)  # the position is a document as well
        found = self.searcher.terms_with_prefix("kept", "1", self.compiler.compile(query))
        return int(found[0][1]) if found else 0

    # Counting

    def _keep(self, asked: tuple[Query, tuple[str, ...]], counts: _Counts) -> _Counts:
        if len(self._counts) >= COUNTS_MAX:
            self._counts.clear()
        self._counts[asked] = counts
        return counts

    def _is_small(self, query: Query, sort: Sort, *, has_words: bool) -> bool:
        """Whether a query selects so few that the pass which orders them counts them as well."""
        limit = min(SCORED_MAX, COUNTED_MAX) if sort == "relevance" else COUNTED_MAX
        bound = self.compiler.at_most(query)
        if has_words and bound > limit:
            bound = self._in_sample(query, ())[0]
        return bound <= limit

    def _counts_of(self, query: Query, facets: tuple[str, ...], *, has_words: bool) -> _Counts:
        if self.compiler.at_most(query) > COUNTED_MAX:
            if not has_words:
                return self._counts_of_filters(query, facets)
            total, counted = self._in_sample(query, facets)
            if total > COUNTED_MAX:
                return _Counts(_rounded(total), counted, bool(facets), is_sampled=True)
        return _Counts(*_aggregated(self.searcher, self.compiler.compile(query), facets))

    def _counts_of_filters(self, query: Query, facets: tuple[str, ...]) -> _Counts:
        """What a filter selects is counted at a glance; its facets are not."""
        total = self.count(query)
        if not facets:
            return _Counts(total, {})
        if total > COUNTED_MAX:
            return _Counts(total, self._in_sample(query, facets)[1], are_sampled=True)
        return _Counts(total, _aggregated(self.searcher, self.compiler.compile(query), facets)[1])

    def _counted_in_sample(self, query: Query, facets: tuple[str, ...]) -> tuple[int, _Facets]:
        return _aggregated(self._sample, self._sampler.compile(query), facets, SAMPLE)

    def _about(self, query: Query) -> int:
        """How many entries a query selects, about; exactly near SCORED_MAX, so that all pages agree on the order."""
        bound = self.compiler.at_most(query)
        if bound <= SCORED_MAX:
            return bound
        if bound > COUNTED_MAX:
            total, _ = self._in_sample(query, ())
            if total > COUNTED_MAX or total < SCORED_MAX // 4:
                return total
        return self.count(query)

    # Ordering

    def _hits(self, query: Query, total: int, first: int, count: int, sort: Sort) -> list[tuple[str, float]]:
        if sort != "relevance":
            return self._by_day(query, total, first, count, sort)
        if total <= SCORED_MAX:
            return self._found(self.compiler.compile(query), first, count, sort)[1]
        titled = in_titles(query)
        size = self._about(titled)
        if size <= SCORED_MAX:
            _, hits = self._found(self.compiler.compile(titled), first, count, sort)
        else:
            hits = self._by_day(titled, size, first, count, "newest")
        if len(hits) < count:
            behind = max(0, first - self.count(titled))
            rest = And((query, Not(titled)))
            hits += self._by_day(rest, total - size, behind, count - len(hits), "newest")
        return hits

    def _by_day(self, query: Query, total: int, first: int, count: int, sort: Sort) -> list[tuple[str, float]]:
        """total: how many entries the query selects, about; it decides on which days they are looked for first."""
        for days in self._days_first(total, first + count, sort):
            _, hits = self._found(self.compiler.compile(query, days), first, count, sort)
            if len(hits) == count:
                return hits
        return self._found(self.compiler.compile(query), first, count, sort)[1]

    def _days_first(self, total: int, wanted: int, sort: Sort) -> Iterator[Days]:
        """The days, from one end, that are likely to hold so many of so many hits; then some more."""
        for times in (2, 16):
            share = (wanted * times + DAYS_MORE) / max(total, 1)
            if share > DAYS_SHARE:
                return
            days = self.compiler.days if sort == "oldest" else self.compiler.days[::-1]
            enough = share * self.searcher.num_docs
            held = accumulate(found for _, found in days)
            last = next((place for place, found in enumerate(held) if found >= enough), None)
            if last is None:
                return
            yield tuple(day for day, _ in days[: last + 1])

    def _found(
        self, query: tantivy.Query, first: int, count: int, sort: Sort, *, is_counted: bool = False
    ) -> tuple[int, list[tuple[str, float]]]:
        """The total, 0 where it is not counted, and a page of hits."""
        found = self.searcher.search(query, count, offset=first, count=is_counted, **_ORDERS[sort])
        hits = [
            (str(self.searcher.doc(address).get_first("id")), float(score) if sort == "relevance" else 0.0)
            for score, address in found.hits
        ]
        ordered = sorted(hits, key=lambda hit: (-hit[1], hit[0])) if sort == "relevance" else hits
        return int(found.count or 0), ordered  # type: ignore[attr-defined]  # the stubs leave it out


def _aggregated(
    searcher: tantivy.Searcher, query: tantivy.Query, facets: Sequence[str], times: int = 1
) -> tuple[int, _Facets]:
    """Count hits and the values of facets in one pass. times: what every count is multiplied by."""
    wanted: dict[str, Any] = {"": {"value_count": {"field": "newest"}}}
    wanted |= {name: {"terms": {"field": name, "size": FACET_VALUES_MAX}} for name in facets}
    answer = searcher.aggregate(query, wanted)
    counted: _Facets = {}
    for name in facets:
        buckets = [(str(bucket["key"]), _scaled(int(bucket["doc_count"]), times)) for bucket in answer[name]["buckets"]]
        counted[name] = tuple(sorted(buckets, key=lambda bucket: (-bucket[1], bucket[0])))
    return int(answer[""]["value"]) * times, counted


def _scaled(count: int, times: int) -> int:
    return count if times == 1 else _rounded(count * times)


def _rounded(count: int) -> int:
    """To two digits: more of a count in a sample would pretend to know."""
    return int(float(f"{count:.1e}"))
