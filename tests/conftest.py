"""What many tests start from: an empty store, on SQLite and on a real PostgreSQL server."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from library.store.store import Store
from tests.places import need


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store on SQLite."""
    opened = Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store on each database we support."""
    if request.param == "sqlite":
        opened = Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    else:
        opened = Store(request.getfixturevalue("empty_database"))
    yield opened
    opened.close()


@pytest.fixture
def empty_database(postgres_server: str, request: pytest.FixtureRequest) -> str:
    """The address of a new, empty database on the server."""
    import psycopg

    name = f"t{abs(hash(request.node.nodeid)):x}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql+psycopg://{postgres_server.removeprefix('postgresql://')}/{name}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL server on a loopback port, for as long as the tests run; its address without a database."""
    folders = [os.path.dirname(found) for found in [shutil.which("initdb")] if found] + glob.glob(
        "/usr/lib/postgresql/*/bin"
    )
    need(bool(folders), "no PostgreSQL server is installed; `make postgres` installs one")
    folder = folders[-1]
    # not below pytest's own folder, which only its owner may enter
    data = Path(tempfile.mkdtemp(prefix="ttm-postgres-"))
    port = _free_port()
    options: dict[str, object] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(data, "nobody")
        options = {"user": "nobody"}
    run = {"check": True, "capture_output": True, "cwd": data} | options
    subprocess.run(
        [f"{folder}/initdb", "-D", f"{data}/db", "-A", "trust", "-U", "ttm", "-E", "UTF8", "--locale=C"], **run
    )  # type: ignore[call-overload]
    server = subprocess.Popen(
        [
            f"{folder}/postgres",
            "-D",
            f"{data}/db",
            "-p",
            str(port),
            "-c",
            "listen_addresses=127.0.0.1",
            "-k",
            str(data),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=data,
        **options,  # type: ignore[call-overload]
    )
    address = f"postgresql://ttm@127.0.0.1:{port}"
    _wait_for(address)
    yield address
    server.terminate()
    server.wait(timeout=30)
    shutil.rmtree(data, ignore_errors=True)


def _free_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(address: str) -> None:
    import time

    import psycopg

    for _ in range(100):
        try:
            psycopg.connect(f"{address}/postgres", connect_timeout=1).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the PostgreSQL server did not come up in 10 s")
