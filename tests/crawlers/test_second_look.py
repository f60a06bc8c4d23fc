"""The second look: what did not change is not read again, and what was fetched and not read is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crawlers.practice.faults import FAULTS
from library.archive import Archive
from library.page import Outcome
from library.store.runs import GOOD
from library.store.store import Store
from tests.crawlers.child import DIED
from tests.crawlers.crawls import Library, library

# the first run of a year or month asks for more than the next: the same window makes the same addresses
SOURCES = ["ca_recalls_opendata", "us_federal_register", "eu_safety_gate", "cn_openstd_samr"]


@pytest.mark.parametrize("source", SOURCES)
def test_a_second_crawl_of_the_same_night_reads_nothing_and_changes_nothing(source: str, tmp_path: Path) -> None:
    with library(tmp_path, records=200) as lib:
        first = lib.crawl(source, recheck_days=0)
        again = lib.crawl(source, recheck_days=0)  # a good run narrows the window
        known = lib.changes()
        served = len(lib.site.served)

        third = lib.crawl(source, recheck_days=0)

        assert {first.verdict, again.verdict, third.verdict} <= set(GOOD)
        assert third.read == []
        assert third.counts["pages.unchanged"] == len(lib.pages(third.run)) > 0
        assert third.counts["drafts"] == 0
        assert lib.changes() == known
        assert len(lib.site.served) > served  # it did look


def test_a_page_that_was_fetched_and_not_read_before_the_process_died_is_read_by_the_next_run(lib: Library) -> None:
    assert lib.crawl_and_die("uk_fsa_food_alerts", die_at="id.json") == DIED
    with lib.store() as store:
        assert [row["outcome"] for row in _pages(store)] == ["fetched"]
        assert store.counts() == {}

    ran = lib.crawl("uk_fsa_food_alerts")

    assert ran.verdict in GOOD
    assert [one.status for one in lib.site.served if one.path != "/robots.txt"] == [200, 200]  # no 'only if changed'
    assert len(ran.read) == 1
    assert len(lib.keys("uk_fsa_food_alerts")) == ran.counts["added"] > 0
    with lib.store() as store:
        assert [run.verdict for run in store.runs.of("uk_fsa_food_alerts")] == [ran.verdict, "died"]


def test_after_a_death_in_the_middle_the_next_run_goes_on_behind_pages_that_did_not_change(lib: Library) -> None:
    # the list was read, and the process died at one of the pages it leads to
    assert lib.crawl_and_die("cn_openstd_samr", since="2015-01-01", die_at="newGbInfo") == DIED
    with library(lib.home / "calm", records=300) as calm:
        calm.crawl("cn_openstd_samr", since="2015-01-01")

        ran = lib.crawl("cn_openstd_samr", since="2015-01-01")

        assert ran.verdict in GOOD
        assert lib.keys("cn_openstd_samr") == calm.keys("cn_openstd_samr")
    assert {outcome for found in lib.outcomes(ran.run).values() for outcome, _ in found} <= {
        Outcome.READ,
        Outcome.UNCHANGED,
    }


def test_the_archive_is_whole_after_a_death(lib: Library) -> None:
    lib.crawl_and_die("us_federal_register", die_at="documents")
    lib.crawl("us_federal_register")

    with lib.store() as store:
        assert Archive(lib.home / "archive", store).check() == []


def _pages(store: Store) -> list[Mapping[str, Any]]:
    with store.read() as transaction:
        return list(transaction.rows("SELECT * FROM page ORDER BY id"))


def test_what_was_missed_and_what_could_not_be_read_is_no_open_problem_once_it_was_read(lib: Library) -> None:
    lib.site.faults["data.food.gov.uk", "/food-alerts"] = replace(FAULTS["half a document"], times=1)
    lib.crawl("uk_fsa_food_alerts")
    with lib.store() as store:
        unreadable = store.runs.problem_count("uk_fsa_food_alerts")
    lib.site.faults["data.food.gov.uk", "/food-alerts"] = replace(FAULTS["reset"], times=8)
    lib.crawl("uk_fsa_food_alerts")
    with lib.store() as store:
        missed = store.runs.problem_count("uk_fsa_food_alerts")

    lib.site.faults.clear()
    lib.crawl("uk_fsa_food_alerts")

    with lib.store() as store:
        left = [one.reason for one in store.runs.problems("uk_fsa_food_alerts")]
    assert unreadable >= 1
    assert missed >= unreadable
    assert [reason for reason in left if "unmapped" not in reason] == []
