"""National standards of China, full-text site of the Standardization Administration (SAMR)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from bs4 import BeautifulSoup, Tag

from crawlers.page import Draft, Finding, Follow, NotThePage, UnreadablePage, as_html
from crawlers.spider import SourceSpider
from library.page import Page

SITE = "https://openstd.samr.gov.cn/bzgk/std"
LIST = f"{SITE}/std_list_type?p.p1={{}}&p.p90=circulation_date&p.p91=desc&page=1&pageSize=50"
DETAIL = f"{SITE}/newGbInfo?hcno={{}}"
FULL_TEXT = "http://c.gb688.cn/bzgk/gb/showGb?type=online&hcno={}"
KINDS = {"1": "强制性", "2": "推荐性", "3": "指导性"}
REREAD_DAYS = 60  # the text of a standard is opened up to 20 working days after its announcement

LABELS = {
    "ics_codes": "国际标准分类号（ICS）",
    "published": "发布日期",
    "in_force": "实施日期",
    "authority": "发布单位",
}
NOTES = ("中国标准分类号（CCS）", "主管部门", "归口部门", "归口单位")
REMARK = "备注"
# '2005-03-01实施,代替GB/T 5606.1-1996'; '部分代替GB 1-2000、GB 2-2001'
REPLACED = re.compile(r"(?:代替|替代)[:：]?\s*(?P<numbers>[^。；;]+)")
# '本标准等同采用ISO 9000:2015'; '修改采用IEC 60335-1'
ADOPTED = re.compile(r"采用[:：]?\s*(?P<numbers>[A-Z][A-Za-z/]*[\s-]*\d[^。；;，,]*)")
MOVED = re.compile(r"\b30[12] (?:Moved|Found)")


class CnOpenstdSamr(SourceSpider):
    """National standards of China, SAMR: GB, GB/T and GB/Z.

    Pages       a list for each nature of standard, newest first, 50 rows a page; one page a standard
    Dates       'yyyy-mm-dd' (lists of 2022 with a time of zero)
    Reference   标准号, 'GB/T 1.1-2020'; a withdrawn edition keeps its number and has a page of its own
    Layouts     2022 under /bzgk/gb/ ('归口单位', state '被代替'), 2026 under /bzgk/std/ ('归口部门', state '废止')
    Replaced and adopted numbers stand in 备注 as prose: '代替GB/T 5606.1-1996'
    Gaps        a standard that adopts an international one is marked '采' and has no text here; few say which one. That a
                standard was withdrawn is seen only when its page is asked for again
    """

    name = "cn_openstd_samr"

    def begin(self, since: date, today: date) -> Iterator[Follow]:
        wanted = (since - timedelta(days=REREAD_DAYS)).isoformat()
        for number in KINDS:
            yield Follow(url=LIST.format(number), kind="list", carry={"since": wanted})

    def read(self, page: Page) -> Iterable[Finding]:
        if "</html>" not in page.text[-2000:]:
            raise UnreadablePage("the page is cut short: it does not end")
        tree = as_html(page)
        said = tree.title.get_text(strip=True) if tree.title else ""
        if MOVED.search(said):
            raise NotThePage("redirect", f"moved: the site answered {said!r}")
        return _listed(page, tree) if page.kind == "list" else [_draft(page, tree)]


def _listed(page: Page, tree: BeautifulSoup) -> Iterator[Follow]:
    table = tree.select_one("table.result_list")
    if table is None:
        raise NotThePage("error", "a list of standards is due, and the page has none")
    rows = table.select("tr:has(a[onclick*=showInfo])")
    place = re.search(r"共\s*(\d+)\s*条标准\s*(\d+)\s*/\s*(\d+)", tree.get_text(" "))
    if not rows:
        if place and place[1] != "0":
            raise NotThePage("error", f"the list counts {place[1]} standards and shows none")
        raise NotThePage("empty", "no standard fits what was asked for")
    since = page.carry.get("since", "")
    header = [cell.get_text(strip=True) for cell in table.select("th")]
    fresh = False
    for row in rows:
        cells = dict(zip(header, (cell.get_text(strip=True) for cell in row.select("td")), strict=False))
        found = re.search(r"showInfo\('(\w+)'\)", str(row.a["onclick"]) if row.a else "")
        if found and cells.get("发布日期", "")[:10] >= since:
            fresh = True
            yield Follow(url=DETAIL.format(found[1]), kind="standard", carry={"nature": cells.get("类别", "")})
    if fresh and place and int(place[2]) < int(place[3]):
        yield Follow(url=_next(page.url, int(place[2]) + 1), kind="list", carry=page.carry)


def _next(url: str, number: int) -> str:
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "page"]
    return parts._replace(query=urlencode([*query, ("page", str(number))], safe="/")).geturl()


def _draft(page: Page, tree: BeautifulSoup) -> Draft:
    heading = tree.select_one("table.mk1 h1")
    if heading is None or "标准号" not in heading.get_text():
        raise NotThePage("error", "the page of a standard is due, and it has no 标准号")
    marks = _marks(heading)
    number = _after(heading.get_text(" ", strip=True))
    rows = {
        title.get_text(strip=True): content.get_text(" ", strip=True)
        for title in tree.select("div.title")
        if (content := title.find_next_sibling("div", class_="content"))
    }
    fields: dict[str, Any] = {ours: rows[theirs] for ours, theirs in LABELS.items() if theirs in rows}
    if "ics_codes" in fields:
        fields["ics_codes"] = fields["ics_codes"].replace("、", " ").replace(",", " ").split() or ""
    lines = [cell.get_text(" ", strip=True) for cell in tree.select("table.tdlist td")]
    titles = {
        language: _after(line)
        for language, label in {"zh": "中文标准名称", "en": "英文标准名称"}.items()
        for line in lines
        if line.startswith(label)
    }
    fields["titles"] = {language: title for language, title in titles.items() if title}
    for line in lines:
        if line.startswith("标准状态"):
            fields["status"] = _after(line)
    if nature := page.carry.get("nature"):
        fields["classification"] = nature
    remark = rows.get(REMARK, "")
    notes = [f"{label}：{rows[label]}" for label in NOTES if rows.get(label)]
    texts = [
        ("note", remark),
        *(("note", mark) for mark in marks),
        ("other", "\n\n".join(notes)),
    ]
    fields["texts"] = [{"label": label, "value": value, "language": "zh"} for label, value in texts if value]
    if cites := [*_numbers(REPLACED, remark), *_numbers(ADOPTED, remark)]:
        fields["cites"] = cites
    fields["links"] = list(_links(page.url, tree))
    return Draft(
        kind="standard",
        key=number,
        fields=fields,
        unread=frozenset(rows.keys() - set(LABELS.values()) - set(NOTES) - {REMARK}),
    )


def _marks(heading: Tag) -> list[str]:
    """Take the marks out of the heading and give what they mean: '采' has the title '该标准采用国际标准'."""
    marks = heading.select("span")
    meanings = [str(mark.get("title") or mark.get_text(strip=True)) for mark in marks]
    for mark in marks:
        mark.decompose()
    return meanings


def _after(line: str) -> str:
    """What follows the label: '标准号：GB/T 1.1-2020'. Two blanks stand between the parts of a title."""
    return " ".join(line.partition("：")[2].split())


def _numbers(pattern: re.Pattern[str], remark: str) -> list[str]:
    found = (part for match in pattern.finditer(remark) for part in re.split(r"[、,，]", match["numbers"]))
    return [part.strip() for part in found if re.search(r"[A-Z].*\d", part)]


def _links(url: str, tree: BeautifulSoup) -> Iterator[dict[str, str]]:
    found = re.search(r"hcno=(\w+)", url)
    if not found:
        return
    # the same address for the layouts of 2022 (http, /bzgk/gb/) and 2026
    yield {"url": DETAIL.format(found[1]), "label": "original"}
    if tree.select_one("button.ck_btn"):
        yield {"url": FULL_TEXT.format(found[1]), "label": "full_text"}
