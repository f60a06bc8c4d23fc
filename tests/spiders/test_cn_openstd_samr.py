"""National standards of China: lists and pages in the layouts of 2022 and 2026."""

from datetime import UTC, datetime
from typing import Any

import pytest

from crawlers.page import Follow, NotThePage
from crawlers.spiders.cn.openstd_samr import CnOpenstdSamr
from library.page import Page
from tests.golden_pages import golden_page
from tests.places import GOLDEN


def golden(name: str) -> list[Any]:
    return list(CnOpenstdSamr().read(golden_page(GOLDEN / "cn_openstd_samr" / f"{name}.http")))


def read(kind: str, body: str) -> list[Any]:
    page = Page(
        source="cn_openstd_samr", url="x:", kind=kind, body=body.encode(), fetched_at=datetime(2031, 2, 14, tzinfo=UTC)
    )
    return list(CnOpenstdSamr().read(page))


def test_the_remark_names_what_is_replaced_and_what_is_adopted():
    cords = golden("standard-2026")[0]

    assert cords.fields["cites"] == ["GB 99902.3-2014", "GB 99902.9-2016", "ISO 98124-3:2029"]


def test_the_mark_of_an_adopted_standard_is_no_part_of_its_number():
    cords = golden("standard-2026")[0]

    assert cords.key == "GB 99902.3-2031"
    assert any(text["value"] == "该标准采用国际标准" for text in cords.fields["texts"])


def test_a_page_of_2022_has_the_address_that_the_site_uses_today():
    candles = golden("standard-2022")[0]

    assert candles.fields["links"][0]["url"].startswith("https://openstd.samr.gov.cn/bzgk/std/newGbInfo?hcno=")
    assert candles.fields["status"] == "被代替"


def test_a_list_leads_to_standards_that_are_new_enough_and_to_its_next_page():
    follows = golden("list")

    assert [follow.kind for follow in follows if isinstance(follow, Follow)] == ["standard", "standard", "list"]


def test_a_list_that_counts_standards_and_shows_none_is_an_error_and_not_an_empty_answer():
    table = '<table class="result_list"><tr><th>标准号</th></tr></table>'

    with pytest.raises(NotThePage) as counted:
        read("list", f"<html><p>共 7 条标准 1 / 1</p>{table}</html>")
    with pytest.raises(NotThePage) as empty:
        read("list", f"<html><p>共 0 条标准 1 / 0</p>{table}</html>")

    assert (counted.value.outcome, empty.value.outcome) == ("error", "empty")


def test_the_web_servers_own_page_is_a_redirect_whatever_its_status():
    with pytest.raises(NotThePage) as raised:
        read("standard", "<html><head><title>301 Moved Permanently</title></head><body></body></html>")

    assert raised.value.outcome == "redirect"
