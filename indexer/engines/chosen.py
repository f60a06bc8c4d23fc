"""The engine in use. `ttm index rebuild --engine` changes it under running processes, which notice with their next call.

`<home>/engine` holds the name of the engine that a library was moved to, and goes before the name in the settings.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from indexer.engines.base import Engine, Hits, Sort
from indexer.entry import Entry
from indexer.query import ALL, Query


class ChosenEngine:
    """Hands every call to the engine that is in use now. An engine that was left stays open for calls under way."""

    def __init__(self, chosen: Callable[[], str], make: Callable[[str], Engine]) -> None:
        self._chosen, self._make = chosen, make
        self._opened: dict[str, Engine] = {}
        self._lock = threading.Lock()

    def _engine(self) -> Engine:
        name = self._chosen()
        with self._lock:
            if name not in self._opened:
                self._opened[name] = self._make(name)
            return self._opened[name]

    def write(self, entries: Iterable[Entry], position: int) -> None:
        self._engine().write(entries, position)

    def remove(self, ids: Iterable[str], position: int) -> None:
        self._engine().remove(ids, position)

    def position(self) -> int:
        return self._engine().position()

    def is_stale(self) -> bool:
        return self._engine().is_stale()

    def count(self, query: Query = ALL) -> int:
        return self._engine().count(query)

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
        return self._engine().search(query, first, count, sort, facets, is_counted=is_counted)

    def successor(self) -> ChosenEngine:
        name = self._chosen()
        successor = self._engine().successor()
        return ChosenEngine(lambda: name, lambda name: successor)

    def promote(self, successor: ChosenEngine) -> None:
        # both are of the kind that was in use when the rebuild began
        self._opened[successor._chosen()].promote(successor._engine())

    def close(self) -> None:
        for engine in self._opened.values():
            engine.close()


def read_choice(home: Path, otherwise: str) -> str:
    """The name of the engine in use in a home folder."""
    try:
        return (home / "engine").read_text(encoding="utf-8").strip() or otherwise
    except FileNotFoundError:
        return otherwise


def write_choice(home: Path, name: str) -> None:
    """Let another engine be in use from the next call on."""
    draft = home / "engine.new"
    draft.write_text(f"{name}\n", encoding="utf-8")
    draft.replace(home / "engine")
