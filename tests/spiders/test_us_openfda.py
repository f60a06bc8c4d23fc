"""Food, drug and device recalls by openFDA: what the spider makes of its answers."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from crawlers.page import Follow, NotThePage
from crawlers.spiders.us.openfda import UsOpenfda
from library.page import Page

URL = "https://api.fda.gov/food/enforcement.json?search=report_date:%5B20260101+TO+20261231%5D&sort=report_date:asc"
GOLDEN = Path(__file__).parents[1] / "golden" / "us_openfda"


def read(body: bytes, url: str = f"{URL}&limit=1000", link: str = "", status: int = 200) -> list[Any]:
    headers = {"content-type": "application/json"} | ({"link": link} if link else {})
    night = datetime(2026, 10, 8, tzinfo=UTC)
    page = Page(source="us_openfda", url=url, kind="list", body=body, headers=headers, status=status, fetched_at=night)
    return list(UsOpenfda().read(page))


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.http").read_bytes().partition(b"\n\n")[2]


def test_the_next_page_is_taken_from_the_link_header_and_not_from_the_counts():
    following = f"{URL}&limit=1000&search_after=0%3D1"

    *_, last = read(golden("drug_page"), link=f'<{following}>; rel="next"')

    assert last == Follow(url=following, kind="list")


def test_without_a_link_header_the_rows_read_are_skipped_and_a_walk_by_search_after_ends():
    *_, last = read(golden("drug_page"))

    assert last == Follow(url=f"{URL}&limit=1000&skip=1000", kind="list")
    assert len(read(golden("drug_page"), url=f"{URL}&limit=1000&search_after=0%3D1")) == 1


def test_nothing_found_is_empty_and_a_refusal_is_an_error_whatever_the_status():
    def answer(code: str) -> bytes:
        return orjson.dumps({"error": {"code": code, "message": "Sorry"}})

    with pytest.raises(NotThePage, match="Sorry") as nothing:
        read(answer("NOT_FOUND"), status=404)
    with pytest.raises(NotThePage, match="API_KEY_INVALID: Sorry") as refused:
        read(answer("API_KEY_INVALID"), status=200)

    assert (nothing.value.outcome, refused.value.outcome) == ("empty", "error")


def test_a_page_of_html_is_not_taken_for_an_answer():
    with pytest.raises(NotThePage, match="HTML page where JSON is due: 'Access Denied'") as denied:
        read(b"<html><head><title>Access Denied</title></head><body>Reference 1</body></html>")

    assert denied.value.outcome == "challenge"


def test_the_country_of_the_firm_is_no_origin_and_a_missing_date_of_termination_is_no_empty_one():
    trout, lily = read(golden("food"))

    assert lily.fields["operators"][0]["country"] == "China"
    assert "origins" not in lily.fields
    assert lily.fields["status_since"] == "20261002"
    assert "status_since" not in trout.fields


def test_each_months_first_run_reads_everything():
    nightly = list(UsOpenfda().begin(date(2026, 11, 10), date(2026, 11, 12)))
    monthly = list(UsOpenfda().begin(date(2026, 10, 31), date(2026, 11, 1)))

    assert len(nightly) == 3 * 2
    assert len(monthly) == 3 * (2026 - 2004 + 1)
