"""Web hooks: what a watch finds is posted to its web address, signed, or told to the robot of a group chat.

A call is kept as a mail is: its body is frozen before the socket opens, it is in state 'sending' before its first byte
leaves, and one that was cut off is made again with the same id. Redirects are not followed, and an address that leads into
our own network is refused, seen from the connection that was made and not from a name that may change. A program is
called at once; people in a chat are told when the watch's cadence and quiet time say, and no more often than it takes.
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
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson

from alerts.coverage import coverage, coverage_lines, fresh_since
from alerts.deadlines import read_about
from alerts.differences import amendments, difference_lines
from alerts.letter import kind_place, record_url, subject_of, subject_of_nothing
from alerts.matching import HOOK, after_quiet, due_at, last_slot
from alerts.reasons import read_reasons
from alerts.robots import AGAIN_LATER, Digest, Line, Robot, message, robot_of, signed, too_soon, verdict
from alerts.tokens import digest_token, hook_key, secret
from alerts.watches import Cadence, Watch
from alerts.wording import FIELDS, clean, generated_line, reason_line, sentence
from library.record import Record, decode
from library.settings import Settings
from library.source import Source
from library.store.database import Transaction
from library.store.store import BATCH, Store
from library.times import instant, stamp

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
CALLS_AT_ONCE = 50  # in one pass; mail waits no longer than these take
ITEMS_MAX = 500  # in one call
ROBOT_ITEMS = 10_000  # counted in one message
CHANGES_NAMED = 5  # of one amended record in a chat
ROBOT_NAMED = 120  # more of them fit no message
ANSWER_LIMIT_BYTES = 4096
RETRY_FIRST, RETRY_LAST = timedelta(minutes=1), timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=5)
SLOT_MAX = timedelta(days=8)  # from when something is found to when a chat is told: a week, and a quiet time after it

Clock = Callable[[], datetime]


class HookError(OSError):
    """A call that was not made, or not answered."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. status: the HTTP status, 0 for none; words: the begin of the body, on one line; body: its begin."""

    status: int
    words: str
    body: bytes = b""


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
        body = response.read(ANSWER_LIMIT_BYTES)
        return Answer(response.status, clean(body.decode("utf-8", "replace"), 200), body)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise HookError(f"{host} could not be called: {error}") from error
    finally:
        connection.close()


def call_hooks(
    store: Store,
    settings: Settings,
    now: Clock,
    *,
    sources: Mapping[str, Source] | None = None,
    stop: threading.Event | None = None,
) -> int:
    """Plan the calls that are due and make them; returns how many were taken. For the holder of the outbox's lease.

    sources: for the receipt in the digests of chats, and for those that say that nothing was found.
    """
    at = stamp(now())
    with store.write() as transaction:
        transaction.do(RECOVER, at=at)
        for row in transaction.rows(TOO_OLD, before=stamp(now() - GIVE_UP_AFTER)):
            _settle(transaction, row["id"], "given_up", row["last_error"])
    with store.read() as transaction:
        due = [row["watch_id"] for row in transaction.rows(DUE_WATCHES, now=at)]
    for watch_id in due:
        _plan(store, settings, sources or {}, watch_id, now())
    if sources:
        _plan_nothing(store, settings, sources, now())
    with store.read() as transaction:
        ready = [row["id"] for row in transaction.rows(READY, now=at, limit=CALLS_AT_ONCE)]
    taken = 0
    for call_id in ready:
        if stop is not None and stop.is_set():
            break
        taken += _call(store, settings, call_id, now)
    return taken


