"""expand(): widen the words of a query at query time: translations, variants, codes and places.

The term bank (indexer/terms.py) holds a concept of the trade a line, with the words for it in seven languages. A word
that names a concept selects every record that holds one of its words, or the hazard, product category or measure that
it stands for. References, quoted phrases and filters mean what they say and are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from indexer.analysis import cut_plain, fold, fold_characters, readings, tokens, words
from indexer.query import And, Filter, Not, Or, Phrase, Query, Term, conditions, without_stop_words
from indexer.terms import FOLDER, Row, read_rows
from library.vocabulary import countries

AS_WRITTEN = "="  # before a word that is looked up without its stem
ALSO_MAX = 4  # words shown for each language of a concept
FORMS_OF_ADDRESS = {"US", "USA", "UK", "EU", "UAE"}  # short forms that people type; 'IT', 'AND' and 'CAN' are words
MADE_IN = ("原产", "生产", "制造", "产", "制")  # 意大利产: the place is where the goods were made
LITTLE_WORDS = frozenset("的类等品中国产制用")  # left over beside a concept, these say nothing: 食品类, 德国产
YEAR = re.compile(r"(?:19|20)\d\d年?")


@dataclass(frozen=True, slots=True)
class Concept:
    """Words by language, the usual one first, or the place of one country code.

    own: words marked '!' in the bank, see indexer/terms.py. codes: (facet, value).
    """

    words: Mapping[str, tuple[str, ...]]
    country: str | None = None
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    codes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Expansion:
    """The widened query, and the words that are searched for beside the typed ones."""

    query: Query
    also: tuple[str, ...]


def expand(query: Query, known: Glossary | None = None) -> Expansion:
    """Widen a query: outside of a NOT it selects what was typed and more, inside it leaves out more.

    known: the bank to widen by; the saved one where none is given.
    """
    also: dict[str, None] = {}
    return Expansion(_expand(query, known or glossary(), also), tuple(also))


def _expand(query: Query, known: Glossary, also: dict[str, None]) -> Query:
    match query:
        case And(parts) if not _is_word(query):
            return _flat(_expand_parts(parts, known, also))
        case Or(parts):
            return replace(query, parts=tuple(_expand(part, known, also) for part in parts))
        case Not(part):
            return Not(_expand(part, known, {}))
        case Term() | Phrase() | And() if _is_word(query):
            return _flat(_expand_parts((query,), known, also))
        case _:  # references, quoted phrases and filters
            return query


def _expand_parts(parts: Sequence[Query], known: Glossary, also: dict[str, None]) -> list[Query]:
    """Neighbouring words are looked up together: 'power bank' is one concept."""
    found: list[Query] = []
    run: list[Query] = []
    for part in (*parts, None):
        if part is not None and _is_word(part) and (not run or _field(run[0]) == _field(part)):
            run.append(part)
            continue
        found += _expand_words(run, known, also)
        run = [part] if part is not None and _is_word(part) else []
        if part is not None and not run:
            found.append(_expand(part, known, also))
    return found + _expand_words(run, known, also)


def _is_word(query: Query) -> bool:
    match query:
        case Term():
            return not query.is_reference
        case Phrase():
            return not query.is_quoted
        case And(parts, text):
            return bool(text) and all(_is_word(part) for part in parts)
    return False


def _field(query: Query) -> str | None:
    match query:
        case Term() | Phrase():
            return query.field
        case And(parts):
            return _field(parts[0])
    return None


def _text(query: Query) -> str:
    return query.text if isinstance(query, Term | Phrase | And) else ""


def _flat(parts: Sequence[Query]) -> Query:
    return parts[0] if len(parts) == 1 else And(tuple(parts))


# Words to concepts ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Typed:
    """Neighbouring words as typed, and what each of them asks for by itself."""

    texts: Sequence[str]
    queries: Sequence[Query]
    field: str | None


@dataclass(frozen=True, slots=True)
class _Spot:
    """One position of a typed word: which of the words, where in it, and the values it may have."""

    word: int
    start: int
    end: int
    values: frozenset[str]
    is_own_word: bool  # a Han character that jieba leaves alone: 铅, but not the 铅 of 铅笔


def _expand_words(run: Sequence[Query], known: Glossary, also: dict[str, None]) -> list[Query]:
    if not run:
        return []
    typed = [_text(part) for part in run]
    spots = [spot for index, text in enumerate(typed) for spot in _spots(index, text)]
    return _expand_spots(spots, _Typed(typed, run, _field(run[0])), known, also)


def _expand_spots(
    spots: Sequence[_Spot], typed: _Typed, known: Glossary, also: dict[str, None], most: int | None = None
) -> list[Query]:
    """Widen the concepts among spots, and keep what is left over. most: spots that a concept may have; all if None.

    A long concept is asked for beside the shorter ones in it: a new line of the bank finds more, never less.
    """
    named = list(known.find(spots, most or len(spots)))
    touched = {spot.word for first, last, _ in named for spot in spots[first:last]}
    found: list[Query] = []
    done = 0
    for first, last, concepts in [*named, (len(spots), len(spots), ())]:
        found += _left_over(spots[done:first], typed, touched)
        if concepts:
            own, also_inside = spots[first:last], dict[str, None]()
            inside = (
                _expand_spots(own, typed, known, also_inside, len(own) - 1) if most is None and len(own) > 1 else []
            )
            made_here = any(concept.country for concept in concepts) and _made_in(spots, last, typed.texts)
            text = _printed(own, typed.texts)
            found.append(_widened(text, concepts, typed.field, also, inside, made_here=bool(made_here)))
            also |= also_inside
            last += made_here
        done = max(done, last)
    return list(without_stop_words(tuple(found)))


def _spots(word: int, text: str) -> Iterator[_Spot]:
    places = [token for token in tokens(text, "en") if token.primary]
    values = [frozenset(column) for column in zip(*(primary for _, primary in readings(text)), strict=True)]
    alone = _words_of_one_character(text)
    for token, found in zip(places, values, strict=True):
        written = AS_WRITTEN + fold(text[token.start : token.end])
        yield _Spot(
            word, token.start, token.end, found | {written}, token.end - token.start > 1 or token.start in alone
        )


def _words_of_one_character(text: str) -> frozenset[int]:
    alone: set[int] = set()
    for match in re.finditer("[\u4e00-\u9fd5]+", fold_characters(text)):
        start = match.start()
        for word in cut_plain(match.group()):
            if len(word) == 1:
                alone.add(start)
            start += len(word)
    return frozenset(alone)


def _left_over(spots: Sequence[_Spot], typed: _Typed, touched: set[int]) -> list[Query]:
    found: list[Query] = []
    for word in dict.fromkeys(spot.word for spot in spots):
        own = [spot for spot in spots if spot.word == word]
        text = typed.texts[word][own[0].start : own[-1].end]
        if word not in touched:
            found.append(_place_or_year(typed.queries[word], text, typed.field))
        elif text not in LITTLE_WORDS:
            parts = conditions(text, typed.field)
            found += [_place_or_year(_flat(parts), text, typed.field)] if YEAR.fullmatch(text) else parts
    return found


def _place_or_year(query: Query, text: str, where: str | None) -> Query:
    """A country in a language that the glossary does not speak, or a year."""
    if where is None and YEAR.fullmatch(text):
        return Or((query, Filter("year", text.removesuffix("年"), text)), text)
    is_name = len(text) > 3 or text in FORMS_OF_ADDRESS
    if where is None and is_name and (code := countries.country(text)):
        return Or((query, Filter("jurisdiction", code, text), Filter("origin", code, text)), text)
    return query


def _printed(spots: Sequence[_Spot], typed: Sequence[str]) -> str:
    pieces: list[str] = []
    for word in dict.fromkeys(spot.word for spot in spots):
        own = [spot for spot in spots if spot.word == word]
        pieces.append(typed[word][own[0].start : own[-1].end])
    return " ".join(pieces)


def _made_in(spots: Sequence[_Spot], last: int, typed: Sequence[str]) -> int:
    """Count the characters after a place that say that the goods were made there."""
    if last >= len(spots) or last == 0 or spots[last].word != spots[last - 1].word:
        return 0
    rest = fold_characters(typed[spots[last].word][spots[last].start :])
    return next((len(word) for word in MADE_IN if rest.startswith(word)), 0)


def _widened(
    text: str,
    concepts: Sequence[Concept],
    where: str | None,
    also: dict[str, None],
    inside: Sequence[Query],
    *,
    made_here: bool,
) -> Query:
    """inside: the widened parts of a text of several words, each of which may stand anywhere."""
    country = next((concept.country for concept in concepts if concept.country), None)
    if country and made_here and where is None:
        return Or((_flat(conditions(text)), Filter("origin", country, text)), text)
    parts: list[Query] = []
    values: dict[str, None] = {}
    runs: dict[tuple[str, ...], None] = {}
    match conditions(text, where):
        case [Term(_, typed_values)]:
            values |= dict.fromkeys(typed_values)
        case [Phrase(_, typed_runs)]:
            runs |= dict.fromkeys(typed_runs)
        case several:  # 'metal fragments' is a phrase of the glossary, and 'fragments of metal' was asked for as well
            parts.append(_flat(tuple(inside) or without_stop_words(tuple(several))))
    for concept in concepts:
        values |= dict.fromkeys(map(fold, concept.own.get("en", ())))
        for word, languages in _spellings(concept):
            for reading in languages:
                every, primary = words(word, reading)
                if _is_one_word(word, primary, every):
                    values[primary[0] if len(primary) == 1 else fold_characters(word)] = None
                elif primary:
                    runs[tuple(primary)] = None
    for concept in concepts:
        for language in dict.fromkeys((*concept.words, *concept.own)):
            listed = (*concept.words.get(language, ()), *concept.own.get(language, ()))
            also |= dict.fromkeys(word for word in listed[:ALSO_MAX] if word.casefold() != text.casefold())
    if values:
        parts.append(Term(text, tuple(values), where))
    if shortest := tuple(_not_implied(runs, values)):
        parts.append(Phrase(text, shortest, where))
    if where is None:
        parts += [Filter(name, code, text) for name, code in _codes(concepts)]
    return parts[0] if len(parts) == 1 else Or(tuple(parts), text)


def _spellings(concept: Concept) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each word with the languages whose texts may hold it: texts that say no language are read as English."""
    for language, listed in concept.words.items():
        for word in listed:
            yield word, (language,) if language == "en" else (language, "en")
    for language, listed in concept.own.items():
        if language != "en":
            for word in listed:
                yield word, (language,)


