"""Suggestions while somebody types, and the words that somebody may have meant.

Two stores of words. The words of the trade and the labels of the vocabularies are few and held in memory, with their
pinyin. What the records bring (references, names, the words of titles) is kept in a table by a follower, each under
every key by which it may be typed, with the number of records that had it when they came.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import chain, islice
from time import monotonic
from weakref import WeakKeyDictionary

from rapidfuzz import process
from rapidfuzz.distance import OSA

from indexer.analysis import cut_plain, fold, fold_characters, scan
from indexer.engines.base import Engine
from indexer.expand import expand, glossary
from indexer.looser import looser_queries
from indexer.pinyin import initials, left_over, syllables
from indexer.query import DOORS, FIELD, And, Filter, Not, Or, Phrase, Query, QueryError, Term, parse_query
from library.record import Record
from library.store.database import Transaction
from library.store.store import Change, Store
from library.vocabulary import categories, countries, hazards, measures, states
from library.vocabulary.references import canonical, find_references

SHOWN_MAX = 8
NAME_MAX = 60  # characters; a longer product name is a description
WORD_MIN = 4  # letters; shorter words are typed faster than they are chosen
TABLE_PREFIX_MIN = 3  # letters or digits before the table is asked
ROWS_MAX = 4000  # of one prefix
TAILS_MAX = 4  # words at the end of a text that may belong together: 'GB/T 5606.1-2004'
SPELLING_WORDS_MAX = 60_000
SPELLING_FOR_S = 300.0
CORRECTED_MAX, UNKNOWN_MAX = 3, 4
FIELDS = {"hazard": "hazard", "category": "category", "measure": "measure", "status": "status", "jurisdiction": "place"}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """text: the whole box if it is taken; shown: what is offered; kind: reference, name, word, term, place, or a facet."""

    text: str
    shown: str
    kind: str


def key_of(text: str) -> str:
    """What stays of a text when blanks, punctuation, case and accents are left out.

    >>> key_of("GB/T 5606.1-2004"), key_of("Crème-Brûlée Ltd."), key_of("標準")
    ('gbt560612004', 'cremebruleeltd', '标准')
    """
    return "".join(character for character in fold(fold_characters(text)) if character.isalnum())


# Words of the trade ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """One word of the trade. rank: its place among all of them."""

    shown: str
    kind: str
    rank: int
    syllables: tuple[str, ...]


class Vocabulary:
    """The words of the trade by key and by pinyin."""

    def __init__(self, words: Iterable[tuple[str, str]]) -> None:
        self.known: list[Known] = []
        self.by_key: dict[str, list[Known]] = {}
        self._by_letter: dict[str, list[Known]] = {}
        keys: list[tuple[str, int]] = []
        seen: set[tuple[str, str]] = set()
        for shown, kind in words:
            if (key := key_of(shown), kind) in seen or not key:
                continue
            seen.add((key, kind))
            word = Known(shown, kind, len(self.known), syllables(fold_characters(shown)))
            self.known.append(word)
            self.by_key.setdefault(key, []).append(word)
            begins = {key, *(key_of(shown[match.start() :]) for match in re.finditer(r"(?<=\s)\S{3,}", shown))}
            keys += [(begin, word.rank) for begin in begins]
            if word.syllables:
                self._by_letter.setdefault(word.syllables[0][0], []).append(word)
        self._keys = sorted(keys)

    def starting(self, key: str, kind: str | None = None) -> list[Known]:
        """Words one of whose words begins with a key; those that begin with it themselves first."""
        found: dict[int, bool] = {}
        for begin, rank in self._keys[bisect_left(self._keys, (key, -1)) :]:
            if not begin.startswith(key):
                break
            is_first = key_of(self.known[rank].shown).startswith(key)
            found[rank] = found.get(rank, False) or is_first
        ranked = sorted(found, key=lambda rank: (not found[rank], rank))
        return [self.known[rank] for rank in ranked if kind in (None, self.known[rank].kind)]

    def spelt(self, letters: str, kind: str | None = None) -> list[tuple[int, Known]]:
        """Chinese words that the letters spell, with the number of syllables still missing; whole words first."""
        found = [
            (left, word.rank, word)
            for word in self._by_letter.get(letters[:1], ())
            if kind in (None, word.kind) and (left := left_over(word.syllables, letters)) is not None
        ]
        return [(left, word) for left, _, word in sorted(found, key=lambda one: one[:2])]


@cache
def vocabulary() -> Vocabulary:
    """Labels of the vocabularies first, then the words of the trade and the places."""
    return Vocabulary(_vocabulary_words())


def _vocabulary_words() -> Iterator[tuple[str, str]]:
    for word in ["召回", "通报", "标准", "法规", "拒绝入境", "recall", "notification", "standard", "regulation"]:
        yield word, "term"
    for kind, module in (("hazard", hazards), ("category", categories), ("measure", measures), ("status", states)):
        for language in ("zh", "en"):
            for code in module.all_codes():
                yield str(module.label(code, language)), kind
    for concept in glossary().concepts:
        for language in ("zh", "en"):
            for word in concept.words.get(language, ()):
                yield word, "place" if concept.country else "term"
    for code in countries.all_codes():
        for language in ("zh", "en"):
            yield countries.country_name(code, language), "place"


@cache
def trade_words(language: str) -> tuple[tuple[str, str], ...]:
    """The hazards and product categories: (label in 'zh' or 'en', how else people may type it)."""
    found: list[tuple[str, str]] = []
    for lexicon in (hazards.lexicon(), categories.lexicon()):
        for term in lexicon.terms.values():
            spoken = "".join(syllables(term.zh))
            found.append((term.zh, f"{term.en} {spoken}".strip()) if language == "zh" else (term.en, term.zh))
    return tuple(found)


# What the records bring -----------------------------------------------------------------------------------------------


def offered(record: Record) -> set[tuple[str, str]]:
    """What a record offers to whoever types: (what is shown, kind)."""
    found: set[tuple[str, str]] = set()
    for printed in record.references:  # a joint notification prints all of its symbols in one line
        own = [reference.canonical for reference in find_references(printed)] or [printed]
        found |= {(reference, "reference") for reference in own if len(reference) <= NAME_MAX}
    names = [name for product in record.products for name in (product.brand, product.name)]
    names += [operator.name for operator in record.operators]
    found |= {(" ".join(name.split()), "name") for name in names if name and 2 <= len(name) <= NAME_MAX}
    for title in record.titles:
        for _, _, run, kind in scan(title.value):
            if kind == "latin":
                found |= {
                    (word, "word") for part in re.findall(r"[^\W\d_]+", run) if len(word := fold(part)) >= WORD_MIN
                }
            elif kind == "han":
                found |= {(word, "word") for word in cut_plain(run) if len(word) > 1}
    return found


def keys_of(shown: str, kind: str) -> set[str]:
    """The keys by which something may be typed: whole, a reference from its number on, Han words by pinyin."""
    key = key_of(shown)
    found = {key}
    if kind == "reference" and (number := re.search(r"\d.{3,}", key)):
        found.add(number[0])
    elif spoken := syllables(fold_characters(shown)):
        found |= {"".join(spoken), initials(spoken)}
    return {one for one in found if one}


class SuggestionFollower:
    """Keeps the table of suggestions; the position is kept in the same transaction.

    A record counts once, when it is new. What an amendment brings is there from then on, and what it took away stays
    until the table is made anew: a suggestion promises no hits.
    """

    name = "suggestions"

    def __init__(self, store: Store, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store, self._now = store, now
        self._read_to = 0

    def position(self) -> int:
        self._read_to = self._store.position(self.name)
        return self._read_to

    def start_anew(self) -> None:
        """Empty the table. Whoever follows the log fills it from the records as they are, reading from its start."""
        with self._store.write() as transaction:
            transaction.do("DELETE FROM suggestion")
            self._store.set_position(transaction, self.name, 0, at=self._now())

    def handle(self, changes: Sequence[Change]) -> None:
        if not changes:
            return
        new = {change.record_id for change in changes if change.action == "added"}
        seen: Counter[tuple[str, str]] = Counter()
        for record in self._store.get_many(list(dict.fromkeys(change.record_id for change in changes))):
            seen.update(dict.fromkeys(offered(record), int(record.id in new)))
        rows = {
            (key, shown): {"key": key, "shown": shown, "kind": kind, "seen": count}
            for (shown, kind), count in seen.items()
            for key in keys_of(shown, kind)
        }
        with self._store.write() as transaction:
            if int(transaction.value(POSITION, name=self.name) or 0) != self._read_to:
                return  # the table was emptied meanwhile, and all of the log is read again
            transaction.do_many(KEEP, [rows[place] for place in sorted(rows)])
            self._store.set_position(transaction, self.name, changes[-1].seq, at=self._now())


POSITION = "SELECT position FROM follower WHERE name = :name"

KEEP = """
    INSERT INTO suggestion (key, shown, kind, seen) VALUES (:key, :shown, :kind, :seen)
    ON CONFLICT (key, shown) DO UPDATE SET seen = suggestion.seen + excluded.seen
