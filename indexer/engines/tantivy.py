"""The embedded engine: tantivy, one folder an index, a pointer file that names the current one.

    <root>/current            the name of the folder that is searched; replaced in one step
    <root>/index-<word>/      one index
    <root>/writer.lock        held while a batch is written or an index is promoted
    <root>/rebuild.lock       held while a successor is built

Fields hold our tokens, joined by blanks and cut at blanks: tantivy analyses nothing, and never parses a query. A field
of words is kept three times: every token for terms, the primary ones, and each two neighbours of these as one value,
in order for phrases. A phrase of two words is one such pair, and a longer one half as many pairs as words: comparing the
places of 产 and 品 took ten times as long at a million records. The follower's position is a document of its own,
committed together with the entries.

Scoring a hit costs ten times what counting it does. Of more than SCORED_MAX hits, those with the words in the title come
first, best first while they are few enough themselves, and the others follow from the newest to the oldest.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import tantivy

from indexer.analysis import fingerprint
from indexer.engines.base import EngineBusyError, Hits, Sort
from indexer.entry import BREAK, DATES, EXACT, FACETS, NO_WORDS, WORD_FIELDS, Entry
from indexer.query import All, And, Filter, Not, Or, Phrase, Query, Range, Term, in_titles, leaves

SEARCHED = ("title", "product", "brand", "company", "reference")  # fields that a query may name
EVERYTHING = "all"
PAIRED = "\x1f"  # between the two values of a pair: no blank, so that the pair is one token, and in no token
WRITER_MEMORY_BYTES = 64_000_000
FACET_VALUES_MAX = 100
COMPILED_MAX = 2_000
COUNTS_MAX = 1_000  # searches of which totals and facets are kept
SAMPLES = 16  # parts into which the entries are dealt by the hash of their ids
COUNTED_MAX = 60_000  # facets of more hits are counted in a sample: six facets of a million hits took 65 ms
SAMPLED = 30_000  # hits in such a sample, at least

TITLE_BOOST = 1.5
NAME_BOOST = 1.0
PAIR_BOOST = 1.6  # a phrase sums the rarity of its words, a pair has its own alone
SCORED_MAX = 100_000  # to score a million hits took 100 ms, to count them 6
REFERENCE_SCORE = 20.0  # above any sum of words: who types a number wants that document first
EXACT_REFERENCE_SCORE = 20.0
CODE_SCORE = 4.0  # a code counts like one good word: 'choking' as hazard, where the notice does not print the word
SYNONYM_SHARE = 0.1
RECENCY_SHARE = 0.15  # a notice of 2030 scores a tenth above the same of 2000
RECENCY_FROM, RECENCY_TO = 730_000, 741_000  # 1999-09 and 2029-10 as ordinals

FIELDS = blake2b(" ".join((*WORD_FIELDS, "pairs", "sample", *FACETS, *DATES)).encode(), digest_size=3).hexdigest()
NAME = f"index-{FIELDS}-"  # an index with other fields than today's cannot be opened

_Counts = tuple[int, dict[str, tuple[tuple[str, int], ...]], bool]  # total, facets, whether these are estimated
_KeptCounts = dict[tuple[Query, tuple[str, ...]], _Counts]


@dataclass(frozen=True, slots=True)
class _Reader:
    """One commit, open. seen: the file that tells of a newer one."""

    folder: Path
    seen: tuple[int, int]
    index: tantivy.Index
    counts: _KeptCounts


class TantivyEngine:
    """The default engine. Any number of processes may search; writers take turns by a file lock."""

    def __init__(self, root: Path, *, _folder: str | None = None) -> None:
        self._root = root
        self._folder = _folder  # a successor's own; otherwise the pointer decides
        self._schema = _schema()
        self._reader_lock = threading.Lock()
        self._reader: _Reader | None = None
        self._writer: tuple[tantivy.Index, tantivy.IndexWriter] | None = None  # a successor keeps one for all batches
        self._rebuild_lock: int | None = None
        self._compile = lru_cache(COMPILED_MAX)(self._compiled)  # one search asks for the same parts again and again
        root.mkdir(parents=True, exist_ok=True)

    # Writing

    def write(self, entries: Iterable[Entry], position: int) -> None:
        self._commit(entries, (), position)

    def remove(self, ids: Iterable[str], position: int) -> None:
        self._commit((), ids, position)

    def _commit(self, entries: Iterable[Entry], removed: Iterable[str], position: int) -> None:
        with self._writing() as writer:
            for record_id in removed:
                writer.delete_documents_by_term("id", record_id)
            for entry in entries:
                writer.delete_documents_by_term("id", entry.id)
                writer.add_document(_document(entry))
            writer.delete_documents_by_term("note", "position")
            note = tantivy.Document()
            note.add_text("note", "position")
            note.add_text("noted", orjson.dumps({"position": position, "tokens": fingerprint()}).decode())
            writer.add_document(note)
            writer.commit()

    @contextmanager
    def _writing(self) -> Iterator[tantivy.IndexWriter]:
        if self._folder is not None:
            if self._writer is None:
                index = self._open(self._root / self._folder)
                self._writer = index, index.writer(WRITER_MEMORY_BYTES, 1)
            yield self._writer[1]
            return
        with _locked(self._root / "writer.lock"):
            folder = self._current() or self._start()
            writer = self._open(folder).writer(WRITER_MEMORY_BYTES, 1)
            try:
                yield writer
            except BaseException:
                writer.rollback()
                raise
            finally:
                writer.wait_merging_threads()

    def _start(self) -> Path:
        """Make the first index; what an interrupted rebuild left behind goes."""
        name = _new_name()
        self._open(self._root / name)
        self._point_to(name)
        self._sweep()
        return self._root / name

    # Rebuilding

    def successor(self) -> TantivyEngine:
        lock = os.open(self._root / "rebuild.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise EngineBusyError(f"an index is being rebuilt in {self._root}") from error
        with _locked(self._root / "writer.lock"):
            self._sweep(is_rebuilding=True)
        engine = TantivyEngine(self._root, _folder=_new_name())
        engine._rebuild_lock = lock
        engine._open(self._root / str(engine._folder))
        return engine

    def promote(self, successor: TantivyEngine) -> None:
        if successor._folder is None or successor._root != self._root:
            raise ValueError("only a successor of the same place can be promoted")
        successor._finish()
        with _locked(self._root / "writer.lock"):
            self._point_to(successor._folder)
            self._sweep(is_rebuilding=True)
        successor._folder = None
        successor.close()

    def _finish(self) -> None:
        if self._writer is not None:
            self._writer[1].wait_merging_threads()
            self._writer = None

    def close(self) -> None:
        self._finish()
        self._reader = None
        if self._folder is not None:
            shutil.rmtree(self._root / self._folder, ignore_errors=True)
        if self._rebuild_lock is not None:
            os.close(self._rebuild_lock)
            self._rebuild_lock = None

    def _sweep(self, *, is_rebuilding: bool = False) -> None:
        """Remove every index but the current one; the caller holds the writer's lock."""
        if not is_rebuilding:
            lock = os.open(self._root / "rebuild.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # somebody else builds beside
                return
            finally:
                os.close(lock)
        current = self._current()
        for folder in self._root.glob("index-*"):
            if folder != current:
                shutil.rmtree(folder, ignore_errors=True)

    def _current(self) -> Path | None:
        try:
            folder = self._root / (self._root / "current").read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        is_ours = folder.name.startswith(NAME) and (folder / "meta.json").exists()
        return folder if is_ours else None  # one with other fields counts as none: the log is followed from its start

    def _point_to(self, name: str) -> None:
        draft = self._root / "current.new"
        with draft.open("w", encoding="utf-8") as file:
            file.write(name)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._root / "current")
        folder = os.open(self._root, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def _open(self, folder: Path) -> tantivy.Index:
        folder.mkdir(exist_ok=True)
        index = tantivy.Index(self._schema, path=str(folder))
        index.register_tokenizer("blanks", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
        index.config_reader("manual")
        return index

    # Reading

    def position(self) -> int:
        return int(self._noted().get("position", 0))

    def is_stale(self) -> bool:
        noted = self._noted()
        return bool(noted) and noted.get("tokens") != fingerprint()

    def _noted(self) -> Mapping[str, Any]:
        opened = self._opened()
        if opened is None:
            return {}
        searcher, _ = opened
        found = searcher.search(tantivy.Query.term_query(self._schema, "note", "position", "basic"), 1).hits
        return dict(orjson.loads(str(searcher.doc(found[0][1]).get_first("noted")))) if found else {}

    def count(self) -> int:
        return self.search(All(), 0, 0).total

    def search(
        self, query: Query, first: int, count: int, sort: Sort = "relevance", facets: Sequence[str] = ()
    ) -> Hits:
        opened = self._opened()
        if opened is None:
            return Hits(0, (), dict.fromkeys(facets, ()))
        searcher, kept = opened
        total, counted, is_estimated = self._counts(searcher, kept, query, tuple(facets))
        if sort == "relevance" and not any(isinstance(leaf, Term | Phrase) for leaf in leaves(query)):
            sort = "newest"  # filters do not score
        hits: list[tuple[str, float]] = []
        for tier, size, order in self._tiers(searcher, query, total, sort):
            if first < size and len(hits) < count:
                hits += self._ordered(searcher, tier, first, count - len(hits), order)
            first = max(0, first - size)
        return Hits(total, tuple(hits), counted, is_estimated)

    def _counts(self, searcher: tantivy.Searcher, kept: _KeptCounts, query: Query, facets: tuple[str, ...]) -> _Counts:
        """Total and facets, kept as long as nothing is committed: the next page of a search asks the same."""
        found = kept.get((query, facets))
        if found is None:
            total = self._total(searcher, query)
            found = total, *self._counted(searcher, self._compile(query), facets, total)
            if len(kept) >= COUNTS_MAX:
                kept.clear()
            kept[query, facets] = found
        return found

    def _total(self, searcher: tantivy.Searcher, query: Query) -> int:
        """How many entries a query selects; nothing is scored."""
        counted = searcher.aggregate(self._compile(query), {"total": {"value_count": {"field": "newest"}}})
        return int(counted["total"]["value"])

    def _tiers(
        self, searcher: tantivy.Searcher, query: Query, total: int, sort: Sort
    ) -> Iterator[tuple[Query, int, Sort]]:
        """What comes first and what follows: a query, how many entries it selects, and their order."""
        if sort != "relevance" or total <= SCORED_MAX:
            yield query, total, sort
            return
        titled = in_titles(query)
        size = self._total(searcher, titled)
        yield titled, size, "relevance" if size <= SCORED_MAX else "newest"
        yield And((query, Not(titled))), total - size, "newest"

    def _ordered(
        self, searcher: tantivy.Searcher, query: Query, first: int, count: int, sort: Sort
    ) -> list[tuple[str, float]]:
        order: dict[str, Any] = {"weight_by_field": "recency"}
        if sort == "newest":
            order = {"order_by_field": "newest", "order": tantivy.Order.Desc}
        elif sort == "oldest":
            order = {"order_by_field": "oldest", "order": tantivy.Order.Asc}
        found = searcher.search(self._compile(query), count, offset=first, count=False, **order)
        hits: list[tuple[str, float]] = []
        for score, address in found.hits:
            hit_id = str(searcher.doc(address).get_first("id"))
            hits.append((hit_id, float(score) if sort == "relevance" else 0.0))
        return sorted(hits, key=lambda hit: (-hit[1], hit[0])) if sort == "relevance" else hits

    def _counted(
        self, searcher: tantivy.Searcher, query: tantivy.Query, facets: Sequence[str], total: int
    ) -> tuple[dict[str, tuple[tuple[str, int], ...]], bool]:
        """Count the values of facets, and say whether that was done in a sample."""
        if unknown := set(facets) - set(FACETS):
            raise ValueError(f"unknown facets {sorted(unknown)}")
        if not facets:
            return {}, False
        share = 1.0
        if total > COUNTED_MAX:
            parts = -(-SAMPLED * SAMPLES // total)
            sampled = tantivy.Query.term_set_query(self._schema, "sample", [str(part) for part in range(parts)])
            query = tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, sampled)])
            share = parts / SAMPLES
        wanted = {name: {"terms": {"field": name, "size": FACET_VALUES_MAX}} for name in facets}
        answer = searcher.aggregate(query, wanted)
        counted = {}
        for name in facets:
            buckets = [(bucket["key"], _scaled(bucket["doc_count"], share)) for bucket in answer[name]["buckets"]]
            counted[name] = tuple(sorted(buckets, key=lambda bucket: (-bucket[1], bucket[0])))
        return counted, share < 1

    def _opened(self) -> tuple[tantivy.Searcher, _KeptCounts] | None:
        """The newest commit of the current index, and what was counted in it; None before the first."""
        for attempt in range(3):
            folder = self._root / self._folder if self._folder else self._current()
            if folder is None:
                return None
            try:
                with self._reader_lock:
                    stat = (folder / "meta.json").stat()
                    seen = (stat.st_ino, stat.st_mtime_ns)
                    if self._reader is None or self._reader.folder != folder:
                        self._reader = _Reader(folder, seen, self._open(folder), {})
                    elif self._reader.seen != seen:
                        self._reader.index.reload()
                        self._reader = _Reader(folder, seen, self._reader.index, {})
                    return self._reader.index.searcher(), self._reader.counts
            except (OSError, ValueError):  # the folder was swept between the look at the pointer and the opening
                self._reader = None
                if attempt == 2:
                    raise
        return None

    # Compiling

    def _compiled(self, query: Query) -> tantivy.Query:
        match query:
            case Term(values=values, field=field):
                return self._with_boosts(
                    self._any_term(field or EVERYTHING, values),
                    [] if field else self._term_boosts(values, is_reference=query.is_reference),
                )
            case Phrase(runs=runs, field=field):
                return self._with_boosts(
                    self._any_run(field or EVERYTHING, runs),
                    [] if field else [tantivy.Query.boost_query(self._any_run("title", runs), TITLE_BOOST)],
                )
            case Filter(field, value):
                return self._silent(tantivy.Query.term_query(self._schema, field, value, "basic"))
            case Range(field, low, high):
                bounds = (0 if low is None and high is None else low, high)
                return self._silent(tantivy.Query.range_query(self._schema, field, tantivy.FieldType.Integer, *bounds))
            case And(parts):
                return self._conjunction(parts)
            case Or(parts, text, least):
                return self._disjunction(parts, is_one_word=bool(text), least=least)
            case Not():
                return self._conjunction((query,))
            case All():
                return self._silent(tantivy.Query.term_query(self._schema, "kept", "1", "basic"))

    def _conjunction(self, parts: Sequence[Query]) -> tantivy.Query:
        clauses = [
            (tantivy.Occur.MustNot, self._compile(part.part))
            if isinstance(part, Not)
            else (tantivy.Occur.Must, self._compile(part))
            for part in parts
        ]
        if all(isinstance(part, Not) for part in parts):
            clauses.append((tantivy.Occur.Must, self._compile(All())))
        return tantivy.Query.boolean_query(clauses)

    def _disjunction(self, parts: Sequence[Query], *, is_one_word: bool, least: int) -> tantivy.Query:
        if least == 1 and not is_one_word and parts and all(map(_is_id, parts)):
            ids = [part.value for part in parts if isinstance(part, Filter)]
            return self._silent(tantivy.Query.term_set_query(self._schema, "id", ids))
        compiled = [
            tantivy.Query.const_score_query(self._compile(part), CODE_SCORE)
            if is_one_word and isinstance(part, Filter)
            else self._compile(part)
            for part in parts
        ]
        if least > 1:
            some = [(tantivy.Occur.Should, one) for one in compiled]
            return tantivy.Query.boolean_query(some, minimum_number_should_match=least)
        if is_one_word and compiled:
            return tantivy.Query.disjunction_max_query(compiled, SYNONYM_SHARE)
        return _any(compiled)

    def _term_boosts(self, values: Sequence[str], *, is_reference: bool) -> list[tantivy.Query]:
        if is_reference:
            exact = [EXACT + value for value in values]
            return [
                tantivy.Query.const_score_query(self._any_term("reference", values), REFERENCE_SCORE),
                tantivy.Query.const_score_query(self._any_term("reference", exact), EXACT_REFERENCE_SCORE),
            ]
        return [
            tantivy.Query.boost_query(self._any_term("title", values), TITLE_BOOST),
            tantivy.Query.boost_query(self._any_term("names", values), NAME_BOOST),
        ]

    def _any_term(self, field: str, values: Sequence[str]) -> tantivy.Query:
        return _any([tantivy.Query.term_query(self._schema, field, value, "freq") for value in values])

    def _any_run(self, field: str, runs: Sequence[Sequence[str]]) -> tantivy.Query:
        return _any([self._run(field, run) for run in runs])

    def _run(self, field: str, run: Sequence[str]) -> tantivy.Query:
        if len(run) == 1:
            return tantivy.Query.term_query(self._schema, f"{field}_run", run[0], "freq")
        pairs = _pairs(run)
        if len(pairs) == 1:
            pair = tantivy.Query.term_query(self._schema, f"{field}_pair", pairs[0], "freq")
            return tantivy.Query.boost_query(pair, PAIR_BOOST)
        places = sorted({*range(0, len(pairs), 2), len(pairs) - 1})  # these hold every word of the run
        return tantivy.Query.phrase_query(self._schema, f"{field}_pair", [(place, pairs[place]) for place in places])

    def _with_boosts(self, wanted: tantivy.Query, boosts: Sequence[tantivy.Query]) -> tantivy.Query:
        if not boosts:
            return wanted
        clauses = [(tantivy.Occur.Must, wanted), *((tantivy.Occur.Should, boost) for boost in boosts)]
        return tantivy.Query.boolean_query(clauses)

    def _silent(self, query: tantivy.Query) -> tantivy.Query:
        return tantivy.Query.const_score_query(query, 0.0)


