"""The search index as a follower of the change log, and its rebuilding beside itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from indexer.engines.base import Engine
from indexer.entry import Entry, entry_of
from library.record import Record
from library.store.store import Change, Store

BATCH = 500  # records held in memory at once


class IndexFollower:
    """Keeps the index equal to the store; the engine commits the position together with the entries."""

    name = "index"

    def __init__(self, engine: Engine, store: Store) -> None:
        self._engine, self._store = engine, store

    def position(self) -> int:
        return self._engine.position()

    def handle(self, changes: Sequence[Change]) -> None:
        """Write the newest version of every changed record; which version a change speaks of does not matter."""
        if not changes:
            return
        position = changes[-1].seq
        ids = list(dict.fromkeys(change.record_id for change in changes))
        records = self._store.get_many(ids)
        if gone := set(ids) - {record.id for record in records}:
            # first, and with the position before the batch: a crash in between repeats it
            self._engine.remove(sorted(gone), changes[0].seq - 1)
        self._engine.write(_entries(self._store, records), position)


def _entries(store: Store, records: Sequence[Record]) -> Iterator[Entry]:
    first_seen = store.first_seen_of([record.id for record in records])
    return (entry_of(record, at.date() if (at := first_seen.get(record.id)) else None) for record in records)


def rebuild(store: Store, engine: Engine, progress: Callable[[int], None] = lambda done: None) -> int:
    """Build the index anew beside the one that is searched, catch up with the store, and swap; returns the entries.

    progress: called with the number of records written so far. Raises EngineBusyError while another rebuild runs.
    An interrupted rebuild leaves a folder that the next one sweeps.
    """
    successor = engine.successor()
    try:
        position = store.head()  # what changes after this is in the log, and is written again
        last_id = ""
        done = 0
        while records := store.all_records(last_id, BATCH):
            successor.write(_entries(store, records), position)
            last_id = records[-1].id
            done += len(records)
            progress(done)
        if done == 0:
            successor.write((), position)
        follower = IndexFollower(successor, store)
        while changes := store.changes(successor.position(), BATCH):
            follower.handle(changes)
        position = successor.position()
        engine.promote(successor)
    finally:
        successor.close()
    # between that last look at the log and the swap, a follower may have gone on in the index that was replaced
    follower = IndexFollower(engine, store)
    while changes := store.changes(position, BATCH):
        follower.handle(changes)
        position = changes[-1].seq
    return done
