"""Backup and restore: the store's tables and the archive's files in one tar file, checked by count and hash.

The search index is derived and left out, and so are secrets. Tables are JSON lines, so a backup of a SQLite
library restores into PostgreSQL and the other way round.
"""

from __future__ import annotations

import io
import shutil
import tarfile
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO, Any

import orjson

from library.archive import Archive
from library.store.database import Transaction
from library.store.store import Store
from library.times import stamp

MANIFEST = "backup.json"
FORMAT = 1
ROWS = 2000  # rows read or written at a time
CHUNK = 1024 * 1024
Progress = Callable[[int, int], None]


class BackupError(ValueError):
    """A backup that is not whole, or cannot go where it shall. Nothing was changed that cannot be thrown away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a backup holds: rows per table, archived files and their bytes."""

    rows: dict[str, int]
    files: int
    bytes: int


def write_backup(
    store: Store, archive: Path, target: Path, *, at: datetime, progress: Progress = lambda a, b: None
) -> Summary:
    """Write a backup while the library runs. One snapshot: tables from one transaction, files up to what it indexes.

    Raises FileExistsError if the target is there, BackupError if the archive lacks what the store indexes.
    """
    if target.exists():
        raise FileExistsError(f"{target} is there already")
    partial = target.with_name(target.name + ".partial")
    rows: dict[str, int] = {}
    hashes: dict[str, str] = {}
    try:
        with tarfile.open(partial, "w") as tar, store.read() as transaction:
            for table, columns in store.tables.items():
                with TemporaryFile(dir=target.parent) as content:
                    rows[table] = _dump(transaction, table, columns, content)
                    name = f"tables/{table}.jsonl"
                    hashes[name] = _add(tar, name, content, content.seek(0, 2), at)
            ends = {row["warc"]: int(row["size"]) for row in transaction.rows(ENDS)}
            for number, (warc, size) in enumerate(ends.items(), start=1):
                path = archive / warc
                if not path.is_file() or path.stat().st_size < size:
                    raise BackupError(f"the archive lacks {warc}, or its end; see `ttm archive check`")
                with path.open("rb") as file:
                    hashes[f"archive/{warc}"] = _add(tar, f"archive/{warc}", file, size, at)
                progress(number, len(ends))
            manifest = {"format": FORMAT, "at": stamp(at), "rows": rows, "sha256": hashes}
            listed = orjson.dumps(manifest, option=orjson.OPT_INDENT_2)
            _add(tar, MANIFEST, io.BytesIO(listed), len(listed), at)
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    return Summary(rows=rows, files=len(ends), bytes=sum(ends.values()))


def check_backup(backup: Path) -> Summary:
    """Verify a backup by count and hash. Raises BackupError naming what is wrong."""
    try:
        with tarfile.open(backup, "r") as tar:
            members: dict[str, tarfile.TarInfo] = {}
            for member in tar:
                path = PurePosixPath(member.name)
                if path.is_absolute() or ".." in path.parts or not member.isfile():
                    raise BackupError(f"{member.name!r} has no place in a backup")
                if member.name in members:
                    raise BackupError(f"{member.name!r} stands in the backup twice")
                members[member.name] = member
            manifest = _manifest(tar, members)
            if manifest["sha256"].keys() != members.keys() - {MANIFEST}:
                raise BackupError("the files in the backup are not those its list names")
            for name, expected in manifest["sha256"].items():
                if _hash(_open(tar, members[name])) != expected:
                    raise BackupError(f"{name} is not what was written")
            counted = {f"tables/{table}.jsonl" for table in manifest["rows"]}
            if uncounted := {name for name in members if name.startswith("tables/")} - counted:
                raise BackupError(f"the list does not count the rows of {', '.join(sorted(uncounted))}")
            for table, count in manifest["rows"].items():
                found = sum(1 for _ in _open(tar, members[f"tables/{table}.jsonl"]))
                if found != count:
                    raise BackupError(f"the table {table} has {found:,} rows, {count:,} were written")
            files = [member for name, member in members.items() if name.startswith("archive/")]
    except (tarfile.TarError, OSError, KeyError, TypeError, orjson.JSONDecodeError) as error:
        raise BackupError(f"{backup} is no backup, or cut short: {error}") from error
    return Summary(rows=manifest["rows"], files=len(files), bytes=sum(member.size for member in files))


