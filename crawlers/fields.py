"""take(): a field table between the source's names and ours, with every field accounted for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any


def take(
    row: Mapping[str, Any], fields: Mapping[str, str], *, ignore: Collection[str] = ()
) -> tuple[dict[str, str], frozenset[str]]:
    """Rename a source's fields to ours; returns (fields, unread).

    fields: our name -> the source's. An absent field stays absent, null counts as printed empty ('').
    unread: the row's names that are neither taken nor ignored by name.

    >>> take({"caseNumber": "SR/1/26", "risk": "Fire", "new": "?"}, {"reference": "caseNumber"}, ignore={"risk"})
    ({'reference': 'SR/1/26'}, frozenset({'new'}))
    """
    taken = {ours: printed(row[theirs]) for ours, theirs in fields.items() if theirs in row}
    return taken, frozenset(row.keys() - set(fields.values()) - set(ignore))


def printed(value: object) -> str:
    """A scalar as the source prints it, without blanks around it; null is ''."""
    return "" if value is None else str(value).strip()
