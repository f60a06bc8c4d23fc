"""Canada's recalls: every notice of nine publishing units in one JSON file, English and French, rebuilt daily.

There is no recall date, only 'Last updated', which is null for Transport Canada's older notices. A notice that was taken
down is missing from the file. Paragraphs run into one another, slashes are escaped, titles end in blanks.
"""

from __future__ import annotations

import re
from random import Random
from typing import Any

import orjson

from crawlers.practice import goods
from crawlers.practice.exchange import Answer, Request, moved, not_found
from crawlers.practice.world import Item, World

HOSTS = ("recalls-rappels.canada.ca",)
SOURCE = "ca_recalls_opendata"
FOLDER = "/sites/default/files/opendata-donneesouvertes"
UNITS = ("Consumer product safety", "Consumer product safety", "CFIA", "CFIA", "Medical devices", "TC")
FRENCH_UNITS = {
    "Consumer product safety": "Sécurité des produits de consommation",
    "CFIA": "ACIA",
    "Medical devices": "Instruments médicaux",
    "TC": "TC",
}
FRENCH_NAMES = {
    "NID": "NID",
    "Title": "Titre",
    "URL": "URL",
    "Organization": "Organization",
    "Product": "Produit",
    "Issue": "Problème",
    "What you should do": "Ce que vous devriez faire",
    "Category": "Catégorie",
    "Recall class": "Classe de rappel",
    "Last updated": "Dernière mise à jour",
    "Archived": "Archivé",
}
VEHICLE_PARTS = (("Seats And Restraints", "Sièges Et Dispositifs De Retenue"), ("Electrical", "Circuit Électrique"))
DEVICES = (("Infusion pump", "Pompe à perfusion"), ("Patient monitor", "Moniteur de patient"))


def respond(request: Request, world: World) -> Answer:
    """Answer one of the two files, or the address of a notice."""
    for name, french in (("HCRSAMOpenData.json", False), ("SCRSAMDonneesOuvertes.json", True)):
        if request.path == f"{FOLDER}/{name}":
            return _file(world, french=french)
    asked = re.fullmatch(r"/(?:en|fr)/node/(\d+)", request.path)
    if asked and (row := next((row for row in _rows(world) if row["NID"] == asked[1]), None)):
        return moved(row["URL"], 302)
    return not_found()


def _file(world: World, *, french: bool) -> Answer:
    rows = _rows(world, french=french)
    body = orjson.dumps(rows).replace(b"/", b"\\/")  # written by PHP
    return Answer(body=body, content_type="application/json", modified=world.updated_at())


def _rows(world: World, *, french: bool = False) -> list[dict[str, Any]]:
    items = (world.item(SOURCE, index) for index in reversed(world.order(SOURCE)))
    return [notice(item, french=french) for item in items if not item.withdrawn]


def notice(item: Item, *, french: bool = False) -> dict[str, Any]:
    """One notice under the English or French names."""
    dice = item.random()
    unit = dice.choice(UNITS)
    brand = goods.brand(dice)
    makers = {"Consumer product safety": _product, "CFIA": _food, "Medical devices": _device, "TC": _vehicle}
    english, french_words = makers[unit](item, dice, brand)
    title, product, issue, advice, category, recall_class = french_words if french else english
    if item.revision:
        advice += (
            "Mise à jour : d'autres numéros de lot sont visés."
            if french
            else "Update: further lot numbers are affected."
        )
    language, folder = ("fr", "avis-rappel") if french else ("en", "alert-recall")
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    undated = unit == "TC" and item.stamp == item.published and dice.random() < 0.3
    row = {
        "NID": item.key,
        "Title": title + " " * (dice.random() < 0.5),
        "URL": f"https://{HOSTS[0]}/{language}/{folder}/{slug}",
        "Organization": FRENCH_UNITS[unit] if french else unit,
        "Product": product,
        "Issue": issue,
        "What you should do": advice,
        "Category": category,
        "Recall class": recall_class,
        "Last updated": None if undated else str(item.stamp),
        "Archived": "1" if dice.random() < 0.2 else "0",
    }
    return {FRENCH_NAMES[name]: value for name, value in row.items()} if french else row


Words = tuple[str, str | None, str, str, str, str]


def _product(item: Item, dice: Random, brand: str) -> tuple[Words, Words]:
    good = dice.choice(goods.GOODS)
    hazard = dice.choice(good.hazards)
    country = goods.origin(dice)
    firm = goods.firm(dice, country)
    joint = (
        f"Joint recall with Health Canada, the United States Consumer Product Safety Commission (US CPSC) and {firm}."
        if dice.random() < 0.2
        else ""
    )
    advice = (
        f"Consumers should immediately stop using the recalled product and contact {firm} ({country.name}) for a full "
        f"refund.&nbsp;For more information, consumers can write to recall@{brand.lower()}.example.{joint}"
    )
    conseil = (
        f"Les consommateurs devraient cesser immédiatement d'utiliser le produit et communiquer avec {firm} "
        f"({country.french}).&nbsp;Un remboursement complet sera offert."
    )
    name = f"{brand} {good.name}"
    return (
        (f"{name} recalled due to {hazard.canadian.lower()}", name, hazard.canadian, advice, good.canadian, ""),
        (
            f"{brand} : {good.french} – rappel, {hazard.french.lower()}",
            f"{good.french} {brand}",
            hazard.french,
            conseil,
            good.canadian,
            "",
        ),
    )


def _food(item: Item, dice: Random, brand: str) -> tuple[Words, Words]:
    food = dice.choice(goods.FOODS[:12])
    danger = dice.choice(food.dangers)
    number = dice.randrange(1, 4)
    name = f"{brand} brand {food.name}"
    how = "due to undeclared" if danger.allergen else "due to"
    issue = danger.name.capitalize()
    return (
        (
            f"{name} recalled {how} {danger.name}",
            None if dice.random() < 0.6 else food.name,
            issue,
            "Do not consume, use, sell, serve or distribute recalled products.Check to see if you have recalled products.",
            food.canadian,
            f"Class {number}",
        ),
        (
            f"{food.french} de marque {brand} – rappel : {danger.french}",
            None,
            danger.french,
            "Ne consommez, n'utilisez, ne vendez, ne servez ni ne distribuez les produits rappelés.",
            food.canadian,
            f"Classe {number}",
        ),
    )


def _device(item: Item, dice: Random, brand: str) -> tuple[Words, Words]:
    english, french = dice.choice(DEVICES)
    numerals = dice.choice(("I", "II", "II", "III", "II - III"))
    recall_class = " - ".join(f"Type {numeral}" for numeral in numerals.split(" - "))
    name = f"{brand} {english}"
    category = "General hospital and personal use"
    return (
        (name, name, "Performance", "", category, recall_class),
        (f"{french} {brand}", f"{french} {brand}", "Rendement", "", "Hôpital général", recall_class),
    )


def _vehicle(item: Item, dice: Random, brand: str) -> tuple[Words, Words]:
    number = f"{item.published.year}{item.index % 1000:03d}"
    issue, french = dice.choice(VEHICLE_PARTS)
    name = brand.upper()
    return (
        (f"Transport Canada Recall - {number} - {name}", f"SUV recalled by {name}", issue, "", "SUV", ""),
        (f"Rappel de Transports Canada - {number} - {name}", f"VUS rappelé par {name}", french, "", "VUS", ""),
    )
