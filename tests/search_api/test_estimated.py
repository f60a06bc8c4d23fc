"""Numbers that were counted in a sample say so, to programs, on pages in both languages, and on the terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from indexer.engines import tantivy_search
from indexer.query import Term
from library.times import now
from search_api import asking
from tests.search_api.conftest import browser
from tests.search_api.shelf import Shelf, build, shelve
from ttm import app

WORD = "rabbit"
MANY = 400
COUNTED = 20  # of so few hits on the totals are estimated here, so that hundreds of records are very many


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """A library with hundreds of recalls of one word, in two months."""
    shelf = build(tmp_path_factory.mktemp("crowded") / "home")
    for days in (5, 45):
        keys = [f"rabbit-{days}-{number}" for number in range(MANY // 2)]
        shelve(shelf, "us_cpsc", keys, title="Plush rabbit recalled", at=now() - timedelta(days=days))
    yield shelf
    shelf.engine.close()
    shelf.store.close()


@pytest.fixture(autouse=True)
def few_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tantivy_search, "COUNTED_MAX", COUNTED)


@pytest.fixture
def reader(crowded: Shelf) -> TestClient:
    return browser(crowded)


def page_of(reader: TestClient, query: str, language: str) -> str:
    return unescape(reader.get("/search", params={"q": query}, headers={"accept-language": language}).text)


def test_programs_are_told_that_a_total_is_an_estimate(crowded, reader):
    answer = reader.get("/api/search", params={"q": WORD}).json()

    assert answer["total_estimated"] and answer["facets_estimated"]
    assert crowded.engine.count(Term(WORD, (WORD,))) == MANY
    assert MANY / 2 < answer["total"] < MANY * 2


def test_programs_are_told_that_a_small_total_is_none(reader):
    answer = reader.get("/api/search", params={"q": "balloons"}).json()

    assert (answer["total"], answer["total_estimated"], answer["facets_estimated"]) == (1, False, False)


def test_the_total_of_filters_alone_is_exact_while_its_facets_are_estimated(reader):
    answer = reader.get("/api/search", params={"q": "hazard:choking source:us_cpsc"}).json()
    page = page_of(reader, "hazard:choking source:us_cpsc", "en")

    assert (answer["total"], answer["total_estimated"], answer["facets_estimated"]) == (MANY, False, True)
    assert f"<b>{MANY} records</b>" in page
    assert "numbers with ≈ are estimated" in page


@pytest.mark.parametrize(
    ("language", "total", "explanation"),
    [("en", "<b>≈{n:,} records</b>", "numbers with ≈ are estimated"), ("zh", "<b>约 {n:,} 条记录</b>", "由样本估算")],
)
def test_pages_say_about_how_many_and_explain_it_once(reader, language, total, explanation):
    found = reader.get("/api/search", params={"q": WORD}).json()["total"]
    page = page_of(reader, WORD, language)

    assert total.format(n=found) in page
    assert page.count(explanation) == 1
    assert page.index(explanation) < page.index('class="facets"')  # a telephone folds the facets away


@pytest.mark.parametrize(("language", "total"), [("en", "<b>1 record</b>"), ("zh", "<b>1 条记录</b>")])
def test_pages_say_nothing_of_estimates_where_all_was_counted(reader, language, total):
    page = page_of(reader, "balloons", language)

    assert total in page
    assert "≈" not in page and "约 " not in page


@pytest.mark.parametrize(
    ("language", "said"), [("en", r"\d{4}-\d\d: ≈[\d,]+ records"), ("zh", r"\d{4}-\d\d：约 [\d,]+ 条")]
)
def test_the_chart_of_months_says_that_it_was_counted_in_a_sample(reader, language, said):
    page = page_of(reader, WORD, language)
    tooltips = re.findall(r"<title>(\d{4}-\d\d.*?)</title>", page)

    assert len(tooltips) == 2
    assert all(re.fullmatch(said, tooltip) for tooltip in tooltips)
    assert re.search(r">≈[\d,]+</text>", page)


def test_the_terminal_says_about_how_many(crowded):
    def run(*words):
        environment = {"TTM_HOME": str(crowded.settings.home), "COLUMNS": "120"}
        return CliRunner().invoke(app, ["search", *words, "--limit", "1"], env=environment).stdout

    found = json.loads(run(WORD, "--json"))

    assert found["total_estimated"]
    assert f"about {found['total']:,} found in" in run(WORD)
    assert re.search(r"^1 found in", run("balloons"), re.MULTILINE)


def test_no_more_hits_are_promised_than_can_be_asked_for(reader, monkeypatch):
    monkeypatch.setattr(asking, "REACH", 100)

    assert reader.get("/api/search", params={"q": WORD}).json()["reach"] == 100


def test_what_can_be_paged_to_ends_long_before_totals_are_estimated(monkeypatch):
    monkeypatch.undo()

    assert asking.REACH < tantivy_search.COUNTED_MAX / 2