def _scaled(count: int, share: float) -> int:
    """A count in a share of the hits as one of all, to two digits; the count itself where all were counted."""
    return count if share == 1 else int(float(f"{count / share:.1e}"))


def _is_id(part: Query) -> bool:
    return isinstance(part, Filter) and part.field == "id"


def _any(queries: Sequence[tantivy.Query]) -> tantivy.Query:
    if not queries:
        return tantivy.Query.empty_query()
    if len(queries) == 1:
        return queries[0]
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries])


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    # a raw text id: deleting by a term of an unsigned field deletes nothing and says so nowhere
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    for name in ("note", "kept", "sample"):
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


def _document(entry: Entry) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("id", entry.id)
    document.add_text("kept", "1")
    tie = _digest(entry.id)
    document.add_text("sample", str(tie % SAMPLES))
    document.add_text(EVERYTHING, " ".join(" ".join(found.every) for found in entry.words.values()))
    run = [value for found in entry.words.values() for value in (*found.run, BREAK)]
    document.add_text(f"{EVERYTHING}_run", " ".join(run))
    document.add_text(f"{EVERYTHING}_pair", " ".join(_pairs(run)))
    for name in SEARCHED:
        if found := entry.words.get(name):
            document.add_text(name, " ".join(found.every))
            document.add_text(f"{name}_run", " ".join(found.run))
            document.add_text(f"{name}_pair", " ".join(_pairs(found.run)))
    names = [value for name in ("product", "brand", "company") for value in entry.words.get(name, NO_WORDS).every]
    document.add_text("names", " ".join(names))
    for name in FACETS:
        for value in entry.facets.get(name, ()):
            document.add_text(name, value)
    for name, day in entry.dates.items():
        document.add_integer(name, day)
    _add_order(document, entry, tie)
    return document


def _pairs(run: Sequence[str]) -> list[str]:
    """Each two neighbours as one value. Those with BREAK keep the places apart; nobody asks for them."""
    return [f"{one}{PAIRED}{other}" for one, other in pairwise(run)]


def _add_order(document: tantivy.Document, entry: Entry, tie: int) -> None:
    """Order by day, then by a hash of the id, so that pages never overlap and a rebuilt index answers in the same order."""
    day = entry.dates.get("published")
    document.add_integer("newest", (day or 0) << 40 | tie)
    document.add_integer("oldest", (1 << 22 if day is None else day) << 40 | tie)
    age = min(max((day or 0) - RECENCY_FROM, 0), RECENCY_TO - RECENCY_FROM) + tie / (1 << 41)
    document.add_float("recency", RECENCY_SHARE * age / (RECENCY_TO - RECENCY_FROM))


def _digest(record_id: str) -> int:
    """40 bits that are the same in every index."""
    return int.from_bytes(blake2b(record_id.encode(), digest_size=5).digest(), "big")


def _new_name() -> str:
    return NAME + secrets.token_hex(6)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
