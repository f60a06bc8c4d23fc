"""openFDA enforcement reports: food, drug and device, one row per product line.

Search on report_date with a range, sort, limit up to 1000, skip up to 25000; beyond that a Link header leads on.
Nothing found, and paging past the end, are both 404 NOT_FOUND; a malformed query is 500, sorting on text is 400.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any
from urllib.parse import urlencode

import orjson

from crawlers.practice import goods
from crawlers.practice.exchange import Answer, Request, not_found
from crawlers.practice.world import Item, World

HOSTS = ("api.fda.gov",)
SOURCE = "us_openfda"
LARGEST_LIMIT = 1000
LARGEST_SKIP = 25000
DISCLAIMER = (
    "Do not rely on openFDA to make decisions regarding medical care. This is a practice publisher: every record in "
    "it is invented."
)
DRUGS = (
    ("Metformin Hydrochloride Tablets, 500 mg", "N-nitrosodimethylamine (NDMA) above the acceptable intake limit", "ORAL"),
    ("Lidocaine Injection 10 mg/mL, 5 mL vial", "Lack of Assurance of Sterility", "INTRAMUSCULAR"),
    ("Losartan Potassium Tablets, 50 mg", "Failed Impurities/Degradation Specifications", "ORAL"),
    ("Eye Drops, Carboxymethylcellulose 0.5%", "Non-sterility: bacterial contamination found at the maker", "OPHTHALMIC"),
)  # fmt: skip
DEVICES = (
    ("Infusion pump, REF IP-200", "Software may stop the delivery of fluid without an alarm"),
    ("Glucose test strips, 50 count", "Results may be higher than the true value"),
    ("Surgical gloves, powder-free, size 7", "Packaging seal may be open and sterility cannot be assured"),
    ("Patient monitor, REF PM-12", "Battery may overheat while charging"),
)
RANGE = re.compile(
    r"(report_date|termination_date):\s*\[\s*\"?([\d-]+)\"?\s*(?:\+|\s)TO(?:\+|\s)\s*\"?([\d-]+)\"?\s*\]"
)
STATES = ["CA", "NY", "TX", "NJ", "FL", "WA", "IL", "PA", "OH", "GA", "MA", "NC"]


def respond(request: Request, world: World) -> Answer:
    """Answer one enforcement query."""
    asked = re.fullmatch(r"/(food|drug|device)/enforcement\.json", request.path)
    if not asked:
        return not_found()
    if request.first("sort").split(":")[0] not in {"", "report_date", "termination_date", "recall_number"}:
        return _error(
            400, "BAD_REQUEST", f"Sorting allowed by non-analyzed fields only: {request.first('sort').split(':')[0]}"
        )
    search = request.first("search")
    if search.count('"') % 2 or search.count("[") != search.count("]"):
        return _error(
            500, "SERVER_ERROR", "Check your request and try again", details="[token_mgr_error] Lexical error"
        )
    limit, skip = request.number("limit", 1, most=LARGEST_LIMIT), request.number("skip", 0, most=10**9)
    if skip > LARGEST_SKIP:
        return _error(400, "BAD_REQUEST", "Skip value must 25000 or less.")
    try:
        found = _found(search, asked[1], world)
    except ValueError:
        return _error(500, "SERVER_ERROR", "Check your request and try again", details="[parse_exception] bad date")
    if request.first("sort").endswith(":desc"):
        found = found[::-1]
    after = request.first("search_after")
    start = int(after.partition("=")[2] or 0) if after else skip
    page = found[start : start + limit]
    if not page:
        return _error(404, "NOT_FOUND", "No matches found!")
    results = {"skip": skip, "limit": limit, "total": len(found)}
    meta = {
        "disclaimer": DISCLAIMER,
        "terms": "https://open.fda.gov/terms/",
        "license": "https://open.fda.gov/license/",
        "last_updated": str(world.day()),
        "results": results,
    }
    rows = [enforcement(world.item(SOURCE, index), asked[1]) for index in page]
    return Answer(
        body=orjson.dumps({"meta": meta, "results": rows}, option=orjson.OPT_INDENT_2),
        content_type="application/json; charset=utf-8",
        headers=_next_link(request, limit, start + limit, len(found)),
        compress=True,
    )


def enforcement(item: Item, kind: str) -> dict[str, Any]:
    """One product line as the endpoint of its kind prints it."""
    dice = item.random()
    country = goods.origin(dice) if dice.random() < 0.4 else goods.ORIGINS[6]
    product, reason, openfda = _subject(dice, kind)
    foreign = country.code != "US"
    state = dice.choice(STATES)
    begun = item.published - timedelta(days=dice.randrange(10, 60))
    ended_before = _ended_before(item)
    ended = _ended_on(item) is not None
    firm = "Firm Initiated" if item.published.year < 2024 and dice.random() < 0.3 else "Firm initiated"
    row: dict[str, Any] = {
        "status": "Terminated" if ended else dice.choice(("Ongoing", "Ongoing", "Completed")),
        "city": dice.choice(("Ningbo", "Pune", "Izmir")) if foreign else dice.choice(("Totowa", "Fresno", "Dayton")),
        "state": "N/A" if foreign else state,
        "country": country.name,
        "classification": "Class " + dice.choice(("I", "II", "II", "III")),
        "openfda": openfda,
        "product_type": {"food": "Food", "drug": "Drugs", "device": "Devices"}[kind],
        "event_id": str(80000 + item.index // 3),
        "recalling_firm": goods.firm(dice, country),
        "address_1": f"{dice.randrange(1, 900)} Harbor Rd",
        "address_2": dice.choice(("", "N/A")),
        "postal_code": "N/A" if foreign else f"{dice.randrange(10000, 99999)}-{dice.randrange(1000, 9999)}",
        "voluntary_mandated": f"Voluntary: {firm}",
        "initial_firm_notification": dice.choice(("Letter", "E-Mail", "Telephone")),
        "distribution_pattern": f"Distributed to the following states: {state}, VA and MI",
        "recall_number": item.key,
        "product_description": product,
        "product_quantity": f"{dice.randrange(20, 9000):,} {'cases' if kind == 'food' else 'units'}",
        "reason_for_recall": reason,
        "recall_initiation_date": f"{begun:%Y%m%d}",
        "center_classification_date": f"{item.published - timedelta(days=6):%Y%m%d}",
    }
    if ended:
        row["termination_date"] = f"{_ended_on(item):%Y%m%d}"
    row["report_date"] = f"{item.published:%Y%m%d}"
    row["code_info"] = f"Lot: {goods.batch(dice)}   UPC {goods.gtin(dice, '086')}  Exp. {item.published.month:02d}/2029"
    row["code_info"] += "  Corrected lot list" * (item.revision - (not ended_before and item.revision > 0))
    return row | ({} if kind == "drug" else {"more_code_info": ""})


def _ended_before(item: Item) -> bool:
    return item.random("ended").random() < 0.3


def _ended_on(item: Item) -> date | None:
    """The day a recall was terminated: some by the day of their report, an amended one on the night of its amendment."""
    return item.published if _ended_before(item) else item.amended


def _subject(dice: Random, kind: str) -> tuple[str, str, dict[str, Any]]:
    """Product, reason and the openFDA harmonisation block."""
    brand = goods.brand(dice)
    if kind == "food":
        food = dice.choice(goods.FOODS[:12])
        danger = dice.choice(food.dangers)
        how = "Undeclared allergen:" if danger.allergen else "Potential contamination with"
        return f"{brand} {food.name}, 400 g, plastic pack,   24 packs per case, keep dry", f"{how} {danger.name}.", {}
    if kind == "device":
        product, reason = dice.choice(DEVICES)
        return f"{brand} {product}", reason, {}
    product, reason, route = dice.choice(DRUGS)
    ndc = f"{dice.randrange(10000, 99999)}-{dice.randrange(100, 999)}"
    text = f"{product}, Rx Only, Manufactured by: {brand} Pharma Ltd., NDC {ndc}-41"
    if dice.random() < 0.5:
        return text, reason, {}
    harmonised: dict[str, Any] = {
        "application_number": [f"ANDA{dice.randrange(100000, 299999)}"],
        "brand_name": [product.split(",")[0].upper()],
        "generic_name": [product.split(" ")[0].upper()],
        "manufacturer_name": [f"{brand} Pharma Ltd."],
        "product_ndc": [ndc],
        "product_type": ["HUMAN PRESCRIPTION DRUG"],
        "route": [route],
        "substance_name": [product.split(" ")[0].upper()],
        "rxcui": [str(dice.randrange(100000, 999999))],
        "spl_id": [f"{dice.getrandbits(128):032x}"],
        "spl_set_id": [f"{dice.getrandbits(128):032x}"],
        "package_ndc": [f"{ndc}-41"],
        "is_original_packager": [True],
        "upc": [f"03{ndc.replace('-', '')}41"],
        "unii": [f"{dice.getrandbits(40):010X}"],
    }
    return text, reason, harmonised


def _found(search: str, kind: str, world: World) -> Sequence[int]:
    """Indices a search selects, the oldest report first. Raises ValueError for a date that is none."""
    found = [index for index in range(world.total(SOURCE)) if world.enforcement_kind(index) == kind]
    for field, first, last in RANGE.findall(search):
        start, end = date.fromisoformat(first), date.fromisoformat(last)
        if field == "report_date":
            window = world.published_between(SOURCE, start, end)
            found = [index for index in found if index in window]
        else:
            ended = ((_ended_on(world.item(SOURCE, index)), index) for index in found)
            found = [
                index for day, index in sorted((day, index) for day, index in ended if day and start <= day <= end)
            ]
    if asked := re.search(r'recall_number:"?([\w-]+)"?', search):
        found = [index for index in found if world.key(SOURCE, index) == asked[1]]
    if asked := re.search(r'(product_description|reason_for_recall|recalling_firm|country):"?([^"\]]+)"?', search):
        field, words = asked[1], asked[2].replace("+", " ").strip().casefold()
        found = [
            index for index in found if words in str(enforcement(world.item(SOURCE, index), kind)[field]).casefold()
        ]
    return found


def _next_link(request: Request, limit: int, reached: int, total: int) -> tuple[tuple[str, str], ...]:
    if reached >= total:
        return ()
    kept = {name: request.first(name) for name in ("search", "sort") if request.first(name)}
    question = urlencode(kept | {"limit": limit, "skip": 0, "search_after": f"0={reached}"})
    return (("Link", f'<https://{HOSTS[0]}{request.path}?{question}>; rel="next"'),)


def _error(status: int, code: str, message: str, **more: str) -> Answer:
    body = orjson.dumps({"error": {"code": code, "message": message} | more}, option=orjson.OPT_INDENT_2)
    return Answer(status=status, body=body, content_type="application/json; charset=utf-8")
