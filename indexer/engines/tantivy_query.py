"""Turns our queries into tantivy's, for one commit: what no entry of it holds is left out, and counts have bounds.

No text of a user reaches a parser of tantivy's. What selects nothing compiles to None, so that the other parts of a
query stand by themselves: a word is looked up as French, German and five more, and most of these are in no entry.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from itertools import accumulate

import tantivy

from indexer.engines.tantivy_fields import EVERYTHING, NAMES, Groups, pairs
from indexer.entry import EXACT
from indexer.expand import is_implied
from indexer.query import All, And, Filter, Not, Or, Phrase, Query, Range, Term

TITLE_BOOST = 1.5
NAME_BOOST = 1.0
GROUP_BOOST = 4.5
PAIR_BOOST = 1.6  # a phrase sums the rarity of its words, a pair has its own alone
REFERENCE_SCORE = 100.0  # above any sum of words: who types a number wants that document first
EXACT_REFERENCE_SCORE = 100.0
CODE_SCORE = 14.0  # a code counts like one good word: 'choking' as hazard, where the notice does not print the word
SYNONYM_SHARE = 0.1
COMPILED_MAX = 2_000

Days = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Word:
    """A word that was asked for, and what it was widened to. groups: what the index holds of it as one value.

    codes, others: further conditions that may be fulfilled instead. None of them is repeated by the groups. held: how
    many entries hold a group, a value or a run at most.
    """

    field: str | None
    groups: tuple[int, ...]
    values: tuple[str, ...]
    runs: tuple[tuple[str, ...], ...]
    held: int
    codes: tuple[Filter, ...]
    others: tuple[Query, ...]
    group_codes: tuple[Filter, ...]


class Compiler:
    """Compiles for the entries that one searcher sees."""

    def __init__(self, schema: tantivy.Schema, searcher: tantivy.Searcher, groups: Groups) -> None:
        self._schema, self._searcher, self._groups = schema, searcher, groups
        self._kept = lru_cache(COMPILED_MAX)(self._compiled)  # one search asks for the same parts again and again
        self._word = lru_cache(COMPILED_MAX)(self._word_of)

    def compile(self, query: Query, days: Days = ()) -> tantivy.Query:
        """One query. days: select, without scores, what was published on these alone; any day where there are none."""
        return self._kept(query, days) or tantivy.Query.empty_query()

    def forget(self) -> None:
        """Compile anew what was compiled before."""
        self._kept.cache_clear()
        self._word.cache_clear()

    # Words

    def _word_of(self, query: Term | Phrase | Or) -> _Word:
        parts = query.parts if isinstance(query, Or) else (query,)
        fields = {part.field for part in parts if isinstance(part, Term | Phrase)}
        field = fields.pop() if len(fields) == 1 else None
        values: dict[str, None] = {}
        runs: dict[tuple[str, ...], None] = {}
        codes: list[Filter] = []
        others: list[Query] = []
        for part in parts:
            match part:
                case Term(values=own, field=where, is_reference=False) if where == field:
                    values |= dict.fromkeys(own)
                case Phrase(runs=own, field=where) if where == field:
                    runs |= dict.fromkeys(own)
                case Filter():
                    codes.append(part)
                case _:
                    others.append(part)
        coded = {(code.field, code.value) for code in codes}
        groups = self._groups.inside(values, runs, None if field else coded)
        listed = [self._groups.listed[number] for number in groups]
        known_values = {value for group in listed for value in group.values}
        known_runs = {run for group in listed for run in group.runs}
        known_codes = set() if field else {code for group in listed for code in group.codes}
        where, grouped = field or EVERYTHING, f"{field}_group" if field else "meant"
        left_values = {value: self._holding(where, value) for value in values if value not in known_values}
        left_runs = {
            run: self._holding_run(where, run)
            for run in runs
            if not groups or not is_implied(run, known_values, known_runs)
        }
        held = sum(self._holding(grouped, str(number)) for number in groups)
        return _Word(
            field=field,
            groups=tuple(groups),
            values=tuple(value for value, found in left_values.items() if found),
            runs=tuple(run for run, found in left_runs.items() if found),
            held=held + sum(left_values.values()) + sum(left_runs.values()),
            codes=tuple(code for code in codes if (code.field, code.value) not in known_codes),
            others=tuple(others),
            group_codes=tuple(code for code in codes if (code.field, code.value) in known_codes),
        )

    # How many at most

    def at_most(self, query: Query) -> int:
        """So many entries a query selects at most. Nothing is searched: the index knows how many hold a value."""
        everything: int = self._searcher.num_docs
        match query:
            case Term(values=values, field=field, is_reference=True):
                found = sum(self._holding(field or EVERYTHING, value) for value in values)
            case Or(parts) if parts and all(map(_is_id, parts)):
                found = len(parts)
            case Term() | Phrase() | Or():
                word = self._word(query)
                found = word.held + sum(map(self.at_most, (*word.codes, *word.others)))
            case Filter(field, value):
                found = self._holding(field, value)
            case Range("published", low, high) if low is not None or high is not None:
                first = bisect_left(self.days, (low or 0,))
                last = bisect_left(self.days, ((high or date.max.toordinal()) + 1,))
                found = self._published_before[last] - self._published_before[first]
            case And(parts):
                found = min((self.at_most(part) for part in parts if not isinstance(part, Not)), default=everything)
            case _:
                found = everything
        return min(found, everything)

    @cached_property
    def days(self) -> list[tuple[int, int]]:
        """The days on which something was published, in order, and how much."""
        every = {"days": {"terms": {"field": "published", "size": 65_000}}}
        answer = self._searcher.aggregate(self.compile(All()), every)
        return sorted((int(bucket["key"]), int(bucket["doc_count"])) for bucket in answer["days"]["buckets"])

    @cached_property
    def _published_before(self) -> list[int]:
        """How much was published before each of the days, and in all: a range of thousands of days is one subtraction."""
        return [0, *accumulate(held for _, held in self.days)]

    def _holding(self, field: str, value: str) -> int:
        return int(self._searcher.doc_freq(field, value))

    def _holding_run(self, field: str, run: Sequence[str]) -> int:
        if len(run) == 1:
            return self._holding(f"{field}_run", run[0])
        least = self._searcher.num_docs
        for pair in pairs(run):
            least = min(least, self._holding(f"{field}_pair", pair))
            if not least:  # as for most of the languages that a word is read in
                break
        return int(least)

    # Queries

    def _compiled(self, query: Query, days: Days) -> tantivy.Query | None:
        match query:
            case Term(is_reference=True):
                return self._reference(query, days)
            case Term() | Phrase():
                return self._any_of(self._word(query), days)
            case Or(parts) if parts and all(map(_is_id, parts)):
                ids = [part.value for part in parts if isinstance(part, Filter)]
                return _silent(tantivy.Query.term_set_query(self._schema, "id", ids))
            case Or(parts, text):
                if text:
                    return self._any_of(self._word(query), days)
                return _any([found for part in parts if (found := self._kept(part, days)) is not None])
            case Filter(field, value):
                if not self._holding(field, value):
                    return None
                return self._on(days, _silent(tantivy.Query.term_query(self._schema, field, value, "basic")))
            case Range(field, low, high):
                bounds = (0 if low is None and high is None else low, high)
                return _silent(tantivy.Query.range_query(self._schema, field, tantivy.FieldType.Integer, *bounds))
            case And(parts):
                return self._conjunction(parts, days)
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

    def _any_of(self, word: _Word, days: Days) -> tantivy.Query | None:
        """A word and what it was widened to: an entry scores by the best of these, and a little by the others."""
        where = word.field or EVERYTHING
        is_boosted = not word.field and not days
        values = _any([self._term(where, value) for value in word.values])
        runs = _any([self._run(where, run, days) for run in word.runs])
        titled = self._any_run("title", word.runs, ()) if is_boosted else None
        found = [
            *(self._grouped(word, number, is_scored=not days) for number in word.groups),
            self._with_boosts(values, self._term_boosts(word.values) if is_boosted else []),
            self._with_boosts(runs, [(titled, TITLE_BOOST)]),
            *(self._coded(code) for code in word.codes),
            *(self._kept(other, days) for other in word.others),
        ]
        parts = [part for part in found if part is not None]
        if days or len(parts) < 2:
            return self._on(days, _any(parts))
        return tantivy.Query.disjunction_max_query(parts, SYNONYM_SHARE)

    def _grouped(self, word: _Word, number: int, *, is_scored: bool) -> tantivy.Query | None:
        """What the index holds as one value. Selected by one lookup; scores are looked up for what is selected."""
        if word.field:
            return self._any_term(f"{word.field}_group", [str(number)])
        if not self._holding("meant", str(number)):
            return None
        found: tantivy.Query = _silent(tantivy.Query.term_query(self._schema, "meant", str(number), "basic"))
        if not is_scored:
            return found
        boosts = [
            (self._any_term(f"{field}_group", [str(number)]), boost)
            for field, boost in ((EVERYTHING, GROUP_BOOST), ("title", TITLE_BOOST), (NAMES, NAME_BOOST))
        ]
        codes = [code for code in word.group_codes if (code.field, code.value) in self._groups.listed[number].codes]
        boosts += [(self._coded(code), 1.0) for code in codes]
        return self._with_boosts(found, boosts)

    def _coded(self, code: Filter) -> tantivy.Query | None:
        """An entry with the code that a word stands for."""
        selected = self._kept(code, ())
        return tantivy.Query.const_score_query(selected, CODE_SCORE) if selected else None

    def _reference(self, reference: Term, days: Days) -> tantivy.Query | None:
        wanted = self._on(days, self._any_term(reference.field or EVERYTHING, reference.values))
        if days or reference.field:
            return wanted
        exact = [EXACT + value for value in reference.values]
        scored = (
            (self._any_term("reference", reference.values), REFERENCE_SCORE),
            (self._any_term("reference", exact), EXACT_REFERENCE_SCORE),
        )
        constant = [(tantivy.Query.const_score_query(found, score), 1.0) for found, score in scored if found]
        return self._with_boosts(wanted, constant)

    def _term_boosts(self, values: Sequence[str]) -> list[tuple[tantivy.Query | None, float]]:
        return [(self._any_term("title", values), TITLE_BOOST), (self._any_term(NAMES, values), NAME_BOOST)]

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
        if len(found) == 1:
            return tantivy.Query.boost_query(self._term(f"{field}_pair", found[0]), PAIR_BOOST)
        places = sorted({*range(0, len(found), 2), len(found) - 1})  # these hold every word of the run
        phrase = tantivy.Query.phrase_query(self._schema, f"{field}_pair", [(place, found[place]) for place in places])
        return self._on(days, phrase) or phrase

    def _with_boosts(
        self, wanted: tantivy.Query | None, boosts: Sequence[tuple[tantivy.Query | None, float]]
    ) -> tantivy.Query | None:
        """Add to the score of what is wanted. One inside the other: several optional parts side by side are read whole."""
        for boost, times in boosts:
            if wanted is not None and boost is not None:
                more = tantivy.Query.boost_query(boost, times) if times != 1 else boost
                wanted = tantivy.Query.boolean_query([(tantivy.Occur.Must, wanted), (tantivy.Occur.Should, more)])
        return wanted


def _silent(query: tantivy.Query) -> tantivy.Query:
    """A query that selects and does not score."""
    return tantivy.Query.const_score_query(query, 0.0)


def _is_id(part: Query) -> bool:
    return isinstance(part, Filter) and part.field == "id"


def _any(queries: Sequence[tantivy.Query]) -> tantivy.Query | None:
    if len(queries) < 2:
        return queries[0] if queries else None
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries])
