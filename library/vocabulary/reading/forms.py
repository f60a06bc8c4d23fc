"""Reader of the numbers that have a form of their own and nothing else; they stand in references.toml."""

from __future__ import annotations

import re

from library.vocabulary.reading.place import END, WORDS, YEAR, Hit, Place

_YEAR_BY_COLON = ("IS ", "QCVN", "OIML", "IWA")

Form = tuple[re.Pattern[str], str, str]  # pattern from the word on, canonical form, kind


def _forms() -> dict[str, list[Form]]:
    forms: dict[str, list[Form]] = {}
    for table in WORDS["forms"]:
        pattern = re.compile(table["pattern"].replace("{YEAR}", YEAR) + END, re.IGNORECASE)
        for word in table["words"].split():
            forms.setdefault(word, []).append((pattern, table["canonical"], table.get("kind", "standard")))
    return forms


FORMS = _forms()


def form(place: Place) -> Hit | None:
    """Read 'NFPA 70', 'FMVSS No. 208', 'SOR/2016-188', 'FSA-PRIN-32-2026'."""
    for pattern, canonical, kind in FORMS[place.word.lower()]:
        if match := pattern.match(place.text, place.start):
            return Hit(place.start, match.end(), _filled(canonical, match), kind)
    return None


def _filled(canonical: str, match: re.Match[str]) -> str:
    groups = {name: re.sub(r" ?([/\-]) ?", r"\1", value or "") for name, value in match.groupdict().items()}
    if not re.search(r"\(part", groups["a"], re.IGNORECASE):
        groups["a"] = groups["a"].upper()
    if groups.get("y") and "{y}" not in canonical:
        canonical += ":{y}" if canonical.startswith(_YEAR_BY_COLON) else "-{y}"
    return canonical.format(**{"b": "", "y": "", **groups})
