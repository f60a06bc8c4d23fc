"""Wording: every sentence of the pages, in Chinese and English, from wording.toml.

A key holds a whole sentence per language, never halves to be glued. {name} stands for a value; where a
sentence counts `n` things, `en_one` is its English form for one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("zh", "en")
FILE = Path(__file__).with_name("wording.toml")


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Key -> language -> sentence. Keys are dotted as the file's tables are: 'record.cited_by'."""
    return dict(_flat("", tomllib.loads(FILE.read_text(encoding="utf-8"))))


def _flat(prefix: str, table: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, str]]]:
    for name, value in table.items():
        if "zh" in value:
            yield prefix + name, value
        else:
            yield from _flat(f"{prefix}{name}.", value)


def say(key: str, language: str, **values: Any) -> str:
    """One sentence with its values. Numbers get thousands separators. Raises KeyError for an unknown key.

    >>> say("search.total", "en", n=1)
    '1 record'
    """
    forms = catalogue()[key]
    form = forms["en_one"] if language == "en" and values.get("n") == 1 and "en_one" in forms else forms[language]
    return form.format(**{name: f"{value:,}" if isinstance(value, int) else value for name, value in values.items()})


def is_known(key: str) -> bool:
    """Whether the catalogue has the key."""
    return key in catalogue()
