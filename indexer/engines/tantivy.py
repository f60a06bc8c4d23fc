"""The embedded engine: tantivy, one folder an index, a pointer file that names the current one.

    <root>/current            the name of the folder that is searched; replaced in one step
    <root>/index-<word>/      one index, and the groups of words it holds as one value each (groups.json)
    <root>/index-<word>/sample/   an index of every sixteenth entry, in which very many hits are counted
    <root>/writer.lock        held while a batch is written or an index is promoted
    <root>/rebuild.lock       held while a successor is built

The follower's position is a document of its own, committed together with the entries. The sample is committed just before
them: after a crash between the two the batch comes again. That of a successor is committed before anybody looks.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import tantivy

from indexer.analysis import fingerprint
from indexer.engines.base import EngineBusyError, Hits, Sort
from indexer.engines.tantivy_fields import FIELDS, Groups, document, is_sampled, open_index, schema
from indexer.engines.tantivy_search import Commit
from indexer.entry import Entry
from indexer.expand import Group
from indexer.expand import groups as groups_asked_for
from indexer.query import ALL, Query

WRITER_MEMORY_BYTES = 64_000_000
SAMPLE_MEMORY_BYTES = 15_000_000  # the least that tantivy takes
MADE_AT_ONCE = 500  # documents, of some kilobytes each
NAME = f"index-{FIELDS.hexdigest()}-"  # an index with other fields than today's cannot be opened


class _Folder:
    """One index and its sample, open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.groups = _groups((path / "groups.json").read_bytes())
        self.schema = schema()
        self._whole, self._sample = open_index(path, self.schema), open_index(path / "sample", self.schema)

    @classmethod
    def made(cls, path: Path, groups: Iterable[Group]) -> _Folder:
        """Make an empty index that will hold these groups as one value each."""
        (path / "sample").mkdir(parents=True)
        parts = [[sorted(group.values), sorted(group.runs), sorted(group.codes)] for group in groups]
        (path / "groups.json").write_bytes(orjson.dumps(parts))
        return cls(path)

    def writer(self) -> _Writer:
        return _Writer(
            self._whole.writer(WRITER_MEMORY_BYTES, 1), self._sample.writer(SAMPLE_MEMORY_BYTES, 1), self.groups
        )

    def commit(self) -> Commit:
        """The newest commit."""
        self._sample.reload()
        self._whole.reload()
        return Commit(self.schema, self._whole.searcher(), self._sample.searcher(), self.groups)


class _Writer:
    """Writes an index and its sample."""

    def __init__(self, whole: tantivy.IndexWriter, sample: tantivy.IndexWriter, groups: Groups) -> None:
        self._whole, self._sample, self._groups = whole, sample, groups

    def put(self, entries: Iterable[Entry]) -> None:
        """Write entries, so many at a time: handed one by one, the thread that writes wakes up for each."""
        entries = iter(entries)
        while made := [(entry.id, document(entry, self._groups)) for entry in islice(entries, MADE_AT_ONCE)]:
            for record_id, entry_document in made:
                self._whole.delete_documents_by_term("id", record_id)
                self._whole.add_document(entry_document)
                if is_sampled(record_id):
                    self._sample.delete_documents_by_term("id", record_id)
                    self._sample.add_document(entry_document)

    def remove(self, record_id: str) -> None:
        self._whole.delete_documents_by_term("id", record_id)
        if is_sampled(record_id):
            self._sample.delete_documents_by_term("id", record_id)

    def note(self, noted: Mapping[str, Any]) -> None:
        self._whole.delete_documents_by_term("note", "position")
        note = tantivy.Document()
        note.add_text("note", "position")
        note.add_text("noted", orjson.dumps(noted).decode())
        self._whole.add_document(note)

    def commit(self) -> None:
        self.commit_sample()
        self.commit_whole()

    def commit_whole(self) -> None:
        self._whole.commit()

    def commit_sample(self) -> None:
        self._sample.commit()

    def rollback(self) -> None:
        self._whole.rollback()
        self._sample.rollback()

    def finish(self) -> None:
        """Wait for what is merged in the background; nothing can be written after that."""
        self._whole.wait_merging_threads()
        self._sample.wait_merging_threads()


@dataclass(frozen=True, slots=True)
class _Reader:
    """The newest commit of a folder. seen: how the files were that tell of a newer one, by path."""

    folder: _Folder
    seen: Mapping[str, tuple[int, int] | None]
    commit: Commit

    def is_newest(self) -> bool:
        return all(_state(path) == state for path, state in self.seen.items())


