"""Query: a small tree of frozen classes; parse_query() makes it, matches() says what it means.

What people may type:

    玩具 窒息                    both words; 'AND', 'OR', 'NOT' (且, 或, 非), '-word' and brackets
    "short circuit"             a phrase: these words in this order, in any inflection
    GB/T 5606.1-2004            a reference in any spelling, brackets and all: (EU) 2024/903
    origin:中国 hazard:窒息      a field; values in any language, several with commas
    published:2024-01..2024-06  a range of days, open at either end

Engines never see the text, only the tree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from indexer.analysis import cut_plain, fold_characters, readings, reference_value, scan, series_of
from indexer.entry import NO_WORDS, Entry, Words, facet_value
from library.record import Kind
from library.vocabulary import categories, codes, countries, dates, hazards, languages, measures, states
from library.vocabulary.references import canonical, find_references

LENGTH_MAX_BYTES = 1024
DEPTH_MAX = 32
LEAVES_MAX = 256


# What may be wrong with a text, by code. Pages word the codes in the reader's language.
MESSAGES: Mapping[str, str] = {
    "and_first": "AND stands without something before it",
    "character": "the character {character} cannot be searched for",
    "closing_bracket": "a closing bracket without an opening one",
    "days": "'{value}' is no range of days, as in 2024-01..2024-06",
    "many": "the query has more than {count} conditions",
    "deep": "brackets and negations nest deeper than {count}",
    "empty_phrase": "a phrase without words",
    "field_value": "{field} stands without a value",
    "field_word": "{field} stands without a word",
    "long": "the query is longer than {count} bytes",
    "missing": "something to search for is missing here",
    "missing_at_end": "something to search for is missing at the end",
    "no_words": "there is no word or number to search for",
    "not_last": "NOT stands without something after it",
    "opening_bracket": "an opening bracket without a closing one",
    "quotation_mark": "a quotation mark without its partner",
    "unknown_field": "unknown field '{field}'; known are {known}",
    "unknown_value": "'{value}' is not known as {field}",
}


class QueryError(ValueError):
    """A text that is no query. column counts characters from 1; str() is an English sentence for the person who typed.

    code: one of MESSAGES; values: what its sentence names.
    """

    def __init__(self, code: str, column: int, **values: str | int) -> None:
        self.code, self.column, self.values = code, column, values
        self.message = MESSAGES[code].format(**values)
        super().__init__(f"{self.message} (column {column})")


@dataclass(frozen=True, slots=True)
class Term:
    """One of several token values, anywhere or in one of entry.WORD_FIELDS. text: what was typed."""

    text: str
    values: tuple[str, ...]
    field: str | None = None
    is_reference: bool = False


@dataclass(frozen=True, slots=True)
class Phrase:
    """One of several runs of primary tokens, anywhere or in one field; no run crosses from one text into the next."""

    text: str
    runs: tuple[tuple[str, ...], ...]
    field: str | None = None
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """A facet value, or the id of the entry; selects and does not score."""

    field: str
    value: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Range:
    """Days from low to high, both included, as ordinals; None is open. An entry without the date is not in it."""

    field: str
    low: int | None
    high: int | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class And:
    """All of the parts. text: the word these are the parts of, where somebody typed them without a blank."""

    parts: tuple[Query, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Or:
    """Any of the parts; of none it selects nothing. text: the word that was widened to these."""

    parts: tuple[Query, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Not:
    """Everything but the part."""

    part: Query


@dataclass(frozen=True, slots=True)
class All:
    """Every entry."""


Query = Term | Phrase | Filter | Range | And | Or | Not | All
NOTHING = Or(())
ALL = All()


# Meaning --------------------------------------------------------------------------------------------------------------


def matches(query: Query, entry: Entry) -> bool:
    """Say whether the query selects the index entry. Every engine must agree with this."""
    match query:
        case Term(values=values):
            return any(not found.values.isdisjoint(values) for _, found in _searched(query.field, entry))
        case Phrase(runs=runs):
            return any(contains_run(found.places, run) for _, found in _searched(query.field, entry) for run in runs)
        case Filter("id", value):
            return entry.id == value
        case Filter(field, value):
            return value in entry.facets.get(field, ())
        case Range(field, low, high):
            day = entry.dates.get(field)
            return day is not None and (low is None or low <= day) and (high is None or day <= high)
        case And(parts):
            return all(matches(part, entry) for part in parts)
        case Or(parts):
            return any(matches(part, entry) for part in parts)
        case Not(part):
            return not matches(part, entry)
        case All():
            return True


def contains_run(places: Mapping[str, tuple[int, ...]], run: tuple[str, ...]) -> bool:
    """Say whether the values stand one after the other. places: value -> positions."""
    rest = [frozenset(places.get(value, ())) for value in run[1:]]
    return any(
        all(start + step in found for step, found in enumerate(rest, start=1)) for start in places.get(run[0], ())
    )


def _searched(field: str | None, entry: Entry) -> Iterable[tuple[str, Words]]:
    if field is None:
        return entry.words.items()
    return ((field, entry.words.get(field, NO_WORDS)),)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an entry was selected: the clause as typed, the field it met, and the token values or facet value met.

    The values of a phrase are its run. `analysis.shown` makes a token value readable.
    """

    clause: str
    field: str
    words: tuple[str, ...]


