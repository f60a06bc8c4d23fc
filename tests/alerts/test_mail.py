"""What a mail says and how it travels: nothing a publisher prints can forge a header, and one click still unsubscribes."""

from __future__ import annotations

import re
import ssl
import subprocess
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from alerts.letter import Item, Letter, Links, original_url, record_url, write_letter
from alerts.mail import MailServer, MailServerError, freeze, message_id
from alerts.practice_mailbox import PracticeMailbox
from alerts.watches import Watch
from alerts.wording import COUNTED, FIELDS, KINDS, SENTENCES, clean, generated_line
from indexer.query import Reason
from library.record import Coded, Link, Text
from library.settings import MailSettings
from tests.alerts.conftest import NIGHT, READER, SAFETY_GATE, FaultyMailbox, House, body, recall, withdrawn

SENDER = "ttm <ttm@example.net>"

HOSTILE = [
    "Toy\r\nBcc: victim@example.org",
    "Toy\nSubject: other\n\nbody",
    "=?utf-8?q?=0ABcc:_victim@example.org?=",
    "=?utf-8?b?DQpCY2M6IHZpY3RpbUBleGFtcGxlLm9yZw==?=",
    "\x00\x0b\x0c\x1c\x85\u2028\u2029Toy",
    "\u202egnp.exe\u202c \u2066toy",
    "玩具" * 5000,
    "Toy " * 2500,
    "e\u0301" * 5000,
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "{{ 7*7 }} {% for x in y %} ${7*7} #{7*7} %s {0.__class__}",
    "𠮷野家 😀 emoji",
    ".\r\n.\r\nMAIL FROM:<x@example.org>",
    "'\" onmouseover=alert(1) x='",
    "a" * 3000,
]


def _letter(watch: Watch, *records: Item, base_url: str = "https://ttm.example") -> Letter:
    return write_letter(
        records,
        count=len(records),
        cadence="immediate",
        links=Links(
            base_url=base_url, end={watch.id: f"{base_url}/unsubscribe?token=one"}, end_all=f"{base_url}/u?token=all"
        ),
        sources={"eu_safety_gate": SAFETY_GATE},
    )


def _parsed(letter: Letter) -> EmailMessage:
    content = freeze(letter, sender=SENDER, recipient=READER, message_id=message_id("x:1", READER, SENDER), at=NIGHT)
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def _bodies(message: EmailMessage) -> tuple[str, str]:
    return body(message), body(message, "html")


@pytest.mark.parametrize("title", HOSTILE)
def test_a_hostile_title_adds_no_header_and_no_markup(house: House, title: str):
    watch = house.watch(title="W")
    record = recall(titles=(Text(language="en", value=title),), attribution=title)
    item = Item(record=record, action="added", late=False, reasons=[(watch, [Reason(title, "title", (title,))])])

    message = _parsed(_letter(watch, item))

    assert sorted(key.lower() for key in list(message)) == sorted(
        (
            "from",
            "to",
            "subject",
            "date",
            "message-id",
            "auto-submitted",
            "list-unsubscribe",
            "list-unsubscribe-post",
            "content-type",
            "mime-version",
        )
    )
    assert len(str(message["Subject"])) <= 130
    assert str(message["To"]) == READER
    text, html = _bodies(message)
    assert "<script" not in html and "<img" not in html and " onmouseover=" not in re.sub(r">[^<]*<", "><", html)
    assert "49" not in text.split("\n", 4)[2]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", text + html + str(message["Subject"]))


@pytest.mark.parametrize("title", HOSTILE)
def test_a_subject_arrives_as_it_was_written(title: str):
    subject = clean(title, 100)

    message = _parsed(Letter(subject=subject, text="x", html=""))

    assert str(message["Subject"]) == subject.replace("=?", "= ?")


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_titles_pass_the_wire_unharmed(house: House, title: str):
    house.watch("kind:recall", title=title)
    house.put(recall(titles=(Text(language="en", value=title),)))
    house.match()

    assert house.send().sent == 1
    (message,) = house.mailbox.messages()
    assert str(message["X-Envelope-To"]) == READER
    assert message["Bcc"] is None
    (path,) = house.mailbox.folder.glob("*.eml")
    assert b"\r\nList-Unsubscribe: <https://ttm.example/unsubscribe?token=" in path.read_bytes()


def test_every_line_on_the_wire_is_short_ascii(house: House):
    watch = house.watch(title="观察" * 20)
    item = Item(record=recall(title="玩具" * 100), action="added", late=False, reasons=[(watch, [])])

    content = freeze(
        _letter(watch, item), sender=SENDER, recipient=READER, message_id=message_id("x:1", READER, SENDER), at=NIGHT
    )

    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 100
    assert b"\n" not in content.replace(b"\r\n", b"")


@pytest.mark.parametrize("length", [10, 80, 300, 900])
def test_the_one_click_header_survives_a_long_address(length: int):
    url = "https://ttm.example/unsubscribe?token=" + "t" * length

    content = freeze(
        Letter(subject="x", text="x", html="", unsubscribe=url),
        sender=SENDER,
        recipient=READER,
        message_id=message_id("x:1", READER, SENDER),
        at=NIGHT,
    )

    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in content
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in content


def test_an_address_that_fits_no_header_is_refused():
    letter = Letter(subject="x", text="x", html="", unsubscribe="https://ttm.example/?" + "t" * 1000)

    with pytest.raises(ValueError, match="fits no header"):
        freeze(letter, sender=SENDER, recipient=READER, message_id="<x@y>", at=NIGHT)


