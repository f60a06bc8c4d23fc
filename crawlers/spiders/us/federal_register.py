"""Rules, proposed rules, notices and presidential documents, United States Federal Register."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from crawlers.families.json_rows import (
    answer,
    calendar_months,
    drafts,
    listed,
    names,
    paragraphs,
    require_window,
    unread,
)
from crawlers.fields import printed, take
from crawlers.page import Draft, Follow, NotThePage, Remark
from crawlers.spider import SourceSpider
from library.page import Page

API = "https://www.federalregister.gov/api/v1/documents.json"
ROWS = 500
# a few working days, so that a day that failed is made up
REREAD_DAYS = 7

FIELDS = {
    "published": "publication_date",
    "in_force": "effective_on",
    "adopted": "signing_date",
    "comments_until": "comments_close_on",
    "classification": "type",
    "status": "type",
}
TEXTS = {
    "abstract": "summary",
    "action": "action",
    "dates": "dates",
    "disposition_notes": "note",
    "executive_order_notes": "note",
}
LINKS = {"html_url": "original", "full_text_xml_url": "full_text", "pdf_url": "pdf"}
READ = (
    frozenset(FIELDS.values())
    | frozenset(TEXTS)
    | frozenset(LINKS)
    | names("document_number citation title subtype topics correction_of docket_ids regulation_id_numbers")
    | names("agencies agencies.name agencies.raw_name cfr_references cfr_references.title cfr_references.part")
    | names("presidential_document_number")
)
IGNORED = (
    # counters and states of other sites, which move without an edit
    names("page_views regulations_dot_gov_info regulations_dot_gov_url comment_url dockets")
    # the correction is a document of its own and names this one
    | names("corrections")
    # said elsewhere in the row, or nothing about the document
    | names("agency_names docket_id excerpts executive_order_number proclamation_number president toc_doc toc_subject")
    | names("regulation_id_number_info significant start_page end_page page_length volume images images_metadata")
    | names("body_html_url raw_text_url json_url mods_url public_inspection_pdf_url")
    | names("id url json_url parent_id slug", below="agencies")
    | names("chapter citation_url", below="cfr_references")
)
KNOWN = READ | IGNORED
ASKED = sorted(name for name in READ if "." not in name)


class UsFederalRegister(SourceSpider):
    """Rules, proposed rules, notices and presidential documents, United States Federal Register.

    Pages       JSON, one window of days, 500 rows a page; next_page_url leads on, and the first 10,000 rows only
                can be reached, so a window is a month at most
    Dates       'yyyy-mm-dd'; 'dates' is prose
    Reference   document_number, '2023-28978', which keeps the year of filing, and the citation '89 FR 25'.
                Corrections are documents of their own: 'C1-2023-27758', 'R1-2023-28849'
    Gaps        a third has no abstract; most notices name no part of the CFR; docket numbers are free text;
                published documents are fixed, counters of comments and views are not and stay out
    """

    name = "us_federal_register"

    def begin(self, since: date, today: date) -> Iterator[Follow]:
        first = min(since, today) - timedelta(days=REREAD_DAYS)
        for start, end in calendar_months(first, today):
            asked = [
                ("conditions[publication_date][gte]", f"{start}"),
                ("conditions[publication_date][lte]", f"{end}"),
                *(("fields[]", name) for name in ASKED),
                ("order", "oldest"),
                ("per_page", f"{ROWS}"),
            ]
            yield Follow(url=f"{API}?{urlencode(asked)}", kind="list")

    def read(self, page: Page) -> Iterator[Draft | Remark | Follow]:
        body = answer(page)
        if not isinstance(body, Mapping) or "errors" in body:
            raise NotThePage("error", f"the site refused what was asked: {printed(body)[:200]}")
        rows = body.get("results")
        if not rows:
            if body.get("count") == 0:
                raise NotThePage("empty", "no document was published in the window that was asked for")
            raise NotThePage("error", "the answer holds no results and no count")
        _require_window(rows, page.url)
        yield from drafts(rows, "regulation", _draft)
        for row in rows:
            if isinstance(row, Mapping) and (original := _number(row.get("correction_of"))):
                yield _remark(row, original)
        if following := printed(body.get("next_page_url")):
            yield Follow(url=following, kind="list")


def _require_window(rows: list[Any], url: str) -> None:
    asked = parse_qs(urlsplit(url).query)
    first = asked.get("conditions[publication_date][gte]", [""])[0]
    last = asked.get("conditions[publication_date][lte]", [""])[0]
    require_window([printed(row.get("publication_date")) for row in rows if isinstance(row, Mapping)], first, last)


def _draft(row: Mapping[str, Any]) -> Draft:
    number = printed(row.get("document_number"))
    texts = [(label, printed(row.get(field))) for field, label in TEXTS.items()]
    texts.append(("other", "; ".join(_words(row, "topics"))))
    fields: dict[str, Any] = take(row, FIELDS)[0] | {
        "references": [number, *_numbers(row)],
        "authority": ", ".join(_agencies(row)),
        "titles": {"en": printed(row.get("title"))},
        "texts": paragraphs(texts),
        "cites": list(_cites(row)),
        "links": [
            {"url": printed(row[field]), "label": label} for field, label in LINKS.items() if printed(row.get(field))
        ],
    }
    return Draft(kind="regulation", key=number, fields=fields, unread=unread(row, KNOWN))


def _remark(row: Mapping[str, Any], original: str) -> Remark:
    """What a correction says about the document that it corrects."""
    said = f"{printed(row.get('document_number'))}, {printed(row.get('citation'))}: {printed(row.get('title'))}"
    return Remark(key=original, text=said, said_on=printed(row.get("publication_date")))


def _number(address: object) -> str:
    """'…/api/v1/documents/2023-27758' names document 2023-27758."""
    return urlsplit(printed(address)).path.rpartition("/")[2]


def _words(row: Mapping[str, Any], field: str) -> list[str]:
    values = row.get(field)
    return [word for value in (values if isinstance(values, list) else [values]) if (word := printed(value))]


def _numbers(row: Mapping[str, Any]) -> Iterator[str]:
    """The citation, and 'Proclamation 10689' of a presidential document."""
    if citation := printed(row.get("citation")):
        yield citation
    if number := printed(row.get("presidential_document_number")):
        yield f"{printed(row.get('subtype'))} {number}".strip()


def _agencies(row: Mapping[str, Any]) -> Iterator[str]:
    for agency in listed(row, "agencies"):
        if name := printed(agency.get("name")) or printed(agency.get("raw_name")):
            yield name


def _cites(row: Mapping[str, Any]) -> Iterator[str]:
    """The corrected document, the parts of the CFR, docket numbers and regulation numbers."""
    if original := _number(row.get("correction_of")):
        yield original
    for part in listed(row, "cfr_references"):
        yield f"{printed(part.get('title'))} CFR {printed(part.get('part'))}".strip()
    for docket in _words(row, "docket_ids"):
        yield _docket(docket)
    yield from _words(row, "regulation_id_numbers")


def _docket(printed_number: str) -> str:
    """'FMC-2022-0067' of 'Docket No. FMC-2022-0067' and 'DOCKET #: FMC-2022-0067'.

    A number alone, 'Docket No. 31524', keeps the word: without it, it could be anybody's.
    """
    number = re.sub(r"^docket\s*(?:(?:nos?|numbers?|ids?)\b\.?|#)?\s*:?\s*", "", printed_number, flags=re.IGNORECASE)
    return number if re.search(r"[A-Za-z]", number) else printed_number
