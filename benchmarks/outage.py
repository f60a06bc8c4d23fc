"""A day without a mail server, for `python -m benchmarks.torture`: the clock is simulated, the loop and the lines are real.

Records appear all day, and the server is down in every way a server is. Then it comes back. Everything must arrive once, and
what one watch found in the order in which it was found; the pauses must grow from a minute to ten; and the operator must be
told once, by the channel that is no mail.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from aiosmtpd.smtp import SMTP

from alerts.matching import MatchingFollower
from alerts.outbox import run_outbox
from benchmarks.torture import BEGUN, KeepingMailbox, KeepingSession, Outcome, asked, judged, library, received, states
from library.follow import follow
from library.record import Record
from library.settings import CanarySettings, MailSettings, Settings, WebSettings
from library.store.store import Origin, SeenPage, Sighting, Store

DOWN_FOR = timedelta(hours=24)
OVER_AFTER = timedelta(days=5)  # when mails would be given up
WAYS_DOWN = ("refused", "no banner", "421 at the banner", "gone at EHLO", "451 at MAIL")
PAUSES_S = (60.0, 120.0, 240.0, 480.0, 600.0)  # between two looks, at first; the last one then stays
IDLE_S = 300.0


class DownMailbox(KeepingMailbox):
    """A server that is down in a way of WAYS_DOWN, or up where it is ''."""

    def __init__(self, folder: Path) -> None:
        class _Never:
            value = 0.0

        super().__init__(folder, Random(), _Never())
        self.down = ""

    def session(self) -> SMTP:
        return _DownSession(self, loop=self._loop, hostname="practice.invalid")

    def go(self, down: str) -> None:
        """Be down in another way, or up; nobody listens on the port while it is 'refused'."""
        if (self._server is None) != (down == "refused"):
            asyncio.run_coroutine_threadsafe(self._listening(down != "refused"), self._loop).result()
        self.down = down

    async def _listening(self, wanted: bool) -> None:
        if wanted:
            self._server = await self._listen()
        elif self._server is not None:
            self._server.close()
            self._server = None


class _DownSession(KeepingSession):
    def connection_made(self, transport: Any) -> None:
        mailbox = self.owner
        assert isinstance(mailbox, DownMailbox)
        if mailbox.down == "421 at the banner":
            transport.write(b"421 closing for now\r\n")
        super().connection_made(transport)
        if mailbox.down in ("no banner", "421 at the banner"):
            transport.close()

    async def smtp_EHLO(self, hostname: str) -> None:
        if getattr(self.owner, "down", "") == "gone at EHLO":
            self.broken("drop")
        else:
            await super().smtp_EHLO(hostname)

    async def smtp_MAIL(self, arg: str) -> None:
        if getattr(self.owner, "down", "") == "451 at MAIL":
            await self.push("451 try later")
        else:
            await super().smtp_MAIL(arg)


class _Day(threading.Event):
    """What the loop waits with: to wait moves the clock, and the day changes what it finds."""

    def __init__(self, store: Store, mailbox: DownMailbox, records: Sequence[Record]) -> None:
        super().__init__()
        self.at, self.pauses = BEGUN, list[float]()
        self._store, self._mailbox, self._records = store, mailbox, records
        self._put = 0
        self._follower = MatchingFollower(store, {}, self.clock)

    def clock(self) -> datetime:
        self.at += timedelta(milliseconds=1)  # no two things happen at the same time
        return self.at

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        if self._mailbox.down:
            self.pauses.append(timeout)
        self.at += timedelta(seconds=timeout)
        return self.is_set()

    def before(self) -> None:
        """Put what appeared since the last pass, match it, and let the server go down or come back."""
        passed = self.at - BEGUN
        due = min(len(self._records), 1 + int(passed / DOWN_FOR * len(self._records)))
        for record in self._records[self._put : due]:
            self._put += 1
            page = SeenPage(id=self._put, url_key=f"{self._put:032}", fetched_at=self.at)
            with self._store.write() as transaction:
                self._store.put_many(transaction, [Sighting(record=record)], page, origin=Origin.CRAWL, at=self.clock())
        follow(self._store, self._follower)
        if passed < DOWN_FOR:
            self._mailbox.go(WAYS_DOWN[int(passed / timedelta(hours=1)) % len(WAYS_DOWN)])
            return
        self._mailbox.go("")
        with self._store.read() as transaction:
            waiting = transaction.value(WAITING)
        if (self._put == len(self._records) and not waiting) or passed > OVER_AFTER:
            self.set()


def torture(folder: Path, *, deliveries: int, seed: int) -> Outcome:
    """Let a library of its own be a day without a mail server, and count."""
    records, expected = library(folder, deliveries=deliveries, seed=seed)
    store = Store(f"sqlite:///{folder / 'store.sqlite'}")
    told = folder / "told"
    program = f"import sys; open({str(told)!r}, 'a').write(sys.stdin.read() + chr(10))"
    mailbox = DownMailbox(folder)
    with mailbox:
        settings = Settings(
            home=folder,
            database_url="",
            mail=MailSettings(
                port=mailbox.port,
                sender="ttm <ttm@policy.example>",
                operator=OPERATOR,
                rate_per_minute=0,
                timeout_s=5.0,
            ),
            web=WebSettings(base_url="https://ttm.example", secret="a secret for the torture of the alerts alone"),
            canary=CanarySettings(command=f'{sys.executable} -c "{program}"'),
        )
        day = _Day(store, mailbox, records)
        run_outbox(store, settings, day.clock, sources={}, stop=day, before=day.before, idle_s=IDLE_S)
    store.close()
    arrived = received(folder)
    lost, dup, again = judged(folder, [one for one in arrived if one[0] != OPERATOR], expected)
    warnings = sum(one[0] == OPERATOR for one in arrived)
    warnings += len(told.read_text(encoding="utf-8").splitlines()) if told.exists() else 0
    out_of_order = _out_of_order(folder, arrived)
    wrong = [
        f"{out_of_order} deliveries came out of order" if out_of_order else "",
        f"the operator was told {warnings} times" if warnings != 1 else "",
        "" if _grow(day.pauses) else f"the pauses were {day.pauses[:8]}",
    ]
    took = (day.at - BEGUN - DOWN_FOR) / timedelta(hours=1)
    more = f"again={again} out_of_order={out_of_order} warnings={warnings} looks={len(day.pauses)} rest_h={took:.1f}"
    said = tuple(sentence for sentence in wrong if sentence)
    return Outcome("smtp_down_24h", len(expected), lost, dup, seed, more, states(folder), said)


def _grow(pauses: Sequence[float]) -> bool:
    """Whether the pauses grew from a minute to ten and stayed there; the first pass may have had nothing to send."""
    busy = pauses[next((number for number, pause in enumerate(pauses) if pause != IDLE_S), 0) :]
    return tuple(busy[: len(PAUSES_S)]) == PAUSES_S and set(busy[len(PAUSES_S) :]) <= {PAUSES_S[-1]}


def _out_of_order(folder: Path, arrived: Sequence[tuple[str, str, tuple[str, ...]]]) -> int:
    """How many deliveries of a watch arrived before one that the watch found earlier."""
    place = {
        (name, record_id): (number, position)
        for number, (_, name, ids) in reversed(list(enumerate(arrived)))  # the first copy counts
        for position, record_id in enumerate(ids)
    }
    found = defaultdict(list)
    for watch_id, name, record_id in asked(folder, FOUND):
        if (name, record_id) in place:
            found[watch_id].append(place[name, record_id])
    return sum(later < earlier for places in found.values() for earlier, later in zip(places, places[1:], strict=False))


OPERATOR = "operator@policy.example"

WAITING = """
    SELECT (SELECT count(*) FROM delivery WHERE state IN ('due', 'planned'))
         + (SELECT count(*) FROM mail WHERE state IN ('planned', 'sending'))
"""

FOUND = """
    SELECT delivery.watch_id, mail.message_id, delivery.record_id FROM delivery JOIN mail ON mail.id = delivery.mail_id
    ORDER BY delivery.watch_id, delivery.id
"""
