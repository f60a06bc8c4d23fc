"""What a search engine owes. Every engine selects exactly what indexer.query.matches() selects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, Self

from indexer.entry import Entry
from indexer.query import ALL, Query

Sort = Literal["relevance", "newest", "oldest"]


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of an answer. hits: (id, score), best first; facets: field -> (value, count), most frequent first.

    is_estimated: there are so many hits that facets were counted in a sample of them; their counts are rounded to two
    digits, and values that are rare may be missing. is_total_estimated: the total was counted there as well.
    """

    total: int
    hits: tuple[tuple[str, float], ...]
    facets: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    is_estimated: bool = False
    is_total_estimated: bool = False

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(hit_id for hit_id, _ in self.hits)


class EngineBusyError(RuntimeError):
    """Somebody else builds or promotes an index in the same place."""


class EngineDownError(RuntimeError):
    """The engine does not answer, or not in full. Nothing is lost: the same call may be made again.

    str(): a sentence for whoever runs the machine. retry_at: when another try is worth while, UTC.
    """

    def __init__(self, sentence: str, retry_at: datetime) -> None:
        super().__init__(sentence)
        self.retry_at = retry_at


class Engine(Protocol):
    """An index that can be written, searched, and rebuilt beside itself."""

    def write(self, entries: Iterable[Entry], position: int) -> None:
        """Put entries in place of those with the same id, and the position of the follower with them: all or nothing."""
        ...

    def remove(self, ids: Iterable[str], position: int) -> None:
        """Take entries out, and set the position with it: all or nothing."""
        ...

    def position(self) -> int:
        """The number of the last change the index holds; 0 for an empty index."""
        ...

    def is_stale(self) -> bool:
        """Whether the index was built with other tokens than today's, so that it must be rebuilt."""
        ...

    def count(self, query: Query = ALL) -> int:
        """How many entries a query selects, exactly; how many there are where none is given."""
        ...

    def search(
        self,
        query: Query,
        first: int,
        count: int,
        sort: Sort = "relevance",
        facets: Sequence[str] = (),
        *,
        is_counted: bool = True,
    ) -> Hits:
        """Answer a query: `count` hits from the `first` one on, counted from 0.

        The total may be estimated where it is large. Without is_counted nobody wants it, and it is 0.
        """
        ...

    def successor(self) -> Self:
        """An empty engine beside this one. Raises EngineBusyError while another successor is being built."""
        ...

    def promote(self, successor: Self) -> None:
        """Let the successor take the place of this index in one step; searches go on meanwhile."""
        ...

    def close(self) -> None:
        """Let go of files and locks. A successor that was not promoted is gone."""
        ...
