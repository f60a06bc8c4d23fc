"""What each source showed last, in words: the rows of the source board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from library.source import Source
from library.store.runs import Run
from library.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """One source on the board. unproven: no page of the publisher itself was ever read."""

    source: Source
    records: int
    problems: int
    last_run: Run | None
    last_good: Run | None
    last_added: datetime | None
    unproven: bool

    @property
    def sentence(self) -> str:
        """What to think of the source now. 'Looked, nothing new' and 'could not look' are different sentences."""
        if self.last_run is None:
            return "never looked at"
        if self.last_run.verdict is None:
            return f"being looked at since {self.last_run.started_at:%Y-%m-%d %H:%M} UTC"
        return f"{self.last_run.verdict}: {self.last_run.reason}"

    def as_json(self) -> dict[str, Any]:
        """The row for programs."""
        return {
            "source": self.source.name,
            "records": self.records,
            "problems": self.problems,
            "verdict": self.last_run.verdict if self.last_run else None,
            "reason": self.last_run.reason if self.last_run else "never looked at",
            "last_run": self.last_run.started_at.isoformat() if self.last_run else None,
            "last_good": self.last_good.started_at.isoformat() if self.last_good else None,
            "last_added": self.last_added.isoformat() if self.last_added else None,
            "unproven": self.unproven,
        }

    def as_line(self) -> str:
        """The row for people."""
        good = f"{self.last_good.started_at:%Y-%m-%d %H:%M}" if self.last_good else "never"
        proof = "  unproven" if self.unproven else ""
        return f"{self.source.name:24} {self.records:9,} records  last good run {good:16}  {self.sentence}{proof}"


def board(store: Store, sources: Mapping[str, Source]) -> list[BoardRow]:
    """The rows of the source board, by name."""
    counts = store.counts()
    rows = []
    for name, source in sorted(sources.items()):
        runs = store.runs.of(name, 1)
        rows.append(
            BoardRow(
                source=source,
                records=counts.get(name, 0),
                problems=store.runs.problem_count(name),
                last_run=runs[0] if runs else None,
                last_good=store.runs.last_good(name),
                last_added=store.last_added(name),
                unproven=not source.handed_in and not store.runs.has_read_live(name),
            )
        )
    return rows
