"""Watches: saved queries with an address, and a look over history before one is saved."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.wording import LANGUAGES
from indexer.expand import expand
from indexer.query import And, Query, parse_query
from library.record import Record
from library.settings import CONFIG
from library.store.database import Transaction
from library.store.store import Store
from library.times import instant, stamp

if TYPE_CHECKING:
    from indexer.engines.base import Engine

ACTIONS = ("added", "amended", "withdrawn", "restored")
DEFAULT_ACTIONS = ("added", "withdrawn")
ADDRESS_LIMIT = 254  # RFC 5321: a path is at most 256 octets with its angle brackets
MAILBOX = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:localhost|(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)"
)
HISTORY = timedelta(days=365)
NEWEST = 10
FLOOD_COUNT = 20  # of fewer records nobody can say what a query selects
FLOOD_SHARE = 0.5  # a watch that selects this share of a year's records selects nothing in particular


class WatchError(ValueError):
    """What was asked for cannot be a watch. The message is for the person who asked."""


class Cadence(StrEnum):
    """When a reader is told: as soon as a record is matched, or once a day."""

    IMMEDIATE = "immediate"
    DAILY = "daily"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A saved query with an address. after_change: it hears of changes whose number is higher."""

    id: str
    title: str
    query: str
    recipient: str
    cadence: Cadence
    language: str
    zone: str
    actions: tuple[str, ...]
    after_change: int
    created_at: datetime
    ended_at: datetime | None = None
    ended_why: str = ""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Watch:
        """Build from a row of the table."""
        return cls(
            id=row["id"],
            title=row["title"],
            query=row["query"],
            recipient=row["recipient"],
            cadence=Cadence(row["cadence"]),
            language=row["language"],
            zone=row["zone"],
            actions=tuple(row["actions"].split(",")),
            after_change=row["after_change"],
            created_at=instant(row["created_at"]),
            ended_at=instant(row["ended_at"]) if row["ended_at"] else None,
            ended_why=row["ended_why"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A watch offered to people who do not write queries."""

    code: str
    zh: str
    en: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a query would have found: hits of the last 12 months by month ('2026-03'), and the ten newest records.

    warning: '' | 'nothing' | 'everything'; a watch of either kind is of no use to anybody.
    """

    query: str
    total: int
    months: Mapping[str, int]
    newest: tuple[Record, ...]
    also_searched: tuple[str, ...]
    warning: str


def add_watch(
    store: Store,
    query: str,
    recipient: str,
    *,
    now: datetime,
    title: str = "",
    cadence: str = Cadence.IMMEDIATE,
    language: str = "zh",
    zone: str = "Asia/Shanghai",
    actions: Sequence[str] = DEFAULT_ACTIONS,
) -> Watch:
    """Save a watch. It hears of what changes from now on.

    Raises QueryError for a query that cannot be read and WatchError for anything else that is wrong.
    """
    watch = Watch(
        id=token_hex(6),
        title=_one_line(title) or _one_line(query),
        query=query.strip(),
        recipient=address(recipient),
        cadence=_cadence(cadence),
        language=_language(language),
        zone=_zone(zone),
        actions=_actions(actions),
        after_change=0,
        created_at=now,
    )
    parse_query(watch.query)
    with store.write() as transaction:
        head = transaction.value("SELECT seq FROM head WHERE id = 1")
        transaction.do(
            ADD_WATCH,
            id=watch.id,
            title=watch.title,
            query=watch.query,
            recipient=watch.recipient,
            cadence=watch.cadence.value,
            language=watch.language,
            zone=watch.zone,
            actions=",".join(watch.actions),
            after_change=head,
            created_at=stamp(now),
        )
        return Watch.of(transaction.row("SELECT * FROM watch WHERE id = :id", id=watch.id) or {})


def end_watch(store: Store, watch_id: str, *, now: datetime, why: str = "removed") -> bool:
    """End a watch and what is still due to it; False where there is none that goes on.

    A mail that waits is cancelled if nobody else's watch is in it and it cannot have arrived already.
    """
    with store.write() as transaction:
        if not transaction.do(END_WATCH, id=watch_id, at=stamp(now), why=why):
            return False
        transaction.do(CANCEL_DUE, id=watch_id)
        cancel_unwanted(transaction, watch_id)
    return True


def cancel_unwanted(transaction: Transaction, watch_id: str) -> None:
    """Cancel waiting mails in which only ended watches are left."""
    for row in transaction.rows(UNWANTED_MAILS, id=watch_id):
        transaction.do("UPDATE mail SET state = 'cancelled' WHERE id = :id", id=row["id"])
        transaction.do("UPDATE delivery SET state = 'cancelled' WHERE mail_id = :id", id=row["id"])


def active_watches(store: Store) -> list[Watch]:
    """The watches that go on, oldest first."""
    with store.read() as transaction:
        rows = transaction.rows("SELECT * FROM watch WHERE ended_at IS NULL ORDER BY created_at, id")
    return [Watch.of(row) for row in rows]


def list_watches(store: Store, *, ended: bool) -> list[Watch]:
    """All watches, oldest first; ended: those that ended, too."""
    with store.read() as transaction:
        rows = transaction.rows("SELECT * FROM watch ORDER BY created_at, id")
    return [watch for watch in map(Watch.of, rows) if ended or watch.ended_at is None]


def get_watch(store: Store, watch_id: str) -> Watch | None:
    """One watch, ended or not."""
    with store.read() as transaction:
        row = transaction.row("SELECT * FROM watch WHERE id = :id", id=watch_id)
    return Watch.of(row) if row else None


@cache
def categories(path: Path = CONFIG / "categories.toml") -> Mapping[str, Category]:
    """The watches offered to non-experts, by code."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return {code: Category(code=code, **table) for code, table in tables.items()}


def address(printed: str) -> str:
    """Check that a string is one plain mail address. Raises WatchError saying what is wrong with it.

    Names beside the address, lists, groups and letters outside ASCII are refused: none of them can be told
    from an attempt to add a header or a second reader.
    """
    if any(character in printed for character in "\r\n\0"):
        raise WatchError("the address contains a line break")
    candidate = printed.strip()
    if not candidate:
        raise WatchError("an address is needed")
    for character, meaning in ((",", "several addresses"), (";", "several addresses"), (":", "a group of addresses")):
        if character in candidate:
            raise WatchError(f"one address is needed, and {character!r} stands for {meaning}")
    if not candidate.isascii():
        raise WatchError("the address has letters outside ASCII; write the domain in its xn-- form")
    local = candidate.rpartition("@")[0]
    if len(candidate) > ADDRESS_LIMIT or len(local) > 64 or not MAILBOX.fullmatch(candidate):
        raise WatchError(f"{candidate[:80]!r} is not a mail address like name@example.org")
    return candidate


def preview(store: Store, engine: Engine, query: str, *, now: datetime) -> Preview:
    """Look what a query would have found in the last 12 months. Raises QueryError for one that cannot be read."""
    today = now.date()
    since = today - HISTORY
    expansion = expand(parse_query(query))
    recent = parse_query(f"published:{since.isoformat()}..{today.isoformat()}")
    total = _count(engine, And((expansion.query, recent)))
    everything = _count(engine, recent)
    newest = engine.search(expansion.query, first=0, count=NEWEST, sort="newest")
    warning = ""
    if newest.total == 0:
        warning = "nothing"
    elif everything >= FLOOD_COUNT and total >= FLOOD_SHARE * everything:
        warning = "everything"
    return Preview(
        query=query,
        total=total,
        months={
            month: _count(engine, And((expansion.query, recent, parse_query(f"published:{month}"))))
            for month in _months(since, today)
        },
        newest=tuple(store.get_many(newest.ids)),
        also_searched=expansion.also,
        warning=warning,
    )


def _count(engine: Engine, query: Query) -> int:
    return engine.search(query, first=0, count=0).total


def _months(since: date, until: date) -> list[str]:
    """Months from one day to another, both included, as '2026-03'."""
    first, last = since.year * 12 + since.month - 1, until.year * 12 + until.month - 1
    return [f"{month // 12}-{month % 12 + 1:02}" for month in range(first, last + 1)]


def _one_line(text: str) -> str:
    return " ".join("".join(" " if not character.isprintable() else character for character in text).split())[:80]


def _cadence(cadence: str) -> Cadence:
    if cadence not in list(Cadence):
        raise WatchError(f"the cadence is one of {', '.join(Cadence)}, and not {cadence!r}")
    return Cadence(cadence)


def _language(language: str) -> str:
    if language not in LANGUAGES:
        raise WatchError(f"mails are written in {' or '.join(LANGUAGES)}, and not in {language!r}")
    return language


def _zone(zone: str) -> str:
    try:
        return ZoneInfo(zone).key
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise WatchError(f"{zone!r} is no time zone; one is 'Asia/Shanghai'") from error


def _actions(actions: Sequence[str]) -> tuple[str, ...]:
    wanted = tuple(action for action in ACTIONS if action in actions)
    if not wanted or set(actions) - set(ACTIONS):
        raise WatchError(f"a watch hears of some of {', '.join(ACTIONS)}, and not of {', '.join(actions) or 'nothing'}")
    return wanted


ADD_WATCH = """
    INSERT INTO watch (id, title, query, recipient, cadence, language, zone, actions, after_change, created_at)
    VALUES (:id, :title, :query, :recipient, :cadence, :language, :zone, :actions, :after_change, :created_at)
"""

END_WATCH = "UPDATE watch SET ended_at = :at, ended_why = :why WHERE id = :id AND ended_at IS NULL"

CANCEL_DUE = "UPDATE delivery SET state = 'cancelled' WHERE watch_id = :id AND state = 'due'"

UNWANTED_MAILS = """
    SELECT DISTINCT mail.id FROM mail JOIN delivery ON delivery.mail_id = mail.id
    WHERE delivery.watch_id = :id AND mail.state = 'planned' AND mail.in_doubt = 0 AND NOT EXISTS (
        SELECT 1 FROM delivery AS other JOIN watch ON watch.id = other.watch_id
        WHERE other.mail_id = mail.id AND watch.ended_at IS NULL
    )
"""
