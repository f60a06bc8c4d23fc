"""The outbox: deliveries become mails, mails are sent, and what happened to each is written down first and last.

A delivery is due, planned (it stands in a mail), and then what its mail is. A mail is planned (its bytes are frozen),
sending (committed before its first byte leaves), and then sent, failed, given_up or cancelled, or planned again. A mail
found in 'sending' by somebody who holds the lease was cut off: nobody knows whether it arrived, so it goes out again
with the same Message-ID, and in_doubt counts it.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from secrets import token_hex
from typing import Any
from zoneinfo import ZoneInfo

from alerts.consent import tend_watches
from alerts.coverage import Coverage, coverage, fresh_since, last_receipt
from alerts.deadlines import read_about
from alerts.hooks import call_hooks, dangers_first
from alerts.letter import FULL_ITEMS, LISTED_ITEMS, Item, Links, write_letter, write_nothing
from alerts.mail import Heard, MailServer, MailServerError, message_id, plan_letter
from alerts.matching import after_quiet, last_slot
from alerts.operator import report_runs
from alerts.outage import watch_server
from alerts.reasons import read_reasons
from alerts.sweep import last_sweep
from alerts.tokens import digest_token, mail_token, owner_token, secret, watch_token, watches_token
from alerts.watches import Cadence, Watch, active_watches
from indexer.query import QueryError, parse_query
from library.record import Record, decode
from library.settings import Settings
from library.source import Source
from library.store.database import Transaction
from library.store.store import BATCH, Store
from library.times import instant, stamp

log = logging.getLogger(__name__)

LEASE = "outbox"
RETRY_FIRST = timedelta(minutes=1)
RETRY_LAST = timedelta(hours=1)
NOTHING_WATCHES = 40  # in one mail; the address that ends them all fits one header
READER_MAILS_PER_HOUR = 30  # at once; what more is due in the hour waits and comes together
GIVE_UP_AFTER = timedelta(days=5)  # RFC 5321, 4.5.4.1: at least 4 to 5 days
SERVER_PAUSE_LAST_S = 10 * 60
IDLE_S = 5.0

Clock = Callable[[], datetime]


@dataclass(slots=True, kw_only=True)
class Counts:
    """What one pass did. called: web hooks that took their call; busy: another outbox holds the lease.

    problem: why the mail server could not be used.
    """

    planned: int = 0
    sent: int = 0
    later: int = 0
    failed: int = 0
    in_doubt: int = 0
    given_up: int = 0
    called: int = 0
    problem: str = ""
    busy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One row of the outbox."""

    id: int
    message_id: str
    recipient: str
    occasion: str
    subject: str
    state: str
    attempts: int
    in_doubt: int
    next_at: datetime
    created_at: datetime
    sent_at: datetime | None
    last_error: str
    items: int


def deliver_due(
    store: Store,
    settings: Settings,
    now: Clock,
    *,
    sources: Mapping[str, Source],
    wait: Callable[[float], object] = time.sleep,
    stop: threading.Event | None = None,
) -> Counts:
    """One pass: settle what was cut off, plan what is due, send what is planned. Does nothing while another one does.

    wait: called with seconds between two mails, so that no more than rate_per_minute go out.
    """
    counts, lease = Counts(), _Lease(store, settings)
    if not lease.take(now()):
        counts.busy = True
        return counts
    try:
        counts.in_doubt += _recover(store, now())
        counts.given_up += _give_up(store, now())
        counts.planned += tend_watches(store, settings, now())
        counts.planned += plan_mails(store, settings, now(), sources=sources)
        stop = stop or threading.Event()
        _send_planned(store, settings, now, counts, lease=lease, wait=wait, stop=stop)
        counts.called += call_hooks(store, settings, now, sources=sources, stop=stop)
    finally:
        lease.end()
    return counts


