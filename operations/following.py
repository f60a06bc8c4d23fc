"""Let index, links and vectors follow the change log. One process does it at a time; the others leave it to that one."""

from __future__ import annotations

import fcntl
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.build import IndexFollower, rebuild
from indexer.engines import open_engine
from indexer.engines.base import Engine, EngineDownError
from indexer.links import LinkFollower
from indexer.meaning import UNREADABLE, Meaning, MeaningFollower, open_meaning
from indexer.suggest import SuggestionFollower
from library.follow import follow
from library.house import House
from library.times import now

logger = logging.getLogger(__name__)

IDLE_S = 1.0
MEANING_IDLE_S = 60.0  # in files each time costs a copy of all vectors: 140 MB at 200,000 records
MEANING_BATCH = 5000
VECTORS_WAIT = "the vectors wait where they are, and are tried again: %s"


def catch_up(house: House) -> bool:
    """Bring index, links and vectors up to the head of the log; False if another process is at it, which will."""
    with _lease(house.settings.home) as is_ours:
        if not is_ours:
            return False
        engine = open_engine(house.settings)
        try:
            _renew(house, engine)
            _follow_all(house, IndexFollower(engine, house.store))
            if meaning := open_meaning(house.settings):
                try:
                    while _follow_meaning(house, meaning):
                        pass
                except EngineDownError as error:  # the words are up to date all the same
                    logger.warning(VECTORS_WAIT, error)
        finally:
            engine.close()
    return True


def follow_on(house: House, stop: threading.Event) -> None:
    """Follow the log until stopped. An engine that is down is waited for: nothing is lost, the position waits."""
    with _lease(house.settings.home) as is_ours:
        if not is_ours:
            logger.error("another process follows the change log already")
            raise SystemExit(1)
        engine = open_engine(house.settings)
        follower = IndexFollower(engine, house.store)
        meaning, meaning_due = open_meaning(house.settings), 0.0
        is_renewed = False
        trouble = meaning_trouble = ""  # said once, not every few seconds of a night
        try:
            while not stop.is_set():
                pause_s = IDLE_S
                try:
                    if not is_renewed:
                        _renew(house, engine)
                        is_renewed = True
                    _follow_all(house, follower)
                    if trouble:
                        logger.info("the engine answers again; the index is at change %d", engine.position())
                    trouble = ""
                except EngineDownError as error:
                    if trouble != str(error):
                        logger.warning("the index waits where it is, and is tried again: %s", error)
                    trouble = str(error)
                    pause_s = max((error.retry_at - now()).total_seconds(), IDLE_S)
                except Exception:  # the loop outlives what nobody has thought of; nothing is lost, the position waits
                    logger.exception("the index could not follow; it is tried again")
                    pause_s = 10.0
                if meaning and time.monotonic() >= meaning_due:
                    has_more = False
                    try:
                        has_more = _follow_meaning(house, meaning)
                        meaning_trouble = ""
                    except EngineDownError as error:
                        if meaning_trouble != str(error):
                            logger.warning(VECTORS_WAIT, error)
                        meaning_trouble = str(error)
                    meaning_due = time.monotonic() + (0 if has_more else MEANING_IDLE_S)
                stop.wait(pause_s)
        finally:
            engine.close()


def _renew(house: House, engine: Engine) -> None:
    """Build the index anew where it was built with other tokens than today's."""
    if engine.count() and engine.is_stale():
        logger.info("the words are cut differently since the index was built; it is built anew")
        rebuild(house.store, engine)


def _follow_all(house: House, index: IndexFollower) -> None:
    if linked := follow(house.store, LinkFollower(house.store)):  # first: it needs no engine
        logger.info("linked %d changes", linked)
    follow(house.store, SuggestionFollower(house.store))
    if handled := follow(house.store, index):
        logger.info("indexed %d changes", handled)


def _follow_meaning(house: House, meaning: Meaning) -> bool:
    """Let the vectors take in one batch of changes; whether there is more. Words and links do not wait for all of it.

    Raises EngineDownError.
    """
    try:
        changes = house.store.changes(meaning.position(), MEANING_BATCH)
        MeaningFollower(meaning, house.store).handle(changes)
    except EngineDownError:  # a passing trouble of a cluster, which whoever waits for it tells
        raise
    except UNREADABLE:
        logger.exception("the vectors could not follow; they are tried again, and 'ttm index rebuild' makes them anew")
        return False
    if changes:
        logger.info("took in the meaning of %d changes", len(changes))
    return len(changes) == MEANING_BATCH


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
