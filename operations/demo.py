"""Two practice nights, end to end: publishers on loopback, the ordinary spiders, real mail to a local mailbox.

The first night fills the library and mails nobody. The second brings new, amended, re-stamped and withdrawn
recalls, and the mails go out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from alerts.matching import MatchingFollower
from alerts.outbox import deliver_due, list_mails
from alerts.practice_mailbox import PracticeMailbox
from alerts.watches import Cadence, active_watches, add_watch, categories
from crawlers.practice.publishers import eu_rasff
from crawlers.practice.site import PracticeSite
from crawlers.practice.world import SOURCES, World
from indexer.engines import open_engine
from library.follow import follow
from library.house import House, opened
from library.settings import MailSettings, PracticeSettings, Settings, WebSettings, sources_folder
from library.source import Source, load_sources
from library.store.runs import GOOD
from library.times import now
from operations.children import ttm
from operations.following import catch_up

SEED = 20
RECORDS = 600
CRAWL_LIMIT_S = 100
SENDER, OPERATOR = "ttm practice <ttm@policy.example>", "operator@policy.example"
READERS = (  # category, address, cadence, language
    ("toys", "zhou.min@policy.example", Cadence.IMMEDIATE, "zh"),
    ("electrical", "zhou.min@policy.example", Cadence.IMMEDIATE, "zh"),
    ("origin_china", "li.wei@policy.example", Cadence.DAILY, "zh"),
    ("cosmetics", "anna.keller@policy.example", Cadence.IMMEDIATE, "en"),
)
Say = Callable[[str], None]


class DemoError(RuntimeError):
    """What did not go as it must, in one sentence."""


@dataclass(slots=True)
class Practice:
    """A practice house: its settings, publishers and mailbox, while they run."""

    settings: Settings
    site: PracticeSite
    mailbox: PracticeMailbox
    sources: Mapping[str, Source]

    @property
    def variables(self) -> dict[str, str]:
        """The settings as environment variables, for children."""
        settings = self.settings
        return {
            "TTM_HOME": str(settings.home),
            "TTM_DATABASE_URL": "",
            "TTM_DEMO": "true",
            "TTM_PRACTICE__PORT": str(settings.practice.port),
            "TTM_PRACTICE__NAMES": orjson.dumps(settings.practice.names).decode(),
            "TTM_MAIL__HOST": settings.mail.host,
            "TTM_MAIL__PORT": str(settings.mail.port),
        }


@contextmanager
def practice_house(*, records: int = RECORDS, port: int = 8000, home: Path | None = None) -> Iterator[Practice]:
    """A home folder of its own with practice publishers and a mailbox around it; a temporary one is removed at the end."""
    own = home or Path(tempfile.mkdtemp(prefix="ttm-demo-"))
    sources = {name: source for name, source in load_sources(sources_folder()).items() if name in SOURCES}
    names = tuple(sorted({host for source in sources.values() for host in source.hosts}))
    world = World(seed=SEED, records=records, today=now().date())
    try:
        with PracticeSite(world) as site, PracticeMailbox(own / "mailbox") as mailbox:
            settings = Settings(
                home=own,
                database_url="",
                demo=True,
                engine="tantivy",
                practice=PracticeSettings(port=site.port, names=names),
                mail=MailSettings(
                    port=mailbox.port, sender="ttm practice <ttm@policy.example>", operator="operator@policy.example"
                ),
                web=WebSettings(port=port, base_url=f"http://127.0.0.1:{port}"),
            )
            yield Practice(settings, site, mailbox, sources)
    finally:
        if home is None:
            shutil.rmtree(own, ignore_errors=True)


def play(practice: Practice, *, say: Say) -> dict[str, Any]:
    """Play both nights; returns the counts of the closing line. Raises DemoError naming what did not hold."""
    started = time.monotonic()
    with opened(practice.settings) as house:
        for code, address, cadence, language in READERS:
            offered = categories()[code]
            title = offered.zh if language == "zh" else offered.en
            add_watch(house.store, offered.query, address, now=now(), title=title, cadence=cadence, language=language)
        for night in (1, 2):
            practice.site.world.night = night
            say(f"night {night}: {len(practice.sources)} sources")
            for line in _crawl_all(practice, house):
                say(f"  {line}")
            catch_up(house)
            follow(house.store, MatchingFollower(house.store, house.sources, now))
            counts = deliver_due(house.store, practice.settings, _clock(now()), sources=house.sources)
            say(f"night {night}: {sum(house.store.counts().values()):,} records, {counts.sent} mails")
            if night == 1 and counts.sent:
                raise DemoError(f"the first night is backfill and mailed {counts.sent} times")
        digests = deliver_due(house.store, practice.settings, _clock(now() + timedelta(days=1)), sources=house.sources)
        say(f"the daily digests of tomorrow morning: {digests.sent} mails")
        return _checked(practice, house, time.monotonic() - started)


def _clock(at: datetime) -> Callable[[], datetime]:
    """A clock that starts at an instant and runs on."""
    offset = at - now()
    return lambda: now() + offset


def _crawl_all(practice: Practice, house: House) -> Iterator[str]:
    """Crawl every source in a child of its own, two at a time, and take in the sheets people hand in; a line as each ends."""
    for source in practice.sources.values():
        if source.handed_in:
            folder = practice.settings.intake / source.name
            folder.mkdir(parents=True, exist_ok=True)
            _hand_in(practice, folder)
    parent = str(os.getpid())
    commands = [("crawl", one.name, "--parent", parent) for one in practice.sources.values() if not one.handed_in]
    with ThreadPoolExecutor(practice.settings.crawl.at_once) as pool:
        running = [pool.submit(_child, practice, *command) for command in (*commands, ("intake", "--settled"))]
        for done in as_completed(running):
            yield done.result()


def _hand_in(practice: Practice, folder: Path) -> None:
    eu_rasff.write_export(practice.site.world, folder)


def _child(practice: Practice, *arguments: str) -> str:
    child = ttm(*arguments, settings=practice.variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        printed, complained = child.communicate(timeout=CRAWL_LIMIT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        raise DemoError(f"ttm {' '.join(arguments)} did not end within {CRAWL_LIMIT_S} s") from None
    if child.returncode:
        last = (complained + b"\n" + printed).decode("utf-8", "replace").strip().splitlines()[-1:]
        raise DemoError(f"ttm {' '.join(arguments)} ended with exit code {child.returncode}: {' '.join(last)}")
    return printed.decode("utf-8").strip()


def _checked(practice: Practice, house: House, seconds: float) -> dict[str, Any]:
    """Hold the two nights to what they promise, and count."""
    bad = [run for name in practice.sources for run in house.store.runs.of(name, 2) if run.verdict not in GOOD]
    if bad:
        raise DemoError(f"a run of {bad[0].source} is {bad[0].verdict}: {bad[0].reason}")
    records = sum(house.store.counts().values())
    engine = open_engine(practice.settings)
    indexed = engine.count()
    engine.close()
    if indexed != records:
        raise DemoError(f"{records:,} records and {indexed:,} in the index")
    sent = [mail for mail in list_mails(house.store) if mail.state == "sent"]
    received = practice.mailbox.messages()
    if not sent or len(received) != len(sent) or len({message["Message-ID"] for message in received}) != len(sent):
        raise DemoError(f"{len(sent)} mails were sent and {len(received)} received")
    actions = {change.action for change in house.store.changes(0, 10**6) if change.origin.value == "crawl"}
    missing = {"added", "amended", "withdrawn"} - actions
    if missing:
        raise DemoError(f"the second night brought nothing {' and nothing '.join(sorted(missing))}")
    with house.store.read() as transaction:
        pages = int(transaction.value("SELECT count(*) FROM page"))
    return {
        "sources": len(practice.sources),
        "pages": pages,
        "records": records,
        "indexed": indexed,
        "watches": len(active_watches(house.store)),
        "mails": len(sent),
        "seconds": round(seconds, 1),
    }
