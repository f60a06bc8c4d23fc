"""A night as one process group, started as often as asked.

`python -m tests.torture.night` imports everything once. For every line on standard input it forks a process group that
plays one night: two crawls at a time in children of their own, then index and links, matching, the operator's mail, the
mails due now and the digests due tomorrow. A killed night leaves nothing in memory: each starts from the imports alone.

Before that it may be told to rehearse in a home: whatever is read once and kept (words, dictionaries) is then read before the
fork, and a night takes a second instead of five.

In:  {"rehearse": {"TTM_HOME": ..., ...}}, answered by {}, or {"variables": {"TTM_HOME": ..., ...}, "sources": [...], "point": "", "count": 0}
Out: {"group": process group}, then, when no process of it is left, {"code": exit code, -9 for killed}
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import scrapy.crawler  # noqa: F401 - before the first fork
import scrapy.settings.default_settings as scrapy_defaults
import twisted.internet.task  # noqa: F401
from scrapy.utils.misc import load_object

import crawlers.middlewares.archive
import crawlers.middlewares.gate
import crawlers.middlewares.validators
import crawlers.pipeline  # noqa: F401
from alerts.matching import MatchingFollower, find_deliveries
from alerts.operator import report_runs
from alerts.outbox import deliver_due
from alerts.watches import active_watches
from crawlers.crawl import crawl
from crawlers.registry import spider_class
from crawlers.reparse import reparse
from library.console import set_up_logging
from library.follow import follow
from library.house import opened
from library.settings import Settings, sources_folder
from library.source import load_sources
from library.store.store import Origin
from library.times import now
from operations.following import catch_up
from tests.torture.failpoints import arm

AT_ONCE = 2
STAGES = "stages.jsonl"
LOG = "night.log"
PR_SET_CHILD_SUBREAPER = 36


def play_night(settings: Settings, sources: Sequence[str]) -> int:
    """Play one night from wherever the last one ended; returns 0 where everything was done."""
    stage = _Stages(settings.home)
    stage("crawl")
    codes = _crawl_all(settings, sources)
    with opened(settings) as house:
        stage("index")
        is_ours = catch_up(house)
        stage("match")
        follow(house.store, MatchingFollower(house.store, house.sources, now))
        stage("send")
        report_runs(house.store, settings, now())
        passes = [
            deliver_due(house.store, settings, clock, sources=house.sources, wait=lambda seconds: None)
            for clock in (now, _tomorrow)
        ]
    stage("end")
    return int(any(codes) or not is_ours or any(one.busy or one.problem for one in passes))


def _tomorrow() -> datetime:
    return now() + timedelta(days=1)


def _crawl_all(settings: Settings, sources: Sequence[str]) -> list[int]:
    waiting, running, codes = list(sources), set[int](), []
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            running.add(_forked(partial(_crawl, settings, waiting.pop(0), os.getpid())))
        child, status = os.wait()
        running.discard(child)
        codes.append(os.waitstatus_to_exitcode(status))
    return codes


def _crawl(settings: Settings, name: str, parent: int) -> int:
    with opened(settings) as house:
        outcomes = crawl(settings, house.store, house.sources[name], at=now(), parent=parent)
    return 0 if outcomes.verdict.word == "good" else 3


def _forked(work: Callable[[], int]) -> int:
    """Do something in a child; returns its process id."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        code = work()
    except BaseException:
        import logging

        logging.getLogger(__name__).exception("the night ended early")
    finally:
        os._exit(code)


class _Stages:
    """Notes when each stage began, in seconds since the night did."""

    def __init__(self, home: Path) -> None:
        self._path, self._began = home / STAGES, time.monotonic()

    def __call__(self, name: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"stage": name, "at_s": round(time.monotonic() - self._began, 3)}) + "\n")


def _night(variables: Mapping[str, str], sources: Sequence[str], point: str, count: int) -> int:
    os.setpgid(0, 0)
    os.environ.update(variables)
    settings = Settings()
    log = os.open(settings.home / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    set_up_logging()
    if point:
        arm(point, count)
    return play_night(settings, sources)


def _play_as_asked(order: Mapping[str, Any]) -> None:
    group = _forked(lambda: _night(order["variables"], order["sources"], order["point"], order["count"]))
    with suppress(OSError):  # it has done so itself, and may be gone already
        os.setpgid(group, group)
    print(json.dumps({"group": group}), flush=True)
    code = 0
    while True:
        try:
            child, status = os.waitpid(-1, 0)
        except ChildProcessError:
            break
        if child == group:
            code = os.waitstatus_to_exitcode(status)
    print(json.dumps({"code": code}), flush=True)


def _rehearse(variables: Mapping[str, str]) -> None:
    """Go once through everything that needs no reactor, and change nothing."""
    settings = Settings(home=Path(variables["TTM_HOME"]))
    with opened(settings) as house:
        for source in house.sources.values():
            reparse(settings, house.store, source, at=now(), dry_run=True)
        changes = [replace(change, origin=Origin.CRAWL) for change in house.store.changes(0)]
        find_deliveries(house.store, changes, active_watches(house.store), house.sources)
    for part in (*scrapy_defaults.DOWNLOADER_MIDDLEWARES_BASE, *scrapy_defaults.SPIDER_MIDDLEWARES_BASE):
        load_object(part)
    for part in (*scrapy_defaults.EXTENSIONS_BASE, scrapy_defaults.SCHEDULER, scrapy_defaults.DUPEFILTER_CLASS):
        load_object(part)
    assert threading.active_count() == 1, "a fork would leave its locks behind"
    assert "twisted.internet.reactor" not in sys.modules, "a reactor runs once, in one process"
    gc.freeze()
    print("{}", flush=True)


def main() -> None:
    """Play nights until standard input ends."""
    # Children of a killed night become ours, so that none is left when the next one begins.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for source in load_sources(sources_folder()).values():
        spider_class(source)
    for order in map(json.loads, sys.stdin):
        if "rehearse" in order:
            _rehearse(order["rehearse"])
        else:
            _play_as_asked(order)


if __name__ == "__main__":
    main()
