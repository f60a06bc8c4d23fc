"""`python -m benchmarks.large_search`: one large generated library, searched by both engines and by SQLite FTS5.

The library grows in three steps, to a quarter, a half and all of `--records`; each step is measured alike, so that its
lines give slopes. A few thousand records are tokenised, and the others are those with other numbers, days and names.

Ours is search() as the pages call it: it parses, widens, asks and ranks. The naive peer is an FTS5 table of the same
tokens, one blank between two, with its facets in columns; it is asked the query as typed, without other languages and
meaning. A place is open where no Elasticsearch server can be had. Percentiles are milliseconds on the wall. What the product
keeps of a search (totals, facets, compiled queries, the vector of a question) is forgotten before each, but for `api_again`.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain, cycle, islice
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any

import httpx2 as httpx

from benchmarks.figure import Figure, cpu_seconds, peak_mib, percentile
from benchmarks.indexing import TEXT_CHARACTERS, _text
from benchmarks.invented_records import CHINESE, LAST_DAY, SPAN_DAYS, name, records
from benchmarks.searching import FACETS, HITS, QUERIES
from crawlers.practice import goods
from indexer import analysis, meaning
from indexer.analysis import words
from indexer.engines.base import Engine
from indexer.engines.tantivy import TantivyEngine
from indexer.entry import Entry, Words, entry_of
from indexer.meaning import EXACT_MAX, LocalVectors, Meaning, encoded, is_available, text_of
from indexer.query import All, And, Filter, Not, Or, Phrase, Query, Range, Term, parse_query
from indexer.search import search, warm_up
from indexer.suggest import KEEP, key_of, keys_of, offered, suggest, vocabulary
from library.house import House
from library.record import Record, Text
from library.settings import ElasticSettings, Settings, sources_folder
from library.source import load_sources
from library.store.store import Origin, SeenPage, Sighting, Store
from library.times import now
from search_api.serving import listening, loaded, run

if TYPE_CHECKING:
    from tests.elastic.nodes import Cluster

TEMPLATES = 4_000
BATCH = 5_000  # entries of one commit
STEPS = (4, 2, 1)  # a quarter, a half, all
TARGET = 20_000_000  # records that the page on growth looks ahead to
ASKED, ASKED_FOR_S = 100, 2.0  # queries of a kind, and no longer than that
RATE, RATE_FOR_S, READERS = 50, 10, 16  # requests a second over HTTP, for how long, and from how many
DEEP = 2_000  # the first hit of a deep page
NOISE = 40  # what is added at most to each of a vector's numbers, so that no two records mean the same
HEAP = "1g"  # of Elasticsearch
JAPANESE = (
    "製品の小さな部品が外れやすく、子供が飲み込んで窒息するおそれがあります。",
    "充電中にバッテリーが過熱し、火災が発生するおそれがあります。",
    "消費者は直ちに使用を中止し、販売店に返品してください。",
    "当該製品は安全基準に適合していないため、事業者が回収しています。",
)
KINDS: Mapping[str, Sequence[str]] = {
    **{kind: QUERIES[kind] for kind in ("word", "common_word", "phrase", "reference", "filter", "facets")},
    "boolean": ("toy NOT magnet", "(bicycle OR charger) battery", "product OR shop -toy", "(充电器 OR 玩具) 产品"),
    "cross_language": QUERIES["cross_language"],
    "meaning": ("toys that babies may swallow", "被电到的家用电器", "Spielzeug mit losen Teilen", "子供の窒息"),
    "deep_page": ("product", "toy OR battery", "使用", "shop"),
}
TYPED = ("cha", "chargi", "bicy", "SR/0001", "G/TBT/N/D", "wanju", "cdq", "充电", "Plüs", "toy mag", "hazard:ch")


# The library ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Library:
    """Templates of records and entries. The record of a number is made from the template of the number's rest."""

    records: Sequence[Record]
    entries: Sequence[Entry]

    @classmethod
    def of(cls, count: int) -> Library:
        """Templates for so many records: in Chinese, English, German and Japanese."""
        found = [
            _in_four_languages(record, Random(number)) for number, record in enumerate(records(min(count, TEMPLATES)))
        ]
        return cls(found, [entry_of(record) for record in found])

    def key(self, number: int) -> str:
        """The key of a record: its template's, with its own number."""
        index = number % len(self.records)
        return _renumbered(self.records[index].key, index, number)

    def entry(self, number: int) -> Entry:
        """One entry."""
        index = number % len(self.records)
        if index == number:
            return self.entries[index]
        entry, dice = self.entries[index], Random(number)
        day = date.fromordinal(LAST_DAY.toordinal() - dice.randrange(SPAN_DAYS))
        text, reference = entry.words["text"], entry.words["reference"]
        names = tuple(name(dice).casefold() for _ in range(8))
        own = Words(
            *(tuple(_renumbered(value, index, number) for value in of) for of in (reference.every, reference.run))
        )
        return replace(
            entry,
            id=f"{self.records[index].source}:{self.key(number)}",
            words={**entry.words, "text": Words((*text.every, *names), (*text.run, *names)), "reference": own},
            facets={**entry.facets, "year": (str(day.year),), "month": (f"{day:%Y-%m}",)},
            dates={"published": day.toordinal()},
        )

    def batches(self, first: int, last: int) -> Iterator[tuple[list[Entry], int]]:
        """Entries by the batch, each with the position behind it."""
        for start in range(first, last, BATCH):
            end = min(start + BATCH, last)
            yield [self.entry(number) for number in range(start, end)], end


