"""Looser queries: what is searched for where no record holds every word, and where few do.

Words that no record holds are respelled ('schoolbus' as 'school bus', 'power bank' as 'powerbank') or left out first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations
from math import log

from indexer.analysis import LETTERS, fold, reference_value, shown
from indexer.engines.base import Engine
from indexer.expand import expand
from indexer.query import And, Filter, Not, Or, Phrase, Query, Range, Term, all_of, conditions, parts_of, word_values
from library.vocabulary.references import ladder

SHARES = (1.0, 0.8, 0.65, 0.5, 0.33)  # of what the words say together; a record says that much at least
SAID_BY_ANY = 6.0  # that a word was typed at all says more than how rare it is
TIMES_FOR_A_CONCEPT = 2.0  # the term bank holds what the trade looks for, and 'elevated' is in none of its lines
PARTS_MAX = 24  # who asks for more has pasted a text; each part is counted, and a query of 1 kB may have 250
WORDS_MAX = 5  # of more words those that say most are asked for; all pairs of five are ten conditions
NARROWING = frozenset({"jurisdiction", "origin", "year"})
SPLIT_MIN = 3  # letters of either part: a shorter one is an ending, or in half of the records
SPLIT_WORDS_MAX = 3  # words of one query: each is looked up at twenty places
_WORD_OF_LETTERS = re.compile(f"{LETTERS}{{2,24}}")

_CASED = re.compile("[A-Z][^A-Z]+")

Count = Callable[[Query], int]


def looser_queries(engine: Engine, query: Query, total: int) -> Iterator[Query]:
    """Yield looser and looser queries, each made only when it is needed. total: how many records the query selects.

    Filters, exclusions and quoted phrases stay. The name of a place, a year and a reference narrow what somebody looks
    for: they stay as long as there are other words to leave out, and are left out themselves after that. A lone
    reference loses its year, then its part.
    """
    if isinstance(query, Term) and query.is_reference and query.field is None:
        for rung in ladder(shown(query.values[0]))[1:]:
            yield replace(query, values=(reference_value(rung),))
        return
    count = cache(lambda part: engine.search(part, 0, 0).total)
    parts = query.parts if isinstance(query, And) else (query,)
    if len(parts) > PARTS_MAX:
        return
    held = parts if total else tuple(_held(count, parts))
    kept = tuple(part for part in held if is_condition(part) or is_quoted(part))
    words = tuple(part for part in held if part not in kept)
    if not words:
        return
    if held != parts:
        yield all_of(held)
    narrowing = tuple(part for part in words if narrows(part) or is_reference(part))
    others = tuple(part for part in words if part not in narrowing)
    if narrowing and others:
        yield from _without_some(engine, count, (*kept, *narrowing), others)
        if any(map(is_reference, narrowing)):
            yield all_of((*kept, *narrowing))
    yield from _without_some(engine, count, kept, words)


def _without_some(engine: Engine, count: Count, kept: tuple[Query, ...], words: tuple[Query, ...]) -> Iterator[Query]:
    """Yield queries for what holds most of what the words say: a rare word says more than a common one."""
    if len(words) < 2:
        return
    everything = engine.count()

    def says(word: Query) -> float:
        said = SAID_BY_ANY + log(1 + everything / (1 + count(word)))
        return said * TIMES_FOR_A_CONCEPT if _is_concept(word) else said

    said = {word: says(word) for word in words}
    ranked = sorted(words, key=said.__getitem__, reverse=True)
    asked, before = ranked[:WORDS_MAX], [tuple(ranked)]
    for share in SHARES:
        least = share * sum(said[word] for word in asked)
        enough = [
            some
            for size in range(1, len(asked) + 1)
            for some in combinations(asked, size)
            if sum(said[word] for word in some) >= least > sum(said[word] for word in some[:-1])
        ]
        if enough != before:
            yield all_of((*kept, Or(tuple(map(all_of, enough))) if len(enough) > 1 else all_of(enough[0])))
        before = enough


# Words that no record holds -------------------------------------------------------------------------------------------


def _held(count: Count, parts: Sequence[Query]) -> Iterator[Query]:
    """Yield the parts that some record holds, words of letters joined or split where this makes them such."""
    counts = [count(part) if _is_word(part) else 1 for part in parts]
    place, splits = 0, 0
    while place < len(parts):
        pair = parts[place : place + 2]
        if len(pair) == 2 and not all(counts[place : place + 2]) and (joined := _joined(count, *pair)):
            yield joined
            place += 1
        elif counts[place]:
            yield parts[place]
        elif splits < SPLIT_WORDS_MAX:
            yield from _split(count, parts[place])
            splits += 1
        place += 1


def _joined(count: Count, first: Query, second: Query) -> Query | None:
    if not (isinstance(first, Term) and isinstance(second, Term) and _is_bare(first) and _is_bare(second)):
        return None
    text = first.text + second.text
    joined = expand(Term(text, word_values(text))).query
    return joined if count(joined) else None


def _split(count: Count, word: Query) -> Sequence[Query]:
    """The words of a compound, those of which the rarest is the most common; nothing where some are in no record."""
    if not (isinstance(word, Term) and _is_bare(word)):
        return ()
    ways = [(word.text[:cut], word.text[cut:]) for cut in range(SPLIT_MIN, len(word.text) - SPLIT_MIN + 1)]
    cased = tuple(_CASED.findall(word.text))
    if len(cased) > 2 and "".join(cased) == word.text:  # 'WuXianZhai'
        ways.append(cased)
    held = {way: min(count(Term(text, (fold(text),))) for text in way) for way in ways}
    best = max(ways, key=held.__getitem__, default=())
    if not best or not held[best]:
        return ()
    return parts_of(expand(And(tuple(Term(text, word_values(text)) for text in best))).query)


# What a part of a query is --------------------------------------------------------------------------------------------


def is_condition(part: Query) -> bool:
    """Whether a part selects and says nothing."""
    if isinstance(part, Or) and not part.text:
        return bool(part.parts) and all(is_condition(one) for one in part.parts)
    return isinstance(part, Filter | Range | Not)


def narrows(part: Query) -> bool:
    """Whether a word names a place or a year: '中国', 'Italian', '2024年'."""
    return (
        isinstance(part, Or)
        and bool(part.text)
        and any(isinstance(one, Filter) and one.field in NARROWING for one in part.parts)
    )


def is_quoted(part: Query) -> bool:
    """Whether a part is a phrase between quotation marks."""
    return isinstance(part, Phrase) and part.is_quoted


def is_reference(part: Query) -> bool:
    """Whether a part is the number of a standard, an act, a case."""
    return isinstance(part, Term) and part.is_reference


def _is_word(part: Query) -> bool:
    """Whether a part may be left out as long as another like it remains."""
    return not (is_condition(part) or is_quoted(part) or narrows(part) or is_reference(part))


def _is_concept(part: Query) -> bool:
    """Whether the term bank, or a vocabulary, has widened a word."""
    if isinstance(part, Term | Phrase):
        return [part] != conditions(part.text, part.field)
    return isinstance(part, Or) and bool(part.text)


def _is_bare(part: Term) -> bool:
    """Whether a part is a word of letters as typed, anywhere, that no concept has widened."""
    return not part.is_reference and part.field is None and bool(_WORD_OF_LETTERS.fullmatch(part.text))
