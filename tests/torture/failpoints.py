"""Failpoints: make a process group kill itself at one exact step of a night. The product knows nothing of them."""

from __future__ import annotations

import os
import signal
import smtplib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import alerts.mail
import alerts.outbox
import crawlers.pipeline
import indexer.engines.tantivy
import library.store.pages
import library.store.store


def die() -> None:
    """Kill the own process group, as an operator's `kill -9` or the power would."""
    os.killpg(os.getpgrp(), signal.SIGKILL)
    time.sleep(60)  # the signal reaches this thread before it has slept


class Countdown:
    """Counts how often a step was reached, and says when it is the one to die at."""

    def __init__(self, count: int) -> None:
        self._left = count

    def is_over(self) -> bool:
        self._left -= 1
        return self._left == 0


def arm(point: str, count: int) -> None:
    """Die at the count-th time this process, or one forked from it, comes to a point."""
    POINTS[point](Countdown(count))


def _archive_torn(steps: Countdown) -> None:
    """Between the write and the fsync; what was not synced is lost but for a torn half of the last record."""
    _around_fsync(steps, before=True)


def _archive_synced(steps: Countdown) -> None:
    """Between the fsync and the page index."""
    _around_fsync(steps, before=False)


def _around_fsync(steps: Countdown, *, before: bool) -> None:
    fsync = os.fsync

    def dying(descriptor: int) -> None:
        name = os.readlink(f"/proc/self/fd/{descriptor}")
        is_over = name.endswith(".warc.gz") and steps.is_over()
        if is_over and before:
            os.truncate(name, Path(name).stat().st_size - 40)
            die()
        fsync(descriptor)
        if is_over:
            die()

    os.fsync = dying  # type: ignore[assignment]


def _archive_indexed(steps: Countdown) -> None:
    """The page is archived and indexed, and nobody has read it."""
    _after(library.store.pages.PageIndex, "add", steps)


def _put(steps: Countdown) -> None:
    """In the transaction that keeps a page's records."""
    _after(library.store.store.Store, "put_many", steps)


def _put_committed(steps: Countdown) -> None:
    """A page's records are kept, and what it leads to is not asked for."""
    _after(crawlers.pipeline, "keep_readings", steps)


def _absences(steps: Countdown) -> None:
    """Absences are noted, and the run has no verdict."""
    _after(library.store.store.Store, "note_absences", steps)


def _index(steps: Countdown) -> None:
    """Between the engine's last add and its commit."""
    writing = indexer.engines.tantivy.TantivyEngine._writing

    class Doomed:
        def __init__(self, writer: Any) -> None:
            self._writer = writer

        def __getattr__(self, name: str) -> Any:
            return getattr(self._writer, name)

        def commit(self) -> None:
            if steps.is_over():
                die()
            self._writer.commit()

    @contextmanager
    def doomed(engine: Any) -> Iterator[Any]:
        with writing(engine) as writer:
            yield Doomed(writer)

    indexer.engines.tantivy.TantivyEngine._writing = doomed  # type: ignore[method-assign, assignment]


def _links(steps: Countdown) -> None:
    """In the transaction that keeps the links."""
    _after(library.store.store.Store, "replace_links", steps)


def _match(steps: Countdown) -> None:
    """In the transaction that writes the deliveries, its position with it."""
    position = library.store.store.Store.set_position

    def dying(store: Any, transaction: Any, follower: str, number: int, **named: Any) -> None:
        position(store, transaction, follower, number, **named)
        if follower == "alerts" and steps.is_over():
            die()

    library.store.store.Store.set_position = dying  # type: ignore[method-assign, assignment]


def _plan(steps: Countdown) -> None:
    """In the transaction that freezes a mail."""
    _after(alerts.outbox, "plan_letter", steps)


def _claimed(steps: Countdown) -> None:
    """The mail is marked as being sent, and not a byte of it has left."""
    _before(alerts.mail.MailServer, "send", steps)


def _before_dot(steps: Countdown) -> None:
    """The whole text has left, its final dot has not."""
    _around_dot(steps, before=True)


def _after_dot(steps: Countdown) -> None:
    """The final dot has left, and nobody waits for the answer."""
    _around_dot(steps, before=False)


def _around_dot(steps: Countdown, *, before: bool) -> None:
    send = smtplib.SMTP.send

    def dying(client: Any, content: Any) -> None:
        is_over = content == b".\r\n" and steps.is_over()
        if is_over and before:
            die()
        send(client, content)
        if is_over:
            die()

    smtplib.SMTP.send = dying  # type: ignore[method-assign, assignment]


def _accepted(steps: Countdown) -> None:
    """The server has said that it keeps the mail, and that is not written down."""
    _after(alerts.mail.MailServer, "send", steps)


def _after(owner: Any, name: str, steps: Countdown) -> None:
    _wrap(owner, name, steps, dies_first=False)


def _before(owner: Any, name: str, steps: Countdown) -> None:
    _wrap(owner, name, steps, dies_first=True)


def _wrap(owner: Any, name: str, steps: Countdown, *, dies_first: bool) -> None:
    step = getattr(owner, name)

    def dying(*arguments: Any, **named: Any) -> Any:
        is_over = steps.is_over()
        if is_over and dies_first:
            die()
        result = step(*arguments, **named)
        if is_over:
            die()
        return result

    setattr(owner, name, dying)


POINTS: dict[str, Callable[[Countdown], None]] = {
    "archive: written, torn before the fsync": _archive_torn,
    "archive: synced, not in the page index": _archive_synced,
    "archive: indexed, not read": _archive_indexed,
    "put: in the transaction": _put,
    "put: committed": _put_committed,
    "put: absences noted": _absences,
    "index: added, not committed": _index,
    "index: links, in the transaction": _links,
    "match: in the transaction": _match,
    "send: mail frozen, not committed": _plan,
    "send: claimed": _claimed,
    "send: before the dot": _before_dot,
    "send: after the dot": _after_dot,
    "send: accepted, not written down": _accepted,
}
