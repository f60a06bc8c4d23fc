"""Database: transactions over SQLite or PostgreSQL, with SQL written out and named parameters.

SQLite: several processes share one file, so a write holds a lock file and BEGIN IMMEDIATE, and only a
writer checkpoints (SQLite before 3.51.3 can corrupt a file that two processes checkpoint at once).
PostgreSQL: the head row is locked, so that the change log's numbers become visible in their order.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import Connection, Engine, TextClause, bindparam, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError

from library.store.tables import metadata

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK_FILE_SUFFIX = ".lock"


class StoreDownError(RuntimeError):
    """The database cannot be read: the file is gone or damaged, or the server does not answer."""


class _Undo(Exception):
    pass


class Transaction:
    """One open transaction. SQL is written out with :named parameters; a parameter that is a list fills an IN."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, **values: Any) -> Sequence[Mapping[str, Any]]:
        """All rows of a query, each by column name."""
        return [dict(row) for row in self._connection.execute(_statement(sql, values), values).mappings()]

    def stream(self, sql: str) -> Iterator[Mapping[str, Any]]:
        """The rows of a query one by one, for more than fit into memory."""
        for row in self._connection.execution_options(yield_per=1000).execute(text(sql)).mappings():
            yield dict(row)

    def row(self, sql: str, **values: Any) -> Mapping[str, Any] | None:
        """The first row of a query, None where there is none."""
        row = self._connection.execute(_statement(sql, values), values).mappings().first()
        return dict(row) if row is not None else None

    def value(self, sql: str, **values: Any) -> Any:
        """The first column of the first row, None where there is none."""
        return self._connection.execute(_statement(sql, values), values).scalar()

    def do(self, sql: str, **values: Any) -> int:
        """Run a statement; returns how many rows it touched."""
        return self._connection.execute(_statement(sql, values), values).rowcount

    def do_many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement once per row of values."""
        if rows:
            self._connection.execute(_prepared(sql, ()), rows)

    def undo(self) -> NoReturn:
        """Leave the block of the transaction and undo all of it: for what only wants to know what would change."""
        raise _Undo

    def next_number(self) -> int:
        """The next number of the change log, taken under the locked head row."""
        number = self.value("UPDATE head SET seq = seq + 1 WHERE id = 1 RETURNING seq")
        return int(number)


def _statement(sql: str, values: Mapping[str, Any]) -> TextClause:
    return _prepared(sql, tuple(name for name, value in values.items() if isinstance(value, (list, tuple))))


@lru_cache(maxsize=1000)  # reading a statement takes as long as running it, and the store knows a hundred
def _prepared(sql: str, lists: tuple[str, ...]) -> TextClause:
    return text(sql).bindparams(*(bindparam(name, expanding=True) for name in lists)) if lists else text(sql)


class Database:
    """The one door to the database file or server. Opening it brings the tables up to date."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._url = make_url(address)
        self._lock_path: Path | None = None
        self._thread_lock = threading.RLock()
        if self._url.get_backend_name() == "sqlite":
            if not self._url.database:
                raise ValueError("the store needs a file: several processes share it")
            file = Path(self._url.database)
            file.parent.mkdir(parents=True, exist_ok=True)
            self._lock_path = file.with_name(file.name + LOCK_FILE_SUFFIX)
        self._engine = _engine(address)
        self._migrate()

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that only reads, on one snapshot. Raises StoreDownError."""
        try:
            with self._engine.connect() as connection:
                if self.is_postgresql:  # by default each of its statements sees what was committed meanwhile
                    connection = connection.execution_options(isolation_level="REPEATABLE READ")
                with connection.begin():
                    yield Transaction(connection)
        except DBAPIError as error:
            if (
                isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError
            ):  # not: a wrong statement
                raise StoreDownError(f"the store cannot be read: {error.orig}") from error
            raise

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that writes: all of it is durable when the block ends, none of it if it raises."""
        with self._one_writer(), self._engine.connect() as connection:
            writing = connection.execution_options(ttm_write=True)
            with suppress(_Undo), writing.begin():
                yield Transaction(writing)

    @property
    def is_postgresql(self) -> bool:
        """Whether the store is on a PostgreSQL server."""
        return self._url.get_backend_name() == "postgresql"

    @property
    def tables(self) -> dict[str, tuple[str, ...]]:
        """Every table of the store with its columns, in an order in which they can be filled."""
        return {
            str(table.name): tuple(str(column.name) for column in table.columns) for table in metadata.sorted_tables
        }

    def close(self) -> None:
        """Close all connections. The last one to close a SQLite file checkpoints it, under the lock."""
        with self._one_writer():
            self._engine.dispose()

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        if self._lock_path is None:
            yield
            return
        with self._thread_lock, self._lock_path.open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _migrate(self) -> None:
        """Bring the tables to the newest migration; a database that is there already costs one look."""
        newest = max(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py")).split("_")[0]
        if self._revision() == newest:
            return
        from alembic import command  # half of a command's start-up time, and needed once per new version
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self._one_writer(), self._engine.connect() as connection:
            if self.is_postgresql:
                connection.execute(text("SELECT pg_advisory_lock(7747)"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
            if self.is_postgresql:
                connection.execute(text("SELECT pg_advisory_unlock(7747)"))
                connection.commit()

    def _revision(self) -> str | None:
        try:
            with self._engine.connect() as connection:
                return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())
        except DBAPIError:
            return None  # a new database


def _engine(address: str) -> Engine:
    if not address.startswith("sqlite"):
        return create_engine(address, pool_pre_ping=True)
    engine = create_engine(address, connect_args={"timeout": 60, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves; sqlite3 would begin too late
        for pragma in ("journal_mode=wal", "synchronous=full", "foreign_keys=on", "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("ttm_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
