"""Consumer Product Safety Commission: the recall web service, one JSON array per question, no paging.

Errors come as one fake recall with status 200: for a malformed date and for a range of more than a year.
Unknown parameters are ignored, so a misspelt filter returns everything.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

import orjson

from crawlers.practice import goods
from crawlers.practice.exchange import Answer, Request, not_found
from crawlers.practice.world import Item, World

HOSTS = ("www.saferproducts.gov",)
SOURCE = "us_cpsc"
WIDEST_DAYS = 366
REMEDIES = ("Refund", "Repair", "Replace", "Dispose", "New Instructions")
LISTS = [
    "Products",
    "Inconjunctions",
    "Images",
    "Injuries",
    "Manufacturers",
    "Retailers",
    "Importers",
    "Distributors",
    "SoldAtLabel",
    "ManufacturerCountries",
    "ProductUPCs",
    "Hazards",
    "Remedies",
    "RemedyOptions",
]


def respond(request: Request, world: World) -> Answer:
    """Answer a question to the recall service."""
    if request.path != "/RestWebServices/Recall":
        return not_found()
    try:
        rows = [recall(world.item(SOURCE, index)) for index in _asked_for(request, world)]
    except ValueError as error:
        rows = [_error_row(str(error))]
    if request.first("format").lower() != "json":
        return Answer(body=_xml(rows), content_type="application/xml; charset=utf-8")
    return Answer(body=orjson.dumps(rows), content_type="application/json; charset=utf-8")


def recall(item: Item) -> dict[str, Any]:
    """One recall as the service prints it."""
    dice = item.random()
    good = dice.choice(goods.GOODS)
    hazard = dice.choice(good.hazards)
    country = goods.origin(dice)
    brand, model, firm = goods.brand(dice), goods.model(dice), goods.firm(dice, country)
    thing = good.name.lower()
    units = dice.randrange(150, 190000)
    title = f"{brand} Recalls {good.name}s Due to {hazard.american} Hazard"
    if dice.random() < 0.4:
        title += f"; Violates Mandatory Standard (16 CFR part {dice.choice((1112, 1221, 1250, 1303))})"
    slug = re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-")
    host = "https://www.cpsc.gov" if dice.random() < 0.8 else "https://cpsc.gov"
    year = item.published.year + (item.published.month >= 10)
    in_retailers = dice.random() < 0.5  # Chinese makers often stand among the retailers
    maker = [{"Name": f"{firm}, of {country.name}", "CompanyID": ""}]
    shop = f"Sold Online At:\nAmazon.com from March {item.published.year - 1} for between ${dice.randrange(9, 80)} and $90."
    description = (
        f"This recall involves {brand} {thing}s, model {model}. The model number is printed on a label on the packaging. "
        f"They were sold in white, blue and red."
    )
    description += " This recall was expanded to include all batches." * item.revision
    numbers = f"About {units:,}" + (
        f" (In addition, about {units // 12:,} were sold in Canada)" if units > 90000 else ""
    )
    return {
        "RecallID": 9000 + item.index,
        "RecallNumber": item.key,
        "RecallDate": f"{item.published}T00:00:00",
        "Description": description,
        "URL": f"{host}/Recalls/{year}/{slug}",
        "Title": title,
        "ConsumerContact": f"{brand} toll-free at 888-555-{dice.randrange(1000, 9999)} from 9 a.m. to 5 p.m. ET.",
        "LastPublishDate": f"{item.stamp}T00:00:00",
        "Products": [
            {
                "Name": f"{brand} {good.name}s",
                "Description": "",
                "Model": model if dice.random() < 0.3 else "",
                "Type": good.american,
                "CategoryID": str(1900 + goods.GOODS.index(good)),
                "NumberOfUnits": numbers,
            }
        ],
        "Inconjunctions": [{"URL": "https://recalls-rappels.canada.ca/en"}] if units > 90000 else [],
        "Images": [
            {
                "URL": f"{host}/s3fs-public/{brand.lower()}-1.jpg?VersionId={dice.getrandbits(64):016x}",
                "Caption": f"Recalled {brand} {good.name}",
            }
        ],
        "Injuries": [
            {"Name": "None reported" if dice.random() < 0.7 else "The firm has received two reports of burns."}
        ],
        "Manufacturers": [] if in_retailers else maker,
        "Retailers": [{"Name": shop, "CompanyID": ""}, *(maker if in_retailers else [])],
        "Importers": [{"Name": goods.firm(dice, goods.ORIGINS[6]) + ", of New York", "CompanyID": ""}]
        if dice.random() < 0.4
        else [],
        "Distributors": [],
        "SoldAtLabel": None,
        "ManufacturerCountries": [{"Country": country.name}] if dice.random() < 0.75 else [],
        "ProductUPCs": [{"UPC": goods.gtin(dice, "069")[1:]}] if dice.random() < 0.3 else [],
        "Hazards": [{"Name": hazard.sentence.format(thing=thing), "HazardType": "", "HazardTypeID": ""}],
        "Remedies": [
            {"Name": f"Consumers should stop using the {thing}s immediately and contact {brand} for a full refund."}
        ],
        "RemedyOptions": [{"Option": dice.choice(REMEDIES)}],
    }


def _asked_for(request: Request, world: World) -> list[int]:
    """Indices of the recalls a question selects. Raises ValueError for what the service cannot do."""
    found: list[int] = list(world.order(SOURCE))
    for name, narrow in (("RecallDate", world.published_between), ("LastPublishDate", world.stamped_between)):
        first, last = request.first(f"{name}Start"), request.first(f"{name}End")
        if first or last:
            start = _day(first) if first else date(1973, 1, 1)
            end = _day(last) if last else world.day()
            if (end - start).days > WIDEST_DAYS and start <= world.day():
                raise ValueError("The wait operation timed out.")
            selected = set(narrow(SOURCE, start, end))
            found = [index for index in found if index in selected]
    if number := request.first("RecallNumber"):
        found = [index for index in found if world.key(SOURCE, index) == number.replace("-", "")]
    if identity := request.first("RecallID"):
        found = [index for index in found if str(9000 + index) == identity]
    if words := request.first("RecallTitle").casefold():
        found = [index for index in found if words in recall(world.item(SOURCE, index))["Title"].casefold()]
    return sorted(found, key=lambda index: (world.published(SOURCE, index), index), reverse=True)


def _day(printed: str) -> date:
    try:
        return date.fromisoformat(printed[:10])
    except ValueError as error:
        raise ValueError(
            "An error occurred while reading from the store provider's data reader. See the inner exception for details."
        ) from error


def _error_row(reason: str) -> dict[str, Any]:
    nothing = ("RecallNumber", "RecallDate", "Description", "URL")
    row: dict[str, Any] = {"RecallID": 0} | dict.fromkeys(nothing)
    row |= {"Title": f"Error retrieving Recalls: {reason}", "ConsumerContact": None, "LastPublishDate": None}
    return row | {name: None if name == "SoldAtLabel" else [] for name in LISTS}


def _xml(rows: list[dict[str, Any]]) -> bytes:
    """The same rows as XML, which is what the service answers where no format is asked for."""
    recalls = "".join(f"<Recall>{_elements(row)}</Recall>" for row in rows)
    return f'<?xml version="1.0" encoding="utf-8"?><ArrayOfRecall>{recalls}</ArrayOfRecall>'.encode()


def _elements(row: dict[str, Any]) -> str:
    parts = []
    for name, value in row.items():
        inner = (
            "".join(f"<{name[:-1]}>{_elements(one)}</{name[:-1]}>" for one in value)
            if isinstance(value, list)
            else None
        )
        text = escape(str(value)) if value is not None else ""
        parts.append(f"<{name}>{text if inner is None else inner}</{name}>")
    return "".join(parts)
