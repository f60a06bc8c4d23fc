"""Source: the facts about a publisher's feed, one TOML file each under config/sources/<jurisdiction>/.

Facts are data: an operator may edit them, and adding a source never touches a shared file. Unknown
keys are refused at start-up with the file and the key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from library.record import Kind


class FactsError(ValueError):
    """A facts file that does not hold what it must. Names the file and the key."""


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PageKind(_Facts):
    """One kind of page of a source.

    pattern: regular expression, searched from the start of the URL; the first that fits names the kind.
    recheck_days: a page of this kind that was read is not asked for again for so long; 0 asks every night.
    part: pages of this kind describe a record from one side; parts of one record are merged.
    """

    pattern: str
    recheck_days: int = 0
    part: str = "main"

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        re.compile(pattern)
        return pattern


class Expectation(_Facts):
    """What a good run of the source looks like; `crawlers.health` judges against it."""

    drafts_min: int = 1
    quiet_days: int = 30
    unread_max: int = 0
    refused_max_share: float = 0.05


class Schedule(_Facts):
    """When the nightly round takes the source: a time of day in UTC, and the week days ('mon', ...), all where empty.

    every_minutes: instead of once a day, at these minutes of every hour; 0 for once a day.
    """

    at: str = "18:30"
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()
    every_minutes: Literal[0, 1, 2, 5, 10, 15, 20, 30] = 0


class Politeness(_Facts):
    """How gently the publisher is asked. delay_s between two requests to one host; body_limit_mib after decoding."""

    delay_s: float = 2.0
    concurrency: int = 1
    timeout_s: float = 60.0
    body_limit_mib: int = 32

    @property
    def body_limit_bytes(self) -> int:
        """How much of a body is read, after decoding."""
        return self.body_limit_mib * 1024 * 1024


class Wording(_Facts):
    """A name in the two languages of the pages."""

    zh: str
    en: str


class Source(_Facts):
    """Facts about a publisher's feed.

    jurisdiction: code used where a page does not print one. language: of texts that do not say.
    hosts: the only names that may be asked. handed_in: the source may not be crawled; people hand its files in.
    takes_extracts: what is handed in is somebody else's reading of the publisher, and its page kinds go by file names.
    merge: parts of a record, the one that wins first. dates: strptime patterns, tried in order.
    complete: the pages of one run show every record there is, so a missing one may be withdrawn.
    restamp_days: a record published longer ago than this is not news when it first appears.
    words: words of this source per vocabulary ('hazards', 'countries', ...) and the code each means.
    """

    name: str
    title: Wording
    publisher: Wording
    home: str
    jurisdiction: str
    language: str
    kinds: tuple[Kind, ...]
    rights: str
    attribution: str
    hosts: tuple[str, ...] = ()
    handed_in: bool = False
    takes_extracts: bool = False
    pages: Mapping[str, PageKind]
    merge: tuple[str, ...] = ("main",)
    dates: tuple[str, ...] = ()
    complete: bool = False
    restamp_days: int = 45
    schedule: Schedule = Schedule()
    politeness: Politeness = Politeness()
    expect: Expectation = Expectation()
    words: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    ignore_unread: Annotated[tuple[str, ...], Field(description="fields of the source left unread on purpose")] = ()

    def page_kind(self, url: str) -> str | None:
        """The kind of page that stands at a URL, None where no pattern fits."""
        return next((kind for kind, pattern in self._patterns if pattern.match(url)), None)

    @cached_property
    def _patterns(self) -> list[tuple[str, re.Pattern[str]]]:
        return [(kind, re.compile(page.pattern)) for kind, page in self.pages.items()]


def load_source(path: Path) -> Source:
    """Read one facts file. Raises FactsError naming the file and what is wrong in it."""
    try:
        source = Source.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise FactsError(f"{path}: {error}") from error
    expected = f"{path.parent.name}_{path.stem}"
    if source.name != expected:
        raise FactsError(f"{path}: the name must be {expected!r}, after its folder and file, and is {source.name!r}")
    return source


def load_sources(folder: Path) -> dict[str, Source]:
    """Read every facts file below a folder, by name. Raises FactsError for the first that is wrong."""
    sources = [load_source(path) for path in sorted(folder.glob("*/*.toml"))]
    return {source.name: source for source in sources}
