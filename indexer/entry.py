"""Entry: what the index holds of a record, and what a query is matched against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from types import ModuleType

from indexer.analysis import reference_value, words
from library.record import Coded, Kind, Measure, Record
from library.vocabulary import categories, codes, countries, hazards, measures, references

WORD_FIELDS = ("title", "product", "brand", "company", "reference", "labels", "text")
FACETS = (
    "kind",
    "source",
    "jurisdiction",
    "origin",
    "hazard",
    "category",
    "measure",
    "status",
    "classification",
    "year",
    "month",
    "language",
    "hs",
    "ics",
)
PRINTED_DATES = ("published", "adopted", "in_force", "comments_until", "withdrawn")
FIRST_SEEN = "first_seen"  # the day, in UTC, on which a record was first kept; nobody prints it
DATES = (*PRINTED_DATES, FIRST_SEEN)

BREAK = "¶"  # stands between two texts of one field, so that no phrase runs from one into the next
EXACT = "="  # '=GB/T_1.1-2020' beside the rungs: the record's own reference, not a wider form of it

# What a reader calls the kinds: label, and the words by which people ask for them. A market surveillance notice is
# called 通报 as much as a WTO notification is.
KIND_WORDS: Mapping[Kind, tuple[str, str]] = {
    Kind.REGULATION: ("法规 法律 规章", "regulation"),
    Kind.STANDARD: ("标准", "standard"),
    Kind.NOTIFICATION: ("通报", "notification"),
    Kind.RECALL: ("召回 通报 预警", "recall alert"),
    Kind.REJECTION: ("拒绝入境 退运 通报", "border rejection"),
}


@dataclass(frozen=True)
class Words:
    """The tokens of one field: every value, and the primary ones in order, with BREAK between two texts."""

    every: tuple[str, ...] = ()
    run: tuple[str, ...] = ()

    @cached_property
    def values(self) -> frozenset[str]:
        return frozenset(self.every)

    @cached_property
    def places(self) -> Mapping[str, tuple[int, ...]]:
        """Where each primary value stands."""
        found: dict[str, list[int]] = {}
        for position, value in enumerate(self.run):
            found.setdefault(value, []).append(position)
        return {value: tuple(positions) for value, positions in found.items()}


NO_WORDS = Words()


@dataclass(frozen=True)
class Entry:
    """One record as the index knows it. dates: proleptic ordinals, `date.toordinal()`."""

    id: str
    words: Mapping[str, Words]
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dates: Mapping[str, int] = field(default_factory=dict)


def entry_of(record: Record, first_seen: date | None = None) -> Entry:
    """Turn a record into its index entry. first_seen: the day on which it was first kept, where that matters."""
    found = {
        "title": _words((text.value, text.language) for text in record.titles),
        "product": _words(_product_lines(record), more=_gtins(record)),
        "brand": _words((product.brand, _language(record)) for product in record.products if product.brand),
        "company": _words((operator.name, _language(record)) for operator in record.operators),
        "reference": _own_references(record),
        "labels": _words(_label_lines(record), more=_nomenclature(record)),
        "text": _words(
            [*((text.value, text.language) for text in record.texts), *((cited, "en") for cited in record.cites)]
        ),
    }
    return Entry(
        id=record.id,
        words={name: field_words for name, field_words in found.items() if field_words.every},
        facets={name: values for name, values in _facets(record).items() if values},
        dates={
            name: day.toordinal()
            for name, day in (*((name, getattr(record, name)) for name in PRINTED_DATES), (FIRST_SEEN, first_seen))
            if isinstance(day, date)
        },
    )


# Words ----------------------------------------------------------------------------------------------------------------


def _words(lines: Iterable[tuple[str, str]], more: Iterable[str] = ()) -> Words:
    """lines: (text, language); more: values that stand in no text."""
    every: list[str] = []
    run: list[str] = []
    for text, language in lines:
        values, primary = words(text, language)
        every += values
        run += [BREAK, *primary] if run else primary
    return Words((*every, *more), tuple(run))


def _language(record: Record) -> str:
    return record.titles[0].language


def _product_lines(record: Record) -> Iterator[tuple[str, str]]:
    for product in record.products:
        for part in (product.name, product.model, product.batch, product.description, *product.identifiers):
            if part:
                yield part, _language(record)


def _gtins(record: Record) -> Iterator[str]:
    for product in record.products:
        for gtin in product.gtins:
            yield from _rungs(f"GTIN {gtin}") or (gtin,)


def _own_references(record: Record) -> Words:
    lines = [(printed, "en") for printed in (*record.references, record.key)]
    exact = (references.canonical(printed) for printed, _ in lines)
    return _words(lines, more=(EXACT + reference_value(reference) for reference in exact if reference))


def _nomenclature(record: Record) -> Iterator[str]:
    """HS and ICS codes as a typed 'HS 9503' or 'ICS 97.200' names them, wider codes included."""
    for coded in record.hs_codes:
        yield from _rungs(f"HS {coded.code or coded.printed}")
    for coded in record.ics_codes:
        yield from _rungs(f"ICS {coded.code or coded.printed}")


def _rungs(printed: str) -> tuple[str, ...]:
    canonical = references.canonical(printed)
    if canonical is None:
        return ()
    return tuple(dict.fromkeys(reference_value(rung) for rung in (canonical, *references.ladder(canonical))))


def _label_lines(record: Record) -> Iterator[tuple[str, str]]:
    """Say in Chinese and English what the codes say, so that Chinese words find foreign records by their codes."""
    chinese, english = KIND_WORDS[record.kind]
    yield chinese, "zh"
    yield english, "en"
    for place in (*record.jurisdictions, *record.origins):
        if place.code:
            yield countries.country_name(place.code, "zh"), "zh"
            yield countries.country_name(place.code, "en"), "en"
    for vocabulary, coded_values in (
        (categories, record.categories),
        (hazards, record.hazards),
        (measures, record.measures),
    ):
        for coded in coded_values:
            for code in vocabulary.lexicon().broader(coded.code) if coded.code else ():
                yield vocabulary.label(code, "zh"), "zh"
                yield vocabulary.label(code, "en"), "en"
    printed = [coded.printed for coded in (*record.categories, *record.hazards, *record.origins)]
    printed += [measure.printed for measure in record.measures]
    if record.classification:
        printed.append(record.classification.printed)
    if record.authority:
        printed.append(record.authority)
    for word in dict.fromkeys(printed):
        yield word, _language(record)


# Facets ---------------------------------------------------------------------------------------------------------------


def _facets(record: Record) -> dict[str, tuple[str, ...]]:
    texts = (*record.titles, *record.texts)
    return {
        "kind": (record.kind.value,),
        "source": (record.source,),
        "jurisdiction": _codes(record.jurisdictions),
        "origin": _codes(record.origins),
        "hazard": _codes(record.hazards, hazards),
        "category": _codes(record.categories, categories),
        "measure": _codes(record.measures, measures),
        "status": (record.status.state.value,) if record.status else (),
        "classification": (facet_value(record.classification.printed),) if record.classification else (),
        "year": (str(record.published.year),) if record.published else (),
        "month": (f"{record.published:%Y-%m}",) if record.published else (),
        "language": tuple(dict.fromkeys(text.language for text in texts if text.language != "und")),
        "hs": _prefixes(coded.code for coded in record.hs_codes if coded.code),
        "ics": tuple(dict.fromkeys(level for coded in record.ics_codes if coded.code for level in _ics(coded.code))),
    }


def facet_value(printed: str) -> str:
    """Return the facet value of a word that no vocabulary knows: 'Class  I' -> 'class i'."""
    return " ".join(printed.casefold().split())


def _codes(coded_values: Iterable[Coded | Measure], vocabulary: ModuleType | None = None) -> tuple[str, ...]:
    """Codes with the codes above them; a word nobody has mapped stands as printed, so that it can be asked for."""
    found: list[str] = []
    for coded in coded_values:
        if coded.code is None:
            found.append(facet_value(coded.printed))
        else:
            found += vocabulary.lexicon().broader(coded.code) if vocabulary else (coded.code,)
    return tuple(dict.fromkeys(found))


def _prefixes(hs_codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code[:length] for code in hs_codes for length in range(2, len(code) + 1)))


def _ics(code: str) -> tuple[str, ...]:
    try:
        return codes.ics_levels(code)
    except ValueError:  # a publisher's '97' with a stray letter is kept as printed
        return (code,)