def _plan(store: Store, settings: Settings, sources: Mapping[str, Source], watch_id: str, now: datetime) -> None:
    with store.read() as transaction:
        row = transaction.row("SELECT * FROM watch WHERE id = :id AND ended_at IS NULL", id=watch_id)
        first = transaction.rows(DUE, watch=watch_id, now=stamp(now), limit=1)
    if row is None or not first:
        return
    watch, address = Watch.of(row), first[0]["recipient"]
    robot = robot_of(address, settings.alerts)
    if robot and due_at(watch, instant(first[0]["created_at"])) > now:
        return
    receipt: list[str] = []
    if robot and sources and watch.cadence is not Cadence.IMMEDIATE:
        begun = _last_told(store, watch, before=now)
        looked = coverage(store, sources, since=fresh_since(watch, now), covers=(begun, now))
        receipt = coverage_lines(looked, watch.language, watch.zone)
    with store.write() as transaction:
        due = [
            delivery
            for delivery in transaction.rows(
                DUE, watch=watch_id, now=stamp(now), limit=ROBOT_ITEMS if robot else ITEMS_MAX
            )
            if delivery["recipient"] == address
            and (robot is None or due_at(watch, instant(delivery["created_at"])) <= now)
        ]
        if not due:
            return
        occasion = f"call:{due[0]['id']}"
        if robot:
            digest = _digest(transaction, settings, watch, due, occasion)
            content = message(robot, replace(digest, receipt=receipt))
        else:
            content = orjson.dumps(_body(transaction, settings, watch, due, occasion, now))
        call_id = transaction.value(
            ADD_CALL, watch=watch_id, occasion=occasion, address=address, content=content, at=stamp(now)
        )
        for start in range(0, len(due), BATCH):
            ids = [delivery["id"] for delivery in due[start : start + BATCH]]
            transaction.do(TAKE, call=call_id, ids=ids)


def _plan_nothing(store: Store, settings: Settings, sources: Mapping[str, Source], now: datetime) -> None:
    """Make the messages to chats that want to hear that nothing was found, for the slot that passed last.

    A watch that mails its reader too says it in the mail.
    """
    with store.read() as transaction:
        watches = [Watch.of(row) for row in transaction.rows(WANT_NOTHING_TOO)]
    for watch in watches:
        robot = robot_of(watch.hook, settings.alerts)
        slot = last_slot(watch, now)
        due, before = after_quiet(watch, slot), last_slot(watch, slot - timedelta(seconds=1))
        if robot is None or due > now or watch.confirmed_at is None or watch.confirmed_at > before:
            continue
        occasion = f"nothing:{stamp(due)}"
        begun = _last_told(store, watch, before=due)
        with store.read() as transaction:
            if transaction.value(HAS_CALL, watch=watch.id, occasion=occasion):
                continue
            found = transaction.rows(FOUND, watch=watch.id, since=stamp(begun - SLOT_MAX), until=stamp(due))
        if any(begun < due_at(watch, instant(row["created_at"])) <= due for row in found):
            continue
        looked = coverage(store, sources, since=fresh_since(watch, due), covers=(begun, due))
        digest = Digest(
            language=watch.language,
            subject=subject_of_nothing([watch], looked),
            intro=sentence(watch.language, "practice" if settings.demo else "nothing"),
            items=(),
            count=0,
            list_url="",
            receipt=coverage_lines(looked, watch.language, watch.zone),
        )
        with store.write() as transaction:
            transaction.do(
                ADD_CALL,
                watch=watch.id,
                occasion=occasion,
                address=watch.hook,
                content=message(robot, digest),
                at=stamp(now),
            )


def _last_told(store: Store, watch: Watch, *, before: datetime) -> datetime:
    """When the last message to a watch's chat was made that was not refused; when the watch began, where there is none."""
    with store.read() as transaction:
        made = transaction.value(LAST_MADE, watch=watch.id, before=stamp(before))
    return instant(made) if made else watch.confirmed_at or watch.created_at


def _body(
    transaction: Transaction,
    settings: Settings,
    watch: Watch,
    due: Sequence[Mapping[str, Any]],
    occasion: str,
    now: datetime,
) -> dict[str, Any]:
    records = _records(transaction, list({row["record_id"] for row in due}))
    changes = amendments(transaction, [row["id"] for row in due])
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
                "changes": [change.as_json() for change in changes.get(row["id"], ())],
            }
            for row in due
        ],
    }


