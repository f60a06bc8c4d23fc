"""Lexicon: a closed list of codes, the words that mean each, and the phrases that name one in prose.

A lexicon is a TOML file in config/vocabulary. Each table but [lexicon] is a code:

    [choking]
    zh = "异物窒息"                      labels
    en = "Choking"
    broader = "asphyxiation"            a wider code, if there is one
    aliases = ["Choking hazard"]        whole printed words that mean the code
    phrases.en = ["chok*", "small parts"]   name it wherever they stand; '*' ends a word open, '|' separates choices
    near.en = ["swallow*"]              name it only in a sentence that speaks of a risk

[lexicon] holds `no_code` (words that are known and mean no code), `context` (per language: the words that make a sentence
speak of a risk), `unless` (per language: phrases inside which nothing is found) and `negations`.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from library.vocabulary.folding import fold_characters, fold_word

FOLDER = Path(__file__).parents[2] / "config" / "vocabulary"

NEAR_WORDS = 8  # 'posing a risk of serious injury or death from fire': seven words between risk and fire
NEAR_CHARACTERS = 16  # the same for scripts without spaces
NEGATION_WORDS = 2  # 'no reported injuries', 'without any burns'

_HAN = "\u3400-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af"
_TOKEN = re.compile(rf"[{_HAN}]|[^\W{_HAN}]+|[.;!?。；！？\n]", re.UNICODE)
_SENTENCE_END = frozenset(".;!?。；！？\n")
_RUN = re.compile(rf"[{_HAN}]")


@dataclass(frozen=True, slots=True)
class Found:
    """A code named in a text; start and end are offsets into the text, printed is text[start:end]."""

    start: int
    end: int
    code: str
    printed: str


@dataclass(frozen=True, slots=True)
class Term:
    """One code with its labels, in both languages of the pages."""

    code: str
    zh: str
    en: str
    broader: str | None = None
    aliases: tuple[str, ...] = ()
    phrases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    near: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Token:
    word: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A phrase cut into words: each a tuple of choices, each choice a word and whether its ending is open."""

    words: tuple[tuple[tuple[str, bool], ...], ...]
    code: str
    near: bool


class Lexicon:
    """The codes of one vocabulary. Raises ValueError where the table contradicts itself."""

    def __init__(self, terms: Iterable[Term], rules: Mapping[str, Any] | None = None, *, name: str = "lexicon") -> None:
        self.terms = {term.code: term for term in terms}
        self.name = name
        self._rules = rules or {}
        self._no_code = frozenset(fold_word(word) for word in self._rules.get("no_code", ()))
        for term in self.terms.values():
            if term.broader is not None and term.broader not in self.terms:
                raise ValueError(f"{name}: {term.code} names the unknown broader code {term.broader!r}")
        self._codes_by_word = self._index_words()

    def code(self, printed: str, words: Mapping[str, str] | None = None) -> str | None:
        """The code a printed word means, None where nobody has mapped it. words: the source's own words, tried first."""
        folded = fold_word(printed)
        if words:
            own = {fold_word(word): code for word, code in words.items()}
            if folded in own:
                return own[folded]
        return self._codes_by_word.get(folded)

    def is_known(self, printed: str) -> bool:
        """Whether the word is mapped, or is known to mean no code ('Other', 'n/a')."""
        folded = fold_word(printed)
        return folded in self._codes_by_word or folded in self._no_code

    def label(self, code: str, language: str) -> str:
        """The wording of a code in 'zh' or 'en'; a code nobody knows is its own wording."""
        term = self.terms.get(code)
        return code if term is None else (term.zh if language.startswith("zh") else term.en)

    def narrower(self, code: str) -> tuple[str, ...]:
        """The code and every code below it; a filter by the code selects all of them."""
        found = [code]
        for wider in found:
            found += [term.code for term in self.terms.values() if term.broader == wider]
        return tuple(found)

    def broader(self, code: str) -> tuple[str, ...]:
        """The code and every code above it, narrowest first."""
        chain = [code]
        while (term := self.terms.get(chain[-1])) is not None and term.broader is not None:
            chain.append(term.broader)
        return tuple(chain)

    def find(self, text: str) -> list[Found]:
        """The codes named in prose, in the order of the text; one code is named once per place.

        Different codes may share words. A longer phrase hides a shorter one inside it ('lead time' hides 'lead').
        """
        tokens = list(_tokens(text))
        hidden = self._hidden(tokens)
        found: list[tuple[int, int, str]] = []
        for first in range(len(tokens)):
            if first in hidden:
                continue
            for last, pattern in self._patterns.starting(tokens, first):
                if self._is_negated(tokens, first, last) or (
                    pattern.near and not self._speaks_of_risk(tokens, first, last)
                ):
                    continue
                found.append((tokens[first].start, tokens[last].end, pattern.code))
        return [Found(start, end, code, text[start:end]) for start, end, code in _widest(found)]

    def _index_words(self) -> dict[str, str]:
        codes: dict[str, str] = {}
        for term in self.terms.values():
            for word in (term.code, term.code.replace("_", " "), term.en, term.zh, *term.aliases):
                folded = fold_word(word)
                if codes.setdefault(folded, term.code) != term.code:
                    raise ValueError(f"{self.name}: {word!r} means both {codes[folded]} and {term.code}")
        return codes

    @cached_property
    def _patterns(self) -> _PatternIndex:
        index = _PatternIndex()
        for term in self.terms.values():
            for phrases, near in ((term.phrases, False), (term.near, True)):
                for phrase in (phrase for wordings in phrases.values() for phrase in wordings):
                    index.add(_Pattern(_cut(phrase), term.code, near))
        return index

    @cached_property
    def _exceptions(self) -> _PatternIndex:
        return _plain_index(self._rules.get("unless", {}))

    @cached_property
    def _contexts(self) -> _PatternIndex:
        return _plain_index(self._rules.get("context", {}))

    @cached_property
    def _negations(self) -> _PatternIndex:
        return _plain_index(self._rules.get("negations", {}))

    @cached_property
    def _negations_behind(self) -> frozenset[str]:
        return frozenset(self._rules.get("negations_behind", ()))

    def _hidden(self, tokens: list[_Token]) -> set[int]:
        hidden: set[int] = set()
        for first in range(len(tokens)):
            for last, _ in self._exceptions.starting(tokens, first):
                hidden.update(range(first, last + 1))
        return hidden

    def _is_negated(self, tokens: list[_Token], first: int, last: int) -> bool:
        if last + 1 < len(tokens) and tokens[last + 1].word in self._negations_behind:
            return True
        reach = 4 if _RUN.match(tokens[first].word) else NEGATION_WORDS
        for position in range(first - 1, max(-1, first - 1 - reach), -1):
            if tokens[position].word in _SENTENCE_END:
                return False
            if any(end < first for end, _ in self._negations.starting(tokens, position)):
                return True
        return False

    def _speaks_of_risk(self, tokens: list[_Token], first: int, last: int) -> bool:
        reach = NEAR_CHARACTERS if _RUN.match(tokens[first].word) else NEAR_WORDS
        for step in (-1, 1):
            position = first if step == -1 else last
            for _ in range(reach):
                position += step
                if not 0 <= position < len(tokens) or tokens[position].word in _SENTENCE_END:
                    break
                if any(True for _ in self._contexts.starting(tokens, position)):
                    return True
        return False


