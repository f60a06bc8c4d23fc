"""Why something could not be read, in the reader's language, beside the note that was made of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

import pytest
from scrapy.exceptions import CannotResolveHostError, DownloadTimeoutError, ResponseDataLossError

from crawlers.middlewares.gate import refusal, why_not_fetched
from crawlers.page import Draft, UnreadablePage
from crawlers.reading import Tally, keep_reading, read_page
from library.page import Page
from library.store.store import Origin
from library.times import now
from tests.search_api.conftest import browser
from tests.search_api.shelf import SOURCES, Shelf, build

HOME = SOURCES["us_cpsc"].home
TITLED: Mapping[str, Any] = {"titles": {"en": "A notice"}}
NOTED: Mapping[str, tuple[Mapping[str, Any], str]] = {  # fields of a draft -> words of the Chinese sentence about them
    "hazard": ({"hazards": ["Grumbling"]}, "来源用词“Grumbling”（危害）还没有对应的编码"),
    "category": ({"categories": ["Gadgetry"]}, "来源用词“Gadgetry”（产品类别）还没有对应的编码"),
    "measure": ({"measures": [{"measure": "Hug's it"}]}, "来源用词“Hug's it”（措施）还没有对应的编码"),
    "status": ({"status": "Wobbly"}, "来源用词“Wobbly”（状态）还没有对应的编码"),
    "origin": ({"origins": ["Atlantis"]}, "来源用词“Atlantis”（国家和地区）还没有对应的编码"),
    "jurisdiction": ({"jurisdictions": ["Atlantis"]}, "来源用词“Atlantis”（市场）还没有对应的编码"),
    "HS code": ({"hs_codes": ["toys"]}, "来源用词“toys”（HS 编码）还没有对应的编码"),
    "ICS code": ({"ics_codes": ["toys"]}, "来源用词“toys”（ICS 分类）还没有对应的编码"),
    "published": ({"published": "last spring"}, "“last spring”（发布日期）不合该来源的任何日期写法"),
    "in force": ({"in_force": "soon"}, "“soon”（生效日期）不合该来源的任何日期写法"),
    "measure since": ({"measures": [{"measure": "recall", "since": "soon"}]}, "“soon”（措施）不合该来源的任何日期写法"),
    "comments": ({"published": "2026-03-02", "comments_until": "2026-03-01"}, "评议截止日 2026-03-01 早于发布日"),
    "link": ({"links": [{"url": "javascript:x"}]}, "链接“javascript:x”不是网址"),
    "unnamed": ({"colour": "red"}, "读取程序给出了本库没有的字段（colour）"),
    "shape": ({"links": ["https://a.example/"]}, "有字段的形式不对"),
    "untitled": ({"titles": {}}, "此条不合记录的要求"),
}


@pytest.fixture(scope="module")
def noted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """A library to which each test adds a problem of its own."""
    shelf = build(tmp_path_factory.mktemp("noted") / "home")
    yield shelf
    shelf.engine.close()
    shelf.store.close()


class OnePage:
    """A reader of pages that finds what it was given."""

    def __init__(self, *found: Draft | Exception) -> None:
        self.found = found

    def read(self, page: Page):
        for one in self.found:
            if isinstance(one, Exception):
                raise one
            yield one


def kept_of(shelf, *found: Draft | Exception) -> None:
    """Keep a page of the source that says this, in place of one it has."""
    page = Page(source="us_cpsc", url=f"{HOME}list", kind="list", body=b"{}", fetched_at=now())
    with shelf.store.read() as transaction:
        page_id = transaction.value("SELECT min(id) FROM page WHERE source = 'us_cpsc'")
    reading = read_page(OnePage(*found), page_id, page)
    keep_reading(shelf.store, SOURCES["us_cpsc"], reading, origin=Origin.CRAWL, at=now(), tally=Tally())


def note(shelf, reason: str, *, page_id: int, key: str) -> None:
    with shelf.store.write() as transaction:
        shelf.store.runs.problem(
            transaction, source="us_cpsc", page_id=page_id, key=key, reason=reason, draft={}, at=now()
        )


def problems_on_page(shelf, language: str) -> list[tuple[str, str]]:
    """(sentence, note) of each row of the list of problems; '' for one without a sentence."""
    text = browser(shelf).get("/sources/us_cpsc", headers={"accept-language": language}).text
    rows = re.findall(r'<td class="said">(?:<span>([^<]*)</span><small>)?<bdi lang="en">(.*?)</bdi>', text)
    return [(unescape(said), unescape(note)) for said, note in rows]


@pytest.mark.parametrize("case", NOTED)
def test_what_nobody_understood_of_an_entry_is_said_in_chinese_beside_the_note(noted, case):
    fields, sentence = NOTED[case]
    kept_of(noted, Draft(kind="recall", key="1", fields={**TITLED, **fields}))

    assert any(sentence in said and words for said, words in problems_on_page(noted, "zh"))


@pytest.mark.parametrize(
    ("draft", "sentence"),
    [
        (Draft(kind="recall", key=" ", fields=TITLED), "页面没有印出编号"),
        (Draft(kind="rumour", key="1", fields=TITLED), "“rumour”不是已知的记录类型"),
        (KeyError("rows"), "读取程序在此页面上出错"),
        (UnreadablePage("the page is cut short: it does not end"), "页面不完整"),
        (UnreadablePage("no JSON: unexpected character"), "此页面无法读取"),
    ],
)
def test_what_kept_a_page_or_an_entry_out_is_said_in_chinese(noted, draft, sentence):
    kept_of(noted, draft)

    assert any(sentence in said for said, _ in problems_on_page(noted, "zh"))


@pytest.mark.parametrize(
    ("why", "sentence"),
    [
        (why_not_fetched(DownloadTimeoutError()), "在规定时间内没有取到完整的回答"),
        (why_not_fetched(ResponseDataLossError()), "连接中断"),
        (why_not_fetched(CannotResolveHostError("no such name")), "域名无法解析"),
        (refusal("http://127.0.0.1/x", ()), "地址不在允许访问的范围内"),
        (refusal("ftp://a.example/x", ("a.example",)), "地址不在允许访问的范围内"),
        (refusal("https://a.example:81/x", ("a.example",)), "地址不在允许访问的范围内"),
        ("something nobody has seen before", "没有取到此页面"),
    ],
)
def test_why_a_page_could_not_be_had_is_said_in_chinese(noted, why, sentence):
    note(noted, f"{HOME}: {why}", page_id=0, key=HOME)

    assert any(sentence in said and why in words for said, words in problems_on_page(noted, "zh"))


def test_a_note_of_no_known_kind_stands_alone(noted):
    note(noted, "an odd thing", page_id=1, key="1")

    assert ("", "an odd thing") in problems_on_page(noted, "zh")


def test_english_pages_say_it_in_a_sentence_too(noted):
    kept_of(noted, Draft(kind="recall", key="1", fields={**TITLED, "hazards": ["Grumbling"]}))

    assert (
        "The source's word “Grumbling” (Hazard) has no code yet; it is kept as printed.",
        "unmapped hazard 'Grumbling'",
    ) in problems_on_page(noted, "en")
