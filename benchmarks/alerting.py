"""From a recall appearing at a publisher to the mail accepted, by the processes of a running house.

A practice publisher on loopback prints recalls one by one, at random moments. The real schedule polls it every minute
and starts the ordinary crawl; `ttm follow` indexes; `ttm alerts run` matches, plans and sends to a real SMTP server.
Published is the moment from which the publisher's list shows the recall, accepted the moment at which the server had the
whole mail, indexed the first moment at which the index is seen at or behind the recall's change. A mail may come before.
Vectors are off: no watch uses them. In the quick form nobody waits for the minute.
"""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import orjson

from alerts.practice_mailbox import PracticeMailbox
from alerts.watches import add_watch
from benchmarks.figure import Figure, percentile
from crawlers.practice.site import PracticeSite
from crawlers.practice.world import Plan, World
from crawlers.schedule import Rounds, crawl_in_child
from indexer.engines.tantivy import TantivyEngine
from library.settings import MailSettings, PracticeSettings, Settings, sources_folder
from library.source import load_sources
from library.store.store import Store
from library.times import now
from operations.children import ttm

SOURCE = "us_cpsc"
SEED = 11
RECALLS, OVER_S = 60, 330.0
BACKFILL_WITHIN_S = 60.0
LAST_WITHIN_S = 120.0  # after the last recall appeared
LOOK_EVERY_S = 0.1
RECORD = re.compile(rf"/records/{SOURCE}:(\S+)")


class Trickle(World):
    """The library of one publisher, to which recalls of today are added one by one."""

    def __init__(self, *, records: int, coming: int) -> None:
        super().__init__(SEED, records, night=2, today=now().date())
        self.coming = coming
        self.shown = 0

    def total(self, source: str, night: int | None = None) -> int:
        """How many records a source shows now."""
        return self.share(source) + (self.shown if source == SOURCE and (night or self.night) > 1 else 0)

    def order(self, source: str) -> Sequence[int]:
        """All records, the oldest first; what appears meanwhile is in none that was kept."""
        return list(range(self.total(source)))

    def _make_plan(self, source: str, night: int) -> Plan:
        return Plan(added=range(self.share(source), self.share(source) + self.coming))


