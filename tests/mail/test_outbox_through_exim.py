"""Mail on its way through a server that people really run: what arrives, what is tried again, and what is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from alerts.mail import MailServer
from alerts.outbox import GIVE_UP_AFTER, deliver_due, plan_mails
from alerts.tokens import secret, unsubscribe
from library.settings import MailSettings, Settings
from library.store.store import Store
from tests.alerts.conftest import FaultyMailbox, House, body, recall
from tests.mail.conftest import PASSWORD, MailHouse

HOSTILE = "Balloon\r\nBcc: second@practice.invalid\r\n\r\n.\r\n=?utf-8?q?=0ABcc:_second@practice.invalid?= \u202e玩具"


class Posting(House):
    """The alerts of one library, whose mails go through Exim."""

    def __init__(self, store: Store, servers: MailHouse, home: Path) -> None:
        super().__init__(store, FaultyMailbox(home / "not opened"), home)
        self.servers = servers

    @property
    def settings(self) -> Settings:
        return super().settings.model_copy(update={"mail": self.servers.sending()})

    def states(self) -> dict[str, tuple[str, int]]:
        """State and number of attempts of the mail of each reader."""
        return {mail["recipient"].partition("@")[0]: (mail["state"], mail["attempts"]) for mail in self.mails()}


@pytest.fixture
def posting(house: MailHouse, store: Store, tmp_path: Path) -> Iterator[Posting]:
    yield Posting(store, house, tmp_path)


def test_an_alert_lies_in_the_readers_mailbox_as_it_was_written(posting: Posting):
    posting.watch(recipient="reader@practice.invalid")
    posting.put(recall(title="Balloon 玩具气球 with a choking hazard"))
    posting.match()

    counts = posting.send()
    (message,) = posting.servers.delivered("reader")

    (mail,) = posting.mails()
    assert (counts.sent, mail["state"]) == (1, "sent")
    assert str(message["Message-ID"]) == mail["message_id"]
    assert str(message["Subject"]) == mail["subject"]
    assert str(message["Envelope-to"]) == "reader@practice.invalid"
    assert "Balloon 玩具气球 with a choking hazard" in body(message)
    assert "Balloon 玩具气球 with a choking hazard" in body(message, "html")


def test_one_click_still_unsubscribes_after_the_journey(posting: Posting):
    watch = posting.watch(recipient="reader@practice.invalid")
    posting.put(recall())
    posting.match()
    posting.send()
    (message,) = posting.servers.delivered("reader")

    address = re.fullmatch("<(https://[^>]+)>", str(message["List-Unsubscribe"]))
    assert address is not None
    token = parse_qs(urlsplit(address[1]).query)["token"][0]
    ended = unsubscribe(posting.store, secret(posting.settings), token, now=posting.clock())

    assert str(message["List-Unsubscribe-Post"]) == "List-Unsubscribe=One-Click"
    assert [one.id for one in ended] == [watch.id]


def test_a_hostile_title_reaches_nobody_else_and_adds_no_header(posting: Posting):
    posting.watch("kind:recall", "reader@practice.invalid", title=HOSTILE)
    posting.put(recall(title=HOSTILE))
    posting.match()

    posting.send()
    (message,) = posting.servers.delivered("reader")

    assert posting.servers.maildir("second") == []
    assert (message["Bcc"], str(message["To"])) == (None, "reader@practice.invalid")


def test_what_the_server_puts_off_is_tried_again_and_what_it_refuses_is_not(posting: Posting):
    for reader in ("greylisted", "full", "picky", "unknown", "reader"):
        posting.watch(recipient=f"{reader}@practice.invalid")
    posting.put(recall())
    posting.match()

    first = posting.send()
    at_once = posting.send()
    after_first = posting.states()
    posting.servers.let_greylisted_pass()
    posting.clock.forward(minutes=1, seconds=1)
    second = posting.send()

    assert (first.sent, first.later, first.failed) == (1, 2, 2)
    assert (at_once.sent, at_once.later, at_once.failed) == (0, 0, 0)
    assert after_first == {
        "greylisted": ("planned", 1),
        "full": ("planned", 1),
        "picky": ("failed", 1),
        "unknown": ("failed", 1),
        "reader": ("sent", 1),
    }
    assert (second.sent, second.later, second.failed) == (1, 1, 0)
    assert posting.states() == after_first | {"greylisted": ("sent", 2), "full": ("planned", 2)}
    assert [len(posting.servers.delivered(reader)) for reader in ("reader", "greylisted")] == [1, 1]


def test_a_mailbox_that_stays_full_is_given_up_after_five_days_and_not_before(posting: Posting):
    posting.watch(recipient="full@practice.invalid")
    posting.put(recall())
    posting.match()
    begun = posting.clock()
    while posting.clock() < begun + GIVE_UP_AFTER:
        posting.send()
        assert posting.states()["full"][0] == "planned"
        posting.clock.forward(hours=8)
    posting.clock.forward(seconds=1)

    counts = posting.send()

    assert (counts.given_up, posting.states()["full"][0]) == (1, "given_up")


def test_a_server_that_ends_the_line_after_five_mails_gets_them_all_once_and_in_order(posting: Posting):
    posting.watch(recipient="reader@practice.invalid")
    for number in range(12):
        posting.put(recall(f"SR/{number:05}/26", f"Balloon {number}"))
        posting.match()
        plan_mails(posting.store, posting.settings, posting.clock(), sources=posting.sources)

    counts = posting.send()
    messages = posting.servers.delivered("reader", 12)

    assert (counts.sent, counts.later, counts.problem) == (12, 0, "")
    # whoever sends sees the order in which the server took them; two of its own deliveries may overtake each other
    assert sorted(str(message["Message-ID"]) for message in messages) == sorted(
        mail["message_id"] for mail in posting.mails()
    )
    taken = re.findall(r" <= .* id=(\S+)", (posting.servers.folder / "log" / "mainlog").read_text(encoding="utf-8"))
    assert [f"<{name}>" for name in taken[-12:]] == [mail["message_id"] for mail in posting.mails()]


def test_over_a_secured_line_and_after_a_login_mail_is_taken_from_a_guarded_sender(posting: Posting):
    posting.watch(recipient="reader@practice.invalid")
    posting.put(recall())
    posting.match()
    guarded = {"sender": "ttm <ttm@login.invalid>", "host": "localhost"}

    def send(settings: MailSettings) -> tuple[int, str]:
        own = posting.settings.model_copy(update={"mail": settings})
        counts = deliver_due(posting.store, own, posting.clock, sources=posting.sources)
        return counts.sent, counts.problem

    stranger = send(posting.servers.sending(**guarded))
    wrong = send(posting.servers.sending(**guarded, security="starttls", user="ttm", password="guessed"))
    known = send(posting.servers.sending(**guarded, security="starttls", user="ttm", password=PASSWORD))

    assert stranger[0] == 0 and "must log in first" in stranger[1]
    assert wrong[0] == 0 and "535" in wrong[1]
    assert known == (1, "")
    assert len(posting.servers.delivered("reader")) == 1


def test_dots_and_long_chinese_lines_are_not_touched(house: MailHouse):
    lines = [".", "..", ".a", "", "From here", "玩" * 300]
    text = "\r\n".join(lines)
    head = "Subject: x\r\nMessage-ID: <dots@practice.invalid>\r\nContent-Type: text/plain; charset=utf-8\r\n"
    content = f"{head}Content-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n".encode()

    with MailServer(house.sending()) as server:
        server.send("ttm@practice.invalid", "reader@practice.invalid", content)
    (message,) = house.delivered("reader")

    assert message.get_content().splitlines() == lines
