"""An operator hears once, and not by mail, that mail cannot leave."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from alerts.outage import watch_server
from library.settings import CanarySettings, Settings
from tests.alerts.conftest import House

DOWN = "the mail server at 127.0.0.1:25 cannot be used: refused"


def _settings(house: House, *, works: Path | None = None) -> Settings:
    """The second channel adds a line to a file; it works while a path is there."""
    told, needed = str(house.home / "told"), str(works or house.home)
    program = f"import os, sys; os.stat({needed!r}); open({told!r}, 'a').write(sys.stdin.read() + chr(10))"
    return house.settings.model_copy(update={"canary": CanarySettings(command=f'{sys.executable} -c "{program}"')})


def _told(house: House) -> list[str]:
    path = house.home / "told"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def test_a_day_without_a_mail_server_is_told_once_and_the_next_outage_again(house: House):
    settings = _settings(house)
    for _ in range(144):
        watch_server(house.store, settings, DOWN, house.clock())
        house.clock.forward(minutes=10)
    once = _told(house)
    watch_server(house.store, settings, "", house.clock())
    for _ in range(6):
        watch_server(house.store, settings, DOWN, house.clock())
        house.clock.forward(minutes=10)

    assert len(once) == 1
    assert "2026-03-02 18:31 UTC" in once[0] and DOWN in once[0]
    assert len(_told(house)) == 2


def test_a_short_outage_is_nobodys_news(house: House):
    settings = _settings(house)

    for problem in (DOWN, DOWN, "", DOWN):
        watch_server(house.store, settings, problem, house.clock())
        house.clock.forward(minutes=7)

    assert _told(house) == []


def test_a_channel_that_did_not_work_is_tried_again(house: House):
    works = house.home / "works"
    settings = _settings(house, works=works)
    for _ in range(3):
        watch_server(house.store, settings, DOWN, house.clock())
        house.clock.forward(minutes=10)
    works.touch()

    for _ in range(3):
        watch_server(house.store, settings, DOWN, house.clock())
        house.clock.forward(minutes=10)

    assert len(_told(house)) == 1


def test_without_a_second_channel_it_is_said_once_in_the_log(house: House, caplog: pytest.LogCaptureFixture):
    settings = house.settings

    for _ in range(6):
        watch_server(house.store, settings, DOWN, house.clock())
        house.clock.forward(minutes=10)

    assert caplog.text.count("nobody could be told") == 1