def explain(query: Query, entry: Entry) -> list[Reason]:
    """Return the reasons for a match, in the order of the query; empty where the query does not select the entry."""
    if not matches(query, entry):
        return []
    match query:
        case Term(text, values):
            return [
                Reason(text, field, met)
                for field, found in _searched(query.field, entry)
                if (met := tuple(value for value in values if value in found.values))
            ]
        case Phrase(text, runs):
            return [
                Reason(text, field, run)
                for field, found in _searched(query.field, entry)
                if (run := next((run for run in runs if contains_run(found.places, run)), None))
            ]
        case Filter(field, value, text):
            return [Reason(text or f"{field}:{value}", field, (value,))]
        case Range(field, _, _, text):
            return [Reason(text or field, field, (date.fromordinal(entry.dates[field]).isoformat(),))]
        case And(parts) | Or(parts):
            reasons = [reason for part in parts for reason in explain(part, entry)]
            if isinstance(query, Or) and query.text:
                reasons = [replace(reason, clause=query.text) for reason in reasons]
            return list(dict.fromkeys(reasons))
        case Not() | All():
            return []


def leaves(query: Query) -> Iterator[Term | Phrase | Filter | Range]:
    """Yield the conditions of a query from left to right, those under a Not left out."""
    match query:
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)
        case Term() | Phrase() | Filter() | Range():
            yield query


def all_of(parts: Sequence[Query]) -> Query:
    """What holds all of some parts; one part stands by itself."""
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def parts_of(query: Query) -> tuple[Query, ...]:
    """What all must hold: the parts of a query, of which a word typed without a blank is one."""
    return query.parts if isinstance(query, And) and not query.text else (query,)


def in_titles(query: Query) -> Query:
    """The same query where words that may stand anywhere must stand in a title; a code beside a word is no title."""
    match query:
        case Term(field=None, is_reference=False) | Phrase(field=None):
            return replace(query, field="title")
        case And(parts):
            return replace(query, parts=tuple(map(in_titles, parts)))
        case Or(parts, text):
            titled = (in_titles(part) for part in parts if not (text and isinstance(part, Filter)))
            return replace(query, parts=tuple(titled))
        case _:
            return query


# Words to conditions --------------------------------------------------------------------------------------------------

