"""board: how each source does, and what the library holds. 'Nothing new' and 'could not look' are different sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from alerts.canary import last_flight
from alerts.sweep import last_sweep
from library.source import Source
from library.store.runs import GOOD, Run
from library.store.store import Origin, Store
from library.times import stamp
from search_api import wording
from search_api.charts import Night
from search_api.door import Reader

NIGHTS = 14
RUNS_LOOKED_AT = 80  # fourteen nights, and the runs made by hand in between
IMPORTED = "imported"  # the verdict of an import by hand
LOST = ("failed", "challenge", "error", "redirect", "unreadable", "missed")  # pages a run could not read, by outcome
DAY = re.compile(r"\d{4}-\d\d-\d\d")
CRAWLS = (Origin.CRAWL.value, Origin.BACKFILL.value, Origin.LATE.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One source on the board. tone: 'good', 'quiet', 'bad', 'running' or 'none'; said: the sentence for the reader."""

    source: Source
    tone: str
    said: str
    last_run: Run | None
    last_good: Run | None
    records: int
    problems: int
    unread: tuple[str, ...]
    nights: Sequence[Night]
    is_proven: bool


def tone_of(run: Run | None) -> str:
    """How a run went, in one word: 'good', 'quiet' (nothing new), 'bad' (could not look), 'running' or 'none'.

    Importing captures of others is no look at the source: 'none'.
    """
    if run is None or run.verdict == IMPORTED:
        return "none"
    if run.verdict is None:
        return "running"
    if run.verdict not in GOOD:
        return "bad"
    return "quiet" if run.verdict == "quiet" else "good"


def sentence(run: Run | None, reader: Reader) -> str:
    """What a run found, as a sentence; a verdict without one of its own counts as 'could not look'."""
    if run is None:
        return reader.say("verdict.none")
    if run.verdict is None:
        return reader.say("verdict.running", since=reader.time(run.started_at))
    news = {name: run.counts.get(name, 0) for name in ("added", "amended", "withdrawn", "restored")}
    if run.verdict == "good" and not any(news.values()):
        return reader.say("verdict.unchanged")
    key = f"verdict.{run.verdict}"
    return reader.say(key if wording.is_known(key) else "verdict.other", **news)


def reason(run: Run, reader: Reader) -> str:
    """Why a run is not good, in the reader's language where its counts tell; else as it was noted."""
    lost = {name: run.counts[f"pages.{name}"] for name in LOST if run.counts.get(f"pages.{name}")}
    tried = sum(n for name, n in run.counts.items() if name.startswith("pages."))
    match run.verdict:
        case "quiet" if day := DAY.search(run.reason):
            return reader.say("reason.quiet", day=day[0])
        case "thin" | "refused" | "changed":
            return reader.say(
                f"reason.{run.verdict}", **{name: run.counts.get(name, 0) for name in ("drafts", "refused", "unread")}
            )
        case _ if lost and reader.language == "zh":
            said = "，".join(f"{reader.say(f'outcome.{name}')} {n:,}" for name, n in lost.items())
            return reader.say("reason.lost", pages=tried, said=said)
    return run.reason


def standings(store: Store, sources: Mapping[str, Source], reader: Reader, now: datetime) -> list[Standing]:
    """Every source of the facts, those in trouble first."""
    counts = store.counts()
    found = [standing(store, source, reader, now, counts.get(source.name, 0)) for source in sources.values()]
    rank = {"bad": 0, "none": 1, "running": 2, "quiet": 3, "good": 4}
    return sorted(found, key=lambda one: (rank[one.tone], one.source.name))


