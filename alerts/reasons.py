"""Reasons: which clause of a query found what in a record, in the record's own words, as the ledger keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

import orjson

from indexer.analysis import Token, tokens
from indexer.query import Reason
from library.record import Record
from library.vocabulary import categories, codes, hazards

STEP = " > "  # between two steps of a way down a tree
WORDS_LIMIT = 3  # of one reason; a record of 5,000 products names its word often enough


def printed_reasons(reasons: Iterable[Reason], record: Record) -> list[Reason]:
    """Replace token values by the words as the record prints them: 'chok' -> 'choking'.

    A code of a tree is replaced by the way down from it to the record's own codes: '95' -> '95 > 9503 > 950300'.
    """
    return [Reason(reason.clause, reason.field, _told(reason, record)) for reason in reasons]


def _told(reason: Reason, record: Record) -> tuple[str, ...]:
    return tuple(_way(reason, record) or _printed(reason, record)) or reason.words[:WORDS_LIMIT]


def write_reasons(reasons: Iterable[Reason]) -> str:
    """Write reasons as JSON: [[clause, field, [word, …]], …]."""
    return orjson.dumps([[reason.clause, reason.field, list(reason.words)] for reason in reasons]).decode()


def read_reasons(written: str) -> tuple[Reason, ...]:
    """Read what `write_reasons` wrote."""
    return tuple(Reason(clause, field, tuple(words)) for clause, field, words in orjson.loads(written))


def _printed(reason: Reason, record: Record) -> list[str]:
    found: dict[str, None] = {}
    for text, language in _texts(reason.field, record):
        spots = tokens(text, language)
        for start, end in _run(spots, reason.words) or _spots(spots, reason.words):
            found[text[start:end]] = None
            if len(found) == WORDS_LIMIT:
                return list(found)
    return list(found)


def _way(reason: Reason, record: Record) -> list[str]:
    """The ways from a code that was asked for down to the codes of the record; none where it is its own."""
    asked = reason.words[0] if reason.words else ""
    ways = []
    for levels in _levels(reason.field, record):
        if asked in levels and levels[-1] != asked:
            ways.append(STEP.join(levels[levels.index(asked) :]))
    return list(dict.fromkeys(ways))[:WORDS_LIMIT]


def _levels(field: str, record: Record) -> Iterator[tuple[str, ...]]:
    """The codes of a record in one tree, each with all above it, widest first."""
    match field:
        case "hs":
            yield from (codes.hs_levels(coded.code) for coded in record.hs_codes if coded.code)
        case "ics":
            for coded in record.ics_codes:
                with suppress(ValueError):  # a code kept as printed stands in no tree
                    yield codes.ics_levels(coded.code or "")
        case "hazard":
            yield from (hazards.lexicon().broader(coded.code)[::-1] for coded in record.hazards if coded.code)
        case "category":
            yield from (categories.lexicon().broader(coded.code)[::-1] for coded in record.categories if coded.code)


def _run(spots: list[Token], words: tuple[str, ...]) -> list[tuple[int, int]]:
    """Where the words stand one after the other; a phrase is shown whole."""
    primary = [token for token in spots if token.primary]
    length = len(words)
    return [
        (primary[at].start, primary[at + length - 1].end)
        for at in range(len(primary) - length + 1)
        if length > 1 and all(primary[at + step].value == word for step, word in enumerate(words))
    ]


def _spots(spots: list[Token], words: tuple[str, ...]) -> list[tuple[int, int]]:
    return [(token.start, token.end) for token in spots if token.value in words]


def _texts(field: str, record: Record) -> Iterator[tuple[str, str]]:
    """The texts of a word field with their languages; labels and references have none."""
    language = record.titles[0].language
    match field:
        case "title":
            yield from ((text.value, text.language) for text in record.titles)
        case "text":
            yield from ((text.value, text.language) for text in record.texts)
        case "product":
            for product in record.products:
                yield from (
                    (part, language)
                    for part in (product.name, product.model, product.batch, product.description)
                    if part
                )
        case "brand":
            yield from ((product.brand, language) for product in record.products if product.brand)
        case "company":
            yield from ((operator.name, language) for operator in record.operators)
