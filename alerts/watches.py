"""Watches: saved queries with an address, and a look over history before one is saved."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from alerts.wording import LANGUAGES, refusal
from indexer.expand import expand
from indexer.query import All, And, Query, parse_query
from library.record import Record
from library.settings import CONFIG
from library.store.database import Transaction
from library.store.store import Store
from library.times import instant, stamp

if TYPE_CHECKING:
    from indexer.engines.base import Engine

ACTIONS = ("added", "amended", "withdrawn", "restored", "deadline")
DEFAULT_ACTIONS = ("added", "withdrawn")
ADDRESS_LIMIT = 254  # RFC 5321: a path is at most 256 octets with its angle brackets
MAILBOX = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:localhost|(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)"
)
HISTORY = timedelta(days=365)
NEWEST = 10
LIFE = timedelta(days=365)  # a watch nobody has touched for so long ends, after a notice
DAYS_BEFORE, DAYS_BEFORE_MAX = 7, 90
WATCHES_MAX = 200  # of one address
UNCONFIRMED_MAX = 3  # of one address a day; more would be a way to fill somebody's mailbox
QUIET = re.compile(r"(?P<from>[01]\d|2[0-3]):(?P<from_minute>[0-5]\d)-(?P<to>[01]\d|2[0-3]):(?P<to_minute>[0-5]\d)")
ROBOT_HOSTS: Mapping[str, str] = {
    "oapi.dingtalk.com": "dingtalk",
    "qyapi.weixin.qq.com": "wecom",
    "open.feishu.cn": "feishu",
    "open.larksuite.com": "feishu",
}
SECRET_MAX = 200
ADDRESS_OF_HOOK = re.compile(r"https?://[!-~]{1,2000}")
FLOOD_COUNT = 20  # of fewer records nobody can say what a query selects
FLOOD_SHARE = 0.5  # a watch that selects this share of a year's records selects nothing in particular


class WatchError(ValueError):
    """What was asked for cannot be a watch. The message is for the person who asked: str() in English, `say` in theirs."""

    def __init__(self, english: str, chinese: str = "") -> None:
        self._said = {"en": english, "zh": chinese or english}
        super().__init__(english)

    def say(self, language: str) -> str:
        """The message in a language; what only a command can meet is said in English alone."""
        return self._said[language]


def _refusal(name: str, /, **values: object) -> WatchError:
    return WatchError(refusal("en", name, **values), refusal("zh", name, **values))


class Cadence(StrEnum):
    """When a reader is told: as soon as a record is matched, or at full hours, in the morning, on Monday morning."""

    IMMEDIATE = "immediate"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class Checks:
    """Records a watch must select and must not: ids, titles of invented ones, or tables that say more of those."""

    must_match: Sequence[str | Mapping[str, str]] = ()
    must_not_match: Sequence[str | Mapping[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A saved query with an address. after_change: it hears of changes whose number is higher.

    quiet: '22:00-07:00' on the clock of its zone. nothing_too: digests without news go out as well. hook: a web address
    told as well. hook_secret: what signs its calls, '' for a key derived from our own. by_mail: whether the reader is
    mailed; its feeds are there in any case. name: of the reviewed file it stands in. checks: what it must select and
    must not.
    """

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
    quiet: str = ""
    nothing_too: bool = False
    days_before: int = DAYS_BEFORE
    hook: str = ""
    hook_secret: str = field(default="", repr=False)
    by_mail: bool = True
    name: str = ""
    checks: Checks = Checks()
    revision: int = 1
    confirmed_at: datetime | None = None
    expires_at: datetime | None = None
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
            quiet=row["quiet"],
            nothing_too=bool(row["nothing_too"]),
            days_before=row["days_before"],
            hook=row["hook"],
            hook_secret=row["hook_secret"],
            by_mail=bool(row["by_mail"]),
            name=row["name"],
            checks=Checks(**orjson.loads(row["checks"])),
            revision=row["revision"],
            confirmed_at=instant(row["confirmed_at"]) if row["confirmed_at"] else None,
            expires_at=instant(row["expires_at"]) if row["expires_at"] else None,
            ended_at=instant(row["ended_at"]) if row["ended_at"] else None,
            ended_why=row["ended_why"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A watch offered to people who do not write queries. {value} in it stands for what they name; example: such a value."""

    code: str
    zh: str
    en: str
    query: str
    example: str = ""

    @property
    def asks(self) -> bool:
        """Whether it needs a value."""
        return bool(self.example)

    def filled(self, value: str = "") -> Category:
        """With a value in its place, the example where none is given. Raises WatchError for one that is no value."""
        if value and not self.asks:
            raise _refusal("no_value", category=self.code)
        value = _one_line(value) or self.example
        if any(character in value for character in '"“”()（）'):
            raise _refusal("value", value=value)
        # a name of several words is one phrase; a reference has blanks of its own
        quoted = f'"{value}"' if " " in value and self.code != "reference" else value
        return replace(
            self,
            zh=self.zh.replace("{value}", value),
            en=self.en.replace("{value}", value),
            query=self.query.replace("{value}", quoted),
        )


@dataclass(frozen=True, slots=True)
class InYear:
    """What a query would have found in one year of the library, and how many that is a week."""

    year: int
    total: int
    a_week: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a query would have found: hits of the last 12 months by month ('2026-03'), and the ten newest records.

    years: every year in which the library has anything, the newest first, those without a hit too.
    warning: '' | 'nothing' | 'everything'; a watch of either kind is of no use to anybody.
    """

    query: str
    total: int
    months: Mapping[str, int]
    years: tuple[InYear, ...]
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
    quiet: str = "",
    nothing_too: bool = False,
    days_before: int = DAYS_BEFORE,
    hook: str = "",
    hook_secret: str = "",
    by_mail: bool = True,
    name: str = "",
    checks: Checks = Checks(),
    confirmed: bool = True,
    only_check: bool = False,
) -> Watch:
    """Save a watch. It hears of what changes from now on, or from when its reader agrees.

    confirmed: the caller vouches that the reader wants it. A watch of a reviewed file (name) does not expire.
    only_check: raise what saving it would raise, and save nothing.
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
        quiet=_quiet(quiet),
        nothing_too=nothing_too,
        days_before=_days_before(days_before),
        hook=_hook(hook),
        hook_secret=_hook_secret(hook_secret),
        by_mail=by_mail,
        name=name,
        checks=checks,
        after_change=0,
        created_at=now,
        confirmed_at=now if confirmed else None,
        expires_at=None if name else now + LIFE,
    )
    parse_query(watch.query)
    with store.write() as transaction:
        if not name:
            _keep_to_limits(transaction, watch, now)
        if only_check:
            return watch
        head = transaction.value("SELECT seq FROM head WHERE id = 1")
        transaction.do(ADD_WATCH, **_row(watch) | {"after_change": head})
        return Watch.of(transaction.row("SELECT * FROM watch WHERE id = :id", id=watch.id) or {})


def edit_watch(store: Store, watch_id: str, *, now: datetime, **changes: Any) -> Watch:
    """Change a watch that goes on: any argument of `add_watch` but recipient and confirmed; it lives a year from now.

    With another query, or other things to hear of, it starts at the present change, and what is due to it is not sent:
    that was found by a question nobody asks any more. Raises what add_watch raises, and WatchError for no such watch.
    """
    checked: Mapping[str, Callable[[Any], Any]] = {
        "title": _one_line,
        "query": str.strip,
        "cadence": _cadence,
        "language": _language,
        "zone": _zone,
        "actions": _actions,
        "quiet": _quiet,
        "nothing_too": bool,
        "days_before": _days_before,
        "hook": _hook,
        "hook_secret": _hook_secret,
        "by_mail": bool,
        "name": str,
        "checks": lambda checks: checks,
    }
    values = {name: checked[name](value) for name, value in changes.items()}
    if "query" in values:
        parse_query(values["query"])
    with store.write() as transaction:
        row = transaction.row("SELECT * FROM watch WHERE id = :id AND ended_at IS NULL", id=watch_id)
        if row is None:
            raise _refusal("no_watch", watch=watch_id)
        before = Watch.of(row)
        after = replace(before, **values)
        after = replace(after, title=after.title or _one_line(after.query))
        after = replace(after, expires_at=None if after.name else now + LIFE)
        asks_anew = (after.query, after.actions) != (before.query, before.actions)
        begins_anew = asks_anew or (after.hook, after.by_mail) != (before.hook, before.by_mail)
        head = transaction.value("SELECT seq FROM head WHERE id = 1") if begins_anew else before.after_change
        transaction.do(EDIT_WATCH, **_row(after) | {"after_change": head})
        if asks_anew:
            transaction.do(CANCEL_DUE, id=watch_id)
        return Watch.of(transaction.row("SELECT * FROM watch WHERE id = :id", id=watch_id) or {})


def confirm_watch(store: Store, watch_id: str, *, now: datetime) -> Watch | None:
    """Let a watch begin, because its reader said so; None where there is none that goes on."""
    with store.write() as transaction:
        head = transaction.value("SELECT seq FROM head WHERE id = 1")
        transaction.do(CONFIRM_WATCH, id=watch_id, at=stamp(now), expires=stamp(now + LIFE), head=head)
        row = transaction.row("SELECT * FROM watch WHERE id = :id AND ended_at IS NULL", id=watch_id)
    return Watch.of(row) if row else None


def _keep_to_limits(transaction: Transaction, watch: Watch, now: datetime) -> None:
    """Raises WatchError where an address has as many watches as it may, or is asked for its consent too often."""
    going_on = transaction.value(WATCHES_OF_READER, recipient=watch.recipient)
    if going_on >= WATCHES_MAX:
        raise _refusal("many", recipient=watch.recipient, count=going_on, most=WATCHES_MAX)
    if watch.confirmed_at is None:
        since = stamp(now - timedelta(days=1))
        asked = transaction.value(ASKED_OF_READER, recipient=watch.recipient, since=since)
        if asked >= UNCONFIRMED_MAX:
            raise _refusal("asked", recipient=watch.recipient, count=asked)


def end_watch(store: Store, watch_id: str, *, now: datetime, why: str = "removed") -> bool:
    """End a watch and what is still due to it; False where there is none that goes on.

    A mail that waits is cancelled if nobody else's watch is in it and it cannot have arrived already.
    """
    with store.write() as transaction:
        if not transaction.do(END_WATCH, id=watch_id, at=stamp(now), why=why):
            return False
        transaction.do(CANCEL_DUE, id=watch_id)
        transaction.do(CANCEL_CALLED, id=watch_id)
        transaction.do("UPDATE call SET state = 'cancelled' WHERE watch_id = :id AND state = 'planned'", id=watch_id)
        cancel_unwanted(transaction, watch_id)
    return True


def cancel_unwanted(transaction: Transaction, watch_id: str) -> None:
    """Cancel waiting mails in which only ended watches are left."""
    for row in transaction.rows(UNWANTED_MAILS, id=watch_id):
        transaction.do("UPDATE mail SET state = 'cancelled' WHERE id = :id", id=row["id"])
        transaction.do("UPDATE delivery SET state = 'cancelled' WHERE mail_id = :id", id=row["id"])


def active_watches(store: Store) -> list[Watch]:
    """The watches that go on and that their readers agreed to, oldest first."""
    with store.read() as transaction:
        rows = transaction.rows(ACTIVE)
    return [Watch.of(row) for row in rows]


def watches_revision(store: Store) -> tuple[int, int]:
    """Two numbers of which one grows whenever any watch changes: how many there ever were, and how many changes."""
    with store.read() as transaction:
        row = transaction.row("SELECT count(*) AS n, coalesce(sum(revision), 0) AS revisions FROM watch")
    return (int(row["n"]), int(row["revisions"])) if row else (0, 0)


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
        raise _refusal("address_break")
    candidate = printed.strip()
    if not candidate:
        raise _refusal("address_missing")
    for character, name in ((",", "address_several"), (";", "address_several"), (":", "address_group")):
        if character in candidate:
            raise _refusal(name, character=character)
    if not candidate.isascii():
        raise _refusal("address_letters")
    local = candidate.rpartition("@")[0]
    is_encoded = "=?" in local  # 'a=?utf-8?q?b?=' is read as another reader by who decodes headers (RFC 2047)
    if len(candidate) > ADDRESS_LIMIT or len(local) > 64 or is_encoded or not MAILBOX.fullmatch(candidate):
        raise _refusal("address", address=candidate[:80])
    return candidate


def preview(store: Store, engine: Engine, query: str, *, now: datetime) -> Preview:
    """Look what a query would have found in the last 12 months. Raises QueryError for one that cannot be read."""
    today = now.date()
    since = today - HISTORY
    expansion = expand(parse_query(query))
    recent = parse_query(f"published:{since.isoformat()}..{today.isoformat()}")
    total = engine.count(And((expansion.query, recent)))
    everything = engine.count(recent)
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
            month: engine.count(And((expansion.query, recent, parse_query(f"published:{month}"))))
            for month in _months(since, today)
        },
        years=_years(engine, expansion.query, today),
        newest=tuple(store.get_many(newest.ids)),
        also_searched=expansion.also,
        warning=warning,
    )


def _years(engine: Engine, query: Query, today: date) -> tuple[InYear, ...]:
    """Facets name the years; the hits are counted, since the facets of very many are estimated."""
    named = engine.search(All(), first=0, count=0, facets=("year",)).facets.get("year", ())
    years = sorted((year for name, _ in named if (year := int(name)) <= today.year), reverse=True)
    totals = {year: engine.count(And((query, parse_query(f"published:{year}")))) for year in years}
    return tuple(InYear(year, total, total / _weeks(year, today)) for year, total in totals.items())


def _weeks(year: int, today: date) -> float:
    """How many weeks of a year have gone by, one at least."""
    last = min(today, date(year, 12, 31))
    return max(((last - date(year, 1, 1)).days + 1) / 7, 1.0)


def _months(since: date, until: date) -> list[str]:
    """Months from one day to another, both included, as '2026-03'."""
    first, last = since.year * 12 + since.month - 1, until.year * 12 + until.month - 1
    return [f"{month // 12}-{month % 12 + 1:02}" for month in range(first, last + 1)]


def _one_line(text: str) -> str:
    return " ".join("".join(" " if not character.isprintable() else character for character in text).split())[:80]


def _cadence(cadence: str) -> Cadence:
    if cadence not in list(Cadence):
        raise _refusal("cadence", known=", ".join(Cadence), cadence=cadence)
    return Cadence(cadence)


def _language(language: str) -> str:
    if language not in LANGUAGES:
        raise _refusal("language", known=", ".join(LANGUAGES), language=language)
    return language


def _zone(zone: str) -> str:
    try:
        return ZoneInfo(zone).key
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise _refusal("zone", zone=zone) from error


def _actions(actions: Sequence[str]) -> tuple[str, ...]:
    wanted = tuple(action for action in ACTIONS if action in actions)
    if not wanted or set(actions) - set(ACTIONS):
        raise _refusal("actions", known=", ".join(ACTIONS), actions=", ".join(actions) or "-")
    return wanted


def _quiet(quiet: str) -> str:
    found = QUIET.fullmatch(quiet.strip())
    if quiet.strip() and (not found or quiet.strip()[:5] == quiet.strip()[6:]):
        raise _refusal("quiet", quiet=quiet)
    return quiet.strip()


def _days_before(days: int) -> int:
    if not 1 <= days <= DAYS_BEFORE_MAX:
        raise _refusal("days_before", most=DAYS_BEFORE_MAX, days=days)
    return days


def _hook(hook: str) -> str:
    hook = hook.strip()
    try:
        parts = urlsplit(hook)
        is_plain = bool(
            ADDRESS_OF_HOOK.fullmatch(hook) and "@" not in parts.netloc and parts.hostname and parts.port != 0
        )
    except ValueError:  # '[::1', a port that is no number
        is_plain = False
    if hook and not is_plain:
        raise _refusal("hook", hook=hook[:80])
    if hook and parts.scheme != "https" and parts.hostname in ROBOT_HOSTS:
        raise _refusal("hook_open", host=parts.hostname)
    return hook


def _hook_secret(printed: str) -> str:
    if len(printed) > SECRET_MAX or not printed.isascii() or not printed.isprintable():
        raise _refusal("hook_secret", most=SECRET_MAX)
    return printed.strip()


def _row(watch: Watch) -> dict[str, Any]:
    return {
        "id": watch.id,
        "title": watch.title,
        "query": watch.query,
        "recipient": watch.recipient,
        "cadence": watch.cadence.value,
        "language": watch.language,
        "zone": watch.zone,
        "actions": ",".join(watch.actions),
        "quiet": watch.quiet,
        "nothing_too": int(watch.nothing_too),
        "days_before": watch.days_before,
        "hook": watch.hook,
        "hook_secret": watch.hook_secret,
        "by_mail": int(watch.by_mail),
        "name": watch.name,
        "checks": orjson.dumps(asdict(watch.checks)).decode(),
        "after_change": watch.after_change,
        "created_at": stamp(watch.created_at),
        "confirmed_at": stamp(watch.confirmed_at) if watch.confirmed_at else None,
        "expires_at": stamp(watch.expires_at) if watch.expires_at else None,
    }


ACTIVE = "SELECT * FROM watch WHERE ended_at IS NULL AND confirmed_at IS NOT NULL ORDER BY created_at, id"

ADD_WATCH = """
    INSERT INTO watch (id, title, query, recipient, cadence, language, zone, actions, quiet, nothing_too, days_before,
                       hook, hook_secret, by_mail, name, checks, after_change, created_at, confirmed_at, expires_at)
    VALUES (:id, :title, :query, :recipient, :cadence, :language, :zone, :actions, :quiet, :nothing_too, :days_before,
            :hook, :hook_secret, :by_mail, :name, :checks, :after_change, :created_at, :confirmed_at, :expires_at)
