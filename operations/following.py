"""Let the index and the links follow the change log. One process does it at a time; the others leave it to that one."""

from __future__ import annotations

import fcntl
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.build import IndexFollower, rebuild
from indexer.engines import open_engine
from indexer.engines.base import Engine
from indexer.links import LinkFollower
from library.follow import follow
from library.house import House

logger = logging.getLogger(__name__)

IDLE_S = 1.0


def catch_up(house: House) -> bool:
    """Bring index and links up to the head of the log; False if another process is at it, which will."""
    with _lease(house.settings.home) as is_ours:
        if not is_ours:
            return False
        engine = _current_engine(house)
        try:
            _follow_all(house, IndexFollower(engine, house.store))
        finally:
            engine.close()
    return True


def follow_on(house: House, stop: threading.Event) -> None:
    """Follow the log until stopped. Trouble of the engine is logged and tried again: the position waits."""
    with _lease(house.settings.home) as is_ours:
        if not is_ours:
            logger.error("another process follows the change log already")
            raise SystemExit(1)
        engine = _current_engine(house)
        follower = IndexFollower(engine, house.store)
        try:
            while not stop.is_set():
                try:
                    _follow_all(house, follower)
                except Exception:  # the loop outlives an engine that is down; nothing is lost, the position waits
                    logger.exception("the index could not follow; it is tried again")
                    stop.wait(10)
                stop.wait(IDLE_S)
        finally:
            engine.close()


def _current_engine(house: House) -> Engine:
    """The engine, rebuilt first where its index was built with other tokens than today's."""
    engine = open_engine(house.settings)
    if engine.count() and engine.is_stale():
        logger.info("the words are cut differently since the index was built; it is built anew")
        rebuild(house.store, engine)
    return engine


def _follow_all(house: House, index: IndexFollower) -> None:
    handled = follow(house.store, index)
    linked = follow(house.store, LinkFollower(house.store))
    if handled or linked:
        logger.info("indexed %d changes, linked %d", handled, linked)


@contextmanager
def _lease(home: Path) -> Iterator[bool]:
    path = home / "leases" / "followers"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
