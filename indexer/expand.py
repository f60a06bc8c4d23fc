"""expand(): widen the words of a query at query time: translations, variants, codes and places.

The term bank (indexer/terms.py) holds a concept of the trade a line, with the words for it in seven languages. A word
that names a concept selects every record that holds one of its words, or the hazard, product category or measure that
it stands for. Quoted phrases and filters mean what they say and are left alone, and so are references, but that a
national standard of China is found with and without its '/T'.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache, cached_property
from pathlib import Path

from indexer.analysis import STEM_MARK, cut_plain, fold, fold_characters, readings, tokens, words
from indexer.asking import days_in, with_plain_years, words_around, words_of_degree
from indexer.query import (
    STOP_WORDS,
    And,
    Filter,
    Not,
    Or,
    Phrase,
    Query,
    Range,
    Term,
    all_of,
    conditions,
    leaves,
    without_stop_words,
)
from indexer.terms import FOLDER, OWN_LANGUAGE_ONLY, Row, read_rows
from library.vocabulary import countries

AS_WRITTEN = "="  # before a word that is looked up without its stem
AS_TYPED = (
    "^"  # before a word that is looked up with its accents, and where it is marked with its capitals: thé, Polish
)
ASKED_PLACES = FOLDER.parent / "places_asked.toml"
ASKED = 1000  # the rank of words that only select a place; in Chinese they begin and end where a word does
ALSO_MAX = 4  # words shown for each language of a concept
FORMS_OF_ADDRESS = {"US", "USA", "UK", "EU", "UAE"}  # short forms that people type; 'IT', 'AND' and 'CAN' are words
MADE_IN = ("原产", "生产", "制造", "产", "制")  # 意大利产: the place is where the goods were made
LITTLE_WORDS = frozenset("的类等品中国产制用")  # left over beside a concept, these say nothing: 食品类, 德国产
YEAR = re.compile(r"(?:19|20)\d\d[年년]?")
YEAR_IN_WORDS = re.compile(r"(?<![\d-])(?:19|20)\d\d年")


@dataclass(frozen=True)
class Concept:
    """Words by language, the usual one first, or the place of one country code.

    own: words marked '!' in the bank, see indexer/terms.py. codes: (facet, value). asked: words that people type for a
    place, which are not searched for in texts.
    """

    words: Mapping[str, tuple[str, ...]]
    country: str | None = None
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    codes: tuple[tuple[str, str], ...] = ()
    asked: tuple[str, ...] = ()

    @cached_property
    def looked_up(self) -> tuple[dict[str, None], dict[tuple[str, ...], None]]:
        """The token values and the runs of primary tokens by which its words stand in texts."""
        return _words_of(self)


@dataclass(frozen=True, slots=True)
class Expansion:
    """The widened query, and the words that are searched for beside the typed ones."""

    query: Query
    also: tuple[str, ...]


def expand(query: Query, known: Glossary | None = None, today: date | None = None) -> Expansion:
    """Widen a query: outside of a NOT it selects what was typed and more, inside it leaves out more.

    Words of a question are left out, and days in words are ranges. known: the bank to widen by; the saved one where none
    is given. today: the day that 'last year' is said on, in UTC; the present one where none is given.
    """
    also: dict[str, None] = {}
    reworded = _with_days(query, today or datetime.now(UTC).date())
    return Expansion(_expand(reworded, known or glossary(), also), tuple(also))


def _with_days(query: Query, today: date) -> Query:
    """Take days out of plain words: '2024年上半年玩具' becomes a range and a word."""
    match query:
        case And(parts) if not _is_word(query):
            return all_of(_days_among(parts, today))
        case Or(parts):
            return replace(query, parts=tuple(_with_days(part, today) for part in parts))
        case Not(part):
            return Not(_with_days(part, today))
        case _:
            return all_of(_days_among((query,), today))


def _days_among(parts: Sequence[Query], today: date) -> list[Query]:
    """Days may be said in several words: 'last three months'."""
    found: list[Query] = []
    run: list[Query] = []
    for part in (*parts, None):
        if part is not None and _is_word(part) and _field(part) is None:
            run.append(part)
            continue
        found += _days_in_run(run, today)
        run = []
        if part is not None:
            found.append(_with_days(part, today) if isinstance(part, And | Or | Not) and not _is_word(part) else part)
    return found + _days_in_run(run, today)


def _days_in_run(run: Sequence[Query], today: date) -> list[Query]:
    run = [word for part in run for word in _with_plain_years(part, today)]
    if not run:
        return []
    text = " ".join(map(_text, run))
    pieces: list[tuple[int, int, Query | None]] = [
        (
            days.start,
            days.end,
            Range(
                "published",
                days.low.toordinal() if days.low else None,
                days.high.toordinal() if days.high else None,
                text[days.start : days.end],
            ),
        )
        for days in days_in(text, today)
    ]
    taken = [(start, end) for start, end, _ in pieces]
    pieces += [
        (match.start(), match.end(), None)
        for match in YEAR_IN_WORDS.finditer(text)
        if not any(start < match.end() and match.start() < end for start, end in taken)
    ]
    found: list[Query] = []
    start = 0
    for part in run:
        end = start + len(_text(part))
        inside = sorted(piece for piece in pieces if piece[0] < end and start < piece[1])
        if not inside:
            found.append(part)
        done = start
        for first, last, days in inside:
            found += _word(text[done : max(done, min(first, end))])
            if start <= first:  # days of several words are named once
                found += [days] if days else _word(text[first:last])
            done = min(last, end)
        found += _word(text[done:end]) if inside else []
        start = end + 1
    return found


def _with_plain_years(part: Query, today: date) -> list[Query]:
    plain = with_plain_years(_text(part), today)
    return [part] if plain == _text(part) else _word(plain)


def _word(text: str) -> list[Query]:
    parts = conditions(text)
    return parts if len(parts) < 2 else [And(without_stop_words(tuple(parts)), text)]


def _expand(query: Query, known: Glossary, also: dict[str, None]) -> Query:
    match query:
        case And(parts) if not _is_word(query):
            return all_of(_without_question(_expand_parts(parts, known, also)))
        case Or(parts):
            return replace(query, parts=tuple(_expand(part, known, also) for part in parts))
        case Not(part):
            return Not(_expand(part, known, {}))
        case Term() | Phrase() | And() if _is_word(query):
            return all_of(_without_question(_expand_parts((query,), known, also)))
        case Term(is_reference=True, values=values):
            return replace(query, values=(*values, *filter(None, map(_other_national, values))))
        case _:  # quoted phrases and filters
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


def _other_national(value: str) -> str | None:
    """The same number as mandatory and as recommended standard of China: both count in one series, and either is typed."""
    for prefix, other in (("GB_", "GB/T_"), ("GB/T_", "GB_")):
        if value.startswith(prefix):
            return other + value.removeprefix(prefix)
    return None


def _without_question(parts: Sequence[Query]) -> Sequence[Query]:
    """Leave out what was only said around the words, unless nothing else was said."""
    kept = [part for part in parts if not _is_around(part)]
    return kept if any(isinstance(part, Term | Phrase | And | Or) for part in kept) else parts


def _is_around(part: Query) -> bool:
    """Whether a part says nothing of what is looked for."""
    text = fold_characters(part.text if isinstance(part, Or) else _text(part)).casefold()
    return (_is_bare(part) and text in words_around()) or (_is_plain(part) and text in words_of_degree())


def _is_plain(part: Query) -> bool:
    """Whether a part is a word that may stand anywhere, as typed or widened."""
    if isinstance(part, Or):
        return all(leaf.field is None for leaf in leaves(part) if isinstance(leaf, Term | Phrase))
    return _is_bare(part)


def _is_bare(part: Query) -> bool:
    """Whether a part is a word as typed, anywhere, that no concept has widened."""
    return isinstance(part, Term | Phrase) and _is_word(part) and _field(part) is None


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
    begins_word: bool  # not in the middle of one of jieba's words


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
    lengths = _han_words(text)
    for token, found in zip(places, values, strict=True):
        typed = text[token.start : token.end]
        written = {AS_WRITTEN + fold(typed), AS_TYPED + typed, AS_TYPED + typed.casefold()}
        is_long = len(typed) > 1
        yield _Spot(
            word,
            token.start,
            token.end,
            found | written,
            is_long or lengths.get(token.start) == 1,
            is_long or token.start in lengths,
        )


def _han_words(text: str) -> dict[int, int]:
    """Where jieba's words begin, and their lengths."""
    lengths: dict[int, int] = {}
    for match in re.finditer("[\u4e00-\u9fd5]+", fold_characters(text)):
        start = match.start()
        for word in cut_plain(match.group()):
            lengths[start] = len(word)
            start += len(word)
    return lengths


