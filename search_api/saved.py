"""Saved searches: config/searches.toml, kept by the operator and offered to every reader."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from indexer.query import QueryError, parse_query
from library.settings import CONFIG
from search_api.asking import SORTS, Asked

FILE = CONFIG / "searches.toml"


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """One saved search with its wording in both languages."""

    zh: str
    en: str
    asked: Asked


@cache
def saved_searches(file: Path = FILE) -> tuple[SavedSearch, ...]:
    """Read the file; none where there is no file. Raises ValueError naming the search that cannot be."""
    if not file.exists():
        return ()
    found = []
    for number, row in enumerate(tomllib.loads(file.read_text(encoding="utf-8")).get("search", ()), start=1):
        where = f"{file.name}, search {number}"
        if unknown := row.keys() - {"zh", "en", "query", "sort"}:
            raise ValueError(f"{where}: unknown keys {', '.join(sorted(unknown))}")
        if missing := {"zh", "en", "query"} - row.keys():
            raise ValueError(f"{where}: {', '.join(sorted(missing))} is missing")
        sort = row.get("sort", "relevance")
        if sort not in SORTS:
            raise ValueError(f"{where}: the order is one of {', '.join(SORTS)}, and not {sort!r}")
        try:
            parse_query(row["query"])
        except QueryError as error:
            raise ValueError(f"{where}: {error}") from error
        found.append(SavedSearch(row["zh"], row["en"], Asked(q=row["query"], sort=SORTS[sort])))
    return tuple(found)
