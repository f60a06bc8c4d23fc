"""Indexing against tantivy alone on the same tokens, and tokenising against jieba alone on the same text.

Tantivy alone has the same schema and writer memory, is handed documents that are made already, and commits as often;
what is ours is making the documents, replacing older ones, and the position. CPU seconds over all threads are
counted: docs a second and core.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from statistics import median

import jieba
import rjieba
import tantivy

from benchmarks.figure import Figure, cpu_seconds
from benchmarks.invented_records import CHINESE, ENGLISH, EUROPEAN, records
from indexer.analysis import words
from indexer.build import BATCH, IndexFollower
from indexer.engines.tantivy import WRITER_MEMORY_BYTES, TantivyEngine
from indexer.engines.tantivy_fields import Groups, document, open_index, schema
from indexer.entry import Entry, entry_of
from indexer.expand import groups
from library.follow import follow
from library.record import Record
from library.store.store import Origin, SeenPage, Sighting, Store
from library.times import now

TEXT_CHARACTERS = 2000


def figures(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Writing entries, following the change log, and tokenising."""
    count, rounds, texts = (200, 1, 5) if quick else (2000, 3, 100)
    found = list(records(count))
    yield _writing(folder, found, rounds)
    yield _following(folder, found)
    yield from _tokenising(folder, texts, rounds)


def _writing(folder: Path, found: Sequence[Record], rounds: int) -> Figure:
    entries = [entry_of(record) for record in found]
    pairs = []
    for number in range(rounds):
        engine = TantivyEngine(folder / f"ours-{number}")
        bare_s = _bare_seconds(folder / f"bare-{number}", entries)
        pairs.append((bare_s, cpu_seconds(lambda: _write(engine, entries))))  # noqa: B023 - at once
    bare_s, ours_s = (median(pair[side] for pair in pairs) for side in (0, 1))
    return Figure(
        name="indexing_against_tantivy_alone",
        value=median(pair[0] / pair[1] for pair in pairs),
        at_least=0.5,
        details=f"ours={len(entries) / ours_s:.0f}_docs/s bare={len(entries) / bare_s:.0f}_docs/s",
        n=f"{len(entries)}x{rounds}",
    )


def _write(engine: TantivyEngine, entries: Sequence[Entry]) -> None:
    """As a rebuild does: one writer, a commit a batch and the position with it, and the swap."""
    successor = engine.successor()
    for start in range(0, len(entries), BATCH):
        successor.write(entries[start : start + BATCH], start)
    engine.promote(successor)


def _bare_seconds(folder: Path, entries: Sequence[Entry]) -> float:
    """CPU seconds of tantivy alone, with our fields, in an empty index."""
    known = Groups(groups())
    documents = [document(entry, known) for entry in entries]
    folder.mkdir()
    writer = open_index(folder, schema()).writer(WRITER_MEMORY_BYTES, 1)
    return cpu_seconds(lambda: _add(writer, documents))


def _add(writer: tantivy.IndexWriter, documents: Sequence[tantivy.Document]) -> None:
    for number, made in enumerate(documents, start=1):
        writer.add_document(made)
        if number % BATCH == 0:
            writer.commit()
    writer.commit()
    writer.wait_merging_threads()


def _following(folder: Path, found: Sequence[Record]) -> Figure:
    """The whole way from the change log: records read from the store, tokenised, written in batches as they come."""
    store = Store(f"sqlite:///{folder / 'store.sqlite'}")
    page = SeenPage(id=0, url_key="", fetched_at=now())
    with store.write() as transaction:
        store.put_many(
            transaction, [Sighting(record=record) for record in found], page, origin=Origin.BACKFILL, at=now()
        )
    engine = TantivyEngine(folder / "followed")
    bare_s = _bare_seconds(folder / "bare", [entry_of(record) for record in found])
    ours_s = cpu_seconds(lambda: follow(store, IndexFollower(engine, store)))
    store.close()
    return Figure(
        name="following_the_log_against_tantivy_alone",
        value=bare_s / ours_s,
        details=f"ours={len(found) / ours_s:.0f}_docs/s,tokenising_and_store_included bare={len(found) / bare_s:.0f}_docs/s",
        n=str(len(found)),
    )


def _tokenising(folder: Path, texts: int, rounds: int) -> Iterator[Figure]:
    dice = Random(5)
    peers = {"jieba": _jieba(folder), "rjieba": _rjieba()}
    _ours("安全")
    for name, sentences in (("chinese", CHINESE), ("mixed", (*CHINESE, *ENGLISH, *EUROPEAN.values()))):
        found = [_text(dice, sentences) for _ in range(texts)]
        size = sum(len(text.encode("utf-8")) for text in found) / 1e6
        times = [
            (_cut_seconds(_ours, found), *(_cut_seconds(cut, found) for cut in peers.values())) for _ in range(rounds)
        ]
        for place, peer in enumerate(peers, start=1):
            ours_s, peer_s = (median(row[column] for row in times) for column in (0, place))
            yield Figure(
                name=f"tokenising_{name}_against_{peer}_alone",
                value=median(row[place] / row[0] for row in times),
                details=f"ours={size / ours_s:.2f}_MB/s {peer}={size / peer_s:.2f}_MB/s",
                n=f"{size:.2f}_MBx{rounds}",
            )


def _ours(text: str) -> object:
    return words(text, "zh")


def _jieba(folder: Path) -> Callable[[str], object]:
    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    tokenizer.tmp_dir = str(folder)  # its own is the shared temporary folder, where anybody can plant a dictionary
    tokenizer.initialize()
    return lambda text: list(tokenizer.cut_for_search(text, HMM=False))


def _rjieba() -> Callable[[str], object]:
    cutter = rjieba.Jieba()
    return lambda text: cutter.tokenize(text, "search", False)


def _text(dice: Random, sentences: Sequence[str], numbered: float = 1.0) -> str:
    """A text of whole sentences. numbered: in what share of them stands a standard, as a list of standards prints it."""
    text = ""
    while len(text) < TEXT_CHARACTERS:
        text += f"{dice.choice(sentences)} "
        if dice.random() < numbered:
            text += f"GB {dice.randrange(1000, 40000)}-{dice.randrange(1990, 2026)} "
    return text


def _cut_seconds(cut: Callable[[str], object], found: Sequence[str]) -> float:
    return cpu_seconds(lambda: [cut(text) for text in found])