def run_outbox(
    store: Store,
    settings: Settings,
    now: Clock,
    *,
    sources: Mapping[str, Source],
    stop: threading.Event,
    before: Callable[[], object] = lambda: None,
    idle_s: float = IDLE_S,
) -> None:
    """Pass after pass until stopped. While the mail server cannot be used, the pauses grow from a minute to ten.

    before: called ahead of each pass, for those who match in the same process.
    """
    pause_s = RETRY_FIRST.total_seconds()
    while not stop.is_set():
        unusable = True
        try:
            before()
            report_runs(store, settings, now())
            counts = deliver_due(store, settings, now, sources=sources, wait=stop.wait, stop=stop)
            unusable = bool(counts.problem)
            if not counts.busy:
                watch_server(store, settings, counts.problem, now())
            if not counts.busy and any(asdict(counts).values()):
                log.info("outbox: %s", asdict(counts))
        except Exception:  # the loop outlives a bug, and the rows wait for the next pass
            log.exception("outbox: a pass ended early")
        stop.wait(pause_s if unusable else idle_s)
        pause_s = min(pause_s * 2, SERVER_PAUSE_LAST_S) if unusable else RETRY_FIRST.total_seconds()


def plan_mails(store: Store, settings: Settings, now: datetime, *, sources: Mapping[str, Source]) -> int:
    """Make one mail for each recipient of what is due now; daily ones are mails of their own. Returns how many."""
    with store.read() as transaction:
        groups = transaction.rows(DUE_GROUPS, now=stamp(now))
    planned = 0
    for group in groups:
        try:
            if group["cadence"] == Cadence.IMMEDIATE and _has_had_enough(store, group["recipient"], now):
                continue
            planned += _plan(store, settings, now, sources, recipient=group["recipient"], cadence=group["cadence"])
        except Exception:  # one record that cannot be written about must not hold up other readers; it stays due
            log.exception("outbox: no mail could be made for %s", group["recipient"])
    return planned + _plan_nothing(store, settings, now, sources)


def _has_had_enough(store: Store, recipient: str, now: datetime) -> bool:
    """Whether a reader had as many mails in the last hour as anybody should; what is due waits, and comes together."""
    with store.read() as transaction:
        since = stamp(now - timedelta(hours=1))
        return int(transaction.value(HOURLY_MAILS, recipient=recipient, since=since)) >= READER_MAILS_PER_HOUR


def _plan_nothing(store: Store, settings: Settings, now: datetime, sources: Mapping[str, Source]) -> int:
    """Make the digests of those who want to hear that nothing was found, for the slot that passed last."""
    with store.read() as transaction:
        watches = [Watch.of(row) for row in transaction.rows(WANT_NOTHING_TOO)]
    groups: dict[tuple[str, str, datetime], list[Watch]] = {}
    for watch in watches:
        slot = last_slot(watch, now)
        due, begun = after_quiet(watch, slot), last_slot(watch, slot - timedelta(seconds=1))
        if due <= now and watch.confirmed_at is not None and watch.confirmed_at <= begun:  # it was there all the time
            groups.setdefault((watch.recipient, watch.cadence, due), []).append(watch)
    planned = 0
    for (recipient, cadence, due), group in groups.items():
        occasion = f"nothing:{cadence}:{stamp(due)}"
        begun = last_receipt(store, recipient, cadence, before=due) or min(map(_begun, group))
        with store.read() as transaction:
            if transaction.value(HAS_MAIL, recipient=recipient, occasion=occasion):
                continue
            # whatever became due since the last receipt: after days of silence the last slot alone says too little
            ids = [watch.id for watch in group]
            told = {row["watch_id"] for row in transaction.rows(TOLD, ids=ids, after=stamp(begun), due=stamp(due))}
        quiet = [watch for watch in group if watch.id not in told]
        if not quiet:
            continue
        looked = coverage(store, sources, since=fresh_since(quiet[0], due), covers=(begun, due))
        with store.write() as transaction:
            for number, some in enumerate(_batches(quiet, NOTHING_WATCHES)):
                ids = [watch.id for watch in some]
                planned += 1
                plan_letter(
                    transaction,
                    write_nothing(some, links=_links(settings, ids, ""), coverage=looked, practice=settings.demo),
                    sender=settings.mail.sender,
                    recipient=recipient,
                    occasion=occasion if number == 0 else f"{occasion}:{number}",
                    at=now,
                )
    return planned


def _begun(watch: Watch) -> datetime:
    return watch.confirmed_at or watch.created_at


