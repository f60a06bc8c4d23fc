"""What the embedded index holds of an entry: its fields, and the groups of words that stand in it as one value.

Fields hold our tokens, joined by blanks and cut at blanks: tantivy analyses nothing. A field of words is kept three
times: every token for terms, the primary ones, and each two neighbours of these as one value, in order for phrases. A
phrase of two words is one such pair, and a longer one half as many pairs as words: comparing the places of 产 and 品 took
ten times as long at a million records.

A concept of the term bank is one value as well, wherever one of its words stands, so that a query in seven languages is one
lookup, and no places are compared: バッテリー, ボタン電池, 'avertisseur de fumée'. What an entry means, by its words or by
a code, is a field of its own. An index keeps the groups of words it was made with; a word that is newer than the index is
looked up by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from hashlib import blake2b
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import tantivy

from indexer.entry import BREAK, DATES, FACETS, WORD_FIELDS, Entry, Words
from indexer.expand import Group, is_implied

SEARCHED = ("title", "product", "brand", "company", "reference")  # fields that a query may name
EVERYTHING = "all"
NAMES = "names"  # products, brands and companies together
JOINED = "\x1f"  # between the values of a pair: no blank, so that the pair is one token, and in no token
SAMPLE = 16  # every so manieth entry, by the hash of its id, is in the sample as well
RECENCY_SHARE = 0.15  # a notice of 2030 scores a tenth above the same of 2000
RECENCY_FROM, RECENCY_TO = 730_000, 741_000  # 1999-09 and 2029-10 as ordinals

# of what an index is made: one made of something else cannot be opened
FIELDS = blake2b(" ".join((*WORD_FIELDS, "pairs", "groups", "sample", *FACETS, *DATES)).encode(), digest_size=3)


class Groups:
    """The groups of words that an index holds as one value each: their numbers."""

    def __init__(self, listed: Sequence[Group]) -> None:
        self.listed = listed
        self._of_value: dict[str, list[str]] = {}
        self._of_code: dict[tuple[str, str], list[str]] = {}
        # the first two values of a run -> what may follow them; under "" the groups of the run that ends here
        self._after: dict[str, Any] = {}
        for number, group in enumerate(listed):
            name = str(number)
            for value in group.values:
                self._of_value.setdefault(value, []).append(name)
            for code in group.codes:
                self._of_code.setdefault(code, []).append(name)
            for run in group.runs:
                node = self._after.setdefault(JOINED.join(run[:2]), {})
                for value in run[2:]:
                    node = node.setdefault(value, {})
                node.setdefault("", []).append(name)

    def met(self, words: Words, paired: Sequence[str]) -> list[str]:
        """The groups of which words stand in a field, as often as they do. paired: the pairs of its run."""
        run = words.run
        found = [*chain.from_iterable(filter(None, map(self._of_value.get, words.every)))]
        nodes, start = [*map(self._after.get, paired)], -1
        for node in filter(None, nodes):
            start = nodes.index(node, start + 1)
            place = start + 2
            while node is not None:
                found += node.get("", ())
                node = node.get(run[place]) if place < len(run) else None
                place += 1
        return found

    def coded(self, facets: Mapping[str, Sequence[str]]) -> list[str]:
        """The groups that the codes of an entry stand for."""
        coded = ((name, value) for name, values in facets.items() for value in values)
        return [*chain.from_iterable(filter(None, map(self._of_code.get, coded)))]

    def inside(
        self, values: Collection[str], runs: Collection[tuple[str, ...]], codes: Container[tuple[str, str]] | None
    ) -> list[int]:
        """The groups that select nothing beyond what these values, runs and codes select. codes: None where none count."""
        names = {name for value in values for name in self._of_value.get(value, ())}
        names |= {name for run in runs for name in self._of_run(run)}
        asked = frozenset(values)
        return [
            number
            for number in sorted(map(int, names))
            if self.listed[number].values <= asked
            and all(is_implied(run, values, runs) for run in self.listed[number].runs)
            and (codes is None or all(code in codes for code in self.listed[number].codes))
        ]

    def _of_run(self, run: Sequence[str]) -> Sequence[str]:
        node = self._after.get(JOINED.join(run[:2]), {})
        for value in run[2:]:
            node = node.get(value, {})
        found: Sequence[str] = node.get("", ())
        return found


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
    for name in (EVERYTHING, *SEARCHED, NAMES):
        builder.add_text_field(f"{name}_group", tokenizer_name="blanks", index_option="freq")
    builder.add_text_field(NAMES, tokenizer_name="blanks", index_option="freq")
    builder.add_text_field("meant", tokenizer_name="blanks", index_option="basic")
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


def document(entry: Entry, groups: Groups) -> tantivy.Document:
    """An entry as tantivy keeps it."""
    made = tantivy.Document()
    made.add_text("id", entry.id)
    made.add_text("kept", "1")
    kept = {name: _kept(found, groups) for name, found in entry.words.items()}
    in_any = " ".join(filter(None, (field.groups for field in kept.values())))
    everything = _Kept(
        every=" ".join(field.every for field in kept.values()),
        run=f" {BREAK} ".join(field.run for field in kept.values()),
        paired=f" {BREAK} {BREAK} ".join(field.paired for field in kept.values()),
        groups=in_any,
    )
    _add_words(made, EVERYTHING, everything)
    for name in SEARCHED:
        if name in kept:
            _add_words(made, name, kept[name])
    named = [kept[name] for name in ("product", "brand", "company") if name in kept]
    made.add_text(NAMES, " ".join(field.every for field in named))
    made.add_text(f"{NAMES}_group", " ".join(field.groups for field in named))
    made.add_text("meant", " ".join({*in_any.split(), *groups.coded(entry.facets)}))
    for name, values in entry.facets.items():
        for value in values:
            made.add_text(name, value)
    for name, day in entry.dates.items():
        made.add_integer(name, day)
    _add_order(made, entry)
    return made


class _Kept(NamedTuple):
    """The values of a field, joined by blanks: every one, the primary ones, their pairs, and its groups."""

    every: str
    run: str
    paired: str
    groups: str


def _kept(words: Words, groups: Groups) -> _Kept:
    paired = pairs(words.run)
    return _Kept(" ".join(words.every), " ".join(words.run), " ".join(paired), " ".join(groups.met(words, paired)))


def pairs(run: Sequence[str]) -> list[str]:
    """Each two neighbours as one value. Those with BREAK keep the places apart; nobody asks for them."""
    return [*map(JOINED.join, pairwise(run))]


def is_sampled(record_id: str) -> bool:
    """Whether an entry belongs to the sample."""
    return _digest(record_id) % SAMPLE == 0


def _add_words(made: tantivy.Document, field: str, kept: _Kept) -> None:
    for name, values in (
        (field, kept.every),
        (f"{field}_run", kept.run),
        (f"{field}_pair", kept.paired),
        (f"{field}_group", kept.groups),
    ):
        if values:
            made.add_text(name, values)


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
