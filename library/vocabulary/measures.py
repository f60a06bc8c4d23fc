"""Measures: what an authority or a firm did about the goods."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from library.vocabulary.lexicon import FOLDER, Found, Lexicon, load_lexicon


@cache
def lexicon(folder: Path = FOLDER) -> Lexicon:
    """The vocabulary, read once from measures.toml."""
    return load_lexicon(folder / "measures.toml")


def measure(printed: str, words: Mapping[str, str] | None = None) -> str | None:
    """The code a printed word or sentence means; None while nobody has mapped it. words: the source's own, tried first.

    A sentence that names several measures means the strongest, which stands first in the table: reports of 2013 print
    'Voluntary withdrawal from the market and recall from consumers by the importer.'

    >>> measure("Recall of the product from end users"), measure("Voluntary withdrawal from the market by the importer.")
    ('recall', 'withdrawal')
    """
    code = lexicon().code(printed, words) or lexicon().code(printed.strip(" ."), words)
    if code is not None or lexicon().is_known(printed):
        return code
    named = {found.code for found in lexicon().find(printed)}
    return next((code for code in all_codes() if code in named), None)


def is_known(printed: str) -> bool:
    """Whether the word is mapped, or known to mean no code."""
    return measure(printed) is not None or lexicon().is_known(printed)


def label(code: str, language: str) -> str:
    """The wording of a code in 'zh' or 'en'."""
    return lexicon().label(code, language)


def all_codes() -> tuple[str, ...]:
    """Every code, in the order of the table."""
    return tuple(lexicon().terms)


def narrower(code: str) -> tuple[str, ...]:
    """The code and every code below it; a filter by the code selects all of them."""
    return lexicon().narrower(code)


def find_measures(text: str) -> list[Found]:
    """The codes named in prose, with their places in the text."""
    return lexicon().find(text)
