"""Readers of acts: European, American, British, Canadian, Japanese and Chinese ones, and the journals they stand in."""

from __future__ import annotations

import re
from functools import cache

from library.vocabulary.countries import all_codes, country_name
from library.vocabulary.dates import ERAS, han_number
from library.vocabulary.reading.place import (
    END,
    SERIAL_BEFORE,
    UNIT_BEHIND,
    WORDS,
    YEAR,
    Hit,
    Place,
    tight_start,
    words,
)

# --- European Union -------------------------------------------------------------------------------------------------

COMMUNITIES = frozenset(words("communities"))
ACTS = words("acts")
_ACT_YEARS = range(1958, 2050)
COMMON_NUMBERS_FROM = 2015  # since then regulations, directives and decisions share one series, year first

_COMMON_YEARS = range(COMMON_NUMBERS_FROM, _ACT_YEARS[-1] + 1)
_COMMUNITY = "|".join(sorted(COMMUNITIES, key=len, reverse=True))
_NUMBER_SIGN = r"(?:(?:Nos|No|Nr|num)\.? ?|N ?[°ºo]\.? ?|n\. ?[°º] ?|№ ?)"
_WORD = rf"(?:{'|'.join(sorted(set(ACTS), key=len, reverse=True))}|reg\.?|dir\.?)(?![A-Za-z])"
_ACT = re.compile(
    rf"(?:(?P<union>{_COMMUNITY})[ \-](?={_WORD}))?(?:(?P<word>{_WORD}) {{0,2}})?"
    rf"(?:(?P<open>\()?(?P<community>{_COMMUNITY})(?:, ?Euratom)?\)? {{0,2}}[/:\-]? {{0,2}})?(?:第 ?)?"
    rf"(?P<sign>{_NUMBER_SIGN})?(?P<first>[0-9]{{1,4}})(?P<slash> ?/ ?|(?P<loose>[\- ]))(?P<second>[0-9]{{1,4}})"
    rf"(?:(?: ?/ ?|(?(loose)(?P=loose)|(?!)))(?P<suffix>{_COMMUNITY}))?(?![0-9A-Za-z]|/[0-9A-Za-z])"
    r"(?:-(?P<day>[0-9]{8})(?![0-9]))?(?P<corrigendum> R\([0-9]{2}\))?",
    re.IGNORECASE,
)
_UNION_BEFORE = re.compile(
    r"(?:(?:欧盟|欧洲联盟|欧委会|欧共体|欧州|유럽연합)[^0-9,.;。，；\n]{0,14}"
    r"|(?<![A-Za-z])EU ?(?:規則|法规|条例|指令|规则|規制|규정|지침|규칙) ?第?)$"
)
_NAMES = "|".join(sorted(words("named_acts"), key=len, reverse=True))
_ACT_BEFORE = re.compile(
    rf"(?:(?P<name>(?<![A-Za-z0-9])(?:{_NAMES})(?: ?[IVX12](?:\.0)?(?![0-9A-Za-z]))?)"
    r"|(?P<word>法规|法規|条例|規則|规则|指令|决定|規制|규정|지침|규칙))"
    r"[ :,(《》]{0,3}(?:第|编号|No\.?|Nr\.?|n°)? ?$",
    re.IGNORECASE,
)
_ACT_BEHIND = re.compile(r" ?[号號]?(?P<word>法规|法規|条例|規則|规则|指令|决定|규정|지침|규칙)")
_MONTHS = range(1, 13)
_REGULATION = re.compile(r"reg(?![A-Za-z])|regul|r[eè]gl|regol|verord|förord|rozp", re.IGNORECASE)
_CLOSING = re.compile(r" ?\)")
_ABBREVIATION = re.compile(r"(?:reg|dir)\.?", re.IGNORECASE)
_COMMON_REGULATIONS = frozenset(words("common_regulations"))
_PLAIN_COMMUNITIES = frozenset(("EU", "EC", "EEC", "UE"))  # before a number, with neither bracket nor act


def act(place: Place) -> Hit | None:
    """Read '(EU) 2024/903', 'Regulation (EC) No 1907/2006', 'Directive 2009/48/EC', 'règlement (UE) 2023/988'."""
    is_bracketed = (
        place.behind(1) == "(" and place.word.upper() in COMMUNITIES and _CLOSING.match(place.text, place.end)
    )
    start = place.start - 1 if is_bracketed else place.start
    match = _ACT.match(place.text, start)
    if match is None or not (match["community"] or match["suffix"] or match["word"]):
        return None
    if "/" not in match["slash"] and not _is_unslashed(place, match):
        return None
    return _act_hit(place, match, start)


