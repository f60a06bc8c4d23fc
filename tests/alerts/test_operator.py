"""The operator hears of a failed round once."""

from __future__ import annotations

from alerts.operator import report_runs
from tests.alerts.conftest import House, body


def _run(house: House, source: str, verdict: str | None, reason: str = "") -> None:
    run_id = house.store.runs.start(source, origin="crawl", live=True, at=house.clock(), process=1)
    house.clock.forward(minutes=5)
    if verdict:
        house.store.runs.end(run_id, verdict=verdict, reason=reason, counts={}, at=house.clock())


def test_one_mail_names_every_failed_run_of_a_round(house: House):
    _run(house, "eu_safety_gate", "good")
    _run(house, "us_cpsc", "blocked", "the site answered\r\nwith a challenge page <b>")
    _run(house, "ca_recalls", "thin", "3 drafts, at least 20 expected")

    assert report_runs(house.store, house.settings, house.clock()) == 2
    assert report_runs(house.store, house.settings, house.clock()) == 0
    house.send()

    (message,) = house.mailbox.messages()
    assert str(message["To"]) == "op@example.net"
    assert "2/3" in str(message["Subject"])
    text = body(message)
    assert "us_cpsc: blocked — the site answered with a challenge page <b>" in text
    assert "2026-03-03 02:36 Asia/Shanghai" in text
    assert message["List-Unsubscribe"] is None
    assert "page &lt;b&gt;" in body(message, "html")


def test_a_round_that_goes_on_is_waited_for(house: House):
    _run(house, "us_cpsc", "blocked", "a challenge page")
    _run(house, "ca_recalls", None)

    assert report_runs(house.store, house.settings, house.clock()) == 0
    house.clock.forward(hours=5)
    assert report_runs(house.store, house.settings, house.clock()) == 2


def test_a_good_round_is_silent(house: House):
    _run(house, "eu_safety_gate", "good")
    _run(house, "us_cpsc", "quiet")
    _run(house, "eu_rasff", "imported")

    assert report_runs(house.store, house.settings, house.clock()) == 0
    assert house.mails() == []