def _not_implied(runs: Iterable[tuple[str, ...]], values: Container[str]) -> Iterator[tuple[str, ...]]:
    """Leave out the runs that select nothing more: 'fire hazard' beside 'fire', 'portable power bank' beside 'power bank'."""
    kept: list[tuple[str, ...]] = []
    for run in sorted(runs, key=len):
        stretches = {run[start:stop] for start in range(len(run)) for stop in range(start + 1, len(run) + 1)}
        if not any(value in values for value in run) and stretches.isdisjoint(kept):
            kept.append(run)
            yield run


def _is_one_word(word: str, primary: Sequence[str], every: Sequence[str]) -> bool:
    """Whether a single token stands for the word: one primary token, or all its Han characters one word of jieba's."""
    return len(primary) == 1 or (fold_characters(word) in every and len(cut_plain(fold_characters(word))) == 1)


def _codes(concepts: Sequence[Concept]) -> Iterator[tuple[str, str]]:
    found: dict[tuple[str, str], None] = {}
    for concept in concepts:
        places = (("jurisdiction", concept.country), ("origin", concept.country)) if concept.country else ()
        found |= dict.fromkeys((*places, *concept.codes))
    yield from found


# The glossary ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Node:
    """One step of the words of a concept; rank: the concepts that end here, with the place of the word in its cell."""

    after: dict[str, _Node] = field(default_factory=dict)
    ends: list[tuple[int, int]] = field(default_factory=list)


