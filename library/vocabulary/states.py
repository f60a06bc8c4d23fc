"""States: where a record stands in its life, from the word its source prints."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from library.record import State
from library.vocabulary.lexicon import FOLDER, Lexicon, load_lexicon


@cache
def lexicon(folder: Path = FOLDER) -> Lexicon:
    """The vocabulary, read once from states.toml; its codes are the values of `State`."""
    words = load_lexicon(folder / "states.toml")
    if set(words.terms) != {state.value for state in State}:
        raise ValueError(f"states.toml must hold exactly the states {[state.value for state in State]}")
    return words


def state(printed: str, words: Mapping[str, str] | None = None) -> State | None:
    """The state a printed word means; None while nobody has mapped it. words: the source's own words, tried first."""
    code = lexicon().code(printed, words)
    return None if code is None else State(code)


def is_known(printed: str) -> bool:
    """Whether the word is mapped, or known to mean no state."""
    return lexicon().is_known(printed)


def label(code: str, language: str) -> str:
    """The wording of a state in 'zh' or 'en'."""
    return lexicon().label(code, language)


def all_codes() -> tuple[str, ...]:
    """Every state, in the order of the table."""
    return tuple(lexicon().terms)
