"""UK Food Standards Agency alerts: a list with _limit, _offset, _sort, since and type, and one alert by its notation.

The same property is a string in one alert and a pair in the next (English and Welsh slots); titles end in blanks.
A withdrawn alert stays in the list with another status; an edit moves 'modified'.
"""

from __future__ import annotations

import re
from datetime import datetime
from random import Random
from typing import Any

import orjson

from crawlers.practice import goods
from crawlers.practice.exchange import Answer, Request, not_found
from crawlers.practice.world import Item, World

HOSTS = ("data.food.gov.uk",)
SOURCE = "uk_fsa_food_alerts"
BASE = "http://data.food.gov.uk/food-alerts"  # the identity is http, though the service is https
CODES = "http://data.food.gov.uk/codes"
CONCEPT = {"@id": "http://www.w3.org/2004/02/skos/core#Concept"}
COUNTRIES = (
    ("GB-ENG", "England", "E92000001"),
    ("GB-NIR", "Northern Ireland", "N92000002"),
    ("GB-WLS", "Wales", "W92000004"),
)


def respond(request: Request, world: World) -> Answer:
    """Answer the list or one alert."""
    if request.path == "/food-alerts/id.json":
        return _list(request, world)
    asked = re.fullmatch(r"/food-alerts/id/([\w-]+)\.json", request.path)
    if not asked:
        return not_found()
    found = next((index for index in range(world.total(SOURCE)) if world.key(SOURCE, index) == asked[1]), None)
    if found is None:
        return not_found()
    return _json({"meta": {"limit": 1}, "items": [alert(world, world.item(SOURCE, found))]}, world)


def _list(request: Request, world: World) -> Answer:
    limit, offset = request.number("_limit", 100, most=1000), request.number("_offset", 0, most=10**9)
    indices = list(world.order(SOURCE))
    if since := request.first("since"):
        try:
            first = datetime.fromisoformat(since).date()
        except ValueError:
            return Answer(status=400, body=b'{"error": "since"}', content_type="application/json")
        indices = [index for index in indices if world.stamp(SOURCE, index) >= first]
    if kind := request.first("type"):
        indices = [index for index in indices if world.alert_kind(index) == kind]
    sort = request.first("_sort", "-created")
    if sort.endswith("created"):
        indices.sort()
    if sort.startswith("-"):
        indices.reverse()
    rows = [alert(world, world.item(SOURCE, index)) for index in indices[offset : offset + limit]]
    meta = {"limit": limit} | ({"offset": offset} if offset else {})
    return _json({"meta": meta, "items": rows}, world)


def alert(world: World, item: Item) -> dict[str, Any]:
    """One alert with everything the register prints of it."""
    dice = item.random()
    kind = world.alert_kind(item.index)
    allergy = kind == "AA"
    choices = [(food, danger) for food in goods.FOODS for danger in food.dangers if bool(danger.allergen) == allergy]
    food, danger = dice.choice(choices)
    brand, business = goods.brand(dice), goods.firm(dice, goods.origin(dice))
    product = f"{brand} {food.name}"
    reason = f"of undeclared {danger.name}" if allergy else f"of possible contamination with {danger.name}"
    title = f"{business} recalls {product} because {reason}"
    notation = item.key
    updated = "-update-" in notation
    page = f"https://alerts.food.gov.uk/news-alerts/alert/{notation.lower()}"
    short = f"https://bit.ly/{world.cipher(SOURCE, item.index)}"
    tag = "#FoodAllergy" if allergy else "#FoodAlert"
    kinds = [{"@id": f"{BASE}/def/Alert"}, {"@id": f"{BASE}/def/{kind}"}]
    description = f"{business} is recalling {product} because {reason}. Origin: {goods.origin(dice).name}."
    return {
        "@id": f"{BASE}/id/{notation}",
        "notation": notation,
        "title": ("Update 1: " * updated) + title + "  " * (dice.random() < 0.3),
        "description": description + " The recall has been extended to further batches." * item.revision,
        "created": str(item.published),
        "modified": f"{item.stamp}T{dice.randrange(9, 18):02d}:{dice.randrange(60):02d}:06.912Z",
        "type": kinds if dice.random() < 0.5 else kinds[::-1],
        "reportingBusiness": {"commonName": business},
        "SMStext": f"{title} {short}",
        "twitterText": f"{title} {tag} {page}",
        "alertURL": {"@id": page},
        "shortURL": {"@id": short},
        "actionTaken": f"{business} is recalling the above product. Notices will be displayed in the shops that sell it.",
        "consumerAdvice": "If you have bought the above product, do not eat it. Return it to the shop for a full refund.",
        "relatedMedia": [
            {
                "@id": f"https://s3-eu-west-1.amazonaws.com/fsa-alerts-files/production/{notation}/notice.pdf",
                "title": f"Customer notice: {title}",
            }
        ],
        "problem": [_problem(dice, notation, danger)],
        "productDetails": [_product(dice, item, product, number) for number in range(dice.choice((1, 1, 2)))],
        "status": _status("withdrawn" if item.withdrawn else "published"),
        "country": [_country(dice, *country) for country in dice.sample(COUNTRIES, dice.choice((1, 2)))],
    }