class TantivyEngine:
    """The default engine. Any number of processes may search; writers take turns by a file lock."""

    def __init__(
        self,
        root: Path,
        *,
        groups: Callable[[], Iterable[Group]] = groups_asked_for,
        _folder: str | None = None,
    ) -> None:
        """groups: what an index that is made from now on holds as one value each."""
        self._root, self._groups = root, groups
        self._folder = _folder  # a successor's own; otherwise the pointer decides
        self._reader_lock = threading.Lock()
        self._reader: _Reader | None = None
        self._writer: _Writer | None = None  # a successor keeps one for all batches
        self._is_sample_behind = False  # of a successor's batches
        self._rebuild_lock: int | None = None
        root.mkdir(parents=True, exist_ok=True)

    # Writing

    def write(self, entries: Iterable[Entry], position: int) -> None:
        self._commit(entries, (), position)

    def remove(self, ids: Iterable[str], position: int) -> None:
        self._commit((), ids, position)

    def _commit(self, entries: Iterable[Entry], removed: Iterable[str], position: int) -> None:
        with self._writing() as writer:
            for record_id in removed:
                writer.remove(record_id)
            writer.put(entries)
            writer.note({"position": position, "tokens": fingerprint()})
            if self._folder is None:
                writer.commit()
            else:  # committing the sample with every batch would take a tenth of a rebuild
                writer.commit_whole()
                self._is_sample_behind = True

    @contextmanager
    def _writing(self) -> Iterator[_Writer]:
        if self._folder is not None:
            if self._writer is None:
                self._writer = _Folder(self._root / self._folder).writer()
            yield self._writer
            return
        with _locked(self._root / "writer.lock"):
            writer = _Folder(self._current() or self._start()).writer()
            try:
                yield writer
            except BaseException:
                writer.rollback()
                raise
            finally:
                writer.finish()

    def _start(self) -> Path:
        """Make the first index; what an interrupted rebuild left behind goes."""
        name = _new_name()
        _Folder.made(self._root / name, self._groups())
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
        engine = TantivyEngine(self._root, groups=self._groups, _folder=_new_name())
        engine._rebuild_lock = lock
        _Folder.made(self._root / str(engine._folder), self._groups())
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
        self._complete_sample()
        if self._writer is not None:
            self._writer.finish()
            self._writer = None

    def _complete_sample(self) -> None:
        if self._writer is not None and self._is_sample_behind:
            self._writer.commit_sample()
            self._is_sample_behind = False

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

    # Reading

    def position(self) -> int:
        return int(self._noted().get("position", 0))

    def is_stale(self) -> bool:
        noted = self._noted()
        return bool(noted) and noted.get("tokens") != fingerprint()

    def _noted(self) -> Mapping[str, Any]:
        commit = self._opened()
        return commit.noted if commit else {}

    def count(self, query: Query = ALL) -> int:
        commit = self._opened()
        return commit.count(query) if commit else 0

    def search(
        self,
        query: Query,
        first: int,
        count: int,
        sort: Sort = "relevance",
        facets: Sequence[str] = (),
        *,
        is_counted: bool = True,
    ) -> Hits:
        commit = self._opened()
        if commit is None:
            return Hits(0, (), dict.fromkeys(facets, ()))
        return commit.search(query, first, count, sort, facets, is_counted=is_counted)

    def _opened(self) -> Commit | None:
        """The newest commit of the current index; None before the first."""
        self._complete_sample()
        pointer = str(self._root / "current")
        for attempt in range(3):
            reader = self._reader
            if reader is not None and reader.is_newest():
                return reader.commit
            seen = {} if self._folder else {pointer: _state(pointer)}
            path = self._root / self._folder if self._folder else self._current()
            if path is None:
                return None
            try:
                with self._reader_lock:
                    meta = str(path / "meta.json")
                    seen[meta] = _state(meta)
                    reader = self._reader
                    if reader is None or reader.seen != seen:
                        folder = reader.folder if reader and reader.folder.path == path else _Folder(path)
                        reader = self._reader = _Reader(folder, seen, folder.commit())
                    return reader.commit
            except (OSError, ValueError):  # the folder was swept between the look at the pointer and the opening
                self._reader = None
                if attempt == 2:
                    raise
        return None


def _state(path: str) -> tuple[int, int] | None:
    """What changes with a file that is replaced; None where there is none."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def _new_name() -> str:
    return NAME + secrets.token_hex(6)


@lru_cache(4)
def _groups(kept: bytes) -> Groups:
    """What groups.json says; reading it takes as long as writing a hundred entries, and every batch begins with it."""
    return Groups(
        [
            Group(frozenset(values), frozenset(map(tuple, runs)), frozenset(map(tuple, codes)))
            for values, runs, codes in orjson.loads(kept)
        ]
    )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
