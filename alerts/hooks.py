"""Web hooks: what a reader is mailed is posted to the web address of the watch as well, signed.

A call is kept as a mail is: its body is frozen before the socket opens, it is in state 'sending' before its first byte
leaves, and one that was cut off is made again with the same id. Redirects are not followed, and an address that leads into
our own network is refused, seen from the connection that was made and not from a name that may change.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import logging
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson

from alerts.letter import record_url
from alerts.matching import HOOK
from alerts.reasons import read_reasons
from alerts.tokens import hook_key, secret
from alerts.watches import Watch
from alerts.wording import clean
from library.record import Record, decode
from library.settings import Settings
from library.store.database import Transaction
from library.store.store import BATCH, Store
from library.times import stamp

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
CALLS_AT_ONCE = 50  # in one pass; mail waits no longer than these take
ITEMS_MAX = 500  # in one call
ANSWER_LIMIT_BYTES = 4096
RETRY_FIRST, RETRY_LAST = timedelta(minutes=1), timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=5)
AGAIN_LATER = (408, 425, 429)  # of the 4xx answers, those that a later call may change

Clock = Callable[[], datetime]


class HookError(OSError):
    """A call that was not made, or not answered."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. status: the HTTP status; words: the begin of the body, on one line."""

    status: int
    words: str


def signature(key: str, at: int, content: bytes) -> str:
    """What a receiver compares: 'sha256=' and the HMAC of the time, a dot and the body.

    at: seconds since 1970, the header X-TTM-Timestamp; a receiver refuses old ones, so that no call can be played again.
    """
    return "sha256=" + hmac.new(key.encode(), str(at).encode() + b"." + content, hashlib.sha256).hexdigest()


def post(address: str, content: bytes, headers: Mapping[str, str], *, private: bool) -> Answer:
    """Post a JSON body. private: the address may lead into our own network. Raises HookError."""
    parts = urlsplit(address)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=TIMEOUT_S, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    try:
        connection.connect()
        peer = ipaddress.ip_address(connection.sock.getpeername()[0].partition("%")[0])
        if not private and not _is_public(peer):
            raise HookError(f"{host} is {peer}, which is not an address of the public internet")
        usual = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "ttm"}
        connection.request("POST", target, body=content, headers=usual | dict(headers))
        response = connection.getresponse()
        return Answer(response.status, clean(response.read(ANSWER_LIMIT_BYTES).decode("utf-8", "replace"), 200))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise HookError(f"{host} could not be called: {error}") from error
    finally:
        connection.close()


def call_hooks(store: Store, settings: Settings, now: Clock, *, stop: threading.Event | None = None) -> int:
    """Plan the calls that are due and make them; returns how many were taken. For the holder of the outbox's lease."""
    at = stamp(now())
    with store.write() as transaction:
        transaction.do(RECOVER, at=at)
        for row in transaction.rows(TOO_OLD, before=stamp(now() - GIVE_UP_AFTER)):
            _settle(transaction, row["id"], "given_up", row["last_error"])
    with store.read() as transaction:
        due = [row["watch_id"] for row in transaction.rows(DUE_WATCHES, now=at)]
    for watch_id in due:
        _plan(store, settings, watch_id, now())
    with store.read() as transaction:
        ready = [row["id"] for row in transaction.rows(READY, now=at, limit=CALLS_AT_ONCE)]
    taken = 0
    for call_id in ready:
        if stop is not None and stop.is_set():
            break
        taken += _call(store, settings, call_id, now)
    return taken


def _plan(store: Store, settings: Settings, watch_id: str, now: datetime) -> None:
    with store.write() as transaction:
        row = transaction.row("SELECT * FROM watch WHERE id = :id AND ended_at IS NULL", id=watch_id)
        due = transaction.rows(DUE, watch=watch_id, now=stamp(now), limit=ITEMS_MAX)
        if row is None or not due:
            return
        watch = Watch.of(row)
        occasion = f"call:{due[0]['id']}"
        content = orjson.dumps(_body(transaction, settings, watch, due, occasion, now))
        call_id = transaction.value(
            ADD_CALL, watch=watch_id, occasion=occasion, address=due[0]["recipient"], content=content, at=stamp(now)
        )
        for start in range(0, len(due), BATCH):
            ids = [delivery["id"] for delivery in due[start : start + BATCH]]
            transaction.do(TAKE, call=call_id, ids=ids)


