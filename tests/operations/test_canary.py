"""The canary: the whole way into the operator's mailbox, in a home of its own, and what happens where it falls."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerts.canary import Flight, begin_flight, is_in_mailbox, last_flight
from alerts.watches import list_watches
from library.house import House, opened
from library.settings import CanarySettings, MailSettings, Settings, WebSettings
from library.times import now
from operations.canary import fly, report_lost
from operations.cli import canary_words
from tests.alerts.conftest import FaultyMailbox, body

OPERATOR = "op@example.net"


class Hurry:
    """A clock that jumps by what is waited for."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def __call__(self) -> datetime:
        return now() + self.offset

    def wait(self, seconds: float) -> None:
        self.offset += timedelta(seconds=seconds)


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[FaultyMailbox]:
    receiving = FaultyMailbox(tmp_path / "mailbox")
    with receiving:
        yield receiving


def _house(tmp_path: Path, mailbox: FaultyMailbox, looked_into: Path | None = None) -> Settings:
    told = tmp_path / "told"
    command = f"{sys.executable} -c \"import sys; open('{told}', 'wb').write(sys.stdin.buffer.read())\""
    return Settings(
        home=tmp_path / "home",
        database_url="",
        mail=MailSettings(port=mailbox.port, sender="ttm <ttm@example.net>", operator=OPERATOR, rate_per_minute=0),
        web=WebSettings(base_url="https://ttm.example"),
        canary=CanarySettings(mailbox=str(looked_into or mailbox.folder), command=command),
    )


def _fly(house: House) -> Flight:
    clock = Hurry()
    return fly(house, clock=clock, wait=clock.wait)


def test_a_synthetic_recall_goes_the_whole_way_and_shows_nowhere_else(tmp_path: Path, mailbox: FaultyMailbox):
    with opened(_house(tmp_path, mailbox)) as house:
        flight = _fly(house)

        assert (flight.verdict, flight.reason, flight.seen_by) == ("arrived", "", "mailbox")
        assert sum(house.store.counts().values()) == 0
        assert house.store.head() == 0
        assert list_watches(house.store, ended=True) == []
        assert "arrived after" in canary_words(flight, flight.standing(now(), 900))
    (message,) = mailbox.messages()
    assert str(message["To"]) == OPERATOR
    assert "演示数据" in body(message)
    assert not (tmp_path / "told").exists()


def test_where_it_does_not_arrive_the_board_knows_and_the_second_channel_tells(tmp_path: Path, mailbox: FaultyMailbox):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with opened(_house(tmp_path, mailbox, looked_into=elsewhere)) as house:
        flight = _fly(house)

        assert flight.verdict == "late"
        assert "took the mail, and it is not in the mailbox" in flight.reason
        assert flight.told == "command"
        assert flight.standing(now(), 900) == "missing"
        assert "DID NOT ARRIVE" in canary_words(flight, "missing")
    assert "did not arrive" in (tmp_path / "told").read_text(encoding="utf-8")
    assert len(mailbox.messages()) == 1


@pytest.mark.parametrize("folder", [".", "new", "cur"])
def test_a_mail_is_found_in_a_folder_and_in_a_maildir(tmp_path: Path, folder: str):
    (tmp_path / "new").mkdir()
    if folder == ".":
        (tmp_path / "new").rmdir()
    (tmp_path / "cur").mkdir()
    (tmp_path / folder / "1.eml").write_bytes(b"Subject: x\r\nMessage-ID: <a@b>\r\n\r\nMessage-ID: <c@d>\r\n")
    settings = CanarySettings(mailbox=str(tmp_path))

    assert is_in_mailbox(settings, "<a@b>")
    assert not is_in_mailbox(settings, "<c@d>")


def test_a_canary_whose_process_died_is_told_of_once(tmp_path: Path, mailbox: FaultyMailbox):
    with opened(_house(tmp_path, mailbox)) as house:
        begin_flight(house.store, at=now() - timedelta(minutes=16))
        flying = last_flight(house.store)
        first, again = report_lost(house, now=now()), report_lost(house, now=now())

        assert flying is not None
        assert flying.standing(now(), 900) == "missing"
        assert (first, again) == (1, 0)
    assert (tmp_path / "told").exists()


def test_without_an_operator_it_says_so_at_once(tmp_path: Path, mailbox: FaultyMailbox):
    settings = _house(tmp_path, mailbox)
    settings = settings.model_copy(update={"mail": settings.mail.model_copy(update={"operator": ""})})
    started = time.monotonic()
    with opened(settings) as house:
        flight = _fly(house)

    assert flight.verdict == "failed"
    assert "no [mail] operator" in flight.reason
    assert time.monotonic() - started < 30
