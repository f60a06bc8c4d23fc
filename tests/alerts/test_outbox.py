"""Never lost, never doubled: the outbox against servers that break and processes that die."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts import outbox
from alerts.feeds import told_together
from alerts.letter import write_letter
from alerts.mail import MailServer
from alerts.operator import report_runs
from alerts.outbox import GIVE_UP_AFTER, list_mails, plan_mails, retry, retry_pause, run_outbox, status
from alerts.sweep import sweep
from alerts.tokens import digest_name_of, mail_token, secret, unsubscribe
from alerts.watches import end_watch
from library.store.store import Origin, SeenPage, Sighting, Store
from tests.alerts.conftest import NIGHT, READER, FaultyMailbox, House, body, recall


class Killed(BaseException):
    """What a process sees of kill -9: nothing runs after it."""


def _received(house: House) -> list[str]:
    return [str(message["Message-ID"]) for message in house.mailbox.messages()]


def _told(house: House) -> House:
    house.watch()
    house.put(recall())
    house.match()
    return house


def test_one_mail_goes_out_once(house: House):
    _told(house)

    counts = house.send()
    again = house.send()

    assert (counts.planned, counts.sent, again.planned, again.sent) == (1, 1, 0, 0)
    assert len(house.mailbox.messages()) == 1
    assert [(mail["state"], mail["attempts"], mail["in_doubt"]) for mail in house.mails()] == [("sent", 1, 0)]
    assert [delivery["state"] for delivery in house.deliveries()] == ["sent"]


def test_what_is_due_to_one_reader_goes_into_one_mail_and_each_record_stands_there_once(house: House):
    house.watch("balloon", title="Balloons")
    house.watch("hazard:choking", title="Choking")
    house.put(recall("SR/00001/26"))
    house.put(recall("SR/00002/26", "Another balloon"))
    house.match()

    house.send()

    (message,) = house.mailbox.messages()
    text = body(message)
    assert text.count("records/eu_safety_gate:SR/00001/26") == 1
    assert text.count("订阅“Balloons”") == 2
    assert text.count("订阅“Choking”") == 2


def test_a_record_is_told_as_it_is_known_when_the_mail_is_written(house: House):
    house.watch("balloon")
    house.put(recall(hazards=()))
    house.put(recall())
    house.match()

    house.send()

    (message,) = house.mailbox.messages()
    assert "危害：异物窒息" in body(message)
    assert len(house.deliveries()) == 1


def test_two_readers_get_a_mail_each(house: House):
    house.watch(recipient="a@example.org")
    house.watch(recipient="b@example.org")
    house.put(recall())
    house.match()

    house.send()

    assert sorted(str(message["To"]) for message in house.mailbox.messages()) == ["a@example.org", "b@example.org"]


def test_a_daily_mail_waits_for_eight_in_beijing_and_holds_the_whole_day(house: House):
    house.watch(cadence="daily")
    house.put(recall("SR/00001/26"))
    house.match()
    house.clock.forward(hours=5)
    house.put(recall("SR/00002/26"))
    house.match()
    assert house.send().planned == 0

    house.clock.at = NIGHT.replace(hour=0) + timedelta(days=1)
    house.send()

    (message,) = house.mailbox.messages()
    assert "召回 2 条" in str(message["Subject"])


@pytest.mark.parametrize("step", ["banner", "EHLO", "MAIL", "RCPT", "DATA", "dot"])
def test_a_line_that_breaks_before_the_mail_is_kept_loses_and_doubles_nothing(house: House, step: str):
    _told(house)
    house.mailbox.faults = {step: "drop"}
    broken = house.send()
    house.mailbox.faults = {}
    house.clock.forward(minutes=1, seconds=1)

    mended = house.send()

    assert (broken.sent, mended.sent) == (0, 1)
    assert len(house.mailbox.messages()) == 1


def test_a_line_that_breaks_after_the_mail_is_kept_makes_one_copy_with_the_same_id_and_is_counted(house: House):
    _told(house)
    house.mailbox.faults = {"kept": "drop"}
    broken = house.send()
    house.mailbox.faults = {}
    house.clock.forward(minutes=1, seconds=1)
    house.send()

    assert broken.in_doubt == 1
    assert len(_received(house)) == 2
    assert len(set(_received(house))) == 1
    assert status(house.store, house.clock())["in_doubt"] == 1


def test_a_line_that_breaks_at_goodbye_is_no_trouble(house: House):
    _told(house)
    house.mailbox.faults = {"QUIT": "drop"}

    assert house.send().sent == 1
    assert house.send().sent == 0


@pytest.mark.parametrize("step", ["RCPT", "DATA", "dot"])
@pytest.mark.parametrize("answer", ["421 closing", "450 busy", "451 local error", "452 full"])
def test_a_4xx_is_tried_again_later(house: House, step: str, answer: str):
    _told(house)
    house.mailbox.faults = {step: answer}
    house.send()
    house.mailbox.faults = {}

    at_once = house.send()
    house.clock.forward(minutes=1, seconds=1)
    later = house.send()

    assert (at_once.sent, later.sent) == (0, 1)
    assert len(house.mailbox.messages()) == 1


@pytest.mark.parametrize("step", ["RCPT", "DATA", "dot"])
@pytest.mark.parametrize("answer", ["550 no such user", "552 too big", "554 refused"])
def test_a_5xx_is_final_and_visible(house: House, step: str, answer: str):
    _told(house)
    house.mailbox.faults = {step: answer}
    counts = house.send()
    house.mailbox.faults = {}
    house.clock.forward(days=1)

    assert counts.failed == 1
    assert house.send().sent == 0
    (mail,) = list_mails(house.store, state="failed")
    assert answer in mail.last_error
    assert [delivery["state"] for delivery in house.deliveries()] == ["failed"]


@pytest.mark.parametrize("fault", ["550 no such user", "450 try later", "drop"])
def test_one_bad_reader_blocks_nobody(house: House, fault: str):
    for name in ("a", "b", "c"):
        house.watch(recipient=f"{name}@example.org")
    house.put(recall())
    house.match()
    house.mailbox.faults = {"b@example.org": fault}

    counts = house.send()

    assert counts.sent == 2
    assert sorted(str(message["To"]) for message in house.mailbox.messages()) == ["a@example.org", "c@example.org"]


@pytest.mark.parametrize(
    ("step", "answer"), [("banner", "554 go away"), ("MAIL", "530 login first"), ("MAIL", "550 not from you")]
)
def test_a_server_that_takes_nothing_from_us_fails_no_mail(house: House, step: str, answer: str):
    _told(house)
    house.mailbox.faults = {step: answer}
    counts = house.send()
    house.mailbox.faults = {}

    assert counts.problem
    assert [(mail["state"], mail["attempts"]) for mail in house.mails()] == [("planned", 0)]
    assert house.send().sent == 1


def test_a_server_that_is_down_is_asked_once_a_pass_and_the_order_stays(house: House):
    for name in ("a", "b", "c"):
        house.watch(recipient=f"{name}@example.org")
    house.put(recall())
    house.match()
    house.mailbox.faults = {"banner": "drop"}
    counts = house.send()
    assert counts.problem and house.mailbox.connections == 1
    assert status(house.store, house.clock())["last_error"]
    house.mailbox.faults = {}
    house.clock.forward(days=1)

    house.send()

    assert [str(message["To"])[0] for message in house.mailbox.messages()] == ["a", "b", "c"]


def test_a_mail_that_could_not_be_sent_for_five_days_is_given_up_and_seen(house: House):
    _told(house)
    house.mailbox.faults = {"RCPT": "450 busy"}
    while house.clock() < NIGHT + GIVE_UP_AFTER + timedelta(hours=7):
        house.send()
        house.clock.forward(hours=6)

    assert [mail["state"] for mail in house.mails()] == ["given_up"]
    assert [delivery["state"] for delivery in house.deliveries()] == ["given_up"]
    assert house.mails()[0]["attempts"] == 21


def test_a_refused_mail_goes_out_again_under_its_id_and_once(house: House):
    house.watch()
    house.put(recall())
    house.match()
    house.mailbox.faults = {"RCPT": "550 no such user"}
    house.send()
    house.mailbox.faults = {}
    (mail,) = house.mails()
    house.clock.forward(days=9)

    (again,) = retry(house.store, now=house.clock(), mails=[mail["id"]])
    (twice,) = retry(house.store, now=house.clock(), mails=[mail["id"]])
    house.send()
    (late,) = retry(house.store, now=house.clock(), mails=[mail["id"]])
    house.send()

    (message,) = house.mailbox.messages()
    assert message["Message-ID"] == mail["message_id"]
    assert (again.was, again.why) == ("failed", "")
    assert (twice.why, late.why) == ("it is planned", "it is sent")
    assert [row["state"] for row in house.deliveries()] == ["sent"]
    assert sweep(house.store, house.sources, now=house.clock()).is_clean


def test_what_was_given_up_is_tried_for_five_days_more(house: House):
    house.watch()
    house.put(recall())
    house.match()
    house.mailbox.faults = {"RCPT": "450 busy"}
    house.send()
    house.clock.forward(days=5, minutes=1)
    given_up = house.send().given_up

    retry(house.store, now=house.clock(), since=NIGHT)
    house.clock.forward(days=4)
    waits = house.send().given_up
    house.mailbox.faults = {}
    house.clock.forward(hours=2)
    sent = house.send().sent

    assert (given_up, waits, sent) == (1, 0, 1)


def test_what_an_ended_watch_was_to_be_told_is_not_sent_again(house: House):
    watch = house.watch()
    house.put(recall())
    house.match()
    house.mailbox.faults = {"RCPT": "550 no such user"}
    house.send()
    house.mailbox.faults = {}
    end_watch(house.store, watch.id, now=house.clock())

    (left,) = retry(house.store, now=house.clock(), since=NIGHT)
    house.send()

    assert left.why == "its watches have ended"
    assert house.mailbox.messages() == []


def test_a_number_that_is_none_is_said(house: House):
    assert [one.why for one in retry(house.store, now=house.clock(), mails=[7], calls=[8])] == ["there is none"] * 2


def test_the_pause_doubles_from_a_minute_to_an_hour():
    minutes = [retry_pause(attempts).total_seconds() / 60 for attempts in range(1, 9)]

    assert minutes == [1, 2, 4, 8, 16, 32, 60, 60]


def _kill_at(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *, after: bool) -> None:
    original: Callable[..., Any] = getattr(owner, name)

    def dying(*values: Any, **named: Any) -> Any:
        if after:
            original(*values, **named)
        raise Killed(name)

    monkeypatch.setattr(owner, name, dying)


STEPS = [
    (outbox, "_recover", False, 0),
    (outbox, "write_letter", False, 0),
    (outbox, "write_letter", True, 0),
    (outbox, "plan_letter", False, 0),
    (outbox, "plan_letter", True, 0),
    (outbox, "_plan", True, 0),
    (outbox, "_send", False, 0),
    (MailServer, "open", False, 0),
    (MailServer, "open", True, 0),
    (MailServer, "_envelope", False, 0),
    (MailServer, "_envelope", True, 0),
    (MailServer, "send", False, 0),
    (MailServer, "send", True, 1),
    (outbox, "retry_pause", False, 1),
    (outbox, "_send", True, 0),
    (MailServer, "close", False, 0),
]


@pytest.mark.parametrize(("owner", "name", "after", "copies"), STEPS)
def test_a_process_killed_between_any_two_steps_loses_and_doubles_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, after: bool, copies: int
):
    _told(house)
    with monkeypatch.context() as killing:
        _kill_at(killing, owner, name, after=after)
        killing.setattr(outbox._Lease, "end", lambda _: None)  # the dead give nothing back
        with pytest.raises(Killed):
            house.send()
    house.clock.forward(hours=1)  # the lease of the dead runs out; here the process that held it still lives

    house.send()
    house.clock.forward(hours=1)
    house.send()

    assert len(_received(house)) == 1 + copies
    assert len(set(_received(house))) == 1
    assert [mail["state"] for mail in house.mails()] == ["sent"]
    assert status(house.store, house.clock())["in_doubt"] >= copies


def test_the_lease_of_a_dead_process_on_this_machine_is_taken_over_at_once(house: House):
    _told(house)
    process = subprocess.Popen(["true"])
    process.wait()
    owner = f"{socket.gethostname()} {process.pid} dead"
    house.store.runs.take_lease(outbox.LEASE, owner, for_s=3600, at=house.clock())

    assert house.send().sent == 1


def test_two_outboxes_do_not_send_at_the_same_time(house: House):
    _told(house)
    house.store.runs.take_lease(outbox.LEASE, "elsewhere 1 alive", for_s=600, at=house.clock())

    assert house.send().busy
    assert house.mailbox.messages() == []


def test_a_frozen_mail_is_not_written_again(house: House):
    _told(house)
    house.mailbox.faults = {"RCPT": "450 busy"}
    house.send()
    frozen = house.mails()[0]["content"]
    house.mailbox.faults = {}
    house.clock.forward(minutes=2)

    house.send()

    assert house.mails()[0]["content"] == frozen


def test_planning_twice_makes_one_mail(house: House):
    _told(house)

    first = plan_mails(house.store, house.settings, house.clock(), sources=house.sources)
    second = plan_mails(house.store, house.settings, house.clock(), sources=house.sources)

    assert (first, second, len(house.mails())) == (1, 0, 1)


def test_a_record_that_cannot_be_written_about_holds_up_no_other_reader(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    house.watch("balloon", "a@example.org")
    house.watch("kite", "b@example.org")
    house.put(recall("SR/00001/26", "Balloon"))
    house.put(recall("SR/00002/26", "Kite"))
    house.match()

    def careful(items: Any, **more: Any) -> Any:
        if "Balloon" in items[0].record.title():
            raise ValueError("unheard of")
        return write_letter(items, **more)

    monkeypatch.setattr(outbox, "write_letter", careful)
    house.send()

    assert [str(message["To"]) for message in house.mailbox.messages()] == ["b@example.org"]
    assert "a@example.org" in caplog.text
    assert [delivery["state"] for delivery in house.deliveries()] == ["due", "sent"]


def test_a_flood_is_one_mail_that_names_500_and_links_to_all(house: House):
    house.watch("kind:recall", language="en")
    changes = [recall(f"SR/{number:05}/26", f"Balloon {number}") for number in range(620)]
    with house.store.write() as transaction:
        page = SeenPage(id=1, url_key="1" * 32, fetched_at=house.clock())
        house.store.put_many(
            transaction,
            [Sighting(record=record) for record in changes],
            page,
            origin=Origin.CRAWL,
            at=house.clock(),
        )
    house.match()

    house.send()

    (message,) = house.mailbox.messages()
    text = body(message)
    assert text.count("https://ttm.example/records/") == 500
    assert text.count("Why you receive this") == 50
    assert "120 more are not listed" in text
    assert "https://ttm.example/search?q=kind%3Arecall" in text
    assert {delivery["state"] for delivery in house.deliveries()} == {"sent"}
    token = text.partition("https://ttm.example/digest?token=")[2].split()[0]
    at, frozen = told_together(house.store, digest_name_of(secret(house.settings), token))
    assert at is not None
    assert [item.record.key for item in frozen] == [record.key for record in changes]
    house.put(recall("SR/00000/26", "Balloon, now with another title"))
    house.put(recall("SR/99999/26", "One more balloon"))
    house.match()
    assert told_together(house.store, digest_name_of(secret(house.settings), token)) == (at, frozen)


def test_a_watch_ended_while_its_mail_waits_is_not_mailed(house: House):
    watch = house.watch()
    house.put(recall())
    house.match()
    house.mailbox.faults = {"RCPT": "450 busy"}
    house.send()
    house.mailbox.faults = {}

    end_watch(house.store, watch.id, now=house.clock())
    house.clock.forward(minutes=2)
    house.send()

    assert house.mailbox.messages() == []
    assert [mail["state"] for mail in house.mails()] == ["cancelled"]


def test_a_mail_in_which_another_watch_remains_still_goes_out(house: House):
    watch = house.watch("balloon")
    house.watch("hazard:choking")
    house.put(recall())
    house.match()
    plan_mails(house.store, house.settings, house.clock(), sources=house.sources)

    end_watch(house.store, watch.id, now=house.clock())

    assert house.send().sent == 1


def test_mails_are_spaced_to_the_rate(house: House):
    for name in ("a", "b", "c"):
        house.watch(recipient=f"{name}@example.org")
    house.put(recall())
    house.match()
    settings = house.settings.model_copy(
        update={"mail": house.settings.mail.model_copy(update={"rate_per_minute": 30})}
    )
    pauses: list[float] = []

    outbox.deliver_due(house.store, settings, house.clock, sources=house.sources, wait=pauses.append)

    assert pauses == [2.0, 2.0]


def test_the_loop_sends_and_stops(house: House, mailbox: FaultyMailbox):
    _told(house)
    stop = threading.Event()
    loop = threading.Thread(
        target=run_outbox,
        args=(house.store, house.settings, house.clock),
        kwargs={"sources": house.sources, "stop": stop, "idle_s": 0.02},
    )
    loop.start()
    for _ in range(200):
        if mailbox.messages():
            break
        stop.wait(0.02)
    stop.set()
    loop.join(10)

    assert not loop.is_alive()
    assert [str(message["To"]) for message in mailbox.messages()] == [READER]


def test_the_whole_way_on_both_databases(any_store: Store, mailbox: FaultyMailbox, tmp_path: Path):
    house = House(any_store, mailbox, tmp_path)
    first = house.watch("balloon")
    house.watch("hazard:choking", cadence="daily")
    house.put(recall())
    house.match()
    house.follower.handle(any_store.changes(0))
    house.mailbox.faults = {"kept": "drop"}
    house.send()
    house.mailbox.faults = {}
    house.clock.forward(days=1)
    house.send()
    house.put(recall("SR/00002/26"))
    house.match()
    end_watch(any_store, first.id, now=house.clock())

    assert sweep(any_store, house.sources, now=house.clock(), repair=True).is_clean
    assert [mail.state for mail in list_mails(any_store)] == ["sent", "sent"]
    assert len(list_mails(any_store, state="sent")) == 2
    assert len(set(_received(house))) == 2
    stands = status(any_store, house.clock())
    assert (stands["deliveries"], stands["in_doubt"]) == ({"cancelled": 1, "due": 1, "sent": 2}, 1)
    key = secret(house.settings)
    token = mail_token(key, list_mails(any_store)[0].message_id)
    assert len(unsubscribe(any_store, key, token, now=house.clock())) == 1
    assert report_runs(any_store, house.settings, house.clock()) == 0
