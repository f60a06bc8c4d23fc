"""Saved searches that the operator keeps for all readers."""

from __future__ import annotations

import pytest

from search_api.saved import saved_searches


def test_the_saved_searches_of_the_configuration_can_be_asked_and_are_offered_on_the_first_page(client):
    page = client.get("/").text

    assert saved_searches()
    for saved in saved_searches():
        assert saved.en in page
        assert client.get(saved.asked.address()).status_code == 200


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('zh = "a"\nen = "b"', "query is missing"),
        ('zh = "a"\nen = "b"\nquery = "("', "column"),
        ('zh = "a"\nen = "b"\nquery = "c"\nsort = "best"', "the order is one of"),
        ('zh = "a"\nen = "b"\nquery = "c"\nquerry = "d"', "unknown keys querry"),
    ],
)
def test_a_saved_search_that_cannot_be_is_named(tmp_path, row, said):
    file = tmp_path / "searches.toml"
    file.write_text(f"[[search]]\n{row}\n", encoding="utf-8")

    with pytest.raises(ValueError, match=f"searches.toml, search 1: .*{said}"):
        saved_searches(file)


def test_without_the_file_nothing_is_offered(tmp_path):
    assert saved_searches(tmp_path / "none.toml") == ()
