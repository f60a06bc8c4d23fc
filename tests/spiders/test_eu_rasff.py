"""RASFF: tables that people export from the Window and hand in."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from crawlers.page import NotThePage
from crawlers.spiders.eu.rasff import EuRasff
from library.page import Page
from tests.golden_pages import golden_page
from tests.places import GOLDEN

HEADER = (
    "Date of Case,Reference,Notification From,Country Origin,Product,Product Category,Hazard Substance,Hazard Category"
)


def read(body: str) -> list[Any]:
    page = Page(
        source="eu_rasff", url="x:", kind="export", body=body.encode(), fetched_at=datetime(2031, 2, 5, tzinfo=UTC)
    )
    return list(EuRasff().read(page))


def golden(name: str) -> dict[str, Any]:
    return {draft.key: draft for draft in EuRasff().read(golden_page(GOLDEN / "eu_rasff" / f"{name}.http"))}


def test_a_hazard_that_is_repeated_for_every_finding_counts_once():
    figs = golden("export-csv")["2031.0979"]

    assert figs.fields["hazards"] == ["Mycotoxins"]
    assert figs.fields["origins"] == ["Spain", "Morocco"]


def test_a_reference_that_a_spreadsheet_took_for_a_number_gets_its_zero_back():
    assert set(golden("export-sheet")) == {"2031.1001", "2031.0990"}


def test_only_a_column_that_says_so_makes_a_border_rejection():
    kinds = {key: draft.kind for key, draft in (golden("export-csv") | golden("export-sheet")).items()}

    assert kinds.pop("2031.1001") == "rejection"
    assert set(kinds.values()) == {"notification"}


def test_a_new_column_is_listed_as_unread_and_the_row_is_kept():
    drafts = read(f"{HEADER},Distribution\r\n,2031.0001,Italy,China,Spoon,Food contact materials,,,Malta\r\n")

    assert [draft.key for draft in drafts] == ["2031.0001"]
    assert drafts[0].unread == {"Distribution"}


def test_a_table_of_something_else_is_refused():
    with pytest.raises(NotThePage, match="Reference"):
        read("Name,Price\r\nSpoon,3\r\n")


def test_nothing_is_crawled():
    assert not list(EuRasff().begin(date(2020, 1, 1), date(2031, 1, 1)))
