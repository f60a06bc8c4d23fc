"""Serve the pages and the API with uvicorn until interrupted."""

from __future__ import annotations

import uvicorn

from indexer.engines import open_engine
from indexer.search import warm_up
from indexer.suggest import vocabulary
from library.house import House
from search_api.app import create_app

MAILBOX = "mailbox"  # below the home folder, where the demo's mail server keeps what it received


def serve(house: House, *, host: str, port: int) -> None:
    """Open the engine, load the dictionaries, serve, and close the engine again."""
    settings = house.settings
    engine = open_engine(settings)
    vocabulary()
    mailbox = settings.home / MAILBOX if settings.demo else None
    app = create_app(settings, house.store, engine, house.sources, mailbox_folder=mailbox)
    warm_up(app.state.door.meaning)
    try:
        uvicorn.run(app, host=host, port=port, server_header=False, log_config=None, access_log=False)
    finally:
        engine.close()
