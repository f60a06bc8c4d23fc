"""The Federal Register: what the spider makes of its documents."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from crawlers.page import Draft, NotThePage, Remark
from crawlers.spiders.us.federal_register import UsFederalRegister
from library.page import Page

API = "https://www.federalregister.gov/api/v1/documents.json"
GOLDEN = Path(__file__).parents[1] / "golden" / "us_federal_register" / "window.http"


def read(body: bytes, url: str = API) -> list[Any]:
    night = datetime(2026, 10, 7, tzinfo=UTC)
    page = Page(source="us_federal_register", url=url, kind="list", body=body, fetched_at=night)
    return list(UsFederalRegister().read(page))


def golden() -> bytes:
    return GOLDEN.read_bytes().partition(b"\n\n")[2]


def test_a_correction_names_the_document_it_corrects_and_leaves_a_remark_on_it():
    found = read(golden())

    correction: Any = next(item for item in found if isinstance(item, Draft) and item.key == "C1-2026-88123")
    remark = next(item for item in found if isinstance(item, Remark))
    assert correction.fields["cites"][0] == "2026-88123"
    assert (remark.key, remark.said_on, remark.withdrawn) == ("2026-88123", "2026-10-05", False)


def test_parts_of_the_cfr_and_dockets_are_cited_and_a_bare_number_keeps_its_word():
    drafts: list[Any] = [item for item in read(golden()) if isinstance(item, Draft)]
    cites = {draft.key: draft.fields["cites"] for draft in drafts}

    assert cites["2026-90001"] == ["16 CFR 1199", "CPSC-2026-0099", "3041-ZZ01"]
    assert "Docket No. 31999" in cites["C1-2026-88123"]


def test_counters_that_move_without_an_edit_change_nothing():
    body = orjson.loads(golden())
    for row in body["results"]:
        row["page_views"]["count"] += 100
        row["regulations_dot_gov_info"] = {"comments_count": 12}

    assert read(orjson.dumps(body)) == read(golden())


def test_a_window_without_documents_is_empty_and_a_refusal_is_an_error():
    with pytest.raises(NotThePage, match="no document was published") as empty:
        read(b'{"count": 0, "description": "No documents"}')
    with pytest.raises(NotThePage, match="is not a valid field") as refused:
        read(b'{"errors": {"fields": "x is not a valid field"}}')

    assert (empty.value.outcome, refused.value.outcome) == ("empty", "error")


def test_a_backfill_asks_month_by_month_for_no_volatile_field():
    follows = list(UsFederalRegister().begin(date(2026, 9, 3), date(2026, 11, 12)))

    assert [follow.url.count("2026-") for follow in follows] == [2, 2, 2, 2]
    assert not any("page_views" in follow.url or "regulations_dot_gov" in follow.url for follow in follows)
