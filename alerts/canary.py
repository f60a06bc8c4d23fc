"""Canary: the ledger of the synthetic recalls, how one is found in the operator's mailbox, and the second way to tell.

The flight itself goes through crawler, archive, index and watch, and is `operations/canary.py`.
"""

from __future__ import annotations

import imaplib
import logging
import re
import shlex
import ssl
import subprocess
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from alerts.hooks import HookError, post
from library.settings import CanarySettings
from library.store.store import Store
from library.times import instant, stamp

log = logging.getLogger(__name__)

NIGHTLY = timedelta(hours=26)  # a flight older than that was followed by none
NEWEST_FILES = 500
IMAP_TIMEOUT_S = 30.0
COMMAND_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """One canary. verdict: running, arrived, late or failed; seen_by: mailbox, or mail server where none is set."""

    id: int
    key: str
    started_at: datetime
    arrived_at: datetime | None
    verdict: str
    reason: str
    seen_by: str
    told: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Flight:
        """Build from a row of the table."""
        return cls(
            id=row["id"],
            key=row["key"],
            started_at=instant(row["started_at"]),
            arrived_at=instant(row["arrived_at"]) if row["arrived_at"] else None,
            verdict=row["verdict"],
            reason=row["reason"],
            seen_by=row["seen_by"],
            told=row["told"],
        )

    def standing(self, now: datetime, within_s: float) -> str:
        """What to think of it now: arrived, running, missing (late, failed, or its process died) or old (no later one)."""
        if self.verdict == "arrived":
            return "old" if now - self.started_at > NIGHTLY else "arrived"
        is_running = self.verdict == "running" and now - self.started_at <= timedelta(seconds=within_s)
        return "running" if is_running else "missing"


def begin_flight(store: Store, *, at: datetime) -> int:
    """Note that a canary sets out; returns its number."""
    with store.write() as transaction:
        return int(transaction.value(BEGIN, at=stamp(at)))


def end_flight(
    store: Store,
    number: int,
    *,
    verdict: str,
    key: str = "",
    reason: str = "",
    seen_by: str = "",
    told: str = "",
    at: datetime,
) -> None:
    """Note how a flight ended."""
    with store.write() as transaction:
        arrived = stamp(at) if verdict == "arrived" else None
        transaction.do(
            END, id=number, verdict=verdict, key=key, reason=reason[:500], seen_by=seen_by, told=told, arrived=arrived
        )


def last_flight(store: Store) -> Flight | None:
    """The newest canary."""
    with store.read() as transaction:
        row = transaction.row("SELECT * FROM canary ORDER BY id DESC LIMIT 1")
    return Flight.of(row) if row else None


def lost_flights(store: Store, *, before: datetime) -> list[Flight]:
    """Flights that still run and began before a time: their process died."""
    with store.read() as transaction:
        rows = transaction.rows(
            "SELECT * FROM canary WHERE verdict = 'running' AND started_at < :before ORDER BY id", before=stamp(before)
        )
    return [Flight.of(row) for row in rows]


def is_in_mailbox(settings: CanarySettings, message_id: str) -> bool:
    """Whether a mail lies in the operator's mailbox. Raises OSError where nobody can look."""
    parts = urlsplit(settings.mailbox)
    if parts.scheme == "imaps":
        return _is_at_imap(
            parts.hostname or "",
            parts.port or 993,
            unquote(parts.username or ""),
            settings.password,
            unquote(parts.path.strip("/")) or "INBOX",
            message_id,
        )
    folder = Path(settings.mailbox)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no mailbox {folder}")
    places = [folder / "new", folder / "cur"] if (folder / "new").is_dir() else [folder]
    files = [path for place in places for path in place.iterdir() if path.is_file() and not path.name.startswith(".")]
    newest = sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)[:NEWEST_FILES]
    return any(_message_id(path) == message_id for path in newest)


def tell_operator(settings: CanarySettings, sentence: str, *, at: datetime) -> str:
    """Tell the operator by the second channel; returns which one took it, '' where none is set or none worked."""
    taken = []
    if settings.hook:
        content = orjson.dumps({"at": stamp(at), "text": sentence})
        try:
            answer = post(settings.hook, content, {}, private=True)
        except HookError as error:
            log.error("canary: %s", error)
        else:
            if 200 <= answer.status < 300:
                taken.append("hook")
            else:
                log.error("canary: the second channel answered %d: %s", answer.status, answer.words)
    if settings.command:
        try:
            subprocess.run(
                shlex.split(settings.command),
                input=sentence.encode(),
                check=True,
                timeout=COMMAND_TIMEOUT_S,
                capture_output=True,
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            log.error("canary: the command of the second channel did not work: %s", error)
        else:
            taken.append("command")
    if not taken:
        log.error("canary: nobody could be told: %s", sentence)
    return ", ".join(taken)


def _message_id(path: Path) -> str:
    with path.open("rb") as file:
        return str(BytesHeaderParser().parse(file).get("Message-ID", "")).strip()


def _is_at_imap(host: str, port: int, user: str, password: str, folder: str, message_id: str) -> bool:
    try:
        with imaplib.IMAP4_SSL(host, port, ssl_context=ssl.create_default_context(), timeout=IMAP_TIMEOUT_S) as client:
            client.login(user, password)
            answer, said = client.select(f'"{_modified_utf7(folder)}"', readonly=True)
            if answer != "OK":
                raise imaplib.IMAP4.error(f"{folder}: {said!r}")
            _, found = client.search(None, "HEADER", "Message-ID", f'"{message_id}"')
            return bool(found and found[0])
    except (imaplib.IMAP4.error, UnicodeEncodeError) as error:  # a name or password beyond ASCII has no way to say it
        raise OSError(f"the mailbox at {host} cannot be read: {error}") from error


def _modified_utf7(name: str) -> str:
    """The name of a folder as IMAP spells it. Structure: RFC 3501, 5.1.3.

    >>> _modified_utf7("日本語 & R")
    '&ZeVnLIqe- &- R'
    """

    def shifted(run: re.Match[str]) -> str:
        letters = b64encode(run[0].encode("utf-16-be")).decode("ascii").rstrip("=").replace("/", ",")
        return f"&{letters}-"

    return re.sub(r"[^\x20-\x7e]+", shifted, name.replace("&", "&-"))


BEGIN = "INSERT INTO canary (key, started_at, verdict) VALUES ('', :at, 'running') RETURNING id"

END = """
    UPDATE canary SET verdict = :verdict, key = :key, reason = :reason, seen_by = :seen_by, told = :told,
           arrived_at = :arrived
    WHERE id = :id
"""
