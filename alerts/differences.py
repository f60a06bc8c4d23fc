"""Differences: what changed between two versions of a record, as lines for a reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alerts.wording import FIELDS, clean, sentence
from library.record import Record, field_diff

VALUE_LIMIT = 90
VALUES_SHOWN = 3
LINES_MAX = 12

# The fields of a record as readers call them; what is not listed says nothing to them.
NAMES = {
    "titles": "title",
    "texts": "text",
    "references": "reference",
    "jurisdictions": "jurisdiction",
    "origins": "origin",
    "hazards": "hazard",
    "categories": "category",
    "measures": "measure",
    "products": "product",
    "operators": "company",
    "status": "status",
    "classification": "classification",
    "published": "published",
    "adopted": "adopted",
    "in_force": "in_force",
    "comments_until": "comments_until",
    "withdrawn": "withdrawn",
    "hs_codes": "hs",
    "ics_codes": "ics",
    "links": "links",
    "attachments": "attachments",
    "cites": "cites",
    "authority": "authority",
}


def difference_lines(old: Record, new: Record, language: str) -> list[str]:
    """'危害：增加“Choking”，删除“Fire”', one line a field, those readers look for first."""
    changed = field_diff(old, new)
    lines = [_line(FIELDS[language][NAMES[name]], *changed[name], language) for name in NAMES if name in changed]
    return [line for line in lines if line][:LINES_MAX]


def _line(field: str, old: Any, new: Any, language: str) -> str:
    if isinstance(old, list) and isinstance(new, list):
        before, after = [_words(value) for value in old], [_words(value) for value in new]
        gone = _joined([word for word in before if word not in after], language)
        come = _joined([word for word in after if word not in before], language)
    else:
        gone, come = (_joined([_words(value)] if value else [], language) for value in (old, new))
        if gone and come:
            return sentence(language, "changed", field=field, old=gone, new=come)
    if gone and come:
        return sentence(language, "replaced", field=field, old=gone, new=come)
    if come:
        return sentence(language, "gained", field=field, new=come)
    return sentence(language, "dropped", field=field, old=gone) if gone else ""


def _joined(words: list[str], language: str) -> str:
    shown = sentence(language, "list").join(dict.fromkeys(words[:VALUES_SHOWN]))
    return shown + "…" if len(words) > VALUES_SHOWN else shown


def _words(value: Any) -> str:
    """One value of a field as one line: a text, the printed word of a code, the names of a product."""
    if not isinstance(value, Mapping):
        return clean(str(value), VALUE_LIMIT)
    for names in (("value",), ("printed",), ("name", "brand", "model"), ("url",)):
        if found := [str(value[name]) for name in names if value.get(name)]:
            return clean(" ".join(found), VALUE_LIMIT)
    return clean(", ".join(str(part) for part in value.values() if part), VALUE_LIMIT)
