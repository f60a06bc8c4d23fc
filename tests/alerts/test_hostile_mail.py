"""Whatever a publisher prints or a reader types becomes words of a mail, and never a header, a reader or a command."""

from __future__ import annotations

import itertools
import re
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from alerts.practice_mailbox import read_mailbox
from alerts.watches import WatchError, address, end_watch
from library.record import Coded, Link, Text
from tests.alerts.conftest import House, recall

VICTIM = "victim@example.org"
PIECES = st.sampled_from(
    (
        *("\r\n", "\n", "\r", "\0", "\r\n\r\n", "\r\n.\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"),
        *(
            f"Bcc: {VICTIM}",
            f"\r\nTo: {VICTIM}",
            f"\r\nRCPT TO:<{VICTIM}>\r\n",
            "Content-Type: text/html",
            f"<{VICTIM}>",
        ),
        *("=?utf-8?q?=0D=0ABcc:_victim@example.org?=", "=?utf-8?b?DQpCY2M6IHZpY3RpbUBleGFtcGxlLm9yZw==?=", "=?", "?="),
        *(
            "\u202e",
            "\u2066",
            "\u200f",
            "\ufeff",
            "\U000e0041",
            ",",
            ";",
            ":",
            '"',
            "\\",
            "'",
            "<b>",
            "&#13;",
            "%0d%0a",
        ),
        *("玩具" * 5000, "toy " * 2500, "e\u0301" * 5000, "a" * 10_000, "😀", "Balloon"),
    )
)
HOSTILE = st.lists(st.one_of(PIECES, st.text(max_size=12)), min_size=1, max_size=6).map("".join)
WITH_SURROGATES = st.lists(
    st.one_of(PIECES, st.text(st.characters(exclude_categories=()), max_size=12), st.just("\ud83d")),
    min_size=1,
    max_size=6,
).map("".join)
PARTS_OF_ADDRESSES = st.sampled_from(
    (
        *(
            "reader@example.org",
            VICTIM,
            "@",
            "<",
            ">",
            ",",
            ";",
            ":",
            " ",
            "\t",
            "\r\n",
            "\n",
            "\0",
            '"',
            "\\",
            "(",
            ")",
        ),
        *(
            f"\r\nRCPT TO:<{VICTIM}>",
            "=?utf-8?q?a?=",
            "[127.0.0.1]",
            ".",
            "..",
            "+tag",
            "SIZE=1",
            "'",
            "-",
            "_",
            "%",
            "!",
        ),
    )
)
ADDRESSES = st.one_of(
    st.lists(st.one_of(PARTS_OF_ADDRESSES, st.text(max_size=4)), min_size=1, max_size=4).map("".join),
    st.builds("{}@{}".format, st.text(st.characters(codec="ascii"), max_size=8), st.just("example.org")),
    st.builds("{}reader{}@example.org".format, PARTS_OF_ADDRESSES, PARTS_OF_ADDRESSES),
)
HEADERS = [
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "auto-submitted",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "mime-version",
    "content-type",
]
NUMBERS = itertools.count()
ON_ONE_SERVER = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def _arrived(house: House) -> tuple[Path, EmailMessage]:
    """The one mail that lies in the mailbox, which is emptied."""
    (path,) = house.mailbox.folder.glob("*.eml")
    (message,) = read_mailbox(house.mailbox.folder)
    moved = path.rename(house.home / path.name)
    return moved, message


def _header_names(path: Path) -> list[str]:
    """Read from the bytes on the wire, without the library that wrote them; the first line is the server's own."""
    head = path.read_bytes().partition(b"\r\n\r\n")[0].split(b"\r\n")
    return [line.partition(b":")[0].decode().lower() for line in head[1:] if not line.startswith((b" ", b"\t"))]


def _readers(message: EmailMessage) -> list[str]:
    header: Any = message["To"]
    assert isinstance(header, AddressHeader)
    return [one.addr_spec for one in header.addresses]


def _is_as_expected(house: House, recipient: str) -> None:
    path, message = _arrived(house)
    raw = path.read_bytes()
    assert sorted(_header_names(path)) == sorted(HEADERS)
    assert (str(message["X-Envelope-To"]), _readers(message)) == (recipient, [recipient])
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert [defect for part in message.walk() for defect in part.defects] == []
    assert not re.search("[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", str(message["Subject"]))
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"") and b"\r" not in raw.replace(b"\r\n", b"")


@ON_ONE_SERVER
@given(title=HOSTILE, printed=HOSTILE, name=HOSTILE)
@example(title=f"Toy\r\nBcc: {VICTIM}", printed="=?utf-8?q?=0ABcc:_x?=", name=f"\r\n.\r\nRCPT TO:<{VICTIM}>")
def test_whatever_is_printed_a_mail_has_the_headers_and_the_reader_it_should_have(
    house: House, title: str, printed: str, name: str
):
    recipient = f"reader{next(NUMBERS)}@example.org"
    record = recall(
        f"SR/{next(NUMBERS):05}/26",
        titles=(Text(language="en", value=f"Balloon {title}", label="title"),),
        attribution=printed,
        references=(f"R {printed[:200]}",),
        hazards=(Coded(printed=f"x {printed}", code=None),),
        origins=(Coded(printed=f"x {title}", code="CN"),),
        links=(Link(url=f"https://publisher.example/{printed[:500]}", label="original"),),
    )
    watch = house.watch("kind:recall", recipient, title=name)
    house.put(record)
    house.match()

    counts = house.send()
    end_watch(house.store, watch.id, now=house.clock())

    assert (counts.sent, counts.problem) == (1, "")
    _is_as_expected(house, recipient)


@ON_ONE_SERVER
@given(printed=ADDRESSES)
@example(printed=f"reader@example.org\r\nRCPT TO:<{VICTIM}>")
@example(printed=f"reader@example.org> <{VICTIM}")
@example(printed="a+tag@example.org")
@example(printed="reader=?utf-8?q?a?=@example.org")
def test_what_is_typed_as_an_address_is_one_reader_or_refused(house: House, printed: str):
    try:
        watch = house.watch("kind:recall", printed)
    except WatchError:
        return
    house.put(recall(f"SR/{next(NUMBERS):05}/26"))
    house.match()

    house.send()
    end_watch(house.store, watch.id, now=house.clock())

    assert watch.recipient == address(printed) == printed.strip()
    _is_as_expected(house, watch.recipient)


@ON_ONE_SERVER
@given(name=WITH_SURROGATES)
@example(name="\ud83d")
@example(name="\udc0d\udc0aBcc: x")
def test_half_a_letter_in_the_name_of_a_watch_stops_no_mail(house: House, name: str):
    recipient = f"reader{next(NUMBERS)}@example.org"
    try:
        watch = house.watch("kind:recall", recipient, title=name)
    except WatchError:
        return
    house.put(recall(f"SR/{next(NUMBERS):05}/26"))
    house.match()

    house.send()
    end_watch(house.store, watch.id, now=house.clock())

    _is_as_expected(house, recipient)


def test_half_a_letter_in_a_title_makes_no_record():
    with pytest.raises(ValidationError):
        recall(title="Balloon \ud83d")