def standing(store: Store, source: Source, reader: Reader, now: datetime, records: int) -> Standing:
    """One source."""
    runs = [run for run in store.runs.of(source.name, RUNS_LOOKED_AT) if run.origin in CRAWLS]
    last = next((run for run in runs if run.verdict != IMPORTED), runs[0] if runs else None)
    return Standing(
        source=source,
        tone=tone_of(last),
        said=sentence(last, reader),
        last_run=last,
        last_good=store.runs.last_good(source.name),
        records=records,
        problems=store.runs.problem_count(source.name),
        unread=unread_fields(store, source),
        nights=_nights(runs, reader, now),
        is_proven=store.runs.has_read_live(source.name),
    )


def _nights(runs: Sequence[Run], reader: Reader, now: datetime) -> list[Night]:
    """The last fourteen days in the reader's zone, oldest first, each with its worst run."""
    today = now.astimezone(reader.zone).date()
    nights = []
    for back in range(NIGHTS - 1, -1, -1):
        day = today - timedelta(days=back)
        of_day = [run for run in runs if run.started_at.astimezone(reader.zone).date() == day]
        tones = [tone_of(run) for run in of_day if run.verdict is not None]
        news = sum(run.counts.get("added", 0) + run.counts.get("amended", 0) for run in of_day)
        tone = next((tone for tone in ("bad", "good", "quiet") if tone in tones), "none")
        said = sentence(next((run for run in of_day if tone_of(run) == tone), None), reader)
        nights.append(Night(tone, news, f"{day}: {said}"))
    return nights


def unread_fields(store: Store, source: Source) -> tuple[str, ...]:
    """Names of the source's fields that the newest pages print and nobody has looked at."""
    with store.read() as transaction:
        rows = transaction.rows(UNREAD, source=source.name)
    return tuple(sorted({name for row in rows for name in orjson.loads(row["unread"])} - set(source.ignore_unread)))


def pages_by_outcome(store: Store, source: str) -> list[tuple[str, str, int]]:
    """How many pages of a source are archived, by kind and outcome."""
    with store.read() as transaction:
        return [(row["kind"], row["outcome"], row["n"]) for row in transaction.rows(BY_OUTCOME, source=source)]


def kinds(store: Store) -> dict[str, int]:
    """Records by kind."""
    with store.read() as transaction:
        return {
            row["kind"]: row["n"] for row in transaction.rows("SELECT kind, count(*) AS n FROM record GROUP BY kind")
        }


def alerts_standing(store: Store, now: datetime, *, within_s: float) -> dict[str, Any]:
    """How the alerts do, for programs: the last nightly comparison and the last canary, None where there was none."""
    swept, flight = last_sweep(store), last_flight(store)
    return {
        "sweep": swept.as_json() | {"clean": swept.is_clean} if swept else None,
        "canary": {
            "standing": flight.standing(now, within_s),
            "started": stamp(flight.started_at),
            "arrived": stamp(flight.arrived_at) if flight.arrived_at else None,
            "seen_by": flight.seen_by,
            "reason": flight.reason,
        }
        if flight
        else None,
    }


def news(store: Store, since: datetime, limit: int) -> tuple[int, list[Mapping[str, Any]]]:
    """What publishers changed since a time: how many changes, and the newest of them (record_id, action, at)."""
    with store.read() as transaction:
        total = int(transaction.value(NEWS_COUNT, since=stamp(since)) or 0)
        return total, list(transaction.rows(NEWS, since=stamp(since), limit=limit))


UNREAD = """
    SELECT DISTINCT unread FROM page
    WHERE source = :source AND unread <> '[]' AND run_id = (SELECT max(run_id) FROM page WHERE source = :source)
"""

BY_OUTCOME = """
    SELECT kind, outcome, count(*) AS n FROM page WHERE source = :source GROUP BY kind, outcome ORDER BY kind, n DESC
"""

NEWS = """
    SELECT record_id, action, at FROM change WHERE at >= :since AND origin IN ('crawl', 'late')
    ORDER BY seq DESC LIMIT :limit
"""

NEWS_COUNT = "SELECT count(*) FROM change WHERE at >= :since AND origin IN ('crawl', 'late')"
