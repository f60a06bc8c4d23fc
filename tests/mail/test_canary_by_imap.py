"""The canary is looked for in a mailbox that only IMAP leads to."""

from __future__ import annotations

import imaplib
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from alerts.canary import is_in_mailbox
from alerts.mail import MailServer
from library.house import opened
from library.settings import CanarySettings, Settings, WebSettings
from operations.canary import fly
from tests.mail.conftest import PASSWORD, MailHouse
from tests.operations.test_canary import Hurry

CONTENT = "Subject: x\r\nMessage-ID: <{}@practice.invalid>\r\n\r\nMessage-ID: <quoted@practice.invalid>\r\n"
MODIFIED_UTF_7 = {"Rules": "Rules", "台北": "&U,BTFw-", "日本語": "&ZeVnLIqe-", "R&D": "R&-D"}  # RFC 3501, 5.1.3


def _send(house: MailHouse, name: str) -> None:
    with MailServer(house.sending()) as server:
        content = CONTENT.format(name).encode()
        answer = server.send("ttm@practice.invalid", "operator@practice.invalid", content)
    assert answer.heard == "accepted"
    assert len(house.delivered("operator")) == 1


@contextmanager
def _logged_in(house: MailHouse) -> Iterator[imaplib.IMAP4_SSL]:
    with imaplib.IMAP4_SSL("localhost", house.imaps, ssl_context=ssl.create_default_context(), timeout=10) as client:
        client.login("operator", PASSWORD)
        yield client


def test_a_mail_is_found_by_its_id_and_by_nothing_else(house: MailHouse):
    _send(house, "one")

    assert is_in_mailbox(house.reading(), "<one@practice.invalid>")
    assert not is_in_mailbox(house.reading(), "<two@practice.invalid>")
    assert not is_in_mailbox(house.reading(), "<quoted@practice.invalid>")


def test_a_mail_that_was_looked_for_is_still_unread(house: MailHouse):
    _send(house, "one")

    is_in_mailbox(house.reading(), "<one@practice.invalid>")

    with _logged_in(house) as client:
        assert b"UNSEEN 1" in client.status("INBOX", "(UNSEEN)")[1][0]


@pytest.mark.parametrize("folder", MODIFIED_UTF_7)
def test_a_rule_may_have_moved_it_into_a_folder_of_any_name(house: MailHouse, folder: str):
    _send(house, "one")
    with _logged_in(house) as client:
        client.create(f'"{MODIFIED_UTF_7[folder]}"')
        client.select("INBOX")
        assert client.copy("1", f'"{MODIFIED_UTF_7[folder]}"')[0] == "OK"

    assert is_in_mailbox(house.reading(folder=quote(folder)), "<one@practice.invalid>")


@pytest.mark.parametrize(
    "wrong",
    [{"password": "guessed"}, {"password": "密码"}, {"folder": "missing"}],
    ids=["guessed", "chinese", "folder"],
)
def test_a_mailbox_that_cannot_be_read_is_no_empty_mailbox(house: MailHouse, wrong: dict[str, str]):
    with pytest.raises(OSError, match="the mailbox at localhost cannot be read"):
        is_in_mailbox(house.reading(**wrong), "<one@practice.invalid>")


def test_a_certificate_nobody_vouches_for_gets_no_password(house: MailHouse, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SSL_CERT_FILE")

    with pytest.raises(ssl.SSLCertVerificationError):
        is_in_mailbox(house.reading(), "<one@practice.invalid>")


def _settings(home: Path, house: MailHouse, reading: CanarySettings) -> Settings:
    told = f"import sys; open('{home / 'told'}', 'wb').write(sys.stdin.buffer.read())"
    return Settings(
        home=home / "home",
        database_url="",
        mail=house.sending(operator="operator@practice.invalid"),
        web=WebSettings(base_url="https://ttm.example"),
        canary=reading.model_copy(update={"command": f'{sys.executable} -c "{told}"'}),
    )


def test_the_canary_flies_through_exim_and_is_seen_by_imap(house: MailHouse, tmp_path: Path):
    clock = Hurry()

    def wait(seconds: float) -> None:
        house.delivered("operator")  # the servers' time is real
        clock.wait(seconds)

    with opened(_settings(tmp_path, house, house.reading())) as library:
        flight = fly(library, clock=clock, wait=wait)

    assert (flight.verdict, flight.reason, flight.seen_by) == ("arrived", "", "mailbox")
    assert len(house.maildir("operator")) == 1
    assert not (tmp_path / "told").exists()
