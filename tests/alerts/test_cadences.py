"""When readers are told, what changed, and which days come near."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from alerts.deadlines import find_deadlines, tell_deadlines
from alerts.differences import difference_lines
from alerts.matching import add_deliveries, due_at, last_slot
from alerts.sweep import sweep
from alerts.workdays import HolidayError, Workday, day_off, known_until, last_workday, read_years
from indexer.build import rebuild
from indexer.engines.tantivy import TantivyEngine
from library.record import Coded, Kind
from tests.alerts.conftest import NIGHT, House, body, recall, withdrawn


def _utc(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("watch", "found_at", "told_at"),
    [
        ({"cadence": "hourly"}, _utc(2026, 3, 2, 18, 31), _utc(2026, 3, 2, 19)),
        ({"cadence": "hourly"}, _utc(2026, 3, 2, 19), _utc(2026, 3, 2, 20)),
        ({"cadence": "weekly"}, _utc(2026, 3, 2, 18, 31), _utc(2026, 3, 9, 0)),  # Tuesday in Beijing
        ({"cadence": "weekly"}, _utc(2026, 3, 8, 18), _utc(2026, 3, 9, 0)),
        ({"quiet": "22:00-07:30"}, _utc(2026, 3, 2, 18, 31), _utc(2026, 3, 2, 23, 30)),
        ({"quiet": "22:00-07:30"}, _utc(2026, 3, 2, 14, 30), _utc(2026, 3, 2, 23, 30)),
        ({"quiet": "22:00-07:30"}, _utc(2026, 3, 2, 23, 30), _utc(2026, 3, 2, 23, 30)),
        ({"quiet": "12:00-13:00"}, _utc(2026, 3, 3, 4, 10), _utc(2026, 3, 3, 5)),
        ({"cadence": "hourly", "quiet": "22:00-07:30"}, _utc(2026, 3, 2, 18, 31), _utc(2026, 3, 2, 23, 30)),
        ({"cadence": "daily", "quiet": "22:00-09:00"}, _utc(2026, 3, 2, 18, 31), _utc(2026, 3, 3, 1)),
    ],
)
def test_a_reader_is_told_by_cadence_and_never_in_the_quiet_time(
    house: House, watch: dict[str, str], found_at: datetime, told_at: datetime
):
    assert due_at(house.watch(**watch), found_at) == told_at


def test_the_last_slot_of_a_week_is_its_monday(house: House):
    watch = house.watch(cadence="weekly")

    assert last_slot(watch, _utc(2026, 3, 8, 23, 59)) == _utc(2026, 3, 2, 0)
    assert last_slot(watch, _utc(2026, 3, 9, 0)) == _utc(2026, 3, 9, 0)


def test_a_reader_of_very_many_mails_gets_the_rest_of_the_hour_in_one(house: House):
    house.watch()
    for number in range(33):
        house.put(recall(f"SR/{number:05}/26"))
        house.match()
        house.send()
    within = len(house.mailbox.messages())
    house.clock.forward(hours=1)

    house.send()

    assert within == 30
    assert len(house.mailbox.messages()) == 31
    assert {delivery["state"] for delivery in house.deliveries()} == {"sent"}


def test_an_amendment_is_mailed_with_what_changed(house: House):
    house.watch(actions=("amended",))
    house.put(recall())
    house.put(recall(title="Balloon, all sizes", hazards=(Coded(printed="Fire", code="fire"),)))
    house.put(
        recall(title="Balloon, all sizes", hazards=(Coded(printed="Fire", code="fire"),), published=date(2026, 3, 1))
    )
    house.match()

    house.send()

    text = body(house.mailbox.messages()[0])
    assert "标题：增加“Balloon, all sizes”，删除“Balloon with a choking hazard”" in text
    assert "危害：增加“Fire”，删除“Choking”" in text
    assert "发布日期：由“2026-02-27”改为“2026-03-01”" in text


def test_what_changed_is_one_line_a_field_and_no_line_break_of_somebody_else_gets_in(house: House):
    old, new = recall(), recall(title="Kite\r\nBcc: x@y", origins=())

    lines = difference_lines(old, new, "en")

    assert lines == [
        "title: “Kite Bcc: x@y” was added, “Balloon with a choking hazard” removed",
        "origin: “People's Republic of China” was removed",
    ]


def _near(house: House, tmp_path: Path) -> TantivyEngine:
    engine = TantivyEngine(tmp_path / "index")
    rebuild(house.store, engine)
    return engine


def _rule(key: str, **days: date):
    return recall(key, "Balloon rule", kind=Kind.REGULATION, published=date(2026, 1, 5), **days)


def test_a_day_that_comes_near_is_told_once_to_those_who_ask_for_it(house: House, tmp_path: Path):
    asked = house.watch(actions=("deadline",), days_before=7)
    house.watch(recipient="b@example.org")
    house.put(_rule("SR/00001/26", comments_until=date(2026, 3, 9), in_force=date(2026, 9, 1)))
    house.put(_rule("SR/00002/26", comments_until=date(2026, 3, 12)))
    house.put(withdrawn(_rule("SR/00003/26", comments_until=date(2026, 3, 9))))
    house.put(recall("SR/00004/26", "Kite", comments_until=date(2026, 3, 9)))
    engine = _near(house, tmp_path)
    house.match()

    for days in (0, 1):
        found = find_deadlines(house.store, engine, now=house.clock() + timedelta(days=days))
        with house.store.write() as transaction:
            add_deliveries(transaction, found, house.clock())
    engine.close()

    told = [row for row in house.deliveries() if row["action"] == "deadline"]
    assert [(row["watch_id"], row["record_id"], row["about"]) for row in told] == [
        (asked.id, "eu_safety_gate:SR/00001/26", "comments_until:2026-03-09")
    ]
    assert sweep(house.store, house.sources, now=house.clock()).is_clean


def test_a_deadline_is_mailed_with_the_days_left_and_the_last_workday_before_a_holiday(house: House, tmp_path: Path):
    house.clock.at = _utc(2026, 9, 28, 1)
    house.watch(actions=("deadline",))
    house.put(_rule("SR/00001/26", comments_until=date(2026, 10, 3)))
    engine = _near(house, tmp_path)
    with house.store.write() as transaction:
        add_deliveries(transaction, find_deadlines(house.store, engine, now=house.clock()), house.clock())
    engine.close()

    house.send()

    (message,) = house.mailbox.messages()
    assert str(message["Subject"]).startswith("[ttm] 临近法规")
    assert "评议截止日期：2026-10-03（还有 5 天）" in body(message)
    assert "此前中国大陆最后一个工作日：2026-09-30" in body(message)


def test_a_deadline_that_moves_is_told_again(house: House, tmp_path: Path):
    house.watch(actions=("deadline",))
    for day in (9, 10):
        house.put(_rule("SR/00001/26", comments_until=date(2026, 3, day)))
        _near(house, tmp_path).close()
        tell_deadlines(house.store, house.settings, now=NIGHT)

    assert [row["about"] for row in house.deliveries()] == ["comments_until:2026-03-09", "comments_until:2026-03-10"]


@pytest.mark.parametrize(
    ("until", "workday"),
    [
        (date(2026, 3, 9), date(2026, 3, 9)),
        (date(2026, 3, 8), date(2026, 3, 6)),  # a Sunday
        (date(2026, 2, 20), date(2026, 2, 14)),  # Spring Festival; the Saturday before is a day of work
        (date(2026, 10, 10), date(2026, 10, 10)),  # a Saturday of work
        (date(2025, 10, 8), date(2025, 9, 30)),
    ],
)
def test_workdays_are_those_of_china(until: date, workday: date):
    assert last_workday(until) == (workday, True)


ANNOUNCED = """
[2094]
announced = "an invented notice"
off = [{ name = "元旦", first = 2094-01-01, last = 2094-01-05 }]
work = [2094-01-09]
"""


def test_a_year_that_staff_write_down_counts_as_announced(tmp_path: Path):
    file = tmp_path / "holidays.toml"
    file.write_text(ANNOUNCED, encoding="utf-8")

    assert last_workday(date(2094, 1, 9), file=file) == Workday(date(2094, 1, 9), True)  # a Saturday that is worked
    assert last_workday(date(2094, 1, 10), file=file) == Workday(date(2094, 1, 9), True)
    assert last_workday(date(2094, 1, 5), file=file) == Workday(date(2093, 12, 31), False)  # 2093 is not announced
    assert (day_off(date(2094, 1, 4), file=file), day_off(date(2094, 1, 6), file=file)) == ("元旦", "")
    assert known_until(date(2094, 6, 1), file=file) == 2094


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[2094]", "no day off stands there"),
        (ANNOUNCED.replace("2094-01-05", "2095-01-05"), "元旦 is from"),
        (ANNOUNCED.replace("work = [2094-01-09]", "work = [2095-01-09]"), "of another year"),
        (ANNOUNCED.replace("work = [2094-01-09]", "work = [2094-01-05]"), "both off and worked"),
        (ANNOUNCED.replace("name", "nam"), "a row needs a name"),
        (ANNOUNCED.replace("[2094]", "[next]"), "is no year"),
        ("[2094", "holidays.toml"),
    ],
)
def test_a_slip_in_the_holidays_is_named_and_holds_up_nothing(tmp_path: Path, text: str, said: str):
    file = tmp_path / "holidays.toml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(HolidayError) as refused:
        read_years(file)

    assert said in str(refused.value)
    assert last_workday(date(2094, 1, 10), file=file) == Workday(date(2094, 1, 8), False)


def test_the_file_we_ship_can_be_read():
    assert all(year > 2000 for year in read_years())


def test_of_a_year_that_is_not_announced_only_weekends_are_known():
    assert last_workday(date(2099, 10, 1)) == (date(2099, 10, 1), False)
