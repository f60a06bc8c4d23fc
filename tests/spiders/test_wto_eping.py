"""ePing: notifications from the site's search and from exported sheets."""

from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest

from crawlers.page import Draft, Follow, NotThePage
from crawlers.spiders.wto.eping import WtoEping
from library.page import Page
from tests.golden_pages import golden_page
from tests.places import GOLDEN

JOINT = "G/TBT/N/KEN/9101, G/TBT/N/RWA/9202, G/TBT/N/UGA/9303"
URL = "https://epingalert.org/api/v1/azureSearch/getAll?distributionDateFrom=2031-02-01&distributionDateTo=2031-02-14&page=1"


def golden(name: str) -> list[Any]:
    return list(WtoEping().read(golden_page(GOLDEN / "wto_eping" / f"{name}.http")))


def found(answer: object) -> list[Any]:
    page = Page(
        source="wto_eping",
        url=URL,
        kind="search",
        body=orjson.dumps(answer),
        fetched_at=datetime(2031, 2, 14, tzinfo=UTC),
    )
    return list(WtoEping().read(page))


def test_every_row_of_a_joint_notification_says_the_same_and_names_all_members():
    rows = [one for one in golden("export") if isinstance(one, Draft) and one.key == JOINT]

    assert len(rows) == 2  # Rwanda's row is missing, and the objectives are printed in another order
    assert rows[0] == rows[1]
    assert rows[0].fields["jurisdictions"] == ["KEN", "RWA", "UGA"]


def test_a_document_without_english_translation_is_in_the_language_of_its_address():
    chile = next(one for one in golden("export") if isinstance(one, Draft) and "CHL" in one.key)

    assert chile.key == "G/SPS/N/CHL/9404/Add.1/Corr.1"
    assert list(chile.fields["titles"]) == ["es"]


def test_a_code_is_told_from_a_title_that_holds_semicolons():
    lamp_oil = next(one for one in golden("export") if isinstance(one, Draft) and one.key == JOINT)

    assert lamp_oil.fields["hs_codes"] == ["271019"]


def test_markup_is_taken_off_where_the_plain_twin_is_missing():
    titles = {one.key: one.fields["titles"] for one in golden("search") if isinstance(one, Draft)}

    assert titles["G/SPS/N/JPN/9707/Add.1"] == {"en": "Feed additives: amylase – entry into force"}


def test_the_next_page_is_asked_for_until_the_count_is_reached():
    following = [one for one in golden("search") if isinstance(one, Follow)]

    assert ["page=2" in one.url and "pageSize=3" in one.url for one in following] == [True]


def test_an_answer_from_outside_the_window_shows_that_the_filter_was_ignored():
    rows = [{"documentSymbol": f"G/TBT/N/USA/{n}", "distributionDate": "2019-05-05T00:00:00+00:00"} for n in range(3)]

    with pytest.raises(NotThePage, match="ignored"):
        found({"items": rows, "totalCount": 3})


def test_a_first_run_is_cut_into_months():
    follows = list(WtoEping().begin(date(2030, 11, 15), date(2031, 2, 14)))

    assert len(follows) == 4
