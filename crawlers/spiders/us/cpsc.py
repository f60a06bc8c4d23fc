"""Recalls of consumer products, United States Consumer Product Safety Commission."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from crawlers.families.json_rows import (
    answer,
    calendar_years,
    drafts,
    listed,
    names,
    paragraphs,
    require_window,
    unread,
)
from crawlers.fields import printed, take
from crawlers.page import Draft, Follow, NotThePage
from crawlers.spider import SourceSpider
from library.page import Page

API = "https://www.saferproducts.gov/RestWebServices/Recall?format=json"
FIRST_YEAR = 1973
REREAD_DAYS = 90

PRODUCT = {"name": "Name", "model": "Model", "quantity": "NumberOfUnits", "description": "Description"}
ROLES = {
    "Manufacturers": "manufacturer",
    "Importers": "importer",
    "Distributors": "distributor",
    "Retailers": "retailer",
}
KNOWN = (
    names("RecallNumber RecallDate Title Description URL ConsumerContact Products Manufacturers Importers Distributors")
    | names("Retailers ManufacturerCountries ProductUPCs Images Injuries Hazards Remedies RemedyOptions Inconjunctions")
    | names("Name Model NumberOfUnits Description Type", below="Products")
    | names("Name HazardType", below="Hazards")
    | names("URL Caption", below="Images")
    | names("Injuries.Name Remedies.Name RemedyOptions.Option Inconjunctions.URL ManufacturerCountries.Country")
    | names("ProductUPCs.UPC Manufacturers.Name Importers.Name Distributors.Name Retailers.Name")
    # not used: numbers of the publisher's database, and a label for the seller that is always null
    | names("RecallID SoldAtLabel Products.CategoryID Hazards.HazardTypeID Manufacturers.CompanyID")
    | names("Importers.CompanyID Distributors.CompanyID Retailers.CompanyID")
    # not used: old recalls are published again at 2 or 3 a day without a change
    | names("LastPublishDate")
)
# "Sold At:\nAmazon.com …", "… stores nationwide from January 2024 … for between $6 and $9": a text, not a firm
SALE = re.compile(r"^sold\b|\$|\b(?:19|20)\d\d\b|\bnationwide\b|\bonline\b|\bstores\b", re.IGNORECASE)
# the longest word for a remedy has three parts, 'No Remedy Available'; what is longer is an instruction
REMEDY_WORDS_MAX = 4


class UsCpsc(SourceSpider):
    """Recalls of consumer products, United States Consumer Product Safety Commission.

    Pages       one JSON list for a window of days, no paging; more than a year is answered with an error row
    Dates       'yyyy-mm-ddT00:00:00', no zone; RecallDate never moves, LastPublishDate moves without an edit
    Reference   RecallNumber, '26761', printed '26-761' on the Commission's own pages
    Gaps        HazardType is always empty, hazards stand in prose; origin is absent in a quarter of the recalls.
                Retailers mixes firms with sentences on where and when it was sold. Title can hold the address
                (10976), Remedies and RemedyOptions can be swapped (10971)
    """

    name = "us_cpsc"

    def begin(self, since: date, today: date) -> Iterator[Follow]:
        if since.year < today.year:  # the first good run of a year reads everything: LastPublishDate misses edits
            for start, end in calendar_years(date(FIRST_YEAR, 1, 1), today):
                yield Follow(url=_asked("RecallDate", start, end), kind="list")
            return
        yield Follow(url=_asked("RecallDate", today - timedelta(days=REREAD_DAYS), today), kind="list")
        yield Follow(url=_asked("LastPublishDate", since, today), kind="list")

    def read(self, page: Page) -> Iterable[Draft]:
        rows = answer(page)
        if not isinstance(rows, list):
            raise NotThePage("error", f"a list of recalls is due, and the site answered with {type(rows).__name__}")
        if not rows:
            raise NotThePage("empty", "no recall in the window that was asked for")
        if isinstance(rows[0], Mapping) and rows[0].get("RecallID") == 0:
            raise NotThePage(
                "error", printed(rows[0].get("Title")) or "the site answered with an error row, RecallID 0"
            )
        _require_window(rows, page.url)
        return drafts(rows, "recall", _draft)


def _asked(field: str, start: date, end: date) -> str:
    return f"{API}&{field}Start={start}&{field}End={end}"


def _require_window(rows: list[Any], url: str) -> None:
    asked = parse_qs(urlsplit(url).query)
    for field in ("RecallDate", "LastPublishDate"):
        days = [printed(row.get(field))[:10] for row in rows if isinstance(row, Mapping)]
        require_window(days, asked.get(f"{field}Start", [""])[0], asked.get(f"{field}End", [""])[0])


def _draft(row: Mapping[str, Any]) -> Draft:
    number = printed(row.get("RecallNumber"))
    products = [take(product, PRODUCT)[0] for product in listed(row, "Products")]
    operators, sales = _operators(row)
    measures, instructions = _remedies(row)
    texts = [
        ("description", printed(row.get("Description"))),
        *(("risk", hazard) for hazard in _each(row, "Hazards", "Name")),
        *(("action", instruction) for instruction in instructions),
        *(("scope", sale) for sale in sales),
        *(("note", injury) for injury in _each(row, "Injuries", "Name")),
        ("other", printed(row.get("ConsumerContact"))),
    ]
    fields: dict[str, Any] = {
        "references": [f"{number[:2]}-{number[2:]}", number] if re.fullmatch(r"\d{5}", number) else [number],
        "titles": {"en": _title(row)},
        "texts": paragraphs(texts),
        "products": _with_barcodes(products, _each(row, "ProductUPCs", "UPC")),
        "categories": _each(row, "Products", "Type"),
        "hazard_prose": " ".join(_each(row, "Hazards", "Name")),
        "measures": [{"measure": measure} for measure in measures],
        "operators": operators,
        "links": list(_links(row)),
    }
    if hazards := _each(row, "Hazards", "HazardType"):  # always empty until now
        fields["hazards"] = hazards
    if "RecallDate" in row:
        fields["published"] = printed(row["RecallDate"])
    if "ManufacturerCountries" in row:
        fields["origins"] = _each(row, "ManufacturerCountries", "Country")
    return Draft(kind="recall", key=number, fields=fields, unread=unread(row, KNOWN))


def _each(row: Mapping[str, Any], name: str, part: str) -> list[str]:
    return [value for item in listed(row, name) if (value := printed(item.get(part)))]


def _title(row: Mapping[str, Any]) -> str:
    """The title, or the products' names where the title is only the recall's address."""
    title = printed(row.get("Title"))
    return "; ".join(_each(row, "Products", "Name")) or title if title.startswith("http") else title


def _with_barcodes(products: list[dict[str, Any]], barcodes: list[str]) -> list[dict[str, Any]]:
    """Barcodes are printed for the recall as a whole: they are the product's where there is one product only."""
    if not barcodes:
        return products
    if len(products) == 1:
        return [products[0] | {"barcodes": barcodes}]
    return [*products, {"barcodes": barcodes}]