def _left_over(spots: Sequence[_Spot], typed: _Typed, touched: set[int]) -> list[Query]:
    found: list[Query] = []
    for word in dict.fromkeys(spot.word for spot in spots):
        own = [spot for spot in spots if spot.word == word]
        text = typed.texts[word][own[0].start : own[-1].end]
        pieces = _stretches(text) if typed.field is None else [text]
        if pieces == [text] and word not in touched:
            found.append(_place_or_year(typed.queries[word], text, typed.field))
            continue
        for piece in pieces:
            parts = conditions(piece, typed.field)
            if parts and piece not in LITTLE_WORDS:
                found += [_place_or_year(all_of(parts), piece, typed.field)] if YEAR.fullmatch(piece) else parts
    return found


def _stretches(text: str) -> list[str]:
    """Cut a Chinese text at the words of a question: '问题被' holds 问题 and 被, each of which may be left out by itself."""
    if not re.fullmatch("[\u4e00-\u9fd5]+", fold_characters(text)):
        return [text]
    found: list[str] = []
    start, is_open = 0, False
    for word in cut_plain(fold_characters(text)):
        piece = text[start : start + len(word)]
        start += len(word)
        if word in words_around():
            found.append(piece)
            is_open = False
        elif is_open:
            found[-1] += piece
        else:
            found.append(piece)
            is_open = True
    return found


