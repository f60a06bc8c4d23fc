"""Turns our queries into tantivy's, for one commit: what no entry of it holds is left out, and counts have bounds.

No text of a user reaches a parser of tantivy's. What selects nothing compiles to None, so that the other parts of a
query stand by themselves: a word is looked up as French, German and five more, and most of these are in no entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from math import comb

import tantivy

from indexer.engines.tantivy_fields import EVERYTHING, JOINED, Runs, pairs
from indexer.entry import EXACT
from indexer.query import All, And, Filter, Not, Or, Phrase, Query, Range, Term

TITLE_BOOST = 1.5
NAME_BOOST = 1.0
PAIR_BOOST = 1.6  # a phrase sums the rarity of its words, a pair has its own alone
REFERENCE_SCORE = 20.0  # above any sum of words: who types a number wants that document first
EXACT_REFERENCE_SCORE = 20.0
CODE_SCORE = 4.0  # a code counts like one good word: 'choking' as hazard, where the notice does not print the word
SYNONYM_SHARE = 0.1
COMPILED_MAX = 2_000
CHOICES_MAX = (
    28  # 'six of eight' as so many conjunctions; counting how many parts an entry meets took four times as long
)

Days = tuple[int, ...]


class Compiler:
    """Compiles for the entries that one searcher sees."""

    def __init__(self, schema: tantivy.Schema, searcher: tantivy.Searcher, runs: Runs) -> None:
        self._schema, self._searcher, self._runs = schema, searcher, runs
        self._kept = lru_cache(COMPILED_MAX)(self._compiled)  # one search asks for the same parts again and again

    def compile(self, query: Query, days: Days = ()) -> tantivy.Query:
        """One query. days: select, without scores, what was published on these alone; any day where there are none."""
        return self._kept(query, days) or tantivy.Query.empty_query()

    def forget(self) -> None:
        """Compile anew what was compiled before."""
        self._kept.cache_clear()

    # How many at most

    def at_most(self, query: Query) -> int:
        """So many entries a query selects at most. Nothing is searched: the index knows how many hold a value."""
        everything: int = self._searcher.num_docs
        match query:
            case Term(values=values, field=field):
                found = sum(self._holding(field or EVERYTHING, value) for value in values)
            case Phrase(runs=runs, field=field):
                found = sum(self._holding_run(field or EVERYTHING, run) for run in runs)
            case Filter(field, value):
                found = self._holding(field, value)
            case And(parts):
                found = min((self.at_most(part) for part in parts if not isinstance(part, Not)), default=everything)
            case Or(parts):
                found = sum(map(self.at_most, parts))
            case _:
                found = everything
        return min(found, everything)

    def _holding(self, field: str, value: str) -> int:
        return int(self._searcher.doc_freq(field, value))

    def _holding_run(self, field: str, run: Sequence[str]) -> int:
        if len(run) == 1 or self._is_one_value(run):
            return self._holding(f"{field}_run", JOINED.join(run))
        return min(self._holding(f"{field}_pair", pair) for pair in pairs(run))

    def _is_one_value(self, run: Sequence[str]) -> bool:
        return len(run) > 2 and JOINED.join(run) in self._runs.values

    # Queries

    def _compiled(self, query: Query, days: Days) -> tantivy.Query | None:
        match query:
            case Term(values=values, field=field):
                wanted = self._on(days, self._any_term(field or EVERYTHING, values))
                is_scored = not field and not days
                return self._with_boosts(
                    wanted, self._term_boosts(values, is_reference=query.is_reference) if is_scored else []
                )
            case Phrase(runs=runs, field=field):
                wanted = self._on(days, self._any_run(field or EVERYTHING, runs, days))
                titled = None if field or days else self._any_run("title", runs, ())
                return self._with_boosts(wanted, [tantivy.Query.boost_query(titled, TITLE_BOOST)] if titled else [])
            case Filter(field, value):
                return self._on(days, _silent(tantivy.Query.term_query(self._schema, field, value, "basic")))
            case Range(field, low, high):
                bounds = (0 if low is None and high is None else low, high)
                return _silent(tantivy.Query.range_query(self._schema, field, tantivy.FieldType.Integer, *bounds))
            case And(parts):
                return self._conjunction(parts, days)
            case Or(parts, text, least):
                return self._disjunction(parts, days, is_one_word=bool(text), least=least)
            case Not():
                return self._conjunction((query,), days)
            case All():
                return _silent(tantivy.Query.term_query(self._schema, "kept", "1", "basic"))

    def _on(self, days: Days, query: tantivy.Query | None) -> tantivy.Query | None:
        """Only what was published on some days; said of each part, since a union inside reads all that it may hold."""
        if query is None or not days:
            return query
        return tantivy.Query.boolean_query(
            [(tantivy.Occur.Must, self._published_on(days)), (tantivy.Occur.Must, query)]
        )

    def _published_on(self, days: Days) -> tantivy.Query:
        return _silent(tantivy.Query.term_set_query(self._schema, "published", list(days)))

    def _conjunction(self, parts: Sequence[Query], days: Days) -> tantivy.Query | None:
        clauses: list[tuple[tantivy.Occur, tantivy.Query]] = []
        for part in parts:
            inner = part.part if isinstance(part, Not) else part
            compiled = self._kept(inner, days)
            if isinstance(part, Not):
                clauses += [(tantivy.Occur.MustNot, compiled)] if compiled else []
            elif compiled is None:
                return None
            else:
                clauses.append((tantivy.Occur.Must, compiled))
        if all(isinstance(part, Not) for part in parts):
            clauses.append((tantivy.Occur.Must, self._published_on(days) if days else self.compile(All())))
        return clauses[0][1] if len(clauses) == 1 else tantivy.Query.boolean_query(clauses)

    def _disjunction(
        self, parts: Sequence[Query], days: Days, *, is_one_word: bool, least: int
    ) -> tantivy.Query | None:
        if least == 1 and not is_one_word and parts and all(map(_is_id, parts)):
            ids = [part.value for part in parts if isinstance(part, Filter)]
            return _silent(tantivy.Query.term_set_query(self._schema, "id", ids))
        compiled = [
            tantivy.Query.const_score_query(found, CODE_SCORE) if is_one_word and isinstance(part, Filter) else found
            for part in parts
            if (found := self._kept(part, days)) is not None
        ]
        if len(compiled) < least:
            return None
        if least > 1:
            return _some(compiled, least)
        if is_one_word and len(compiled) > 1:
            return tantivy.Query.disjunction_max_query(compiled, SYNONYM_SHARE)
        return _any(compiled)

    def _term_boosts(self, values: Sequence[str], *, is_reference: bool) -> list[tantivy.Query]:
        if is_reference:
            boosted = [
                (self._any_term("reference", values), REFERENCE_SCORE),
                (self._any_term("reference", [EXACT + value for value in values]), EXACT_REFERENCE_SCORE),
            ]
            return [tantivy.Query.const_score_query(wanted, score) for wanted, score in boosted if wanted]
        boosted = [(self._any_term("title", values), TITLE_BOOST), (self._any_term("names", values), NAME_BOOST)]
        return [tantivy.Query.boost_query(wanted, boost) for wanted, boost in boosted if wanted]

    def _any_term(self, field: str, values: Sequence[str]) -> tantivy.Query | None:
        return _any([self._term(field, value) for value in values if self._holding(field, value)])

    def _term(self, field: str, value: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, field, value, "freq")

    def _any_run(self, field: str, runs: Sequence[Sequence[str]], days: Days) -> tantivy.Query | None:
        return _any([self._run(field, run, days) for run in runs if self._holding_run(field, run)])

    def _run(self, field: str, run: Sequence[str], days: Days) -> tantivy.Query:
        if len(run) == 1:
            return self._term(f"{field}_run", run[0])
        found = pairs(run)
        places = sorted({*range(0, len(found), 2), len(found) - 1})  # these hold every word of the run
        if self._is_one_value(run):
            return tantivy.Query.boost_query(self._term(f"{field}_run", JOINED.join(run)), float(len(places)))
        if len(found) == 1:
            return tantivy.Query.boost_query(self._term(f"{field}_pair", found[0]), PAIR_BOOST)
        phrase = tantivy.Query.phrase_query(self._schema, f"{field}_pair", [(place, found[place]) for place in places])
        return self._on(days, phrase) or phrase

    def _with_boosts(self, wanted: tantivy.Query | None, boosts: Sequence[tantivy.Query]) -> tantivy.Query | None:
        if wanted is None or not boosts:
            return wanted
        clauses = [(tantivy.Occur.Must, wanted), *((tantivy.Occur.Should, boost) for boost in boosts)]
        return tantivy.Query.boolean_query(clauses)


def _silent(query: tantivy.Query) -> tantivy.Query:
    """A query that selects and does not score."""
    return tantivy.Query.const_score_query(query, 0.0)


def _is_id(part: Query) -> bool:
    return isinstance(part, Filter) and part.field == "id"


def _any(queries: Sequence[tantivy.Query]) -> tantivy.Query | None:
    if len(queries) < 2:
        return queries[0] if queries else None
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries])


def _some(queries: Sequence[tantivy.Query], least: int) -> tantivy.Query:
    """At least so many of some. The best so many of an entry score."""
    if comb(len(queries), least) > CHOICES_MAX:
        some = [(tantivy.Occur.Should, query) for query in queries]
        return tantivy.Query.boolean_query(some, minimum_number_should_match=least)
    all_of = [
        tantivy.Query.boolean_query([(tantivy.Occur.Must, query) for query in chosen])
        for chosen in combinations(queries, least)
    ]
    return all_of[0] if len(all_of) == 1 else tantivy.Query.disjunction_max_query(all_of, 0.0)
