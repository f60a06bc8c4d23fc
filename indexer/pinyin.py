"""Pinyin: how Chinese words are typed on a keyboard of letters; the only file that imports pypinyin."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

INITIALS = ("zh", "ch", "sh")  # of two letters; everybody else's is one
HAN_MAX = 12  # characters; nobody types more of a word before choosing


@lru_cache(maxsize=100_000)
def syllables(word: str) -> tuple[str, ...]:
    """The syllables of a word of Han characters without tones, ü as v; () for anything else or longer than HAN_MAX.

    >>> syllables("召回"), syllables("绿色"), syllables("USB")
    (('zhao', 'hui'), ('lv', 'se'), ())
    """
    if not word or len(word) > HAN_MAX or not all("\u3400" <= character <= "\u9fff" for character in word):
        return ()
    from pypinyin import lazy_pinyin  # half a second to load

    found = tuple(lazy_pinyin(word))
    return found if all(syllable.isascii() and syllable.isalpha() for syllable in found) else ()


def initials(word: Sequence[str]) -> str:
    """The first letter of every syllable.

    >>> initials(("zhao", "hui"))
    'zh'
    """
    return "".join(syllable[0] for syllable in word)


def left_over(word: Sequence[str], typed: str) -> int | None:
    """How many syllables are left when letters were typed for the others, whole or by their beginnings; None: no match.

    The last syllable may be begun. An apostrophe ends one.

    >>> left_over(("zhao", "hui"), "zhhui"), left_over(("zhao", "hui"), "zhaoh"), left_over(("zhao", "hui"), "hui")
    (0, 0, None)
    """
    if not typed:
        return len(word)
    if not word:
        return None
    first, rest = word[0], word[1:]
    typed = typed.removeprefix("'")
    begun = first[:2] if first.startswith(INITIALS) else first[:1]
    found: list[int] = []
    for part in dict.fromkeys((first, begun, first[:1])):
        if typed.startswith(part):
            left = left_over(rest, typed[len(part) :])
            found += [] if left is None else [left]
    if first.startswith(typed):
        found.append(len(rest))
    return min(found, default=None)
