"""Torture the alerts: `python -m benchmarks.torture` prints `name n lost dup seed pass|fail` for each way to suffer.

A child puts records, matches and sends with the ordinary loop of `ttm alerts run`, and is killed with SIGKILL again and
again. The mail server drops the line at any step, the clock jumps, files cannot grow. When the trouble is over, every
delivery must have arrived, and none may have come twice: a copy counts as double unless it has the same Message-ID and
the outbox itself counted a doubt for it. What should arrive is worked out by `matches()`, and not by what is tortured.

    kill           SIGKILL at random moments
    drops          and the line breaks at every step of SMTP, before and after the mail is kept
    clock          and the clock jumps by up to a day and a half, both ways
    disk_full      and no file may grow beyond a limit that is close
    all            everything at once
    storm          started and killed again within a second or two, 500 times for 10,000 deliveries; every other time
                   the next one starts before the last one is dead
    smtp_down_24h  no mail server for a day (outage.py)
    forged_tokens  a hundred forged tokens for each delivery asked for, a million in all (forging.py)
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import resource
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from alerts.matching import MatchingFollower, compiled
from alerts.outbox import run_outbox
from alerts.practice_mailbox import PracticeMailbox
from alerts.watches import active_watches, add_watch
from indexer.entry import entry_of
from indexer.query import matches
from library.follow import follow
from library.record import Coded, Kind, Record, Text
from library.settings import MailSettings, Settings, WebSettings
from library.store.store import Origin, SeenPage, Sighting, Store

BEGUN = datetime(2026, 3, 2, 18, 31, tzinfo=UTC)
WORDS = ("balloon", "charger", "kite", "toaster", "rattle", "helmet", "lamp", "drone")
HAZARDS = ("choking", "fire", "electric_shock", "injuries")
STEPS = ("banner", "EHLO", "MAIL", "RCPT", "DATA", "dot", "kept", "QUIT")
BATCH = 10  # records of one page
LIVES_MAX = 4000
QUIET_S = 300.0  # within which everything has arrived once the trouble is over
JUMP = timedelta(hours=36)  # the clock may be off by this; beyond five days mails are given up, and rightly
FAULT_SHARE = 0.04  # of the steps of SMTP


@dataclass(frozen=True, slots=True)
class Suffering:
    """What is done to the alerts beside killing them."""

    name: str
    drops: bool = False
    clock: bool = False
    disk_full: bool = False
    overlap: bool = False
    deliveries_per_life: int = 50
    life_s: tuple[float, float] = (0.05, 1.2)  # of a child, at least and at most


WAYS = (
    Suffering("kill"),
    Suffering("drops", drops=True),
    Suffering("clock", clock=True),
    Suffering("disk_full", disk_full=True),
    Suffering("all", drops=True, clock=True, disk_full=True),
    Suffering("storm", overlap=True, deliveries_per_life=20, life_s=(0.0, 0.8)),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of so many deliveries. more: further figures; states: the rows of the outbox by state.

    wrong: what else is not as promised.
    """

    name: str
    n: int
    lost: int
    dup: int
    seed: int
    more: str
    states: str = ""
    wrong: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing was lost, nothing doubled, and all else is as promised."""
        return self.n > 0 and not (self.lost or self.dup or self.wrong)

    @property
    def line(self) -> str:
        """'kill n=10000 lost=0 dup=0 seed=1 pass'."""
        verdict = "pass" if self.passed else "fail"
        said = f"{self.name} n={self.n} lost={self.lost} dup={self.dup} seed={self.seed} {verdict} {self.more}"
        return said if self.passed else f"{said} {'; '.join(self.wrong)} states: {self.states}"


def torture(way: Suffering, folder: Path, *, deliveries: int, seed: int) -> Outcome:
    """Let the alerts of a library of its own suffer, and count."""
    dice = Random(f"{seed}/{way.name}")
    records, expected = library(folder, deliveries=deliveries, seed=seed)
    with _server(folder, seed) as server:
        lives = _suffer(way, folder, server, records, dice, lives_min=max(5, deliveries // way.deliveries_per_life))
        server.faults.value = 0.0
        lives += _settle(folder, server, records, expected)
    arrived = received(folder)
    lost, dup, again = judged(folder, arrived, expected)
    return Outcome(way.name, len(expected), lost, dup, seed, f"lives={lives} again={again}", states(folder))


# The child ------------------------------------------------------------------------------------------------------------


def _live(folder: Path, port: int, records: Sequence[Record], file_limit: int) -> None:
    """Put what is not put yet, match it and send it, until killed, or alone."""
    parent = os.getppid()
    if file_limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, resource.RLIM_INFINITY))
    store = Store(f"sqlite:///{folder / 'store.sqlite'}")
    settings = Settings(
        home=folder,
        database_url="",
        mail=MailSettings(port=port, sender="ttm <ttm@policy.example>", rate_per_minute=0, timeout_s=5.0),
        web=WebSettings(base_url="https://ttm.example", secret="a secret for the torture of the alerts alone"),
    )

    def clock() -> datetime:
        return BEGUN + timedelta(seconds=float(_read(folder / "clock")) + time.monotonic() % 1)

    follower = MatchingFollower(store, {}, clock)

    def before() -> None:
        if os.getppid() != parent:
            os._exit(1)
        number = sum(store.counts().values())
        if number < min(len(records), int(_read(folder / "allowed"))):
            page = SeenPage(id=1 + number, url_key=f"{number:032}", fetched_at=clock())
            sightings = [Sighting(record=record) for record in records[number : number + BATCH]]
            with store.write() as transaction:
                store.put_many(transaction, sightings, page, origin=Origin.CRAWL, at=clock())
        follow(store, follower)

    run_outbox(store, settings, clock, sources={}, stop=threading.Event(), before=before, idle_s=0.01)


def _born(folder: Path, port: int, records: Sequence[Record], file_limit: int = 0) -> int:
    """Fork a child; the parent has no threads and no open store."""
    number = os.fork()
    if number:
        return number
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)  # what it complains of while it is tortured is no news
        _live(folder, port, records, file_limit)
    finally:
        os._exit(1)


def _kill(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


# The trouble ----------------------------------------------------------------------------------------------------------


def _suffer(
    way: Suffering, folder: Path, server: _Server, records: Sequence[Record], dice: Random, lives_min: int
) -> int:
    """Start and kill children until all records are put, and some twenty more; returns how many there were."""
    server.faults.value = FAULT_SHARE if way.drops else 0.0
    passed = 0.0
    last = 0
    for lives in range(1, LIVES_MAX + 1):
        # so that there is something to do in every life
        _write(folder / "allowed", min(len(records), -(-lives * len(records) // lives_min)))
        passed += dice.uniform(0, 120)  # so that mails which are to be tried again come to it
        jump = dice.uniform(-1, 1) * JUMP.total_seconds() if way.clock and dice.random() < 0.3 else 0.0
        _write(folder / "clock", min(passed, 86_400.0) + jump)
        limit = _size(folder) + dice.randrange(200_000) if way.disk_full and dice.random() < 0.5 else 0
        child = _born(folder, server.port, records, limit)
        if last:
            time.sleep(dice.uniform(*way.life_s))
            _kill(last)
            last = 0
        time.sleep(dice.uniform(*way.life_s))
        # a jump may have put what is due far off; that comes in peace
        is_over = lives >= lives_min and _put(folder) == len(records) and dice.random() < 0.05
        if way.overlap and not is_over and dice.random() < 0.5:
            last = child
        else:
            _kill(child)
        if is_over:
            return lives
    if last:
        _kill(last)
    return LIVES_MAX


def _settle(folder: Path, server: _Server, records: Sequence[Record], expected: set[tuple[str, str]]) -> int:
    """Let a last child work in peace, a day later each time it has nothing more to do."""
    _write(folder / "allowed", len(records))
    child = _born(folder, server.port, records)
    deadline = time.monotonic() + QUIET_S
    at = 86_400.0 + JUMP.total_seconds()
    while time.monotonic() < deadline:
        _write(folder / "clock", at)
        if not any(_count(folder, table, state) for table, state in WAITING) and _put(folder) == len(records):
            break
        at = min(at + 600, 3.5 * 86_400)
        time.sleep(0.1)
    _kill(child)
    return 1


def _write(path: Path, number: float) -> None:
    """Whole at once: a clock that is read half written is trouble of our own making."""
    draft = path.with_suffix(".draft")
    draft.write_text(f"{number}", encoding="ascii")
    os.replace(draft, path)


def _read(path: Path) -> float:
    return float(path.read_text(encoding="ascii"))


WAITING = (("delivery", "due"), ("mail", "planned"), ("mail", "sending"))


def _size(folder: Path) -> int:
    return max(path.stat().st_size for path in folder.glob("store.sqlite*"))


def _put(folder: Path) -> int:
    return int(asked(folder, "SELECT count(*) FROM record")[0][0])


def _count(folder: Path, table: str, state: str) -> int:
    return int(asked(folder, f"SELECT count(*) FROM {table} WHERE state = '{state}'")[0][0])


def states(folder: Path) -> str:
    """The rows of deliveries and mails by state, in one line."""
    counts = [
        f"{table}.{state}={count}"
        for table in ("delivery", "mail")
        for state in ("due", "planned", "sending", "sent", "failed", "given_up", "cancelled")
        if (count := _count(folder, table, state))
    ]
    return f"record={_put(folder)} " + " ".join(counts)


def asked(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """Ask the database as a stranger would: through nothing of ours."""
    import sqlite3

    connection = sqlite3.connect(f"file:{folder / 'store.sqlite'}?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


# The mail server ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Server:
    port: int
    faults: Any  # a shared number: the share of SMTP steps at which the line breaks or the answer is 'later'


@contextmanager
def _server(folder: Path, seed: int) -> Iterator[_Server]:
    """A mail server in a process of its own; what it keeps stands in received.jsonl before it answers."""
    context = get_context("spawn")
    faults = context.Value("d", 0.0)
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(folder, seed, faults, there), daemon=True)
    process.start()
    try:
        yield _Server(int(here.recv()), faults)
    finally:
        process.kill()
        process.join()


def _serve(folder: Path, seed: int, faults: Any, pipe: Any) -> None:
    with KeepingMailbox(folder, Random(f"{seed}/smtp"), faults) as mailbox:
        pipe.send(mailbox.port)
        with suppress(EOFError):
            pipe.recv()  # ends when whoever started it is gone


class KeepingMailbox(PracticeMailbox):
    def __init__(self, folder: Path, dice: Random, faults: Any) -> None:
        super().__init__(folder / "mailbox")
        self.dice, self.faults = dice, faults
        self._kept = (folder / "received.jsonl").open("a", encoding="utf-8")

    def fault(self) -> str:
        """'' for none, 'drop', or an answer that says 'later'."""
        if self.dice.random() >= self.faults.value:
            return ""
        return self.dice.choice(("drop", "drop", "421 closing", "451 try later"))

    def session(self) -> SMTP:
        return KeepingSession(self, loop=self._loop, hostname="practice.invalid")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(server, KeepingSession)
        if fault := self.fault():
            return server.broken(fault)
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        for recipient in envelope.rcpt_tos:
            self._kept.write(json.dumps([recipient, content.decode("ascii", "replace")]) + "\n")
        self._kept.flush()
        fault = self.fault()
        return server.broken(fault) if fault == "drop" else "250 kept"


class KeepingSession(SMTP):
    def __init__(self, owner: KeepingMailbox, **more: Any) -> None:
        super().__init__(owner, **more)
        self.owner = owner

    def broken(self, fault: str) -> str:
        if fault == "drop":
            transport: Any = self.transport
            transport.abort()
        return "451 dropped" if fault == "drop" else fault

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if self.owner.fault():
            transport.abort()

    async def _breaks(self) -> bool:
        fault = self.owner.fault()
        if fault == "drop":
            self.broken(fault)
        elif fault:
            await self.push(fault)
        return bool(fault)

    async def smtp_EHLO(self, hostname: str) -> None:
        if not await self._breaks():
            await super().smtp_EHLO(hostname)

    async def smtp_MAIL(self, arg: str) -> None:
        if not await self._breaks():
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str) -> None:
        if not await self._breaks():
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:
        if not await self._breaks():
            await super().smtp_DATA(arg)

    async def smtp_QUIT(self, arg: str) -> None:
        if not await self._breaks():
            await super().smtp_QUIT(arg)


# Counting -------------------------------------------------------------------------------------------------------------


def received(folder: Path) -> list[tuple[str, str, tuple[str, ...]]]:
    """(reader, Message-ID, ids of records as the mail names them) of everything that arrived, in order."""
    found = []
    for line in (folder / "received.jsonl").read_text(encoding="utf-8").splitlines():
        recipient, content = json.loads(line)
        message: Any = message_from_bytes(content.encode("ascii", "replace"), policy=default)
        part = message.get_body(("plain",))
        text = part.get_content() if isinstance(part, EmailMessage) else ""
        keys = dict.fromkeys(re.findall(r"/records/eu_safety_gate:(K\d{6})", text))
        ids = tuple(f"eu_safety_gate:{key}" for key in keys)
        found.append((recipient, str(message["Message-ID"]), ids))
    return found


def judged(
    folder: Path, arrived: Sequence[tuple[str, str, tuple[str, ...]]], expected: set[tuple[str, str]]
) -> tuple[int, int, int]:
    """(lost, dup, again). again: copies with the same Message-ID that the outbox itself counted a doubt for."""
    copies = Counter(name for _, name, _ in arrived)
    told = Counter(
        (recipient, record_id)
        for recipient, _, ids in {
            (recipient, name): (recipient, name, ids) for recipient, name, ids in arrived
        }.values()
        for record_id in ids
    )
    doubts = dict(asked(folder, "SELECT message_id, in_doubt FROM mail"))
    twice = sum(count - 1 for count in told.values()) + sum(pair not in expected for pair in told)
    more = {name: count - 1 for name, count in copies.items()}
    unexplained = sum(max(0, count - doubts.get(name, 0)) for name, count in more.items())
    return sum(pair not in told for pair in expected), twice + unexplained, sum(more.values()) - unexplained


# The library ----------------------------------------------------------------------------------------------------------


def library(folder: Path, *, deliveries: int, seed: int) -> tuple[list[Record], set[tuple[str, str]]]:
    """Watches in a new store, records that are still to come, and the (reader, record id) of what must arrive."""
    store = Store(f"sqlite:///{folder / 'store.sqlite'}")
    save_watches(store, readers=max(4, deliveries // 100))
    queries = [(watch.recipient, compiled(watch.query)) for watch in active_watches(store)]
    store.close()
    expected: set[tuple[str, str]] = set()
    records: list[Record] = []
    while len(expected) < deliveries:
        record = _record(len(records), seed)
        entry = entry_of(record)
        expected |= {(recipient, record.id) for recipient, query in queries if matches(query, entry)}
        records.append(record)
    return records, expected


def save_watches(store: Store, readers: int) -> None:
    """Four watches of every reader, of one cadence each: with two, a record would rightly come twice."""
    for number in range(readers):
        cadence = ("immediate", "immediate", "immediate", "hourly", "daily")[number % 5]
        dice = Random(f"watches/{number}")
        queries = (
            f"{dice.choice(WORDS)} hazard:{dice.choice(HAZARDS)}",
            f"hazard:{dice.choice(HAZARDS)} origin:CN",
            f"{dice.choice(WORDS)} OR {dice.choice(WORDS)}",
            f"title:{dice.choice(WORDS)} -origin:CN",
        )
        for query in queries:
            add_watch(store, query, f"reader{number}@policy.example", now=BEGUN, cadence=cadence)


def _record(number: int, seed: int) -> Record:
    dice = Random(f"{seed}/record/{number}")
    key = f"K{number:06}"
    return Record(
        source="eu_safety_gate",
        key=key,
        kind=Kind.RECALL,
        jurisdictions=(Coded(printed="European Union", code="EU"),),
        titles=(Text(language="en", value=f"{dice.choice(WORDS).capitalize()} {key}"),),
        hazards=(Coded(printed="as printed", code=dice.choice(HAZARDS)),),
        origins=(Coded(printed="as printed", code=dice.choice(("CN", "CN", "DE"))),),
    )


def main(arguments: Sequence[str]) -> int:
    """Suffer in every way; returns 1 where anything was lost or doubled."""
    from benchmarks import forging, outage  # both stand on this module

    logging.disable(logging.CRITICAL)  # what is complained of under torture is no news
    ways: dict[str, Callable[..., Outcome]] = {way.name: partial(torture, way) for way in WAYS}
    ways |= {"smtp_down_24h": outage.torture, "forged_tokens": forging.torture}
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture", description="Alerts under torture.")
    parser.add_argument("--deliveries", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=list(ways))
    chosen = parser.parse_args(arguments)
    passed = True
    for name, suffer in ways.items():
        if chosen.only in (None, name):
            with tempfile.TemporaryDirectory(prefix="ttm-torture-") as folder:
                outcome = suffer(Path(folder), deliveries=chosen.deliveries, seed=chosen.seed)
            sys.stdout.write(outcome.line + "\n")
            sys.stdout.flush()
            passed = passed and outcome.passed
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
