"""What the embedded index holds of an entry: its fields, and the runs of words that stand in it as one value.

Fields hold our tokens, joined by blanks and cut at blanks: tantivy analyses nothing. A field of words is kept three
times: every token for terms, the primary ones, and each two neighbours of these as one value, in order for phrases. A
phrase of two words is one such pair, and a longer one half as many pairs as words: comparing the places of 产 and 品 took
ten times as long at a million records.

Longer runs that the term bank asks for (バッテリー, ボタン電池, 'avertisseur de fumée') are one value each, so that a query in
other languages compares no places at all. An index keeps the runs it was made with; a term that is newer than the index
is looked up by its pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Any

import tantivy

from indexer.entry import BREAK, DATES, FACETS, NO_WORDS, WORD_FIELDS, Entry

SEARCHED = ("title", "product", "brand", "company", "reference")  # fields that a query may name
EVERYTHING = "all"
JOINED = "\x1f"  # between the values of a pair or a run: no blank, so that it is one token, and in no token
SAMPLE = 16  # every so manieth entry, by the hash of its id, is in the sample as well
RECENCY_SHARE = 0.15  # a notice of 2030 scores a tenth above the same of 2000
RECENCY_FROM, RECENCY_TO = 730_000, 741_000  # 1999-09 and 2029-10 as ordinals

# of what an index is made: one made of something else cannot be opened
FIELDS = blake2b(" ".join((*WORD_FIELDS, "pairs", "runs", "sample", *FACETS, *DATES)).encode(), digest_size=3)


class Runs:
    """The runs of three and more primary tokens that an index holds as one value each."""

    def __init__(self, runs: Iterable[Sequence[str]]) -> None:
        self.values = frozenset(JOINED.join(run) for run in runs)
        self._after: dict[str, Any] = {}  # value -> what may follow it; under "" the run that ends here
        for run in self.values:
            node = self._after
            for value in run.split(JOINED):
                node = node.setdefault(value, {})
            node[""] = run

    def within(self, tokens: Sequence[str]) -> Iterator[str]:
        """Yield the runs that stand in a sequence of primary tokens, as often as they do."""
        for start, value in enumerate(tokens):
            node = self._after.get(value)
            place = start
            while node is not None:
                if "" in node:
                    yield node[""]
                place += 1
                node = node.get(tokens[place]) if place < len(tokens) else None


def schema() -> tantivy.Schema:
    """The fields of the index and of its sample."""
    builder = tantivy.SchemaBuilder()
    # a raw text id: deleting by a term of an unsigned field deletes nothing and says so nowhere
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    for name in ("note", "kept"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("noted", stored=True, tokenizer_name="raw", index_option="basic")
    for name in (EVERYTHING, *SEARCHED):
        builder.add_text_field(name, tokenizer_name="blanks", index_option="freq")
        builder.add_text_field(f"{name}_run", tokenizer_name="blanks", index_option="freq")
        builder.add_text_field(f"{name}_pair", tokenizer_name="blanks", index_option="position")
    builder.add_text_field("names", tokenizer_name="blanks", index_option="freq")
    for name in FACETS:
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    for name in (*DATES, "newest", "oldest"):
        builder.add_integer_field(name, indexed=True, fast=True)
    builder.add_float_field("recency", fast=True)
    return builder.build()


def open_index(path: Path, fields: tantivy.Schema) -> tantivy.Index:
    """Open the index in a folder that exists, or make one there."""
    index = tantivy.Index(fields, path=str(path))
    index.register_tokenizer("blanks", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
    index.config_reader("manual")
    return index


def document(entry: Entry, runs: Runs) -> tantivy.Document:
    """An entry as tantivy keeps it."""
    made = tantivy.Document()
    made.add_text("id", entry.id)
    made.add_text("kept", "1")
    made.add_text(EVERYTHING, " ".join(" ".join(found.every) for found in entry.words.values()))
    _add_runs(made, EVERYTHING, [value for found in entry.words.values() for value in (*found.run, BREAK)], runs)
    for name in SEARCHED:
        if found := entry.words.get(name):
            made.add_text(name, " ".join(found.every))
            _add_runs(made, name, found.run, runs)
    names = [value for name in ("product", "brand", "company") for value in entry.words.get(name, NO_WORDS).every]
    made.add_text("names", " ".join(names))
    for name in FACETS:
        for value in entry.facets.get(name, ()):
            made.add_text(name, value)
    for name, day in entry.dates.items():
        made.add_integer(name, day)
    _add_order(made, entry)
    return made


def pairs(run: Sequence[str]) -> list[str]:
    """Each two neighbours as one value. Those with BREAK keep the places apart; nobody asks for them."""
    return [f"{one}{JOINED}{other}" for one, other in pairwise(run)]


def is_sampled(record_id: str) -> bool:
    """Whether an entry belongs to the sample."""
    return _digest(record_id) % SAMPLE == 0


def _add_runs(made: tantivy.Document, field: str, run: Sequence[str], runs: Runs) -> None:
    made.add_text(f"{field}_run", " ".join((*run, *runs.within(run))))
    made.add_text(f"{field}_pair", " ".join(pairs(run)))


def _add_order(made: tantivy.Document, entry: Entry) -> None:
    """Order by day, then by a hash of the id, so that pages never overlap and a rebuilt index answers in the same order."""
    day, tie = entry.dates.get("published"), _digest(entry.id)
    made.add_integer("newest", (day or 0) << 40 | tie)
    made.add_integer("oldest", (1 << 22 if day is None else day) << 40 | tie)
    age = min(max((day or 0) - RECENCY_FROM, 0), RECENCY_TO - RECENCY_FROM) + tie / (1 << 41)
    made.add_float("recency", RECENCY_SHARE * age / (RECENCY_TO - RECENCY_FROM))


def _digest(record_id: str) -> int:
    """40 bits that are the same in every index."""
    return int.from_bytes(blake2b(record_id.encode(), digest_size=5).digest(), "big")