def _in_four_languages(record: Record, dice: Random) -> Record:
    """French and Spanish give way to Japanese."""
    text, note = record.texts
    if text.language not in ("fr", "es"):
        return record
    japanese = "".join(dice.sample(JAPANESE, 3)) + f"型番 {goods.model(dice)}。"
    titles = (Text(language="ja", value=f"{record.products[0].brand} 製品の回収 {record.products[0].model}"),)
    return record.model_copy(
        update={"titles": titles, "texts": (Text(language="ja", label="risk", value=japanese), note)}
    )


def _renumbered(text: str, index: int, number: int) -> str:
    """A key, a reference or a token of one, of another number: 'SR/000011/26', 'G/TBT/N/DE/20'."""
    if text.endswith(f"/{index}"):
        return f"{text.removesuffix(str(index))}{number}"
    return text.replace(f"{index:06d}", f"{number:06d}")


# SQLite FTS5 ----------------------------------------------------------------------------------------------------------


class NaivePeer:
    """What one would write in an afternoon: a table of words, a table of facets, and GROUP BY."""

    TOKENS = "ascii tokenchars '!#$%&()*+,-./:;<=>?@[]^_`{|}~'"  # tokens are cut at blanks, as in the engines

    def __init__(self, folder: Path) -> None:
        self.path = folder / "fts5.sqlite"
        self._known = sqlite3.connect(self.path)
        self._known.execute("PRAGMA journal_mode = WAL")
        self._known.execute(f'CREATE VIRTUAL TABLE said USING fts5(every, run, content="", tokenize="{self.TOKENS}")')
        columns = ", ".join((*FACETS, "hs"))
        self._known.execute(f"CREATE TABLE facts (place INTEGER PRIMARY KEY, id, published, {columns})")
        for column in (*FACETS, "hs", "published"):
            self._known.execute(f"CREATE INDEX by_{column} ON facts ({column})")

    def write(self, entries: Sequence[Entry], position: int) -> None:
        """Put a batch in one transaction. position: of the last entry, counted from 1."""
        first = position - len(entries) + 1
        with self._known:
            self._known.executemany(
                "INSERT INTO said (rowid, every, run) VALUES (?, ?, ?)",
                (
                    (first + place, _joined(found.every for found in entry.words.values()), _joined_runs(entry))
                    for place, entry in enumerate(entries)
                ),
            )
            self._known.executemany(
                f"INSERT INTO facts VALUES ({', '.join('?' * (len(FACETS) + 4))})",
                (
                    (
                        first + place,
                        entry.id,
                        entry.dates.get("published"),
                        *(entry.facets.get(facet, ("",))[0] for facet in FACETS),
                        entry.facets.get("hs", ("",))[-1],
                    )
                    for place, entry in enumerate(entries)
                ),
            )

    def ask(self, text: str, first: int, facets: Sequence[str]) -> int:
        """Fetch one page, the total and the facets; returns the total."""
        query = parse_query(text)
        matched, conditions = _matched(query), _conditions(query)
        where = " AND ".join((["said MATCH :words"] if matched else []) + conditions)
        table = "said CROSS JOIN facts ON place = said.rowid" if matched else "facts"
        # a CROSS JOIN begins with the words; a planner that began with a facet took thirty times as long
        order = "bm25(said)" if matched else "published DESC"
        asked = {"words": matched}
        do = self._known.execute
        do(f"SELECT id FROM {table} WHERE {where} ORDER BY {order} LIMIT {HITS} OFFSET {first}", asked).fetchall()
        ((total,),) = do(f"SELECT count(*) FROM {table} WHERE {where}", asked).fetchall()
        for facet in facets:
            do(f"SELECT {facet}, count(*) AS n FROM {table} WHERE {where} GROUP BY 1 ORDER BY n DESC", asked).fetchall()
        return int(total)

    def close(self) -> None:
        self._known.close()