def _is_unslashed(place: Place, match: re.Match[str], *, is_named: bool = False) -> bool:
    """Whether a dash or a blank stands for the slash of an act: '(EU)2024-903', 'EU regulation 2024 903'.

    A dash also joins years and a year to its month, a blank any two numbers; so the Union and the word for an act must both
    be there, or the text must be short.
    """
    first, second, end = int(match["first"]), int(match["second"]), match.end()
    is_year_first = len(match["first"]) == 4 and first in _ACT_YEARS and second not in _ACT_YEARS
    is_number_first = len(match["first"]) > 2 and second in _OLD_ACT_YEARS and first not in _ACT_YEARS
    is_old = len(match["first"]) == 2 and first >= 50 and match["suffix"] and match["slash"] == "-"  # '76-768-EEC'
    is_month = len(match["second"]) == 2 and second in _MONTHS and not match["suffix"]
    if is_month or not (is_year_first or is_number_first or is_old or (match["sign"] and second in _OLD_ACT_YEARS)):
        return False
    if place.text.startswith("-", end) or _DECIMALS.match(place.text, end) or place.is_counted(end):
        return False
    union = match["open"] or match["community"] or match["union"] or match["suffix"]
    if match["slash"] == " ":
        return bool((union and match["word"] and place.is_short) or place.is_whole or (is_named and place.is_short))
    if match["open"] or match["suffix"] or (union and match["word"]):
        return True
    is_long = len(match["second"]) > 2 or is_number_first  # 'EU 2014-20' is a period
    return (place.is_short and bool(match["word"] or is_long)) or (is_named and is_long)


_OLD_ACT_YEARS = range(_ACT_YEARS[0], COMMON_NUMBERS_FROM)
_DECIMALS = re.compile(r"[.,][0-9]")


def act_number(place: Place) -> Hit | None:
    """Read an act that begins with its number: '2009/48/EC', and '2024/903' after 欧盟.

    'No 1907/2006' is one where it is all there is.
    """
    match = _ACT.match(place.text, place.start)
    if match is None:
        return None
    is_unslashed = "/" not in match["slash"]
    if is_unslashed and not match["suffix"] and not place.is_short:
        return None  # most such numbers are days and spans
    is_named = _is_named(place, match)
    if place.is_whole and not is_unslashed and len(match["first"]) > 2 and int(match["second"]) in _OLD_ACT_YEARS:
        sign = _SIGN_BEFORE.search(place.text[: place.start])
        if sign and int(match["first"]) not in _ACT_YEARS:
            return _act_hit(place, match, sign.start("sign"), is_named=True)
    is_of_union = _UNION_BEFORE.search(place.behind(24))
    if not (is_named or match["suffix"] or is_of_union):
        return None
    if is_unslashed and not _is_unslashed(place, match, is_named=bool(is_named or is_of_union)):
        return None
    name = _WORD_AS_NAME.search(place.behind(20)) if is_named and place.is_short else None
    start = place.start - len(name.group()) if name else place.start
    return _act_hit(place, match, start, is_named=is_named)


# In a query these names would be searched as words: a colour, a picture. In prose they stay words, as every name does.
_WORD_AS_NAME = re.compile(r"(?<![A-Za-z0-9])(?:RED|PIC|POPs?)[ :]{0,2}(?:指令|法规)?[ :]{0,2}$", re.IGNORECASE)


def act_unslashed(place: Place) -> Hit | None:
    """Read '2014-53-EU', '欧盟法规2024-903' and '欧盟条例2024 903'."""
    return act_number(place) if len(place.word) <= 4 and _TWO_NUMBERS.match(place.text, place.end) else None


_TWO_NUMBERS = re.compile(r"[\- ][0-9]{1,4}(?![0-9.]|-[0-9])")
_SIGN_BEFORE = re.compile(rf"^[ ,;:]*(?P<sign>{_NUMBER_SIGN})$", re.IGNORECASE)


_DIGITS = re.compile(r" {0,2}(?P<digits>[0-9]+)")


def named(place: Place) -> Hit | None:
    """Read 'REACH1907/2006' and 'REACH 1907 / 2006': the reference is the number behind the name."""
    match = _DIGITS.match(place.text, place.end)
    if match is None:
        return None
    inner = place._replace(start=match.start("digits"), end=match.end("digits"), word=match["digits"])
    return act_number(inner)


