"""Which record cites which: a follower that keeps every reference a record carries or mentions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from library.record import Record
from library.store.store import Change, Store
from library.vocabulary.references import canonical, find_references, ladder

# Numbers of goods and substances are references to search for, but no documents to link to.
NO_DOCUMENTS = frozenset({"hs", "ics", "cas", "gtin"})


def own_references(record: Record) -> list[str]:
    """The references a record goes by, wider forms included: who cites GB/T 1.1 means GB/T 1.1-2020 too."""
    found: dict[str, None] = {}
    for printed in (*record.references, record.key):
        reference = canonical(printed)
        found |= dict.fromkeys((reference, *ladder(reference)) if reference else ())
    return list(found)


def cited_references(record: Record) -> list[str]:
    """The documents a record mentions, in the order of its text, its own numbers left out."""
    own = set(own_references(record))
    found: dict[str, None] = {}
    for text in _texts(record):
        for reference in find_references(text):
            if reference.kind not in NO_DOCUMENTS and reference.canonical not in own:
                found[reference.canonical] = None
    return list(found)


def _texts(record: Record) -> Iterator[str]:
    yield from (text.value for text in (*record.titles, *record.texts))
    yield from record.cites


class LinkFollower:
    """Keeps the reference table equal to the records; the position is kept in the same transaction."""

    name = "links"

    def __init__(self, store: Store, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store, self._now = store, now

    def position(self) -> int:
        return self._store.position(self.name)

    def handle(self, changes: Sequence[Change]) -> None:
        if not changes:
            return
        records = self._store.get_many(_ids(changes))
        links = [(record.id, own_references(record), cited_references(record)) for record in records]
        with self._store.write() as transaction:
            for record_id, own, cited in links:
                self._store.replace_links(transaction, record_id, own=own, cited=cited)
            self._store.set_position(transaction, self.name, changes[-1].seq, at=self._now())


def _ids(changes: Iterable[Change]) -> list[str]:
    return list(dict.fromkeys(change.record_id for change in changes))
