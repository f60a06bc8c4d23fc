"""follow(): feeds the change log to a follower from where it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from library.store.store import Change, Store

BATCH = 500


class Follower(Protocol):
    """Whoever acts on changes. `handle` is idempotent and keeps the position together with its effect."""

    name: str

    def position(self) -> int:
        """The number of the last change that was handled."""
        ...

    def handle(self, changes: Sequence[Change]) -> None:
        """Act on changes, in order, all or nothing."""
        ...


def follow(store: Store, follower: Follower, *, batch: int = BATCH) -> int:
    """Feed a follower until it has seen the whole log; returns how many changes it handled."""
    handled = 0
    while changes := store.changes(follower.position(), batch):
        follower.handle(changes)
        handled += len(changes)
    return handled
