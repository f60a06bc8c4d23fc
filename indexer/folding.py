"""folded(): which of some records tell of one event, so that a page can show them as one.

One event is: an event number the source prints in several records; one original page; the same words of title, hazards
and origins within a month; or a recall of one product in two countries within days.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from rapidfuzz import fuzz

from indexer.analysis import words
from library.record import Kind, Record
from library.vocabulary.references import canonical

WITHIN = timedelta(days=30)
JOINT_WITHIN = timedelta(days=10)
TITLE_WORDS_MIN = 4  # 'dried figs' is the title of 38 consignments
JOINT_LIKENESS_MIN = 88.0  # per cent; 'X Recalls Y Due to Choking Hazard' and 'Y recalled by X due to choking hazard'
ORIGINAL = frozenset({"original", "recall_page"})


@dataclass(frozen=True, slots=True)
class _Traits:
    """What of a record is compared."""

    record: Record
    references: frozenset[str]
    originals: frozenset[str]
    title: tuple[str, ...]
    names: frozenset[str]
    codes: frozenset[str]


def folded(records: Sequence[Record]) -> list[list[int]]:
    """Group the places of records that tell of one event, in the order of each group's first."""
    traits = [_traits(record) for record in records]
    groups: list[list[int]] = []
    for place, one in enumerate(traits):
        group = next((group for group in groups if any(_is_same(traits[other], one) for other in group)), None)
        if group is None:
            groups.append([place])
        else:
            group.append(place)
    return groups


def _traits(record: Record) -> _Traits:
    names = [name for product in record.products for name in (product.brand, product.name, *product.gtins) if name]
    return _Traits(
        record=record,
        references=frozenset(_references(record)),
        originals=frozenset(link.url for link in record.links if link.label in ORIGINAL),
        title=tuple(words(record.titles[0].value, record.titles[0].language)[1]),
        names=frozenset(name.casefold() for name in names),
        codes=frozenset(
            f"{field}:{coded.code or coded.printed}"
            for field, coded_values in (("hazard", record.hazards), ("origin", record.origins))
            for coded in coded_values
        ),
    )


def _references(record: Record) -> Iterator[str]:
    """References that mean one thing everywhere, and the source's own numbers, which mean it within the source only."""
    for printed in record.references:
        if len(printed) > 4:
            yield canonical(printed) or f"{record.source}:{printed.casefold()}"


def _is_same(one: _Traits, other: _Traits) -> bool:
    if one.record.kind is not other.record.kind:
        return False
    if one.references & other.references or one.originals & other.originals:
        return True
    if one.record.published is None or other.record.published is None:
        return False
    apart = abs(one.record.published - other.record.published)
    if apart <= WITHIN and one.title == other.title and len(one.title) >= TITLE_WORDS_MIN and one.codes == other.codes:
        return True
    return (
        one.record.kind is Kind.RECALL
        and one.record.source != other.record.source
        and one.record.jurisdictions != other.record.jurisdictions
        and apart <= JOINT_WITHIN
        and bool(one.names & other.names or not one.names or not other.names)
        and fuzz.token_set_ratio(" ".join(one.title), " ".join(other.title)) >= JOINT_LIKENESS_MIN
        and min(len(one.title), len(other.title)) >= TITLE_WORDS_MIN
    )