# Left out of an unquoted query where other words remain; the index keeps them, and a query of nothing else asks for them.
STOP_WORDS = frozenset(
    word
    for line in (
        "a an and at by for from in is of on or the to with",
        "au aux de des du en et la le les sur un une",
        "das dem den der die für im mit und von zu",
        "con del el las los para por y",
        "的 了 和 与 及 之 于",
    )
    for word in line.split()
)
NEGATING = frozenset("不未无非")  # jieba cuts 不/合格, and nobody means 合格 by 不合格


def conditions(text: str, field: str | None = None) -> list[Query]:
    """Turn a piece of text without quotes or operators into conditions that must all hold.

    >>> [condition.text for condition in conditions("儿童玩具AB-12")]
    ['儿童玩具', 'AB-12']
    """
    found: list[Query] = []
    for start, end, run, kind in scan(text):
        printed = text[start:end]
        match kind:
            case "reference":
                found.append(Term(printed, (reference_value(run),), field, is_reference=True))
            case "latin" if series := series_of(printed):
                found.append(Term(printed, (reference_value(series),), field, is_reference=True))
            case "latin" if (runs := phrase_runs(printed)) and len(runs[0]) > 1:
                found.append(Phrase(printed, runs, field))
            case "latin" if runs:
                found.append(Term(printed, word_values(printed), field))
            case "han":
                found += _han_conditions(run, printed, field)
            case "kana" | "hangul" | "rare" if runs := phrase_runs(printed):
                single = len(runs[0]) == 1
                found.append(Term(printed, runs[0], field) if single else Phrase(printed, runs, field))
    return found