def _receipt(
    store: Store, sources: Mapping[str, Source], watches: Sequence[Watch], recipient: str, now: datetime
) -> Coverage:
    """What a digest says of the time since the reader's last one."""
    first = watches[0]
    begun = last_receipt(store, recipient, first.cadence, before=now) or min(map(_begun, watches))
    return coverage(store, sources, since=fresh_since(first, now), covers=(begun, now))


def _links(settings: Settings, watch_ids: Iterable[str], message: str) -> Links:
    """The addresses of a mail. message: its id; '' for one with no deliveries, whose one-click names the watches itself."""
    key, base_url = secret(settings), settings.web.base_url.rstrip("/")
    ids = list(watch_ids)
    token = mail_token(key, message) if message else watches_token(key, ids)
    return Links(
        base_url=base_url,
        end={watch_id: f"{base_url}/unsubscribe?token={watch_token(key, watch_id)}" for watch_id in ids},
        manage={watch_id: f"{base_url}/watch?token={owner_token(key, watch_id)}" for watch_id in ids},
        end_all=f"{base_url}/unsubscribe?token={token}",
        all_items=f"{base_url}/digest?token={digest_token(key, f'mail:{message}')}" if message else "",
    )


def list_mails(store: Store, *, limit: int = 100, state: str = "") -> list[Mail]:
    """The newest mails of the outbox, of one state or of all."""
    with store.read() as transaction:
        rows = transaction.rows(LIST_MAILS, state=state, limit=limit)
    return [
        Mail(
            id=row["id"],
            message_id=row["message_id"],
            recipient=row["recipient"],
            occasion=row["occasion"],
            subject=row["subject"],
            state=row["state"],
            attempts=row["attempts"],
            in_doubt=row["in_doubt"],
            next_at=instant(row["next_at"]),
            created_at=instant(row["created_at"]),
            sent_at=instant(row["sent_at"]) if row["sent_at"] else None,
            last_error=row["last_error"],
            items=row["items"],
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """One mail ('mail') or call ('call') that was asked for. was: its state before; why: '' where it goes out again."""

    kind: str
    id: int
    recipient: str
    was: str
    may_have_arrived: bool
    why: str


def retry(
    store: Store, *, now: datetime, mails: Sequence[int] = (), calls: Sequence[int] = (), since: datetime | None = None
) -> list[Retried]:
    """Let mails and calls that failed or were given up go out again, with their bytes and ids as they were.

    since: all of those made since, beside the ones named. Nothing else is touched: what was sent, waits or was cancelled
    stays as it is, and so does what only ended watches would be told. The five days of trying begin anew.
    """
    found = []
    with store.write() as transaction:
        for kind, ids in (("mail", mails), ("call", calls)):
            rows = {row["id"]: row for some in _batches(list(ids)) for row in transaction.rows(ASKED[kind], ids=some)}
            if since is not None:
                rows |= {row["id"]: row for row in transaction.rows(LOST_SINCE[kind], since=stamp(since))}
            found += [
                Retried(kind=kind, id=number, recipient="", was="", may_have_arrived=False, why="there is none")
                for number in ids
                if number not in rows
            ]
            for number, row in sorted(rows.items()):
                why = ""
                if row["state"] not in LOST:
                    why = f"it is {row['state']}"
                elif row["items"] and not row["wanted"]:
                    why = "its watches have ended"
                else:
                    transaction.do(BEGIN_ANEW[kind], id=number, at=stamp(now))
                    transaction.do(WAIT_AGAIN[kind], id=number)
                found.append(
                    Retried(
                        kind=kind,
                        id=number,
                        recipient=row["recipient"],
                        was=row["state"],
                        may_have_arrived=not why and bool(row["in_doubt"]),
                        why=why,
                    )
                )
    return found


def lost_calls(store: Store, *, limit: int = 20) -> list[Mapping[str, Any]]:
    """The newest calls that failed or were given up: id, watch_id, state, items, last_error."""
    with store.read() as transaction:
        return list(transaction.rows(LOST_CALLS, limit=limit))


def status(store: Store, now: datetime) -> dict[str, Any]:
    """How the outbox stands: watches, deliveries and mails by state, how often one was in doubt, how long one waits."""
    watches = active_watches(store)
    with store.read() as transaction:
        deliveries = transaction.rows("SELECT state, count(*) AS n FROM delivery GROUP BY state ORDER BY state")
        mails = transaction.rows("SELECT state, count(*) AS n FROM mail GROUP BY state ORDER BY state")
        calls = transaction.rows("SELECT state, count(*) AS n FROM call GROUP BY state ORDER BY state")
        in_doubt = transaction.value("SELECT coalesce(sum(in_doubt), 0) FROM mail")
        oldest = transaction.row(OLDEST_WAITING)
    swept = last_sweep(store)
    waited = (now - instant(oldest["created_at"])).total_seconds() if oldest else 0.0
    return {
        "watches": len(watches),
        "unreadable_watches": [watch.id for watch in watches if not _is_readable(watch.query)],
        "deliveries": {row["state"]: row["n"] for row in deliveries},
        "mails": {row["state"]: row["n"] for row in mails},
        "calls": {row["state"]: row["n"] for row in calls},
        "in_doubt": int(in_doubt),
        "oldest_waiting_s": waited,
        "last_error": oldest["last_error"] if oldest else "",
        "sweep": swept.as_json() if swept else None,
    }


def _is_readable(query: str) -> bool:
    """Whether a query saved once is one still; a code may have left the vocabulary since."""
    try:
        parse_query(query)
    except QueryError:
        return False
    return True


def _plan(
    store: Store, settings: Settings, now: datetime, sources: Mapping[str, Source], *, recipient: str, cadence: str
) -> int:
    with store.read() as transaction:
        due = transaction.rows(DUE, recipient=recipient, cadence=cadence, now=stamp(now))
        watches = _watches(transaction, [row["watch_id"] for row in due])
        items = _items(transaction, due, watches)
    if not due:
        return 0
    # A delivery stands in one mail for ever, so the first one names the mail.
    occasion = f"{cadence}:{due[0]['id']}"
    name = message_id(occasion, recipient, settings.mail.sender)
    first = next(iter(watches.values()))
    letter = write_letter(
        items,
        count=len({row["record_id"] for row in due}),
        cadence=cadence,
        links=_links(settings, watches, name),
        sources=sources,
        practice=settings.demo,
        today=now.astimezone(ZoneInfo(first.zone)).date(),
        coverage=None
        if cadence == Cadence.IMMEDIATE
        else _receipt(store, sources, list(watches.values()), recipient, now),
    )
    with store.write() as transaction:
        mail_id = plan_letter(
            transaction, letter, sender=settings.mail.sender, recipient=recipient, occasion=occasion, at=now
        )
        if mail_id is None:
            raise ValueError(f"there is a mail for {recipient} about {occasion}, and its deliveries are still due")
        taken = sum(
            transaction.do(TAKE_DELIVERIES, mail=mail_id, ids=list(ids)) for ids in _batches([row["id"] for row in due])
        )
        if taken != len(due):  # a watch was ended since; the rest is planned by the next pass
            raise _Changed(f"{len(due) - taken} deliveries to {recipient} are no longer due")
    return 1


class _Changed(Exception):
    """What was to be planned changed while the mail was written."""


def _watches(transaction: Transaction, ids: Sequence[str]) -> dict[str, Watch]:
    rows = [
        row
        for some in _batches(sorted(set(ids)))
        for row in transaction.rows("SELECT * FROM watch WHERE id IN :ids", ids=some)
    ]
    return {row["id"]: Watch.of(row) for row in sorted(rows, key=lambda row: (row["created_at"], row["id"]))}


def _items(transaction: Transaction, due: Sequence[Mapping[str, Any]], watches: Mapping[str, Watch]) -> list[Item]:
    """One item per record, in the order they became due, as many as a mail names; of more, the recalls rather than the rules.

    A record is told as it is known now: the page that names the hazard may have come since.
    """
    by_record: dict[str, list[Mapping[str, Any]]] = {}
    for row in due:
        by_record.setdefault(row["record_id"], []).append(row)
    named = {record_id: by_record[record_id] for record_id in _named(transaction, list(by_record))}
    payloads = {
        row["id"]: row["payload"]
        for ids in _batches(list(named))
        for row in transaction.rows("SELECT id, payload FROM record WHERE id IN :ids", ids=ids)
    }
    return [
        Item(
            record=decode(payloads[record_id]),
            action=max(rows, key=lambda row: row["version"])["action"],
            late=any(row["late"] for row in rows),
            reasons=list(
                {row["watch_id"]: (watches[row["watch_id"]], read_reasons(row["reasons"])) for row in rows}.values()
            ),
            before=_before(transaction, record_id, rows),
            days=sorted({read_about(row["about"]) for row in rows if row["about"]}),
        )
        for record_id, rows in named.items()
    ]


def _named(transaction: Transaction, ids: Sequence[str]) -> Sequence[str]:
    """The records a mail names, in their order."""
    most = FULL_ITEMS + LISTED_ITEMS
    if len(ids) <= most:
        return ids
    chosen = set(dangers_first(transaction, ids)[:most])
    return [record_id for record_id in ids if record_id in chosen]


def _before(transaction: Transaction, record_id: str, rows: Sequence[Mapping[str, Any]]) -> Record | None:
    """The record before the first of its amendments that a mail tells of; None where the mail calls it new."""
    if any(row["action"] == "added" for row in rows):
        return None
    amended = [row["version"] for row in rows if row["action"] == "amended"]
    if not amended:
        return None
    payload = transaction.value(PAYLOAD_OF_VERSION, id=record_id, version=min(amended) - 1)
    return decode(payload) if payload else None


def _send_planned(
    store: Store,
    settings: Settings,
    now: Clock,
    counts: Counts,
    *,
    lease: _Lease,
    wait: Callable[[float], object],
    stop: threading.Event,
) -> None:
    """Send what is planned and due, oldest first."""
    with store.read() as transaction:
        ids = [row["id"] for row in transaction.rows(READY, now=stamp(now()))]
    sender = parseaddr(settings.mail.sender)[1]
    between_s = 60 / settings.mail.rate_per_minute if settings.mail.rate_per_minute else 0.0
    with MailServer(settings.mail) as server:
        for number, mail_id in enumerate(ids):
            if number and between_s:
                wait(between_s)
            if stop.is_set() or not lease.take(now()):
                return
            try:
                server.open()
                _send(store, server, mail_id, sender, now, counts)
            except MailServerError as error:
                counts.problem = str(error)
                log.error("outbox: %s; %d mails wait", error, len(ids) - number)
                _note_problem(store, str(error), now())
                return


def _send(store: Store, server: MailServer, mail_id: int, sender: str, now: Clock, counts: Counts) -> None:
    """Send one mail: what is about to happen is committed before, what happened after."""
    with store.write() as transaction:
        mail = transaction.row(CLAIM, id=mail_id)
    if mail is None:  # cancelled since
        return
    try:
        answer = server.send(sender, mail["recipient"], bytes(mail["content"]))
    except MailServerError:
        with store.write() as transaction:
            transaction.do(UNCLAIM, id=mail_id)
        raise
    at = now()
    retry_at = stamp(at + retry_pause(mail["attempts"]))
    with store.write() as transaction:
        match answer.heard:
            case Heard.ACCEPTED:
                counts.sent += 1
                transaction.do(SENT, id=mail_id, at=stamp(at))
                transaction.do(SETTLE, id=mail_id, state="sent")
            case Heard.REFUSED:
                counts.failed += 1
                log.error("outbox: mail %d to %s was refused: %s", mail_id, mail["recipient"], answer.words)
                transaction.do(REFUSED, id=mail_id, words=answer.words)
                transaction.do(SETTLE, id=mail_id, state="failed")
            case Heard.LATER:
                counts.later += 1
                transaction.do(AGAIN, id=mail_id, at=retry_at, words=answer.words, doubt=0)
            case Heard.NOTHING:
                counts.in_doubt += 1
                transaction.do(AGAIN, id=mail_id, at=retry_at, words=answer.words, doubt=1)


def retry_pause(attempts: int) -> timedelta:
    """How long a mail rests after its n-th attempt: a minute, doubling to an hour.

    >>> [retry_pause(attempts).total_seconds() for attempts in (1, 2, 7, 100)]
    [60.0, 120.0, 3600.0, 3600.0]
    """
    return min(RETRY_FIRST * (1 << min(attempts - 1, 10)), RETRY_LAST)


def _recover(store: Store, at: datetime) -> int:
    """Mails that were cut off while being sent go out again, counted."""
    with store.write() as transaction:
        return transaction.do(RECOVER, at=stamp(at))


def _give_up(store: Store, at: datetime) -> int:
    with store.write() as transaction:
        rows = transaction.rows(TOO_OLD, before=stamp(at - GIVE_UP_AFTER))
        for row in rows:
            transaction.do("UPDATE mail SET state = 'given_up' WHERE id = :id", id=row["id"])
            transaction.do(SETTLE, id=row["id"], state="given_up")
            log.error("outbox: mail %d to %s is given up: %s", row["id"], row["recipient"], row["last_error"])
    return len(rows)


def _note_problem(store: Store, problem: str, at: datetime) -> None:
    with store.write() as transaction:
        transaction.do(NOTE_PROBLEM, words=problem, at=stamp(at))


def _batches(ids: Sequence[Any], size: int = BATCH) -> list[list[Any]]:
    return [list(ids[start : start + size]) for start in range(0, len(ids), size)]


class _Lease:
    """The right to send. It outlasts the slowest mail; that of a process that died on this machine is taken over."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._runs, self._store = store.runs, store
        self._owner = f"{socket.gethostname()} {os.getpid()} {token_hex(4)}"
        # Connecting, greeting, TLS, login, three commands and the answer to the text may each take the whole timeout.
        self._for_s = 60 + 12 * settings.mail.timeout_s

    def take(self, at: datetime) -> bool:
        """Take or renew it; False while another one holds it."""
        if self._runs.take_lease(LEASE, self._owner, for_s=self._for_s, at=at):
            return True
        with self._store.read() as transaction:
            holder = str(transaction.value("SELECT owner FROM lease WHERE name = :name", name=LEASE) or "")
        if not _is_dead(holder):
            return False
        self._runs.end_lease(LEASE, holder)
        return self._runs.take_lease(LEASE, self._owner, for_s=self._for_s, at=at)

    def end(self) -> None:
        """Give it back."""
        self._runs.end_lease(LEASE, self._owner)


def _is_dead(owner: str) -> bool:
    """Whether the process of a lease ran on this machine and is gone."""
    host, _, rest = owner.partition(" ")
    process = rest.partition(" ")[0]
    if host != socket.gethostname() or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # it lives and is somebody else's
        return False
    return False


DUE_GROUPS = """
    SELECT delivery.recipient, watch.cadence, min(delivery.id) AS first FROM delivery
    JOIN watch ON watch.id = delivery.watch_id
    WHERE delivery.state = 'due' AND delivery.channel = 'mail' AND delivery.due_at <= :now AND watch.ended_at IS NULL
    GROUP BY delivery.recipient, watch.cadence ORDER BY first
"""

DUE = """
    SELECT delivery.id, delivery.watch_id, delivery.record_id, delivery.version, delivery.action, delivery.about,
           delivery.late, delivery.reasons
    FROM delivery JOIN watch ON watch.id = delivery.watch_id
    WHERE delivery.state = 'due' AND delivery.channel = 'mail' AND delivery.due_at <= :now AND watch.ended_at IS NULL
      AND delivery.recipient = :recipient AND watch.cadence = :cadence
    ORDER BY delivery.id
"""

HOURLY_MAILS = """
    SELECT count(*) FROM mail WHERE recipient = :recipient AND created_at >= :since AND occasion LIKE 'immediate:%'
"""

WANT_NOTHING_TOO = """
    SELECT * FROM watch
    WHERE nothing_too = 1 AND by_mail = 1 AND cadence <> 'immediate' AND ended_at IS NULL AND confirmed_at IS NOT NULL
    ORDER BY created_at, id
"""

TOLD = """
    SELECT DISTINCT watch_id FROM delivery
    WHERE watch_id IN :ids AND due_at > :after AND due_at <= :due AND channel = 'mail' AND state <> 'cancelled'
"""

HAS_MAIL = "SELECT 1 FROM mail WHERE recipient = :recipient AND occasion = :occasion"

PAYLOAD_OF_VERSION = "SELECT payload FROM version WHERE record_id = :id AND version = :version"

TAKE_DELIVERIES = "UPDATE delivery SET state = 'planned', mail_id = :mail WHERE id IN :ids AND state = 'due'"

READY = "SELECT id FROM mail WHERE state = 'planned' AND next_at <= :now ORDER BY id"

CLAIM = """
    UPDATE mail SET state = 'sending', attempts = attempts + 1 WHERE id = :id AND state = 'planned'
    RETURNING recipient, content, attempts
"""

UNCLAIM = "UPDATE mail SET state = 'planned', attempts = attempts - 1 WHERE id = :id"

SENT = "UPDATE mail SET state = 'sent', sent_at = :at, last_error = '' WHERE id = :id"

REFUSED = "UPDATE mail SET state = 'failed', last_error = :words WHERE id = :id"

AGAIN = """
    UPDATE mail SET state = 'planned', next_at = :at, last_error = :words, in_doubt = in_doubt + :doubt WHERE id = :id
"""

SETTLE = "UPDATE delivery SET state = :state WHERE mail_id = :id AND state = 'planned'"

RECOVER = """
    UPDATE mail SET state = 'planned', next_at = :at, in_doubt = in_doubt + 1,
           last_error = 'the sender ended before the server answered'
    WHERE state = 'sending'
"""

TOO_OLD = "SELECT id, recipient, last_error FROM mail WHERE state = 'planned' AND created_at < :before ORDER BY id"

NOTE_PROBLEM = "UPDATE mail SET last_error = :words WHERE state = 'planned' AND next_at <= :at"

LIST_MAILS = """
    SELECT mail.*, (SELECT count(*) FROM delivery WHERE delivery.mail_id = mail.id) AS items FROM mail
    WHERE :state = '' OR state = :state ORDER BY id DESC LIMIT :limit
"""

LOST = ("failed", "given_up")

# wanted: for how many of its deliveries there is a watch that goes on
_TOLD = """
    (SELECT count(*) FROM delivery WHERE delivery.{kind}_id = {kind}.id) AS items,
    (SELECT count(*) FROM delivery JOIN watch ON watch.id = delivery.watch_id
     WHERE delivery.{kind}_id = {kind}.id AND watch.ended_at IS NULL) AS wanted
"""
_LOST_ROW = {
    "mail": "SELECT id, recipient, state, in_doubt, " + _TOLD.format(kind="mail") + " FROM mail",
    # a program knows a call by its id; whether a chat had it, nobody can tell
    "call": "SELECT id, watch_id AS recipient, state, 0 AS in_doubt, " + _TOLD.format(kind="call") + " FROM call",
}
ASKED = {kind: row + " WHERE id IN :ids" for kind, row in _LOST_ROW.items()}
LOST_SINCE = {
    kind: row + " WHERE state IN ('failed', 'given_up') AND created_at >= :since" for kind, row in _LOST_ROW.items()
}
BEGIN_ANEW = {
    kind: f"UPDATE {kind} SET state = 'planned', next_at = :at, created_at = :at, attempts = 0 WHERE id = :id"
    for kind in _LOST_ROW
}
WAIT_AGAIN = {
    kind: f"UPDATE delivery SET state = 'planned' WHERE {kind}_id = :id AND state IN ('failed', 'given_up')"
    for kind in _LOST_ROW
}

LOST_CALLS = """
    SELECT id, watch_id, state, last_error, (SELECT count(*) FROM delivery WHERE delivery.call_id = call.id) AS items
    FROM call WHERE state IN ('failed', 'given_up') ORDER BY id DESC LIMIT :limit
"""

OLDEST_WAITING = """
    SELECT created_at, last_error FROM mail WHERE state IN ('planned', 'sending') ORDER BY created_at LIMIT 1
"""
