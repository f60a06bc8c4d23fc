"""RASFF window: a site of script whose notifications people export as a CSV file and hand in.

`write_export` writes such a file: eight columns, UTF-8 with a byte order mark, CRLF, dates like 'Oct 30, 2024', several
hazards joined by '; '. A cell is quoted where it has a blank, a comma or a digit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from crawlers.practice import goods
from crawlers.practice.exchange import Answer, Request
from crawlers.practice.world import Item, World

HOSTS = ("webgate.ec.europa.eu",)
SOURCE = "eu_rasff"
COLUMNS = (
    "Date of Case",
    "Reference",
    "Notification From",
    "Country Origin",
    "Product",
    "Product Category",
    "Hazard Substance",
    "Hazard Category",
)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SHELL = b"<!doctype html><html><head><title>RASFF Window</title></head><body><app-root></app-root></body></html>"


def respond(request: Request, world: World) -> Answer:
    """Answer the script shell, whatever is asked."""
    return Answer(body=SHELL)


def write_export(world: World, folder: Path) -> Path:
    """Write the export of the world's night to a folder; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"rasff_{world.day():%d%b%Y}.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        for row in rows(world):
            file.write(",".join(_cell(cell) for cell in row) + "\r\n")
    return path


def rows(world: World) -> Iterator[tuple[str, ...]]:
    """The header and then the notifications, the newest first."""
    yield COLUMNS
    for index in reversed(range(world.total(SOURCE))):
        yield _row(world.item(SOURCE, index))


def _row(item: Item) -> tuple[str, ...]:
    dice = item.random()
    food = dice.choice(goods.FOODS)
    dangers = [dice.choice(food.dangers)] * (dice.random() < 0.9)  # some notifications name no hazard
    dangers *= dice.choice((1, 1, 1, 2))  # the same one twice, as the export has it
    country = goods.origin(dice)
    native = dice.choice(list(food.native.values()))
    product = f"{native} ({food.name.lower()})" if dice.random() < 0.3 else food.name
    product += " - further lots" * item.revision
    day = item.published
    return (
        f"{MONTHS[day.month - 1]} {day.day:02d}, {day.year}",
        item.key,
        dice.choice(goods.NOTIFIERS).name,
        country.name,
        product,
        food.category,
        "; ".join(danger.rasff for danger in dangers),
        "; ".join(danger.kind for danger in dangers),
    )


def _cell(text: str) -> str:
    return f'"{text}"' if re.search(r"[\s,\d]|[^\x00-\x7f]", text) else text