def phrase_runs(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the runs of primary tokens by which a text may stand in texts of any language; empty without words."""
    return tuple(dict.fromkeys(tuple(primary) for _, primary in readings(text) if primary))


def word_values(word: str) -> tuple[str, ...]:
    """Return the token values by which one word may stand in texts of any language."""
    return tuple(dict.fromkeys(value for every, _ in readings(word) for value in every))


def _han_conditions(run: str, printed: str, field: str | None) -> list[Query]:
    groups: list[list[str]] = []
    for word in cut_plain(run):
        previous = groups[-1] if groups else None
        is_glued = previous is not None and (previous[-1] in NEGATING or (len(word) == 1 and word not in STOP_WORDS))
        if previous is not None and is_glued:
            previous.append(word)
        else:
            groups.append([word])
    found: list[Query] = []
    start = 0
    for group in groups:
        text = printed[start : start + sum(map(len, group))]
        start += len(text)
        word = "".join(group)
        found.append(Term(text, (word,), field) if len(group) == 1 else Phrase(text, (tuple(word),), field))
    return found


# Fields ---------------------------------------------------------------------------------------------------------------

WORD_FIELDS: Mapping[str, str] = {
    "title": "title",
    "product": "product",
    "brand": "brand",
    "company": "company",
    "ref": "reference",
    "reference": "reference",
    "标题": "title",
    "产品": "product",
    "品牌": "brand",
    "企业": "company",
    "编号": "reference",
}
DATE_FIELDS: Mapping[str, str] = {
    "published": "published",
    "adopted": "adopted",
    "in_force": "in_force",
    "comments_until": "comments_until",
    "withdrawn": "withdrawn",
    "发布": "published",
    "生效": "in_force",
    "评议截止": "comments_until",
}


def _kind(value: str) -> str | None:
    return _kinds().get(facet_value(value))


@cache
def _kinds() -> dict[str, str]:
    spoken = {
        Kind.REGULATION: "regulations rule rules law 法规 法律 规章 条例 技术法规",
        Kind.STANDARD: "standards norm 标准",
        Kind.NOTIFICATION: "notifications 通报",
        Kind.RECALL: "recalls 召回",
        Kind.REJECTION: "rejections refusal 拒绝入境 退运 未准入境 边境拒绝",
    }
    return {word: kind.value for kind, listed in spoken.items() for word in (kind.value, *listed.split())}


def _source(value: str) -> str:
    return value.casefold()


def _year(value: str) -> str | None:
    return value.removesuffix("年") if re.fullmatch(r"[12]\d{3}年?", value) else None


# What a facet field calls its values: the same doors that crawled words enter by. None: nobody knows the word.
DOORS: Mapping[str, tuple[str, Callable[[str], str | None]]] = {
    "kind": ("kind", _kind),
    "source": ("source", _source),
    "jurisdiction": ("jurisdiction", countries.country),
    "market": ("jurisdiction", countries.country),
    "origin": ("origin", countries.country),
    "hazard": ("hazard", hazards.hazard),
    "category": ("category", categories.category),
    "measure": ("measure", measures.measure),
    "status": ("status", states.state),
    "class": ("classification", facet_value),
    "classification": ("classification", facet_value),
    "lang": ("language", languages.language),
    "language": ("language", languages.language),
    "year": ("year", _year),
    "hs": ("hs", codes.hs_code),
    "ics": ("ics", codes.ics_code),
    "类型": ("kind", _kind),
    "来源": ("source", _source),
    "市场": ("jurisdiction", countries.country),
    "国家": ("jurisdiction", countries.country),
    "原产地": ("origin", countries.country),
    "危害": ("hazard", hazards.hazard),
    "类别": ("category", categories.category),
    "措施": ("measure", measures.measure),
    "状态": ("status", states.state),
    "年份": ("year", _year),
}
# A vocabulary that may lack a publisher's word: the facet then holds the word as printed, and can be asked for so.
OPEN_FIELDS = frozenset({"jurisdiction", "origin", "hazard", "category", "measure"})
FIELD_NAMES = (*DOORS, *WORD_FIELDS, *DATE_FIELDS, "id")


# Parsing --------------------------------------------------------------------------------------------------------------

FIELD = re.compile(r"(?P<name>[^\W\d][\w]{0,30})[:：](?!/)")
OPEN_QUOTES = {'"': '"”', "“": '”"', "„": '“”"', "«": "»", "「": "」", "『": "』", "＂": '＂"'}
OPERATORS = {"AND": "AND", "OR": "OR", "NOT": "NOT", "且": "AND", "或": "OR", "非": "NOT"}
OPENING, CLOSING = "(（", ")）"
WORD = re.compile(r"[^\s()（）\"“”„«»「」『』＂]+")


def parse_query(text: str) -> Query:
    """Read what somebody typed. An empty text selects everything. Raises QueryError, never anything else."""
    _check(text)
    if not text.strip():
        return All()
    return _Parser(text).query()


def _check(text: str) -> None:
    size = 0
    for index, character in enumerate(text):
        code = ord(character)
        if code < 32 and character not in "\t\n\r\f\v" or code == 127 or 0xD800 <= code <= 0xDFFF:
            raise QueryError("character", index + 1, character=f"U+{code:04X}")
        size += 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
        if size > LENGTH_MAX_BYTES:
            raise QueryError("long", index + 1, count=LENGTH_MAX_BYTES)


class _Parser:
    """Recursive descent over one text; bounded, so that no text can exhaust the stack."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._leaves = 0
        self._references = {reference.start: reference for reference in find_references(text)}
        self._saw_symbol = False

    def query(self) -> Query:
        query = self._either()
        self._skip_blanks()
        if self._at < len(self._text):
            raise QueryError("closing_bracket", self._at + 1)
        return query

    def _either(self) -> Query:
        parts = [self._all()]
        while self._operator() == "OR":
            self._take_operator()
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all(self) -> Query:
        begin = self._at
        parts: list[Query] = []
        wants_more = True  # at the start and after AND
        while True:
            self._skip_blanks()
            if self._operator() == "AND":
                if wants_more:
                    raise QueryError("and_first", self._at + 1)
                self._take_operator()
                wants_more = True
                continue
            if self._is_end() or self._operator() == "OR":
                break
            parts += self._one()
            wants_more = False
        if wants_more:
            raise self._nothing(begin)
        return _joined(parts) if parts else self._symbols_only(begin)

    def _one(self) -> list[Query]:
        """Read one condition; a word may hold several or, where it is a mere symbol, none."""
        self._skip_blanks()
        here = self._at
        character = self._text[here]
        is_listed = here in self._references  # the '-2' of 'EN 71-1, -2'
        if self._operator() == "NOT" or (character in "-－" and not is_listed and self._is_negation(here)):
            if self._operator() == "NOT":
                self._take_operator()
            else:
                self._at += 1
            self._skip_blanks()
            if self._is_end() or self._operator() in ("AND", "OR"):
                raise QueryError("not_last", here + 1)
            self._deeper(here)
            parts = self._one()
            self._depth -= 1
            return [Not(_joined(parts))] if parts else []
        if character in OPENING and here not in self._references:
            self._deeper(here)
            self._at += 1
            inner = self._either()
            self._skip_blanks()
            if self._at >= len(self._text):
                raise QueryError("opening_bracket", here + 1)
            self._at += 1
            self._depth -= 1
            return [inner]
        if character in OPEN_QUOTES:
            return [self._leaf(self._phrase(None))]
        field = FIELD.match(self._text, here)
        if field and (field["name"].casefold() in FIELD_NAMES or self._is_misspelt(field)):
            return [self._field(field)]
        return self._word(None)

    def _field(self, match: re.Match[str]) -> Query:
        name = match["name"].casefold()
        here = self._at
        if name not in FIELD_NAMES:
            raise QueryError(
                "unknown_field", here + 1, field=name, known=", ".join(one for one in FIELD_NAMES if one.isascii())
            )
        self._at = match.end()
        if self._at >= len(self._text) or self._text[self._at].isspace() or self._text[self._at] in CLOSING:
            raise QueryError("field_value", here + 1, field=name)
        if name in WORD_FIELDS:
            field = WORD_FIELDS[name]
            if self._text[self._at] in OPEN_QUOTES:
                return self._leaf(self._phrase(field))
            parts = self._word(field)
            if not parts:
                raise QueryError("field_word", here + 1, field=name)
            return _joined(parts)
        begin = self._at
        is_quoted = self._text[begin] in OPEN_QUOTES
        value = self._quoted() if is_quoted else self._plain_value()
        typed = self._text[here : self._at]
        if name == "id":
            return self._leaf(Filter("id", value, typed))
        if name in DATE_FIELDS:
            try:
                low, high = dates.parse_day_range(fold_characters(value))
            except ValueError as error:
                raise QueryError("days", begin + 1, value=value) from error
            days = [day.toordinal() if day else None for day in (low, high)]
            return self._leaf(Range(DATE_FIELDS[name], days[0], days[1], typed))
        values = [value] if is_quoted else [part for part in re.split("[,，、]", value) if part]
        if not values:
            raise QueryError("field_value", here + 1, field=name)
        filters = [self._leaf(_filter(name, part, typed, begin)) for part in values]
        return filters[0] if len(filters) == 1 else Or(tuple(filters))

    def _word(self, field: str | None) -> list[Query]:
        here = self._at
        end = self._word_end(here)
        self._at = end
        printed = self._text[here:end]
        reference = self._references.get(here)
        if reference and canonical(printed) is None:  # an item of a list: what it is, the list says
            parts: list[Query] = [
                Term(reference.canonical, (reference_value(reference.canonical),), field, is_reference=True)
            ]
        else:
            parts = conditions(printed, field)
        if not parts:
            self._saw_symbol |= not printed.isascii()
            return []
        for part in parts:
            self._leaf(part)
        if field == "reference" and not any(isinstance(part, Term) and part.is_reference for part in parts):
            parts = [self._as_printed(printed, parts)]
        return parts if len(parts) == 1 else [And(without_stop_words(tuple(parts)), printed)]

    def _as_printed(self, printed: str, parts: list[Query]) -> Query:
        return Phrase(printed, phrase_runs(printed), "reference") if len(parts) > 1 else parts[0]

    def _word_end(self, here: int) -> int:
        """A word ends at a blank, bracket or quote; a reference that begins in it is taken whole, brackets and all."""
        if here in self._references:
            return self._references[here].end
        match = WORD.match(self._text, here)
        end = match.end() if match else here + 1
        inner = (start for start in self._references if here < start < end)
        return min(inner, default=end)

    def _phrase(self, field: str | None) -> Query:
        here = self._at
        printed = self._quoted()
        runs = phrase_runs(printed)
        if not runs:
            raise QueryError("empty_phrase", here + 1)
        if len(runs[0]) == 1 and (reference := canonical(printed)):
            return Term(printed, (reference_value(reference),), field, is_reference=True)
        return Phrase(printed, runs, field, is_quoted=True)

    def _quoted(self) -> str:
        here = self._at
        closing = OPEN_QUOTES[self._text[here]]
        end = next((index for index in range(here + 1, len(self._text)) if self._text[index] in closing), None)
        if end is None:
            raise QueryError("quotation_mark", here + 1)
        self._at = end + 1
        return self._text[here + 1 : end]

    def _plain_value(self) -> str:
        match = re.compile(r"[^\s()（）]+").match(self._text, self._at)
        value = match.group() if match else ""
        self._at += len(value)
        return value

    def _operator(self) -> str | None:
        self._skip_blanks()
        match = WORD.match(self._text, self._at)
        return OPERATORS.get(match.group()) if match else None

    def _take_operator(self) -> None:
        match = WORD.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _is_negation(self, here: int) -> bool:
        return here + 1 < len(self._text) and not self._text[here + 1].isspace()

    def _is_misspelt(self, field: re.Match[str]) -> bool:
        """'hazrd:fire' was meant as a field; 'CELEX:32014R1337', 'O157:H7' and 'http://…' were not."""
        return bool(re.fullmatch("[a-z_]{2,}", field["name"])) and field.start() not in self._references

    def _is_end(self) -> bool:
        return self._at >= len(self._text) or self._text[self._at] in CLOSING

    def _skip_blanks(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _deeper(self, here: int) -> None:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise QueryError("deep", here + 1, count=DEPTH_MAX)

    def _leaf(self, leaf: Query) -> Query:
        self._leaves += 1
        if self._leaves > LEAVES_MAX:
            raise QueryError("many", self._at, count=LEAVES_MAX)
        return leaf

    def _nothing(self, begin: int) -> QueryError:
        column = min(self._at, len(self._text) - 1) + 1
        if self._at >= len(self._text):
            return QueryError("missing_at_end", column)
        return QueryError("missing", column)

    def _symbols_only(self, begin: int) -> Query:
        if self._saw_symbol:  # a lone emoji is a fair question, and nothing answers it
            return NOTHING
        raise QueryError("no_words", begin + 1)


def _filter(name: str, value: str, typed: str, begin: int) -> Filter:
    field, door = DOORS[name]
    folded = fold_characters(value)
    found = door(value) or door(folded)
    if found is None:
        if field not in OPEN_FIELDS:
            raise QueryError("unknown_value", begin + 1, value=value, field=name)
        found = facet_value(value)
    return Filter(field, str(found), typed)


def _joined(parts: list[Query]) -> Query:
    kept = without_stop_words(tuple(parts))
    return kept[0] if len(kept) == 1 else And(kept)


def without_stop_words(parts: tuple[Query, ...]) -> tuple[Query, ...]:
    kept = tuple(part for part in parts if not (isinstance(part, Term) and part.text.casefold() in STOP_WORDS))
    return kept if any(isinstance(part, Term | Phrase | And | Or) for part in kept) else parts
