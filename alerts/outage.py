"""Outage: one word to the operator, by the channel that is no mail, when the mail server cannot be used for a while."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from alerts.canary import tell_operator
from library.settings import Settings
from library.store.store import Store

log = logging.getLogger(__name__)

BEGAN, TOLD = "mail_outage", "mail_outage_told"  # positions: the second since 1970 at which an outage began, 0 for none


def watch_server(store: Store, settings: Settings, problem: str, now: datetime) -> bool:
    """Note how a pass found the mail server; True where the operator was told just now.

    problem: why it could not be used, '' if nothing is wrong. An outage is told of once it lasts longer than a canary
    may take, and once only, however often the outbox is started meanwhile. The note is made after the telling: a process
    that dies between the two tells twice, and none is silent.
    """
    began = store.position(BEGAN)
    if not problem:
        if began:
            log.info("outbox: the mail server is back after %.0f minutes", (now.timestamp() - began) / 60)
            _note(store, BEGAN, 0, now)
        return False
    if not began:
        _note(store, BEGAN, int(now.timestamp()), now)
        return False
    is_long = now.timestamp() - began > settings.canary.within_s
    if not is_long or store.position(TOLD) == began:
        return False
    canary = settings.canary
    taken = tell_operator(canary, sentence_of(datetime.fromtimestamp(began, UTC), problem), at=now)
    if taken or not (canary.hook or canary.command):  # a channel that did not work is tried again by the next pass
        _note(store, TOLD, began, now)
    return bool(taken)


def sentence_of(began: datetime, problem: str) -> str:
    """What the second channel says.

    >>> print(sentence_of(datetime(2026, 3, 1, 2, 30, tzinfo=UTC), "no route to host"))
    [ttm] 邮件服务器自 2026-03-01 02:30 UTC 起不可用，邮件在排队等候：no route to host Mail has been waiting since \
2026-03-01 02:30 UTC because the mail server cannot be used: no route to host
    """
    since = f"{began:%Y-%m-%d %H:%M} UTC"
    return (
        f"[ttm] 邮件服务器自 {since} 起不可用，邮件在排队等候：{problem} "
        f"Mail has been waiting since {since} because the mail server cannot be used: {problem}"
    )


def _note(store: Store, name: str, second: int, at: datetime) -> None:
    with store.write() as transaction:
        store.set_position(transaction, name, second, at=at)