def _is_named(place: Place, match: re.Match[str]) -> bool:
    """Whether the name of an act or the word for one stands at a number that can be one: 'REACH 1907/2006'.

    Since 2015 the year comes first; 'RoHS 2023/12' and 'CLP 12/2013' are months.
    """
    first, second = int(match["first"]), int(match["second"])
    is_year_first = len(match["first"]) == 4 and first in _ACT_YEARS
    is_number_first = len(match["second"]) == 4 and _ACT_YEARS[0] <= second < COMMON_NUMBERS_FROM
    if not (is_year_first or is_number_first) or (is_year_first and second in _MONTHS):
        return False
    before = _ACT_BEFORE.search(place.behind(32)) or _ACT_BEHIND.match(place.text, match.end())
    if before is None:
        return False
    if before.groupdict().get("name"):
        return first not in _MONTHS
    is_decision = before["word"] == "决定" and match["suffix"]  # '决定768/2008/EC' is CELEX 32008D0768
    ahead = place.behind(32)[: before.start()] if before.re is _ACT_BEFORE else place.behind(32)
    return not (is_decision or _elsewhere().search(ahead))


@cache
def _elsewhere() -> re.Pattern[str]:
    """Names of states in Chinese, whose own acts are numbered as well: '越南法规 36/2012'."""
    names = {country_name(code, "zh") for code in all_codes() if code not in ("EU", "INT")} | set(words("short_names"))
    return re.compile(rf"(?:{'|'.join(map(re.escape, names))})[^,;:.。按依据照符合执行遵守满足须要]{{0,8}}$")


def _act_hit(place: Place, match: re.Match[str], start: int, *, is_named: bool = False) -> Hit | None:
    is_common = f"{match['first']}/{match['second']}" in _COMMON_REGULATIONS and not match["word"]
    is_regulation = is_named or is_common or _REGULATION.match(match["word"] or "") is not None
    has_suffix = bool(match["suffix"]) and not is_regulation  # 'Regulation 1907/2006/EC' has its number first
    form = _act_form(match["first"], match["second"], has_sign=bool(match["sign"]), has_suffix=has_suffix)
    is_clear = match["suffix"] or match["word"] or match["community"]
    if form is None or (not is_clear and is_season(int(match["first"]), int(match["second"]))):
        return None
    community = match["community"] or match["union"]
    is_abbreviated = _ABBREVIATION.fullmatch(match["word"] or "") and not (match["suffix"] or community or is_named)
    if is_abbreviated and (match["sign"] or len(match["first"]) < 3) and not place.is_whole:
        return None  # 'Reg. No. 1234/2005' is the entry of a company in its register
    is_of_any_state = match["word"] and not (match["suffix"] or community or match["sign"])
    if is_of_any_state and int(match["second"]) in _COMMON_YEARS and int(match["first"]) < _ACT_YEARS[0]:
        return None  # 'Regulation 36/2016' is none of the Union, which has printed the year first since 2015
    is_bare = not (match["suffix"] or match["open"] or match["word"] or place.is_whole)
    if is_bare and match["community"]:  # 'EU 2024/2025 season', 'CE 12/24 V'
        is_known = match["community"].upper() in _PLAIN_COMMUNITIES
        if not is_known or is_season(int(match["first"]), int(match["second"])):
            return None
    day = f"-{match['day']}" if match["day"] else ""
    return Hit(start, match.end(), f"{form}{day}{match['corrigendum'] or ''}", "eu_act")


def is_season(first: int, second: int) -> bool:
    """Whether two numbers with a slash between are two years that follow each other: '2024/2025', '2024/25'."""
    return first > 1900 and second in (first + 1, (first + 1) % 100)


