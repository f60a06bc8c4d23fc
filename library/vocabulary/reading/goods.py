"""Readers of codes of goods in prose: HS, ICS, CAS, GTIN. What a code is, says `library.vocabulary.codes`."""

from __future__ import annotations

import re

from library.vocabulary import codes
from library.vocabulary.reading.place import NOT_A_NUMBER, UNIT_BEHIND, WORDS, Hit, Place, Reader, tight_start, words

_LAST_HEADINGS: list[int] = WORDS["last_headings"]
SECTION_LIST_CHARACTERS = 60
_RANGE = re.compile(r" ?(?:[~\-至到]|to|bis|à|a) ?")
_NATIONAL_CHAPTERS = (98, 99)
_HS_BEFORE = re.compile(
    r"(?:(?P<tight>(?:海关|进出口|进口|出口)?"
    r"(?P<name>(?<![A-Za-z])(?:HTSUSA|HTSUS|HTS|HS|H\.S\.|NCM|AHTN|(?:CN|TARIC)(?= codes?)))"
    r"(?:[ \-]?(?:codes?|numbers?|nos?\.?|nr\.?|headings?|subheadings?|编码|编号|码|号|コード|코드|番号|번호)){0,2}(?:\(s\))?"
    r"|(?<![A-Za-z])(?:(?:customs )?tariff (?:items?|codes?|headings?|subheadings?|lines?|numbers?)|customs codes?"
    r"|commodity codes?|harmoni[sz]ed (?:system )?codes?|zolltarifnummer|KN-Code)(?: (?:nos?\.?|numbers?))?"
    r"|関税(?:番号|コード)|税番|세번|(?:海关|关税)(?:编码|编号|代码|号列)"
    r"|(?:海关|进出口|进口|出口|关税)?(?:(?:商品|税则|税目|品目)(?:税号|编码|编号|号列|代码)|(?:税则|税目|品目)号?|税号))"
    r"|(?<![A-Za-z])subheadings?|(?<![A-Za-z])headings?(?: nos?\.?)?)[ :#(为]{0,3}$",
    re.IGNORECASE,
)
_HS_NUMBER = re.compile(
    r"[0-9]{2}(?:\.?[0-9]{2}(?:[. ]?[0-9]{2}(?:[. ]?[0-9]{2}(?:[. ]?[0-9]{2})?)?)?)?(?![0-9]|[.][0-9]|[A-Za-z])"
)
_HS_DOTTED = re.compile(r"[0-9]{4}\.[0-9]{2}(?:\.[0-9]{2}(?:\.?[0-9]{2})?|\.[0-9]{4})?(?![0-9A-Za-z]|[.,][0-9])")


def hs(place: Place) -> Hit | None:
    """Read 'HS 8517', 'HS code: 9503.00.00', '海关税号8517', 'tariff code 8517', and dotted codes alone: '8517.62.00'."""
    if not 2 <= len(place.word) <= 10:
        return None
    match = _HS_NUMBER.match(place.text, place.start)
    context = place.context(_HS_BEFORE) if match else None
    if match and (context or place.continues("hs")):
        digits = codes.hs_code(match.group())
        is_named = place.is_whole or (context is not None and context["name"])
        if digits is None or not _is_heading(digits) or (len(digits) < 4 and not is_named):
            return None
        if not is_named and place.is_counted(match.end()):
            return None  # '品目1001种', '税则2008版'
        return Hit(tight_start(place, context), match.end(), f"HS {digits}", "hs")
    match = _HS_DOTTED.match(place.text, place.start)
    if match is None or not _is_heading(match.group()) or _is_amount(place, match.end()):
        return None
    before = place.before
    if before is not None and before.kind == "cfr" and place.start - before.end < SECTION_LIST_CHARACTERS:
        return None  # '21 CFR 1301.74(b) and (c), 1301.76'
    if before is not None and before.kind == "standard" and _RANGE.fullmatch(place.text, before.end, place.start):
        return None  # 'GB 4806.1~4806.11'
    return Hit(place.start, match.end(), f"HS {match.group().replace('.', '')}", "hs")


def is_dotted_heading(printed: str) -> bool:
    """Whether a number is a code of goods by its looks: '9503.10', of a heading that exists.

    >>> is_dotted_heading("9503.10"), is_dotted_heading("5170.10")
    (True, False)
    """
    return _HS_DOTTED.fullmatch(printed) is not None and _is_heading(printed)


def _is_heading(digits: str) -> bool:
    """Whether chapter and heading exist: '1234.56' is an amount, since chapter 12 ends with heading 14."""
    chapter = int(digits[:2])
    if chapter in _NATIONAL_CHAPTERS:
        return True
    if not 1 <= chapter <= len(_LAST_HEADINGS) or not _LAST_HEADINGS[chapter - 1]:
        return False
    return len(digits) < 4 or 1 <= int(digits[2:4]) <= _LAST_HEADINGS[chapter - 1]


def _is_amount(place: Place, end: int) -> bool:
    return bool(NOT_A_NUMBER.search(place.behind(14)) or UNIT_BEHIND.match(place.text, end))