def _operators(row: Mapping[str, Any]) -> tuple[list[dict[str, str]], list[str]]:
    """The firms, and the sentences on where the goods were sold that stand among them.

    'AGA Rangemaster Limited, of United Kingdom' names a country where the recall names that country as the origin;
    'DreamGro Enterprises LLC, of New York' stays as it is printed.
    """
    countries = _each(row, "ManufacturerCountries", "Country")
    operators, sales = [], []
    for field, role in ROLES.items():
        for name in _each(row, field, "Name"):
            firm, _, place = name.rpartition(", of ")
            if SALE.search(name):
                sales.append(name)
            elif firm and place in countries:
                operators.append({"name": firm, "role": role, "country": place})
            else:
                operators.append({"name": name, "role": role})
    return operators, sales


def _remedies(row: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The words for the remedy and the instructions, told apart by their length: the two fields can be swapped."""
    entries = _each(row, "RemedyOptions", "Option") + _each(row, "Remedies", "Name")
    words = dict.fromkeys(entry for entry in entries if len(entry.split()) <= REMEDY_WORDS_MAX)
    return list(words), [entry for entry in entries if entry not in words]


def _links(row: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    if address := _canonical(row.get("URL")):
        yield {"url": address, "label": "original"}
    for address in _each(row, "Inconjunctions", "URL"):
        yield {"url": address, "label": "recall_page"}
    for image in listed(row, "Images"):
        # '?VersionId=…' changes with every upload of the same picture
        if address := _canonical(image.get("URL")).partition("?")[0]:
            yield {"url": address, "label": "image", "title": printed(image.get("Caption"))}


def _canonical(address: object) -> str:
    """One name for the host, which is printed with and without www."""
    return re.sub(r"^https?://(www\.)?cpsc\.gov/", "https://www.cpsc.gov/", printed(address))