def _joined(fields: Iterable[Sequence[str]]) -> str:
    return " ".join(value for values in fields for value in values)


def _joined_runs(entry: Entry) -> str:
    return " ¶ ".join(" ".join(found.run) for found in entry.words.values())


def _matched(query: Query) -> str:
    """The words of a query in FTS5's language; '' where it has none."""
    match query:
        case Term(values=values):
            return "every : (" + " OR ".join(map(_quoted, values)) + ")"
        case Phrase(runs=runs):
            return "run : (" + " OR ".join(_quoted(" ".join(run)) for run in runs) + ")"
        case And(parts):
            wanted = [said for part in parts if not isinstance(part, Not) and (said := _matched(part))]
            refused = [said for part in parts if isinstance(part, Not) and (said := _matched(part.part))]
            both = " AND ".join(f"({said})" for said in wanted)
            return " NOT ".join((f"({both})", *(f"({said})" for said in refused))) if both else ""
        case Or(parts):
            return " OR ".join(f"({said})" for part in parts if (said := _matched(part)))
        case _:
            return ""


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _conditions(query: Query) -> list[str]:
    match query:
        case And(parts):
            return [condition for part in parts for condition in _conditions(part)]
        case Filter("hs", value):
            return [f"hs GLOB '{value}*'"]
        case Filter(column, value):
            return [f"{column} = '{value}'"]
        case Range(column, low, high):
            return [f"{column} BETWEEN {low or 0} AND {high or 10**7}"]
        case All():
            return ["1"]
        case _:
            return []


# Measuring ------------------------------------------------------------------------------------------------------------


@dataclass
class Measured:
    """What was measured at one size. times: (what, kind) -> milliseconds; the others by the name of what was measured."""

    count: int
    times: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    docs_s: dict[str, float] = field(default_factory=dict)
    disk: dict[str, int] = field(default_factory=dict)
    memory_mib: dict[str, float] = field(default_factory=dict)
    hits: dict[str, str] = field(default_factory=dict)

    def ask(self, what: str, kind: str, ask: Callable[[str], object], texts: Sequence[str]) -> None:
        """Ask one kind of query again and again."""
        for text in texts:
            ask(text)  # the first time fills caches of the system
        times: list[float] = []
        began = perf_counter()
        for text in islice(cycle(texts), ASKED):
            started = perf_counter()
            ask(text)
            times.append((perf_counter() - started) * 1000)
            if perf_counter() - began > ASKED_FOR_S:
                break
        self.times[what, kind] = times

    def p95(self, what: str, kind: str) -> float | None:
        """The 95th percentile in milliseconds; None for what was not measured."""
        times = self.times.get((what, kind))
        return percentile(times, 0.95) if times else None

    def shown(self, what: str, kind: str) -> str:
        """'p50/p95/p99' of something."""
        return "/".join(f"{percentile(self.times[what, kind], share):.2f}" for share in (0.5, 0.95, 0.99))