def _body(
    transaction: Transaction,
    settings: Settings,
    watch: Watch,
    due: Sequence[Mapping[str, Any]],
    occasion: str,
    now: datetime,
) -> dict[str, Any]:
    ids = list({row["record_id"] for row in due})
    records: dict[str, Record] = {}
    for start in range(0, len(ids), BATCH):
        rows = transaction.rows("SELECT id, payload FROM record WHERE id IN :ids", ids=ids[start : start + BATCH])
        records |= {row["id"]: decode(row["payload"]) for row in rows}
    return {
        "id": f"{watch.id}:{occasion}",
        "at": stamp(now),
        "practice": settings.demo,
        "watch": {"id": watch.id, "title": watch.title, "query": watch.query},
        "deliveries": [
            {
                "record": row["record_id"],
                "version": row["version"],
                "action": row["action"],
                "about": row["about"],
                "late": bool(row["late"]),
                "title": records[row["record_id"]].title(watch.language),
                "kind": records[row["record_id"]].kind.value,
                "published": str(records[row["record_id"]].published or ""),
                "url": record_url(settings.web.base_url, row["record_id"]),
                "reasons": [
                    {"clause": reason.clause, "field": reason.field, "words": list(reason.words)}
                    for reason in read_reasons(row["reasons"])
                ],
            }
            for row in due
        ],
    }


def _call(store: Store, settings: Settings, call_id: int, now: Clock) -> bool:
    """Make one call: what is about to happen is committed before, what happened after."""
    with store.write() as transaction:
        call = transaction.row(CLAIM, id=call_id)
    if call is None:
        return False
    content, seconds = bytes(call["content"]), int(now().timestamp())
    key = hook_key(secret(settings), call["watch_id"])
    headers = {
        "X-TTM-Delivery": f"{call['watch_id']}:{call['occasion']}",
        "X-TTM-Timestamp": str(seconds),
        "X-TTM-Signature": signature(key, seconds, content),
    }
    try:
        answer = post(call["address"], content, headers, private=settings.alerts.private_hooks)
    except HookError as error:
        answer = Answer(0, str(error)[:300])
    at = now()
    with store.write() as transaction:
        if 200 <= answer.status < 300:
            transaction.do(SENT, id=call_id, at=stamp(at))
            transaction.do(SETTLE, id=call_id, state="sent")
            return True
        words = f"{answer.status}: {answer.words}" if answer.status else answer.words
        if 300 <= answer.status < 500 and answer.status not in AGAIN_LATER:
            log.error("alerts: the call of watch %s was refused: %s", call["watch_id"], words)
            _settle(transaction, call_id, "failed", words)
        else:
            pause = min(RETRY_FIRST * (1 << min(call["attempts"] - 1, 10)), RETRY_LAST)
            transaction.do(AGAIN, id=call_id, at=stamp(at + pause), words=words)
    return False


def _settle(transaction: Transaction, call_id: int, state: str, words: str) -> None:
    transaction.do(
        "UPDATE call SET state = :state, last_error = :words WHERE id = :id", id=call_id, state=state, words=words
    )
    transaction.do(SETTLE, id=call_id, state=state)


def _is_public(peer: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(peer, ipaddress.IPv6Address) and peer.ipv4_mapped is not None:
        return peer.ipv4_mapped.is_global
    return peer.is_global and not peer.is_multicast


DUE_WATCHES = f"""
    SELECT DISTINCT delivery.watch_id FROM delivery JOIN watch ON watch.id = delivery.watch_id
    WHERE delivery.state = 'due' AND delivery.channel = '{HOOK}' AND delivery.due_at <= :now AND watch.ended_at IS NULL
"""

DUE = f"""
    SELECT id, record_id, version, recipient, action, about, late, reasons FROM delivery
    WHERE watch_id = :watch AND state = 'due' AND channel = '{HOOK}' AND due_at <= :now ORDER BY id LIMIT :limit
"""

ADD_CALL = """
    INSERT INTO call (watch_id, occasion, address, content, state, next_at, created_at)
    VALUES (:watch, :occasion, :address, :content, 'planned', :at, :at) RETURNING id
"""

TAKE = "UPDATE delivery SET state = 'planned', call_id = :call WHERE id IN :ids AND state = 'due'"

READY = "SELECT id FROM call WHERE state = 'planned' AND next_at <= :now ORDER BY id LIMIT :limit"

CLAIM = """
    UPDATE call SET state = 'sending', attempts = attempts + 1 WHERE id = :id AND state = 'planned'
    RETURNING watch_id, occasion, address, content, attempts
"""

SENT = "UPDATE call SET state = 'sent', sent_at = :at, last_error = '' WHERE id = :id"

AGAIN = "UPDATE call SET state = 'planned', next_at = :at, last_error = :words WHERE id = :id"

SETTLE = "UPDATE delivery SET state = :state WHERE call_id = :id AND state = 'planned'"

RECOVER = """
    UPDATE call SET state = 'planned', next_at = :at, last_error = 'the caller ended before it was answered'
    WHERE state = 'sending'
"""

TOO_OLD = "SELECT id, last_error FROM call WHERE state = 'planned' AND created_at < :before ORDER BY id"
