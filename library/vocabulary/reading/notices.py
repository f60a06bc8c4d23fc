"""Readers of the numbers of notifications and recalls: WTO, Safety Gate, RASFF, CPSC, FDA, FSIS, NHTSA, RappelConso."""

from __future__ import annotations

import re
from functools import cache

from babel.core import get_global

from library.vocabulary.countries import country
from library.vocabulary.reading.place import (
    NOT_A_NUMBER,
    SERIAL_BEFORE,
    UNIT_BEHIND,
    YEAR,
    Hit,
    Place,
    tight_start,
    words,
)

_SUFFIX_PRINTED = r"(?:Add(?:endum)?|Rev(?:ision)?|Corr(?:igendum)?|Suppl(?:ement)?)[._\- ]{0,2}[0-9]{1,3}"
_ENDS = rf"(?:(?![0-9A-Za-z])|(?={_SUFFIX_PRINTED}))"  # 'gspsnusa1234add1'
SUFFIXES = rf"(?P<suffixes>(?:(?: ?[/\\\-_ ] ?|\.)?{_SUFFIX_PRINTED}{_ENDS}){{0,6}})"
_GAP = r"(?: ?[/\\\-_. ] ?)?"
_SYMBOL = re.compile(
    rf"(?P<group>G{_GAP})?(?P<area>TBT|SPS)(?P<gap>{_GAP})N(?P<last_gap>{_GAP})(?P<member>[A-Z]{{2,4}})(?![A-Za-z])"
    rf"(?:{_GAP}(?P<number>[0-9]{{1,5}}){_ENDS}|(?![0-9]))" + SUFFIXES,
    re.IGNORECASE,
)
_DOCUMENT = re.compile(
    r"G ?/ ?(?P<area>TBT|SPS|AG|LIC|SG|ADP|SCM|IP|STR|MA|CTG|L|C|W)"
    r"(?P<more>(?: ?/ ?(?:(?!Add|Rev|Corr|Suppl)[A-Z]{1,6}\.?(?:[0-9]{1,2})?|[0-9]{1,5}(?:\.[0-9]{1,4})?)){1,5})"
    + SUFFIXES
    + r"(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_NOTIFICATION = r"(?:通报号?|通報|notifications?(?: (?:no\.?|number|symbol))?|notificaci(?:ón|ones))"
_MEMBER_AND_NUMBER = (
    r"(?P<member>[A-Z]{2,4})(?P<slash> ?[/\-_ ]? ?)(?P<number>[0-9]{1,5})(?!_[0-9])"
    + _ENDS
    + SUFFIXES
    + "(?: ?[号號])?"
)
_SHORT = re.compile(
    rf"(?P<area>TBT|SPS)(?P<named> ?{_NOTIFICATION}[ :]{{0,2}})?(?P<gap> ?[/\-_ ] ?)?(?:N ?[/\-] ?)?{_MEMBER_AND_NUMBER}",
    re.IGNORECASE,
)
_MEMBER_FIRST = re.compile(
    rf"{_MEMBER_AND_NUMBER}[ ,]{{0,2}}(?:WTO[ /]?)?(?P<area>TBT|SPS)(?![A-Za-z])(?: ?{_NOTIFICATION})?", re.IGNORECASE
)
_OF_COUNTRY = re.compile(
    rf"(?P<area>TBT|SPS)(?P<named> ?{_NOTIFICATION})?[ :]{{0,2}}(?P<sign>第 ?|(?:no|nr)\.? ?|# ?)?"
    rf"(?P<number>[0-9]{{1,5}})(?![0-9A-Za-z_]|[/.,\-][0-9]){SUFFIXES}(?P<mark> ?[号號])?",
    re.IGNORECASE,
)
_COUNTRY_BEFORE = re.compile(
    r"(?:(?P<han>[\u4e00-\u9fff]{2,10})(?: ?的)?|(?P<latin>(?:[A-Za-z.'\-]{2,20} ){0,3}[A-Za-z.'\-]{2,20})) ?(?:WTO[ /]?)?$"
)
_SHORT_COUNTRIES = frozenset(("US", "USA", "UK", "EU", "UAE"))
_FORMER_STATES = frozenset(("ANT", "BUR", "DDR", "FXX", "NTZ", "SCG", "SUN", "TMP", "YMD", "YUG", "ZAR"))
MEMBERS_SYMBOL = re.compile(r"(?P<area>G/(?:TBT|SPS))/N/(?P<member>[A-Z]{2,4})/(?P<number>[0-9]+)")
_SUFFIX = re.compile(r"(Add|Rev|Corr|Suppl)[a-z]*[._\- ]{0,2}([0-9]{1,3})", re.IGNORECASE)


def symbol(place: Place) -> Hit | None:
    """Read 'G/TBT/N/BRA/366/Add.1/Corr.1', 'TBT/N/USA/2208', 'G/TBT/N/CHN' (a member's notifications), 'G/SPS/GEN/1234'.

    File names and people change the slashes or leave them out: 'G_TBT_N_KEN_1808', 'gspsnusa1234add1'.
    """
    match = _SYMBOL.match(place.text, place.start)
    if match and _is_symbol(place, match):
        form = f"G/{match['area'].upper()}/N/{match['member'].upper()}"
        if not match["number"]:
            return Hit(place.start, match.end("member"), form, "wto")
        return Hit(place.start, match.end(), f"{form}/{int(match['number'])}{suffixes(match['suffixes'])}", "wto")
    if short := _short_symbol(place) or _of_country(place):
        return short
    match = _DOCUMENT.match(place.text, place.start)
    if match is None or not re.search(r"[0-9]", match["more"]):
        return None
    more = match["more"].replace(" ", "").upper().replace("NOTIF", "Notif")
    return Hit(place.start, match.end(), f"G/{match['area'].upper()}{more}{suffixes(match['suffixes'])}", "wto")


def _is_symbol(place: Place, match: re.Match[str]) -> bool:
    has_slashes = match.group().count("/") >= 2
    if not (has_slashes and match["last_gap"]) and match["member"].upper() not in members():
        return False  # 'TBT/NZL/12' is the N of no symbol
    if not match["group"] and "." in match["gap"] + match["last_gap"]:
        return False
    return bool(match["number"] or place.is_whole or has_slashes or (place.is_short and match["group"]))


def _short_symbol(place: Place) -> Hit | None:
    """Read 'TBT/USA/2208', 'TBT通报N/USA/2208', 'SPS notification CHN/1234', which print less than the symbol."""
    match = _SHORT.match(place.text, place.start)
    if match is None or not (match["named"] or match["gap"]) or match["member"].upper() not in members():
        return None
    if place.behind(1) == "/":
        return None  # 'crnattachments/2025/TBT/CHN/25_03782_00_x.pdf'
    is_slashed = match["slash"].strip() == "/" and match["member"].isupper()
    if not is_slashed and not _is_typed(place, match):
        return None
    return _symbol_hit(place.start, match, match["member"], match["area"])


def _is_typed(place: Place, match: re.Match[str]) -> bool:
    """Whether a short text names member and number as people type them: 'TBT USA 2208'; 'TBT USA 2023' asks for a year."""
    member = match["member"]
    if re.fullmatch(YEAR, match["number"]) or (member.lower() in _MEMBERS_TOO and not member.isupper()):
        return False
    if place.is_whole:
        return True
    is_code = member.isupper() or member.islower()
    return place.is_short and is_code and not place.is_counted(match.end())


def member_first(place: Place) -> Hit | None:
    """Read 'CHN/2072 TBT' and 'KEN/1808 TBT notification', where the committee stands behind."""
    if place.text[place.end : place.end + 1] not in _BEHIND_MEMBERS:
        return None
    match = _MEMBER_FIRST.match(place.text, place.start)
    if match is None or match["member"].upper() not in members() or re.fullmatch(YEAR, match["number"]):
        return None
    is_slashed = match["slash"].strip() == "/" and match["member"].isupper() and place.behind(1) != "/"
    if not is_slashed and not _is_typed(place, match):
        return None
    return _symbol_hit(place.start, match, match["member"], match["area"])


def _of_country(place: Place) -> Hit | None:
    """Read '美国TBT通报2208号' and 'Kenya TBT notification no. 1808', where the member is named as a country.

    In prose the number must be called one; in a short text it may stand alone, if it counts nothing.
    """
    match = _OF_COUNTRY.match(place.text, place.start)
    if match is None:
        return None
    is_called = match["mark"] or match["sign"] or re.search(r"号|no|number", (match["named"] or "").lower()[3:])
    is_plural = (match["named"] or "").lower().endswith(("notifications", "ones"))
    is_bare = is_plural or re.fullmatch(YEAR, match["number"]) or place.is_counted(match.end()) or not place.is_short
    found = None if is_bare and not is_called else _member_before(place)
    return None if found is None else _symbol_hit(found[0], match, found[1], match["area"])


def _member_before(place: Place) -> tuple[int, str] | None:
    """Where the name of a country right before the word begins, and the letters of that member."""
    behind = place.behind(48)
    match = _COUNTRY_BEFORE.search(behind)
    if match is None:
        return None
    name = match.group(match.lastgroup or 0)
    starts = range(len(name) - 1) if match["han"] else [0, *(at + 1 for at, one in enumerate(name) if one == " ")]
    for at in starts:
        printed = name[at:]
        is_name = match["han"] or printed in _SHORT_COUNTRIES or (len(printed) > 3 and printed[:4].lower() != "the ")
        code = country(printed) if is_name and (place.is_short or not printed[0].islower()) else None
        if code in _members_by_country():
            return place.start - len(behind) + match.start(match.lastgroup or 0) + at, _members_by_country()[code]
    return None


def _symbol_hit(start: int, match: re.Match[str], member: str, area: str) -> Hit:
    form = f"G/{area.upper()}/N/{member.upper()}/{int(match['number'])}{suffixes(match['suffixes'])}"
    return Hit(start, match.end(), form, "wto")


@cache
def _members_by_country() -> dict[str | None, str]:
    """The letters of each member by the code of its country; Taiwan's are 'TPKM'."""
    aliases = get_global("territory_aliases").items()
    states = {
        name: codes for name, codes in aliases if len(name) == 3 and name.isalpha() and name not in _FORMER_STATES
    }
    return {codes[0]: name for name, codes in states.items() if len(codes) == 1} | {"EU": "EU", "TW": "TPKM"}


@cache
def members() -> frozenset[str]:
    """The letters that stand for a member in symbols: ISO 3166-1 alpha-3, and those of members that are no states."""
    return frozenset(name for name in get_global("territory_aliases") if len(name) == 3 and name.isalpha()) | {
        "EU", "EEC", "TPKM"
    }  # fmt: skip


_MEMBERS_TOO = frozenset(words("members_too"))
_BEHIND_MEMBERS = frozenset("/-_ 0123456789")
MEMBERS_FIRST = frozenset(member.lower() for member in members()) - _MEMBERS_TOO
_GLUED_AREAS = ("TBT", "SPS", "GTBT", "GSPS")
GLUED = frozenset(f"{area}N{member}" for area in _GLUED_AREAS for member in ("", *members())) | set(_GLUED_AREAS[2:])


def suffixes(printed: str) -> str:
    """The addenda, revisions and corrigenda behind a symbol, in canonical form: '/add. 1 corr 2' -> '/Add.1/Corr.2'."""
    return "".join(f"/{kind.capitalize()}.{int(number)}" for kind, number in _SUFFIX.findall(printed))


def symbol_rungs(canonical: str) -> list[str]:
    """'G/TBT/N/BRA/366/Add.1' -> itself, 'G/TBT/N/BRA/366', 'G/TBT/N/BRA'."""
    found = [canonical]
    while match := re.search(r"/(?:Add|Rev|Corr|Suppl)\.[0-9]+$", found[-1]):
        found.append(found[-1][: match.start()])
    if match := re.fullmatch(r"(G/(?:TBT|SPS)/N/[A-Z]{2,4})/[0-9]+", found[-1]):
        found.append(match[1])
    return found


_CASE = re.compile(
    r"(?P<type>A ?1[0-9]|SR|OR|EM|INFO)(?P<mark> ?[/\-._]? ?)(?P<number>[0-9]{1,5}) ?(?P<slash>[/ \-._]) ?"
    r"(?P<year>[0-9]{2})(?![0-9A-Za-z/\-_]|\.[0-9])",
    re.IGNORECASE,
)
_CASE_NUMBER = re.compile(r"(?P<number>[0-9]{4}) ?/ ?(?P<year>0[3-9]|1[0-9])(?![0-9A-Za-z]|/[0-9])")
_CASE_BEFORE = re.compile(
    r"(?:RAPEX|Safety ?Gate|alerts?|notifications?|case|reference)[ :#(,]{0,3}(?:numbers?|nos?\.?|nr\.?|and|,)?[ :#(,]{0,3}$",
    re.IGNORECASE,
)
_WORDS = frozenset(("OR", "EM", "INFO"))
_GATE_BEFORE = re.compile(
    r"(?:RAPEX|Safety ?Gate|安全门|安全門|预警)[ :#(,]{0,3}(?:通报|案例|案件|alerts?|notifications?|case)?"
    r" ?(?:编?号|numbers?|nos?\.?|nr\.?)?[ :#(]{0,3}$",
    re.IGNORECASE,
)
FOUR_DIGITS_UNTIL = 13  # A12/1187/13 and A12/01187/13 are one case; later years print five digits


def case(place: Place) -> Hit | None:
    """Read the case numbers of Safety Gate: 'A12/1187/13', 'SR/02222/26'; 'SR 01950/26', 'sr.02222.26' as people type them.

    In prose without its slashes 'A12-1187-13' is a part and 'OR 00123 25' a word and two numbers.
    """
    match = _CASE.match(place.text, place.start)
    if match is None:
        return None
    is_typed = place.is_whole or (place.is_short and _is_case_in_query(place, match))
    if match["slash"] != "/" and not is_typed:
        return None
    if not match["mark"] and not (is_typed and match["slash"] == "/"):
        return None  # 'SR02222/26' is typed, 'SR02222 26' a model
    is_loose = match["slash"] != "/" or match.group()[len(match["type"])] != "/" or " " in match["type"]
    if is_loose and len(match["number"]) < 4:
        return None  # 'or 5/12', 'A 12/15/18'
    if not (match["mark"].strip() == "/" or is_typed) and (match["type"].upper() in _WORDS or not place.word.isupper()):
        return None  # 'in 2019/20 or 2020/21'
    width = 4 if int(match["year"]) <= FOUR_DIGITS_UNTIL else 5
    form = f"{match['type'].upper().replace(' ', '')}/{int(match['number']):0{width}d}/{match['year']}"
    return Hit(place.start, match.end(), form, "safety_gate")


def _is_case_in_query(place: Place, match: re.Match[str]) -> bool:
    """Whether a short text calls the number a case, or it has the five digits with zeros before that only cases have."""
    has_zero = match["type"].upper() == "SR" and len(match["number"]) == 5 and match["number"][0] == "0"
    return bool(has_zero or _GATE_BEFORE.search(place.behind(24))) and not place.is_counted(match.end())


def case_number(place: Place) -> Hit | None:
    """Read the case numbers before 2013, '0024/05', where the context says that they are none of a date or a fraction."""
    match = _CASE_NUMBER.match(place.text, place.start)
    if match is None:
        return None
    before = place.before
    is_listed = before is not None and before.kind == "safety_gate" and place.start - before.end < 8
    if not (place.is_whole or is_listed or place.context(_CASE_BEFORE)):
        return None
    return Hit(place.start, match.end(), f"{match['number']}/{match['year']}", "safety_gate")


_RASFF = re.compile(r"(?:19[89]|20[0-4])[0-9]\.[0-9]{3,5}(?![0-9A-Za-z]|\.[0-9])")
_RASFF_BEFORE = re.compile(
    r"(?:(?P<tight>(?<![A-Za-z])RASFF)|notification|reference)"
    r"(?: (?:notification|reference|number|no\.?|ref\.?)){0,3}[ :#(]{0,3}$",
    re.IGNORECASE,
)


def rasff(place: Place) -> Hit | None:
    """Read '2024.8046', which is no amount and no version; three or five digits need the system's name before them."""
    match = _RASFF.match(place.text, place.start)
    if match is None:
        return None
    context = place.context(_RASFF_BEFORE)
    is_amount = NOT_A_NUMBER.search(place.behind(14)) or UNIT_BEHIND.match(place.text, match.end())
    if not place.is_whole and context is None and (len(match.group()) != 9 or is_amount):
        return None
    return Hit(tight_start(place, context), match.end(), match.group(), "rasff")


_FDA = re.compile(
    r"(?P<type>[FHZDBVN]) ?- ?(?P<number>[0-9]{3,4}) ?- ?"
    r"(?P<year>(?:19|20)[0-9]{2}|[0-9]{1,2})(?![0-9A-Za-z]|-[0-9])",
    re.IGNORECASE,
)
_FDA_TYPED = re.compile(
    r"(?P<type>[FHZDBVN])[ \-]?(?P<number>[0-9]{3,4})[ \-](?P<year>(?:19|20)[0-9]{2})$", re.IGNORECASE
)
_FDA_BEFORE = re.compile(r"recall|FDA", re.IGNORECASE)


def fda(place: Place) -> Hit | None:
    """Read 'F-1021-2020', 'H-1331-2026', 'Z-1967-2026'; older ones with two digits of the year need context."""
    match = _FDA.match(place.text, place.start) or (
        _FDA_TYPED.match(place.text, place.start) if place.is_whole else None
    )
    if match is None or (len(match["year"]) < 4 and not _FDA_BEFORE.search(place.behind(40))):
        return None
    return Hit(place.start, match.end(), f"{match['type'].upper()}-{match['number']}-{match['year']}", "fda")


_CPSC = re.compile(r"(?P<year>[0-9]{2})-?(?P<number>[0-9]{3})(?![0-9A-Za-z]|-[0-9A-Za-z]|[.,][0-9])")
_CPSC_BEFORE = re.compile(
    r"(?:(?P<tight>(?<![A-Za-z])(?:U\.?S\.? ?)?CPSC)(?: (?:recall|release|alert|press release)){0,2}"
    r"(?: ?(?:no\.?|numbers?|#|召回编?号?|编?号))?"
    r"|召回编?号|recall ?(?:no\.?|numbers?|#|alert)|(?<![A-Za-z])release ?(?:no\.?|numbers?|#))[ :#(]{0,3}$",
    re.IGNORECASE,
)


def cpsc(place: Place) -> Hit | None:
    """Read 'CPSC 26-761', 'Recall number: 26761'; '26-761' alone is one, '26761' alone is any number."""
    if len(place.word) not in (2, 5):
        return None
    match = _CPSC.match(place.text, place.start)
    if match is None:
        return None
    context = place.context(_CPSC_BEFORE)
    if context is None and not (place.is_whole and "-" in match.group()):
        return None
    return Hit(tight_start(place, context), match.end(), f"CPSC {match['year']}-{match['number']}", "cpsc")


_FSIS = re.compile(r"(?P<number>[0-9]{3}-(?:19|20)[0-9]{2})(?P<expansion>-EXP)?(?![0-9A-Za-z]|-[0-9A-Za-z])")
_FSIS_BEFORE = re.compile(
    r"(?:(?P<tight>(?<![A-Za-z])FSIS)(?:[ \-]?(?:recall|RC|release|alert|召回)){0,2}(?: ?(?:no\.?|numbers?|#|编?号))?"
    r"|召回编?号|recall(?: (?:no\.?|numbers?|release|case))?)[ :#(\-]{0,3}$",
    re.IGNORECASE,
)


def fsis(place: Place) -> Hit | None:
    """Read 'FSIS recall 031-2024', 'FSIS-RC-031-2024', '030-2024-EXP'."""
    match = _FSIS.match(place.text, place.start)
    if match is None:
        return None
    context = place.context(_FSIS_BEFORE)
    if context is None and not place.is_whole:
        return None
    return Hit(tight_start(place, context), match.end(), f"FSIS {match['number']}{match['expansion'] or ''}", "fsis")


_CAMPAIGN = re.compile(
    r"(?P<year>[0-9]{2})-?(?P<type>[VETC])-?(?P<number>[0-9]{3})(?P<zeros>000)?(?![0-9A-Za-z]|-[0-9])", re.IGNORECASE
)
_CAMPAIGN_BEFORE = re.compile(
    r"(?:(?P<tight>(?<![A-Za-z])NHTSA)(?: ?(?:campaign|recall|safety recall|number|no\.?|id|#|召回|编?号)){0,3}"
    r"|召回编?号|campaign(?: (?:number|no\.?|id|#))?|recall(?: (?:number|no\.?|id|#))?)[ :#(]{0,3}$",
    re.IGNORECASE,
)


def campaign(place: Place) -> Hit | None:
    """Read '20V314000' and, where the context tells it from a power tool, '20V-314'."""
    match = _CAMPAIGN.match(place.text, place.start)
    if match is None:
        return None
    context = place.context(_CAMPAIGN_BEFORE)
    if context is None and not place.is_whole and not match["zeros"]:
        return None
    form = f"{match['year']}{match['type'].upper()}{match['number']}000"
    return Hit(tight_start(place, context), match.end(), form, "nhtsa")


_FICHE = re.compile(r"20[0-4][0-9]-(?:0[1-9]|1[0-2])-[0-9]{4}(?![0-9A-Za-z]|-[0-9])")


def fiche(place: Place) -> Hit | None:
    """Read the number of a RappelConso sheet: '2026-07-0014'."""
    match = _FICHE.match(place.text, place.start)
    if match is None or SERIAL_BEFORE.search(place.behind(20)):
        return None
    return Hit(place.start, match.end(), match.group(), "rappelconso")
