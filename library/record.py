"""Record: a regulation, standard, notification, recall or rejection in our own terms.

A record is frozen and checked at birth, so no later function has to ask again. The source's own
words stand beside ours: `Coded.printed` next to `Coded.code`, `Record.printed` for dates and status.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator


class Kind(StrEnum):
    """What a reader would call the thing."""

    REGULATION = "regulation"
    STANDARD = "standard"
    NOTIFICATION = "notification"
    RECALL = "recall"
    REJECTION = "rejection"


class Absence(StrEnum):
    """Why a field holds no value. A field in neither state was not on the page at all."""

    UNKNOWN = "unknown"  # the source says that nobody knows: 'Unknown'
    EMPTY = "empty"  # the source prints the field and leaves it blank
    NOT_APPLICABLE = "not_applicable"  # the source says that there can be none: 'N/A'


class State(StrEnum):
    """Where a record stands in its life."""

    PROPOSED = "proposed"
    UPCOMING = "upcoming"
    CURRENT = "current"  # in force, ongoing, published
    ENDED = "ended"  # terminated, completed, archived
    WITHDRAWN = "withdrawn"  # repealed, annulled, taken back


class OperatorRole(StrEnum):
    """What an economic operator did with the goods."""

    MANUFACTURER = "manufacturer"
    IMPORTER = "importer"
    DISTRIBUTOR = "distributor"
    RETAILER = "retailer"
    RECALLING_FIRM = "recalling_firm"
    MARKETPLACE = "marketplace"
    OTHER = "other"


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Value(BaseModel):
    """Base of every part of a record: frozen, without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Value):
    """One text in one language.

    language: ISO 639-1 ('en', 'zh', 'ja'), 'zh-Hant' for Traditional Chinese, 'und' where nobody says.
    label: what the text is: title, summary, description, risk, action, scope, body, dates, note, other.
    """

    language: str
    value: Line
    label: str = "other"


class Coded(Value):
    """A word of the source and what it means in our vocabulary; code is None while nobody has mapped it."""

    printed: Line
    code: str | None = None


class Product(Value):
    """One product as a notice names it. GTINs have passed their check digit; others stay in `identifiers`."""

    name: str | None = None
    brand: str | None = None
    model: str | None = None
    batch: str | None = None
    gtins: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    quantity: str | None = None
    description: str | None = None


class Measure(Value):
    """What an authority or a firm did about the goods."""

    printed: Line
    code: str | None = None
    operator: str | None = None
    since: date | None = None


class Operator(Value):
    """An economic operator, its role and its country (ISO 3166-1 alpha-2 where known)."""

    name: Line
    role: OperatorRole = OperatorRole.OTHER
    country: str | None = None


class Link(Value):
    """An address on the publisher's side. label: original, related, pdf, image, recall_page, full_text, other."""

    url: Line
    label: str = "other"
    title: str | None = None


class Status(Value):
    """Where the record stands, since when, and the word the source printed for it."""

    state: State
    printed: str
    since: date | None = None


class Record(Value):
    """One thing a reader would look up, in our terms. `id` is 'source:key'."""

    source: str
    key: Line
    kind: Kind
    references: tuple[Line, ...] = ()  # the document's own numbers as printed, the one people cite first
    jurisdictions: tuple[Coded, ...]  # codes: ISO 3166-1 alpha-2, 'EU', 'INT'
    authority: str | None = None
    titles: Annotated[tuple[Text, ...], Field(min_length=1)]
    texts: tuple[Text, ...] = ()
    published: date | None = None
    adopted: date | None = None
    in_force: date | None = None
    comments_until: date | None = None
    withdrawn: date | None = None
    status: Status | None = None
    classification: Coded | None = None  # 'Class I', 'Serious risk', 'Rule'
    categories: tuple[Coded, ...] = ()  # product categories
    products: tuple[Product, ...] = ()
    hazards: tuple[Coded, ...] = ()
    measures: tuple[Measure, ...] = ()
    origins: tuple[Coded, ...] = ()
    operators: tuple[Operator, ...] = ()
    hs_codes: tuple[Coded, ...] = ()  # code: digits only
    ics_codes: tuple[Coded, ...] = ()  # code: dotted
    cites: tuple[str, ...] = ()  # references of other documents, where the source lists them
    links: tuple[Link, ...] = ()
    attachments: tuple[Link, ...] = ()
    rights: str = ""
    attribution: str = ""
    absences: Mapping[str, Absence] = Field(default_factory=dict)
    printed: Mapping[str, str] = Field(default_factory=dict)  # dates as the source prints them; not part of the meaning

    @property
    def id(self) -> str:
        """'eu_safety_gate:SR/02222/26'."""
        return f"{self.source}:{self.key}"

    @property
    def jurisdiction(self) -> str:
        """The code of the first jurisdiction, or its printed word where no code is known."""
        first = self.jurisdictions[0]
        return first.code or first.printed

    def title(self, language: str = "") -> str:
        """The title in a language if there is one, else the first."""
        return next((text.value for text in self.titles if text.language == language), self.titles[0].value)

    @model_validator(mode="after")
    def _is_consistent(self) -> Record:
        if not self.jurisdictions:
            raise ValueError("a record needs a jurisdiction")
        if self.comments_until and self.published and self.comments_until < self.published:
            raise ValueError(f"comments close {self.comments_until}, before publication {self.published}")
        for name in self.absences:
            if getattr(self, name, None):
                raise ValueError(f"{name} has a value and is called {self.absences[name].value}")
        return self


NOT_MEANING = {"printed", "rights", "attribution"}


def content_hash(record: Record) -> str:
    """Hash what a record says: no fetch time, no rights text; fields at their default do not count.

    Leaving defaults out keeps the hash of old records when the model gains a field.
    """
    meaning = record.model_dump(mode="json", exclude=NOT_MEANING, exclude_defaults=True)
    return sha256(orjson.dumps(meaning, option=orjson.OPT_SORT_KEYS)).hexdigest()


def encode(record: Record) -> str:
    """Write a record as JSON; fields at their default are left out."""
    return record.model_dump_json(exclude_defaults=True)


def decode(payload: str | bytes) -> Record:
    """Read what `encode` wrote. Raises pydantic.ValidationError on anything else."""
    return Record.model_validate_json(payload)


def field_diff(old: Record, new: Record) -> dict[str, tuple[Any, Any]]:
    """Name the fields in which two versions differ, each with (old, new) as JSON values."""
    before = old.model_dump(mode="json", exclude=NOT_MEANING)
    after = new.model_dump(mode="json", exclude=NOT_MEANING)
    return {name: (before[name], after[name]) for name in after if before[name] != after[name]}
