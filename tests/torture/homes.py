"""Homes that nights are played in, and what stands in one when its nights are over."""

from __future__ import annotations

import json
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from os import killpg
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote

from alerts.practice_mailbox import PracticeMailbox
from alerts.sweep import sweep
from alerts.watches import ACTIONS, Cadence, add_watch
from crawlers.practice.site import PracticeSite
from crawlers.practice.world import World
from indexer.engines import open_engine
from indexer.query import All
from library.archive import Archive
from library.house import opened
from library.settings import MailSettings, PracticeSettings, Settings, WebSettings, sources_folder
from library.source import load_sources
from library.store.runs import GOOD
from library.store.store import Store
from library.times import instant, now, stamp
from operations.demo import OPERATOR, SENDER, Practice
from tests.places import ROOT
from tests.torture.night import LOG, STAGES

SOURCES = ("eu_safety_gate", "us_cpsc", "uk_fsa_food_alerts", "ca_recalls_opendata")
RECORDS = 200  # of all ten publishers; four are crawled
NIGHT = 3  # the one that is disturbed: what was missing on the second is withdrawn on it
LIMIT_S = 60.0
BASE_URL = "http://127.0.0.1:8000"
READERS = (  # query, address, cadence, language
    ("kind:recall", "zhou.min@policy.example", Cadence.IMMEDIATE, "zh"),
    ("jurisdiction:EU", "zhou.min@policy.example", Cadence.IMMEDIATE, "zh"),
    ("kind:recall", "anna.keller@policy.example", Cadence.IMMEDIATE, "en"),
    ("jurisdiction:US OR jurisdiction:CA", "li.wei@policy.example", Cadence.IMMEDIATE, "zh"),
    ("jurisdiction:GB", "maria.rossi@policy.example", Cadence.IMMEDIATE, "en"),
    ("kind:recall", "digest.reader@policy.example", Cadence.DAILY, "zh"),
)
RECORD_LINK = re.compile(rf"{BASE_URL}/records/(\S+)")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a night ended. seconds: from its start until no process of it was left."""

    was_killed: bool
    code: int
    seconds: float


class Nights:
    """Plays nights in a process of its own, and kills them."""

    def __init__(self, folder: Path) -> None:
        self._log = (folder / "nights.log").open("ab")
        command = [sys.executable, "-m", "tests.torture.night"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log
        )

    def __enter__(self) -> Nights:
        return self

    def __exit__(self, *error: object) -> None:
        self._pipe(self._process.stdin).close()
        self._process.wait(timeout=LIMIT_S)
        self._log.close()

    def rehearse(self, practice: Practice) -> None:
        """Let every later night begin with warm dictionaries."""
        self._ask({"rehearse": practice.variables})
        self._answer()

    def play(self, practice: Practice, *, kill_after_s: float | None = None, point: str = "", count: int = 1) -> Ended:
        """Play one night; kill its process group after some time, or let it kill itself at a point."""
        began = time.monotonic()
        variables = practice.variables | {
            "TTM_MAIL__SENDER": SENDER,
            "TTM_MAIL__OPERATOR": OPERATOR,
            "TTM_CRAWL__BACKFILL_SINCE": "2015-01-01",
        }
        order = {"variables": variables, "sources": SOURCES, "point": point, "count": count}
        self._ask(order)
        group = self._answer()["group"]
        if kill_after_s is not None and not self._has_answer(began + kill_after_s - time.monotonic()):
            with suppress(ProcessLookupError):
                killpg(group, signal.SIGKILL)
        assert self._has_answer(LIMIT_S), f"a night went on for {LIMIT_S:.0f} s; see {practice.settings.home / LOG}"
        code = int(self._answer()["code"])
        return Ended(code == -signal.SIGKILL, code, time.monotonic() - began)

    def _ask(self, order: Mapping[str, Any]) -> None:
        self._pipe(self._process.stdin).write(json.dumps(order).encode() + b"\n")
        self._pipe(self._process.stdin).flush()

    def _has_answer(self, within_s: float) -> bool:
        return bool(select.select([self._pipe(self._process.stdout)], [], [], max(0.0, within_s))[0])

    def _answer(self) -> dict[str, Any]:
        line = self._pipe(self._process.stdout).readline()
        assert line, "the process that plays nights is gone"
        return dict(json.loads(line))

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None
        return pipe


@contextmanager
def practice_at(home: Path) -> Iterator[Practice]:
    """Practice publishers and a mailbox around a new home folder; the disturbed night is today's."""
    sources = load_sources(sources_folder())
    world = World(seed=7, records=RECORDS, today=now().date() - timedelta(days=NIGHT - 2))
    with PracticeSite(world) as site, PracticeMailbox(home / "mailbox") as mailbox:
        yield Practice(_settings(home, site, mailbox), site, mailbox, sources)


