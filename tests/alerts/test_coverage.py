"""The receipt in every digest: what was looked at, when, and what could not be seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.tokens import secret, unsubscribe
from alerts.watches import active_watches
from library.source import Source, Wording
from tests.alerts.conftest import NIGHT, SAFETY_GATE, House, body, recall

MORNING = datetime(2026, 3, 3, 0, 0, tzinfo=UTC)  # 08:00 in Beijing
CPSC = SAFETY_GATE.model_copy(update={"name": "us_cpsc", "title": Wording(zh="美国召回", en="US recalls")})


def _run(house: House, source: Source, verdict: str, reason: str = "", at: datetime = NIGHT) -> None:
    run_id = house.store.runs.start(source.name, origin="crawl", live=True, at=at, process=0)
    house.store.runs.end(run_id, verdict=verdict, reason=reason, counts={}, at=at + timedelta(minutes=5))


def _morning(house: House) -> House:
    house.clock.at = MORNING + timedelta(seconds=5)
    house.send()
    return house


def _settled(house: House, **more: Any) -> House:
    """A house whose watches were there the day before."""
    house.sources = {"eu_safety_gate": SAFETY_GATE, "us_cpsc": CPSC}
    house.clock.at = NIGHT - timedelta(days=3)
    house.watch("balloon", cadence="daily", **more)
    house.clock.at = NIGHT
    return house


def test_a_digest_says_that_all_sources_were_seen_and_when(house: House):
    _settled(house)
    _run(house, SAFETY_GATE, "good")
    _run(house, CPSC, "quiet", at=NIGHT + timedelta(minutes=30))
    house.put(recall())
    house.match()

    _morning(house)

    (message,) = house.mailbox.messages()
    line = "全部 2 个来源均已查看，时间从 2026-03-03 02:31 到 2026-03-03 03:01（Asia/Shanghai）。"
    assert line in body(message)
    assert line in body(message, "html")


def test_a_digest_says_what_could_not_be_seen_and_when_it_was_seen_last(house: House):
    _settled(house)
    _run(house, CPSC, "good", at=NIGHT - timedelta(days=2))
    _run(house, CPSC, "blocked", "the site answered with a challenge page")
    house.put(recall())
    house.match()

    _morning(house)

    text = body(house.mailbox.messages()[0])
    assert "2 个来源自" in text
    assert (
        "未能查看：美国召回（blocked: the site answered with a challenge page；最近一次成功：2026-03-01 02:31）" in text
    )
    assert "尚未查看：欧盟危险产品通报（最近一次成功：从未）" in text


def test_a_mail_at_once_carries_no_receipt(house: House):
    house.watch()
    house.put(recall())
    house.match()

    house.send()

    assert "来源查看情况" not in body(house.mailbox.messages()[0])


def test_a_reader_who_wants_to_know_hears_that_nothing_was_found_and_all_was_seen(house: House):
    _settled(house, nothing_too=True, title="Balloons")
    _run(house, SAFETY_GATE, "good")
    _run(house, CPSC, "good")

    _morning(house)
    house.clock.forward(minutes=10)
    house.send()

    (message,) = house.mailbox.messages()
    assert message["Subject"] == "[ttm] Balloons：没有新内容，全部 2 个来源均已查看"
    assert "全部 2 个来源均已查看" in body(message)


def test_nothing_found_is_not_nothing_new_where_a_source_could_not_be_seen(house: House):
    _settled(house, nothing_too=True, title="Balloons")
    _run(house, SAFETY_GATE, "good")
    _run(house, CPSC, "blocked")

    _morning(house)

    (message,) = house.mailbox.messages()
    assert message["Subject"] == "[ttm] Balloons：没有新内容，但有 1 个来源未能查看"


@pytest.mark.parametrize("with_news", [True, False])
def test_a_reader_hears_of_nothing_only_where_it_was_asked_for_and_true(house: House, with_news: bool):
    _settled(house, nothing_too=with_news)
    if with_news:
        house.put(recall())
        house.match()

    _morning(house)

    assert [("没有新内容" in str(message["Subject"])) for message in house.mailbox.messages()] == [False] * with_news


def test_after_days_of_silence_the_receipt_covers_all_of_them(house: House):
    _settled(house, nothing_too=True)
    house.clock.at = MORNING - timedelta(days=2) + timedelta(seconds=5)
    house.send()
    _run(house, SAFETY_GATE, "good")
    _run(house, CPSC, "good")

    _morning(house)

    before, after = house.mailbox.messages()
    assert "本次说明涵盖 2026-02-28 02:31 至 2026-03-01 08:00（Asia/Shanghai）。" in body(before)
    assert "本次说明涵盖 2026-03-01 08:00 至 2026-03-03 08:00（Asia/Shanghai）。" in body(after)


def test_nothing_is_not_said_of_days_in_which_something_was_found(house: House):
    _settled(house, nothing_too=True)
    house.clock.at = MORNING - timedelta(days=2) + timedelta(seconds=5)
    house.send()
    house.put(recall())
    house.match()  # due yesterday morning, when nobody was up to send it

    _morning(house)

    first, second = (str(message["Subject"]) for message in house.mailbox.messages())
    assert "没有新内容" in first
    assert "没有新内容" not in second
    assert "2026-03-01 08:00 至 2026-03-03 08:00" in body(house.mailbox.messages()[1])


def test_a_receipt_that_never_came_through_is_none(house: House):
    _settled(house, nothing_too=True)
    house.clock.at = MORNING - timedelta(days=2) + timedelta(seconds=5)
    house.mailbox.faults = {"RCPT": "550 no such user"}
    house.send()
    house.mailbox.faults = {}

    _morning(house)

    (message,) = house.mailbox.messages()
    assert "本次说明涵盖 2026-02-28 02:31 至 2026-03-03 08:00" in body(message)


def test_a_watch_made_this_morning_says_nothing_of_the_night_before(house: House):
    house.clock.at = MORNING - timedelta(hours=1)
    house.watch(cadence="daily", nothing_too=True)

    _morning(house)

    assert house.mailbox.messages() == []


def test_one_click_in_a_digest_without_news_ends_the_watches_it_names(house: House):
    _settled(house, nothing_too=True)
    house.clock.at = NIGHT - timedelta(days=3)
    house.watch("kite", cadence="daily", nothing_too=True)
    house.watch("drone", cadence="daily")
    _morning(house)

    (message,) = house.mailbox.messages()
    token = str(message["List-Unsubscribe"]).partition("token=")[2].rstrip(">")
    ended = unsubscribe(house.store, secret(house.settings), token, now=house.clock())

    assert sorted(watch.query for watch in ended) == ["balloon", "kite"]
    assert [watch.query for watch in active_watches(house.store)] == ["drone"]