def _problem(dice: Random, notation: str, danger: goods.Danger) -> dict[str, Any]:
    problem: dict[str, Any] = {"@id": f"{BASE}/id/{notation}/problem/0"}
    if danger.allergen:
        problem["riskStatement"] = f"{danger.name.capitalize()}\nThis product may contain {danger.name}."
        code = f"{CODES}/alerts/def/allergen"
        problem["allergen"] = [
            {
                "@id": f"{code}/{danger.allergen}",
                "label": danger.name.capitalize(),
                "notation": danger.allergen,
                "riskStatement": f"This product contains {danger.name} making it a possible health risk",
                "type": [{"@id": f"{BASE}/def/Allergen"}, CONCEPT],
                "prefLabel": danger.name.capitalize(),
                "topConceptOf": {"@id": code},
                "inScheme": {"@id": code},
                "description": f"{danger.name.capitalize()} is found in many foods.",
                "relatedFoodTypes": [{"@id": f"{CODES}/foodtype/id/A012F"}],
            }
        ]
        return problem
    problem["riskStatement"] = f" The presence of {danger.name} in the product listed above may make people ill."
    if danger.pathogen:
        code, risk = f"{CODES}/alerts/def/pathogen", f"{CODES}/alerts/def/pathogen-risk"
        label = f"Possible contamination of product with {danger.name}"
        statement = f"The product(s) listed below might be contaminated with {danger.name}."
        problem["pathogenRisk"] = {
            "@id": f"{risk}/possible-{danger.pathogen}-contamination",
            "label": _slots(dice, label),
            "notation": f"possible-{danger.pathogen}-contamination",
            "riskStatement": _slots(dice, statement),
            "pathogen": {
                "@id": f"{code}/{danger.pathogen}",
                "label": _slots(dice, danger.name),
                "notation": danger.pathogen,
                "type": [{"@id": f"{BASE}/def/Pathogen"}, CONCEPT],
                "prefLabel": _slots(dice, danger.name),
                "inScheme": {"@id": f"{code}/scheme"},
            },
            "type": [{"@id": f"{BASE}/def/PathogenRisk"}, CONCEPT],
            "prefLabel": _slots(dice, label),
            "inScheme": [{"@id": risk}, {"@id": f"{risk}/scheme"}],
        }
    return problem


def _product(dice: Random, item: Item, product: str, number: int) -> dict[str, Any]:
    path = f"{BASE}/id/{item.key}/productDetails/{number}"
    return {
        "@id": path,
        "productName": product if number == 0 else f"{product}, family pack",
        "packSizeDescription": f"{dice.choice((80, 130, 250, 440))}g",
        "batchDescription": [
            {
                "@id": f"{path}/batch/0",
                "useByDescription": f"{dice.randrange(1, 28)} July {item.published.year + 1}",
                "batchCode": goods.batch(dice),
            }
        ],
    }


def _status(notation: str) -> dict[str, Any]:
    return {
        "@id": f"{CODES}/alerts/def/status/{notation}",
        "label": notation.capitalize(),
        "notation": notation,
        "type": [{"@id": f"{BASE}/def/Status"}, CONCEPT],
        "prefLabel": notation.capitalize(),
        "inScheme": {"@id": f"{CODES}/alerts/def/status"},
    }


def _country(dice: Random, code: str, name: str, statistical: str) -> dict[str, Any]:
    scheme = f"{CODES}/geographies/countries"
    return {
        "@id": f"{scheme}/{code}",
        "label": _slots(dice, name),
        "type": [CONCEPT],
        "seeAlso": {"@id": f"http://statistics.data.gov.uk/id/statistical-geography/{statistical}"},
        "description": f"{name} ({code}) - Unitied Kingdom Country: {name}",  # misspelt in the register itself
        "broader": {"@id": f"{scheme}/other"},
        "inScheme": {"@id": scheme},
    }


def _slots(dice: Random, text: str) -> str | list[str]:
    return [text, text] if dice.random() < 0.5 else text


def _json(content: Any, world: World) -> Answer:
    body = orjson.dumps(content, option=orjson.OPT_INDENT_2)
    return Answer(body=body, content_type="application/json", modified=world.updated_at(), compress=True)