def moved(practice: Practice, home: Path) -> Practice:
    """The same publishers and mailbox around a copy of the home; what is mailed from now on lies in the copy."""
    shutil.copytree(practice.settings.home, home, ignore=shutil.ignore_patterns("mailbox", STAGES, LOG))
    practice.mailbox.folder = home / "mailbox"
    practice.mailbox.folder.mkdir()
    return Practice(_settings(home, practice.site, practice.mailbox), practice.site, practice.mailbox, practice.sources)


def _settings(home: Path, site: PracticeSite, mailbox: PracticeMailbox) -> Settings:
    return Settings(
        home=home,
        database_url="",
        demo=True,
        engine="tantivy",
        practice=PracticeSettings(port=site.port, names=site.hosts),
        mail=MailSettings(port=mailbox.port, sender=SENDER, operator=OPERATOR),
        web=WebSettings(base_url=BASE_URL),
    )


def prepare(practice: Practice, nights: Nights) -> None:
    """Play the nights before the one that is disturbed, with readers from the first on."""
    with opened(practice.settings) as house:
        for query, address, cadence, language in READERS:
            add_watch(
                house.store,
                query,
                address,
                now=now(),
                cadence=cadence,
                language=language,
                actions=ACTIONS,
            )
    for night in range(1, NIGHT):
        practice.site.world.night = night
        ended = nights.play(practice)
        assert ended.code == 0, (practice.settings.home / LOG).read_text(encoding="utf-8")[-3000:]
    with opened(practice.settings) as house:
        _a_day_passes(house.store)
    nights.rehearse(practice)
    practice.site.world.night = NIGHT


def _a_day_passes(store: Store) -> None:
    """Let absences of the last night be a day old: a record is withdrawn when it is missing on two nights."""
    with store.write() as transaction:
        for row in transaction.rows("SELECT id, absent_since FROM record WHERE absent_since IS NOT NULL"):
            day_before = stamp(instant(row["absent_since"]) - timedelta(days=1))
            transaction.do("UPDATE record SET absent_since = :at WHERE id = :id", id=row["id"], at=day_before)


def last_stage(home: Path) -> str:
    """The stage that the last night in a home came to."""
    path = home / STAGES
    return json.loads(path.read_text(encoding="utf-8").splitlines()[-1])["stage"] if path.exists() else "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """How far log and outbox had come before a night: the numbers of the last change and the last mail."""

    change: int
    mail: int


def marks(store: Store) -> Marks:
    """Where a store stands now."""
    with store.read() as transaction:
        return Marks(change=store.head(), mail=transaction.value("SELECT max(id) FROM mail") or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a home holds after a night. The numbers of changes and mails are left out: pages come in any order.

    records: id -> content hash of the newest version. changes: (record id, action) of the night. links: the reference
    table. told: (address, record id) as the received mails name them. doubled: mails received more often than the
    library says they may have been. doubts: how often it says so. faults: what does not agree with itself.
    """

    records: Mapping[str, str]
    changes: frozenset[tuple[str, str]]
    links: frozenset[tuple[str, str, int]]
    told: frozenset[tuple[str, str]]
    doubled: Sequence[str]
    doubts: int
    faults: Sequence[str]