"""

EDIT_WATCH = """
    UPDATE watch SET title = :title, query = :query, cadence = :cadence, language = :language, zone = :zone,
           actions = :actions, quiet = :quiet, nothing_too = :nothing_too, days_before = :days_before, hook = :hook,
           hook_secret = :hook_secret, by_mail = :by_mail, name = :name, checks = :checks, after_change = :after_change,
           expires_at = :expires_at, expiry_told = 0, revision = revision + 1
    WHERE id = :id
"""

CONFIRM_WATCH = """
    UPDATE watch SET confirmed_at = :at, expires_at = CASE WHEN name = '' THEN :expires ELSE NULL END,
           after_change = :head, revision = revision + 1
    WHERE id = :id AND ended_at IS NULL AND confirmed_at IS NULL
"""

WATCHES_OF_READER = "SELECT count(*) FROM watch WHERE recipient = :recipient AND ended_at IS NULL"

ASKED_OF_READER = """
    SELECT count(*) FROM watch WHERE recipient = :recipient AND confirmed_at IS NULL AND created_at >= :since
"""

END_WATCH = """
    UPDATE watch SET ended_at = :at, ended_why = :why, revision = revision + 1 WHERE id = :id AND ended_at IS NULL
"""

CANCEL_DUE = "UPDATE delivery SET state = 'cancelled' WHERE watch_id = :id AND state = 'due'"

CANCEL_CALLED = """
    UPDATE delivery SET state = 'cancelled' WHERE watch_id = :id AND channel = 'hook' AND state = 'planned'
"""

UNWANTED_MAILS = """
    SELECT DISTINCT mail.id FROM mail JOIN delivery ON delivery.mail_id = mail.id
    WHERE delivery.watch_id = :id AND mail.state = 'planned' AND mail.in_doubt = 0 AND NOT EXISTS (
        SELECT 1 FROM delivery AS other JOIN watch ON watch.id = other.watch_id
        WHERE other.mail_id = mail.id AND watch.ended_at IS NULL
    )
"""
