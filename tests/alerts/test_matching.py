"""Which changes a watch hears of, and why."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from alerts.matching import MatchingFollower, WatchIndex, compiled, due_at, find_deliveries, required
from alerts.outbox import status
from alerts.reasons import read_reasons
from alerts.sweep import sweep
from alerts.watches import end_watch
from alerts.wording import reason_line
from indexer.entry import Entry, entry_of
from indexer.query import matches
from library.record import Coded, Record, Text
from library.store.store import Origin
from tests.alerts.conftest import NIGHT, House, recall, withdrawn


def test_a_new_record_that_matches_is_due_at_once_with_its_reasons(house: House):
    house.watch("origin:CN balloon")
    house.put(recall())

    house.match()

    (delivery,) = house.deliveries()
    assert (delivery["record_id"], delivery["version"], delivery["action"], delivery["state"]) == (
        "eu_safety_gate:SR/00001/26",
        1,
        "added",
        "due",
    )
    assert reason_line(read_reasons(delivery["reasons"]), "zh") == "原产地=中国；标题含“Balloon”（balloon）"


def test_a_record_that_does_not_match_is_nobodys_delivery(house: House):
    house.watch("drone")
    house.put(recall())

    house.match()

    assert house.deliveries() == []


@pytest.mark.parametrize("origin", [Origin.BACKFILL, Origin.REPARSE])
def test_backfill_and_reparse_are_quiet(house: House, origin: Origin):
    house.watch("balloon", actions=("added", "amended", "withdrawn", "restored"))
    house.put(recall(), origin)
    house.put(recall(title="Balloons, corrected"), origin)
    house.put(withdrawn(recall()), origin)

    house.match()

    assert house.deliveries() == []
    assert house.follower.counts["quiet"] == 3


def test_following_again_from_the_start_doubles_nothing(house: House):
    house.watch()
    house.put(recall())
    house.match()

    house.follower.handle(house.store.changes(0))
    MatchingFollower(house.store, house.sources, house.clock).handle(house.store.changes(0))

    assert len(house.deliveries()) == 1


def test_a_crash_before_the_position_is_kept_leaves_no_delivery_either(house: House, monkeypatch: pytest.MonkeyPatch):
    house.watch()
    house.put(recall())

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(house.store, "set_position", crash)
        house.match()

    assert (house.deliveries(), house.follower.position()) == ([], 0)
    house.match()
    assert (len(house.deliveries()), house.follower.position()) == (1, 1)


def test_a_watch_hears_of_nothing_older_than_itself_even_when_the_follower_lags(house: House):
    house.put(recall("SR/00001/26"))
    house.watch()
    house.put(recall("SR/00002/26"))

    house.match()

    assert [delivery["record_id"] for delivery in house.deliveries()] == ["eu_safety_gate:SR/00002/26"]


def test_an_old_record_with_a_change_of_today_is_not_new(house: House):
    house.watch()
    house.put(recall(published=NIGHT.date() - timedelta(days=46)))

    house.match()

    assert house.deliveries() == []
    assert house.follower.counts["restamped"] == 1


def test_a_record_at_the_edge_of_the_restamp_guard_is_new(house: House):
    house.watch()
    house.put(recall(published=NIGHT.date() - timedelta(days=45)))

    house.match()

    assert len(house.deliveries()) == 1


def test_a_record_without_a_printed_date_is_new(house: House):
    house.watch()
    house.put(recall(published=None))

    house.match()

    assert len(house.deliveries()) == 1


def test_a_record_read_late_alerts_once_and_is_marked(house: House):
    house.watch()
    house.put(recall(published=NIGHT.date() - timedelta(days=70)), Origin.LATE)

    house.match()
    house.follower.handle(house.store.changes(0))

    assert [delivery["late"] for delivery in house.deliveries()] == [1]


def test_a_record_read_late_that_was_old_when_its_page_came_is_not_new(house: House):
    house.watch()
    house.put(recall(published=NIGHT.date() - timedelta(days=76)), Origin.LATE)

    house.match()

    assert house.deliveries() == []


def test_an_amendment_is_told_only_to_those_who_asked(house: House):
    plain = house.watch()
    curious = house.watch(actions=("added", "amended"))
    house.put(recall())
    house.put(recall(title="Balloons with a choking hazard, all sizes"))

    house.match()

    told = [(delivery["watch_id"], delivery["action"]) for delivery in house.deliveries()]
    assert told == [(plain.id, "added"), (curious.id, "added"), (curious.id, "amended")]


def test_a_withdrawal_is_told(house: House):
    house.watch()
    house.put(recall())
    house.put(withdrawn(recall()))

    house.match()

    assert [delivery["action"] for delivery in house.deliveries()] == ["added", "withdrawn"]


def test_a_record_whose_hazard_comes_with_its_second_page_is_new_to_the_watch_then(house: House):
    house.watch("hazard:choking")
    house.put(recall(hazards=()))
    house.put(recall())

    house.match()

    assert [(delivery["version"], delivery["action"]) for delivery in house.deliveries()] == [(2, "added")]


def test_an_old_record_that_an_amendment_makes_match_is_not_new(house: House):
    house.watch("hazard:choking")
    house.put(recall(hazards=(), published=date(2020, 1, 1)), Origin.BACKFILL)
    house.put(recall(published=date(2020, 1, 1)))

    house.match()

    assert house.deliveries() == []


def test_each_version_is_judged_by_its_own_words(house: House):
    house.watch("balloon")
    house.put(recall(title="Balloon"))
    house.put(recall(title="Kite"))

    house.match()

    assert [delivery["version"] for delivery in house.deliveries()] == [1]


def test_an_ended_watch_is_told_nothing_more(house: House):
    watch = house.watch()
    house.put(recall())
    end_watch(house.store, watch.id, now=house.clock())

    house.match()

    assert house.deliveries() == []


def test_a_watch_that_cannot_be_read_any_more_does_not_hold_up_the_others(
    house: House, caplog: pytest.LogCaptureFixture
):
    broken = house.watch("drone")
    house.watch("balloon")
    with house.store.write() as transaction:
        transaction.do("UPDATE watch SET query = '(((' WHERE id = :id", id=broken.id)
    house.put(recall())

    house.match()

    assert len(house.deliveries()) == 1
    assert broken.id in caplog.text
    assert status(house.store, house.clock())["unreadable_watches"] == [broken.id]


def test_a_record_that_cannot_be_matched_is_shown_as_a_problem_and_holds_up_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    house.watch("hazard:choking")
    house.put(recall("SR/00001/26", "Balloon"))
    house.put(recall("SR/00002/26", "Kite"))

    def careful(record: Record) -> Entry:
        if record.title() == "Balloon":
            raise RuntimeError("unheard of")
        return entry_of(record)

    monkeypatch.setattr("alerts.matching.entry_of", careful)
    house.match()

    assert [delivery["record_id"] for delivery in house.deliveries()] == ["eu_safety_gate:SR/00002/26"]
    (problem,) = house.store.runs.problems("eu_safety_gate")
    assert (problem.key, "unheard of" in problem.reason) == ("SR/00001/26", True)


@pytest.mark.parametrize(
    ("found_at", "told_at"),
    [
        (datetime(2026, 3, 2, 18, 31, tzinfo=UTC), datetime(2026, 3, 3, 0, 0, tzinfo=UTC)),
        (datetime(2026, 3, 2, 23, 59, tzinfo=UTC), datetime(2026, 3, 3, 0, 0, tzinfo=UTC)),
        (datetime(2026, 3, 3, 0, 0, tzinfo=UTC), datetime(2026, 3, 4, 0, 0, tzinfo=UTC)),
        (datetime(2026, 3, 3, 0, 1, tzinfo=UTC), datetime(2026, 3, 4, 0, 0, tzinfo=UTC)),
    ],
)
def test_a_daily_watch_is_told_at_eight_in_beijing(house: House, found_at: datetime, told_at: datetime):
    watch = house.watch(cadence="daily")

    assert due_at(watch, found_at) == told_at


def test_a_daily_watch_follows_the_clock_change_of_its_zone(house: House):
    watch = house.watch(cadence="daily", zone="Europe/Berlin")

    assert due_at(watch, datetime(2026, 3, 28, 12, tzinfo=UTC)) == datetime(2026, 3, 29, 6, tzinfo=UTC)
    assert due_at(watch, datetime(2026, 3, 27, 12, tzinfo=UTC)) == datetime(2026, 3, 28, 7, tzinfo=UTC)


QUERIES = [
    "balloon",
    "balloon kite",
    "balloon OR kite",
    '"choking hazard"',
    '"hazard choking"',
    "hazard:choking",
    "origin:CN hazard:choking",
    "origin:DE OR origin:CN",
    "NOT balloon",
    "kite NOT balloon",
    "kind:recall",
    "published:2026-02",
    "published:2026-02 balloon",
    "玩具",
    "玩具 窒息",
    "(balloon OR kite) origin:DE",
    "SR/00001/26",
    "id:eu_safety_gate:SR/00001/26",
    "title:balloon",
]
RECORDS = [
    recall(),
    recall("SR/00002/26", "Kite", hazards=(), origins=(Coded(printed="Germany", code="DE"),)),
    recall("SR/00003/26", "儿童气球", titles=(Text(language="zh", value="气球 窒息"),), published=date(2026, 3, 1)),
]


@pytest.mark.parametrize("query", QUERIES)
def test_the_index_over_watches_misses_nothing_that_matches(house: House, query: str):
    watch = house.watch(query)
    index = WatchIndex([watch])

    for record in RECORDS:
        entry = entry_of(record)
        if matches(compiled(query), entry):
            assert [list(group.watches) for group in index.candidates(entry)] == [[watch.id]]


def test_a_watch_is_a_candidate_only_where_its_rarest_thing_stands(house: House):
    index = WatchIndex([house.watch("kind:recall hazard:fire"), house.watch("kind:recall drone")])

    assert index.candidates(entry_of(recall())) == []
    assert required(compiled("kind:recall hazard:fire")) == (
        frozenset({("hazard", "fire")}),
        frozenset({("kind", "recall")}),
    )


def test_what_is_found_is_what_comparing_everything_with_everything_finds(house: House):
    watches = [house.watch(query, f"r{number}@example.org") for number, query in enumerate(QUERIES)]
    changes = [change for record in RECORDS if (change := house.put(record))]

    house.match()

    expected = {
        (watch.id, record.id)
        for watch in watches
        for record in RECORDS
        if matches(compiled(watch.query), entry_of(record))
    }
    assert {(row["watch_id"], row["record_id"]) for row in house.deliveries()} == expected
    assert len(find_deliveries(house.store, changes, watches, house.sources).deliveries) == len(expected)
    assert sweep(house.store, house.sources, now=house.clock()).is_clean


@pytest.mark.parametrize(
    ("query", "zh", "en"),
    [
        ("hs:95", "HS 编码=95 › 9503 › 950300", "HS code=95 › 9503 › 950300"),
        ("hs:950300", "HS 编码=950300", "HS code=950300"),
        ("ics:97", "ICS 分类=97 › 97.200 › 97.200.50", "ICS code=97 › 97.200 › 97.200.50"),
        ("气球", "标题含“Balloon”（词库：气球 → Balloon）", "“Balloon” in the title (term bank: 气球 → Balloon)"),
        ("balloons", "标题含“Balloon”（balloons）", "“Balloon” in the title (balloons)"),
        ("hazard:choking", "危害=异物窒息", "hazard=Choking"),
    ],
)
def test_a_reason_names_the_way_down_a_tree_or_through_the_term_bank(house: House, query: str, zh: str, en: str):
    house.watch(query)
    house.put(
        recall(
            hs_codes=(Coded(printed="9503.00", code="950300"),),
            ics_codes=(Coded(printed="97.200.50", code="97.200.50"),),
        )
    )
    house.match()

    reasons = read_reasons(house.deliveries()[0]["reasons"])

    assert reason_line(reasons, "zh") == zh
    assert reason_line(reasons, "en") == en
