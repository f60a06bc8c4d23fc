"""The nightly round: APScheduler fires, a child process crawls, and a ledger in the store remembers what was due.

Times are UTC. A round that was missed (nobody was up) or left unfinished (the process died) is made up once,
however many were missed. A source that was never taken is due at once.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from crawlers.crawl import SourceIsBusy, lease
from library.settings import Settings
from library.source import Source
from library.store.store import Store
from library.times import now

logger = logging.getLogger(__name__)

MISFIRE_GRACE_S = 6 * 60 * 60  # APScheduler's own is 1 s, and drops what is later
LOOK_BACK = timedelta(days=8)  # longer than a week: a source may be due on one day of it


def trigger(source: Source) -> CronTrigger:
    """When a source is due. from_crontab and a missing time zone would both mean the machine's own zone."""
    days = ",".join(source.schedule.days) or "*"
    if source.schedule.every_minutes:
        return CronTrigger(day_of_week=days, minute=f"*/{source.schedule.every_minutes}", timezone=UTC)
    hour, minute = source.schedule.at.split(":")
    return CronTrigger(day_of_week=days, hour=int(hour), minute=int(minute), timezone=UTC)


def latest_due(source: Source, at: datetime) -> datetime | None:
    """The last time before `at` that a source was due, None if it was not within LOOK_BACK."""
    hours = bool(source.schedule.every_minutes and not source.schedule.days)
    due, latest = trigger(source).get_next_fire_time(None, at - (timedelta(hours=1) if hours else LOOK_BACK)), None
    while due is not None and due <= at:
        latest, due = due, trigger(source).get_next_fire_time(due, due + timedelta(seconds=1))
    return latest


def missed_round(store: Store, source: Source, at: datetime) -> datetime | None:
    """The due time to make up, None if the ledger has every round."""
    unfinished = store.runs.unfinished_rounds(source.name)
    if unfinished:
        return unfinished[-1]
    last = store.runs.last_due(source.name)
    latest = latest_due(source, at)
    if last is None:
        return latest or at
    return latest if latest is not None and latest > last else None


class Rounds:
    """Takes due rounds, at most `crawl.at_once` at the same time, each in a child process of its own."""

    def __init__(self, settings: Settings, store: Store, sources: Mapping[str, Source]) -> None:
        self._settings, self._store = settings, store
        self._sources = {name: source for name, source in sources.items() if not source.handed_in}
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(settings.crawl.at_once)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_GRACE_S},
        )
        self._children: set[subprocess.Popen[bytes]] = set()

    def run(self, stop: threading.Event) -> None:
        """Make up what was missed, then take every round as it falls due, until `stop` is set."""
        for source in self._sources.values():
            self._scheduler.add_job(self._fired, trigger(source), args=(source,), id=source.name, name=source.name)
            due = missed_round(self._store, source, now())
            if due is not None:
                logger.info("%s: the round due at %s is made up", source.name, due.isoformat())
                self._scheduler.add_job(self.take, args=(source, due), id=f"{source.name}:made-up")
        self._scheduler.start()
        stop.wait()
        self._scheduler.shutdown(wait=False)
        for child in list(self._children):
            child.send_signal(signal.SIGTERM)
        for child in list(self._children):
            child.wait(timeout=30)

    def _fired(self, source: Source) -> None:
        due = latest_due(source, now())
        if due is not None:
            self.take(source, due)

    def take(self, source: Source, due: datetime) -> None:
        """Take one round, unless somebody has."""
        try:
            # a round that is under way elsewhere looks like one whose process died; the lock tells them apart
            with lease(self._settings.home, f"{source.name}.round"):
                unfinished = due in self._store.runs.unfinished_rounds(source.name)
                if not unfinished and not self._store.runs.take_round(source.name, due, at=now()):
                    return
                exit_code = crawl_in_child(
                    source.name, time_limit_s=self._settings.crawl.time_limit_s, children=self._children
                )
                self._store.runs.end_round(source.name, due, exit_code=exit_code, at=now())
        except SourceIsBusy:
            logger.info("%s: the round due at %s is under way in another process", source.name, due.isoformat())
            return
        logger.info("%s: the round due at %s ended with exit code %d", source.name, due.isoformat(), exit_code)


def crawl_in_child(
    source: str,
    *,
    time_limit_s: float,
    children: set[subprocess.Popen[bytes]] | None = None,
    extra: tuple[str, ...] = (),
    output: Callable[[bytes], None] | None = None,
) -> int:
    """Crawl one source in a process of its own; returns its exit code, 124 if it ran past the limit and was ended."""
    command = [sys.executable, "-m", "ttm", "crawl", source, "--parent", str(os.getpid()), *extra]
    child = subprocess.Popen(command, stdout=subprocess.PIPE if output else None)
    if children is not None:
        children.add(child)
    try:
        printed, _ = child.communicate(timeout=time_limit_s + 60)
        if output is not None:
            output(printed)
        return child.returncode
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return 124
    finally:
        if children is not None:
            children.discard(child)
