"""The nightly comparison of the ledger with what it should hold."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from alerts.sweep import NightlySweep, Sweep, last_sweep, sweep
from alerts.watches import edit_watch, end_watch
from library.store.store import Origin
from tests.alerts.conftest import House, recall, withdrawn


def _sweep(house: House, **more: Any) -> Sweep:
    return sweep(house.store, house.sources, now=house.clock(), **more)


def _busy(house: House) -> House:
    """A night with three watches and every kind of change."""
    house.watch("balloon", actions=("added", "amended", "withdrawn"))
    house.watch("hazard:choking", "b@example.org", hook="https://hook.example/ttm")
    house.watch("drone", "c@example.org")
    house.put(recall("SR/00001/26"), Origin.BACKFILL)
    house.put(recall("SR/00001/26", "Balloon, all sizes"))
    house.put(recall("SR/00002/26", hazards=()))
    house.put(recall("SR/00002/26"))
    house.put(withdrawn(recall("SR/00002/26")))
    house.put(recall("SR/00003/26", "Kite", published=None))
    house.match()
    return house


def test_a_ledger_that_holds_what_it_should_is_clean_and_every_pair_was_held_together(house: House):
    found = _sweep(_busy(house))

    assert found.is_clean, found
    assert (found.watches, found.versions, found.pairs) == (3, 5, 15)


def test_a_lost_delivery_is_made_up_for_with_its_reasons_and_mailed(house: House):
    _busy(house)
    before = {(row["watch_id"], row["record_id"], row["version"], row["channel"]): row for row in house.deliveries()}
    with house.store.write() as transaction:
        transaction.do("DELETE FROM delivery WHERE record_id = 'eu_safety_gate:SR/00002/26'")

    found = _sweep(house, repair=True)

    after = {(row["watch_id"], row["record_id"], row["version"], row["channel"]): row for row in house.deliveries()}
    assert found.missing == found.repaired == len(before) - 1 - 2  # one of the first record, two channels of the third
    assert {key: row["reasons"] for key, row in after.items()} == {key: row["reasons"] for key, row in before.items()}
    assert _sweep(house, after=0).is_clean
    assert house.send().sent == 2


def test_a_made_up_delivery_is_cancelled_before_it_is_sent_and_reported_after(house: House):
    _busy(house)
    drone = next(row for row in house.store_watches() if row["query"] == "drone")
    with house.store.write() as transaction:
        transaction.do(MADE_UP, watch=drone["id"], record="eu_safety_gate:SR/00003/26", state="due")
        transaction.do(MADE_UP, watch=drone["id"], record="eu_safety_gate:SR/00001/26", state="sent")

    found = _sweep(house, repair=True)

    assert (found.surplus, found.repaired) == (2, 1)
    assert sorted(row["state"] for row in house.deliveries() if row["watch_id"] == drone["id"]) == ["cancelled", "sent"]


def test_the_operator_is_mailed_what_differed_and_the_figure_is_kept(house: House):
    _busy(house)
    with house.store.write() as transaction:
        transaction.do("DELETE FROM delivery WHERE record_id = 'eu_safety_gate:SR/00003/26'")

    _sweep(house, repair=True, operator=("ttm <ttm@example.net>", "op@example.net"))

    kept = last_sweep(house.store)
    assert kept is not None
    assert (kept.missing, kept.repaired, kept.upto_change) == (2, 2, house.store.head())
    (mail,) = [mail for mail in house.mails() if mail["recipient"] == "op@example.net"]
    assert "SR/00003/26" in mail["content"].decode("ascii", "replace") or mail["subject"].endswith("2")


def test_the_next_sweep_goes_on_where_the_last_one_ended(house: House):
    _busy(house)
    _sweep(house, repair=True)
    house.put(recall("SR/00009/26"))
    house.match()

    assert _sweep(house).versions == 1


def test_what_a_watch_was_told_before_it_was_changed_or_ended_is_nobodys_fault(house: House):
    first, second = house.watch("balloon"), house.watch("hazard:choking")
    house.put(recall())
    house.match()
    edit_watch(house.store, first.id, now=house.clock(), query="drone")
    end_watch(house.store, second.id, now=house.clock())

    assert _sweep(house).is_clean


def test_pairs_are_sampled_where_there_are_more_than_asked_for(house: House):
    for number in range(12):
        house.watch(f"balloon {number}", f"r{number}@example.org")
    for number in range(12):
        house.put(recall(f"SR/{number:05}/26", f"Balloon {number}"))
    house.match()

    found = _sweep(house, pairs=50)

    assert found.is_clean
    assert 50 <= found.pairs < 144


def test_a_fault_of_the_index_over_watches_is_found(house: House, monkeypatch: pytest.MonkeyPatch):
    house.watch("balloon")
    house.put(recall())
    monkeypatch.setattr("alerts.matching.required", lambda query: (frozenset({("word", "nowhere")}),))
    house.match()
    monkeypatch.undo()

    assert house.deliveries() == []
    assert _sweep(house).missing == 1


def test_it_runs_once_a_night_and_its_trouble_holds_up_nobody(house: House, monkeypatch: pytest.MonkeyPatch):
    _busy(house)
    nightly = NightlySweep(house.store, house.settings, house.sources)
    first = nightly(house.clock())
    again = nightly(house.clock() + timedelta(minutes=5))
    next_night = nightly(house.clock() + timedelta(days=1))
    house.put(recall("SR/00009/26"))
    house.match()
    monkeypatch.setattr("alerts.sweep._compare", lambda *_: 1 / 0)
    broken = nightly(house.clock() + timedelta(days=2))

    assert first is not None
    assert again is None
    assert next_night is not None
    assert broken is None


MADE_UP = """
    INSERT INTO delivery (watch_id, record_id, version, channel, recipient, action, reasons, state, due_at, created_at)
    VALUES (:watch, :record, CASE WHEN :record LIKE '%00001%' THEN 2 ELSE 1 END, 'mail', 'c@example.org', 'added', '[]',
            :state, '2026', '2026')
"""
