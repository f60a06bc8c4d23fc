"""Every word the sources print for hazards, categories, countries, measures and states has its place in the tables."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from library.vocabulary import categories, countries, hazards, measures, states

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus"
MAPPED_MIN = 0.99

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the publishers' answers are not on this machine")


def safety_gate_rows() -> Iterator[dict[str, str]]:
    for path in sorted((CORPUS / "eu" / "safety-gate").glob("weekly-*.xml")):
        for notification in etree.parse(str(path)).getroot().iter("notifications"):
            yield {str(child.tag): child.text or "" for child in notification}


def safety_gate_measures(printed: str) -> list[str]:
    found = re.findall(r"Category of measure\(s\): (.*?)(?=Date of entry|Type of|Category of|$)", printed)
    return [measure.strip() for measure in found]


def rasff_rows() -> list[dict[str, str]]:
    (path,) = (CORPUS / "eu" / "rasff").glob("*.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def canada_rows() -> Iterator[dict[str, Any]]:
    for path in sorted((CORPUS / "ca" / "recalls-opendata").glob("*.json")):
        yield from json.loads(path.read_text(encoding="utf-8"))


def openfda_rows() -> Iterator[dict[str, Any]]:
    for path in sorted((CORPUS / "us" / "openfda").glob("*.json")):
        answer = json.loads(path.read_text(encoding="utf-8"))
        yield from answer.get("results", ()) if isinstance(answer, dict) else ()


def ires_rows() -> Iterator[dict[str, Any]]:
    for path in sorted((CORPUS / "us" / "fda-ires").glob("*.json")):
        yield from json.loads(path.read_text(encoding="utf-8")).get("RESULT", ())


def cpsc_rows() -> Iterator[dict[str, Any]]:
    for path in sorted((CORPUS / "us" / "cpsc").glob("*.json")):
        yield from (row for row in json.loads(path.read_text(encoding="utf-8")) if row["RecallID"])


def eping_rows() -> Iterator[dict[str, Any]]:
    import openpyxl

    (path,) = (CORPUS / "wto" / "eping").glob("*.xlsx")
    sheet: Any = openpyxl.load_workbook(path).active
    rows = sheet.values
    names = next(rows)
    yield from (dict(zip(names, row, strict=True)) for row in rows)


def split(printed: str | None, separators: str) -> list[str]:
    return [part.strip() for part in re.split(separators, printed or "") if part.strip()]


def unmapped_share(words: Counter[str], is_known: Callable[[str], bool]) -> tuple[float, dict[str, int]]:
    missing = {word: count for word, count in words.items() if not is_known(word)}
    return sum(missing.values()) / max(1, words.total()), missing


def test_every_hazard_word_of_the_sources_is_known():
    words: Counter[str] = Counter()
    for row in safety_gate_rows():
        words.update(split(row.get("riskType"), ","))
    for row in rasff_rows():
        words.update(split(row["Hazard Category"], ";|,"))
    for recall in canada_rows():
        words.update(word for word in split(recall["Issue"], " - ") if not word.startswith("E. Coli"))

    share, missing = unmapped_share(words, hazards.is_known)

    assert words.total() > 3000
    assert share <= 1 - MAPPED_MIN, missing


def test_every_category_word_of_the_sources_is_known():
    words: Counter[str] = Counter(row["category"] for row in safety_gate_rows())
    words.update(row["Product Category"] for row in rasff_rows())
    for recall in canada_rows():
        words.update(split(recall["Category"], " - "))
    words.update(row["product_type"] for row in openfda_rows())
    words.update(row["PRODUCTTYPESHORT"] for row in ires_rows())
    words.update(product["Type"] for row in cpsc_rows() for product in row["Products"])

    share, missing = unmapped_share(words, categories.is_known)

    assert words.total() > 4000
    assert share <= 1 - MAPPED_MIN, missing


def test_every_country_word_of_the_sources_is_known():
    words: Counter[str] = Counter()
    for row in safety_gate_rows():
        words.update((row["notifyingCountry"], row["countryOfOrigin"]))
    for row in rasff_rows():
        words.update((row["Notification From"], *split(row["Country Origin"], ";|, ")))
    words.update(row["country"] for row in openfda_rows())
    words.update(country["Country"] for row in cpsc_rows() for country in row["ManufacturerCountries"])
    for row in eping_rows():
        words.update((row["Notifying Member"], row["Specific regions or countries likely to be affected"] or ""))

    share, missing = unmapped_share(words, countries.is_known)

    assert words.total() > 5000
    assert share <= 1 - MAPPED_MIN, missing


def test_every_measure_word_of_the_sources_is_known():
    words: Counter[str] = Counter()
    for row in safety_gate_rows():
        words.update(safety_gate_measures(row["measures"]))
    words.update(row["voluntary_mandated"] for row in openfda_rows())
    words.update(
        option["Option"] for row in cpsc_rows() for option in row["RemedyOptions"] if len(option["Option"]) < 60
    )

    share, missing = unmapped_share(words, measures.is_known)

    assert words.total() > 1200
    assert share <= 1 - MAPPED_MIN, missing


def test_every_state_word_of_the_sources_is_known():
    words: Counter[str] = Counter(row["status"] for row in openfda_rows())
    words.update(row["PHASETXT"] for row in ires_rows())
    for path in (CORPUS / "us" / "federal-register").glob("documents*.json"):
        words.update(row["type"] for row in json.loads(path.read_text(encoding="utf-8"))["results"])
    for path in (CORPUS / "uk" / "fsa-food-alerts").glob("*.json"):
        words.update(re.findall(r'"label":\s*"(Published|Withdrawn|Draft)"', path.read_text(encoding="utf-8")))
    for path in (CORPUS / "cn" / "openstd-samr").rglob("*.html"):
        words.update(re.findall(r"现行|废止|即将实施", path.read_text(encoding="utf-8")))
    words.update(row["Notification type"] for row in eping_rows())

    share, missing = unmapped_share(words, states.is_known)

    assert words.total() > 500
    assert share <= 1 - MAPPED_MIN, missing