class Bench:
    """All parts, and what was measured of them."""

    def __init__(self, folder: Path, count: int, say: Callable[[str], None]) -> None:
        self.count, self._say = count, say
        self._stack = ExitStack()
        self.home = folder / "home"
        self.home.mkdir()
        self.library = Library.of(count)
        settings = Settings(home=self.home, database_url="", engine="tantivy")
        self.store = self._stack.enter_context(closing(Store(settings.database)))
        self._keep_templates()
        self._tantivy = TantivyEngine(settings.index)
        self.tantivy = self._tantivy.successor()
        self._stack.callback(self.tantivy.close)
        self.peer = self._stack.enter_context(closing(NaivePeer(folder)))
        self.meaning: Meaning | None = None
        if is_available():
            self._vectors = LocalVectors(self.home / "index-meaning")
            self.meaning = Meaning(self._vectors)
            self._known_vectors = encoded([text_of(record) for record in self.library.records])
        self.absent = "" if self.meaning else "the extra semantic is not installed: nothing by meaning is measured\n"
        self.cluster: Cluster | None = None
        self.elastic: Engine | None = None

    def close(self) -> None:
        self._stack.close()

    def start_elastic(self) -> None:
        """Start a server; without one a sentence is kept that says so."""
        try:
            import pytest

            from indexer.engines.elastic import ElasticEngine
            from tests.elastic import nodes
        except ImportError as error:
            self.absent += f"Elasticsearch is not measured: {error}\n"
            return
        nodes.QUICK = ""  # a server that is measured is worth optimising
        try:
            self.cluster = nodes.start(heap=HEAP)
        except (pytest.skip.Exception, pytest.fail.Exception, TimeoutError, OSError) as error:
            self.absent += f"Elasticsearch is not measured: {error}\n"
            return
        self._stack.callback(self.cluster.stop)
        elastic = ElasticEngine(ElasticSettings(hosts=self.cluster.urls, prefix="bench", replicas=0))
        self.elastic = self._stack.enter_context(closing(elastic))

    # Writing

    def grow(self, first: int, last: int) -> Measured:
        """Write the next records everywhere, and measure at what pace."""
        measured = Measured(last)
        writers: dict[str, Callable[[Sequence[Entry], int], object]] = {
            "tantivy": self.tantivy.write,
            "fts5": self.peer.write,
        }
        if self.elastic:
            writers["elastic"] = self.elastic.write
        spent = dict.fromkeys(writers, 0.0)
        for entries, position in self.library.batches(first, last):
            for what, write in writers.items():
                started = perf_counter()
                write(entries, position)
                spent[what] += perf_counter() - started
        started = perf_counter()
        self.tantivy._finish()
        spent["tantivy"] += perf_counter() - started
        if self.meaning:
            started = perf_counter()
            self._put_vectors(first, last)
            spent["vectors"] = perf_counter() - started
        self._keep(first, last)
        measured.docs_s = {what: (last - first) / seconds for what, seconds in spent.items()}
        self._weigh(measured)
        return measured

    def _put_vectors(self, first: int, last: int) -> None:
        import numpy

        dice = numpy.random.default_rng(first)
        numbers = numpy.arange(first, last)
        base = self._known_vectors[numbers % len(self._known_vectors)].astype(numpy.int16)
        moved = numpy.clip(base + dice.integers(-NOISE, NOISE, base.shape, endpoint=True), -127, 127).astype(numpy.int8)
        self._vectors.put([self._id(number) for number in range(first, last)], moved, (), last)

    def _id(self, number: int) -> str:
        return f"{self.library.records[number % len(self.library.records)].source}:{self.library.key(number)}"

    def _keep_templates(self) -> None:
        page = SeenPage(id=0, url_key="", fetched_at=now())
        seen = [Sighting(record=record) for record in self.library.records]
        with self.store.write() as transaction:
            self.store.put_many(transaction, seen, page, origin=Origin.BACKFILL, at=now())
        with self.store.read() as transaction:
            row = transaction.row("SELECT * FROM record LIMIT 1") or {}
            payloads = transaction.rows("SELECT id, payload FROM record")
        self._payloads = {str(row["id"]): str(row["payload"]) for row in payloads}
        columns = [str(column) for column in row]
        values = [f":{column}" if column in ("id", "payload") else column for column in columns]
        self._copy = (
            f"INSERT INTO record ({', '.join(columns)}) SELECT {', '.join(values)} FROM record WHERE id = :template"
        )

    def _keep(self, first: int, last: int) -> None:
        """Records in the store, copied from the templates, and what they offer to whoever types."""
        templates = self.library.records
        with self.store.write() as transaction:
            if not first:
                rows = [
                    {"key": key, "shown": shown, "kind": kind, "seen": self.count // len(templates)}
                    for shown, kind in {offer for record in templates for offer in offered(record)}
                    for key in keys_of(shown, kind)
                ]
                transaction.do_many(KEEP, rows)
            for start in range(max(first, len(templates)), last, BATCH):
                numbers = range(start, min(start + BATCH, last))
                records, keys = [], []
                for number in numbers:
                    template, key = templates[number % len(templates)], self.library.key(number)
                    payload = self._payloads[template.id].replace(template.key, key)
                    records.append({"id": self._id(number), "payload": payload, "template": template.id})
                    whole = key_of(key)
                    keys += [
                        {"key": one, "shown": key, "kind": "reference", "seen": 1}
                        for one in keys_of(key, "reference") | {whole}
                    ]
                transaction.do_many(self._copy, records)
                transaction.do_many(KEEP, keys)

    def _weigh(self, measured: Measured) -> None:
        measured.disk["tantivy"] = _size(self.home / "index")
        measured.disk["fts5"] = sum(path.stat().st_size for path in self.peer.path.parent.glob("fts5.sqlite*"))
        measured.disk["store"] = sum(path.stat().st_size for path in self.home.glob("store.sqlite*"))
        if self.meaning:
            measured.disk["vectors"] = _size(self.home / "index-meaning")
        if self.cluster:
            measured.disk["elastic"] = _size(self.cluster.folder / "node-0" / "data")
            process = int((self.cluster.folder / "node-0" / "pid").read_text())
            measured.memory_mib["elastic"] = _memory(process, "VmRSS")

    # Asking

    def ask(self, measured: Measured) -> None:
        """Every kind of query of everything that can answer it."""
        for kind, texts in KINDS.items():
            facets = FACETS if kind == "facets" else ()
            first = min(DEEP, self.count // 10) if kind == "deep_page" else 0
            for what, engine in (("tantivy", self.tantivy), ("elastic", self.elastic)):
                if engine is None or (kind == "meaning" and self.meaning is None):
                    continue
                meaning = self.meaning if kind == "meaning" else None

                def ours(
                    text: str, engine: Engine = engine, first: int = first, meaning: Meaning | None = meaning
                ) -> int:
                    _forget(engine)
                    return search(
                        None,
                        engine,
                        text,
                        first=first,
                        count=HITS,
                        facets=facets,  # noqa: B023 - called at once
                        meaning=meaning,
                    ).total

                if what == "tantivy":
                    totals = [ours(text) for text in texts]
                    measured.hits[kind] = f"{min(totals)}..{max(totals)}"
                measured.ask(what, kind, ours, texts)
            if kind not in ("meaning", "cross_language"):  # it has neither
                measured.ask("fts5", kind, lambda text: self.peer.ask(text, first, facets), texts)  # noqa: B023 - at once
        measured.ask("tantivy", "as_you_type", lambda text: suggest(self.store, text), TYPED)

    def ask_over_http(self, measured: Measured) -> None:
        """Serve the library in a process of its own, and ask it at a steady rate, whether it has answered or not."""
        self._tantivy.promote(self.tantivy)
        texts = list(chain.from_iterable(KINDS.values()))
        Random(1).shuffle(texts)
        kinds = (("api", "/api/search", texts), ("api_as_you_type", "/api/suggest", TYPED))
        for forgets, asked_kinds in ((True, kinds), (False, (("api_again", "/api/search", texts),))):
            with _Served(self.home, forgets=forgets) as (address, processes):
                for kind, path, asked in asked_kinds:
                    for text in list(asked) * len(processes):  # until each has read what it needs
                        httpx.get(address + path, params={"q": text}, timeout=60).raise_for_status()
                    measured.times["http", kind] = _at_rate(address, path, asked)
                measured.memory_mib["tantivy"] = sum(_memory(process, "VmHWM") for process in processes)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _memory(process: int, line: str) -> float:
    """Memory of a process in MiB, as /proc says it. line: 'VmRSS' is that of now, 'VmHWM' the peak."""
    found = re.search(line + r":\s+(\d+) kB", Path(f"/proc/{process}/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0


def _at_rate(address: str, path: str, texts: Sequence[str]) -> list[float]:
    """Milliseconds from when a request was due to its answer: who waits for a free worker waits, too.

    Asked by READERS in turn, each over a connection of its own, as browsers do.
    """

    def ask(due: float, text: str, reader: httpx.Client) -> float:
        sleep(max(0.0, due - perf_counter()))
        reader.get(path, params={"q": text}).raise_for_status()
        return (perf_counter() - due) * 1000

    with ExitStack() as stack:
        readers = [stack.enter_context(httpx.Client(base_url=address, timeout=60)) for _ in range(READERS)]
        pool = stack.enter_context(ThreadPoolExecutor(READERS))
        began = perf_counter() + 0.1
        dues = [began + number / RATE for number in range(RATE * RATE_FOR_S)]
        return list(pool.map(ask, dues, cycle(texts), cycle(readers)))


class _Served:
    """As many server processes at a free port of this machine as `ttm up` starts."""

    def __init__(self, home: Path, *, forgets: bool) -> None:
        """forgets: answer each request as if nobody had asked it before, without totals, facets and vectors kept."""
        self._free = listening("127.0.0.1", 0, is_shared=True)
        self._port = int(self._free.getsockname()[1])
        command = [sys.executable, "-m", "benchmarks.large_search", "--serve", str(home), str(self._port)]
        self._command = [*command, *(["--forget"] if forgets else [])]

    def __enter__(self) -> tuple[str, list[int]]:
        """The address, and the ids of the processes."""
        processes = Settings().web.processes
        self._processes = [subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
        for process in self._processes:
            assert process.stdout
            process.stdout.readline()
        self._free.close()  # what waited there in vain is asked again
        return f"http://127.0.0.1:{self._port}", [process.pid for process in self._processes]

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(timeout=30)


def _forget(engine: Engine) -> None:
    """Read, encode and count anew: most searches are made for the first time."""
    analysis._scan_of_short.cache_clear()
    meaning._encoded_question.cache_clear()
    if isinstance(engine, TantivyEngine) and (commit := engine._opened()):
        commit.forget()


def _serve(home: Path, port: int, *, forgets: bool) -> None:
    """Serve a home folder, with others, at a port; a line says when that begins."""
    settings = Settings(home=home, database_url="", engine="tantivy")
    store, engine = Store(settings.database), TantivyEngine(settings.index)
    app = loaded(House(settings, store, load_sources(sources_folder())), engine)

    async def forgetting(scope: Any, receive: Any, send: Any) -> None:
        _forget(engine)
        await app(scope, receive, send)

    with listening("127.0.0.1", port, is_shared=True) as found:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        run(forgetting if forgets else app, found)


# Figures --------------------------------------------------------------------------------------------------------------


def figures_of(measured: Sequence[Measured]) -> Iterator[Figure]:
    """The lines of the largest size, with goals."""
    last = measured[-1]
    n = str(last.count)
    for what, pace in last.docs_s.items():
        yield Figure(name=f"large_indexing_{what}_docs_a_second", value=pace, n=n)
    for what, size in last.disk.items():
        yield Figure(name=f"large_disk_{what}_bytes_a_record", value=size / last.count, n=n)
    for what, memory in last.memory_mib.items():
        about = "peak_of_the_serving_processes_together" if what == "tantivy" else f"resident,heap={HEAP}"
        yield Figure(name=f"large_memory_{what}_MiB", value=memory, details=about, n=n)
    for what, kind in last.times:
        yield _latency(last, what, kind)
    for kind in KINDS:
        ours, elastic, naive = (last.p95(what, kind) for what in ("tantivy", "elastic", "fts5"))
        if ours and elastic:
            yield Figure(name=f"large_{kind}_p95_against_elasticsearch", value=ours / elastic, at_most=1.0, n=n)
        if ours and naive:
            goal = 10.0 if kind == "facets" else None
            yield Figure(name=f"large_{kind}_p95_fts5_to_ours", value=naive / ours, at_least=goal, n=n)
    yield from _tokenising()


def _latency(measured: Measured, what: str, kind: str) -> Figure:
    goals = {("http", kind): 50.0 for kind in ("api", "api_again", "api_as_you_type")} | {
        ("tantivy", "as_you_type"): 30.0
    }
    goal = goals.get((what, kind), 20.0 if what == "tantivy" else None)
    details = f"p50/p95/p99_ms={measured.shown(what, kind)}"
    if what == "http":
        details += f" {RATE}_requests/s"
    elif kind in measured.hits and what == "tantivy":
        details += f" hits={measured.hits[kind]}"
    return Figure(
        name=f"large_{what}_{kind}_p95_ms",
        value=measured.p95(what, kind) or 0.0,
        at_most=goal,
        details=details,
        n=f"{len(measured.times[what, kind])}_at_{measured.count}",
    )


def _tokenising() -> Iterator[Figure]:
    """Prose with a standard in every tenth sentence, and a list of standards, which the grammar of numbers reads."""
    for kind, numbered, goal in (("prose", 0.1, 5.0), ("lists_of_standards", 1.0, None)):
        dice = Random(5)
        texts = [_text(dice, CHINESE, numbered) for _ in range(100)]
        size = sum(len(text.encode("utf-8")) for text in texts) / 1e6
        words(texts[0], "zh")
        seconds = median(cpu_seconds(lambda: [words(text, "zh") for text in texts]) for _ in range(5))  # noqa: B023
        yield Figure(
            name=f"large_tokenising_chinese_{kind}_MB_a_second",
            value=size / seconds,
            at_least=goal,
            details=f"texts_of_{TEXT_CHARACTERS}_characters,median_of_5",
            n=f"{size:.2f}_MB",
        )


def slope(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The straight line nearest to some points: (value at 0, growth for one more).

    >>> slope([(1.0, 3.0), (2.0, 5.0)])
    (1.0, 2.0)
    """
    middle = sum(x for x, _ in points) / len(points)
    mean = sum(y for _, y in points) / len(points)
    spread = sum((x - middle) ** 2 for x, _ in points)
    growth = sum((x - middle) * (y - mean) for x, y in points) / spread if spread else 0.0
    return mean - growth * middle, growth


def page(measured: Sequence[Measured], lines: Sequence[str], absent: str) -> str:
    """The page on growth, in Markdown."""
    sizes = [step.count for step in measured]
    largest, factor = sizes[-1], TARGET / sizes[-1]
    heads = " | ".join(f"{size:,}" for size in sizes)
    rule = "|---" * (len(sizes) + 2) + "|"
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    newline = "\n"
    return f"""# Growth

Written by `python -m benchmarks.large_search --records {largest} --write docs/growth.md` on {now():%Y-%m-%d}: {machine},
load {os.getloadavg()[1]:.1f} over five minutes. How each line is measured stands at the top of
[large_search.py](../benchmarks/large_search.py). Peak memory of the measuring process itself: {peak_mib():.0f} MiB.
{newline + absent if absent else ""}
```
{newline.join(lines)}
```

## From {largest:,} records to {TARGET:,}

The last column follows the straight line through the sizes that were measured, {factor:.0f} times beyond the largest:
a direction to plan by, not a measurement. Where a p95 did not grow, a server that was still warming up or other work on
the machine hid its growth, and the column says so. One machine and one shard; more shards divide the records of each.

Up to {EXACT_MAX:,} vectors are compared one by one and more are looked up in a graph: a line of meaning across this size joins
two ways of searching.

Milliseconds at p95:

| what | {heads} | at {TARGET:,} |
{rule}
{newline.join(_latency_rows(measured))}

Bytes a record, and what that makes:

| what | {heads} | at {TARGET:,} |
{rule}
{newline.join(_disk_rows(measured))}

Records a second while the library grew to that size, and how long all take at the last pace:

| what | {heads} | for {TARGET:,} |
{rule}
{newline.join(_pace_rows(measured))}

{_saying(measured)}
"""


def _ahead(measured: Sequence[Measured], what: str, kind: str) -> float | None:
    """Milliseconds at TARGET records by the straight line; None where no growth was measured, so that none is known."""
    start, growth = slope([(float(step.count), step.p95(what, kind) or 0.0) for step in measured])
    return start + growth * TARGET if growth > 0 else None


def _latency_rows(measured: Sequence[Measured]) -> Iterator[str]:
    for what, kind in measured[0].times:
        values = " | ".join(f"{step.p95(what, kind) or 0:.2f}" for step in measured)
        ahead = _ahead(measured, what, kind)
        yield f"| {what} {kind} | {values} | {'not known' if ahead is None else f'{ahead:,.0f}'} |"


def _disk_rows(measured: Sequence[Measured]) -> Iterator[str]:
    for what in measured[0].disk:
        values = " | ".join(f"{step.disk[what] / step.count:,.0f}" for step in measured)
        start, growth = slope([(float(step.count), float(step.disk[what])) for step in measured])
        yield f"| {what} | {values} | {(start + growth * TARGET) / 1e9:,.0f} GB |"


def _pace_rows(measured: Sequence[Measured]) -> Iterator[str]:
    for what in measured[0].docs_s:
        values = " | ".join(f"{step.docs_s[what]:,.0f}" for step in measured)
        yield f"| {what} | {values} | {TARGET / measured[-1].docs_s[what] / 3600:,.1f} h |"


def _saying(measured: Sequence[Measured]) -> str:
    """What the slopes say, in sentences."""
    goal, sentences = 20.0, []
    for what, said in (("tantivy", "the embedded engine"), ("elastic", "Elasticsearch on this machine")):
        kinds = [kind for one, kind in measured[0].times if one == what and kind != "as_you_type"]
        ahead = {kind: _ahead(measured, what, kind) for kind in kinds}
        within = [kind for kind, value in ahead.items() if value is not None and value <= goal]
        unknown = [kind for kind, value in ahead.items() if value is None]
        beyond = [
            f"{kind} {_reached(measured, what, kind, goal)}"
            for kind, value in ahead.items()
            if value is not None and value > goal
        ]
        parts = (
            ("stays within it for", within),
            ("leaves it for", beyond),
            ("grew too little to say for", unknown),
        )
        told = "; ".join(f"{verb} {', '.join(found)}" for verb, found in parts if found)
        if told:
            sentences.append(f"Of {goal:g} ms at {TARGET:,} records, by the straight line: {said} {told}.")
    return "\n\n".join(sentences)


def _reached(measured: Sequence[Measured], what: str, kind: str, limit: float) -> str:
    """From where on the line is above a limit, in two digits."""
    start, growth = slope([(float(step.count), step.p95(what, kind) or 0.0) for step in measured])
    return f"from {int(float(f'{(limit - start) / growth:.1e}')):,} on" if start < limit else "at any size"


# The command ----------------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    """Measure; returns 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_search", description="A large library, searched.")
    parser.add_argument("--records", type=int, default=1_000_000, metavar="N", help="how large (1,000,000)")
    parser.add_argument("--without-elastic", action="store_true", help="do not start an Elasticsearch server")
    parser.add_argument("--write", type=Path, metavar="FILE", help="also write the lines and the slopes, in Markdown")
    parser.add_argument("--serve", nargs=2, metavar=("HOME", "PORT"), help=argparse.SUPPRESS)
    parser.add_argument("--forget", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.serve:
        _serve(Path(asked.serve[0]), int(asked.serve[1]), forgets=asked.forget)
        return 0
    if asked.records < 100:
        parser.error("--records: 100 or more")
    measured, absent = _measured(asked.records, is_with_elastic=not asked.without_elastic)
    sys.stdout.write(absent)
    found = list(figures_of(measured))
    for figure in found:
        sys.stdout.write(figure.line + "\n")
    if asked.write:
        asked.write.write_text(page(measured, [figure.line for figure in found], absent), encoding="utf-8")
    return 0 if all(figure.is_met for figure in found) else 1


def _measured(count: int, *, is_with_elastic: bool) -> tuple[list[Measured], str]:
    measured: list[Measured] = []
    began = perf_counter()

    def say(what: str) -> None:
        sys.stderr.write(f"{perf_counter() - began:.0f} s: {what}\n")

    with TemporaryDirectory(prefix="ttm-bench-", ignore_cleanup_errors=True) as folder:
        warm_up()
        vocabulary()
        say("tokenising the templates")
        with closing(Bench(Path(folder), count, say)) as bench:
            if is_with_elastic:
                bench.start_elastic()
            else:
                bench.absent += "Elasticsearch is not measured: it was left out\n"
            for before, step in zip(
                (0, *(count // part for part in STEPS)), (count // part for part in STEPS), strict=False
            ):
                say(f"growing to {step:,} records")
                measured.append(bench.grow(before, step))
                say(f"asking at {step:,} records")
                bench.ask(measured[-1])
            say("asking over HTTP")
            bench.ask_over_http(measured[-1])
            return measured, bench.absent


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