def standing(practice: Practice, before: Marks) -> Standing:
    """Look at a home from all sides after the nights that followed some marks."""
    with opened(practice.settings) as house:
        store = house.store
        with store.read() as transaction:
            records = {row["id"]: row["hash"] for row in transaction.rows("SELECT id, hash FROM record")}
            links = transaction.rows("SELECT record_id, canonical, own FROM reference")
            mails = transaction.rows("SELECT * FROM mail WHERE id > :mail", mail=before.mail)
        messages = practice.mailbox.messages()
        swept = sweep(store, house.sources, now=now(), after=before.change)
        faults = [
            *(f"archive: {fault}" for fault in Archive(practice.settings.archive, store).check()),
            *_run_faults(store),
            *_log_faults(store),
            *_index_faults(practice.settings, records.keys(), store.head()),
            *(f"the ledger {'lacks' if one.is_missing else 'has too much'}: {one.key}" for one in swept.differences),
            *swept.disagreements,
            *_mail_faults(store, before, messages),
        ]
        changes = frozenset((change.record_id, change.action) for change in store.changes(before.change, 10**6))
    copies = Counter(str(message["Message-ID"]) for message in messages)
    return Standing(
        records=records,
        changes=changes,
        links=frozenset((row["record_id"], row["canonical"], row["own"]) for row in links),
        told=frozenset(pair for message in messages for pair in told(message)),
        doubled=[mail["message_id"] for mail in mails if copies[mail["message_id"]] > 1 + mail["in_doubt"]],
        doubts=sum(mail["in_doubt"] for mail in mails),
        faults=faults,
    )


def _run_faults(store: Store) -> Iterator[str]:
    for name in SOURCES:
        run = store.runs.of(name, 1)[0]
        if run.verdict not in GOOD:
            yield f"the last run of {name} is {run.verdict}: {run.reason}"


def _log_faults(store: Store) -> Iterator[str]:
    """The log has no gap, speaks of each version once, and no version says the same as the one before."""
    changes = store.changes(0, 10**6)
    if [change.seq for change in changes] != list(range(1, store.head() + 1)):
        yield "the change log has gaps"
    with store.read() as transaction:
        versions = transaction.rows("SELECT record_id, version, payload FROM version ORDER BY record_id, version")
        newest = transaction.rows("SELECT id, version, payload FROM record ORDER BY id")
    if sorted((change.record_id, change.version) for change in changes) != sorted(
        (row["record_id"], row["version"]) for row in versions
    ):
        yield "the change log and the versions do not agree"
    payloads = {(row["record_id"], row["version"]): row["payload"] for row in versions}
    for row in newest:
        if payloads.get((row["id"], row["version"])) != row["payload"]:
            yield f"{row['id']} is not its version {row['version']}"
    for (record_id, version), payload in payloads.items():
        if payloads.get((record_id, version - 1)) == payload:
            yield f"version {version} of {record_id} says what the one before says"


def _index_faults(settings: Settings, record_ids: Collection[str], head: int) -> Iterator[str]:
    engine = open_engine(settings)
    try:
        indexed = {record_id for record_id, _ in engine.search(All(), 0, 10_000).hits}
        if indexed != set(record_ids) or engine.count() != len(record_ids):
            yield f"{engine.count()} entries in the index, {len(record_ids)} records"
        if engine.position() != head:
            yield f"the index is at {engine.position()}, the log at {head}"
    finally:
        engine.close()


def _mail_faults(store: Store, before: Marks, messages: Sequence[EmailMessage]) -> Iterator[str]:
    """Every mail and delivery ends as sent; the mailbox holds the planned bytes; nothing stands in two mails."""
    with store.read() as transaction:
        mails = transaction.rows("SELECT * FROM mail WHERE id > :mail", mail=before.mail)
        deliveries = transaction.rows(
            "SELECT * FROM delivery WHERE mail_id IS NULL OR mail_id > :mail", mail=before.mail
        )
    yield from (f"mail {mail['id']} is {mail['state']}" for mail in mails if mail["state"] != "sent")
    yield from (f"delivery {row['id']} is {row['state']}" for row in deliveries if row["state"] != "sent")
    received = {str(message["Message-ID"]): message for message in messages}
    planned = {mail["message_id"]: mail for mail in mails}
    yield from (f"nobody planned {name}" for name in received.keys() - planned.keys())
    yield from (f"{name} was lost" for name in planned.keys() - received.keys())
    for name in planned.keys() & received.keys():
        mail = planned[name]
        promised = {(row["recipient"], row["record_id"]) for row in deliveries if row["mail_id"] == mail["id"]}
        if told(received[name]) != promised:
            yield f"{name} does not name the records of its deliveries"
    for pair, count in Counter(pair for message in received.values() for pair in told(message)).items():
        if count > 1:
            yield f"{pair} stands in {count} mails"


def told(message: EmailMessage) -> set[tuple[str, str]]:
    """The (address, record id) pairs of a received mail, by the links in its text."""
    text = message.get_body(("plain",))
    assert text is not None
    return {(str(message["To"]), unquote(found)) for found in RECORD_LINK.findall(text.get_content())}
