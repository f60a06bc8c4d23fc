"""What an edit of the term bank would change: the saved tables and the edited ones, held against index and watches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.engines.base import Engine
from indexer.expand import Glossary, expand, glossary_of
from indexer.query import And, Not, Query, QueryError, parse_query
from indexer.terms import FOLDER, Row, TableError, read_rows, table_files
from library.store.store import Store

WATCHES = "SELECT title, query FROM watch WHERE ended_at IS NULL ORDER BY created_at, id"
EXAMPLES = 3  # titles shown for what would be found, or no longer


@dataclass(frozen=True, slots=True)
class Effect:
    """What an edit does to one query: how many records it finds, before and after, and examples of those that differ."""

    query: str
    title: str
    before: int
    after: int
    more: int
    fewer: int
    new_titles: tuple[str, ...]
    lost_titles: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The effect as JSON."""
        return {
            "query": self.query,
            "title": self.title,
            "before": self.before,
            "after": self.after,
            "more": self.more,
            "fewer": self.fewer,
            "examples": {"more": self.new_titles, "fewer": self.lost_titles},
        }

    def lines(self, queries: Sequence[str]) -> Iterator[str]:
        """The effect in lines for a terminal. queries: those that it is the effect on, this one among them."""
        name = ", ".join(queries)
        name = f"{self.title} ({name})" if self.title and self.title != name else name
        yield f"  {name}: {self.before:,} -> {self.after:,}"
        for sign, count, titles in (("+", self.more, self.new_titles), ("-", self.fewer, self.lost_titles)):
            if count:
                yield f"    {sign}{count:,}: {'; '.join(titles)}"


class Comparison:
    """The saved bank and an edited one, held against the index."""

    def __init__(self, store: Store, engine: Engine, saved: Sequence[Row], edited: Sequence[Row]) -> None:
        self._store, self._engine = store, engine
        self._before, self._after = glossary_of(saved), glossary_of(edited)
        old, new = {_content(row): row for row in saved}, {_content(row): row for row in edited}
        self._changed = [row for content, row in (old | new).items() if content not in old or content not in new]
        self._added, self._gone = len(new.keys() - old.keys()), len(old.keys() - new.keys())
        self._edited = edited

    def counts(self) -> dict[str, int]:
        """Rows that only the edited bank holds, and rows that only the saved one holds; an altered row is both."""
        return {"new": self._added, "gone": self._gone}

    def watches(self) -> list[Effect]:
        """The effects on the queries of the watches that go on."""
        with self._store.read() as transaction:
            rows = [(row["query"], row["title"]) for row in transaction.rows(WATCHES)]
        return [effect for query, title in rows if (effect := self._effect(query, title))]

    def words(self, limit: int) -> list[Effect]:
        """The effects on single words: all of the changed rows, and the usual ones of the others; the most found first."""
        words = dict.fromkeys(word for row in self._changed for listed in row.words.values() for word in listed)
        words |= dict.fromkeys(
            word for row in self._edited for language in ("zh", "en") for word in row.words.get(language, ())[:1]
        )
        effects = [effect for word in words if (effect := self._effect(word))]
        return sorted(effects, key=lambda effect: -max(effect.before, effect.after))[:limit]

    def _effect(self, text: str, title: str = "") -> Effect | None:
        """None for a query that asks the same of the index with either bank, or finds the same."""
        try:
            typed = parse_query(text)
        except QueryError:  # 'a:b' is a word of a table and no query
            return None
        old, new = _widened(typed, self._before), _widened(typed, self._after)
        if old == new:
            return None
        more, new_titles = self._found(And((new, Not(old))))
        fewer, lost_titles = self._found(And((old, Not(new))))
        if not more and not fewer:
            return None
        before = self._engine.count(old)
        return Effect(text, title, before, before + more - fewer, more, fewer, new_titles, lost_titles)

    def _found(self, query: Query) -> tuple[int, tuple[str, ...]]:
        found = self._engine.search(query, 0, EXAMPLES, "newest", is_counted=False)
        return self._engine.count(query), tuple(record.title() for record in self._store.get_many(found.ids))


def _widened(typed: Query, bank: Glossary) -> Query:
    return expand(typed, bank).query


def _content(row: Row) -> tuple[Any, ...]:
    """What a row says, wherever it stands."""
    return row.codes, tuple(sorted(row.words.items())), tuple(sorted(row.own.items()))


def rows_beside(file: Path) -> list[Row]:
    """The rows of the saved tables that go by another name than the file."""
    return [row for other in table_files(FOLDER) if other.name != file.name for row in readable(other)]


def readable(file: Path) -> list[Row]:
    """The rows of a table, none of one that cannot be read."""
    try:
        return read_rows(file)
    except TableError:
        return []
