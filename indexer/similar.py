"""Records like another one: what shares the rare words of its title, its products and the labels of its codes."""

from __future__ import annotations

from indexer.analysis import words
from indexer.engines.base import Engine
from indexer.entry import entry_of
from indexer.query import STOP_WORDS, And, Filter, Not, Or, Term
from library.record import Record
from library.store.store import Store
from library.vocabulary import categories, hazards

WORDS_MAX = 32
LIKE_SHOWN = 6


def similar(store: Store, engine: Engine, record: Record, count: int = LIKE_SHOWN) -> list[Record]:
    """The records most like one, itself left out; rare words weigh more, as in any search."""
    values = _values(record)
    if not values:
        return []
    some = Or(tuple(Term(value, (value,)) for value in values))
    found = engine.search(And((some, Not(Filter("id", record.id)))), 0, count)
    return store.get_many(found.ids)


def _values(record: Record) -> list[str]:
    found: dict[str, None] = {}
    for module, coded_values in ((hazards, record.hazards), (categories, record.categories)):
        for coded in coded_values:
            if coded.code:  # the label stands in every record with the code, whatever its language
                every, _ = words(str(module.label(coded.code, "en")), "en")
                found |= dict.fromkeys(value for value in every if len(value) > 2)
    entry = entry_of(record)
    for field in ("title", "product", "brand"):
        if field in entry.words:
            found |= dict.fromkeys(
                value for value in entry.words[field].every if len(value) > 1 and value not in STOP_WORDS
            )
    return list(found)[:WORDS_MAX]