def _act_form(one: str, other: str, *, has_sign: bool, has_suffix: bool) -> str | None:
    """'EU year/number' for directives, decisions and everything since 2015, 'EU number/year' for older regulations."""
    first, second = int(one), int(other)
    starts_with_year = len(one) == 4 and 1950 <= first <= 2049
    ends_with_year = len(other) == 4 and 1950 <= second <= 2049
    is_old_directive = len(one) == 2 and first >= 50  # '76/768/EEC'
    if has_suffix:
        if starts_with_year:
            return f"EU {first}/{second}"
        if ends_with_year:  # 'Decision No 768/2008/EC' is CELEX 32008D0768
            return f"EU {second}/{first}"
        return f"EU 19{one}/{second}" if is_old_directive else None
    is_short_year = len(other) == 2 and second >= 50 and has_sign  # '(EEC) No 2019/93'
    if (
        starts_with_year
        and not is_short_year
        and (not ends_with_year or (first >= COMMON_NUMBERS_FROM and not has_sign))
    ):
        return f"EU {first}/{second}"
    if ends_with_year:
        return f"EU {first}/{second}"
    if is_short_year:
        return f"EU {first}/19{other}"  # '(EEC) No 2658/87'
    return f"EU 19{one}/{second}" if is_old_directive else None


_CELEX = re.compile(
    r"(?:CELEX {0,2}(?:No\.?|number|编号)? {0,2}[:\-]? {0,2})?"
    r"(?P<sector>[0-9CE])(?P<year>(?:19[5-9]|20[0-4])[0-9])(?P<type>[A-Z]{1,2})(?P<number>[0-9]{4}|(?<=[A-Z])[0-9]{3}(?![0-9]))"
    r"(?P<corrigendum>R?\([0-9]{2}\))?(?:-(?P<day>[0-9]{8}))?" + END,
    re.IGNORECASE,
)
_PROPOSALS = {"PC": "COM", "DC": "COM", "SC": "SWD", "JC": "JOIN"}


def celex(place: Place) -> Hit | None:
    """Read '32024R0903', '02009L0065-20130620', '52018PC0340': the same forms as the printed numbers have."""
    match = _CELEX.match(place.text, place.start)
    if match is None:
        return None
    if len(match["number"]) < 4 and match["sector"] != "1":
        return None  # articles of the treaties have three digits: '12016E192'
    sector, year, kind, number = (
        match["sector"].upper(),
        int(match["year"]),
        match["type"].upper(),
        int(match["number"]),
    )
    digits = re.search(r"[0-9]{2}", match["corrigendum"] or "")
    more = (f"-{match['day']}" if match["day"] else "") + (f" R({digits.group()})" if digits else "")
    if sector in "03" and kind in ("R", "L", "D", "H"):
        is_old_regulation = kind == "R" and year < COMMON_NUMBERS_FROM
        form = f"EU {number}/{year}{more}" if is_old_regulation else f"EU {year}/{number}{more}"
    elif sector == "5" and kind in _PROPOSALS:
        form = f"{_PROPOSALS[kind]}({year}) {number}"
    else:
        form = f"CELEX {sector}{year}{kind}{match['number']}{more}"
    return Hit(place.start, match.end(), form, "eu_act")


_PROPOSAL = re.compile(
    r"(?P<body>COM|SWD|SEC|JOIN|C) ?(?:\( ?(?P<year>(?:19|20)[0-9]{2}) ?\) ?/? ?|/(?P<slashed>(?:19|20)[0-9]{2})/)"
    r"(?P<number>[0-9]{1,5})(?: ?/? ?(?:final|fin\.?|endg\.?|definitivo)(?:/[0-9])?)?" + END,
    re.IGNORECASE,
)


def proposal(place: Place) -> Hit | None:
    """Read 'COM(2025) 6 final', 'SWD/2023/12/final'."""
    match = _PROPOSAL.match(place.text, place.start)
    if match is None or (match["slashed"] and match["body"].upper() == "C"):
        return None
    form = f"{match['body'].upper()}({match['year'] or match['slashed']}) {int(match['number'])}"
    return Hit(place.start, match.end(), form, "eu_act")


_JOURNAL = re.compile(
    r"(?:OJ|JO|ABl\.?|DO|GU) ?(?:EU |UE |CE |EG )?(?:no\.? ?|n° ?|Nr\.? ?)?(?P<series>[LC]) ?,? ?"
    r"(?:(?P<issue>[0-9]{1,4})[A-Z]?(?:[ ,]{1,2}(?:of |du |vom |de |del )?[0-9]{1,2}[./][0-9]{1,2}[./]|/)"
    r"(?P<year>(?:19|20)[0-9]{2})"
    r"(?:,? ?(?:p|S|pág|s)\.? ?(?P<page>[0-9]{1,4}))?"
    r"|(?P<act_year>20[0-9]{2})/(?P<act>[0-9]{1,5}))(?![0-9A-Za-z/])",
    re.IGNORECASE,
)


