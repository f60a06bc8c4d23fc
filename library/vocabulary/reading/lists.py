"""Reader of lists that print only once what their references share: 'EN 71-1, -2 and -3', '(EU) 2017/745 and 2017/746'."""

from __future__ import annotations

import re

from library.vocabulary.reading import acts, standards
from library.vocabulary.reading.place import END, UNIT_BEHIND, YEAR, Hit

_AND = (
    r"(?: {0,2}[,;、/&] {0,2}(?:(?:and|or|et|ou|und|oder|sowie|y|e|o|и|или|和|及|与|或|以及) {0,2})?"
    r"| {1,2}(?:and|or|et|ou|und|oder|sowie|bzw\.?|y|e|o|и|или) {1,2}"
    r"| {0,2}(?:以及|及び|並びに|または|和|及|与|或|と|및|와|과) {0,2})"
)
_PART = re.compile(
    _AND + r"(?P<item>(?P<number>[0-9]{2,6})?"
    rf"(?P<parts>(?:[.\-](?!{YEAR}(?![0-9]))[A-Z]{{0,2}}[0-9]{{1,4}}[A-Z]?(?![0-9A-Za-z])){{1,4}})"
    rf"(?: ?[:\-一ー] ?(?P<year>{YEAR})(?![0-9]))?){END}",
    re.IGNORECASE,
)
_SLASHED_PART = re.compile(r"/(?P<item>[0-9]{1,2})(?![0-9A-Za-z]|[.\-,:][0-9]|/[0-9]{3})")  # 'EN 71-1/2/3'
_ACT = re.compile(
    _AND + r"(?P<item>(?P<sign>(?:No|Nr)\.? ?|n[°º] ?)?(?P<first>[0-9]{1,4})/(?P<second>[1-9][0-9]{0,3}))"
    r"(?![0-9A-Za-z/]|[.,\-][0-9])",
    re.IGNORECASE,
)
_OLD_YEARS = range(1958, acts.COMMON_NUMBERS_FROM)
_YEARS = range(1958, 2050)
_SERIES = re.compile(r"(?P<body>.+ )(?P<number>[A-Z]?[0-9]+)(?P<parts>(?:[.\-][A-Z0-9]+)+)")


def continued(text: str, before: Hit) -> Hit | None:
    """Read the next item of a list that follows a reference, or None where no list goes on.

    A range ('EN 71-1 to -3') is no list: what it holds, it does not say.
    """
    if before.kind == standards.KIND:
        return _part(text, before)
    if before.kind == "eu_act":
        return _act(text, before)
    return None


def _part(text: str, before: Hit) -> Hit | None:
    series = _SERIES.fullmatch(standards.undated(before.canonical))
    if series is None or series["body"].startswith("ASTM"):
        return None
    dash = series["parts"][0]
    known = re.findall(r"[.\-][A-Z0-9]+", series["parts"])
    if match := _PART.match(text, before.end):
        printed = re.findall(r"[.\-][A-Z0-9]+", match["parts"].upper())
        is_other = match["number"] not in (None, series["number"])
        if is_other or printed[0][0] != dash or UNIT_BEHIND.match(text, match.end()):
            return None
        parts = printed if match["number"] else [*known[: max(0, len(known) - len(printed))], *printed]
        year = f"{standards.year_mark(before.canonical)}{match['year']}" if match["year"] else ""
        amendments, end = standards.amendments(text, match.end())
        form = f"{series['body']}{series['number']}{''.join(parts)}{year}{amendments}"
        return Hit(match.start("item"), end, form, before.kind)
    match = _SLASHED_PART.match(text, before.end)
    is_dated = series.group() != before.canonical
    if match is None or is_dated or UNIT_BEHIND.match(text, match.end()):
        return None
    form = f"{series['body']}{series['number']}{''.join(known[:-1])}{dash}{int(match['item'])}"
    return Hit(match.start("item"), match.end(), form, before.kind)


def _act(text: str, before: Hit) -> Hit | None:
    match = _ACT.match(text, before.end)
    numbers = re.match(r"EU ([0-9]+)/([0-9]+)", before.canonical)
    if match is None or numbers is None:
        return None
    first, second = int(match["first"]), int(match["second"])
    if acts.is_season(first, second):
        return None
    is_year_first = len(match["first"]) == 4 and first in _YEARS and not match["sign"]
    is_number_first = int(numbers[2]) in _OLD_YEARS and second in _OLD_YEARS  # '(EC) No 1907/2006 and 1272/2008'
    if not (is_number_first or is_year_first):
        return None
    return Hit(match.start("item"), match.end(), f"EU {first}/{second}", before.kind)
