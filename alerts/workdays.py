"""Workdays of mainland China: what the State Council made days off and days of work, and weekends beyond what is known.

The days come from the package chinesecalendar, which is renewed when the next year's are announced, in November, and from
config/holidays.toml, where staff write a year that the package does not know yet.
"""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import chinese_calendar

from library.settings import CONFIG

log = logging.getLogger(__name__)

FILE = CONFIG / "holidays.toml"
LOOK_BACK_DAYS = 14  # longer than any row of days off


class HolidayError(ValueError):
    """A file of holidays that cannot be meant; the message names the year."""


class Workday(NamedTuple):
    """A day of work. is_sure: the holidays of the year are announced; without them only weekends are days off."""

    day: date
    is_sure: bool


@dataclass(frozen=True, slots=True)
class Year:
    """One year as staff wrote it down: day off -> name, and the weekend days that are worked."""

    off: Mapping[date, str]
    work: frozenset[date]


def last_workday(until: date, *, file: Path = FILE) -> Workday:
    """The last day of work up to a day, the day included.

    >>> last_workday(date(2026, 10, 5))
    Workday(day=datetime.date(2026, 9, 30), is_sure=True)
    """
    is_sure = True
    for back in range(LOOK_BACK_DAYS):
        day = until - timedelta(days=back)
        is_sure = is_sure and is_known(day.year, file=file)
        if _is_worked(day, file):
            return Workday(day, is_sure)
    raise HolidayError(f"{file.name}: the {LOOK_BACK_DAYS} days up to {until} are all days off")


def day_off(day: date, *, file: Path = FILE) -> str:
    """The name of the holiday a day belongs to, in Chinese; '' for a plain day."""
    if (year := _years(file).get(day.year)) is not None:
        return year.off.get(day, "")
    try:
        is_holiday, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return ""
    return HOLIDAYS.get(str(name), "") if is_holiday and name else ""


def is_known(year: int, *, file: Path = FILE) -> bool:
    """Whether the holidays of a year are known."""
    return year in _years(file) or _package_knows(year)


def known_until(today: date, *, file: Path = FILE) -> int:
    """The last year of which the holidays are known, from this year on; the year before where even this one's are not."""
    year = today.year - 1
    while is_known(year + 1, file=file):
        year += 1
    return year


def _is_worked(day: date, file: Path) -> bool:
    if (year := _years(file).get(day.year)) is not None:
        return day in year.work or (day.weekday() < 5 and day not in year.off)
    if _package_knows(day.year):
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < 5


@cache
def _package_knows(year: int) -> bool:
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


@cache
def _years(file: Path) -> Mapping[int, Year]:
    """The years of a file; of one that cannot be read none, since a slip in it must hold up no alert."""
    try:
        return read_years(file)
    except (HolidayError, OSError) as error:
        log.error(
            "alerts: the holidays cannot be read, and weekends count alone where the package knows no year: %s", error
        )
        return {}


def read_years(file: Path = FILE) -> Mapping[int, Year]:
    """The years of a file. Raises HolidayError naming the year that cannot be meant, and OSError."""
    try:
        tables: Mapping[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HolidayError(f"{file.name}: {error}") from error
    years = {}
    for name, table in tables.items():
        if not name.isdecimal() or len(name) != 4 or not isinstance(table, dict):
            raise HolidayError(f"{file.name}: {name!r} is no year")
        try:
            years[int(name)] = _year(int(name), table)
        except (KeyError, TypeError, AttributeError) as error:
            raise HolidayError(f"{file.name}: {name}: a row needs a name, a first and a last day: {error}") from error
    return years


def _year(number: int, table: Mapping[str, Any]) -> Year:
    if unknown := table.keys() - {"announced", "off", "work"}:
        raise HolidayError(f"{number}: nobody knows {', '.join(sorted(unknown))}")
    off: dict[date, str] = {}
    for row in table.get("off", ()):
        first, last = row["first"], row["last"]
        if last < first or (last - first).days > 31:
            raise HolidayError(f"{number}: {row['name']} is from {first} to {last}")
        off |= {first + timedelta(days=step): row["name"] for step in range((last - first).days + 1)}
    work = frozenset(table.get("work", ()))
    if strange := [day for day in (*off, *work) if day.year != number] or sorted(work & off.keys()):
        raise HolidayError(f"{number}: {strange[0]} is of another year, or both off and worked")
    if not off:
        raise HolidayError(f"{number}: no day off stands there; a year is written down once it is announced")
    return Year(off, work)


HOLIDAYS = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-autumn Festival": "中秋节",
    "National Day": "国庆节",
}
