"""Whatever goes wrong on the wire: the run ends by itself, every answer has an outcome and a reason, the next night heals.

Each fault of the practice publishers meets one page of a run; all of them meet the same run, of an HTML, a JSON and an XML source.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from crawlers.health import verdict
from crawlers.practice.faults import FAULTS
from library.page import Outcome
from library.source import Expectation
from library.store.runs import GOOD
from library.times import now
from tests.crawlers.crawls import TODAY, Library, Ran, library
from tests.places import ROOT

NO_ANSWER = frozenset({"cut short", "drip", "reset", "huge headers"})
ROWS = (
    "odd row",
    "no rows",
    "half a document",
    "gb18030 called utf-8",
    "gb18030 called latin-1",
    "gb18030 called gb2312",
)
MAY_BE_READ = {"half a document", "no rows", *ROWS}  # half an HTML page is a page to every browser
CASES = {
    # source: (days that the backfill reaches back, records in the world, what the addresses that meet faults have in common)
    "cn_openstd_samr": (4000, 700, "/newGbInfo?"),
    "us_federal_register": (1500, 800, "/documents.json?"),
    "eu_safety_gate": (560, 900, "/weeklyReport/detail/"),
}


def crawl(lib: Library, source: str, since: str) -> Ran:
    return lib.crawl(source, since=since, politeness={"timeout_s": 1.5})


def place_faults(lib: Library, scout: Library, run: Ran, part: str) -> dict[str, str]:
    """Let each fault meet one address that the undisturbed run has read, those about rows where rows are: fault -> address."""
    met = sorted((row for row in scout.pages(run.run) if part in row.url), key=lambda row: (-row.drafts, row.url))
    names = [*ROWS, *(name for name in FAULTS if name not in ROWS)]
    assert len(met) > len(names), f"{len(met)} pages are too few for {len(names)} faults"
    placed = {name: row.url for name, row in zip(names, met, strict=False)}
    for name, url in placed.items():
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        lib.site.faults[parts.netloc, target] = FAULTS[name]
    return placed


def fits(name: str, found: list[tuple[Outcome, str]], problems: list[str], url: str) -> bool:
    """Whether the last outcome of the page a fault met is one that may be, and says why."""
    if name in NO_ANSWER:
        return not found and any(
            problem.startswith(f"{url}: ") and len(problem) > len(url) + 12 for problem in problems
        )
    outcome, reason = found[-1]
    if outcome is Outcome.READ:
        return name in MAY_BE_READ
    if name.startswith("redirect"):
        return outcome is Outcome.REDIRECT and "moved to" in reason
    if name.startswith("challenge"):
        return outcome is Outcome.CHALLENGE and len(reason) > 10
    if name in ("gzip bomb", "wrong content encoding"):
        return outcome is Outcome.UNREADABLE and "gzip" in reason
    return outcome in (Outcome.ERROR, Outcome.UNREADABLE, Outcome.EMPTY) and len(reason) > 10


def alone(outcome: str) -> str:
    """The verdict on a run in which one page of a hundred came to this."""
    counts = {"pages.read": 99, "drafts": 500, f"pages.{outcome}": 1}
    return verdict(counts, Expectation(), last_added=now(), now=now() + timedelta(minutes=1)).word


def pages_counted(counts: Mapping[str, int]) -> int:
    """Archived pages of a run by its own count: what was not asked for or not had is no page."""
    return sum(
        count
        for name, count in counts.items()
        if name.startswith("pages.") and name not in ("pages.not_asked", "pages.missed")
    )


@pytest.mark.parametrize("source", CASES)
def test_every_fault_ends_in_an_outcome_with_a_reason_and_the_next_night_heals_it(source: str, tmp_path: Path) -> None:
    days, records, part = CASES[source]
    since = (TODAY - timedelta(days=days)).isoformat()
    with library(tmp_path / "calm", records=records) as scout, library(tmp_path / "storm", records=records) as lib:
        calm = crawl(scout, source, since)
        placed = place_faults(lib, scout, calm, part)

        storm = crawl(lib, source, since)

        found = lib.outcomes(storm.run)
        wrong = {
            name: (found.get(url), [one for one in storm.problems if url in one])
            for name, url in placed.items()
            if not fits(name, found.get(url, []), storm.problems, url)
        }
        assert wrong == {}

        # nothing is dropped silently: every page that was archived is counted, none is left without an outcome
        indexed = [outcome for outcomes in found.values() for outcome, _ in outcomes]
        assert Outcome.FETCHED not in indexed
        assert len(indexed) == pages_counted(storm.counts)
        assert storm.counts["pages.missed"] >= len(NO_ANSWER)
        assert "pages.failed" not in storm.counts

        # one bad page never stops the others, and each alone keeps a run from being believed
        undisturbed = {row.url for row in scout.pages(calm.run)} - set(placed.values())
        assert {found[url][-1][0] for url in undisturbed} <= {Outcome.READ, Outcome.EMPTY}
        assert storm.verdict not in GOOD
        bad = {str(found[url][-1][0]) for name, url in placed.items() if name not in MAY_BE_READ | NO_ANSWER}
        assert [outcome for outcome in bad - {"empty"} if alone(outcome) in GOOD] == []
        assert alone("missed") not in GOOD

        # the next night asks for what was not read without validators, and knows everything the calm library knows
        lib.site.faults.clear()
        lib.site.served.clear()
        healed = crawl(lib, source, since)

        asked = {f"https://{one.host}{one.path}": one.status for one in lib.site.served}
        assert {asked[url] for name, url in placed.items() if name not in MAY_BE_READ} == {200}
        assert healed.verdict == calm.verdict
        assert lib.keys(source) == scout.keys(source)
        assert all(
            outcome is not Outcome.FETCHED for outcomes in lib.outcomes(healed.run).values() for outcome, _ in outcomes
        )


def test_a_run_that_could_not_look_everywhere_exits_with_3_and_says_so(tmp_path: Path) -> None:
    with library(tmp_path, records=100) as lib:
        lib.site.faults["www.saferproducts.gov", "/RestWebServices"] = FAULTS["maintenance"]
        environment = {
            "TTM_HOME": str(tmp_path),
            "TTM_PRACTICE__PORT": str(lib.site.port),
            "TTM_PRACTICE__NAMES": '["www.saferproducts.gov"]',
        }
        command = [sys.executable, "-m", "ttm", "crawl", "us_cpsc"]

        ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)

        assert ended.returncode == 3, ended.stderr[-2000:]
        assert "us_cpsc: error: could not look everywhere" in ended.stdout
        assert "Traceback" not in ended.stderr