def journal(place: Place) -> Hit | None:
    """Read 'OJ L 119, 4.5.2016, p. 1'; since October 2023 an issue holds one act and has its number: 'OJ L, 2024/903'."""
    match = _JOURNAL.match(place.text, place.start)
    if match is None:
        return None
    series = match["series"].upper()
    if match["act"]:
        number = f"{match['act_year']}/{int(match['act'])}"
        form, kind = (f"EU {number}", "eu_act") if series == "L" else (f"OJ C {number}", "oj")
    else:
        page = f" p.{match['page']}" if match["page"] else ""
        form, kind = f"OJ {series} {int(match['issue'])}/{match['year']}{page}", "oj"
    return Hit(place.start, match.end(), form, kind)


_ELI = re.compile(
    r"(?:eli/(?P<type>reg|dir|dec|reco)(?:_impl|_del|_framw)?/(?P<year>(?:19|20)[0-9]{2})/(?P<number>[0-9]{1,5})(?:/oj)?"
    r"|L_(?P<issue_year>20[0-9]{2})(?P<issue>[0-9]{5}))(?![0-9A-Za-z])"
)


def eli(place: Place) -> Hit | None:
    """Read the identifiers in addresses: 'eli/reg/2024/903/oj', 'L_202400903'."""
    match = _ELI.match(place.text, place.start)
    if match is None:
        return None
    year, number = int(match["year"] or match["issue_year"]), int(match["number"] or match["issue"])
    is_old_regulation = match["type"] == "reg" and year < COMMON_NUMBERS_FROM
    form = f"EU {number}/{year}" if is_old_regulation else f"EU {year}/{number}"
    return Hit(place.start, match.end(), form, "eu_act")


# --- United States --------------------------------------------------------------------------------------------------

_CODE = r"(?:the )?(?:U\.? ?S\.? )?(?:Code of Federal Regulations|C\.? ?F\.? ?R(?![A-Za-z])\.?)"
_REGISTER = r"Fed(?:eral|\.)? ?Reg(?:ister|\.)?(?![A-Za-z])"
_PART = r"(?:parts?|pts?\.?|sections?|secs?\.?|§{1,2}|chapters?|ch\.?|第)"
_SECTION = r"(?:\.(?P<section>[0-9]{1,5}[a-z]?)(?![A-Za-z0-9]))?(?P<paragraphs>(?: ?\([a-z0-9]{1,4}\)){0,5})"
_FEDERAL = re.compile(
    r"(?P<title>[0-9]{1,2})[ \-]?(?P<body>C\.? ?F\.? ?R\.?|U\.? ?S\.? ?C\.?|F\.? ?R\.?|Code of Federal Regulations,?"
    rf"|{_REGISTER})[ \-]?(?P<word>{_PART} ?)?"
    rf"(?P<number>[0-9]{{1,3}},[0-9]{{3}}(?![0-9])|[0-9]{{1,6}}[a-z]{{0,2}}(?![A-Za-z])){_SECTION}",
    re.IGNORECASE,
)
_TITLE_BEFORE = re.compile(r"(?P<tight>(?<![A-Za-z])title ?)$", re.IGNORECASE)
_TITLES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"title ?(?P<title>[0-9]{{1,2}})(?:,? (?:of )?(?P<code>{_CODE}))?,? {_PART} ?(?P<number>[0-9]{{1,4}})(?![0-9A-Za-z])"
        rf"{_SECTION}(?:,? (?:of )?(?P<code_behind>{_CODE}))?",
        rf"{_PART} ?(?P<number>[0-9]{{1,4}})(?![0-9A-Za-z]){_SECTION},? (?:of )?title (?P<title>[0-9]{{1,2}}),? (?:of )?"
        rf"(?P<code>{_CODE})",
        rf"C\.? ?F\.? ?R\.? ?(?:titles? ?)?(?P<title>[0-9]{{1,2}})(?:,? ?(?P<code>{_PART})|[ \-]) ?"
        rf"(?P<number>[0-9]{{1,4}})(?![0-9A-Za-z]){_SECTION}",
    )
)
_VOLUMES = range(40, 140)  # the Federal Register's volume 40 is 1975; older ones are cited with long pages
_LONG_PAGE = 4
_FEDERAL_LETTERS = frozenset("CUFcuf")
_LAST_TITLE = {"CFR": 50, "USC": 54}


