"""merge(): one record out of the parts that describe it from different sides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from library.record import Absence, Record, Text

# Of these every part's values stand side by side; of all other fields the first part that has a value wins.
GATHERED = ("titles", "texts", "links", "attachments", "references", "cites", "categories", "hazards", "origins")


def merge(parts: Sequence[Record]) -> Record:
    """Merge the parts of one record, the one that wins first. Raises ValueError for none.

    Titles and texts are one per language and label: a summary in English and one in French both stay,
    two English summaries do not.
    """
    if not parts:
        raise ValueError("nothing to merge")
    if len(parts) == 1:
        return parts[0]
    merged: dict[str, Any] = {}
    for name in Record.model_fields:
        values = [value for part in parts if (value := getattr(part, name))]
        if name == "printed":
            merged[name] = {key: value for part in reversed(parts) for key, value in part.printed.items()}
        elif name in ("titles", "texts"):
            merged[name] = _one_per_language_and_label(text for value in values for text in value)
        elif name in GATHERED:
            merged[name] = tuple(dict.fromkeys(item for value in values for item in value))
        elif values:
            merged[name] = values[0]
    absences = {key: value for part in reversed(parts) for key, value in part.absences.items()}
    merged["absences"] = {key: Absence(value) for key, value in absences.items() if not merged.get(key)}
    return Record(**merged)


def _one_per_language_and_label(texts: Iterable[Text]) -> tuple[Text, ...]:
    first: dict[tuple[str, str], Text] = {}
    for text in texts:
        # several notes stand side by side: every later correction adds one
        first.setdefault((text.language, text.label if text.label != "note" else text.value), text)
    return tuple(first.values())