class Glossary:
    """The concepts, found by the longest of their words."""

    def __init__(self, concepts: Iterable[Concept]) -> None:
        self.concepts = list(concepts)
        self._root = _Node()
        for index, concept in enumerate(self.concepts):
            for language, listed in concept.words.items():
                for rank, word in enumerate(listed):
                    node = self._root
                    for value in words(word, language)[1]:
                        node = node.after.setdefault(value, _Node())
                    node.ends.append((rank, index))
            for rank, word in enumerate(concept.own.get("en", ()), start=len(concept.words.get("en", ()))):
                self._root.after.setdefault(AS_WRITTEN + fold(word), _Node()).ends.append((rank, index))

    def find(self, spots: Sequence[_Spot], most: int) -> Iterator[tuple[int, int, list[Concept]]]:
        """Yield (first spot, behind the last spot, concepts) for the longest words of at most so many spots."""
        first = 0
        while first < len(spots):
            last, ends = self._longest(spots, first, most)
            is_part = last == first + 1 and not spots[first].is_own_word
            if not ends or is_part:
                first += 1
                continue
            usual = min(ends)[0]
            chosen = dict.fromkeys(index for rank, index in ends if rank == usual)
            yield first, last, [self.concepts[index] for index in chosen]
            first = last

    def _longest(self, spots: Sequence[_Spot], first: int, most: int) -> tuple[int, list[tuple[int, int]]]:
        best: tuple[int, list[tuple[int, int]]] = (first, [])
        if _are_one(spots, first - 1, first):
            return best
        nodes = [self._root]
        for place in range(first, min(len(spots), first + most)):
            nodes = [node.after[value] for node in nodes for value in spots[place].values if value in node.after]
            if not nodes:
                break
            ends = [end for node in nodes for end in node.ends]
            if ends and not _are_one(spots, place, place + 1):
                best = (place + 1, ends)
        return best


def _are_one(spots: Sequence[_Spot], left: int, right: int) -> bool:
    """Whether two neighbours overlap, as the pairs of one run of kana or Hangul do: no word ends between them."""
    if left < 0 or right >= len(spots):
        return False
    return spots[left].word == spots[right].word and spots[left].end > spots[right].start


@cache
def glossary(path: Path = FOLDER) -> Glossary:
    """Read the bank once. Raises TableError naming the line that is wrong."""
    return glossary_of(read_rows(path) if path.exists() else [])


def glossary_of(rows: Iterable[Row]) -> Glossary:
    """The concepts of these rows, and all places."""
    concepts = (Concept(row.words, own=row.own, codes=row.codes) for row in rows)
    return Glossary([*concepts, *_places()])


def _places() -> Iterator[Concept]:
    for code in countries.all_codes():
        names: dict[str, tuple[str, ...]] = {
            language: (countries.country_name(code, language),) for language in ("zh", "en")
        }
        if names["zh"][0].startswith("中国") and code != "CN":  # 中国香港 is typed as 香港 as well
            names["zh"] = (names["zh"][0], names["zh"][0].removeprefix("中国"))
        if code != "INT":
            yield Concept(names, code)
