"""Recalls of food, drugs and medical devices, United States Food and Drug Administration, by openFDA."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import unquote_plus

from crawlers.families.json_rows import answer, calendar_years, drafts, listed, names, require_window, unread
from crawlers.fields import printed, take
from crawlers.page import Draft, Follow, NotThePage
from crawlers.spider import SourceSpider
from library.page import Page

LISTS = ("food", "drug", "device")
FIRST_DAY = date(2004, 1, 1)
ROWS = 1000
SKIP_MAX = 25_000
# a report appears up to some weeks after its date, and rows of the last reports are still edited
REREAD_DAYS = 35

FIELDS = {
    "published": "report_date",
    "status": "status",
    "status_since": "termination_date",
    "classification": "classification",
    "hazard_prose": "reason_for_recall",
}
TEXTS = {"reason_for_recall": "risk", "distribution_pattern": "scope", "initial_firm_notification": "note"}
KNOWN = (
    frozenset(FIELDS.values())
    | frozenset(TEXTS)
    | names("recall_number event_id product_description product_quantity product_type code_info more_code_info")
    | names("recalling_firm country voluntary_mandated recall_initiation_date openfda openfda.brand_name")
    # not used
    | names("address_1 address_2 city state postal_code center_classification_date")
    # not used: what other FDA lists say about the drug or device, of its whole range and not of the part recalled
    | names(
        "application_number generic_name manufacturer_name product_ndc package_ndc product_type route", below="openfda"
    )
    | names("substance_name rxcui spl_id spl_set_id is_original_packager upc unii nui dosage_form", below="openfda")
    | names(
        "original_packager_product_ndc pharm_class_cs pharm_class_epc pharm_class_moa pharm_class_pe", below="openfda"
    )
    | names("device_name device_class medical_specialty_description regulation_number", below="openfda")
    | names("registration_number fei_number k_number pma_number", below="openfda")
)
WINDOW = re.compile(r"(report_date|termination_date):\[(\d{8}) TO (\d{8})\]")


class UsOpenfda(SourceSpider):
    """Recalls of food, drugs and medical devices, United States Food and Drug Administration, by openFDA.

    Pages       three JSON lists, 1,000 rows a page; the next page stands in the Link header, and where there is
                none it is reached with skip, up to row 26,000
    Dates       'yyyymmdd'; report_date is the Wednesday of the weekly report, termination_date is there when ended
    Reference   recall_number, one product line: 'F-1021-2020', 'H-1331-2026'. event_id groups the lines of one event;
                the letter does not tell food from drugs
    Gaps        no title (the product's description stands for it) and no origin: country is the firm's.
                'N/A' and '' both mean that nothing is said. Any row may change at any update, so each month's
                first run reads everything
    """

    name = "us_openfda"

    def begin(self, since: date, today: date) -> Iterator[Follow]:
        first = today - timedelta(days=REREAD_DAYS)
        if (since.year, since.month) < (today.year, today.month):
            first = FIRST_DAY
        for product in LISTS:
            for start, end in calendar_years(min(first, since), today):
                yield Follow(url=_asked(product, "report_date", start, end), kind="list")
            if first > FIRST_DAY:
                yield Follow(url=_asked(product, "termination_date", since, today), kind="list")

    def read(self, page: Page) -> Iterator[Draft | Follow]:
        body = answer(page)
        rows = _rows(body)
        for field, start, end in WINDOW.findall(unquote_plus(page.url)):
            require_window([printed(row.get(field)) for row in rows if isinstance(row, Mapping)], start, end)
        yield from drafts(rows, "recall", _draft)
        if following := _following(page, body):
            yield Follow(url=following, kind="list")


def _asked(product: str, field: str, start: date, end: date) -> str:
    window = f"{field}:%5B{start:%Y%m%d}+TO+{end:%Y%m%d}%5D"
    return f"https://api.fda.gov/{product}/enforcement.json?search={window}&sort={field}:asc&limit={ROWS}"


def _rows(body: Any) -> list[Any]:
    """The rows of an answer. Raises NotThePage for an error, whatever the HTTP status was."""
    if not isinstance(body, Mapping):
        raise NotThePage("error", f"an object with results is due, and the site answered with {type(body).__name__}")
    if isinstance(error := body.get("error"), Mapping):
        code, message = printed(error.get("code")), printed(error.get("message"))
        if code == "NOT_FOUND":  # the same answer past the last page
            raise NotThePage("empty", f"no recall fits what was asked: {message}")
        raise NotThePage("error", f"{code}: {message} {printed(error.get('details'))}".strip())
    if not isinstance(rows := body.get("results"), list):
        raise NotThePage("error", "the answer holds neither results nor an error")
    if not rows:
        raise NotThePage("empty", "no recall fits what was asked")
    return rows


def _following(page: Page, body: Mapping[str, Any]) -> str:
    """The address of the next page, '' on the last one. No skip goes with search_after."""
    if link := page.headers.get("link"):
        following = re.search(r'<([^>]+)>\s*;\s*rel="?next"?', link)
        return following[1] if following else ""
    if "search_after=" in page.url:
        return ""  # the last page of such a walk has no Link header
    counts = next((count for meta in listed(body, "meta") for count in listed(meta, "results")), {})
    skipped, limit, total = (int(printed(counts.get(name)) or 0) for name in ("skip", "limit", "total"))
    reached = skipped + limit
    if limit < ROWS or reached >= total or reached > SKIP_MAX:  # fewer rows a page: somebody's look-up, not our walk
        return ""
    return re.sub(r"&skip=\d+", "", page.url) + f"&skip={reached}"


def _draft(row: Mapping[str, Any]) -> Draft:
    number, firm = printed(row.get("recall_number")), printed(row.get("recalling_firm"))
    event = printed(row.get("event_id"))
    fields: dict[str, Any] = take(row, FIELDS)[0] | {
        "references": [number, event] if event else [number],
        "titles": {"en": printed(row.get("product_description"))},
        "texts": [
            {"label": label, "value": printed(row[field])} for field, label in TEXTS.items() if printed(row.get(field))
        ],
        "products": [_product(row)],
        "links": [{"url": f"https://www.accessdata.fda.gov/scripts/ires/index.cfm?Event={event}", "label": "original"}]
        if event
        else [],
    }
    if "product_type" in row:
        fields["categories"] = [printed(row["product_type"])]
    if "recalling_firm" in row:
        fields["operators"] = [{"name": firm, "role": "recalling_firm", "country": printed(row.get("country"))}]
    if measure := printed(row.get("voluntary_mandated")):
        since = {"since": printed(row["recall_initiation_date"])} if "recall_initiation_date" in row else {}
        fields["measures"] = [{"measure": measure, "operator": firm} | since]
    return Draft(kind="recall", key=number, fields=fields, unread=unread(row, KNOWN))


def _product(row: Mapping[str, Any]) -> dict[str, str]:
    product, _ = take(row, {"name": "product_description", "quantity": "product_quantity"})
    if "code_info" in row:
        codes = (printed(row["code_info"]), printed(row.get("more_code_info")))
        product["batch"] = " ".join(code for code in codes if code)
    harmonised = row.get("openfda")
    if isinstance(harmonised, Mapping) and isinstance(brands := harmonised.get("brand_name"), list):
        product["brand"] = ", ".join(map(printed, brands))
    return product