"""

STARTING = """
    SELECT shown, kind, max(seen) AS seen FROM (
        SELECT shown, kind, seen FROM suggestion WHERE key >= :low AND key < :high ORDER BY key LIMIT :rows
    ) AS near
    GROUP BY shown, kind ORDER BY seen DESC, shown LIMIT :count
"""

SPELLING = """
    SELECT key, shown, seen FROM suggestion WHERE kind IN ('word', 'name') ORDER BY seen DESC, key, shown LIMIT :count
"""

REFERENCES = """
    SELECT key, shown FROM (
        SELECT key, shown, kind FROM suggestion WHERE key >= :low AND key < :high ORDER BY key LIMIT :rows
    ) AS near
    WHERE kind = 'reference' ORDER BY key
"""  # the kind is looked at last: SQLite would read all of the kind first, 400,000 rows in 100 ms


# While typing ---------------------------------------------------------------------------------------------------------


def suggest(store: Store, text: str, limit: int = SHOWN_MAX) -> list[Suggestion]:
    """Offer what the end of a text may become, the best first. Any text will do; what is too long gets no answer."""
    if len(text) > 200 or not text.strip():
        return []
    found: dict[str, Suggestion] = {}
    with store.read() as transaction:
        for start in _tails(text):
            before, tail = text[:start], text[start:]
            is_in_word = bool(before) and before[-1].isalnum()
            for shown, kind, insertion in _completions(transaction, tail):
                whole = before + insertion
                if whole.strip() != text.strip() and not (is_in_word and shown.isascii()):
                    found.setdefault(key_of(shown), Suggestion(whole, shown, kind))
            if len(found) >= limit:
                break
    return list(found.values())[:limit]


def _tails(text: str) -> list[int]:
    """Where the piece may begin that is being typed: some words back, at a word, and where letters follow on Han."""
    words = [match.start() for match in re.finditer(r"[^\s()（）\"“”-][^\s()（）\"“”]*", text)]
    starts = words[-TAILS_MAX:]
    if not text[-1].isspace() and (run := re.search(r"(?<=[\u3400-\u9fff])[A-Za-z']+$", text)):
        starts.append(run.start())
    return [] if text[-1].isspace() and len(words) > 1 else list(dict.fromkeys(starts))


def _completions(transaction: Transaction, tail: str) -> Iterator[tuple[str, str, str]]:
    """Yield (shown, kind, what takes the place of the tail)."""
    prefix, kind = "", None
    if field := FIELD.match(tail):
        door = DOORS.get(field["name"].casefold())
        kind = FIELDS.get("jurisdiction" if door and door[0] == "origin" else door[0] if door else "")
        if kind is None:
            return
        prefix, tail = tail[: field.end()], tail[field.end() :]
    key = key_of(tail)
    if not key:
        return
    letters = tail.strip().casefold()
    is_pinyin = len(letters) > 1 and bool(re.fullmatch("[a-z']+", letters))
    known = vocabulary().starting(key, kind)[:SHOWN_MAX] if len(key) > 1 or not key.isascii() else []
    if is_pinyin:
        spelt = vocabulary().spelt(letters, kind)
        known = [word for left, word in spelt if not left][:5] + known + [word for left, word in spelt if left]
    for word in known[:SHOWN_MAX]:
        yield word.shown, word.kind, prefix + (_quoted(word.shown) if prefix else word.shown)
    if kind is None and (len(key) >= TABLE_PREFIX_MIN or not key.isascii()):
        rows = transaction.rows(STARTING, low=key, high=key + "\U0010ffff", rows=ROWS_MAX, count=SHOWN_MAX)
        for row in rows:
            shown, what = str(row["shown"]), str(row["kind"])
            is_plain = what == "word" or (what == "reference" and canonical(shown) is not None)
            yield shown, what, shown if is_plain else _quoted(shown)


def _quoted(words: str) -> str:
    """Words as one phrase of the query language; a single plain word as it is."""
    if re.fullmatch(r"\w+", words):
        return words
    return '"' + re.sub(r'["“”„«»「」『』＂\s]+', " ", words).strip() + '"'


# Did you mean ---------------------------------------------------------------------------------------------------------


def corrections(
    store: Store, engine: Engine, text: str, narrowed: Callable[[str], str] = lambda text: text
) -> list[str]:
    """Queries that somebody may have meant who typed one in which a word stands in no record; each finds something.

    narrowed: puts further conditions to a query that must find something as well.
    """
    try:
        query = parse_query(text)
    except QueryError:
        return []
    # a Chinese word that no record holds is no slip where its foreign terms find something
    unknown = [leaf for leaf in _words(query) if leaf.text in text and not _is_held(engine, expand(leaf).query)]
    others = {leaf.text: list(islice(_nearest(store, leaf), CORRECTED_MAX)) for leaf in unknown[:UNKNOWN_MAX]}
    if len(others) == 1:
        attempts = [text.replace(word, other, 1) for word, near in others.items() for other in near]
    else:
        attempts = [text]
        for word, near in others.items():
            attempts = [attempts[0].replace(word, near[0], 1)] if near else attempts
    return [attempt for attempt in dict.fromkeys(attempts) if attempt != text and _finds(engine, narrowed(attempt))]


def _words(query: Query) -> Iterator[Term | Phrase]:
    match query:
        case Term() if len(query.text) > 1:
            yield query
        case Phrase(is_quoted=False):
            yield query
        case And(parts) | Or(parts):
            for part in parts:
                yield from _words(part)
        case Not() | Filter():
            return


def _is_held(engine: Engine, query: Query) -> bool:
    return bool(engine.search(query, 0, 1, "newest", is_counted=False).hits)


def _finds(engine: Engine, text: str) -> bool:
    try:
        query = expand(parse_query(text)).query
    except QueryError:
        return False
    return any(_is_held(engine, attempt) for attempt in chain((query,), looser_queries(engine, query, 0)))


def _nearest(store: Store, leaf: Term | Phrase) -> Iterator[str]:
    key = key_of(leaf.text)
    if not key:
        return
    if any(character.isdigit() for character in key):
        yield from _near_references(store, key)
    elif key.isascii():
        yield from (word.shown for left, word in vocabulary().spelt(key)[:3] if not left)
        yield from spelling(store).nearest(key)
    else:
        yield from _sounding_alike(store, leaf.text)
        yield from spelling(store).nearest(key)


def _near_references(store: Store, key: str) -> Iterator[str]:
    series = re.match(r"\D*\d{0,2}", key)
    begin = series[0] if series and len(series[0]) > 1 else key[:2]
    with store.read() as transaction:
        rows = transaction.rows(REFERENCES, low=begin, high=begin + "\U0010ffff", rows=ROWS_MAX)
    shown = {str(row["key"]): str(row["shown"]) for row in rows}
    for near, _, _ in process.extract(key, list(shown), scorer=OSA.distance, score_cutoff=2, limit=3):
        yield shown[near]


def _sounding_alike(store: Store, word: str) -> Iterator[str]:
    """Words with the same pinyin: 窒熄 is typed for 窒息."""
    spoken = syllables(fold_characters(word))
    if not spoken:
        return
    yield from (known.shown for _, known in vocabulary().spelt("".join(spoken)) if known.syllables == spoken)
    with store.read() as transaction:
        low = "".join(spoken)
        rows = transaction.rows(STARTING, low=low, high=low + "\0", rows=ROWS_MAX, count=SHOWN_MAX)
    yield from (str(row["shown"]) for row in rows if row["shown"] != word)


class Spelling:
    """The words that records and the trade use, to be searched for the nearest."""

    def __init__(self, words: Iterable[tuple[str, str, int]]) -> None:
        self._words: dict[str, tuple[str, int]] = {}
        for key, shown, seen in words:
            if key_of(shown) == key and key not in self._words and re.fullmatch(r"\w{2,}", shown):
                self._words[key] = shown, seen
        self._keys = list(self._words)

    def nearest(self, key: str) -> Iterator[str]:
        """Words within one change of a short word and two of a longer one, the nearest and most usual first."""
        cutoff = 2 if len(key) >= 6 else 1
        if len(key) < (3 if key.isascii() else 2):
            return
        near = process.extract(key, self._keys, scorer=OSA.distance, score_cutoff=cutoff, limit=40)
        ranked = sorted(near, key=lambda one: (one[1], -self._words[one[0]][1], one[0]))
        yield from (self._words[word][0] for word, distance, _ in ranked[:5] if distance)


_spellings: WeakKeyDictionary[Store, tuple[float, Spelling]] = WeakKeyDictionary()


def spelling(store: Store) -> Spelling:
    """The words of a store and of the trade, read anew after some minutes."""
    kept = _spellings.get(store)
    if kept is None or monotonic() - kept[0] > SPELLING_FOR_S:
        with store.read() as transaction:
            rows = transaction.rows(SPELLING, count=SPELLING_WORDS_MAX)
        words = [(str(row["key"]), str(row["shown"]), int(row["seen"])) for row in rows]
        words += [(key_of(word.shown), word.shown, 1) for word in vocabulary().known]
        kept = _spellings[store] = monotonic(), Spelling(words)
    return kept[1]