_ICS_BEFORE = re.compile(
    r"(?P<tight>(?<![A-Za-z])ICS(?: ?(?:codes?|分类号?|号|コード|코드|numbers?|nos?\.?))?(?:\(s\))?"
    r"|国际标准分类(?:法|号|代码)?)[ :#(为]{0,3}$",
    re.IGNORECASE,
)
_ICS_NUMBER = re.compile(r"[0-9]{2}(?:\.[0-9]{3}(?:\.[0-9]{2})?)?(?![0-9A-Za-z]|[.,][0-9])")
_SUB_GROUP_LENGTH = len("97.200.50")


def ics(place: Place) -> Hit | None:
    """Read 'ICS 97.200', and sub-groups alone: '97.200.50'."""
    if len(place.word) != 2:
        return None
    match = _ICS_NUMBER.match(place.text, place.start)
    code = codes.ics_code(match.group()) if match else None
    if match is None or code is None:
        return None
    context = place.context(_ICS_BEFORE)
    is_named = context is not None or place.continues("ics") or (place.is_whole and "." in code)
    if not is_named and (len(code) < _SUB_GROUP_LENGTH or _is_amount(place, match.end())):
        return None
    return Hit(tight_start(place, context), match.end(), f"ICS {code}", "ics")


_CAS_BEFORE = re.compile(
    r"(?P<tight>(?<![A-Za-z])CAS)"
    r"(?:[ \-]?(?:RN|registry|numbers?|nummer|nos?\.?|nr\.?|n\.?[°º]|编号|号|登记号|番号|번호)){0,2}[ :#(]{0,3}$",
    re.IGNORECASE,
)
_CAS_NUMBER = re.compile(r"[1-9][0-9]{1,6}-[0-9]{2}-[0-9](?![0-9A-Za-z]|-[0-9])")
_DAY = re.compile(r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-")


def cas(place: Place) -> Hit | None:
    """Read 'CAS No. 80-54-6' and '80-54-6', check digit and all; '2024-05-1' is a day."""
    match = _CAS_NUMBER.match(place.text, place.start)
    number = codes.cas(match.group()) if match else None
    if match is None or number is None:
        return None
    context = place.context(_CAS_BEFORE)
    if context is None and _DAY.match(number) and not place.is_whole:
        return None
    return Hit(tight_start(place, context), match.end(), f"CAS {number}", "cas")


_GTIN_BEFORE = re.compile(
    r"(?P<tight>(?<![A-Za-z])(?:UPC|EAN|GTIN|JAN)s?(?:[ \-]?(?:A|8|12|13|14)(?![0-9A-Za-z]))?"
    r"|bar ?codes?|(?:商品|产品)?条形?码|バーコード|바코드|code[ \-]barres|strichcode|código de barras)"
    r"(?: ?(?:codes?|numbers?|nos?\.?|#|编号|码|コード|코드))?(?:\(s\))?[ :#(]{0,3}(?:is |are |of |为)?$",
    re.IGNORECASE,
)
_GTIN_NUMBER = re.compile(r"[0-9](?:[ \-]?[0-9]){7,13}(?![0-9A-Za-z]|-[0-9]|\.[0-9])")
_BOOK = re.compile(r"97[ \-]?[89](?=(?:[ \-]?[0-9]){10}$)")
_GS1_RANGES = tuple(
    (int(first), int(last)) for first, _, last in (part.partition("-") for part in words("gs1_prefixes"))
)


def gtin(place: Place) -> Hit | None:
    """Read 'UPC 196710005616', 'EAN 6 901234 567892'; alone only 13 or 14 digits that GS1 can have given."""
    match = _GTIN_NUMBER.match(place.text, place.start)
    if match is None:
        return None
    context = place.context(_GTIN_BEFORE)
    is_named = context is not None or place.continues("gtin")
    if not is_named and _BOOK.match(match.group()):
        return None  # the number of a book, unless it is called its barcode
    is_named = is_named or place.is_whole
    if not is_named and len(place.word) not in (13, 14):
        return None
    number = codes.gtin(match.group())
    if number is None:
        return None
    if not is_named and not any(first <= int(number[1:4]) <= last for first, last in _GS1_RANGES):
        return None
    return Hit(tight_start(place, context), match.end(), f"GTIN {number}", "gtin")


GLUED: dict[str, Reader] = {
    "hs": hs, "hts": hs, "hscode": hs, "ics": ics, "cas": cas, "gtin": gtin, "ean": gtin, "upc": gtin, "jan": gtin
}  # fmt: skip
_DIGITS = re.compile(r"[0-9]+")
_MODEL_BEFORE = re.compile(
    r"(?:model|type|typ|part|item|型号|款号|货号|型番|品番|모델)[^0-9,.;，。；]{0,8}$", re.IGNORECASE
)


def glued(place: Place) -> Hit | None:
    """Read 'HS8517', 'CAS80-54-6', 'EAN4006381333931': a designation and its number without a blank."""
    digits = _DIGITS.match(place.text, place.end)
    if digits is None or _MODEL_BEFORE.search(place.behind(16)):
        return None
    inner = place._replace(start=digits.start(), end=digits.end(), word=digits.group(), before=None)
    hit = GLUED[place.word.lower()](inner)
    return hit if hit and hit.start <= place.start else None
