"""Serve the pages and the API with uvicorn until interrupted."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, sleep
from typing import Any

import uvicorn
from fastapi import FastAPI

from indexer.engines import open_engine
from indexer.engines.base import Engine
from indexer.search import warm_up
from indexer.suggest import vocabulary
from library.console import fail
from library.house import House
from search_api.app import create_app

MAILBOX = "mailbox"  # below the home folder, where the demo's mail server keeps what it received
WAITING_MAX = 2048  # connections that nobody has accepted yet
ENDING_S = 5.0  # how long a process that was told to end may still be at its address


def serve(house: House, *, host: str, port: int, is_shared: bool = False) -> None:
    """Open the engine, load the dictionaries, serve, and close the engine again.

    is_shared: let other processes that say so serve at the same address; connections are dealt out among them. Ends the
    command with a sentence where the address cannot be had.
    """
    engine = open_engine(house.settings)
    try:
        app = loaded(house, engine)
        with claimed(host, port, is_shared=is_shared) as found:
            run(app, found)
    finally:
        engine.close()


def loaded(house: House, engine: Engine) -> FastAPI:
    """The application, with everything read that its first reader would wait for."""
    vocabulary()
    mailbox = house.settings.home / MAILBOX if house.settings.demo else None
    app = create_app(house.settings, house.store, engine, house.sources, mailbox_folder=mailbox)
    warm_up(app.state.door.meaning)
    return app


def run(app: Callable[..., Any], found: socket.socket) -> None:
    """Answer at a socket until interrupted."""
    config = uvicorn.Config(app, server_header=False, log_config=None, access_log=False)
    with suppress(KeyboardInterrupt):  # which the server raises again when it has ended
        uvicorn.Server(config).run(sockets=[found])


def claimed(host: str, port: int, *, is_shared: bool = False) -> socket.socket:
    """A socket at an address. Ends the command with a sentence where somebody is there and stays."""
    until = monotonic() + ENDING_S
    while True:
        try:
            return listening(host, port, is_shared=is_shared)
        except OSError as error:
            if monotonic() > until or error.errno != errno.EADDRINUSE:
                fail(f"the pages cannot be served at {host}:{port}: {error.strerror or error}")
            sleep(0.2)


def listening(host: str, port: int, *, is_shared: bool = False) -> socket.socket:
    """A socket at an address; of several that are shared, the kernel gives each a part of the connections."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    # with its protocol: asyncio sends small answers at once where it is named TCP, and elsewhere 40 ms later
    found = socket.socket(family, kind, protocol)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_shared:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        found.bind(address)
        found.listen(WAITING_MAX)
    except OSError:
        found.close()
        raise
    return found
