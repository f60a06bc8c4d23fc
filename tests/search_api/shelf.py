"""A small real library for the tests of the pages: invented publishers, thirty-odd records, an archive and an index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI

from indexer.build import IndexFollower
from indexer.engines import open_engine
from indexer.engines.base import Engine
from indexer.links import LinkFollower
from indexer.suggest import SuggestionFollower
from library.archive import Answer, Archive, Kept
from library.follow import follow
from library.page import Outcome
from library.record import (
    Absence,
    Coded,
    Kind,
    Link,
    Measure,
    Operator,
    OperatorRole,
    Product,
    Record,
    State,
    Status,
    Text,
)
from library.settings import Settings
from library.source import Source
from library.store.pages import Reading, url_key
from library.store.store import Origin, SeenPage, Store
from library.times import now
from search_api.app import create_app

SCRIPT = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
HOSTILE_ID = 'us_cpsc:27<1>"?#%/x'
BALLOON_ID = "eu_safety_gate:SR/00001/26"
TRANSLATED_ID = "wto_eping:G/TBT/N/EU/1999"
TOKEN = "a-token-only-the-tests-know"


def source(name: str, **facts: Any) -> Source:
    """The facts of an invented publisher."""
    usual: dict[str, Any] = {
        "title": {"zh": f"{name} 来源", "en": f"{name} feed"},
        "publisher": {"zh": "虚构的机构", "en": "An invented agency"},
        "home": f"https://{name.replace('_', '-')}.example/",
        "jurisdiction": "US",
        "language": "en",
        "kinds": ("recall",),
        "rights": "Invented content, free to use.",
        "attribution": f"Source: {name}",
        "hosts": (f"{name.replace('_', '-')}.example",),
        "pages": {"list": {"pattern": f"https://{name.replace('_', '-')}[.]example/"}},
    }
    return Source.model_validate({"name": name} | usual | facts)


SOURCES: Mapping[str, Source] = {
    one.name: one
    for one in (
        source("eu_safety_gate", title={"zh": "欧盟安全门", "en": "EU Safety Gate"}, jurisdiction="EU"),
        source("us_cpsc", title={"zh": "美国消费品安全委员会召回", "en": "US CPSC recalls"}),
        source("wto_eping", title={"zh": "WTO 通报", "en": "WTO notifications"}, kinds=("notification",)),
        source("cn_openstd_samr", title={"zh": "国家标准", "en": "Chinese standards"}, kinds=("standard",)),
        source("eu_rasff", title={"zh": "欧盟食品预警", "en": "EU food alerts"}, handed_in=True, hosts=()),
    )
}


@dataclass(frozen=True)
class Shelf:
    """The library and the application over it."""

    app: FastAPI
    settings: Settings
    store: Store
    engine: Engine
    mailbox: Path


def coded(printed: str, code: str | None) -> Coded:
    """A printed word and its code."""
    return Coded(printed=printed, code=code)


def records(today: date) -> list[Record]:
    """The invented records, published over the last two years."""
    balloon = Record(
        source="eu_safety_gate",
        key="SR/00001/26",
        kind=Kind.RECALL,
        references=("SR/00001/26",),
        jurisdictions=(coded("Germany", "DE"),),
        authority="Market surveillance authority of an invented land",
        titles=(
            Text(language="en", value="Balloons that come apart, children may choke on small parts", label="title"),
        ),
        texts=(
            Text(
                language="en",
                label="risk",
                value="The mouthpiece detaches easily and may cause choking. It does not comply with EN 71-1:2014 "
                "and with Regulation (EU) 2023/988. Wandering blue letters stand on every pack.",
            ),
        ),
        published=today - timedelta(days=3),
        status=Status(state=State.CURRENT, printed="Open"),
        classification=coded("Serious risk", None),
        categories=(coded("Toys", "toys"),),
        hazards=(coded("Choking", "choking"), coded("Grumbling", None)),
        measures=(Measure(printed="Recall of the product from end users", code="recall", operator="Importer"),),
        origins=(coded("People's Republic of China", "CN"),),
        operators=(Operator(name="Puff & Sons Ltd", role=OperatorRole.IMPORTER, country="DE"),),
        hs_codes=(coded("9503 00", "950300"),),
        products=(
            Product(name="Balloons", brand="Puffalo", model="PB-12", gtins=("04006381333931",)),
            Product(name="Balloons, red", brand="Puffalo", quantity="1 200"),
        ),
        links=(
            Link(url="https://eu-safety-gate.example/SR-00001-26", label="original"),
            Link(url="javascript:alert(1)", label="other", title="A link that is none"),
        ),
        absences={"in_force": Absence.NOT_APPLICABLE, "ics_codes": Absence.EMPTY, "withdrawn": Absence.UNKNOWN},
        rights="Invented content, free to use.",
        attribution="Source: an invented gate",
        printed={"published": "21/11/2026"},
    )
    hostile = Record(
        source="us_cpsc",
        key=HOSTILE_ID.split(":", 1)[1],
        kind=Kind.RECALL,
        references=("=HYPERLINK(1)",),
        jurisdictions=(coded("<b>Nowhere</b>", None),),
        titles=(Text(language="en", value=f"=cmd|' /C calc'!A0 {SCRIPT} hostile charger", label="title"),),
        texts=(Text(language="en", label="summary", value=f"{SCRIPT} hostile charger text {SCRIPT}"),),
        published=today - timedelta(days=40),
        hazards=(coded(SCRIPT, None),),
        categories=(coded('"><svg onload=alert(1)>', None),),
        products=(Product(name=SCRIPT, brand="=1+1"),),
        links=(Link(url="javascript:document.title='owned'", label="original"),),
        rights=SCRIPT,
    )
    notification = Record(
        source="wto_eping",
        key="G/TBT/N/EU/1999",
        kind=Kind.NOTIFICATION,
        references=("G/TBT/N/EU/1999",),
        jurisdictions=(coded("European Union", "EU"),),
        titles=(
            Text(language="en", value="Draft rules on the safety of toys", label="title"),
            Text(language="zh", value="玩具安全规则草案", label="title"),
        ),
        texts=(Text(language="en", label="summary", value="Replaces parts of EN 71-1:2014. " + "Long words. " * 200),),
        published=today - timedelta(days=10),
        comments_until=today + timedelta(days=50),
        status=Status(state=State.PROPOSED, printed="Draft"),
        categories=(coded("Toys", "toys"),),
        ics_codes=(coded("97.200.50", "97.200.50"),),
    )
    standard = Record(
        source="cn_openstd_samr",
        key="GB 6675.1-2014",
        kind=Kind.STANDARD,
        references=("GB 6675.1-2014",),
        jurisdictions=(coded("中国", "CN"),),
        titles=(Text(language="zh", value="玩具安全 第1部分：虚构的基本规范", label="title"),),
        published=date(2014, 5, 6),
        in_force=date(2016, 1, 1),
        status=Status(state=State.CURRENT, printed="现行"),
        cites=("EN 71-1:2014",),
    )
    many = [
        Record(
            source="us_cpsc",
            key=f"26{number:03}",
            kind=Kind.RECALL,
            references=(f"26-{number:03}",),
            jurisdictions=(coded("United States", "US"),),
            titles=(
                Text(
                    language="en",
                    value=f"Acme Brightway recalls charger model {number} due to fire and burn hazards",
                    label="title",
                ),
            ),
            texts=(Text(language="en", label="summary", value="The charger can overheat and catch fire."),),
            published=today - timedelta(days=20 * number),
            hazards=(coded("Fire", "fire"), coded("Burn", "burns")),
            categories=(coded("Chargers", "electrical_appliances"),),
            origins=(coded("China" if number % 2 else "Viet Nam", "CN" if number % 2 else "VN"),),
            measures=(Measure(printed="Recall", code="recall"),),
            status=Status(state=State.CURRENT if number < 15 else State.ENDED, printed="Active"),
            links=(Link(url=f"https://us-cpsc.example/{number}", label="original"),),
        )
        for number in range(1, 31)
    ]
    return [balloon, hostile, notification, standard, *many]


HTML_PAGE = (
    "<!doctype html><html><head><title>An invented page</title><style>p{color:red}</style></head><body>"
    f"<h1>Notice</h1><p>First words.</p>{SCRIPT}<table><tr><td>left</td><td>right</td></tr></table></body></html>"
)


def build(home: Path, **overrides: Any) -> Shelf:
    """Make the library in an empty folder."""
    settings = Settings(
        home=home,
        web={
            "operator_token": TOKEN,
            "secret": "a secret that is long enough for the tests",
            "base_url": "https://ttm.example",
        },
        **overrides,
    )
    store = Store(settings.database)
    archive = Archive(settings.archive, store)
    at = now()
    today = at.astimezone(UTC).date()
    for number, (name, facts) in enumerate(SOURCES.items()):
        if name == "eu_rasff":
            continue
        mine = [record for record in records(today) if record.source == name]
        _run(store, archive, facts, mine, at - timedelta(hours=30 + number), Origin.BACKFILL)
    amended = next(record for record in records(today) if record.id == BALLOON_ID)
    risk = amended.texts[0].model_copy(update={"value": amended.texts[0].value.replace("blue", "green")})
    measures = (*amended.measures, Measure(printed="Ban on marketing", code=None))
    amended = amended.model_copy(update={"texts": (risk,), "measures": measures})
    _run(store, archive, SOURCES["eu_safety_gate"], [amended], at - timedelta(hours=6), Origin.CRAWL)
    failed = store.runs.start("us_cpsc", origin="crawl", live=False, at=at - timedelta(hours=5), process=1)
    reason = "could not look everywhere: 1 challenge of 1 pages"
    store.runs.end(failed, verdict="blocked", reason=reason, counts={"pages.challenge": 1}, at=at - timedelta(hours=5))
    quiet = store.runs.start("wto_eping", origin="crawl", live=False, at=at - timedelta(hours=4), process=1)
    reason = "looked and found nothing new since 2026-01-01"
    store.runs.end(quiet, verdict="quiet", reason=reason, counts={"pages.read": 1}, at=at - timedelta(hours=4))

    engine = open_engine(settings)
    follow(store, IndexFollower(engine, store))
    follow(store, LinkFollower(store))
    follow(store, SuggestionFollower(store))
    mailbox = home / "mailbox"
    mailbox.mkdir()
    app = create_app(settings, store, engine, SOURCES, mailbox_folder=mailbox)
    return Shelf(app, settings, store, engine, mailbox)


def shelve(shelf: Shelf, source_name: str, keys: Sequence[str], *, title: str, at: datetime | None = None) -> None:
    """Add further recalls of one title, published and first seen on one day, today unless said."""
    at = at or now()
    more = [
        Record(
            source=source_name,
            key=key,
            kind=Kind.RECALL,
            jurisdictions=(coded("United States", "US"),),
            titles=(Text(language="en", value=title, label="title"),),
            published=at.date(),
            hazards=(coded("Choking", "choking"),),
        )
        for key in keys
    ]
    _run(shelf.store, Archive(shelf.settings.archive, shelf.store), SOURCES[source_name], more, at, Origin.CRAWL)
    follow(shelf.store, IndexFollower(shelf.engine, shelf.store))


def _run(store: Store, archive: Archive, facts: Source, mine: list[Record], at: datetime, origin: Origin) -> None:
    run_id = store.runs.start(facts.name, origin=origin.value, live=False, at=at, process=1)
    html = facts.name == "us_cpsc"
    body = HTML_PAGE.encode() if html else orjson.dumps({"rows": [record.key for record in mine], "script": SCRIPT})
    answer = Answer(
        source=facts.name,
        kind="list",
        url=f"{facts.home}list?night={run_id}",
        status=200,
        headers=(("Content-Type", "text/html; charset=utf-8" if html else "application/json"),),
        raw_body=body,
        fetched_at=at,
    )
    with archive.writer(run_id, facts.name, at) as writer:
        kept: Kept = writer.add(answer).result()
    seen = SeenPage(id=kept.page_id, url_key=url_key("GET", kept.page.url), fetched_at=at)
    for record in mine:
        store.put(record, seen, origin=origin, at=at)
    with store.write() as transaction:
        reading = Reading(outcome=Outcome.READ, drafts=len(mine), unread=("newField",) if html else ())
        store.pages.finish(transaction, kept.page_id, kept.page, reading)
        if html:
            reason = f"no kind for {SCRIPT}"
            store.runs.problem(
                transaction, source=facts.name, page_id=kept.page_id, key="27999", reason=reason, draft={}, at=at
            )
    counts = {"pages.read": 1, "drafts": len(mine), "added": len(mine)}
    store.runs.end(run_id, verdict="good", reason=f"{len(mine)} added", counts=counts, at=at)
