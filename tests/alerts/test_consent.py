"""A watch begins when its reader agrees, and ends when nobody has wanted it for long."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts.tokens import TokenError, owner_token, secret, watch_id_of, watch_token
from alerts.watches import (
    LIFE,
    UNCONFIRMED_MAX,
    WATCHES_MAX,
    WatchError,
    active_watches,
    confirm_watch,
    edit_watch,
    get_watch,
)
from tests.alerts.conftest import READER, House, body, recall


def _token(house: House) -> str:
    (message,) = house.mailbox.messages()
    (line,) = [line for line in body(message).splitlines() if "/confirm?token=" in line]
    return line.partition("token=")[2]


def test_nothing_is_mailed_but_one_question_until_the_reader_agrees(house: House):
    watch = house.watch(confirmed=False, title="Balloons")
    house.put(recall("SR/00001/26"))
    house.match()
    house.send()
    house.send()

    (message,) = house.mailbox.messages()
    assert message["Subject"] == "[ttm] 请确认订阅：Balloons"
    assert message["List-Unsubscribe"] is None
    assert house.deliveries() == []
    assert watch_id_of(secret(house.settings), _token(house), "confirm") == watch.id


def test_a_reader_who_agreed_hears_of_what_changes_from_then_on(house: House):
    watch = house.watch(confirmed=False)
    house.put(recall("SR/00001/26"))
    house.match()
    confirm_watch(house.store, watch.id, now=house.clock())
    house.put(recall("SR/00002/26"))
    house.match()

    assert [row["record_id"] for row in house.deliveries()] == ["eu_safety_gate:SR/00002/26"]


def test_agreeing_twice_changes_nothing(house: House):
    watch = house.watch(confirmed=False)
    first = confirm_watch(house.store, watch.id, now=house.clock())
    again = confirm_watch(house.store, watch.id, now=house.clock() + timedelta(days=1))

    assert first == again


def test_a_watch_nobody_agreed_to_ends_after_a_week(house: House):
    watch = house.watch(confirmed=False)
    house.send()
    house.clock.forward(days=7, minutes=1)
    house.send()

    ended = get_watch(house.store, watch.id)
    assert ended is not None
    assert ended.ended_why == "not confirmed"
    assert confirm_watch(house.store, watch.id, now=house.clock()) is None


def test_a_mailbox_cannot_be_filled_with_questions(house: House):
    for number in range(UNCONFIRMED_MAX):
        house.watch(f"balloon {number}", confirmed=False)

    with pytest.raises(WatchError, match="asked again tomorrow"):
        house.watch("one more", confirmed=False)
    house.clock.forward(days=1, minutes=1)
    assert house.watch("one more", confirmed=False)


def test_an_address_has_so_many_watches_and_no_more(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("alerts.watches.WATCHES_MAX", 2)
    house.watch("one")
    house.watch("two")

    with pytest.raises(WatchError, match="no more than 2"):
        house.watch("three")
    assert house.watch("three", "other@example.org")
    assert WATCHES_MAX > 2


def test_a_stale_watch_ends_a_month_after_a_notice(house: House):
    watch = house.watch(title="Balloons")
    house.clock.at += LIFE - timedelta(days=29)
    house.send()
    house.send()
    (message,) = house.mailbox.messages()
    house.clock.forward(days=30)
    house.send()

    assert message["Subject"] == "[ttm] 订阅即将到期：Balloons"
    assert "/watch?token=" in body(message)
    ended = get_watch(house.store, watch.id)
    assert ended is not None
    assert ended.ended_why == "expired"


def test_a_house_that_slept_through_the_notice_gives_it_before_it_ends_anything(house: House):
    house.watch()
    house.clock.at += LIFE + timedelta(days=10)
    house.send()

    assert len(house.mailbox.messages()) == 1


def test_a_watch_that_is_saved_again_goes_on_for_a_year(house: House):
    watch = house.watch()
    house.clock.at += LIFE - timedelta(days=20)
    house.send()
    edit_watch(house.store, watch.id, now=house.clock())
    house.clock.forward(days=40)
    house.send()

    assert [one.id for one in active_watches(house.store)] == [watch.id]


def test_another_query_starts_at_the_present_and_what_the_old_one_found_is_not_sent(house: House):
    watch = house.watch("balloon", cadence="daily")
    house.put(recall("SR/00001/26"))
    house.match()
    edit_watch(house.store, watch.id, now=house.clock(), query="kite")
    house.put(recall("SR/00002/26", "Kite"))
    house.match()
    house.clock.forward(days=1)
    house.send()

    (message,) = house.mailbox.messages()
    assert "SR/00002/26" in body(message)
    assert "SR/00001/26" not in body(message)


def test_another_cadence_changes_nothing_about_what_was_found(house: House):
    watch = house.watch("balloon")
    house.put(recall())
    edit_watch(house.store, watch.id, now=house.clock(), cadence="daily")
    house.match()

    assert len(house.deliveries()) == 1


def test_a_link_does_what_it_was_made_for_and_nothing_else(house: House):
    watch, key = house.watch(), secret(house.settings)

    for kind in ("confirm", "feed"):
        with pytest.raises(TokenError):
            watch_id_of(key, owner_token(key, watch.id), kind)
    with pytest.raises(TokenError):
        watch_id_of(key, watch_token(key, watch.id), "owner")
    assert watch.recipient == READER
