"""Codes of goods and substances: HS, ICS, GTIN, CAS. Each door answers the canonical form, or None for anything else."""

from __future__ import annotations

import re

from stdnum import casrn, ean

from library.vocabulary.folding import fold_characters

ICS_FIELDS = frozenset(
    (
        1,
        3,
        7,
        11,
        13,
        17,
        19,
        21,
        23,
        25,
        27,
        29,
        31,
        33,
        35,
        37,
        39,
        43,
        45,
        47,
        49,
        53,
        55,
        59,
        61,
        65,
        67,
        71,
        73,
        75,
        77,
    )
    + (79, 81, 83, 85, 87, 91, 93, 95, 97, 99)
)
_HS = re.compile(r"(?:[0-9][ .\-]?){2,10}")
_ICS = re.compile(r"([0-9]{2})(?:\.([0-9]{3})(?:\.([0-9]{2}))?)?")
_GTIN_LENGTHS = {8, 12, 13, 14}


def hs_code(printed: str) -> str | None:
    """Digits of an HS or national tariff code, 2 to 10 of them; dots and spaces are dropped.

    >>> hs_code("9503.00.00"), hs_code("0207"), hs_code("98765432101")
    ('95030000', '0207', None)
    """
    text = fold_characters(printed).strip().rstrip(".")
    if not _HS.fullmatch(text):
        return None
    digits = re.sub(r"[^0-9]", "", text)
    chapter = digits[:2]
    return digits if chapter != "00" and 2 <= len(digits) <= 10 else None


def hs_levels(code: str) -> tuple[str, ...]:
    """An HS code and its parents, widest first.

    >>> hs_levels("95030021")
    ('95', '9503', '950300', '95030021')
    """
    return tuple(dict.fromkeys(code[:length] for length in (2, 4, 6, 8, 10, len(code)) if length <= len(code)))


def ics_code(printed: str) -> str | None:
    """A dotted ICS code of a field that exists: field, group or sub-group.

    >>> ics_code("97.200.50"), ics_code("13.020"), ics_code("98.100")
    ('97.200.50', '13.020', None)
    """
    text = re.sub(r"\s", "", fold_characters(printed)).rstrip(".")
    match = _ICS.fullmatch(text)
    return text if match and int(match[1]) in ICS_FIELDS else None


def ics_levels(code: str) -> tuple[str, ...]:
    """An ICS code and its parents, widest first. Raises ValueError for anything else.

    >>> ics_levels("97.200.50")
    ('97', '97.200', '97.200.50')
    """
    if not _ICS.fullmatch(code):
        raise ValueError(f"{code!r} is not an ICS code")
    parts = code.split(".")
    return tuple(".".join(parts[:length]) for length in range(1, len(parts) + 1))


def gtin(printed: str) -> str | None:
    """The 14-digit form of an EAN-8, UPC-12, EAN-13 or GTIN-14 whose check digit is right; else None.

    UPC 196710005616 and EAN 0196710005616 are one product; with 14 digits they are one string.

    >>> gtin("1 96710 00561 6")
    '00196710005616'
    """
    digits = re.sub(r"[ \-]", "", fold_characters(printed))
    if not re.fullmatch(r"[0-9]+", digits) or len(digits) not in _GTIN_LENGTHS or not digits.strip("0"):
        return None
    if ean.calc_check_digit(digits[:-1]) != digits[-1]:
        return None
    return digits.zfill(14)


def cas(printed: str) -> str | None:
    """A CAS registry number whose check digit is right; else None.

    >>> cas("80-54-6"), cas("80-54-7")
    ('80-54-6', None)
    """
    text = fold_characters(printed).strip()
    return text if re.fullmatch(r"[1-9][0-9]{1,6}-[0-9]{2}-[0-9]", text) and casrn.is_valid(text) else None
