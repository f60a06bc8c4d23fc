"""Reasons: which clause of a query found what in a record, in the record's own words, as the ledger keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson

from indexer.analysis import Token, tokens
from indexer.query import Reason
from library.record import Record

WORDS_LIMIT = 3  # of one reason; a record of 5,000 products names its word often enough


def printed_reasons(reasons: Iterable[Reason], record: Record) -> list[Reason]:
    """Replace token values by the words as the record prints them: 'chok' -> 'choking'."""
    return [
        Reason(reason.clause, reason.field, tuple(_printed(reason, record)) or reason.words[:WORDS_LIMIT])
        for reason in reasons
    ]


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
