"""Rounds: every due round is taken once, a missed one made up once, and no crawl outlives whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import crawlers.schedule
from crawlers.practice.faults import FAULTS
from crawlers.schedule import LOOK_BACK, MISFIRE_GRACE_S, Rounds, latest_due, missed_round
from library.settings import Settings, sources_folder
from library.source import Schedule, Source, load_source
from library.store.store import Store
from tests.crawlers.crawls import library
from tests.places import ROOT

CPSC = load_source(sources_folder() / "us" / "cpsc.toml")
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def due_at(at: str, *days: str) -> Source:
    return CPSC.model_copy(update={"schedule": Schedule.model_validate({"at": at, "days": days})})


@pytest.mark.parametrize(
    ("source", "now", "due"),
    [
        (due_at("18:30"), MONDAY + timedelta(hours=18, minutes=30), MONDAY + timedelta(hours=18, minutes=30)),
        (
            due_at("18:30"),
            MONDAY + timedelta(hours=18, minutes=29, seconds=59),
            MONDAY - timedelta(hours=5, minutes=30),
        ),
        (due_at("18:30"), MONDAY + timedelta(hours=23), MONDAY + timedelta(hours=18, minutes=30)),
        (due_at("00:00"), MONDAY, MONDAY),
        (due_at("18:30", "mon"), MONDAY + timedelta(hours=18), MONDAY - timedelta(days=6, hours=5, minutes=30)),
        (due_at("18:30", "mon"), MONDAY + timedelta(days=6, hours=23), MONDAY + timedelta(hours=18, minutes=30)),
        (due_at("21:00", "mon", "wed", "fri"), MONDAY + timedelta(days=2, hours=20), MONDAY + timedelta(hours=21)),
        (due_at("21:00", "sun"), MONDAY, MONDAY - timedelta(hours=3)),
    ],
)
def test_the_latest_due_time_is_the_last_that_has_come(source: Source, now: datetime, due: datetime) -> None:
    assert latest_due(source, now) == due


@pytest.mark.parametrize("days", [(), ("sat",), ("mon", "thu")])
def test_every_hour_of_a_year_of_summer_times_knows_its_latest_round(days: tuple[str, ...]) -> None:
    source = due_at("02:30", *days)
    hours = [MONDAY + timedelta(hours=hour) for hour in range(0, 365 * 24, 19)]

    found = [latest_due(source, hour) for hour in hours]

    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    assert all(due is not None and due <= hour < due + LOOK_BACK for due, hour in zip(found, hours, strict=True))
    assert {(due.hour, due.minute) for due in found if due} == {(2, 30)}
    assert {names[due.weekday()] for due in found if due} == set(days or names)
    assert len(set(found)) == pytest.approx(365 if not days else 52 * len(days), abs=3)


@pytest.mark.parametrize(("minutes", "due"), [(1, "20:41"), (5, "20:40"), (30, "20:30")])
def test_a_source_may_be_taken_at_minutes_of_every_hour(minutes: int, due: str) -> None:
    often = CPSC.model_copy(update={"schedule": Schedule.model_validate({"every_minutes": minutes})})

    latest = latest_due(often, datetime(2026, 3, 2, 20, 41, 30, tzinfo=UTC))

    assert latest == datetime.fromisoformat(f"2026-03-02T{due}:00+00:00")


def test_a_round_of_the_ledger_is_not_made_up_and_a_missed_one_is_once(store: Store) -> None:
    source, now = due_at("18:30"), MONDAY + timedelta(hours=20)
    due = MONDAY + timedelta(hours=18, minutes=30)
    assert missed_round(store, source, now) == due  # never taken: due at once

    store.runs.take_round(source.name, due, at=now)
    store.runs.end_round(source.name, due, exit_code=0, at=now)

    assert missed_round(store, source, now) is None
    assert missed_round(store, source, now + timedelta(days=5)) == due + timedelta(days=5)  # one for five missed


def test_a_round_whose_process_died_is_taken_again(store: Store) -> None:
    source, now = due_at("18:30"), MONDAY + timedelta(hours=20)
    due = MONDAY + timedelta(hours=18, minutes=30)
    store.runs.take_round(source.name, due, at=now)

    assert missed_round(store, source, now) == due


def test_a_source_of_a_rare_day_that_was_never_taken_is_due_at_once(store: Store) -> None:
    assert missed_round(store, due_at("18:30", "mon"), MONDAY) == MONDAY - timedelta(days=6, hours=5, minutes=30)


def test_of_many_that_want_a_round_one_gets_it(store: Store, tmp_path: Path) -> None:
    due, taken = MONDAY, []
    start = threading.Barrier(8)

    def want() -> None:
        own = Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
        start.wait()
        taken.append(own.runs.take_round("us_cpsc", due, at=due))
        own.close()

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == [False] * 7 + [True]


def test_two_schedulers_take_a_round_once(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crawled: list[str] = []

    def crawl(source: str, **more: object) -> int:
        crawled.append(source)
        time.sleep(0.3)
        return 0

    monkeypatch.setattr(crawlers.schedule, "crawl_in_child", crawl)
    settings, source = Settings(home=tmp_path), due_at("18:30")
    both = [Rounds(settings, store, {source.name: source}) for _ in range(2)]
    due = latest_due(source, datetime.now(UTC))
    assert due is not None

    threads = [threading.Thread(target=rounds.take, args=(source, due)) for rounds in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert crawled == [source.name]
    assert missed_round(store, source, datetime.now(UTC)) is None


def test_a_late_firing_is_taken_and_missed_ones_are_one() -> None:
    rounds = Rounds(Settings(), None, {})  # type: ignore[arg-type]

    defaults = rounds._scheduler._job_defaults

    assert defaults == {"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_GRACE_S}
    assert str(rounds._scheduler.timezone) == "UTC"


def test_a_round_that_was_never_taken_is_made_up_at_the_start_and_noted(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crawled = threading.Event()

    def crawl(source: str, **more: object) -> int:
        crawled.set()
        return 3

    monkeypatch.setattr(crawlers.schedule, "crawl_in_child", crawl)
    source, stop = due_at("18:30"), threading.Event()
    thread = threading.Thread(target=Rounds(Settings(home=tmp_path), store, {source.name: source}).run, args=(stop,))

    thread.start()
    found = crawled.wait(10)
    time.sleep(0.2)
    stop.set()
    thread.join(10)

    assert found
    assert store.runs.unfinished_rounds(source.name) == []
    assert missed_round(store, source, datetime.now(UTC)) is None  # a bad night is over too; the next one is tomorrow


# A process that starts a crawl as the schedule does, says its number, and waits.
PARENT = """
import sys
from crawlers.schedule import crawl_in_child
crawl_in_child("us_cpsc", time_limit_s=60)
"""


def crawls_of(parent: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True, check=False).stdout
    return [int(line) for line in found.split()]


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(question: object, limit_s: float) -> bool:
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if question():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


def environment(home: Path, port: int) -> Mapping[str, str]:
    ours = {"TTM_HOME": str(home), "TTM_PRACTICE__PORT": str(port), "TTM_PRACTICE__NAMES": '["www.saferproducts.gov"]'}
    return os.environ | ours


def test_a_crawl_ends_with_whoever_started_it_and_gives_its_lease_back(tmp_path: Path) -> None:
    with library(tmp_path, records=100) as lib:
        lib.site.faults["www.saferproducts.gov", "/RestWebServices"] = FAULTS["drip"]
        parent = subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, env=environment(tmp_path, lib.site.port))
        assert wait_for(lambda: any(one.path != "/robots.txt" for one in lib.site.served), 30)
        child = crawls_of(parent.pid)[0]

        parent.send_signal(signal.SIGKILL)
        parent.wait()

        assert wait_for(lambda: not is_alive(child), 5)
        lib.site.faults.clear()
        again = lib.crawl("us_cpsc")
        assert again.verdict == "good"
        with lib.store() as store:
            assert [run.verdict for run in store.runs.of("us_cpsc")] == ["good", "died"]