def test_the_mail_explains_itself_in_chinese(house: House):
    watch = house.watch("原产地 窒息", title="中国玩具")
    reasons = [Reason("origin:中国", "origin", ("CN",)), Reason("窒息", "title", ("choking",))]
    item = Item(record=recall(), action="added", late=True, reasons=[(watch, reasons)])

    text, html = _bodies(_parsed(_letter(watch, item)))

    for words in (
        "[新] Balloon with a choking hazard",
        "欧盟危险产品通报 · SR/00001/26 · 发布日期：2026-02-27",
        "市场：欧盟；类型：召回；类别：玩具；危害：异物窒息；原产地：中国（由编码自动生成）",
        "为什么收到：订阅“中国玩具”：原产地=中国；标题含“choking”（词库：窒息 → choking）",
        "补报：",
        "https://ttm.example/records/eu_safety_gate:SR/00001/26",
        "https://publisher.example/notice?id=1&lang=en",
        "© Publisher, 2026",
        "https://ttm.example/unsubscribe?token=one",
    ):
        assert words in text
        assert words.replace("&", "&amp;").removeprefix("[新] ") in html


def test_the_mail_explains_itself_in_english(house: House):
    watch = house.watch("choking", title="Choking", language="en")
    item = Item(
        record=withdrawn(recall()),
        action="withdrawn",
        late=False,
        reasons=[(watch, [Reason("choking", "title", ("choking",))])],
    )

    message = _parsed(_letter(watch, item))

    assert str(message["Subject"]) == "[ttm] Withdrawn recall: Balloon with a choking hazard"
    assert "Why you receive this: watch “Choking”: “choking” in the title" in _bodies(message)[0]


def test_a_title_in_the_readers_language_is_preferred(house: House):
    watch = house.watch()
    record = recall(titles=(Text(language="en", value="Balloon"), Text(language="zh", value="气球")))

    letter = _letter(watch, Item(record=record, action="added", late=False, reasons=[(watch, [])]))

    assert letter.subject == "[ttm] 新召回：气球"


def test_words_nobody_has_mapped_stand_as_printed():
    record = recall(hazards=(Coded(printed="Spontaneous\r\nboredom"),))

    assert "危害：Spontaneous boredom" in generated_line(record, "zh")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example/x",
        "https://user@evil.example/",
        'https://x/"><b>',
        "ftp://x/y",
    ],
)
def test_an_original_that_is_no_plain_web_address_is_not_linked(url: str):
    assert original_url(recall(links=(Link(url=url),))) == ""


def test_a_record_with_odd_letters_in_its_key_has_an_address():
    assert record_url("https://ttm.example/", "x:a b?c#d\r\n") == "https://ttm.example/records/x:a%20b%3Fc%23d%0D%0A"


def test_a_message_id_is_the_same_for_the_same_occasion_and_reader_only():
    assert message_id("x:1", READER, SENDER) == message_id("x:1", READER, SENDER)
    assert len({message_id(o, r, SENDER) for o in ("x:1", "x:2") for r in (READER, "b@example.org")}) == 4


def test_both_languages_say_everything():
    for table in (SENTENCES, COUNTED, KINDS, FIELDS):
        assert table["zh"].keys() == table["en"].keys()
        assert all(table["zh"].values()) and all(table["en"].values())


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost, signed by itself, and its key."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            str(key),
            "-out",
            str(certificate),
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ],
        check=True,
        capture_output=True,
    )
    return key, certificate


class _SecureMailbox(PracticeMailbox):
    def __init__(self, folder: Path, key: Path, certificate: Path) -> None:
        super().__init__(folder)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)

    def session(self):
        from aiosmtpd.smtp import SMTP

        return SMTP(self, loop=self._loop, hostname="localhost", tls_context=self._context)


def test_starttls_sends_to_a_server_whose_certificate_is_trusted(
    tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[1]))
    with _SecureMailbox(tmp_path / "secure", *certificate) as mailbox:
        settings = MailSettings(host="localhost", port=mailbox.port, security="starttls")
        with MailServer(settings) as server:
            answer = server.send("a@example.net", READER, b"Subject: x\r\n\r\n.\r\nx\r\n")

        assert answer.heard == "accepted"
        assert mailbox.messages()[0].get_content().splitlines() == [".", "x"]


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path, certificate: tuple[Path, Path]):
    with _SecureMailbox(tmp_path / "secure", *certificate) as mailbox:
        settings = MailSettings(host="localhost", port=mailbox.port, security="starttls")
        with MailServer(settings) as server, pytest.raises(MailServerError, match="certificate"):
            server.send("a@example.net", READER, b"Subject: x\r\n\r\nx\r\n")

        assert mailbox.messages() == []


def test_a_server_without_starttls_gets_nothing_in_the_clear(mailbox: FaultyMailbox):
    settings = MailSettings(port=mailbox.port, security="starttls", user="u", password="p")

    with MailServer(settings) as server, pytest.raises(MailServerError, match="STARTTLS"):
        server.send("a@example.net", READER, b"Subject: x\r\n\r\nx\r\n")

    assert mailbox.messages() == []


def test_a_server_that_is_not_there_is_named():
    with MailServer(MailSettings(port=1)) as server, pytest.raises(MailServerError, match="127.0.0.1:1 "):
        server.open()
