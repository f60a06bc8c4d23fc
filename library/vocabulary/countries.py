"""Countries: every printed name or code of a jurisdiction, and the wording of its code on the pages.

Codes are ISO 3166-1 alpha-2, and 'EU' and 'INT' beside them; 'XK' stands for Kosovo, as in most publishers' lists.
Names come from the Unicode locale data (babel) in the publishers' languages, and from countries.toml.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.core import get_global

from library.vocabulary.folding import fold_word
from library.vocabulary.lexicon import FOLDER

LOCALES = ("en", "zh", "zh_Hant", "ja", "ko", "fr", "de", "es", "it", "pt", "nl", "pl", "ru")
NO_COUNTRY = {
    "AC",
    "CP",
    "CQ",
    "DG",
    "EA",
    "EZ",
    "IC",
    "QO",
    "TA",
    "UN",
    "XA",
    "XB",
    "ZZ",
    "EU",
}  # locale data hold more than countries


def country(printed: str, words: Mapping[str, str] | None = None, *, folder: Path = FOLDER) -> str | None:
    """The code of a printed jurisdiction, None for 'Unknown' and for what nobody has mapped.

    words: the source's own words, tried first. A region after a comma is left out ('Brazil, Rio Grande do Sul').

    >>> country("Bahrain, Kingdom of"), country("中國大陸"), country("usa"), country("Unknown")
    ('BH', 'CN', 'US', None)
    """
    if words and printed.strip() in words:
        return words[printed.strip()]
    names = _codes_by_name(folder)
    name = _fold(printed)
    if name in names:
        return names[name]
    parts = name.split(", ")
    known = {names[part] for part in parts if part in names}
    if len(known) == 2 and "georgia" in parts[:-1]:  # 'Atlanta, Georgia, United States' names one country
        known.discard("GE")
    return known.pop() if len(parts) > 1 and len(known) == 1 else None  # 'China, Japan' is a list, and no country


def is_known(printed: str, *, folder: Path = FOLDER) -> bool:
    """Whether the word is a country, or says that nobody knows one ('Unknown')."""
    return country(printed, folder=folder) is not None or is_unknown(printed, folder=folder)


def is_unknown(printed: str, *, folder: Path = FOLDER) -> bool:
    """Whether the source says with this word that nobody knows the country."""
    return fold_word(printed) in _unknown_words(folder)


def country_name(code: str, language: str, *, folder: Path = FOLDER) -> str:
    """The wording of a code in 'zh' or 'en'; a code nobody knows is its own wording.

    >>> country_name("TW", "zh"), country_name("HK", "en"), country_name("DE", "zh")
    ('中国台湾', 'Hong Kong, China', '德国')
    """
    language = "zh" if language.startswith("zh") else "en"
    return _table(folder)["display"][language].get(code) or str(Locale.parse(language).territories.get(code, code))


def members(code: str, *, folder: Path = FOLDER) -> tuple[str, ...]:
    """The codes of the states of a union; none for a single state."""
    return tuple(_table(folder)["members"].get(code, ()))


@cache
def all_codes(folder: Path = FOLDER) -> tuple[str, ...]:
    """Every code, in alphabetical order."""
    return tuple(sorted(set(_codes_by_name(folder).values())))


@cache
def _table(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "countries.toml").read_text(encoding="utf-8"))


@cache
def _unknown_words(folder: Path) -> frozenset[str]:
    return frozenset(fold_word(word) for word in (*_table(folder)["unknown"], ""))


@cache
def _codes_by_name(folder: Path) -> dict[str, str]:
    """Folded name or code -> code. Our own table wins, then English, then the other languages in their order."""
    codes: dict[str, str] = {}
    for code, names in _table(folder)["aliases"].items():
        for name in names:
            if codes.setdefault(_fold(name), code) != code:
                raise ValueError(f"countries.toml: {name!r} means both {codes[_fold(name)]} and {code}")
    for language in ("zh", "en"):
        for code, name in _table(folder)["display"][language].items():
            codes.setdefault(_fold(name), code)
    for locale in LOCALES:
        for code, name in Locale.parse(locale).territories.items():
            if len(code) == 2 and code not in NO_COUNTRY:
                codes.setdefault(_fold(name), code)
                codes.setdefault(code.casefold(), code)
    known = set(codes.values())
    for three_letters, meant in get_global("territory_aliases").items():
        if re.fullmatch(r"[A-Z]{3}", three_letters) and len(meant) == 1 and meant[0] in known:
            codes.setdefault(three_letters.casefold(), meant[0])
    return codes


def _fold(printed: str) -> str:
    """Fold a name: besides case and accents, 'the', 'and' and 'St.' in one form."""
    name = fold_word(printed).replace("&", "and").replace("(the)", "").removeprefix("the ")
    name = re.sub(r"\bst\.? ", "saint ", name)
    return re.sub(r"\s*,\s*", ", ", name).removesuffix(", the").strip(" .") if name.strip(" .") else name
