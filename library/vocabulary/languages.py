"""Languages: printed names and codes, and what the script of a text says about its language."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from opencc import OpenCC

from library.vocabulary.folding import fold_word
from library.vocabulary.lexicon import FOLDER

NAMES_IN = ("en", "zh", "zh_Hant", "fr", "de", "es", "ja", "ko")
CYRILLIC = frozenset({"be", "bg", "kk", "ky", "mk", "mn", "ru", "sr", "tg", "uk"})
SCRIPT_SHARE = 0.2  # a Chinese title may carry an English brand and a standard number; letters decide, not words
SAMPLE_CHARACTERS = 4000

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_KANA = re.compile(r"[\u3041-\u30fa\u31f0-\u31ff\uff66-\uff9d]")
_HANGUL = re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")
_CYRILLIC_LETTER = re.compile(r"[\u0400-\u04ff]")


def language(printed: str, *, folder: Path = FOLDER) -> str | None:
    """The code of a printed language: ISO 639-1, or 'zh-Hant' for Traditional Chinese; None for anything else.

    >>> language("eng"), language("German"), language("zh-TW"), language("pt_BR")
    ('en', 'de', 'zh-Hant', 'pt')
    """
    names = _codes_by_name(folder)
    folded = fold_word(printed)
    for wording in (folded, folded.replace("_", "-"), re.split(r"[-_]", folded, maxsplit=1)[0]):
        if wording in names:
            return names[wording] or None
    return None


def script_language(text: str, default: str) -> str:
    """The language the script of a text tells, else the default.

    Kana is Japanese, Hangul Korean, Han without either is Chinese unless the default is Japanese; Traditional Chinese
    is told by its characters. Cyrillic is Russian unless the default is another language that writes it.

    >>> script_language("玩具安全", "en"), script_language("玩具の安全", "en"), script_language("Toy safety", "en")
    ('zh', 'ja', 'en')
    """
    sample = text[:SAMPLE_CHARACTERS]
    letters = sum(character.isalpha() for character in sample)
    if not letters:
        return default
    han, kana, hangul = (len(pattern.findall(sample)) for pattern in (_HAN, _KANA, _HANGUL))
    if kana / letters >= 0.05 and (han + kana) / letters >= SCRIPT_SHARE:
        return "ja"
    if hangul / letters >= SCRIPT_SHARE:
        return "ko"
    if han / letters >= SCRIPT_SHARE:
        # 航空法 is a Japanese title without kana, and a Korean law may have one of Han only
        return default if default in ("ja", "ko") else _chinese(sample)
    if len(_CYRILLIC_LETTER.findall(sample)) / letters >= SCRIPT_SHARE:
        return default if default in CYRILLIC else "ru"
    return default


def _chinese(text: str) -> str:
    """'zh-Hant' where more characters would change on the way to Simplified than on the way to Traditional."""
    to_simplified = sum(one != other for one, other in zip(text, _converter("t2s").convert(text), strict=False))
    to_traditional = sum(one != other for one, other in zip(text, _converter("s2t").convert(text), strict=False))
    return "zh-Hant" if to_simplified > to_traditional else "zh"


@cache
def _converter(direction: str) -> Any:
    return OpenCC(direction)


@cache
def _codes_by_name(folder: Path) -> dict[str, str]:
    table = tomllib.loads((folder / "languages.toml").read_text(encoding="utf-8"))
    codes = {fold_word(word): code for word, code in table["words"].items()}
    codes |= table["three_letters"]
    for name in NAMES_IN:
        for code, wording in Locale.parse(name).languages.items():
            if len(code) == 2:
                codes.setdefault(fold_word(wording), code)
                codes.setdefault(code, code)
    for code in sorted(set(codes.values())):
        try:
            own = Locale.parse(code).get_display_name(code) if len(code) == 2 else None
        except (UnknownLocaleError, ValueError):
            continue
        if own:
            codes.setdefault(fold_word(own), code)
    return codes
