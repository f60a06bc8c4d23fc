"""Food recalls and allergy alerts, United Kingdom Food Standards Agency."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from crawlers.families.json_rows import answer, drafts, listed, names, paragraphs, unread
from crawlers.fields import printed
from crawlers.page import Draft, Follow, NotThePage
from crawlers.spider import SourceSpider
from library.page import Page

API = "https://data.food.gov.uk/food-alerts/id.json"
ROWS = 100
# 'since' goes by the day of change; alerts are edited for some weeks
REREAD_DAYS = 30
FIRST_DAY = date(2000, 1, 1)

TEXTS = {"description": "summary", "actionTaken": "action", "consumerAdvice": "action"}
BATCH = {
    "batchCode": "",
    "lotNumber": "lot ",
    "useByDescription": "use by ",
    "bestBeforeDescription": "best before ",
    "batchTextDescription": "",
}
KNOWN = (
    frozenset(TEXTS)
    | names("notation title created type alertURL alertURL.@id status status.label previousAlert")
    | names("reportingBusiness reportingBusiness.commonName otherBusiness otherBusiness.commonName")
    | names("relatedMedia relatedMedia.@id relatedMedia.title country country.label")
    | names("problem problem.riskStatement problem.allergen problem.pathogenRisk problem.hazardCategory problem.reason")
    | names("productDetails productDetails.batchDescription")
    | names("productName packSizeDescription productCode productCategory allergen", below="productDetails")
    | names(" ".join(BATCH), below="productDetails.batchDescription")
    # not used: wordings for other channels, and a time of change that moves without an edit
    | names("@id SMStext twitterText shortTitle shortURL modified type.@id problem.@id productDetails.@id")
    | names("@id useByDate bestBeforeDate", below="productDetails.batchDescription")
    | names("@id notation type prefLabel inScheme", below="status")
    | names("@id type seeAlso description broader inScheme notation prefLabel", below="country")
    | names("@id type", below="reportingBusiness")
    | names("@id type", below="otherBusiness")
    | names("type format", below="relatedMedia")
)


class UkFsaFoodAlerts(SourceSpider):
    """Food recalls and allergy alerts, United Kingdom Food Standards Agency.

    Pages       JSON, 100 alerts a page with all their properties (_view=full), newest first; a page that is not
                full is the last one. A list row without its properties leads to the alert's own page
    Dates       created: 'yyyy-mm-dd'
    Reference   notation, 'FSA-PRIN-32-2026'; an update is an alert of its own, 'FSA-PRIN-32-2026-update-1'
    Gaps        any property is a string in one alert and an array of two in the next, the English and the Welsh
                slot, often with the same words; one object and a list of one are the same thing. @id is no page for
                people, alertURL is. Titles end in blanks. Scotland's alerts are partly apart
    """

    name = "uk_fsa_food_alerts"

    def begin(self, since: date, today: date) -> Iterator[Follow]:
        first = min(since, today) - timedelta(days=REREAD_DAYS)
        if (since.year, since.month) < (today.year, today.month):  # once a month everything, in some 20 pages
            first = FIRST_DAY
        asked = f"_view=full&_sort=-created&_limit={ROWS}&since={first}T00:00:00Z&_offset=0"
        yield Follow(url=f"{API}?{asked}", kind="list")

    def read(self, page: Page) -> Iterator[Draft | Follow]:
        body = answer(page)
        if not isinstance(body, Mapping) or "items" not in body:
            raise NotThePage("error", f"an object with items is due, and the site answered with {printed(body)[:200]}")
        items = body["items"] if isinstance(body["items"], list) else [body["items"]]
        if not items:
            raise NotThePage("empty", "no alert was changed since the day that was asked for")
        thin = [row for row in items if page.kind == "list" and _is_thin(row)]
        for row in thin:
            yield Follow(url=f"{API.removesuffix('.json')}/{printed(row['notation'])}.json", kind="alert")
        yield from drafts((row for row in items if row not in thin), "recall", _draft)
        if following := _following(page.url, len(items)):
            yield Follow(url=following, kind="list")


def _is_thin(row: Any) -> bool:
    """A summary, as the list gives it where it does not know '_view=full'."""
    return isinstance(row, Mapping) and bool(row.get("notation")) and not (row.keys() & {"problem", "productDetails"})


def _following(url: str, row_count: int) -> str:
    """The next page of a list, '' after a page that is not full."""
    asked = parse_qs(urlsplit(url).query)
    limit, offset = int(asked.get("_limit", ["0"])[0]), int(asked.get("_offset", ["0"])[0])
    if not limit or row_count < limit:
        return ""
    return re.sub(r"&_offset=\d+", "", url) + f"&_offset={offset + limit}"


def _draft(row: Mapping[str, Any]) -> Draft:
    notation = _english(row.get("notation"))
    products = listed(row, "productDetails")
    hazards = list(dict.fromkeys(_hazards(row)))
    fields: dict[str, Any] = {
        "references": [notation],
        "titles": dict(_by_language(row.get("title"))),
        "texts": list(_texts(row)),
        "classification": next(_types(row), ""),
        "operators": list(_operators(row)),
        "products": [_product(product) for product in products],
        "links": [{"url": address, "label": "original"} for address in _addresses(row, "alertURL")],
        "attachments": list(_attachments(row)),
    }
    if hazards:
        fields["hazards"] = hazards
    else:  # 'because it may contain small pieces of metal' stands in no list
        fields["hazard_prose"] = "\n".join(_english(row.get(name)) for name in ("title", "description"))
    if categories := [label for product in products for label in _labels(product, "productCategory")]:
        fields["categories"] = categories
    if cites := list(_cites(row, notation)):
        fields["cites"] = cites
    if "created" in row:
        fields["published"] = _english(row["created"])
    if "status" in row:
        fields["status"] = next(iter(_labels(row, "status")), "")
    return Draft(kind="recall", key=notation, fields=fields, unread=unread(row, KNOWN))


def _slots(value: object) -> list[str]:
    """The texts of a property: one, or the English and the Welsh one."""
    values = value if isinstance(value, list) else [value]
    return [printed(item.get("@value") if isinstance(item, Mapping) else item) for item in values]


def _english(value: object) -> str:
    return next((text for text in _slots(value) if text), "")


def _by_language(value: object) -> Iterator[tuple[str, str]]:
    english, *welsh = _slots(value)
    yield "en", english
    if welsh and welsh[0] and welsh[0] != english:
        yield "cy", welsh[0]


def _labels(row: Mapping[str, Any], name: str) -> list[str]:
    """The words for the concepts under a name; one that is only referred to is named by its address, '…/allergen/milk'."""
    return [label for item in listed(row, name) if (label := _label(item))]


def _label(concept: Mapping[str, Any]) -> str:
    address = printed(concept.get("@id"))
    return _english(concept.get("label") or concept.get("prefLabel")) or address.rpartition("/")[2]


def _addresses(row: Mapping[str, Any], name: str) -> list[str]:
    values = row.get(name)
    items = values if isinstance(values, list) else [values]
    return [at for item in items if (at := printed(item.get("@id") if isinstance(item, Mapping) else item))]


def _types(row: Mapping[str, Any]) -> Iterator[str]:
    """'AA' allergy alert, 'PRIN' product recall, 'FAFA' for action by authorities; their order is not fixed."""
    names = (address.rpartition("/")[2] for address in _addresses(row, "type"))
    return (name for name in names if name != "Alert")


def _texts(row: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    parts = [(label, row.get(name)) for name, label in TEXTS.items()]
    parts += [("risk", problem.get("riskStatement")) for problem in listed(row, "problem")]
    parts += [("scope", ", ".join(_labels(row, "country")))]
    for language in ("en", "cy"):
        said = ((label, dict(_by_language(value)).get(language, "")) for label, value in parts)
        yield from (text | {"language": language} for text in paragraphs(said))


def _hazards(row: Mapping[str, Any]) -> Iterator[str]:
    for problem in listed(row, "problem"):
        yield from _labels(problem, "allergen")
        for risk in listed(problem, "pathogenRisk"):
            # 'Listeria monocytogenes' says it shorter than 'Possible contamination of product with …'
            yield from _labels(risk, "pathogen") or _labels({"risk": risk}, "risk")
        yield from _labels(problem, "hazardCategory")
        yield from _labels(problem, "reason")
    for product in listed(row, "productDetails"):
        yield from _labels(product, "allergen")


def _product(product: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {"name": _english(product.get("productName"))}
    if "packSizeDescription" in product:
        fields["quantity"] = _english(product["packSizeDescription"])
    if "batchDescription" in product:
        fields["batch"] = "; ".join(filter(None, map(_batch, listed(product, "batchDescription"))))
    if codes := [code for code in _slots(product.get("productCode")) if code]:
        fields["barcodes"] = list(dict.fromkeys(codes))
    return fields


def _batch(batch: Mapping[str, Any]) -> str:
    parts = ((lead, _english(batch.get(name))) for name, lead in BATCH.items())
    return ", ".join(f"{lead}{text}" for lead, text in parts if text)


def _operators(row: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for field, role in (("reportingBusiness", "recalling_firm"), ("otherBusiness", "other")):
        for business in listed(row, field):
            if name := _english(business.get("commonName")):
                yield {"name": name, "role": role}


def _cites(row: Mapping[str, Any], notation: str) -> Iterator[str]:
    """The alert that this one updates."""
    previous = [address.rpartition("/")[2] for address in _addresses(row, "previousAlert")]
    updated = re.sub(r"-update-\d+$", "", notation, flags=re.IGNORECASE)
    yield from previous or ([updated] if updated != notation else [])


def _attachments(row: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Notices to print; a relatedMedia that is only a title has no address."""
    for media in listed(row, "relatedMedia"):
        if address := printed(media.get("@id")):
            label = "pdf" if address.lower().endswith(".pdf") else "other"
            yield {"url": address, "label": label, "title": _english(media.get("title"))}
