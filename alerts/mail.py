"""Mail: messages as bytes that never change again, and the only door to the mail server."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime, parseaddr
from enum import StrEnum
from hashlib import sha256
from types import TracebackType
from typing import Any, NamedTuple

from alerts.letter import Letter
from library.settings import MailSettings
from library.store.database import Transaction
from library.times import stamp

ONE_LINE = ("list-unsubscribe", "message-id")
LINE_LIMIT = 998  # RFC 5322, without the line end
OURS_TO_MEND = (530, 534, 535, 538)  # the server asks for a login we did not give, whatever step says so


class MailServerError(Exception):
    """The mail server cannot be used at all: not reached, not trusted, no login. No reader's mail is to blame."""


class Heard(StrEnum):
    """What the server made of one mail."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # 5xx: sending it again would change nothing
    LATER = "later"  # 4xx, or the line broke before the last dot
    NOTHING = "nothing"  # the line broke after the last dot: the mail may have arrived


class Answer(NamedTuple):
    """What the server made of one mail, and its own words."""

    heard: Heard
    words: str


class _Policy(EmailPolicy):
    """SMTP's line ends, 7 bits, and some headers left on one line.

    The standard policies encode a List-Unsubscribe address longer than a line as '=?utf-8?q?=3Chttps', and no
    mailer unsubscribes by that. A longer line for all headers would make encoded words longer than RFC 2047 allows.
    """

    def fold(self, name: str, value: Any) -> str:
        return f"{name}: {value}\r\n" if name.lower() in ONE_LINE else super().fold(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode("ascii") if name.lower() in ONE_LINE else super().fold_binary(name, value)


POLICY = _Policy(linesep="\r\n", cte_type="7bit", raise_on_defect=False, header_factory=SMTP.header_factory)


def message_id(occasion: str, recipient: str, sender: str) -> str:
    """The Message-ID of a mail, the same whenever it is asked for, so that a copy is known as one."""
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    digest = sha256(b"\0".join((recipient.encode(), occasion.encode()))).hexdigest()
    return f"<{digest[:40]}@{domain}>"


def freeze(letter: Letter, *, sender: str, recipient: str, message_id: str, at: datetime) -> bytes:
    """Write a letter as the bytes that go over the wire. Raises ValueError for anything that would break a header."""
    message = EmailMessage(policy=POLICY)
    message["From"] = sender
    message["To"] = recipient
    # Setting a header decodes the encoded words in it, and '=?utf-8?q?=0ABcc:…?=' in a title would become a line break.
    message["Subject"] = letter.subject.replace("=?", "= ?")
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe:
        if len(letter.unsubscribe) > LINE_LIMIT - len("List-Unsubscribe: <>"):
            raise ValueError(f"an unsubscribe address of {len(letter.unsubscribe)} characters fits no header")
        message["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text)
    if letter.html:
        message.add_alternative(letter.html, subtype="html")
    return message.as_bytes()


def plan_letter(
    transaction: Transaction, letter: Letter, *, sender: str, recipient: str, occasion: str, at: datetime
) -> int | None:
    """Freeze a letter into a mail row; None if there is one for this recipient and occasion already."""
    name = message_id(occasion, recipient, sender)
    planned: int | None = transaction.value(
        ADD_MAIL,
        message_id=name,
        recipient=recipient,
        occasion=occasion,
        subject=letter.subject,
        content=freeze(letter, sender=sender, recipient=recipient, message_id=name, at=at),
        at=stamp(at),
    )
    return planned


ADD_MAIL = """
    INSERT INTO mail (message_id, recipient, occasion, subject, content, state, next_at, created_at)
    VALUES (:message_id, :recipient, :occasion, :subject, :content, 'planned', :at, :at)
    ON CONFLICT DO NOTHING RETURNING id
