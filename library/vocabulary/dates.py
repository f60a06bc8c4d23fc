"""Dates: every printed day, month or year enters here, and nothing is guessed.

The only file of the project that calls `strptime`. A calendar day has no zone: a timestamp gives the day it prints.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from datetime import date, datetime

from library.vocabulary.folding import fold_characters

# First day of each Japanese era, and the first year of the Republic of China calendar; official gazettes print both.
ERAS = {
    "令和": date(2019, 5, 1),
    "平成": date(1989, 1, 8),
    "昭和": date(1926, 12, 25),
    "大正": date(1912, 7, 30),
    "明治": date(1868, 1, 25),
}
ERA_ENDS = {"平成": date(2019, 4, 30), "昭和": date(1989, 1, 7), "大正": date(1926, 12, 24), "明治": date(1912, 7, 29)}
ERA_LETTERS = {"R": "令和", "H": "平成", "S": "昭和", "T": "大正", "M": "明治"}
MINGUO_OFFSET = 1911

YEARS = range(1800, 2200)  # outside stands a typing error or a placeholder: CELLAR prints 1001-01-01 for 'no date'

HAN_DIGITS = {
    digit: value
    for value, digits in enumerate(
        ("零〇○", "一壹壱", "二贰弐", "三叁参", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
    )
    for digit in digits
}
HAN_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_HAN_NUMBER = "".join((*HAN_DIGITS, *HAN_UNITS, "廿卅元"))
_NUMBER = rf"[0-9{_HAN_NUMBER}]{{1,8}}"
_HAN_DATE = re.compile(
    rf"(?P<era>令和|平成|昭和|大正|明治|民国|民國|公元|西暦|西元|中华民国|中華民國)?\s*(?P<year>{_NUMBER})\s*年"
    rf"(?:\s*(?P<month>{_NUMBER})\s*月(?:\s*(?P<day>{_NUMBER})\s*[日号號])?)?"
)
_KOREAN_DATE = re.compile(r"(?P<year>[0-9]{4})\s*년(?:\s*(?P<month>[0-9]{1,2})\s*월(?:\s*(?P<day>[0-9]{1,2})\s*일)?)?")
_ERA_LETTER_DATE = re.compile(r"(?P<era>[RHSTM])\.?(?P<year>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<day>[0-9]{1,2})")
_ISO_DAY = re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})")
_ISO_TIME = re.compile(
    r"[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?\s*(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?"
)
_COMPACT_DAY = re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})")
_PERIOD = re.compile(r"(?P<year>[0-9]{4})(?:[-/.](?P<month>[0-9]{1,2})(?:[-/.](?P<day>[0-9]{1,2}))?)?")
_RANGE_SIGN = re.compile(r"\s*(?:\.{2,3}|…|~|〜|至|到)\s*")


def parse_date(printed: str, formats: Sequence[str]) -> date:
    """Read a calendar day as a source prints it.

    formats: strptime patterns, tried in order; they stand in the source's facts. The pattern 'iso' stands for `parse_loose`,
    'han' for Chinese and Japanese day forms ('二〇二四年三月一日', '令和8年4月1日').
    Returns a date without zone. Raises ValueError if no pattern fits; nothing is guessed.

    >>> parse_date("05.03.2024", ["%d.%m.%Y"])
    datetime.date(2024, 3, 5)
    """
    text = fold_characters(printed).strip()
    for pattern in formats:
        try:
            if pattern == "iso":
                return parse_loose(text)
            if pattern == "han":
                return parse_han(text)
            return _checked(datetime.strptime(text, pattern).date())
        except ValueError:
            continue
    raise ValueError(f"no pattern in {list(formats)} fits the date {printed!r}")


def parse_loose(printed: str) -> date:
    """Read ISO days ('2024-03-05'), 'yyyymmdd' and ISO timestamps, whose day is the one printed. Raises ValueError.

    >>> parse_loose("2026-07-01T23:46:08.935-05:00")
    datetime.date(2026, 7, 1)
    """
    text = fold_characters(printed).strip()
    match = _ISO_DAY.match(text)
    if match and (match.end() == len(text) or _ISO_TIME.fullmatch(text, match.end())):
        return _day(match["year"], match["month"], match["day"])
    if match := _COMPACT_DAY.fullmatch(text):
        return _day(match["year"], match["month"], match["day"])
    raise ValueError(f"{printed!r} is neither an ISO day, nor yyyymmdd, nor an ISO timestamp")


def parse_han(printed: str) -> date:
    """Read a whole day in Chinese, Japanese or Korean form, era years too. Raises ValueError.

    >>> parse_han("二〇二四年三月一日"), parse_han("令和8年4月1日")
    (datetime.date(2024, 3, 1), datetime.date(2026, 4, 1))
    """
    first, last = _han_period(printed)
    if first != last:
        raise ValueError(f"{printed!r} names no day")
    return first


def parse_day_range(printed: str) -> tuple[date | None, date | None]:
    """Read a period: a year, a month, a day, or two of them with '..' between; an open end is None.

    Both ends belong to the period. Raises ValueError for anything else, and where the end lies before the start.

    >>> parse_day_range("2024-01..2024-06")
    (datetime.date(2024, 1, 1), datetime.date(2024, 6, 30))
    >>> parse_day_range("2024-01-15..")
    (datetime.date(2024, 1, 15), None)
    """
    text = fold_characters(printed).strip()
    parts = _RANGE_SIGN.split(text)
    if len(parts) == 1:
        return _period(text)
    if len(parts) != 2 or not any(parts):
        raise ValueError(f"{printed!r} is not a period such as 2024, 2024-01..2024-06 or 2024-01-15..")
    first = _period(parts[0])[0] if parts[0] else None
    last = _period(parts[1])[1] if parts[1] else None
    if first and last and last < first:
        raise ValueError(f"the period {printed!r} ends before it begins")
    return first, last


def han_number(printed: str) -> int:
    """Read a number in Chinese numerals or digits: '二百三十一', '二〇二四', '廿五', '元', '31'. Raises ValueError.

    >>> han_number("二百三十一"), han_number("二〇二四")
    (231, 2024)
    """
    text = fold_characters(printed).strip()
    if re.fullmatch(r"[0-9]+", text):
        return int(text)
    if text == "元":
        return 1
    text = text.replace("廿", "二十").replace("卅", "三十")
    if text and all(character in HAN_DIGITS for character in text):
        return int("".join(str(HAN_DIGITS[character]) for character in text))
    total, digit, unit_before = 0, None, 10_000
    for character in text:
        if character in HAN_UNITS:
            unit = HAN_UNITS[character]
            if unit >= unit_before or digit == 0:
                raise ValueError(f"{printed!r} is not a number")
            total += (1 if digit is None else digit) * unit
            digit, unit_before = None, unit
        elif character in HAN_DIGITS:
            if digit:
                raise ValueError(f"{printed!r} is not a number")
            digit = HAN_DIGITS[character] or None
        else:
            raise ValueError(f"{printed!r} is not a number")
    if not text:
        raise ValueError("an empty text is not a number")
    return total + (digit or 0)


def _period(text: str) -> tuple[date, date]:
    if match := _PERIOD.fullmatch(text):
        return _bounds(int(match["year"]), _number(match["month"]), _number(match["day"]))
    if _COMPACT_DAY.fullmatch(text):
        day = parse_loose(text)
        return day, day
    return _han_period(text)


def _han_period(printed: str) -> tuple[date, date]:
    text = fold_characters(printed).strip()
    match = _HAN_DATE.fullmatch(text) or _KOREAN_DATE.fullmatch(text) or _ERA_LETTER_DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{printed!r} is not a day, a month or a year")
    groups = match.groupdict()
    era = groups.get("era") or ""
    era = ERA_LETTERS.get(era, era)
    year = han_number(groups["year"])
    if era in ERAS:
        if year < 1:
            raise ValueError(f"{printed!r}: an era begins with its first year")
        year += ERAS[era].year - 1
    elif "民" in era:
        year += MINGUO_OFFSET
    elif len(groups["year"]) != 4:
        raise ValueError(f"{printed!r}: a year has four digits")  # '24年' may be 2024 or the 24th of an era
    month = han_number(groups["month"]) if groups["month"] else None
    day = han_number(groups["day"]) if groups["day"] else None
    first, last = _bounds(year, month, day)
    if era in ERAS:
        first, last = max(first, ERAS[era]), min(last, ERA_ENDS.get(era, last))
        if first > last:
            raise ValueError(f"{printed!r} lies outside the era")  # 平成32年 never was
    return first, last


def _number(digits: str | None) -> int | None:
    return int(digits) if digits else None


def _bounds(year: int, month: int | None, day: int | None) -> tuple[date, date]:
    if month is None:
        return _checked(date(year, 1, 1)), date(year, 12, 31)
    if day is None:
        first = _checked(date(year, month, 1))
        return first, first.replace(day=monthrange(year, month)[1])
    only = _checked(date(year, month, day))
    return only, only


def _day(year: str, month: str, day: str) -> date:
    return _checked(date(int(year), int(month), int(day)))


def _checked(day: date) -> date:
    if day.year not in YEARS:
        raise ValueError(f"the year {day.year} is a placeholder or an error")
    return day