def federal(place: Place) -> Hit | None:
    """Read '16 CFR part 1501', '16 C.F.R. § 1501.2(a)', '15 U.S.C. 2056', '89 FR 2530'."""
    if len(place.word) > 3 or place.text[place.end : place.end + 2].lstrip(" -")[:1] not in _FEDERAL_LETTERS:
        return None
    match = _FEDERAL.match(place.text, place.start)
    if match is None:
        return None
    body = _body(match["body"])
    title, number = int(match["title"]), match["number"].replace(",", "").lower()
    if body == "FR":
        is_prose = match["body"].islower() and not place.is_whole
        if match["section"] or match["word"] or not number.isdecimal() or is_prose:
            return None
        if title not in _VOLUMES and (len(number) < _LONG_PAGE or re.fullmatch(YEAR, number)):
            return None  # '12 FR 90' may be francs
        return Hit(place.start, match.end("number"), f"{title} FR {int(number)}", "federal_register")
    if "," in match["number"] or not 1 <= title <= _LAST_TITLE[body]:
        return None
    start = tight_start(place, _TITLE_BEFORE.search(place.behind(6)))
    return Hit(start, match.end(), f"{title} {body} {number}{_section(match)}", body.lower())


def _body(printed: str) -> str:
    """'C.F.R.' -> 'CFR', 'Fed. Reg.' -> 'FR'; the names in words as well."""
    letters = re.sub(r"[^A-Z]", "", printed.upper())
    return "FR" if letters.startswith("FED") else "CFR" if letters.startswith("CODE") else letters


def _section(match: re.Match[str]) -> str:
    section = f".{match['section'].lower()}" if match["section"] else ""
    return section + match["paragraphs"].replace(" ", "")


def titled(place: Place) -> Hit | None:
    """Read 'Title 16, Part 1501, Code of Federal Regulations', 'part 1501 of title 16, CFR', 'CFR title 16 part 1501'.

    'title 16 part 1501' and 'CFR 16 1501' are of the code only where they are all there is.
    """
    for pattern in _TITLES:
        match = pattern.match(place.text, place.start)
        if match and 1 <= int(match["title"]) <= _LAST_TITLE["CFR"]:
            if not (match["code"] or place.is_whole or match.groupdict().get("code_behind")):
                return None
            return Hit(place.start, match.end(), f"{int(match['title'])} CFR {match['number']}{_section(match)}", "cfr")
    return None


_IN_CHINESE = re.compile(
    r"(?P<title>[0-9]{1,3}) ?(?P<word>[篇卷编編章]) ?,?第? ?(?P<number>[0-9]{1,6})(?![0-9A-Za-z])"
    r"(?:\.(?P<section>[0-9]{1,5}))? ?(?:部分|[条條节節款页頁])?"
)
_IN_CHINESE_BEFORE = re.compile(
    r"(?P<tight>(?:美国|美國)?联邦(?:(?P<code>法规(?:法典|汇编|汇编法典)?)|公报))[》 ]{0,2}第? ?$"
)


def in_chinese(place: Place) -> Hit | None:
    """Read '美国联邦法规第16篇第1501部分' and '联邦公报89卷2530页'."""
    if place.text[place.end : place.end + 2].lstrip()[:1] not in TITLE_SIGNS:
        return None
    match = _IN_CHINESE.match(place.text, place.start)
    context = _IN_CHINESE_BEFORE.search(place.behind(16)) if match else None
    if match is None or context is None:
        return None
    start, title, number = tight_start(place, context), int(match["title"]), int(match["number"])
    if context["code"]:
        section = f".{match['section']}" if match["section"] else ""
        is_title = 1 <= title <= _LAST_TITLE["CFR"]
        return Hit(start, match.end(), f"{title} CFR {number}{section}", "cfr") if is_title else None
    return Hit(start, match.end(), f"{title} FR {number}", "federal_register") if title in _VOLUMES else None


TITLE_SIGNS = frozenset("篇卷编編章")
_FEDERAL_GAP = re.compile(r"(?: ?,? ?(?:and|or|through|to)|[,;]| ?-| ?[和、]) ?(?:part |§ ?)?$", re.IGNORECASE)
_FEDERAL_MORE = re.compile(
    r"(?P<number>[0-9]{1,4})(?:\.(?P<section>[0-9]{1,5}))?(?![0-9A-Za-z]|\.[0-9]| (?:CFR|U\.?S\.?C))"
)
_PLURAL = re.compile(r"parts|§§|sections", re.IGNORECASE)


