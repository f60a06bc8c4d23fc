"""Fold the ways one character is typed: widths, dashes, spaces, case, accents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache

DASHES = "‐‑‒–—―−﹘﹣－⁃˗"
SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t\r\n\f\v"
SLASHES = "⁄∕／⧸"
INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
BRACKETS = {"〔": "(", "〕": ")", "（": "(", "）": ")", "﹙": "(", "﹚": ")", "【": "[", "】": "]"}
COMMON_MARKS = "，：；（）“”"
QUOTES = {"’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "“": '"', "”": '"'}


class CharacterFold:
    """Replace characters by others, one for one, so that offsets stay true.

    Few characters of a text are in such a table: finding those first is four times as fast as str.translate, which
    looks every character up. The marks of Chinese sentences are most of them, and are replaced all at once.

    table: code point -> one character. What a common mark becomes is not in it.
    """

    def __init__(self, table: Mapping[int, str]) -> None:
        self._replaced = {chr(code): character for code, character in table.items()}
        self._marks = [(mark, self._replaced[mark]) for mark in COMMON_MARKS if mark in self._replaced]
        self._found = re.compile(f"[{''.join(_ranges(sorted({*table} - {*map(ord, COMMON_MARKS)})))}]")

    def __call__(self, text: str) -> str:
        for mark, plain in self._marks:
            text = text.replace(mark, plain)
        return self._found.sub(self._replace, text)

    def _replace(self, match: re.Match[str]) -> str:
        return self._replaced[match[0]]


def _ranges(codes: list[int]) -> Iterator[str]:
    """Code points as they stand between the brackets of a pattern; a set of thousands would be slow to compile."""
    first = 0
    for place, code in enumerate(codes):
        if place + 1 == len(codes) or codes[place + 1] != code + 1:
            yield f"\\U{codes[first]:08x}-\\U{code:08x}"
            first = place + 1


@cache
def character_table() -> dict[int, str]:
    """One character for one character: what `fold_characters` replaces."""
    table = {0xFF01 + offset: chr(0x21 + offset) for offset in range(94)}
    table |= {ord(dash): "-" for dash in DASHES} | {ord(space): " " for space in SPACES}
    table |= {ord(slash): "/" for slash in SLASHES} | {ord(mark): plain for mark, plain in (BRACKETS | QUOTES).items()}
    return table | {ord("．"): ".", ord("："): ":", ord("＋"): "+", ord("·"): ".", ord("∶"): ":"}


def fold_characters(text: str) -> str:
    """Fold widths, dashes, spaces, slashes and quotes; the result is as long as the text, so offsets stay true."""
    return _folded()(text)


@cache
def _folded() -> CharacterFold:
    return CharacterFold(character_table())


def fold_word(printed: str) -> str:
    """Fold a word or a name for looking it up: compatibility form, case, accents of Latin letters, blanks.

    >>> fold_word("  Côte  d’Ivoire ")
    "cote d'ivoire"
    """
    plain = unicodedata.normalize("NFKC", printed.translate(dict.fromkeys(map(ord, INVISIBLE))))
    plain = fold_characters(plain).casefold()
    if not plain.isascii():
        plain = "".join(_without_accent(character) for character in plain)
    return " ".join(plain.split())


@cache
def _without_accent(character: str) -> str:
    """'ô' -> 'o'; kana keep their voicing marks, since ハ and バ are different letters."""
    base = unicodedata.normalize("NFD", character)[0]
    return base if base.isascii() else character