def _records(transaction: Transaction, ids: Sequence[str]) -> dict[str, Record]:
    records: dict[str, Record] = {}
    for start in range(0, len(ids), BATCH):
        rows = transaction.rows("SELECT id, payload FROM record WHERE id IN :ids", ids=ids[start : start + BATCH])
        records |= {row["id"]: decode(row["payload"]) for row in rows}
    return records


def _digest(
    transaction: Transaction,
    settings: Settings,
    watch: Watch,
    due: Sequence[Mapping[str, Any]],
    occasion: str,
) -> Digest:
    """What a chat is told: one item per record, the recalls before the rules, else in the order they became due."""
    by_record = {row["record_id"]: row for row in reversed(due)}
    ids = dangers_first(transaction, list(dict.fromkeys(row["record_id"] for row in due)))
    records = _records(transaction, ids[:ROBOT_NAMED])
    language, base_url = watch.language, settings.web.base_url
    items = []
    for record_id in ids[:ROBOT_NAMED]:
        record, row = records[record_id], by_record[record_id]
        title = clean(record.title(language), 200) or sentence(language, "unread_title")
        why = reason_line(read_reasons(row["reasons"]), language)
        said = [generated_line(record, language)]
        if row["action"] == "amended":
            before = transaction.value(PAYLOAD_OF_VERSION, id=record_id, version=row["version"] - 1)
            said += difference_lines(decode(before), record, language)[:CHANGES_NAMED] if before else []
        said += [_day(one["about"], language) for one in due if one["record_id"] == record_id and one["about"]]
        if why:
            said.append(sentence(language, "why") + sentence(language, "colon") + why)
        if row["late"]:
            said.append(sentence(language, "late"))
        items.append(
            Line(f"[{sentence(language, row['action'])}] {title}", record_url(base_url, record_id), tuple(said))
        )
    token = digest_token(secret(settings), f"call:{watch.id}:{occasion}")
    return Digest(
        language=language,
        subject=subject_of([(by_record[one]["action"], records[one]) for one in ids[:ROBOT_NAMED]], len(ids), [watch]),
        intro=sentence(language, "practice") if settings.demo else sentence(language, watch.cadence),
        items=items,
        count=len(ids),
        list_url=f"{base_url.rstrip('/')}/digest?token={token}",
    )


def dangers_first(transaction: Transaction, ids: Sequence[str]) -> list[str]:
    """Records by kind, as a mail has the kinds, else in their order: for what can name the first ones alone."""
    kinds: dict[str, str] = {}
    for start in range(0, len(ids), BATCH):
        rows = transaction.rows("SELECT id, kind FROM record WHERE id IN :ids", ids=ids[start : start + BATCH])
        kinds |= {row["id"]: row["kind"] for row in rows}
    return sorted(ids, key=lambda record_id: kind_place(kinds[record_id]))


def _day(about: str, language: str) -> str:
    field, day = read_about(about)
    return FIELDS[language][field] + sentence(language, "colon") + day.isoformat()


def last_call(store: Store, watch_id: str) -> Mapping[str, Any] | None:
    """The newest call of a watch to the address it has now: state, sent_at, last_error; None where there was none."""
    with store.read() as transaction:
        return transaction.row(LAST_CALL, id=watch_id)