def federal_list(place: Place) -> Hit | None:
    """Read the second number of '10 CFR parts 429 and 430', whose title stands before the first."""
    before = place.before
    if before is None or before.kind != "cfr" or not _FEDERAL_GAP.match(place.text[before.end : place.start]):
        return None
    match = _FEDERAL_MORE.match(place.text, place.start)
    printed = place.text[before.start : before.end]
    is_list = _PLURAL.search(printed) or "CFR" not in printed.upper()
    if match is None or not (is_list or match["section"] or _is_listed_part(place, match)):
        return None
    section = f".{match['section']}" if match["section"] else ""
    return Hit(place.start, match.end(), f"{before.canonical.partition(' ')[0]} CFR {match['number']}{section}", "cfr")


def _is_listed_part(place: Place, match: re.Match[str]) -> bool:
    """Whether '1303' is the second part of '16 CFR 1501, 1303': as long as the first, and the list ends behind it."""
    before = place.before
    known = re.search(r"CFR ([0-9]+)$", before.canonical) if before else None
    is_alike = known is not None and len(known[1]) == len(match["number"]) > 2
    if not is_alike or re.fullmatch(YEAR, match["number"]) or place.is_counted(match.end()):
        return False
    return place.is_short or _PARTS_END.match(place.text, match.end()) is not None


_PARTS_END = re.compile(r" {0,2}(?:$|[;)，。、；\]]|[.,](?![0-9])|(?:and|or) [0-9]|和|及|等|的规定)")


def section_rungs(canonical: str) -> list[str]:
    """'16 CFR 1501.2(a)' -> itself, '16 CFR 1501.2', '16 CFR 1501'."""
    found = [canonical]
    while match := re.search(r"(?:\([A-Za-z0-9]+\)|\.[0-9]+[a-z]?)$", found[-1]):
        found.append(found[-1][: match.start()])
    return found


_DOCUMENT = re.compile(
    r"(?P<year>199[4-9]|20[0-4][0-9])(?P<dash>[ \-])(?P<number>[0-9]{5})(?![0-9A-Za-z]|-[0-9A-Za-z]|[.,][0-9])"
)
_DOCUMENT_BEFORE = re.compile(
    rf"(?P<tight>(?<![A-Za-z])(?:(?:{_REGISTER}|FR) ?(?:doc(?:ument)?\.? ?)?(?:(?:no\.?|number|#)[ :]{{0,2}})?"
    r"|doc(?:ument)?\.? ?(?:no\.?|number|#)[ :]{0,2})|联邦公报(?:文件|文档)?(?:编?号)?[ :]{0,2})$",
    re.IGNORECASE,
)
_PAGE = re.compile(
    rf"(?:(?P<body>{_REGISTER})|F\.?R\.?),? ?(?P<word>vol(?:ume|\.)?)? ?(?P<volume>[0-9]{{2,3}})[ ,:\-]{{1,2}}"
    r"(?P<page_word>(?:pages?|pp?\.?) ?)?(?P<page>[0-9]{1,3},[0-9]{3}|[0-9]{3,6})(?![0-9A-Za-z]|[.,/\-][0-9])",
    re.IGNORECASE,
)
_DOCUMENT_WORD = re.compile(
    r"(?:FR Doc\.? ?(?:No\.? ?)?"
    r"(?P<number>(?:[ECR][0-9]{1,2}-)?(?:(?:19|20)[0-9]{2}|[0-9]{2})-[0-9]{4,5}|E[0-9]{1,2}-[0-9]{4,5})"
    r"|(?P<correction>[CR][0-9]-20[0-4][0-9]-[0-9]{5}))(?![0-9A-Za-z]|-[0-9])",
    re.IGNORECASE,
)


def document(place: Place) -> Hit | None:
    """Read the number of a Federal Register document: '2023-28978'; 'XR-2020-12345' is a model.

    With a blank it needs the words before it: 'FR Doc. 2023 28978', for '2023 28978 units' is a year and an amount.
    """
    if len(place.word) != 4:
        return None
    match = _DOCUMENT.match(place.text, place.start)
    if match is None or UNIT_BEHIND.match(place.text, match.end()) or SERIAL_BEFORE.search(place.behind(20)):
        return None
    context = place.context(_DOCUMENT_BEFORE)
    if match["dash"] == " " and (context is None or place.is_counted(match.end())):
        return None
    form = f"{match['year']}-{match['number']}"
    return Hit(tight_start(place, context), match.end(), form, "federal_register")


