"""Serve the pages and the API with uvicorn until interrupted."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

from indexer.engines import open_engine
from indexer.engines.base import Engine
from indexer.search import warm_up
from indexer.suggest import vocabulary
from library.house import House
from search_api.app import create_app

MAILBOX = "mailbox"  # below the home folder, where the demo's mail server keeps what it received
WAITING_MAX = 2048  # connections that nobody has accepted yet


def serve(house: House, *, host: str, port: int, is_shared: bool = False) -> None:
    """Open the engine, load the dictionaries, serve, and close the engine again.

    is_shared: let other processes that say so serve at the same address; connections are dealt out among them. Raises
    OSError where the address cannot be had.
    """
    engine = open_engine(house.settings)
    try:
        app = loaded(house, engine)
        with listening(host, port, is_shared=is_shared) as found:
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


def run(app: object, found: socket.socket) -> None:
    """Answer at a socket until interrupted."""
    config = uvicorn.Config(app, server_header=False, log_config=None, access_log=False)  # type: ignore[arg-type]
    uvicorn.Server(config).run(sockets=[found])


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