def restore_backup(backup: Path, store: Store, archive: Path, *, progress: Progress = lambda a, b: None) -> Summary:
    """Fill an empty store and an empty archive folder from a checked backup, and check the archive's digests after.

    Raises BackupError if the backup is not whole or the library is not empty.
    """
    summary = check_backup(backup)
    unknown = summary.rows.keys() - store.tables.keys()
    if unknown:
        raise BackupError(f"the backup has tables we do not know: {', '.join(sorted(unknown))}")
    with store.read() as transaction:
        taken = [
            table for table in store.tables if table != "head" and transaction.value(f"SELECT 1 FROM {table} LIMIT 1")
        ]
    if taken or any(archive.rglob("*.warc.gz")):
        raise BackupError("the library is not empty; restore into an empty home folder and database")
    with tarfile.open(backup, "r") as tar, store.write() as transaction:
        for number, member in enumerate(tar, start=1):
            if member.name.startswith("archive/"):
                path = archive / PurePosixPath(member.name).relative_to("archive")
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as file:
                    shutil.copyfileobj(_open(tar, member), file, CHUNK)
            elif member.name.startswith("tables/"):
                table = PurePosixPath(member.name).stem
                _load(transaction, table, store.tables[table], _open(tar, member))
            progress(number, 0)
        _move_serials(transaction, store)
    faults = Archive(archive, store).check()
    if faults:
        raise BackupError(f"the restored archive has {len(faults):,} faults, the first: {faults[0]}")
    return summary


def _dump(transaction: Transaction, table: str, columns: tuple[str, ...], target: IO[bytes]) -> int:
    """Write a table as JSON lines; returns its rows. Names come from our own table definitions, never from outside."""
    count = 0
    for row in transaction.stream(f"SELECT {', '.join(columns)} FROM {table}"):
        target.write(_line(row))
        count += 1
    return count


def _line(row: Any) -> bytes:
    values = {
        name: {"base64": b64encode(value).decode()} if isinstance(value, bytes) else value
        for name, value in row.items()
    }
    return orjson.dumps(values) + b"\n"


def _load(transaction: Transaction, table: str, columns: tuple[str, ...], file: IO[bytes]) -> None:
    if table == "head":
        transaction.do("DELETE FROM head")
    names = ", ".join(columns)
    places = ", ".join(f":{column}" for column in columns)
    for batch in _batches(file):
        transaction.do_many(f"INSERT INTO {table} ({names}) VALUES ({places})", batch)


def _batches(file: IO[bytes]) -> Iterator[list[dict[str, Any]]]:
    batch = []
    for line in file:
        row = orjson.loads(line)
        batch.append(
            {name: b64decode(value["base64"]) if isinstance(value, dict) else value for name, value in row.items()}
        )
        if len(batch) == ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _move_serials(transaction: Transaction, store: Store) -> None:
    """PostgreSQL's sequences do not notice rows that bring their own number."""
    for table, columns in store.tables.items():
        if columns[0] == "id" and store.is_postgresql and table not in ("record", "head", "watch"):
            transaction.value(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")


def _add(tar: tarfile.TarFile, name: str, file: IO[bytes], size: int, at: datetime) -> str:
    file.seek(0)
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, int(at.timestamp()), 0o600
    reader = _Hashing(file, size)
    tar.addfile(info, reader)
    return reader.digest.hexdigest()


class _Hashing:
    """A file that hashes what is read from its first `size` bytes."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left, self.digest = file, size, sha256()

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(min(size, self._left) if size >= 0 else self._left)
        self._left -= len(content)
        self.digest.update(content)
        return content


def _manifest(tar: tarfile.TarFile, members: dict[str, tarfile.TarInfo]) -> dict[str, Any]:
    if MANIFEST not in members:
        raise BackupError("the backup has no list of what it holds: it was not written to its end")
    manifest = orjson.loads(_open(tar, members[MANIFEST]).read())
    if manifest.get("format") != FORMAT:
        raise BackupError(f"the backup is of format {manifest.get('format')!r}, we read {FORMAT}")
    return dict(manifest)


def _open(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = tar.extractfile(member)
    if file is None:
        raise BackupError(f"{member.name!r} is no file")
    return file


def _hash(file: IO[bytes]) -> str:
    digest = sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


ENDS = "SELECT warc, max(warc_offset + warc_length) AS size FROM page GROUP BY warc ORDER BY warc"