def document_word(place: Place) -> Hit | None:
    """Read 'FR Doc. 2023-28978', 'FR Doc. E9-12345', 'C1-2023-27742', 'Federal Register, vol. 89, p. 2530'."""
    match = _DOCUMENT_WORD.match(place.text, place.start)
    if match is None:
        return _page(place)
    return Hit(place.start, match.end(), (match["number"] or match["correction"]).upper(), "federal_register")


def _page(place: Place) -> Hit | None:
    """Read a page behind its volume; 'Fed Reg 89 2530' and 'FR 89 2530' only where that is all there is."""
    match = _PAGE.match(place.text, place.start)
    if match is None or int(match["volume"]) not in _VOLUMES:
        return None
    if not (match["word"] and match["page_word"] and match["body"]) and not place.is_whole:
        return None
    if not match["page_word"] and re.fullmatch(YEAR, match["page"]):
        return None  # 'FR 89 2019' may be a year
    form = f"{int(match['volume'])} FR {int(match['page'].replace(',', ''))}"
    return Hit(place.start, match.end(), form, "federal_register")


_DOCKET = re.compile(
    rf"[A-Z]{{2,6}}(?:-[A-Z0-9]{{1,8}}){{0,3}}-{YEAR}(?:-[A-Z]{{1,4}})?-[0-9]{{4,5}}(?:-[0-9]{{4}})?{END}",
    re.IGNORECASE,
)


def docket(place: Place) -> Hit | None:
    """Read 'EPA-HQ-OAR-2019-0055', 'FDA-2023-N-1234'."""
    match = _DOCKET.match(place.text, place.start)
    return None if match is None else Hit(place.start, match.end(), match.group().upper(), "docket")


# --- Japan, Australia, China ------------------------------------------------------------------------------------------

_JAPANESE = re.compile(
    r"(?P<era>明治|大正|昭和|平成|令和)(?P<year>[0-9〇零一二三四五六七八九十百元]{1,4})年"
    r"(?P<kind>[\u4e00-\u9fff・]{0,14}?(?:法律|政令|省令|府令|規則|告示|勅令|条約))第(?P<number>[0-9〇零一二三四五六七八九十百千]{1,8})号"
)


def japanese(place: Place) -> Hit | None:
    """Read '昭和二十七年法律第二百三十一号'."""
    match = _JAPANESE.match(place.text, place.start)
    if match is None or match["era"] not in ERAS:
        return None
    try:
        year, number = han_number(match["year"]), han_number(match["number"])
    except ValueError:
        return None
    return Hit(place.start, match.end(), f"{match['era']}{year}年{match['kind']}第{number}号", "law")


_LAW_ID = re.compile(
    r"(?:[1-5][0-9]{2}(?:(?:AC|CO|DF|IO|CT)[0-9]{10}|M[0-9]{11})|[CF](?:19|20)[0-9]{2}[AL][0-9]{5})(?![0-9A-Za-z])"
)


def law_id(place: Place) -> Hit | None:
    """Read the register numbers of laws: '327AC0000000231' (Japan), 'F2023L01234' (Australia)."""
    match = _LAW_ID.match(place.text, place.start)
    return None if match is None else Hit(place.start, match.end(), match.group(), "law")


_ISSUERS: dict[str, str] = WORDS["issuers"]
_ISSUER_BEFORE = re.compile(
    rf"(?P<issuer>{'|'.join(sorted(_ISSUERS, key=len, reverse=True))})(?P<kind>公告|令|通告)?[ \[(]?$"
)
_ANNOUNCEMENT = re.compile(r"(?P<year>20[0-9]{2})(?:年|[\])]) ?第? ?(?P<number>[0-9]{1,4}) ?号(?P<kind>公告|令|通告)?")


def announcement(place: Place) -> Hit | None:
    """Read '海关总署公告2023年第58号' and '海关总署2023年第58号公告'."""
    match = _ANNOUNCEMENT.match(place.text, place.start)
    issuer = _ISSUER_BEFORE.search(place.behind(18)) if match else None
    if match is None or issuer is None or not (match["kind"] or issuer["kind"]):
        return None
    form = f"{_ISSUERS[issuer['issuer']]}{match['kind'] or issuer['kind']}{match['year']}年第{int(match['number'])}号"
    return Hit(place.start - len(issuer.group()), match.end(), form, "announcement")
