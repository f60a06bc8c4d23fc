"""Readers of lists that print only once what their references share.

'EN 71-1, -2 and -3', 'ISO 9001, 14001 and 45001', '(EU) 2017/745 and 2017/746', 'G/TBT/N/USA/2208, 2209 and CHN/1886'.
A bare number may also be a quantity, a year or a page. It is read where it looks like the number before it, and where what
follows it goes on with the list, ends it, or speaks of standards: 'ISO 9001 and 14001 certificates', 'EN 71 and 1200 toys'.
"""

from __future__ import annotations

import re

from library.vocabulary.reading import acts, goods, notices, standards
from library.vocabulary.reading.place import END, SHORT_CHARACTERS, UNIT_BEHIND, YEAR, Hit, words

_AND = (
    r"(?: {0,2}[,;、/&] {0,2}(?:(?:and|or|et|ou|und|oder|sowie|y|e|o|и|или|和|及|与|或|以及) {0,2})?"
    r"| {1,2}(?:and|or|et|ou|und|oder|sowie|bzw\.?|y|e|o|и|или) {1,2}"
    r"| {0,2}(?:以及|及び|並びに|または|和|及|与|或|と|및|와|과) {0,2})"
)
_MAY_GO_ON = re.compile(r" {0,2}[,;、/&a-zи和及与或以と및와과並ま]", re.IGNORECASE)  # what _AND may begin with
_PART = re.compile(
    _AND + r"(?P<item>(?P<number>[0-9]{1,6})?"
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
_LISTED = r"(?![A-Za-z0-9]|[.:\-][0-9]|,[0-9]{1,3}(?![0-9])|/(?:[0-9]{1,2}|(?:19|20)[0-9]{2})(?![0-9]))"
_NUMBER = re.compile(
    rf"(?P<gap>{_AND})(?P<item>(?P<number>[1-9][0-9]{{2,4}})(?P<parts>(?:[.\-][1-9][0-9]{{0,2}}(?![0-9])){{0,3}})"
    rf"(?: ?[:\-一ー] ?(?P<year>{YEAR}))?){_LISTED}",
    re.IGNORECASE,
)
_ASTM = re.compile(_AND + r"(?=(?P<letter>[A-G])(?P<digits>[0-9]{2,4})(?![0-9]))", re.IGNORECASE)
_CENTS = re.compile(r"\.[0-9]{2}")
_COMMA = re.compile(r" *, *")
_WORDS = "|".join(sorted(words("behind_lists"), key=len, reverse=True))
_TERMS = "|".join(sorted(words("behind_lists_of_standards"), key=len, reverse=True))
_GOES_ON = re.compile(rf"{_AND}(?:[0-9]{{3,5}}(?![0-9A-Za-z])|[A-Z](?:[A-Z]|[0-9]{{2,4}}))|/[0-9]{{3,5}}(?![0-9])")
_ENDS = re.compile(r" {0,2}(?:$|\((?! ?[0-9])|[;、){}\[\]|!?。；》」』\"']|[.,:](?![0-9]))")
_SPEAKS_OF_STANDARDS = re.compile(rf" {{0,2}}(?:{_TERMS})", re.IGNORECASE)
_SPEAKS_ON = re.compile(rf" {{0,2}}(?:{_WORDS})(?![A-Za-z])", re.IGNORECASE)
_SYMBOL = re.compile(
    rf"(?P<gap>{_AND})(?:(?P<item>(?:N ?/ ?)?(?P<member>[A-Z]{{2,4}}) ?/ ?(?P<numbered>[0-9]{{1,5}}){notices.SUFFIXES})"
    rf"|(?P<bare>[1-9][0-9]{{0,4}})|/?(?P<suffix>(?P<kind>Add|Rev|Corr|Suppl)[. ]{{0,2}}(?P<of>[0-9]{{1,3}}))){_LISTED}",
    re.IGNORECASE,
)
_NEXT_YEARS = 10
_OLD_YEARS = range(1958, acts.COMMON_NUMBERS_FROM)
_YEARS = range(1958, 2050)
_SERIES = re.compile(r"(?P<body>.+ )(?P<number>[A-Z]?[0-9]+)(?P<parts>(?:[.\-][A-Z0-9]+)+)")
_BODY = re.compile(r"(?P<body>.+ )(?P<number>[1-9][0-9]*)[A-Z]?(?P<parts>(?:[.\-][A-Z0-9]+)*)")


def continued(text: str, before: Hit) -> Hit | None:
    """Read the next item of a list that follows a reference, or None where no list goes on.

    A range ('EN 71-1 to -3') is no list: what it holds, it does not say.
    """
    if not _MAY_GO_ON.match(text, before.end):  # most references stand alone
        return None
    if before.kind == standards.KIND:
        if before.canonical.startswith("ASTM"):
            return _astm(text, before)
        return _part(text, before) or _number(text, before)
    if before.kind == "eu_act":
        return _act(text, before)
    if before.kind == "wto":
        return _symbol(text, before)
    return None


def _part(text: str, before: Hit) -> Hit | None:
    series = _SERIES.fullmatch(standards.undated(before.canonical))
    if series is None:
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


def _number(text: str, before: Hit) -> Hit | None:
    match = _NUMBER.match(text, before.end)
    if match is None or re.fullmatch(YEAR, match["number"]) or UNIT_BEHIND.match(text, match.end()):
        return None
    known = _BODY.fullmatch(standards.undated(before.canonical))
    if known is None or known["body"].startswith("ANSI"):
        return None
    mark = standards.year_mark(before.canonical)
    dash = known["parts"][:1] or ("." if mark == "-" or "NZS" in known["body"] else "-")
    parts = re.findall(r"[.\-][0-9]+", match["parts"])
    if parts and (parts[0][0] != dash or goods.is_dotted_heading(match["item"])):
        return None  # 'GB 6675.1, 9503.10' names a code of goods
    if not (match["year"] or _is_alike(text, match, known["number"], before)):
        return None
    year = f"{mark}{match['year']}" if match["year"] else ""
    amendments, end = standards.amendments(text, match.end())
    form = f"{known['body']}{match['number']}{match['parts']}{year}{amendments}"
    return Hit(match.start("item"), end, form, before.kind)


def _is_alike(text: str, match: re.Match[str], number: str, before: Hit) -> bool:
    """Whether a bare number looks like the one before it, and the text goes on as behind a list of standards."""
    is_short = len(match["number"]) < 4
    if is_short and (len(number) != len(match["number"]) or match["gap"] == "," or len(match["parts"]) > 2):
        return False  # 'EN 388, 100-200' and '71,166' are amounts
    if _SPEAKS_OF_STANDARDS.match(text, match.end()):
        return True
    is_comma = _COMMA.fullmatch(match["gap"]) is not None
    is_round = match["number"].endswith("00") and not match["parts"] and not number.endswith("00")
    if is_round or (is_comma and _CENTS.fullmatch(match["parts"])):
        return False  # 'EN 71, 1200 in all', 'GB 6675, 1234.56'
    if _GOES_ON.match(text, match.end()) or (match["gap"] == "/" and not is_short):
        return True
    is_item = text[before.start].isdecimal()
    if is_item and is_short and not is_comma and not is_round and len(text) <= SHORT_CHARACTERS:
        return True  # 'EN 388, 407 and 420 gloves' is typed; in prose gloves may be counted
    if is_comma and is_short and not is_item:
        return False  # 'EN 388, 214' may be a page
    return bool(_ENDS.match(text, match.end()) or (not is_comma and _SPEAKS_ON.match(text, match.end())))


def _astm(text: str, before: Hit) -> Hit | None:
    match = _ASTM.match(text, before.end)
    if match is None:
        return None
    is_same_letter = before.canonical.startswith(f"ASTM {match['letter'].upper()}")
    if match["letter"].islower() and text[before.start].isupper():
        return None
    if len(match["digits"]) < 3 and not is_same_letter:
        return None  # 'ASTM F963, A36' may be a beam
    hit = standards.astm_number(text, match.end(), match.end())
    if hit is None or "-" in hit.canonical:
        return hit
    is_listed = any(pattern.match(text, hit.end) for pattern in (_SPEAKS_OF_STANDARDS, _GOES_ON, _ENDS, _SPEAKS_ON))
    return hit if is_listed else None  # 'ASTM F963 and F150 trucks'


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


def _symbol(text: str, before: Hit) -> Hit | None:
    symbol = notices.MEMBERS_SYMBOL.match(before.canonical)
    match = _SYMBOL.match(text, before.end) if symbol else None
    if symbol is None or match is None or UNIT_BEHIND.match(text, match.end()):
        return None
    if match["member"]:
        if match["member"].upper() not in notices.members():
            return None
        form = f"{symbol['area']}/N/{match['member'].upper()}/{int(match['numbered'])}"
        return Hit(match.start("item"), match.end(), form + notices.suffixes(match["suffixes"]), before.kind)
    if match["kind"]:
        kind = match["kind"].capitalize()
        base = before.canonical.partition(f"/{kind}.")[0] if f"/{kind}." in before.canonical else symbol.group()
        return Hit(match.start("suffix"), match.end(), f"{base}/{kind}.{int(match['of'])}", before.kind)
    number, last = int(match["bare"]), int(symbol["number"])
    if re.fullmatch(YEAR, match["bare"]) and not last < number <= last + _NEXT_YEARS:
        return None
    if len(match["bare"]) < 3 and len(match["bare"]) != len(symbol["number"]):
        return None
    is_comma = _COMMA.fullmatch(match["gap"]) is not None
    is_listed = any(pattern.match(text, match.end()) for pattern in (_SPEAKS_OF_STANDARDS, _GOES_ON, _ENDS))
    if not (is_listed or (not is_comma and _SPEAKS_ON.match(text, match.end()))):
        return None
    return Hit(match.start("bare"), match.end(), f"{symbol['area']}/N/{symbol['member']}/{number}", before.kind)
