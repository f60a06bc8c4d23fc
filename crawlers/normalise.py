"""Draft + Page + Source -> Record: the only place where printed strings become values.

A parser transcribes, this judges. What we do not understand never holds a record back: the word is kept as
printed and a note says so. Only what has no key, no kind or no title is no record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import ValidationError

from crawlers.page import Draft
from library.page import Page
from library.record import (
    Absence,
    Coded,
    Kind,
    Link,
    Measure,
    Operator,
    OperatorRole,
    Product,
    Record,
    State,
    Status,
    Text,
)
from library.source import Source
from library.vocabulary import categories, codes, countries, dates, hazards, measures, states

# Draft.fields: our name -> what a parser puts there, always strings as printed. Anything may be absent.
FIELDS = {
    "references": "list of printed numbers, the most cited first; the key is added if it is missing",
    "jurisdictions": "list of country words or codes; absent: the facts' jurisdiction",
    "authority": "who issued it, as printed",
    "titles": "mapping language -> title",
    "texts": "list of {label, value, language}; language absent: the facts' language",
    "published": "date as printed",
    "adopted": "date as printed",
    "in_force": "date as printed",
    "comments_until": "date as printed",
    "withdrawn": "date as printed",
    "status": "word as printed; the facts map it under words.states or vocabulary/states.toml does",
    "status_since": "date as printed",
    "classification": "word as printed ('Class I', 'Serious risk')",
    "categories": "list of product category words",
    "products": "list of {name, brand, model, batch, barcodes, quantity, description}; barcodes is a list",
    "hazards": "list of hazard words",
    "hazard_prose": "a sentence in which hazards are named, where no list of words is printed",
    "measures": "list of {measure, operator, since}",
    "origins": "list of country words",
    "operators": "list of {name, role, country}; role: one of OperatorRole's values",
    "hs_codes": "list of printed HS codes",
    "ics_codes": "list of printed ICS codes",
    "cites": "list of printed numbers of other documents",
    "links": "list of {url, label, title}",
    "attachments": "list of {url, label, title}",
}
DATES = ("published", "adopted", "in_force", "comments_until", "withdrawn")
UNKNOWN = {"unknown", "not known", "non connu", "unbekannt", "不详", "未知", "不明"}
NOT_APPLICABLE = {"n/a", "na", "not applicable", "-", "--", "—", "none", "不适用", "无"}
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class DraftError(ValueError):
    """A draft that cannot become a record. Raised by normalise(), caught by the pipeline."""

    def __init__(self, draft: Draft, page: Page, reason: object) -> None:
        super().__init__(f"{page.source} {draft.key} at {page.url}: {reason}")
        self.draft, self.page = draft, page


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalised:
    """A record, and in words what about it nobody understood: unmapped words, unreadable dates, dropped links."""

    record: Record
    notes: tuple[str, ...] = ()


def normalise(draft: Draft, page: Page, source: Source) -> Normalised:
    """Turn one draft into a record. Raises DraftError if it has no key, no kind or no title, or a field we have no name for."""
    unnamed = draft.fields.keys() - FIELDS.keys()
    if unnamed:
        raise DraftError(draft, page, f"the parser gives fields we have no name for: {', '.join(sorted(unnamed))}")
    if not draft.key.strip():
        raise DraftError(draft, page, "the page prints no key")
    if draft.kind not in set(Kind):
        raise DraftError(draft, page, f"{draft.kind!r} is no kind of record")
    try:
        return _Judge(draft, source).normalised()
    except ValidationError as error:
        raise DraftError(draft, page, "; ".join(f"{_place(e['loc'])}: {e['msg']}" for e in error.errors())) from error
    except (TypeError, AttributeError, ValueError) as error:
        raise DraftError(draft, page, f"a field has not the shape it must have: {error}") from error


def _place(location: Sequence[int | str]) -> str:
    return ".".join(str(step) for step in location) or "record"


@dataclass(slots=True)
class _Judge:
    """Judges one draft field by field, gathering notes and absences on the way."""

    draft: Draft
    source: Source
    notes: list[str] = field(default_factory=list)
    absences: dict[str, Absence] = field(default_factory=dict)
    printed: dict[str, str] = field(default_factory=dict)

    def normalised(self) -> Normalised:
        days = {name: self.day(name) for name in DATES}
        if days["published"] and days["comments_until"] and days["comments_until"] < days["published"]:
            self.notes.append(f"comments close {days['comments_until']}, before publication {days['published']}")
            days["comments_until"] = None
        key = clean_line(self.draft.key)
        references = self.lines("references")
        record = Record(
            source=self.source.name,
            key=key,
            kind=Kind(self.draft.kind),
            references=references if key in references else (*references, key) if references else (key,),
            jurisdictions=self.jurisdictions(),
            authority=self.line("authority"),
            titles=self.titles(),
            texts=tuple(self.texts()),
            status=self.status(),
            classification=self.classification(),
            categories=self.categories(),
            products=tuple(self.products()),
            hazards=self.hazards(),
            measures=tuple(self.measures()),
            origins=self.coded("origins", self.country, countries.is_known, "country"),
            operators=tuple(self.operators()),
            hs_codes=self.coded("hs_codes", codes.hs_code, None, "HS code"),
            ics_codes=self.coded("ics_codes", codes.ics_code, None, "ICS code"),
            cites=self.lines("cites"),
            links=tuple(self.links("links")),
            attachments=tuple(self.links("attachments")),
            rights=self.source.rights,
            attribution=self.source.attribution,
            printed=self.printed,
            **days,
            absences={},
        )
        absences = {name: why for name, why in self.absences.items() if not getattr(record, name, None)}
        return Normalised(
            record=record.model_copy(update={"absences": absences}), notes=tuple(dict.fromkeys(self.notes))
        )

    def line(self, name: str) -> str | None:
        """A field of one line; None, with the reason kept, where it holds no value."""
        if name not in self.draft.fields:
            return None
        value = clean_line(str(self.draft.fields[name]))
        absence = absence_of(value)
        if absence is not None:
            self.absences[name] = absence
            return None
        return value

    def lines(self, name: str) -> tuple[str, ...]:
        """A field of several lines, each once."""
        if name not in self.draft.fields:
            return ()
        values = [clean_line(str(value)) for value in self.draft.fields[name]]
        absences = [absence_of(value) for value in values]
        kept = tuple(dict.fromkeys(value for value, absence in zip(values, absences, strict=True) if absence is None))
        if not kept:
            self.absences[name] = next((absence for absence in absences if absence is not None), Absence.EMPTY)
        return kept

    def day(self, name: str) -> date | None:
        """A printed day; one that nobody can read is noted and kept as printed."""
        value = self.line(name)
        if value is None:
            return None
        self.printed[name] = value
        read = self.read_day(value)
        if read is None:
            self.notes.append(f"{name.replace('_', ' ')} {value!r} is no date in any of the source's formats")
        return read

    def read_day(self, value: str) -> date | None:
        try:
            return dates.parse_date(value, self.source.dates) if self.source.dates else dates.parse_loose(value)
        except ValueError:
            try:
                return dates.parse_loose(value)
            except ValueError:
                return None

    def words(self, vocabulary: str) -> Mapping[str, str]:
        return self.source.words.get(vocabulary, {})

    def country(self, word: str) -> str | None:
        return self.words("countries").get(word) or countries.country(word)

    def coded(
        self, name: str, code_of: Callable[[str], str | None], is_known: Callable[[str], bool] | None, what: str
    ) -> tuple[Coded, ...]:
        """Words of the source with our codes; a word nobody has mapped is kept and noted."""
        found = []
        for word in self.lines(name):
            code = code_of(word)
            if code is None and not (is_known is not None and is_known(word)):
                self.notes.append(f"unmapped {what} {word!r}")
            found.append(Coded(printed=word, code=code))
        return tuple(found)

    def jurisdictions(self) -> tuple[Coded, ...]:
        found = self.coded("jurisdictions", self.country, countries.is_known, "jurisdiction")
        return found or (Coded(printed=self.source.jurisdiction, code=self.source.jurisdiction),)

    def titles(self) -> tuple[Text, ...]:
        titles = self.draft.fields.get("titles", {})
        return tuple(
            Text(language=language, value=cleaned, label="title")
            for language, value in _items(titles)
            if (cleaned := clean_line(value))
        )

    def texts(self) -> Iterator[Text]:
        for entry in self.draft.fields.get("texts", ()):
            row = _mapping(entry)
            value = clean_text(row.get("value", ""))
            if value:
                language = row.get("language") or self.source.language
                yield Text(language=language, value=value, label=row.get("label", "other"))

    def status(self) -> Status | None:
        word = self.line("status")
        since = self.day("status_since")
        if word is None:
            return None
        state = states.state(word, self.words("states"))
        if state is None:
            if not states.is_known(word):
                self.notes.append(f"unmapped status {word!r}")
            return Status(state=State.CURRENT, printed=word, since=since)
        return Status(state=state, printed=word, since=since)

    def classification(self) -> Coded | None:
        word = self.line("classification")
        return Coded(printed=word, code=self.words("classifications").get(word)) if word else None

    def categories(self) -> tuple[Coded, ...]:
        own = self.words("categories")
        found = self.coded("categories", lambda word: categories.category(word, own), categories.is_known, "category")
        if any(word.code for word in found):
            return found
        names = [_mapping(product).get("name", "") for product in self.draft.fields.get("products", ())]
        titles = [value for _, value in _items(self.draft.fields.get("titles", {}))]
        named = [_named(categories.find_categories(text)) for text in (*names, *titles) if isinstance(text, str)]
        return (*found, *next((words for words in named if words), ()))

    def hazards(self) -> tuple[Coded, ...]:
        own = self.words("hazards")
        found = self.coded("hazards", lambda word: hazards.hazard(word, own), hazards.is_known, "hazard")
        if any(word.code for word in found):
            return found
        prose = self.draft.fields.get("hazard_prose", "")
        if not isinstance(prose, str) or not prose.strip():
            return found
        return (*found, *_named(hazards.find_hazards(prose)))

    def measures(self) -> Iterator[Measure]:
        own = self.words("measures")
        rows = self.draft.fields.get("measures", ())
        for entry in rows:
            row = _mapping(entry)
            word = clean_line(row.get("measure", ""))
            if not word or absence_of(word) is not None:
                continue
            code = measures.measure(word, own)
            if code is None and not measures.is_known(word):
                self.notes.append(f"unmapped measure {word[:80]!r}")
            since = row.get("since", "").strip()
            day = self.read_day(since) if since else None
            if since and day is None:
                self.notes.append(f"measure since {since!r} is no date in any of the source's formats")
            yield Measure(printed=word, code=code, operator=clean_line(row.get("operator", "")) or None, since=day)
        if "measures" in self.draft.fields and not rows:
            self.absences["measures"] = Absence.EMPTY

    def products(self) -> Iterator[Product]:
        for entry in self.draft.fields.get("products", ()):
            row = _mapping(entry)
            printed_codes = row.get("barcodes", ())
            barcodes = [printed_codes] if isinstance(printed_codes, str) else list(printed_codes)
            barcodes = [cleaned for code in barcodes if (cleaned := clean_line(code))]
            lines = {name: self.product_line(row, name) for name in ("name", "brand", "model", "batch", "quantity")}
            product = Product(
                **lines,
                description=clean_text(row.get("description", "")) or None,
                gtins=tuple(dict.fromkeys(gtin for code in barcodes if (gtin := codes.gtin(code)))),
                identifiers=tuple(dict.fromkeys(code for code in barcodes if codes.gtin(code) is None)),
            )
            if product != Product():
                yield product

    def product_line(self, row: Mapping[str, Any], name: str) -> str | None:
        if name not in row:
            return None
        value = clean_line(str(row[name]))
        absence = absence_of(value)
        if absence is not None:
            self.absences.setdefault(f"products.{name}", absence)
            return None
        return value

    def operators(self) -> Iterator[Operator]:
        for entry in self.draft.fields.get("operators", ()):
            row = _mapping(entry)
            name = clean_line(row.get("name", ""))
            if not name or absence_of(name) is not None:
                continue
            country = row.get("country", "").strip()
            code = self.country(country) if country else None
            if country and code is None and not countries.is_known(country):
                self.notes.append(f"unmapped country {country!r}")
            yield Operator(name=name, role=OperatorRole(row.get("role", "other")), country=code)

    def links(self, name: str) -> Iterator[Link]:
        seen: set[str] = set()
        for entry in self.draft.fields.get(name, ()):
            row = _mapping(entry)
            url = row.get("url", "").strip()
            if not url or url in seen:
                continue
            seen.add(url)
            if not url.lower().startswith(("http://", "https://")):
                self.notes.append(f"left out a link that is no web address: {url[:80]!r}")
                continue
            yield Link(url=url, label=row.get("label", "other"), title=clean_line(row.get("title", "")) or None)


def absence_of(value: str) -> Absence | None:
    """Which absence a printed string speaks of, None where it is a value."""
    folded = value.strip().casefold()
    if not folded:
        return Absence.EMPTY
    if folded in UNKNOWN:
        return Absence.UNKNOWN
    return Absence.NOT_APPLICABLE if folded in NOT_APPLICABLE else None


def clean_line(text: str) -> str:
    """One line: control characters out, white space (no-break too) folded to single blanks."""
    return " ".join(CONTROL.sub("", text).split())


def clean_text(text: str) -> str:
    """Paragraphs: control characters out, blanks folded within lines, at most one empty line in a row."""
    lines = [" ".join(line.split()) for line in CONTROL.sub("", text).replace("\r\n", "\n").split("\n")]
    return re.sub("\n{3,}", "\n\n", "\n".join(lines)).strip()


def _named(found: Sequence[Any]) -> tuple[Coded, ...]:
    """The codes found in prose, each once, with the words that named it."""
    first: dict[str, str] = {}
    for place in found:
        first.setdefault(place.code, place.printed)
    return tuple(Coded(printed=printed, code=code) for code, printed in first.items())


def _mapping(entry: object) -> Mapping[str, Any]:
    if not isinstance(entry, Mapping):
        raise TypeError(f"{entry!r} is no row of names and values")
    return entry


def _items(entry: object) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in _mapping(entry).items()]