class _PatternIndex:
    """Patterns by the first letters of their first word, so that a text is read once."""

    def __init__(self) -> None:
        self._closed: dict[str, list[_Pattern]] = defaultdict(list)
        self._open: dict[str, list[_Pattern]] = defaultdict(list)

    def add(self, pattern: _Pattern) -> None:
        for word, is_open in pattern.words[0]:
            (self._open[word[:3]] if is_open else self._closed[word]).append(pattern)

    def starting(self, tokens: list[_Token], first: int) -> Iterator[tuple[int, _Pattern]]:
        """Yield (index of the last token, pattern) for every pattern that begins at a token."""
        word = tokens[first].word
        for pattern in (*self._closed.get(word, ()), *(self._open.get(word[:3], ()) if self._open else ())):
            if first + len(pattern.words) <= len(tokens) and all(
                any(tokens[first + place].word.startswith(wanted) if is_open else tokens[first + place].word == wanted
                    for wanted, is_open in choices)
                for place, choices in enumerate(pattern.words)
            ):  # fmt: skip
                yield first + len(pattern.words) - 1, pattern


def _plain_index(phrases: Mapping[str, Iterable[str]]) -> _PatternIndex:
    index = _PatternIndex()
    for phrase in (phrase for wordings in phrases.values() for phrase in wordings):
        index.add(_Pattern(_cut(phrase), "", near=False))
    return index


def _cut(phrase: str) -> tuple[tuple[tuple[str, bool], ...], ...]:
    """'chok* hazard|risk' -> ((('chok', True),), (('hazard', False), ('risk', False)))."""
    words: list[tuple[tuple[str, bool], ...]] = []
    for part in re.sub(r"[-']", " ", phrase).split():
        if _RUN.match(part):
            words += [((fold_word(character), False),) for character in part]
        else:
            words.append(tuple((fold_word(choice.rstrip("*")), choice.endswith("*")) for choice in part.split("|")))
    if not words or any(len(word) < 3 for choices in words[:1] for word, is_open in choices if is_open):
        raise ValueError(f"phrase {phrase!r}: an open first word needs three letters")
    return tuple(words)


def _tokens(text: str) -> Iterator[_Token]:
    """Words and Han characters with their offsets, folded; hyphens and spaces separate alike."""
    for match in _TOKEN.finditer(fold_characters(text)):
        yield _Token(fold_word(match[0]) or match[0], match.start(), match.end())


def _widest(found: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Leave out what lies inside a longer find of the same code, and repeats."""
    kept: list[tuple[int, int, str]] = []
    reached: dict[str, int] = {}
    for start, end, code in sorted(set(found), key=lambda item: (item[0], -item[1], item[2])):
        if end > reached.get(code, -1):
            kept.append((start, end, code))
            reached[code] = end
    return kept


def load_lexicon(path: Path) -> Lexicon:
    """Read a lexicon file. Raises ValueError naming the file and what is wrong in it."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    rules = tables.pop("lexicon", {})
    try:
        terms = [Term(code=code, **_frozen(table)) for code, table in tables.items()]
    except TypeError as error:
        raise ValueError(f"{path}: {error}") from error
    return Lexicon(terms, rules, name=path.name)


def _frozen(table: Mapping[str, Any]) -> dict[str, Any]:
    frozen: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, list):
            frozen[key] = tuple(value)
        elif isinstance(value, dict):
            frozen[key] = {language: tuple(wordings) for language, wordings in value.items()}
        else:
            frozen[key] = value
    return frozen