def _call(store: Store, settings: Settings, call_id: int, now: Clock) -> bool:
    """Make one call: what is about to happen is committed before, what happened after."""
    with store.write() as transaction:
        waiting = transaction.row("SELECT address FROM call WHERE id = :id", id=call_id)
        robot = robot_of(waiting["address"], settings.alerts) if waiting else None
        if waiting and robot and _is_too_soon(transaction, robot, waiting["address"], now()):
            return False  # it stays planned, and one of the next passes makes it
        call = transaction.row(CLAIM, id=call_id)
        own = transaction.value("SELECT hook_secret FROM watch WHERE id = :id", id=call["watch_id"]) if call else ""
    if call is None:
        return False
    address, content, seconds = call["address"], bytes(call["content"]), int(now().timestamp())
    headers = {}
    if robot:
        address, content = signed(robot, address, content, own or "", at_s=seconds)
    else:
        key = own or hook_key(secret(settings), call["watch_id"])
        headers = {
            "X-TTM-Delivery": f"{call['watch_id']}:{call['occasion']}",
            "X-TTM-Timestamp": str(seconds),
            "X-TTM-Signature": signature(key, seconds, content),
        }
    try:
        answer = post(address, content, headers, private=settings.alerts.private_hooks)
    except HookError as error:
        answer = Answer(0, str(error)[:300])
    is_taken, is_final, words = _meant(robot, answer)
    at = now()
    with store.write() as transaction:
        if is_taken:
            transaction.do(SENT, id=call_id, at=stamp(at))
            transaction.do(SETTLE, id=call_id, state="sent")
            return True
        if is_final:
            log.error("alerts: the call of watch %s was refused: %s", call["watch_id"], words)
            _settle(transaction, call_id, "failed", words)
        else:
            pause = min(RETRY_FIRST * (1 << min(call["attempts"] - 1, 10)), RETRY_LAST)
            transaction.do(AGAIN, id=call_id, at=stamp(at + pause), words=words)
    return False


def _meant(robot: Robot | None, answer: Answer) -> tuple[bool, bool, str]:
    """Whether a call was taken, whether its refusal is final, and in what words."""
    if robot and answer.status:
        found = verdict(robot, answer.status, answer.body)
        return found.is_taken, found.is_final, found.words
    words = f"{answer.status}: {answer.words}" if answer.status else answer.words
    return 200 <= answer.status < 300, 300 <= answer.status < 500 and answer.status not in AGAIN_LATER, words


def _is_too_soon(transaction: Transaction, robot: Robot, address: str, at: datetime) -> bool:
    return too_soon(
        robot,
        lambda span: int(transaction.value(SENT_WITHIN, address=address, since=stamp(at - span))),
    )


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
    SELECT id, record_id, version, recipient, action, about, late, reasons, created_at FROM delivery
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

WANT_NOTHING_TOO = """
    SELECT * FROM watch
    WHERE nothing_too = 1 AND by_mail = 0 AND hook <> '' AND cadence <> 'immediate' AND ended_at IS NULL
      AND confirmed_at IS NOT NULL
    ORDER BY created_at, id
"""

HAS_CALL = "SELECT 1 FROM call WHERE watch_id = :watch AND occasion = :occasion"

FOUND = f"""
    SELECT DISTINCT created_at FROM delivery
    WHERE watch_id = :watch AND channel = '{HOOK}' AND created_at >= :since AND created_at <= :until
      AND state <> 'cancelled'
"""

LAST_MADE = """
    SELECT max(created_at) FROM call
    WHERE watch_id = :watch AND created_at < :before AND state NOT IN ('failed', 'given_up', 'cancelled')
"""

LAST_CALL = """
    SELECT call.state, call.sent_at, call.last_error FROM call JOIN watch ON watch.id = call.watch_id
    WHERE watch.id = :id AND call.address = watch.hook ORDER BY call.id DESC LIMIT 1
"""

PAYLOAD_OF_VERSION = "SELECT payload FROM version WHERE record_id = :id AND version = :version"

SENT_WITHIN = "SELECT count(*) FROM call WHERE address = :address AND sent_at > :since"

SENT = "UPDATE call SET state = 'sent', sent_at = :at, last_error = '' WHERE id = :id"

AGAIN = "UPDATE call SET state = 'planned', next_at = :at, last_error = :words WHERE id = :id"

SETTLE = "UPDATE delivery SET state = :state WHERE call_id = :id AND state = 'planned'"

RECOVER = """
    UPDATE call SET state = 'planned', next_at = :at, last_error = 'the caller ended before it was answered'
    WHERE state = 'sending'
"""

TOO_OLD = "SELECT id, last_error FROM call WHERE state = 'planned' AND created_at < :before ORDER BY id"
