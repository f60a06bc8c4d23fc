"""The canary's flight: every night a synthetic recall goes the whole way, into the operator's mailbox.

A practice publisher prints it, the ordinary spider reads it, it is archived, indexed, found by a watch and mailed through
the real mail server. All of it happens in a home folder of its own, so that it is in nobody's search, and its only watch
is the operator's. Where it does not arrive in time, the source board says so, and a second channel that is no mail.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson

from alerts.canary import Flight, begin_flight, end_flight, is_in_mailbox, last_flight, lost_flights, tell_operator
from alerts.matching import MatchingFollower
from alerts.outbox import deliver_due, list_mails
from alerts.watches import add_watch
from crawlers.practice.site import PracticeSite
from crawlers.practice.world import World
from indexer.build import IndexFollower
from indexer.engines.tantivy import TantivyEngine
from indexer.expand import expand
from indexer.query import parse_query
from library.follow import follow
from library.house import House, opened
from library.settings import PracticeSettings, Settings
from operations.children import ttm

log = logging.getLogger(__name__)

FLY_AT = clock_time(4, 30)  # on the operator's clock, after the night's rounds
RECORDS = 60
CRAWL_LIMIT_S = 300.0
LOOK_EVERY_S = 10.0
IDLE_S = 60.0
TITLE = "金丝雀 Canary"

Clock = Callable[[], datetime]


class FlightError(Exception):
    """Where the canary fell: the step and the reason."""


def fly(house: House, *, clock: Clock, wait: Callable[[float], object] = time.sleep) -> Flight:
    """Let one canary fly, and wait until it is in the mailbox or overdue."""
    settings, started = house.settings, clock()
    deadline = started + timedelta(seconds=settings.canary.within_s)
    number = begin_flight(house.store, at=started)
    key = ""
    try:
        key, message_id = _released(house, started, clock)
        seen_by = _awaited(house, message_id, deadline, clock, wait)
        end_flight(house.store, number, verdict="arrived", key=key, seen_by=seen_by, at=clock())
    except Exception as error:  # whatever kept it from arriving is news for the operator
        log.exception("canary: it did not arrive")
        verdict = "late" if isinstance(error, TimeoutError) else "failed"
        reason = str(error) if isinstance(error, (FlightError, TimeoutError)) else f"{type(error).__name__}: {error}"
        told = tell_operator(settings.canary, sentence_of(started, reason), at=clock())
        end_flight(house.store, number, verdict=verdict, key=key, reason=reason, told=told, at=clock())
    flown = last_flight(house.store)
    assert flown is not None
    return flown


def fly_nightly(house: House, stop: threading.Event, *, clock: Clock) -> None:
    """Let a canary fly every night until stopped; one whose process died is told of first.

    Without an operator's address there is nobody to fly to: the board goes on saying that none has flown.
    """
    if not house.settings.mail.operator:
        log.warning("canary: no [mail] operator is set, so none flies")
        stop.wait()
    while not stop.is_set():
        report_lost(house, now=clock())
        last = last_flight(house.store)
        if last is None or last.started_at < _due(clock(), house.settings.zone):
            fly(house, clock=clock, wait=stop.wait)
        stop.wait(IDLE_S)


def report_lost(house: House, *, now: datetime) -> int:
    """Tell the operator of canaries that never came back, once each; returns how many."""
    lost = lost_flights(house.store, before=now - timedelta(seconds=house.settings.canary.within_s))
    for flight in lost:
        reason = "the process ended before the canary arrived"
        told = tell_operator(house.settings.canary, sentence_of(flight.started_at, reason), at=now)
        end_flight(house.store, flight.id, verdict="failed", key=flight.key, reason=reason, told=told, at=now)
    return len(lost)


def sentence_of(started_at: datetime, reason: str) -> str:
    """What the second channel says."""
    return (
        f"[ttm] 夜间演练邮件未送达（{started_at:%Y-%m-%d %H:%M} UTC）：{reason} "
        f"The canary of {started_at:%Y-%m-%d %H:%M} UTC did not arrive; real alerts may not either: {reason}"
    )


def _due(now: datetime, zone: str) -> datetime:
    place = ZoneInfo(zone)
    today = datetime.combine(now.astimezone(place).date(), FLY_AT, tzinfo=place)
    return today if today <= now else today - timedelta(days=1)


def _released(house: House, started: datetime, clock: Clock) -> tuple[str, str]:
    """Go from publisher to mail; returns the id of the record and the Message-ID of its mail."""
    settings = house.settings
    if not settings.mail.operator:
        raise FlightError("settings: no [mail] operator is set, so there is nobody to fly to")
    source = house.sources.get(settings.canary.source)
    if source is None or source.handed_in:
        raise FlightError(f"settings: there is no source {settings.canary.source!r} to fly through")
    home = settings.home / "canary"
    shutil.rmtree(home, ignore_errors=True)
    # another seed every night: a mail that arrived yesterday is no proof for today
    world = World(seed=int(started.timestamp()), records=RECORDS, today=started.date())
    with PracticeSite(world) as site:
        own = settings.model_copy(
            update={
                "home": home,
                "database_url": "",
                "engine": "tantivy",
                "demo": True,
                "practice": PracticeSettings(port=site.port, names=tuple(sorted(source.hosts))),
            }
        )
        with opened(own) as canary:
            _crawl(own, source.name)
            query = f"source:{source.name}"
            add_watch(canary.store, query, settings.mail.operator, now=clock(), title=TITLE, zone=settings.zone)
            world.night = 2
            _crawl(own, source.name)
            follow(canary.store, MatchingFollower(canary.store, canary.sources, clock))
            record_id = _indexed(canary, query)
            if not deliver_due(canary.store, own, clock, sources=canary.sources).planned:
                raise FlightError(f"watch: {record_id} was read and indexed, and no mail was planned for it")
            return record_id, list_mails(canary.store)[0].message_id


def _crawl(settings: Settings, source: str) -> None:
    variables = {
        "TTM_HOME": str(settings.home.resolve()),
        "TTM_DATABASE_URL": "",
        "TTM_ENGINE": "tantivy",
        "TTM_DEMO": "true",
        "TTM_PRACTICE__PORT": str(settings.practice.port),
        "TTM_PRACTICE__NAMES": orjson.dumps(settings.practice.names).decode(),
    }
    arguments = ("crawl", source, "--parent", str(os.getpid()))
    child = ttm(*arguments, settings=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        printed, complained = child.communicate(timeout=CRAWL_LIMIT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise FlightError(f"crawl: {source} did not end within {CRAWL_LIMIT_S:.0f} s") from None
    if child.returncode:
        last = (complained + b"\n" + printed).decode("utf-8", "replace").strip().splitlines()[-1:]
        raise FlightError(f"crawl: {source} ended with exit code {child.returncode}: {' '.join(last)}")


def _indexed(canary: House, query: str) -> str:
    """The id of the newest record the second night brought, found by search. Raises FlightError where it is not."""
    new = [change.record_id for change in canary.store.changes(0, 10_000) if change.origin.value == "crawl"]
    if not new:
        raise FlightError("crawl: the second night of the practice publisher brought nothing new")
    engine = TantivyEngine(Path(canary.settings.index))
    try:
        follow(canary.store, IndexFollower(engine, canary.store))
        found = engine.search(expand(parse_query(query)).query, first=0, count=10_000).ids
    finally:
        engine.close()
    if new[-1] not in found:
        raise FlightError(f"index: {new[-1]} was read and is not found by search")
    return new[-1]


def _awaited(house: House, message_id: str, deadline: datetime, clock: Clock, wait: Callable[[float], object]) -> str:
    """Send again until the mail server takes the mail, and look into the mailbox; returns by what it was seen."""
    settings = house.settings.canary
    trouble = "the mail was not taken by the mail server"
    own = house.settings.model_copy(update={"home": house.settings.home / "canary", "database_url": "", "demo": True})
    with opened(own) as canary:
        while True:
            mail = next(mail for mail in list_mails(canary.store) if mail.message_id == message_id)
            if mail.state == "failed":
                raise FlightError(f"mail: {mail.last_error}")
            if mail.state == "sent":
                if not settings.mailbox:
                    return "mail server"
                try:
                    if is_in_mailbox(settings, message_id):
                        return "mailbox"
                    trouble = "the mail server took the mail, and it is not in the mailbox"
                except OSError as error:
                    trouble = f"the mailbox cannot be looked into: {error}"
            elif mail.last_error:
                trouble = f"the mail was not taken by the mail server: {mail.last_error}"
            if clock() >= deadline:
                raise TimeoutError(f"mail: {trouble}")
            wait(LOOK_EVERY_S)
            deliver_due(canary.store, own, clock, sources=canary.sources)