def figures(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """How long readers wait, in seconds, and whether anything was lost or came twice."""
    coming, over_s = (4, 3.0) if quick else (RECALLS, OVER_S)
    dice = Random(SEED)
    moments = sorted(dice.uniform(0, over_s) for _ in range(coming))
    world = Trickle(records=300, coming=coming)
    with PracticeSite(world) as site, PracticeMailbox(folder / "mailbox") as mailbox:
        settings = Settings(
            home=folder / "home",
            database_url="",
            engine="tantivy",
            meaning=False,
            practice=PracticeSettings(port=site.port, names=site.hosts),
            mail=MailSettings(port=mailbox.port, sender="ttm <ttm@policy.example>"),
        )
        settings.home.mkdir()
        store = Store(settings.database)
        published: dict[str, float] = {}
        with _running(settings, quick=quick), _watched(settings) as positions:
            if not _is_so_within(BACKFILL_WITHIN_S, lambda: store.runs.last_good(SOURCE) is not None):
                raise TimeoutError(f"the first round did not end well within {BACKFILL_WITHIN_S:.0f} s")
            add_watch(store, f"source:{SOURCE}", "reader@policy.example", now=now(), title="Recalls")
            begun = time.time()
            for moment in moments:
                time.sleep(max(0.0, begun + moment - time.time()))
                key = world.key(SOURCE, world.share(SOURCE) + world.shown)
                world.shown += 1
                published[key] = time.time()
            _is_so_within(LAST_WITHIN_S, lambda: published.keys() <= _accepted(mailbox).keys())
            time.sleep(0 if quick else 2 * LOOK_EVERY_S)
        accepted = _accepted(mailbox)
        copies = sum(len(times) for times in accepted.values())
        indexed = _indexed(store, positions)
        store.close()
    told = [key for key in published if key in accepted]
    waits = [accepted[key][0] - published[key] for key in told]
    after_index = [max(0.0, accepted[key][0] - indexed[key]) for key in told if key in indexed]
    n = f"{len(told)}_recalls_over_{over_s:.0f}s"
    if waits:
        yield _seconds("alerting_p95_s_from_published_to_accepted", waits, 75, n)
    if after_index:
        yield _seconds("alerting_p95_s_from_indexed_to_accepted", after_index, 10, n)
    yield Figure(name="alerting_lost", value=len(published) - len(told), at_most=0, n=n)
    yield Figure(name="alerting_doubled", value=copies - len(accepted), at_most=0, n=n)


def _seconds(name: str, waits: list[float], at_most: float, n: str) -> Figure:
    details = f"p50={percentile(waits, 0.5):.2f}s p95={percentile(waits, 0.95):.2f}s most={max(waits):.2f}s"
    return Figure(name=name, value=percentile(waits, 0.95), at_most=at_most, details=details, n=n)


@contextmanager
def _running(settings: Settings, *, quick: bool) -> Iterator[None]:
    """Schedule, follower and outbox, each in a process of its own, as `ttm up` runs them."""
    variables = _variables(settings)
    log = settings.home.parent / "processes.log"
    poll = get_context("spawn").Process(target=_poll, args=(settings.model_dump_json(), variables, quick))
    with log.open("ab") as output:
        children = [
            ttm(*arguments, settings=variables, stdout=output, stderr=output)
            for arguments in (("follow",), ("alerts", "run"))
        ]
        poll.start()
        try:
            yield
        finally:
            poll.terminate()
            for child in children:
                child.terminate()
            for child in children:
                child.wait(timeout=30)
            poll.join(timeout=40)


def _poll(settings_json: str, variables: Mapping[str, str], quick: bool) -> None:
    """Poll the publisher at every full minute until SIGTERM; in the quick form, again and again."""
    os.environ.update(variables)
    log = os.open(Path(variables["TTM_HOME"]).parent / "polling.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):  # what the crawls say is no figure
        os.dup2(log, stream)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = Settings.model_validate_json(settings_json)
    source = load_sources(sources_folder())[SOURCE]
    each_minute = source.model_copy(update={"schedule": source.schedule.model_copy(update={"every_minutes": 1})})
    if quick:
        while not stop.is_set():
            crawl_in_child(SOURCE, time_limit_s=60)
            stop.wait(0.5)
        return
    store = Store(settings.database)
    Rounds(settings, store, {SOURCE: each_minute}).run(stop)
    store.close()


def _variables(settings: Settings) -> dict[str, str]:
    return {
        "TTM_HOME": str(settings.home),
        "TTM_DATABASE_URL": "",
        "TTM_ENGINE": settings.engine,
        "TTM_MEANING": "false",
        "TTM_PRACTICE__PORT": str(settings.practice.port),
        "TTM_PRACTICE__NAMES": orjson.dumps(settings.practice.names).decode(),
        "TTM_MAIL__HOST": settings.mail.host,
        "TTM_MAIL__PORT": str(settings.mail.port),
        "TTM_MAIL__SENDER": settings.mail.sender,
    }


@contextmanager
def _watched(settings: Settings) -> Iterator[list[tuple[float, int]]]:
    """Look again and again how far the index is: (time, number of the last change it holds)."""
    stop, seen = threading.Event(), list[tuple[float, int]]()

    def look() -> None:
        while not stop.wait(LOOK_EVERY_S):
            engine = TantivyEngine(settings.index)
            try:
                seen.append((time.time(), engine.position()))
            finally:
                engine.close()

    thread = threading.Thread(target=look, name="looking at the index")
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def _indexed(store: Store, positions: list[tuple[float, int]]) -> dict[str, float]:
    """When the index was first seen to hold a record, by key."""
    found: dict[str, float] = {}
    for change in store.changes(0, 100_000):
        at = next((at for at, position in positions if position >= change.seq), None)
        if at is not None:
            found.setdefault(change.record_id.partition(":")[2], at)
    return found


def _accepted(mailbox: PracticeMailbox) -> dict[str, list[float]]:
    """When the server had the whole mail that names a record, by key; a file is named by that moment."""
    found: dict[str, list[float]] = {}
    for path, message in zip(sorted(mailbox.folder.glob("*.eml")), mailbox.messages(), strict=False):
        part: Any = message.get_body(("plain",))
        text = str(part.get_content()) if part is not None else ""
        at = int(path.name.partition("-")[0]) / 1e9
        for key in dict.fromkeys(RECORD.findall(text)):
            found.setdefault(key, []).append(at)
    return found


def _is_so_within(seconds: float, is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.5)
    return True
