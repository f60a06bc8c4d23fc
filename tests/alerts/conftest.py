"""A real store on a temporary SQLite file, real records, and real SMTP servers that fail when told to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from alerts.matching import MatchingFollower
from alerts.outbox import Counts, deliver_due
from alerts.practice_mailbox import PracticeMailbox
from alerts.watches import Watch, add_watch
from library.follow import follow
from library.record import Coded, Kind, Link, Record, State, Status, Text
from library.settings import MailSettings, Settings, WebSettings
from library.source import PageKind, Source, Wording
from library.store.store import Change, Origin, SeenPage, Store

NIGHT = datetime(2026, 3, 2, 18, 31, tzinfo=UTC)  # 02:31 on 3 March in Beijing
READER = "reader@example.org"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **amount: float) -> None:
        self.at += timedelta(**amount)


class FaultyMailbox(PracticeMailbox):
    """Does at a step what `faults` says: 'drop' breaks the line, anything else is the answer.

    Steps: banner, EHLO, MAIL, RCPT, DATA, dot (before the mail is kept), kept (after it), QUIT, or a reader's address.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.faults: dict[str, str] = {}
        self.connections = 0

    def session(self) -> SMTP:
        return _FaultySession(self, loop=self._loop, hostname="practice.invalid")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(server, _FaultySession)
        if "dot" in self.faults:
            return server.fail(self.faults["dot"])
        answer = await super().handle_DATA(server, session, envelope)
        return server.fail(self.faults["kept"]) if "kept" in self.faults else answer


class _FaultySession(SMTP):
    def __init__(self, owner: FaultyMailbox, **more: Any) -> None:
        super().__init__(owner, **more)
        self.owner = owner

    def fail(self, fault: str) -> str:
        if fault == "drop":
            transport: Any = self.transport
            transport.abort()
        return "451 dropped" if fault == "drop" else fault

    async def _fails(self, *steps: str) -> bool:
        fault = next((self.owner.faults[step] for step in steps if step in self.owner.faults), None)
        if fault is None:
            return False
        if fault == "drop":
            self.fail(fault)
        else:
            await self.push(fault)
        return True

    def connection_made(self, transport: Any) -> None:
        self.owner.connections += 1
        super().connection_made(transport)
        if "banner" in self.owner.faults:
            fault = self.owner.faults["banner"]
            if fault != "drop":
                transport.write(f"{fault}\r\n".encode())
            transport.close()

    async def smtp_EHLO(self, hostname: str) -> None:
        if not await self._fails("EHLO"):
            await super().smtp_EHLO(hostname)

    async def smtp_HELO(self, hostname: str) -> None:
        if not await self._fails("EHLO"):
            await super().smtp_HELO(hostname)

    async def smtp_MAIL(self, arg: str) -> None:
        if not await self._fails("MAIL"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str) -> None:
        if not await self._fails("RCPT", arg.partition("<")[2].partition(">")[0]):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:
        if not await self._fails("DATA"):
            await super().smtp_DATA(arg)

    async def smtp_QUIT(self, arg: str) -> None:
        if not await self._fails("QUIT"):
            await super().smtp_QUIT(arg)


class House:
    """The alerts of one library: records go in, mails come out."""

    def __init__(self, store: Store, mailbox: FaultyMailbox, home: Path) -> None:
        self.store, self.mailbox, self.clock, self.home = store, mailbox, Clock(NIGHT), home
        self.sources = {"eu_safety_gate": SAFETY_GATE}
        self.page_count = 0
        self.follower = MatchingFollower(store, self.sources, self.clock)

    @property
    def settings(self) -> Settings:
        return Settings(
            home=self.home,
            mail=MailSettings(
                port=self.mailbox.port, sender="ttm <ttm@example.net>", operator="op@example.net", rate_per_minute=0
            ),
            web=WebSettings(base_url="https://ttm.example"),
        )

    def watch(self, query: str = "balloon", recipient: str = READER, **more: Any) -> Watch:
        self.clock.forward(seconds=1)
        return add_watch(self.store, query, recipient, now=self.clock(), **more)

    def put(self, record: Record, origin: Origin = Origin.CRAWL) -> Change | None:
        self.page_count += 1
        page = SeenPage(id=self.page_count, url_key=f"{self.page_count:032}", fetched_at=self.clock())
        self.clock.forward(seconds=1)
        return self.store.put(record, page, origin=origin, at=self.clock())

    def match(self) -> None:
        follow(self.store, self.follower)

    def send(self) -> Counts:
        return deliver_due(self.store, self.settings, self.clock, sources=self.sources)

    def deliveries(self) -> list[dict[str, Any]]:
        with self.store.read() as transaction:
            return [dict(row) for row in transaction.rows("SELECT * FROM delivery ORDER BY id")]

    def store_watches(self) -> list[dict[str, Any]]:
        with self.store.read() as transaction:
            return [dict(row) for row in transaction.rows("SELECT * FROM watch ORDER BY created_at")]

    def mails(self) -> list[dict[str, Any]]:
        with self.store.read() as transaction:
            return [dict(row) for row in transaction.rows("SELECT * FROM mail ORDER BY id")]


SAFETY_GATE = Source(
    name="eu_safety_gate",
    title=Wording(zh="欧盟危险产品通报", en="EU Safety Gate"),
    publisher=Wording(zh="欧盟委员会", en="European Commission"),
    home="https://publisher.example",
    jurisdiction="EU",
    language="en",
    kinds=(Kind.RECALL,),
    rights="free",
    attribution="© Publisher",
    pages={"weekly": PageKind(pattern="https://publisher.example/")},
    restamp_days=45,
)


def recall(key: str = "SR/00001/26", title: str = "Balloon with a choking hazard", **more: Any) -> Record:
    values: dict[str, Any] = {
        "source": "eu_safety_gate",
        "key": key,
        "kind": Kind.RECALL,
        "references": (key,),
        "jurisdictions": (Coded(printed="European Union", code="EU"),),
        "titles": (Text(language="en", value=title, label="title"),),
        "published": date(2026, 2, 27),
        "hazards": (Coded(printed="Choking", code="choking"),),
        "categories": (Coded(printed="Toys", code="toys"),),
        "origins": (Coded(printed="People's Republic of China", code="CN"),),
        "links": (Link(url="https://publisher.example/notice?id=1&lang=en", label="original"),),
        "attribution": "© Publisher, 2026",
    }
    return Record(**(values | more))


def withdrawn(record: Record) -> Record:
    return record.model_copy(update={"status": Status(state=State.WITHDRAWN, printed="withdrawn")})


def body(message: EmailMessage, subtype: str = "plain") -> str:
    """The text or the HTML of a mail."""
    part = message.get_body((subtype,))
    assert isinstance(part, EmailMessage)
    content: str = part.get_content()
    return content


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[FaultyMailbox]:
    opened = FaultyMailbox(tmp_path / "mailbox")
    with opened:
        yield opened


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with its tables and no rows; a copy is ready sooner than a new one."""
    file = tmp_path_factory.mktemp("store") / "empty.sqlite"
    Store(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def house(tmp_path: Path, mailbox: FaultyMailbox, empty_file: Path) -> Iterator[House]:
    shutil.copy(empty_file, tmp_path / "store.sqlite")
    store = Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    yield House(store, mailbox, tmp_path)
    store.close()