"""


class MailServer:
    """One connection to the mail server, opened when first needed, and again after it broke."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._client: smtplib.SMTP | None = None
        self._is_used = False  # whether a mail was begun on this line

    def __enter__(self) -> MailServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:  # in the middle of a mail the server would read a goodbye as text, and we would wait for its answer
            self._drop()

    def open(self) -> None:
        """Connect, secure the line and log in, unless that is done. Raises MailServerError with the reason."""
        if self._client is not None:
            return
        at = f"{self._settings.host}:{self._settings.port}"
        client: smtplib.SMTP | None = None
        try:
            client = self._connect()
            client.ehlo_or_helo_if_needed()
            if self._settings.security == "starttls":
                client.starttls(context=ssl.create_default_context())
                client.ehlo()  # what was said before the line was secure does not count
            if self._settings.user:
                client.login(self._settings.user, self._settings.password)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            if client is not None:
                client.close()
            raise MailServerError(f"the mail server at {at} cannot be used: {error}") from error
        self._client, self._is_used = client, False

    def send(self, sender: str, recipient: str, content: bytes) -> Answer:
        """Hand over one mail. Raises MailServerError where the server will take no mail from us at all.

        content: whole message with CR LF line ends, ASCII.
        """
        self.open()
        self._begin(sender)
        assert self._client is not None
        try:
            refusal = self._envelope(self._client, recipient)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Answer(Heard.LATER, f"the line broke before the mail was handed over: {error}")
        if refusal is not None:
            return refusal
        try:
            self._client.send(re.sub(rb"(?m)^\.", b"..", content) + (b"" if content.endswith(b"\r\n") else b"\r\n"))
            self._client.send(b".\r\n")
            code, words = self._client.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Answer(Heard.NOTHING, f"the line broke before the server answered: {error}")
        if code == -1:  # no number in what came back: nobody knows what it means
            self._drop()
            return Answer(Heard.NOTHING, f"the server answered {_words(words)!r}")
        return self._judge("the text", code, words)

    def close(self) -> None:
        """Say goodbye."""
        if self._client is None:
            return
        try:
            self._client.quit()
        except (OSError, smtplib.SMTPException):
            self._client.close()
        self._client = None

    def _connect(self) -> smtplib.SMTP:
        name, timeout_s = socket.gethostname(), self._settings.timeout_s
        if self._settings.security == "tls":
            return smtplib.SMTP_SSL(
                self._settings.host,
                self._settings.port,
                local_hostname=name,
                timeout=timeout_s,
                context=ssl.create_default_context(),
            )
        return smtplib.SMTP(self._settings.host, self._settings.port, local_hostname=name, timeout=timeout_s)

    def _begin(self, sender: str) -> None:
        """Say from whom, on a new line where the old one has ended: servers close one after so many mails, or minutes.

        Raises MailServerError for any other answer but yes: no reader was named yet, so no reader's mail is to blame,
        and the mails keep their order.
        """
        was_used = self._is_used
        self._is_used = True
        said = self._said_from(sender)
        if said and was_used and self._client is None:
            self.open()
            self._is_used = True
            said = self._said_from(sender)
        if said:
            self._drop()
            raise MailServerError(f"the mail server takes no mail from {sender}: {said}")

    def _said_from(self, sender: str) -> str:
        """'' if the server takes mail from us, and its words otherwise; the line is dropped where it has ended."""
        assert self._client is not None
        try:
            code, words = self._client.mail(sender)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return f"the line broke: {error}"
        if code in (421, -1):
            self._drop()
        return "" if code == 250 else f"{code} {_words(words)}"

    def _envelope(self, client: smtplib.SMTP, recipient: str) -> Answer | None:
        """Say to whom, and ask to begin; None if the text may follow."""
        code, words = client.rcpt(recipient)
        if code not in (250, 251):
            return self._judge("the recipient", code, words)
        code, words = client.docmd("DATA")
        return None if code == 354 else self._judge("DATA", code, words)

    def _judge(self, step: str, code: int, words: bytes) -> Answer:
        said = f"{step}: {code} {_words(words)}"
        if code in OURS_TO_MEND:
            self._drop()
            raise MailServerError(f"the mail server asks for a login at {said}")
        if step == "the text" and code // 100 == 2:
            return Answer(Heard.ACCEPTED, said)
        if code // 100 == 5:
            self._reset()
            return Answer(Heard.REFUSED, said)
        if code // 100 == 4 and code != 421:
            self._reset()
        else:  # the server is closing, or speaks no SMTP that we know
            self._drop()
        return Answer(Heard.LATER, said)

    def _reset(self) -> None:
        try:
            if self._client is not None:
                self._client.rset()
        except (OSError, smtplib.SMTPException):
            self._drop()

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None


def _words(words: bytes) -> str:
    return words.decode("ascii", errors="replace").replace("\n", " ")[:300]