def _place_or_year(query: Query, text: str, where: str | None) -> Query:
    """A country in a language that the glossary does not speak, or a year."""
    if where is None and YEAR.fullmatch(text):
        return Or((query, Filter("year", text[:4], text)), text)
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
        return Or((all_of(conditions(text)), Filter("origin", country, text)), text)
    parts: list[Query] = []
    values: dict[str, None] = {}
    runs: dict[tuple[str, ...], None] = {}
    match conditions(text, where):
        case [Term(_, typed_values)]:
            # 'thé' is not the 'the' of every English text, and 'charger' not the French 'charge'
            values |= dict.fromkeys(
                value
                for value in typed_values
                if text.casefold() == value or (value not in STOP_WORDS and STEM_MARK not in value)
            )
        case [Phrase(_, typed_runs)]:
            runs |= dict.fromkeys(typed_runs)
        case several:  # 'metal fragments' is a phrase of the glossary, and 'fragments of metal' was asked for as well
            parts.append(all_of(tuple(inside) or without_stop_words(tuple(several))))
    for concept in concepts:
        own_values, own_runs = concept.looked_up
        values |= own_values
        runs |= own_runs
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


def _words_of(concept: Concept) -> tuple[dict[str, None], dict[tuple[str, ...], None]]:
    """The token values and the runs of primary tokens by which the words of a concept stand in texts."""
    values = dict.fromkeys(map(fold, concept.own.get("en", ())))
    runs: dict[tuple[str, ...], None] = {}
    for word, languages in _spellings(concept):
        for reading in languages:
            every, primary = words(word, reading)
            if _is_one_word(word, primary, every):
                values[primary[0] if len(primary) == 1 else fold_characters(word)] = None
            elif primary:
                runs[tuple(primary)] = None
    for word in concept.words.get("en", ()):
        every, primary = words(word, "en")
        if _is_one_word(word, primary, every):  # as other languages print it: 'Charger', 'Toys'
            values |= dict.fromkeys((fold(word), *_plural(fold(word))))
    return values, runs


def _plural(word: str) -> Iterator[str]:
    """How English says more of a word, where it is not said already.

    >>> list(_plural("toy")), list(_plural("battery")), list(_plural("toys"))
    (['toys'], ['batteries'], [])
    """
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        yield word[:-1] + "ies"
    elif word.endswith(("ss", "x", "z", "ch", "sh")):
        yield word + "es"
    elif word.isalpha() and not word.endswith("s"):
        yield word + "s"


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
    kept: set[tuple[str, ...]] = set()
    for run in sorted(runs, key=len):
        if not is_implied(run, values, kept):
            kept.add(run)
            yield run


