"""Readers of standards: Chinese, international, European and national ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from library.vocabulary.reading.place import (
    END,
    UNIT_BEHIND,
    WORDS,
    YEAR,
    Hit,
    Place,
    Reader,
    tight_start,
    words,
)

KIND = "standard"

# --- numbers as they are typed ---------------------------------------------------------------------------------------

_EDITION = re.compile(rf" ?\(?(?P<year>{YEAR}) ?年?版(?!权)\)?")
_TYPED_TAIL = re.compile(
    rf"(?P<parts>(?:[ _\-](?!{YEAR}(?![0-9]))[1-9][0-9]?(?![0-9A-Za-z]|[.,:/][0-9])){{0,2}})"
    rf"(?:[ _](?P<year>{YEAR}))?(?![0-9A-Za-z_/\-]|[.,:][0-9]| [0-9])"
)
_TYPED_END = re.compile(r" {0,2}(?:$|[,;)、]|[\u4e00-\u9fff])")
_EVENT_BEHIND = re.compile(
    r" (?:conference|meeting|workshop|session|assembly|news|report|plan|committee)", re.IGNORECASE
)


def typed_tail(place: Place, end: int, *, has_parts: bool) -> tuple[list[str], str, int]:
    """Parts and year behind a number, typed with blanks: 'IEC 60335 2 80', 'iso 9001 2015'; and '2015版' in any text.

    In prose a number behind a standard counts something, so the others are read in short texts alone, and there not where
    a counted thing follows: 'EN 71 3 pieces', 'GB 6675 2014年'.
    """
    if edition := _EDITION.match(place.text, end):
        return [], edition["year"], edition.end()
    match = _TYPED_TAIL.match(place.text, end) if place.is_short else None
    if match is None or place.is_counted(match.end()) or _EVENT_BEHIND.match(place.text, match.end()):
        return [], "", end
    parts = re.findall(r"[0-9]+", match["parts"])
    is_clear = len(parts) > 1 or match["year"] or _TYPED_END.match(place.text, match.end())
    if parts and (has_parts or not is_clear):
        return [], "", end
    return parts, match["year"] or "", match.end()


# --- Chinese -----------------------------------------------------------------------------------------------------

_INDUSTRIES = frozenset(words("industries"))
_CLEAR = frozenset({"GB", "GBZ", "GBJ", *words("clear_industries")})
CHINESE_CODES = _INDUSTRIES | {"GB", "GBZ", "GBJ", "GJB"}
_CHINESE_WORDS = {code: (code, "") for code in CHINESE_CODES} | {
    f"{code}T": (code, "T") for code in CHINESE_CODES if f"{code}T" not in CHINESE_CODES
}
_LETTERED_CODES = {"TSG", "JTG"}  # 'TSG Q7002-2019'
_STATES = frozenset(("GA", "MT", "NY", "SC"))  # of America: 'New York, NY 10001-2023' is an address
_ZIP_DIGITS = 5
_CITY_BEFORE = re.compile(r"(?:[A-Za-z]{3,}[.]?,|[A-Z][a-z]{2,}|纽约[州市]?,?) {0,2}$")
GB_Z_FROM = 1000  # 'GBZ 2.1' is occupational health, with numbers below; 'GBZ 18620' is a GB/Z without its slash

_CHINESE_YEAR = rf"(?: {{0,2}}[\-:一ー] {{0,2}}(?P<year>{YEAR}|[5-9][0-9](?![0-9])))?"
_CHINESE_TAIL = re.compile(
    r"(?:(?P<slash> ?[/_\-] ?|\.(?=[TZ] ?[0-9])| (?=[TZ] ?[0-9]))(?P<nature>[TZJ])(?![A-Za-z]))?"
    r"(?P<gap>[ ._\-]{0,2})(?P<number>[A-Z]{0,2}[0-9]{1,6}(?:\.[0-9]{1,4}){0,3})"
    rf"(?P<part>-[1-9][0-9]?(?=-{YEAR}(?![0-9])))?"
    + _CHINESE_YEAR
    + rf"(?: ?/ ?XG ?(?P<change>[0-9]{{1,2}})(?: ?[\-一ー] ?(?P<changed>{YEAR}))?)?"
    + END,
    re.IGNORECASE,
)
_DIGIT_BEFORE = re.compile(r"[0-9] ?$")
_MEMORY = frozenset(("2", "4", "8", "16", "32", "64", "128", "256", "512"))  # 'GB 64' beside 'GB 128'


def chinese(place: Place) -> Hit | None:
    """Read 'GB/T 1.1-2020', 'GBT5606.1—2004', 'gbt-5606-1-2004', 'YY 0505-2012', 'GB 4943.1-2022/XG1-2023'."""
    code, nature = _CHINESE_WORDS[place.word.upper()]
    match = _CHINESE_TAIL.match(place.text, place.end)
    if match is None:
        return None
    slash, printed_nature, gap, number, part, printed_year, change, changed = match.groups()
    if slash == " " and not (printed_year or code == "GB"):
        return None  # 'GB T 1.1-2020' as people type it
    if number[0].isalpha() and code not in _LETTERED_CODES:
        return None
    nature = (printed_nature or nature).upper()
    if code == "HS" and not nature:
        return None  # 'HS/T 1-2006' is a standard of the customs, 'HS 8517' a code of goods
    year, end = _full_year(printed_year), match.end()
    number = number.upper() + (part or "").replace("-", ".")
    is_plain = code in _CLEAR or bool(nature) or place.is_whole  # 'SN 12345 2020' has a serial number
    if not year and not change and is_plain and not re.fullmatch(YEAR, number):
        parts, year, end = typed_tail(place, end, has_parts="." in number)
        number = ".".join((number, *parts))
    if code == "GBZ" and not nature and int(number.partition(".")[0]) >= GB_Z_FROM:
        code, nature = "GB", "Z"
    if not place.is_whole and not _is_clear(place, code, nature, number, year, gap):
        return None
    if code in _STATES and not nature and len(number) == _ZIP_DIGITS and _CITY_BEFORE.search(place.behind(24)):
        return None
    form = f"{code}{'/' + nature if nature else ''} {number}{'-' + year if year else ''}"
    if change:
        form += f"/XG{change}{'-' + changed if changed else ''}"
    return Hit(place.start, end, form, KIND)


_NATIONAL_BEFORE = re.compile(r"(?P<tight>(?P<nature>推荐性|强制性)?(?:国标|国家标准)(?:编?号)?)[ :]{0,2}$")
_NATIONAL_NUMBER = re.compile(
    rf"(?P<number>[1-9][0-9]{{2,5}}(?:\.[0-9]{{1,3}})?){_CHINESE_YEAR}(?![0-9A-Za-z]|[.,\-][0-9])"
)
_NATIONAL_MARKS = frozenset("标准号 :")


def national(place: Place) -> Hit | None:
    """Read '国标5606.1' and '国家标准 18401-2010', where words stand for the letters.

    '国家标准2000余项' counts them: without part and year the number is read in a short text alone.
    """
    if not place.start or place.text[place.start - 1] not in _NATIONAL_MARKS:
        return None
    context = _NATIONAL_BEFORE.search(place.behind(16))
    match = _NATIONAL_NUMBER.match(place.text, place.start) if context else None
    if match is None or context is None or UNIT_BEHIND.match(place.text, match.end()):
        return None
    number, year, end = match["number"], _full_year(match["year"]), match.end()
    if not year and not re.fullmatch(YEAR, number):
        parts, year, end = typed_tail(place, end, has_parts="." in number)
        number = ".".join((number, *parts))
    is_round = number.endswith("00") or re.fullmatch(YEAR, number)
    is_bare = "." not in number and not year
    if is_bare and (not place.is_short or is_round or place.is_counted(end) or not _TYPED_END.match(place.text, end)):
        return None
    code = "GB/T" if context["nature"] == "推荐性" else "GB"
    return Hit(tight_start(place, context), end, f"{code} {number}{'-' + year if year else ''}", KIND)


def _is_clear(place: Place, code: str, nature: str, number: str, year: str, gap: str) -> bool:
    """Whether a code and a number are a standard in prose, where 'SN 12345' is a serial number and GB a unit."""
    if year:
        is_span = code not in _CLEAR and not nature and re.fullmatch(YEAR, number) and number < year
        return ("-" not in gap or code in _CLEAR) and not is_span  # 'GM 2020-2022 models'
    if nature and place.word.upper() == f"{code}T" and code != "GB" and (code == "TB" or re.fullmatch(YEAR, number)):
        return False  # 'WTO/TBT 2024' is no standard of the railways
    if nature:
        return code == "GB" or place.word.isupper() or place.text[place.end : place.end + 1] == "/"
    is_amount = _DIGIT_BEFORE.search(place.behind(3)) and not (place.before and place.start - place.before.end < 2)
    if "-" in gap or code not in _CLEAR or is_amount:  # '16 GB 2400 MHz', but 'GB 4806.1 GB 4806.7'
        return False
    if number in _MEMORY:
        return False
    # 'in GB 2023' speaks of Great Britain
    return not re.fullmatch(YEAR, number) and (place.word.isupper() or not gap or len(number) > 2)


def _full_year(printed: str | None) -> str:
    """'86' -> '1986': two digits were printed until the nineties."""
    if not printed:
        return ""
    return printed if len(printed) == 4 else f"19{printed}"


_LOCAL = re.compile(
    r" ?(?P<region>[0-9]{6}|[0-9]{4}|[0-9]{2}) ?(?:/? ?(?P<nature>[TZ])(?![A-Za-z])|/)?[ /\-]{0,2}"
    r"(?P<number>[0-9]{1,6}(?:\.[0-9]{1,4}){0,2})" + _CHINESE_YEAR + END,
    re.IGNORECASE,
)
PROVINCES = range(11, 83)  # administrative division codes: 11 Beijing to 82 Macao


def local(place: Place) -> Hit | None:
    """Read local standards: 'DB3411/T 0053-2024', 'DB31/405-2021'."""
    match = _LOCAL.match(place.text, place.end)
    if match is None or not (match["year"] or match["nature"]) or int(match["region"][:2]) not in PROVINCES:
        return None
    nature = f"/{match['nature'].upper()}" if match["nature"] else ""
    year, end = _full_year(match["year"]), match.end()
    if not year:
        _, year, end = typed_tail(place, end, has_parts=True)
    form = f"DB{match['region']}{nature} {match['number']}{'-' + year if year else ''}"
    return Hit(place.start, end, form, KIND)


_GROUP = re.compile(
    r" ?/ ?(?P<body>[A-Z]{2,10}(?: ?/ ?[A-Z]{2,6})?)[ \-_]{0,2}"
    r"(?P<number>[A-Z]?[0-9]{1,6}(?:[.\-](?!(?:19|20)[0-9]{2}(?![0-9]))[0-9]{1,3}){0,3})" + _CHINESE_YEAR + END,
    re.IGNORECASE,
)


def group(place: Place) -> Hit | None:
    """Read group standards 'T/ZS 0467-2023' and enterprise standards 'Q/ABC 001-2020'."""
    match = _GROUP.match(place.text, place.end)
    if match is None or place.behind(1) in ("/", "-"):
        return None
    body = match["body"].replace(" ", "").upper()
    if not match["year"] and (place.word.upper() == "Q" or (not place.is_whole and not match["body"].isupper())):
        return None
    year, end = _full_year(match["year"]), match.end()
    if not year:
        _, year, end = typed_tail(place, end, has_parts=True)
    form = f"{place.word.upper()}/{body} {match['number'].upper()}{'-' + year if year else ''}"
    return Hit(place.start, end, form, KIND)


# --- international, European, national: a stack of prefixes before one number -----------------------------------------

_JOINT, _EUROPEAN, _TYPES = words("joint"), words("european"), frozenset(words("types"))
_CATALOGUES, _ADOPTERS = words("national_catalogues"), words("national_adopters")
STACK_WORDS = frozenset({*_JOINT, *_EUROPEAN, *_TYPES, *_CATALOGUES, *_ADOPTERS})
STACK_STARTS = STACK_WORDS - {"GOST", "CLC", "R", "GUIDE", "NP", "WD", "CD", "DIS"}
GLUED = {stack.replace(" ", "").lower(): stack.split() for stack in WORDS["glued"]}
_FILM_SPEEDS = frozenset(words("film_speeds"))
_CAMERA = re.compile(
    r"camera|sensitiv|aperture|shutter|photo|film|lens|exposure|感光|相机|镜头|快门|光圈|曝光|胶片|拍摄|f/[0-9]",
    re.IGNORECASE,
)
_STANDARD_BEFORE = re.compile(
    r"(?:standards?|norme?|norma|规定|标准|依据|按照?|符合|执行|根据)[^0-9A-Za-z]{0,3}$", re.IGNORECASE
)
_COUNTED = re.compile(
    r" (?:people|persons|pages|countries|days|hours|cases|words|items|children|personnes|pays|países|personas"
    r"|street|road|avenue|lane|square)(?![a-z])"
)

_CORE = frozenset({*_JOINT, *_EUROPEAN, *_CATALOGUES})
_ALWAYS = frozenset(words("plain_prefixes"))
_LONG_ONLY = frozenset(words("prefixes_of_long_numbers"))
_YEAR_ONLY = frozenset(words("prefixes_with_year"))
_DASHED_PARTS = frozenset(("EN", "ISO", "IEC"))
_SHORT_EN = frozenset(("71", "54", "81"))  # toys, fire detection, lifts
_WORDS_TOO = frozenset(words("words_of_prose"))
_SPELLING = {"PREN": "prEN", "FPREN": "FprEN", "GUIDE": "Guide", "NCH": "NCh"}

_STACK_WORD = re.compile(
    rf"(?P<word>{'|'.join(sorted(STACK_WORDS, key=len, reverse=True))})(?=[ /\-.:(]|[0-9]|$)", re.IGNORECASE
)
_DIGIT_SOON = re.compile(r"[^0-9]{0,40}[0-9]")
_STACK_GAP = re.compile(r" ?[/\-] ?| {1,2}")
_NUMBER = re.compile(
    r"(?P<gap>[ .:\-_]{0,2})"
    r"(?P<number>[1-3][0-9]{2} [0-9]{3}(?![0-9])|[0-9]{1,6}(?:\.(?!(?:19|20)[0-9]{2}(?![0-9]))[0-9]{1,4}){0,3})"
    r"(?P<parts>(?:-[A-Z]{0,2}[0-9]{1,4}[A-Z]?(?![0-9A-Za-z])){0,5})",
    re.IGNORECASE,
)
_YEAR_TAIL = re.compile(
    rf" {{0,2}}: {{0,2}}(?P<year>{YEAR})(?:-[01][0-9])?{END}| ?\((?P<bracket>{YEAR})(?: ?年?版)?\)"
    rf"| - (?P<dash>{YEAR})(?![0-9A-Za-z\-])"
)
_NAMED_PART = re.compile(
    r",? ?(?:part|teil|partie|parte|pt\.?) ?(?P<part>[0-9]{1,3})(?![0-9A-Za-z]|[.][0-9])", re.IGNORECASE
)
_VERSION_TAIL = re.compile(r" V[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}(?: \((?:19|20)[0-9]{2}-[01][0-9]\))?")
_AMENDMENT = re.compile(
    r" ?[+/] ?(?P<kind>F?D?(?:Amd|Amendment|AM)|Corrigendum|Cor|AC|Add|Suppl|A(?=[0-9]))\.? ?(?P<number>[0-9]{0,2})"
    rf"(?: ?: ?(?P<year>{YEAR})(?:-[01][0-9])?)?{END}",
    re.IGNORECASE,
)


def stacked(place: Place) -> Hit | None:
    """Read '[national] [EN] [ISO/IEC] [TS] number-part:year+amendment'."""
    if not _DIGIT_SOON.match(place.text, place.end):
        return None
    stack = _stack(place)
    match = _NUMBER.match(place.text, stack[1]) if stack else None
    if (
        stack is None
        or match is None
        or ("-" in match["gap"] and match["gap"] != "-")
        or (match["number"][0] == "0" and "VDE" not in stack[0])
    ):
        return None
    prefixes, number, end = stack[0], match["number"], match.end()
    parts = [part.upper() for part in match["parts"].split("-")[1:]]
    is_telecom = "ETSI" in prefixes or (prefixes[-1] in ("EN", "PREN") and number[0] == "3")
    if " " in number and not is_telecom:  # 'EN 301 489' is one number, 'EN 149 300 pieces' is not
        number, end, parts = number[:3], match.start("number") + 3, []
    if "." in number and prefixes[-1] in _DASHED_PARTS and "NZS" not in prefixes:  # 'EN 71.3', 'iec 60335.1'
        number, *dotted = number.split(".")
        parts = [*dotted, *parts]
    if not parts and (named := _NAMED_PART.match(place.text, end)):
        parts, end = [named["part"]], named.end()
    year = ""
    if parts and re.fullmatch(YEAR, parts[-1]) and not place.text.startswith(":", end):
        year = parts.pop()  # 'ISO 9001-2015' is the Chinese way to print the year
    elif tail := _YEAR_TAIL.match(place.text, end):
        year, end = tail["year"] or tail["bracket"] or tail["dash"], tail.end()
    elif not re.fullmatch(YEAR, number):
        typed, year, end = typed_tail(place, end, has_parts=bool(parts))
        parts += typed
    changes, end = amendments(place.text, end)
    if is_telecom and (tail := _VERSION_TAIL.match(place.text, end)):
        end = tail.end()
    is_glued = not match["gap"] and end > place.end
    if re.match(r"[A-Za-z0-9]", place.text[end : end + 1]):
        return None
    has_part = bool(parts) and not {number, parts[-1]} <= _FILM_SPEEDS  # 'ISO 100-6400'
    if not place.is_whole and not _is_plausible(place, prefixes, number, has_part, bool(year), is_glued=is_glued):
        return None
    dash = "." if "NZS" in prefixes and "-" not in match["parts"] else "-"
    form = f"{_compose(prefixes)} {number}{''.join(dash + part for part in parts)}{':' + year if year else ''}"
    return Hit(place.start, end, form + changes, KIND)


def _stack(place: Place) -> tuple[list[str], int] | None:
    prefixes, at = list(GLUED.get(place.word.lower()) or (place.word.upper(),)), place.end
    for _ in range(5):
        gap = _STACK_GAP.match(place.text, at)
        match = _STACK_WORD.match(place.text, gap.end()) if gap else None
        if match is None:
            break
        if place.word in _WORDS_TOO and match["word"].isupper():
            return None  # 'such as ISO 9001', 'basado en ISO 9001'
        prefixes.append(match["word"].upper())
        at = match.end()
    if prefixes[0] in _JOINT and prefixes[-1] == "EN":
        prefixes.insert(0, prefixes.pop())  # 'IEC/EN 62368-1'
    core = prefixes[1:] if prefixes[0] in _TYPES or prefixes[0] in _ADOPTERS else prefixes
    return (prefixes, at) if not _CORE.isdisjoint(core) else None


def amendments(text: str, at: int) -> tuple[str, int]:
    """A CEN amendment is printed '+A1' and '/A1' for the same thing; ISO prints '/Amd 1', IEC '+AMD1'."""
    forms = ""
    for _ in range(6):
        match = _AMENDMENT.match(text, at)
        if match is None:
            break
        kind, number, date = match["kind"].casefold(), match["number"], f":{match['year']}" if match["year"] else ""
        if kind in ("a", "ac"):
            forms += f"+{kind.upper()}{number}{date}"
        else:
            name = "Cor" if kind.startswith("cor") else "Amd" if "am" in kind else kind.capitalize()
            forms += f"/{name}{' ' + number if number else ''}{date}"
        at = match.end()
    return forms, at


def _is_plausible(
    place: Place, prefixes: Sequence[str], number: str, has_part: bool, has_year: bool, *, is_glued: bool
) -> bool:
    """Whether prefixes and a number are a standard in prose, where 'EN' and 'AS' are also words."""
    first = prefixes[0]
    is_year = re.fullmatch(YEAR, number) is not None
    is_bare_year = is_year and not has_part and not has_year  # 'the IEC 2023 General Meeting'
    if len(prefixes) > 1:
        return True
    if is_bare_year and (first in _ALWAYS or first == "ISO") and not _STANDARD_BEFORE.search(place.behind(16)):
        return False
    if first in _ALWAYS:
        return True
    if first in _LONG_ONLY:
        return has_part or has_year or len(number) >= 4
    if first == "ISO":
        if number not in _FILM_SPEEDS or has_part or has_year:
            return True
        is_camera = _CAMERA.search(place.text, max(0, place.start - 60), place.end + 60)
        return not is_camera and (len(number) > 3 or _STANDARD_BEFORE.search(place.behind(16)) is not None)
    if first == "EN" and not place.word.isupper():  # 'en 2015-2016', 'en 10-15 días'
        if is_year:
            return False
        return (
            has_part and (is_glued or number == "71" or has_year) or len(number) == 5 or (has_year and len(number) > 2)
        )
    if first == "EN":
        is_model = place.text[place.end : place.end + 1] == "-" and len(number) < 4  # 'the EN-200 mixer'
        is_long = len(number) > 2 and not is_model
        is_short = number in _SHORT_EN and not _COUNTED.match(place.text, place.end + 1 + len(number))
        return has_year or (not is_year and (has_part or is_long or is_short))
    if not place.word.isupper() or (is_year and not has_year and not has_part):
        return False
    return has_year or (first not in _YEAR_ONLY and (has_part or len(number) >= 3))


def _compose(prefixes: Sequence[str]) -> str:
    """['BS', 'EN', 'ISO', 'IEC', 'TS'] -> 'BS EN ISO/IEC TS'; a type after one body takes a slash: 'ISO/TS'."""
    form = ""
    for index, word in enumerate(prefixes):
        before = prefixes[index - 1] if index else ""
        follows_joint = index > 1 and before in _JOINT and prefixes[index - 2] in _JOINT
        is_joined = (
            (word in _JOINT and before in _JOINT)
            or (word == "NZS" and before == "AS")
            or (word in _TYPES and before in ("ISO", "CEN", "CLC", "CENELEC") and word != "GUIDE" and not follows_joint)
        )
        form += ("/" if is_joined else " " if form else "") + _SPELLING.get(word, word)
    return form


# --- bodies with a grammar of their own ---------------------------------------------------------------------------

_LETTERED = re.compile(
    r"[ \-]?(?P<letter>[A-Z])[ \-]?(?P<adopts>(?:ISO/IEC|ISO|IEC|CISPR)(?: ?(?:TS|TR))?[ \-]?)?"
    rf"(?P<number>[0-9]{{4,6}})(?P<parts>(?:-[0-9]{{1,3}}(?![0-9])){{0,4}})(?: ?[:\-] ?(?P<year>{YEAR}))?{END}",
    re.IGNORECASE,
)


def lettered(place: Place) -> Hit | None:
    """Read 'JIS T 8101:2020' and 'KS C IEC 60335-1:2012', where a letter names the field."""
    body = "JIS" if place.word.upper().startswith("JIS") else "KS"
    match = _LETTERED.match(place.text, place.start + len(body))
    if match is None or (not place.is_whole and not place.word.isupper() and not match["year"]):
        return None
    if body == "JIS" and len(match["number"]) > 5 and not match["adopts"]:
        return None
    adopts = f"{match['adopts'].strip(' -').upper()} " if match["adopts"] else ""
    parts, year, end = match["parts"], match["year"], match.end()
    if not year:
        typed, year, end = typed_tail(place, end, has_parts=bool(parts))
        parts += "".join(f"-{part}" for part in typed)
    form = f"{body} {match['letter'].upper()} {adopts}{match['number']}{parts}{':' + year if year else ''}"
    return Hit(place.start, end, form, KIND)


_ASTM = re.compile(
    r"[ \-]?(?P<letter>[A-G])[ \-]?(?P<number>[0-9]{1,4})(?P<metric>/[A-G]?[0-9]{1,4}M|M)?"
    r"(?: ?- ?(?P<year>(?:19|20)?[0-9]{2})(?P<edition>[a-z])?(?P<again> ?\([0-9]{4}\))?(?:[eε][0-9])?)?" + END,
    re.IGNORECASE,
)


def astm(place: Place) -> Hit | None:
    """Read 'ASTM F963-17', 'ASTM D4236-94(2021)'; a year of four digits is printed with two. 'astm f963 23' is typed."""
    hit = astm_number(place.text, place.start, place.start + len("ASTM"))
    if hit is None or "-" in hit.canonical or not place.is_short:
        return hit
    match = _ASTM_YEAR.match(place.text, hit.end)
    if match is None or place.is_counted(match.end()) or _EVENT_BEHIND.match(place.text, match.end()):
        return hit
    if len(match["year"]) == 2 and not _TYPED_END.match(place.text, match.end()):
        return hit
    form = f"{hit.canonical}-{match['year'][-2:]}{(match['edition'] or '').lower()}"
    return hit._replace(end=match.end(), canonical=form)


_ASTM_YEAR = re.compile(
    rf"[ _](?P<year>{YEAR}|[019][0-9]|2[0-9])(?P<edition>[a-z])?(?![0-9A-Za-z_/\-]|[.,:][0-9]| [0-9])", re.IGNORECASE
)


def astm_number(text: str, start: int, at: int) -> Hit | None:
    """Read the letter and the number of ASTM that stand at a place; the reference begins at start."""
    match = _ASTM.match(text, at)
    if match is None:
        return None
    year = f"-{match['year'][-2:]}{(match['edition'] or '').lower()}" if match["year"] else ""
    form = f"ASTM {match['letter'].upper()}{match['number']}{(match['metric'] or '').upper()}{year}"
    return Hit(start, match.end(), form + (match["again"] or "").strip(), KIND)


_UL = re.compile(
    rf"[ \-]{{0,2}}(?P<number>[0-9]{{1,6}}[A-Z]?)(?P<parts>(?:-[0-9]{{1,3}}(?![0-9])){{0,4}})(?: ?: ?(?P<year>{YEAR}))?{END}",
    re.IGNORECASE,
)


def ul(place: Place) -> Hit | None:
    """Read 'UL 2849', 'UL 60335-2-80:2020'."""
    match = _UL.match(place.text, place.end)
    if match is None or (not place.is_whole and (len(match["number"]) < 2 or re.fullmatch(YEAR, match["number"]))):
        return None
    parts, year, end = match["parts"], match["year"], match.end()
    if not year and not re.fullmatch(YEAR, match["number"]):
        typed, year, end = typed_tail(place, end, has_parts=bool(parts))
        parts += "".join(f"-{part}" for part in typed)
    return Hit(place.start, end, f"UL {match['number'].upper()}{parts}{':' + year if year else ''}", KIND)


_AMERICAN = re.compile(r" ?/ ?(?:CAN ?/ ?)?(?P<body>UL|ASTM)(?=[ \-A-Z0-9])", re.IGNORECASE)
_ANSI = re.compile(
    r"(?P<bodies>(?: ?[/ ] ?[A-Z]{2,8}(?=[ \-/])){0,2})[ \-]{1,2}"
    r"(?P<number>[A-Z]{0,2}[0-9]{1,4}(?:\.[0-9]{1,3}){0,2}[A-Z]?)"
    rf"(?P<parts>(?:-(?!{YEAR})[0-9]{{1,2}}(?![0-9])){{0,2}})(?: ?[:\-] ?(?P<year>{YEAR}))?{END}",
    re.IGNORECASE,
)


def ansi(place: Place) -> Hit | None:
    """Read 'ANSI Z87.1-2020', 'ANSI/BIFMA X5.1'; 'ANSI/CAN/UL 2272' is the standard of UL."""
    if joined := _AMERICAN.match(place.text, place.end):
        return _within(place, joined, ul if joined["body"].upper() == "UL" else astm)
    match = _ANSI.match(place.text, place.end)
    if match is None or not (match["number"][0].isalpha() or match["year"] or match["bodies"]):
        return None
    bodies = "".join("/" + body for body in re.findall(r"[A-Z]+", match["bodies"].upper()))
    year = f"-{match['year']}" if match["year"] else ""
    return Hit(place.start, match.end(), f"ANSI{bodies} {match['number'].upper()}{match['parts']}{year}", KIND)


_CANADIAN = re.compile(r" ?/ ?(?P<body>CSA|ULC|UL|CGSB)(?=[ \-])", re.IGNORECASE)
_CSA = re.compile(
    r"[ \-](?P<number>[A-Z]{0,4}[0-9]{1,4}(?:\.[0-9]{1,2})?)"
    r"(?: {0,2}(?:No\.?|#) ?(?P<part>[0-9]{1,6}(?:[.\-](?!(?:19|20)?[0-9]{2}(?![0-9.\-]))[0-9]{1,3}){0,3}))?"
    rf"(?: ?[:\-] ?(?P<year>{YEAR}|[0-9]{{2}}))?{END}",
    re.IGNORECASE,
)


def csa(place: Place) -> Hit | None:
    """Read 'CSA C22.2 No. 60335-1:16', 'CAN/ULC-S102:18'."""
    body, at = place.word.upper(), place.end
    if body == "CAN":
        joined = _CANADIAN.match(place.text, at)
        if joined is None:
            return None
        if joined["body"].upper() == "UL":
            return _within(place, joined, ul)
        body, at = joined["body"].upper(), joined.end("body")
    match = _CSA.match(place.text, at)
    if match is None or (match["number"][0].isdecimal() and body == "CSA"):
        return None
    part = f" No. {match['part']}" if match["part"] else ""
    year = f":{match['year'][-2:]}" if match["year"] else ""
    return Hit(place.start, match.end(), f"{body} {match['number'].upper()}{part}{year}", KIND)


def _within(place: Place, joined: re.Match[str], reader: Reader) -> Hit | None:
    inner = place._replace(start=joined.start("body"), end=joined.end("body"), word=joined["body"])
    hit = reader(inner)
    return None if hit is None else hit._replace(start=place.start)


_FRENCH = re.compile(
    rf"[ \-](?P<letter>[A-Z]) ?(?P<number>[0-9]{{2,3}}(?:-[0-9]{{2,4}}){{1,2}})(?: ?: ?(?P<year>{YEAR}))?{END}",
    re.IGNORECASE,
)


def french(place: Place) -> Hit | None:
    """Read 'NF C 15-100', a letter and a number of France alone."""
    match = _FRENCH.match(place.text, place.end)
    if match is None:
        return None
    year = f":{match['year']}" if match["year"] else ""
    return Hit(place.start, match.end(), f"NF {match['letter'].upper()} {match['number']}{year}", KIND)


_GOST = re.compile(
    r"(?P<russian> ?[RР](?=[ 0-9]))?(?: (?P<adopts>ISO/IEC|ИСО/МЭК|ISO|IEC|EN|ИСО|МЭК|ЕН|CISPR))? ?"
    r"(?P<number>[0-9]{1,6}(?:\.[0-9]{1,4}){0,3}(?:-(?!(?:19|20)[0-9]{2}(?![0-9]))[0-9]{1,3}(?=-)){0,3})"
    r"(?: ?- ?(?P<year>(?:19|20)?[0-9]{2}))?(?![0-9A-Za-z\-])",
    re.IGNORECASE,
)
_LATIN = {"ИСО/МЭК": "ISO/IEC", "ИСО": "ISO", "МЭК": "IEC", "ЕН": "EN"}


def gost(place: Place) -> Hit | None:
    """Read 'ГОСТ Р 51232-98', 'GOST IEC 60335-1-2015'."""
    match = _GOST.match(place.text, place.end)
    if match is None:
        return None
    year = match["year"] or ""
    if len(year) == 2:
        year = f"{'19' if int(year) > 30 else '20'}{year}"
    adopts = (match["adopts"] or "").upper()
    body = f" {_LATIN.get(adopts, adopts)}" if adopts else ""
    form = f"GOST{' R' if match['russian'] else ''}{body} {match['number']}{'-' + year if year else ''}"
    return Hit(place.start, match.end(), form, KIND)


# --- wider forms ----------------------------------------------------------------------------------------------------

_LAST_AMENDMENT = re.compile(r"[+/](?:A|AC|Amd|Cor|Add|Suppl|XG)(?: ?[0-9]{1,2})?(?:[:\-][0-9]{4})?$")
_LAST_YEAR = re.compile(r"(?::[0-9]{2,4}|-(?:19|20)[0-9]{2})$")
_LAST_SHORT_YEAR = re.compile(r"(?::[0-9]{2}|-[0-9]{2}[a-z]?|\([0-9]{4}\))$")  # ASTM and CSA print two digits
_LAST_PART = re.compile(r"[.\-][A-Z]{0,2}[0-9]{1,4}[A-Z]?$")
_ADOPTED = re.compile(r"(?:JIS [A-Z]|KS [A-Z]|GOST(?: R)?|[^ ]+) (?=(?:EN|prEN|ISO|IEC|HD|CISPR|CEN|CLC)[ /])")
_TYPED = re.compile(r"(?P<body>ISO|IEC)(?:/IEC)?(?:/IEEE)?[/ ](?:TS|TR|PAS|DIS|FDIS|IEEE|CIE|IDF|SAE)(?:/[A-Z]+)? ")
_JOINTLY = re.compile(r"ISO/IEC(?:/IEEE)? (?=[0-9G])")


def rungs(canonical: str) -> list[str]:
    """Without amendments, year and parts, one after the other; then the same for the standard that is adopted."""
    found = [canonical]
    form = canonical
    while match := _LAST_AMENDMENT.search(form):
        form = form[: match.start()]
        dateless = match.group().partition(":")[0]
        found += [form + dateless, form]  # 'EN 13250:2014+A1' is asked for without the year of A1
    last_year = _LAST_SHORT_YEAR if form.startswith(("ASTM", "CSA", "ULC", "CGSB")) else _LAST_YEAR
    while match := last_year.search(form):
        form = form[: match.start()]
        found.append(form)
    prefix, blank, number = form.rpartition(" ")
    while blank and (match := _LAST_PART.search(number)):
        number = number[: match.start()]
        found.append(f"{prefix} {number}")
    for adopted in _adopted(canonical):
        found += rungs(adopted)
    return found


def undated(canonical: str) -> str:
    """A standard without its amendments and its year: 'EN 71-1:2014+A1:2018' -> 'EN 71-1'."""
    while match := _LAST_AMENDMENT.search(canonical):
        canonical = canonical[: match.start()]
    return _LAST_YEAR.sub("", canonical)


def year_mark(canonical: str) -> str:
    """What stands before the year of such a standard: a dash in China and Russia, else a colon."""
    code = canonical.partition(" ")[0].partition("/")[0]
    return "-" if code in CHINESE_CODES or code in ("T", "Q", "GOST") or code.startswith("DB") else ":"


def _adopted(canonical: str) -> Iterator[str]:
    """'BS EN ISO 12100:2010' -> 'EN ISO 12100:2010'; 'ISO/IEC TS 17021' -> 'ISO 17021', as people type it."""
    if match := _ADOPTED.match(canonical):
        yield canonical[match.end() :]
    elif match := _TYPED.match(canonical):
        yield f"{match['body']} {canonical[match.end() :]}"
    elif match := _JOINTLY.match(canonical):
        yield f"ISO {canonical[match.end() :]}"
        yield f"IEC {canonical[match.end() :]}"
