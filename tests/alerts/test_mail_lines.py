"""Lines to the mail server that end between two mails, and a server that takes no mail from us for a while."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP

from alerts.mail import MailServer, MailServerError
from alerts.practice_mailbox import PracticeMailbox
from library.settings import MailSettings
from tests.alerts.conftest import READER, House, recall

CONTENT = b"Subject: x\r\n\r\nx\r\n"


class ClosingMailbox(PracticeMailbox):
    """Takes so many mails on one line and then ends it: with '421' where it is polite."""

    mails_per_line = 1
    is_polite = True
    lines = 0

    def session(self) -> SMTP:
        self.lines += 1
        return _ClosingSession(self, loop=self._loop, hostname="practice.invalid")


class _ClosingSession(SMTP):
    begun = 0

    async def smtp_MAIL(self, arg: str) -> None:
        mailbox = self.event_handler
        self.begun += 1
        if self.begun <= mailbox.mails_per_line:
            await super().smtp_MAIL(arg)
            return
        if mailbox.is_polite:
            await self.push("421 too many messages in this connection")
        assert self.transport is not None
        self.transport.close()


@pytest.fixture
def closing(tmp_path: Path) -> Iterator[ClosingMailbox]:
    mailbox = ClosingMailbox(tmp_path / "closing")
    with mailbox:
        yield mailbox


@pytest.mark.parametrize("is_polite", [True, False])
def test_a_line_that_ends_between_two_mails_is_opened_again_for_the_next(closing: ClosingMailbox, is_polite: bool):
    closing.is_polite = is_polite

    with MailServer(MailSettings(port=closing.port)) as server:
        answers = [server.send("a@example.net", READER, CONTENT).heard for _ in range(3)]

    assert answers == ["accepted"] * 3
    assert (len(closing.messages()), closing.lines) == (3, 3)


@pytest.mark.parametrize("is_polite", [True, False])
def test_a_server_that_ends_every_line_at_once_is_asked_twice_and_blamed(closing: ClosingMailbox, is_polite: bool):
    closing.is_polite = is_polite
    with MailServer(MailSettings(port=closing.port)) as server:
        server.send("a@example.net", READER, CONTENT)
        closing.mails_per_line = 0
        with pytest.raises(MailServerError, match=r"takes no mail from a@example\.net"):
            server.send("a@example.net", READER, CONTENT)

    assert (len(closing.messages()), closing.lines) == (1, 2)


@pytest.mark.parametrize("answer", ["421 closing", "451 try later", "452 no space", "drop"])
def test_a_server_that_takes_nothing_for_a_while_costs_no_attempt_and_no_order(house: House, answer: str):
    for name in ("a", "b", "c"):
        house.watch(recipient=f"{name}@example.org")
    house.put(recall())
    house.match()
    house.mailbox.faults = {"MAIL": answer}
    counts = house.send()
    attempts = [mail["attempts"] for mail in house.mails()]
    house.mailbox.faults = {}

    house.send()

    assert counts.problem
    assert attempts == [0, 0, 0]
    assert [str(message["To"])[0] for message in house.mailbox.messages()] == ["a", "b", "c"]