def is_implied(run: tuple[str, ...], values: Container[str], runs: Container[tuple[str, ...]]) -> bool:
    """Whether what holds a run holds one of some values or runs as well."""
    # plain loops: generators took twice as long, and this is asked of every run of a concept
    for start, value in enumerate(run):
        if value in values:
            return True
        for stop in range(start + 1, len(run) + 1):
            if run[start:stop] in runs:
                return True
    return False


def _is_one_word(word: str, primary: Sequence[str], every: Sequence[str]) -> bool:
    """Whether a single token stands for the word: one primary token, or all its Han characters one word of jieba's."""
    return len(primary) == 1 or (fold_characters(word) in every and len(cut_plain(fold_characters(word))) == 1)


def _codes(concepts: Sequence[Concept]) -> Iterator[tuple[str, str]]:
    found: dict[tuple[str, str], None] = {}
    for concept in concepts:
        if country := concept.country:
            found |= dict.fromkeys((("jurisdiction", country), ("origin", country)))
            found |= dict.fromkeys(("jurisdiction", member) for member in countries.members(country))
        found |= dict.fromkeys(concept.codes)
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
                    run = words(word, language)[1]
                    self._add(run, rank, index)
                    # the parser leaves stop words out between blanks: 'encre de tatouage' arrives as two words
                    typed = [value for value in run if value.rpartition("~")[2] not in STOP_WORDS]
                    if 1 < len(typed) < len(run):
                        self._add(typed, rank, index)
            for rank, word in enumerate(concept.own.get("en", ()), start=len(concept.words.get("en", ()))):
                self._add([AS_WRITTEN + fold(word)], rank, index)
            for language, listed in concept.own.items():
                for rank, word in enumerate(listed, start=len(concept.words.get(language, ()))):
                    if fold(word) != word.casefold():  # nobody who types thé means 'the'
                        self._add([AS_TYPED + word.casefold()], rank, index)
            for word in concept.asked:
                paths = [[AS_TYPED + word[:-1]]] if word.endswith(OWN_LANGUAGE_ONLY) else _paths(word)
                for path in paths:
                    self._add(path, ASKED, index)

    def _add(self, path: Iterable[str], rank: int, index: int) -> None:
        node = self._root
        for value in path:
            node = node.after.setdefault(value, _Node())
        node.ends.append((rank, index))

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
            is_whole = spots[first].begins_word and (place + 1 == len(spots) or spots[place + 1].begins_word)
            ends = [end for node in nodes for end in node.ends if is_whole or end[0] != ASKED]
            if ends and not _are_one(spots, place, place + 1):
                best = (place + 1, ends)
        return best


def _paths(word: str) -> list[tuple[str, ...]]:
    """The runs by which a word may be typed, whatever language it is of."""
    return list(dict.fromkeys(tuple(primary) for _, primary in readings(word)))


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


@dataclass(frozen=True, slots=True)
class Group:
    """What a concept is looked up by: token values, runs of primary tokens, and codes as (facet, value)."""

    values: frozenset[str]
    runs: frozenset[tuple[str, ...]]
    codes: frozenset[tuple[str, str]]


@cache
def groups() -> tuple[Group, ...]:
    """A group for each concept of the saved bank, those with the same words once."""
    found: dict[Group, None] = {}
    for concept in glossary().concepts:
        values, runs = concept.looked_up
        found[Group(frozenset(values), frozenset(_not_implied(runs, values)), frozenset(_codes([concept])))] = None
    return tuple(found)


def _places() -> Iterator[Concept]:
    table = tomllib.loads(ASKED_PLACES.read_text(encoding="utf-8"))["place"]
    asked = {code: tuple(listed) for code, listed in table.items()}
    for code in countries.all_codes():
        names: dict[str, tuple[str, ...]] = {
            language: (countries.country_name(code, language),) for language in ("zh", "en")
        }
        if names["zh"][0].startswith("中国") and code != "CN":  # 中国香港 is typed as 香港 as well
            names["zh"] = (names["zh"][0], names["zh"][0].removeprefix("中国"))
        if code != "INT":
            yield Concept(names, code, asked=asked.get(code, ()))
