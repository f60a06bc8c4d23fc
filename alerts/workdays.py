"""Workdays of mainland China: what the State Council made days off and days of work, and weekends beyond what is known.

The days come from the package chinesecalendar, which is renewed when the next year's are announced, in November.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import chinese_calendar

LOOK_BACK_DAYS = 14  # longer than any row of days off


class Workday(NamedTuple):
    """A day of work. is_sure: the year's holidays are announced; without them only weekends are days off."""

    day: date
    is_sure: bool


def last_workday(until: date) -> Workday:
    """The last day of work up to a day, the day included.

    >>> last_workday(date(2026, 10, 5))
    Workday(day=datetime.date(2026, 9, 30), is_sure=True)
    """
    days = [until - timedelta(days=back) for back in range(LOOK_BACK_DAYS)]
    try:
        return Workday(next(day for day in days if chinese_calendar.is_workday(day)), True)
    except NotImplementedError:  # a year that is not announced, or before there were any
        return Workday(next(day for day in days if day.weekday() < 5), False)


def day_off(day: date) -> str:
    """The name of the holiday a day belongs to, in Chinese; '' for a plain day."""
    try:
        is_holiday, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return ""
    return HOLIDAYS.get(str(name), "") if is_holiday and name else ""


HOLIDAYS = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-autumn Festival": "中秋节",
    "National Day": "国庆节",
}
