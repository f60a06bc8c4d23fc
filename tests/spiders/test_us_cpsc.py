"""Consumer product recalls of the United States: what the spider makes of the Commission's answers."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from crawlers.page import Draft, NotThePage
from crawlers.spiders.us.cpsc import UsCpsc
from library.page import Page

API = "https://www.saferproducts.gov/RestWebServices/Recall?format=json"
GOLDEN = Path(__file__).parents[1] / "golden" / "us_cpsc" / "window.http"


def read(body: bytes, url: str = API) -> list[Draft]:
    page = Page(source="us_cpsc", url=url, kind="list", body=body, fetched_at=datetime(2026, 10, 2, tzinfo=UTC))
    return list(UsCpsc().read(page))


def golden() -> dict[str, Any]:
    return {draft.key: draft for draft in read(GOLDEN.read_bytes().partition(b"\n\n")[2])}


def test_a_sentence_on_where_it_was_sold_is_not_the_name_of_a_firm():
    lantern = golden()["27001"]

    assert [operator["name"] for operator in lantern.fields["operators"]] == [
        "Zhongshan Xingdeng Lighting Co. Ltd.",
        "Lumo Kite, LLC, of Springfield, Ohio",
    ]
    assert lantern.fields["operators"][0]["country"] == "China"
    assert any(text["label"] == "scope" and "Sold Online At" in text["value"] for text in lantern.fields["texts"])


def test_swapped_remedies_are_told_apart_and_an_address_is_no_title():
    ranges = golden()["27004"]

    assert ranges.fields["measures"] == [{"measure": "Repair"}]
    assert any(text["label"] == "action" and "gas supply" in text["value"] for text in ranges.fields["texts"])
    assert ranges.fields["titles"]["en"] == "Oakbend 30-Inch Gas Ranges; Oakbend Conversion Kits"


def test_a_recall_is_found_under_its_number_with_and_without_the_dash():
    assert golden()["27001"].fields["references"] == ["27-001", "27001"]


def test_the_error_row_that_is_answered_with_200_is_an_error_with_the_sites_own_words():
    row: dict[str, Any] = {
        "RecallID": 0,
        "RecallNumber": None,
        "Title": "Error retrieving Recalls: no such date",
        "Products": [],
    }

    with pytest.raises(NotThePage, match="no such date") as error:
        read(orjson.dumps([row]))

    assert error.value.outcome == "error"


def test_an_answer_with_other_days_than_asked_says_that_the_filter_was_ignored():
    row = {"RecallID": 7, "RecallNumber": "01007", "RecallDate": "2001-05-05T00:00:00", "Title": "Lamps"}

    with pytest.raises(NotThePage, match="the filter was ignored"):
        read(orjson.dumps([row]), url=f"{API}&RecallDateStart=2026-01-01&RecallDateEnd=2026-12-31")


def test_no_window_is_wider_than_a_year_and_the_first_run_of_a_year_reads_everything():
    nightly = list(UsCpsc().begin(date(2026, 11, 10), date(2026, 11, 12)))
    yearly = list(UsCpsc().begin(date(2025, 12, 31), date(2026, 1, 2)))

    assert [follow.url.partition("&")[2] for follow in nightly] == [
        "RecallDateStart=2026-08-14&RecallDateEnd=2026-11-12",
        "LastPublishDateStart=2026-11-10&LastPublishDateEnd=2026-11-12",
    ]
    assert len(yearly) == 2026 - 1973 + 1
