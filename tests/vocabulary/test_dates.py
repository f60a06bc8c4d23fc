"""Days, months and years are read as printed, and nothing is guessed."""

from __future__ import annotations

from datetime import date

import pytest

from library.vocabulary.dates import han_number, parse_date, parse_day_range, parse_han, parse_loose


def test_the_patterns_of_a_source_are_tried_in_order():
    assert parse_date("05/03/2024", ["%d.%m.%Y", "%d/%m/%Y"]) == date(2024, 3, 5)
    assert parse_date("Oct 30, 2024", ["%b %d, %Y"]) == date(2024, 10, 30)
    assert parse_date("2023年10月5日", ["%Y年%m月%d日"]) == date(2023, 10, 5)
    assert parse_date(" ２０２４-０３-０５ ", ["%Y-%m-%d"]) == date(2024, 3, 5)


@pytest.mark.parametrize("printed", ["2024-02-30", "30/02/2024", "", "2024", "soon", "1001-01-01"])
def test_a_day_that_never_was_is_refused(printed):
    with pytest.raises(ValueError, match="no pattern"):
        parse_date(printed, ["%Y-%m-%d", "%d/%m/%Y", "iso", "han"])


@pytest.mark.parametrize(
    ("printed", "day"),
    [
        ("2024-03-05", date(2024, 3, 5)),
        ("20240305", date(2024, 3, 5)),
        ("2026-07-01T23:46:08.935Z", date(2026, 7, 1)),
        ("2026-09-10T00:00:00", date(2026, 9, 10)),
        ("2026-07-01T00:30:00+02:00", date(2026, 7, 1)),
        ("2026-07-01 09:15", date(2026, 7, 1)),
    ],
)
def test_iso_days_and_timestamps_give_the_day_they_print(printed, day):
    assert parse_loose(printed) == day


@pytest.mark.parametrize(
    "printed", ["2024-3-5", "05.03.2024", "2024-13-01", "202403", "2024-03-05 or later", "20240230", "2024-03-05T"]
)
def test_what_is_not_iso_is_refused(printed):
    with pytest.raises(ValueError):
        parse_loose(printed)


@pytest.mark.parametrize(
    ("printed", "day"),
    [
        ("2023年10月5日", date(2023, 10, 5)),
        ("二〇二四年三月一日", date(2024, 3, 1)),
        ("二○二四年十二月三十一日", date(2024, 12, 31)),
        ("令和8年4月1日", date(2026, 4, 1)),
        ("令和元年五月一日", date(2019, 5, 1)),
        ("昭和64年1月7日", date(1989, 1, 7)),
        ("平成二十三年三月十一日", date(2011, 3, 11)),
        ("民國113年5月1日", date(2024, 5, 1)),
        ("R6.4.1", date(2024, 4, 1)),
        ("2024년 5월 7일", date(2024, 5, 7)),
        ("２０２３年１０月５日", date(2023, 10, 5)),
    ],
)
def test_chinese_japanese_and_korean_days_are_read(printed, day):
    assert parse_han(printed) == day


@pytest.mark.parametrize(
    "printed", ["平成32年1月1日", "昭和64年1月8日", "令和0年1月1日", "24年3月1日", "2023年2月30日", "2024年3月", "今天"]
)
def test_days_outside_an_era_and_parts_of_days_are_refused(printed):
    with pytest.raises(ValueError):
        parse_han(printed)


@pytest.mark.parametrize(
    ("printed", "first", "last"),
    [
        ("2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2024-01-15", date(2024, 1, 15), date(2024, 1, 15)),
        ("2024-01-15..", date(2024, 1, 15), None),
        ("..2024-06", None, date(2024, 6, 30)),
        ("2024-01..2024-06", date(2024, 1, 1), date(2024, 6, 30)),
        ("2024年3月", date(2024, 3, 1), date(2024, 3, 31)),
        ("2023年10月5日至2024年", date(2023, 10, 5), date(2024, 12, 31)),
        ("令和8年", date(2026, 1, 1), date(2026, 12, 31)),
        ("平成31年", date(2019, 1, 1), date(2019, 4, 30)),
        ("2024～2025", date(2024, 1, 1), date(2025, 12, 31)),
    ],
)
def test_a_period_has_both_its_ends(printed, first, last):
    assert parse_day_range(printed) == (first, last)


@pytest.mark.parametrize(
    "printed", ["", "..", "2024..2023", "24", "2024-13", "2024-02-30", "2024..2025..2026", "last week", "平成32年"]
)
def test_what_is_no_period_is_refused(printed):
    with pytest.raises(ValueError):
        parse_day_range(printed)


@pytest.mark.parametrize(
    ("printed", "number"),
    [("十", 10), ("二十三", 23), ("一百零五", 105), ("二百三十一", 231), ("千二百", 1200), ("廿五", 25), ("31", 31)],
)
def test_chinese_numerals_are_numbers(printed, number):
    assert han_number(printed) == number


@pytest.mark.parametrize("printed", ["", "十百", "abc", "十十"])
def test_what_is_no_numeral_is_refused(printed):
    with pytest.raises(ValueError):
        han_number(printed)
