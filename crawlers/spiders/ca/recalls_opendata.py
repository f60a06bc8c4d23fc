"""Recalls and safety alerts of Canada: consumer and health products, food, vehicles."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from crawlers.families.json_rows import answer, drafts
from crawlers.fields import printed, take
from crawlers.page import Draft, Follow, NotThePage
from crawlers.spider import SourceSpider
from library.page import Page

FILES = "https://recalls-rappels.canada.ca/sites/default/files/opendata-donneesouvertes"

ENGLISH = {
    "authority": "Organization",
    "published": "Last updated",
    "status": "Archived",
    "classification": "Recall class",
    "key": "NID",
    "title": "Title",
    "url": "URL",
    "product": "Product",
    "issue": "Issue",
    "action": "What you should do",
    "category": "Category",
}
FRENCH = {
    "authority": "Organization",
    "published": "Dernière mise à jour",
    "status": "Archivé",
    "classification": "Classe de rappel",
    "key": "NID",
    "title": "Titre",
    "url": "URL",
    "product": "Produit",
    "issue": "Problème",
    "action": "Ce que vous devriez faire",
    "category": "Catégorie",
}
AS_PRINTED = ("authority", "published", "status", "classification")
# ' - ' stands between words of a list, and inside these
BETWEEN = re.compile(r" - (?!Med\. & H\.D\.|other pathogenic|non-pathogenic)")
VEHICLE_RECALL = re.compile(r"Transport Canada Recall - (\w+) -")


class CaRecallsOpendata(SourceSpider):
    """Recalls and safety alerts of Canada: Health Canada, the food inspection agency and Transport Canada.

    Pages       two JSON files with all recalls since 1991, one English and one French with the same NIDs,
                made anew every day at about 02:19 UTC
    Dates       'yyyy-mm-dd', only 'Last updated'; null in about 2,700 rows, all of vehicles
    Reference   NID, '82495'; the title of a vehicle recall has its number, 'Transport Canada Recall - 2026338 - FORD'
    Gaps        no day of publication, so the day of the last update stands for it. Issue names the hazard, the allergen
                or the germ, and in vehicles the part that fails; often only the title says why.
                Texts are flattened HTML with '&nbsp;', and paragraphs run on ('refund.For more')
    """

    name = "ca_recalls_opendata"

    def begin(self, since: date, today: date) -> Iterator[Follow]:
        yield Follow(url=f"{FILES}/HCRSAMOpenData.json", kind="english")
        yield Follow(url=f"{FILES}/SCRSAMDonneesOuvertes.json", kind="french")

    def read(self, page: Page) -> Iterable[Draft]:
        rows = answer(page)
        if not isinstance(rows, list):
            raise NotThePage("error", f"a list of recalls is due, and the site answered with {type(rows).__name__}")
        if not rows:  # the file holds every recall there is: none at all is not an answer
            raise NotThePage("error", "the file holds no recall at all")
        return drafts(rows, "recall", _french if page.kind == "french" else _english)


def _english(row: Mapping[str, Any]) -> Draft:
    said, unread = _said(row, ENGLISH)
    title, product = said.get("title", ""), said.get("product", "")
    vehicle_recall = VEHICLE_RECALL.search(title)
    fields: dict[str, Any] = _shared(said) | {
        "references": [vehicle_recall[1], said.get("key", "")] if vehicle_recall else [said.get("key", "")],
        "titles": {"en": title},
        "texts": _texts(said, "en", {"action": "action"}),
        "hazard_prose": title,
    }
    if "product" in said:
        fields["products"] = [{"name": product}] if product else []
    if "category" in said:
        fields["categories"] = _each(said["category"])
    if "issue" in said:
        fields["hazards"] = _each(said["issue"])
    if vehicle_recall and (maker := product.partition(" recalled by")[2].strip()):
        fields["operators"] = [{"name": maker, "role": "recalling_firm"}]
    return Draft(kind="recall", key=said.get("key", ""), fields=fields, part="english", unread=unread)


def _french(row: Mapping[str, Any]) -> Draft:
    """The French side: its words for product and issue become texts, since the English side has them as lists."""
    said, unread = _said(row, FRENCH)
    fields = _shared(said) | {
        "titles": {"fr": said.get("title", "")},
        "texts": _texts(said, "fr", {"product": "description", "issue": "risk", "action": "action"}),
    }
    return Draft(kind="recall", key=said.get("key", ""), fields=fields, part="french", unread=unread)


def _said(row: Mapping[str, Any], names: Mapping[str, str]) -> tuple[dict[str, str], frozenset[str]]:
    """The row under our names, with '&nbsp;' and '&amp;' as characters, and the columns nobody knows."""
    said, unread = take(row, names)
    return {name: printed(html.unescape(value)) for name, value in said.items()}, unread


def _shared(said: Mapping[str, str]) -> dict[str, Any]:
    address = said.get("url", "")
    links = [{"url": address, "label": "original"}] if address else []
    return {name: said[name] for name in AS_PRINTED if name in said} | {"links": links}


def _texts(said: Mapping[str, str], language: str, labels: Mapping[str, str]) -> list[dict[str, str]]:
    return [
        {"label": label, "value": said[name], "language": language} for name, label in labels.items() if said.get(name)
    ]


def _each(words: str) -> list[str]:
    return [word for part in BETWEEN.split(words) if (word := part.strip())]
