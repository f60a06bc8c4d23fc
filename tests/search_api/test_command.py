"""The search command: the API's JSON, a table for people, and a mark under what cannot be read."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from tests.search_api.shelf import BALLOON_ID, build
from ttm import app


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    shelf = build(tmp_path_factory.mktemp("command") / "home")
    shelf.engine.close()
    shelf.store.close()
    return shelf.settings.home


def run(home, *words):
    return CliRunner().invoke(app, ["search", *words], env={"TTM_HOME": str(home), "COLUMNS": "120"})


def test_json_has_the_shape_of_the_api(home):
    result = run(home, "balloons", "--json", "--limit", "1")
    answer = json.loads(result.stdout)

    assert result.exit_code == 0
    assert answer.keys() == {
        "query",
        "total",
        "total_estimated",
        "took_ms",
        "hits",
        "facets",
        "facets_estimated",
        "also_searched",
        "loosened",
        "reach",
        "by_meaning",
        "did_you_mean",
    }
    assert [hit["id"] for hit in answer["hits"]] == [BALLOON_ID]


def test_people_get_a_table(home):
    result = run(home, "玩具 窒息")

    assert result.exit_code == 0
    assert BALLOON_ID in result.stdout and "also searched:" in result.stdout


def test_a_query_that_cannot_be_read_is_marked_below_its_place(home):
    result = run(home, "玩具 )")

    assert result.exit_code == 2
    assert "玩具 )\n     ^\n" in result.stderr


def test_a_search_that_finds_nothing_is_no_failure(home):
    assert run(home, "zzzqqq").exit_code == 0
