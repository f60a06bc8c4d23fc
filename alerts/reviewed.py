"""Reviewed watches: one TOML file each in a folder that people review, with what each must select and must not.

    query = "kind:recall category:toys hazard:choking"
    recipient = "toys@example.org"
    cadence = "daily"
    must_match = ["eu_safety_gate:SR/00001/26", { title = "Balloon", kind = "recall", category = "toys", hazard = "choking" }]
    must_not_match = ["Kite without a hazard"]

A text is the id of a record in the library, or the title of an invented recall; a table says more of an invented record.
The file's name is the name of its watch.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from alerts.matching import compiled
from alerts.watches import (
    DAYS_BEFORE,
    DEFAULT_ACTIONS,
    Checks,
    Watch,
    WatchError,
    add_watch,
    categories,
    edit_watch,
    end_watch,
    list_watches,
)
from indexer.entry import entry_of
from indexer.query import QueryError, matches
from library.record import Coded, Kind, Operator, Record, Text
from library.source import Source
from library.store.store import Store

OPTIONS = ("title", "cadence", "language", "zone", "actions", "quiet", "nothing_too", "days_before", "hook", "by_mail")
DEFAULTS = {
    "cadence": "immediate",
    "language": "zh",
    "actions": DEFAULT_ACTIONS,
    "quiet": "",
    "nothing_too": False,
    "days_before": DAYS_BEFORE,
    "hook": "",
    "by_mail": True,
}
HAN = re.compile("[\u4e00-\u9fff]")
INVENTED = ("title", "text", "kind", "market", "origin", "hazard", "category", "hs", "ics", "company", "reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A watch as its file has it."""

    name: str
    recipient: str
    query: str
    options: Mapping[str, Any]
    checks: Checks


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do. kind: create, change, end or keep; changes: field -> (old, new)."""

    kind: str
    name: str
    wanted: Wanted | None = None
    watch: Watch | None = None
    changes: Mapping[str, tuple[Any, Any]] | None = None

    @property
    def line(self) -> str:
        """The step for people."""
        if self.kind == "change" and self.changes:
            what = "; ".join(f"{name}: {old!r} -> {new!r}" for name, (old, new) in self.changes.items())
            return f"change  {self.name}: {what}"
        shown = self.wanted or self.watch
        return (
            f"{self.kind:7} {self.name}: {shown.recipient} [{shown.query}]" if shown else f"{self.kind:7} {self.name}"
        )


def read_folder(folder: Path) -> list[Wanted]:
    """The watches of a folder, by name. Raises WatchError naming the file that is wrong, and FileNotFoundError."""
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}")
    return [_read(path) for path in sorted(folder.glob("*.toml"))]


def failed_checks(store: Store, sources: Mapping[str, Source], query: str, checks: Checks) -> list[str]:
    """What a query does not select and must, or selects and must not, a sentence each. Raises QueryError."""
    asked = compiled(query)
    failures = []
    for wanted, is_wanted in [(one, True) for one in checks.must_match] + [
        (one, False) for one in checks.must_not_match
    ]:
        record = _record(store, sources, wanted)
        if record is None:
            failures.append(f"there is no record {wanted!r} in the library")
        elif matches(asked, entry_of(record)) is not is_wanted:
            failures.append(f"it {'does not select' if is_wanted else 'selects'} {wanted!r}")
    return failures


def plan(store: Store, wanted: Sequence[Wanted]) -> list[Step]:
    """What would make the watches with a name those of the files; nothing is done."""
    there = {watch.name: watch for watch in list_watches(store, ended=False) if watch.name}
    steps = [step for one in wanted for step in _steps(one, there.get(one.name))]
    named = {one.name for one in wanted}
    return steps + [Step(kind="end", name=name, watch=there[name]) for name in sorted(there.keys() - named)]


def carry_out(store: Store, steps: Sequence[Step], *, now: datetime, zone: str, confirmed: bool) -> None:
    """Do what was planned. confirmed: new readers have agreed already; otherwise a mail asks each."""
    for step in steps:
        if step.kind == "end" and step.watch:
            end_watch(store, step.watch.id, now=now, why="no longer in the reviewed files")
        elif step.kind == "change" and step.watch and step.changes:
            edit_watch(store, step.watch.id, now=now, **{name: new for name, (_, new) in step.changes.items()})
        elif step.kind == "create" and step.wanted:
            one = step.wanted
            add_watch(
                store,
                one.query,
                one.recipient,
                now=now,
                name=one.name,
                checks=one.checks,
                confirmed=confirmed,
                **({"zone": zone} | dict(one.options)),
            )


def _read(path: Path) -> Wanted:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WatchError(f"{path.name}: {error}") from error
    known = {"query", "category", "value", "recipient", "must_match", "must_not_match", *OPTIONS}
    if unknown := sorted(table.keys() - known):
        raise WatchError(f"{path.name}: nobody knows {', '.join(unknown)}")
    options = {name: table[name] for name in OPTIONS if name in table}
    try:
        if "category" in table:
            offered = categories().get(table["category"])
            if offered is None or "query" in table:
                raise WatchError("give a query, or a category that `ttm watch categories` lists")
            filled = offered.filled(str(table.get("value", "")))
            table["query"] = filled.query
            options.setdefault("title", filled.en if options.get("language") == "en" else filled.zh)
        for name in ("query", "recipient"):
            if not isinstance(table.get(name), str):
                raise WatchError(f"it needs a {name}")
        compiled(table["query"])
        checks = Checks(tuple(table.get("must_match", ())), tuple(table.get("must_not_match", ())))
        for one in (*checks.must_match, *checks.must_not_match):
            _check_shape(one)
    except (WatchError, QueryError) as error:
        raise WatchError(f"{path.name}: {error}") from error
    if "actions" in options:
        options["actions"] = tuple(options["actions"])
    return Wanted(
        name=path.stem, recipient=table["recipient"], query=table["query"].strip(), options=options, checks=checks
    )


def _check_shape(one: object) -> None:
    if isinstance(one, str) or (isinstance(one, Mapping) and "title" in one and not one.keys() - set(INVENTED)):
        return
    raise WatchError(
        f"a check is a text, or a table with a title and some of {', '.join(INVENTED[1:])}, and not {one!r}"
    )


def _steps(one: Wanted, watch: Watch | None) -> Iterator[Step]:
    if watch is not None and watch.recipient != one.recipient:  # another reader is another watch, and is asked anew
        yield Step(kind="end", name=one.name, watch=watch)
        watch = None
    if watch is None:
        yield Step(kind="create", name=one.name, wanted=one)
        return
    wanted: dict[str, Any] = DEFAULTS | {"title": watch.title, "zone": watch.zone} | dict(one.options)
    wanted |= {"query": one.query, "checks": one.checks}
    changes = {
        name: (_plain(getattr(watch, name)), _plain(new))
        for name, new in wanted.items()
        if _plain(getattr(watch, name)) != _plain(new)
    }
    yield Step(kind="change" if changes else "keep", name=one.name, wanted=one, watch=watch, changes=changes)


def _plain(value: Any) -> Any:
    """A value as it may be compared: what came from JSON and what came from TOML alike."""
    if isinstance(value, Checks):
        return Checks(tuple(value.must_match), tuple(value.must_not_match))
    return value.value if hasattr(value, "value") else value


def _record(store: Store, sources: Mapping[str, Source], wanted: str | Mapping[str, str]) -> Record | None:
    if isinstance(wanted, str):
        known = store.get(wanted)
        if known is not None or wanted.partition(":")[0] in sources:
            return known
        wanted = {"title": wanted}
    return _invented(wanted)


def _invented(table: Mapping[str, str]) -> Record:
    def coded(name: str) -> tuple[Coded, ...]:
        return (Coded(printed=table[name], code=table[name]),) if name in table else ()

    return Record(
        source="invented",
        key="1",
        kind=Kind(table.get("kind", "recall")),
        references=(table["reference"],) if "reference" in table else (),
        jurisdictions=coded("market") or (Coded(printed="nowhere"),),
        titles=(Text(language="zh" if HAN.search(table["title"]) else "en", value=table["title"]),),
        texts=(Text(language="en", value=table["text"]),) if "text" in table else (),
        origins=coded("origin"),
        hazards=coded("hazard"),
        categories=coded("category"),
        hs_codes=coded("hs"),
        ics_codes=coded("ics"),
        operators=(Operator(name=table["company"]),) if "company" in table else (),
    )
