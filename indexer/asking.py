"""What people say around the words they look for: question words, and days in words.

'最近有哪些玩具因噎住被召回' asks for 玩具, 噎住 and 召回; '2024年上半年' and 'last three months' are ranges of days.
The lists stand in config/vocabulary/asking.toml.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import chain
from pathlib import Path

from library.vocabulary import dates

FILE = Path(__file__).parents[1] / "config" / "vocabulary" / "asking.toml"


@cache
def words_around() -> frozenset[str]:
    """The words that are left out where others remain, casefolded."""
    return frozenset().union(*_lists().values())


def words_of_degree() -> frozenset[str]:
    """Those of them that are left out although the term bank knows them."""
    return _lists()["degree"]


@cache
def _lists() -> dict[str, frozenset[str]]:
    return {
        name: frozenset(word.casefold() for word in chain.from_iterable(by_language.values()))
        for name, by_language in tomllib.loads(FILE.read_text(encoding="utf-8")).items()
    }


# Days in words --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Days:
    """A piece of a text that names days: its place in the text, the first day and the last; None is open."""

    start: int
    end: int
    low: date | None
    high: date | None


Bounds = tuple[date | None, date | None]
MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "january jan januar janvier enero",
            "february feb februar février febrero",
            "march mar märz mars marzo",
            "april apr avril abril",
            "may mai mayo",
            "june jun juni juin junio",
            "july jul juli juillet julio",
            "august aug août agosto",
            "september sep sept septembre septiembre",
            "october oct oktober octobre octubre",
            "november nov novembre noviembre",
            "december dec dezember décembre diciembre",
        ),
        start=1,
    )
    for name in names.split()
}
COUNTS = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "six": 6, "twelve": 12, "几": 3, "半": 0, "两": 2}
UNIT_DAYS = {"天": 1, "日": 1, "day": 1, "周": 7, "星期": 7, "week": 7, "月": 30, "month": 30, "年": 365, "year": 365}
HALF_A_YEAR_DAYS = 183
_YEAR = r"(?<![\d-])(?P<year>(?:19|20)\d\d)"
_QUARTERS = {"一": 1, "二": 2, "三": 3, "四": 4}


def _half(found: re.Match[str], _: date) -> Bounds:
    year, is_first = int(found["year"]), found["half"] in ("上", "first", "1")
    return (date(year, 1, 1), date(year, 6, 30)) if is_first else (date(year, 7, 1), date(year, 12, 31))


def _quarter(found: re.Match[str], _: date) -> Bounds:
    quarter = _QUARTERS.get(found["quarter"]) or int(found["quarter"])
    year, month = int(found["year"]), quarter * 3
    return dates.parse_day_range(f"{year}-{month - 2:02}..{year}-{month:02}")


def _month(found: re.Match[str], _: date) -> Bounds:
    month = found["month"]
    number = int(month) if month.isdecimal() else MONTHS[month.casefold()]
    if not 1 <= number <= 12:
        return None, None
    return dates.parse_day_range(f"{found['year']}-{number:02}")


def _years(found: re.Match[str], _: date) -> Bounds:
    low, high = sorted((int(found["year"]), int(found["last"])))
    return date(low, 1, 1), date(high, 12, 31)


def _since(found: re.Match[str], _: date) -> Bounds:
    return date(int(found["year"]), 1, 1), None


def _this_year(_: re.Match[str], today: date) -> Bounds:
    return date(today.year, 1, 1), None


def _last_year(_: re.Match[str], today: date) -> Bounds:
    return date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)


def _year_before_last(_: re.Match[str], today: date) -> Bounds:
    return date(today.year - 2, 1, 1), date(today.year - 2, 12, 31)


def _this_month(_: re.Match[str], today: date) -> Bounds:
    return today.replace(day=1), None


def _last_month(_: re.Match[str], today: date) -> Bounds:
    last = today.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def _this_week(_: re.Match[str], today: date) -> Bounds:
    return today - timedelta(days=today.weekday()), None


def _past(found: re.Match[str], today: date) -> Bounds:
    printed = found["count"].casefold()
    if printed == "半":
        return today - timedelta(days=HALF_A_YEAR_DAYS), None
    count = int(printed) if printed.isdecimal() else COUNTS.get(printed) or dates.han_number(printed)
    length = count * UNIT_DAYS[found["unit"].casefold()]
    return (today - timedelta(days=length), None) if length < today.toordinal() else (None, None)


_YEAR_OF_HAN = re.compile(r"(?:一九|二[〇零○])[〇零○一二三四五六七八九]{2}(?=年|[^\u4e00-\u9fff]|$)")
_YEAR_OF_TWO_DIGITS = re.compile(r"(?<![\d近年第每这])(?<!过去)(?P<digits>\d\d)年(?!度?[前内来以之间期限龄保后半])")
_BUSINESS_YEAR = re.compile(r"(?<=(?:19|20)\d\d年)度(?!报)")
OLDEST_SHORT_YEAR = 10  # '05年' may be said of goods that are five years old


def with_plain_years(text: str, today: date) -> str:
    """Write years as records have them, in four digits.

    >>> with_plain_years("二〇二四年玩具", date(2031, 2, 14)), with_plain_years("24年度召回", date(2031, 2, 14))
    ('2024年玩具', '2024年召回')
    """

    def four_digits(found: re.Match[str]) -> str:
        is_year = OLDEST_SHORT_YEAR <= int(found["digits"]) <= today.year % 100 + 1
        return f"{today.year // 100}{found[0]}" if is_year else found[0]

    plain = _YEAR_OF_HAN.sub(lambda found: str(dates.han_number(found[0])), text)
    return _BUSINESS_YEAR.sub("", _YEAR_OF_TWO_DIGITS.sub(four_digits, plain))


_READINGS: tuple[tuple[str, Callable[[re.Match[str], date], Bounds]], ...] = (
    (rf"{_YEAR}年?(?P<half>上|下)半年", _half),
    (rf"(?P<half>first|second) half (?:of )?{_YEAR}", _half),
    (rf"{_YEAR}年?第?(?P<quarter>[一二三四1-4])季度", _quarter),
    (rf"Q(?P<quarter>[1-4]) {_YEAR}", _quarter),
    (rf"{_YEAR}年(?P<month>\d\d?)月份?(?!\d)", _month),
    (rf"{_YEAR}년 ?(?P<month>\d\d?)월", _month),
    (rf"\b(?P<month>{'|'.join(sorted(MONTHS, key=len, reverse=True))}) (?:de )?{_YEAR}\b", _month),
    (rf"{_YEAR}年?[至到]-?(?P<last>(?:19|20)\d\d)年?", _years),
    (rf"\b(?:between|from) {_YEAR} (?:and|to) (?P<last>(?:19|20)\d\d)\b", _years),
    (rf"自?{_YEAR}年?(?:以来|以后|之后|至今|起)", _since),
    (rf"\b(?:since|after|depuis|seit|desde) {_YEAR}\b", _since),
    (r"今年以?来?|本年度?|올해|\b(?:this year|cette année|dieses jahr|este año)\b", _this_year),
    (r"去年|上一年|昨年|작년|\b(?:last year|previous year|année dernière|letztes jahr|año pasado)\b", _last_year),
    (r"前年|\byear before last\b", _year_before_last),
    (r"本月|这个月|今月|이번 달|\b(?:this month|ce mois|diesen monat|este mes)\b", _this_month),
    (r"上个?月|先月|지난달|\b(?:last month|previous month|mois dernier|letzten monat|mes pasado)\b", _last_month),
    (r"本周|这周|这个星期|今週|이번 주|\b(?:this week|cette semaine|diese woche|esta semana)\b", _this_week),
    (
        r"(?:最近|近|过去|最近的)(?P<count>\d{1,3}|[一二三四五六七八九十两几]{1,3}|半)个?(?P<unit>天|日|周|星期|月|年)(?:内|来|以来)?",
        _past,
    ),
    (
        r"\b(?:last|past|previous) (?P<count>\d{1,3}|a|one|two|three|four|six|twelve) (?P<unit>day|week|month|year)s?\b",
        _past,
    ),
)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], Bounds]], ...]:
    return tuple((re.compile(pattern, re.IGNORECASE), read) for pattern, read in _READINGS)


def days_in(text: str, today: date) -> Iterator[Days]:
    """Yield the days that a text names in words, from left to right; a year by itself is left to the reader of words.

    >>> [(found.low, found.high) for found in days_in("2024年上半年", date(2031, 2, 14))]
    [(datetime.date(2024, 1, 1), datetime.date(2024, 6, 30))]
    """
    done = 0
    found = [(match, read) for pattern, read in _patterns() for match in pattern.finditer(text)]
    for match, read in sorted(found, key=lambda pair: (pair[0].start(), -pair[0].end())):
        low, high = read(match, today) if match.start() >= done else (None, None)
        if low or high:
            yield Days(match.start(), match.end(), low, high)
            done = match.end()
