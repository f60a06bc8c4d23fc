"""Hazards: what can hurt. Codes, wording, and the phrases that name one in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from library.vocabulary.lexicon import FOLDER, Found, Lexicon, load_lexicon


@cache
def lexicon(folder: Path = FOLDER) -> Lexicon:
    """The vocabulary, read once from hazards.toml."""
    return load_lexicon(folder / "hazards.toml")


def hazard(printed: str, words: Mapping[str, str] | None = None) -> str | None:
    """The code a printed word means; None while nobody has mapped it. words: the source's own words, tried first."""
    return lexicon().code(printed, words)


def is_known(printed: str) -> bool:
    """Whether the word is mapped, or known to mean no code."""
    return lexicon().is_known(printed)


def label(code: str, language: str) -> str:
    """The wording of a code in 'zh' or 'en'."""
    return lexicon().label(code, language)


def all_codes() -> tuple[str, ...]:
    """Every code, in the order of the table."""
    return tuple(lexicon().terms)


def narrower(code: str) -> tuple[str, ...]:
    """The code and every code below it; a filter by the code selects all of them."""
    return lexicon().narrower(code)


def find_hazards(text: str) -> list[Found]:
    """The codes named in prose, with their places in the text."""
    return lexicon().find(text)
