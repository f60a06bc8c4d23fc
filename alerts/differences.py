"""Differences: what changed between two versions of a record, as lines for a reader and as values for a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alerts.wording import FIELDS, clean, sentence
from library.record import Record, decode, field_diff
from library.store.database import Transaction
from library.store.store import BATCH

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


@dataclass(frozen=True, slots=True)
class Difference:
    """What went and what came in one field, named as alerts.wording.FIELDS names it, each value one line of plain text.

    is_single: the field has one value at most, so that what came is there in place of what went.
    """

    field: str
    removed: tuple[str, ...]
    added: tuple[str, ...]
    is_single: bool = False

    def as_json(self) -> dict[str, Any]:
        """For programs: {'field': 'hazard', 'removed': ['Fire'], 'added': ['Choking']}."""
        return {"field": self.field, "removed": list(self.removed), "added": list(self.added)}

    def line(self, language: str) -> str:
        """For a reader: '危害：增加“Choking”，删除“Fire”'."""
        field, gone, come = FIELDS[language][self.field], _joined(self.removed, language), _joined(self.added, language)
        if gone and come:
            return sentence(language, "changed" if self.is_single else "replaced", field=field, old=gone, new=come)
        if come:
            return sentence(language, "gained", field=field, new=come)
        return sentence(language, "dropped", field=field, old=gone)


def differences(old: Record, new: Record) -> list[Difference]:
    """One for each field that changed in a way a reader can see, those they look for first."""
    changed = field_diff(old, new)
    found = (_difference(NAMES[name], *changed[name]) for name in NAMES if name in changed)
    return [one for one in found if one.removed or one.added]


def difference_lines(old: Record, new: Record, language: str) -> list[str]:
    """The same as lines for a reader, at most LINES_MAX."""
    return [one.line(language) for one in differences(old, new)][:LINES_MAX]


def amendments(transaction: Transaction, delivery_ids: Sequence[int]) -> dict[int, list[Difference]]:
    """What each delivery of an amendment tells of: its version against the one before. By the id of the delivery.

    One of another action, or whose version before is not kept, is not in it.
    """
    return {
        row["id"]: differences(decode(row["before"]), decode(row["after"]))
        for start in range(0, len(delivery_ids), BATCH)
        for row in transaction.rows(AMENDED, ids=list(delivery_ids[start : start + BATCH]))
    }


def _difference(field: str, old: Any, new: Any) -> Difference:
    if isinstance(old, list) and isinstance(new, list):
        before, after = (tuple(dict.fromkeys(map(_words, values))) for values in (old, new))
        return Difference(
            field,
            tuple(word for word in before if word not in after),
            tuple(word for word in after if word not in before),
        )
    removed, added = ((_words(value),) if value else () for value in (old, new))
    return Difference(field, removed, added, is_single=True)


def _joined(words: Sequence[str], language: str) -> str:
    shown = sentence(language, "list").join(words[:VALUES_SHOWN])
    return shown + "…" if len(words) > VALUES_SHOWN else shown


def _words(value: Any) -> str:
    """One value of a field as one line: a text, the printed word of a code, the names of a product."""
    if not isinstance(value, Mapping):
        return clean(str(value), VALUE_LIMIT)
    for names in (("value",), ("printed",), ("name", "brand", "model"), ("url",)):
        if found := [str(value[name]) for name in names if value.get(name)]:
            return clean(" ".join(found), VALUE_LIMIT)
    return clean(", ".join(str(part) for part in value.values() if part), VALUE_LIMIT)


AMENDED = """
    SELECT delivery.id, before.payload AS before, after.payload AS after FROM delivery
    JOIN version AS after ON after.record_id = delivery.record_id AND after.version = delivery.version
    JOIN version AS before ON before.record_id = delivery.record_id AND before.version = delivery.version - 1
    WHERE delivery.id IN :ids AND delivery.action = 'amended'
"""
