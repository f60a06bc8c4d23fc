"""Every record's own number, as its publisher prints it, is one reference and is found whole."""

from __future__ import annotations

import html
import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer.analysis import scan
from library.vocabulary.codes import gtin
from library.vocabulary.references import canonical, find_references
from tests.vocabulary.test_corpus_words import (
    CORPUS,
    cpsc_rows,
    eping_rows,
    ires_rows,
    openfda_rows,
    rasff_rows,
    safety_gate_rows,
)

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the publishers' answers are not on this machine")

PROSE = "The document {} has been published, and what it says is told here at a length that no query has, line by line."


def federal_register_numbers() -> Iterator[str]:
    for path in (CORPUS / "us" / "federal-register").glob("documents*.json"):
        for row in json.loads(path.read_text(encoding="utf-8"))["results"]:
            yield from (row["document_number"], row["citation"])


def texts(folder: str) -> str:
    paths = (path for path in (CORPUS / folder).rglob("*") if path.is_file())
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in paths)


NUMBERS = {
    "eu_safety_gate": lambda: [row["caseNumber"] for row in safety_gate_rows()],
    "eu_rasff": lambda: [row["Reference"] for row in rasff_rows()],
    "us_cpsc": lambda: [f"CPSC {row['RecallNumber']}" for row in cpsc_rows()],
    "us_openfda": lambda: [row["recall_number"] for row in openfda_rows()],
    "us_fda_ires": lambda: [row["RECALLNUM"] for row in ires_rows() if row["RECALLNUM"]],
    "us_federal_register": lambda: list(federal_register_numbers()),
    "us_fsis": lambda: re.findall(r'"field_recall_number": *" *([^"]+?) *"', texts("us/fsis-api")),
    "us_nhtsa": lambda: re.findall(r'"NHTSACampaignNumber": *"([^"]+)"', texts("us/nhtsa")),
    "us_ecfr": lambda: re.findall(r"\b\d+ CFR \d+\.\d+", texts("us/ecfr")),
    "wto_eping": lambda: [
        symbol.strip() for row in eping_rows() for symbol in row["Document symbol"].rsplit('"', 2)[1].split(",")
    ],
    "eu_cellar": lambda: re.findall(r"celex/([0-9][0-9A-Z]{8,11}(?:\([0-9]{2}\))?)", texts("eu/cellar")),
    "uk_fsa_food_alerts": lambda: re.findall(r'"notation": *"(FSA-[^"]*)"', texts("uk/fsa-food-alerts")),
    "cn_openstd_samr": lambda: re.findall(r">\s*(GB[^<\s]* [\d.]+-\d{4})", texts("cn/openstd-samr")),
    "standards_cen": lambda: re.findall(r"EN [\d-]+:\d{4}[^\s<\",;]*", texts("standards/cen")),
    "standards_iso": lambda: re.findall(
        r'"reference": ?"(ISO[^"]* \d[^"]*:\d{4}[^"]*)"', texts("standards/iso-open-data")
    ),
}
NEEDS_CONTEXT = re.compile(r"\d{4}/\d\d|\d{3}-\d{4}(?:-EXP)?")  # old case numbers of Safety Gate, FSIS


@pytest.mark.parametrize("source", NUMBERS)
def test_the_own_number_of_every_record_is_one_reference(source):
    numbers = set(NUMBERS[source]())

    assert numbers
    assert {number for number in numbers if canonical(number) is None} == set()


@pytest.mark.parametrize("source", NUMBERS)
def test_the_own_number_of_every_record_is_found_whole_in_prose(source):
    numbers = {number for number in NUMBERS[source]() if not NEEDS_CONTEXT.fullmatch(number)}

    missed = {
        number for number in numbers if number not in [hit.printed for hit in find_references(PROSE.format(number))]
    }

    assert missed == set()


# What a reader of a text would point at, kind by kind, without the grammar's help.
PRINTED = {
    "standard of China": r"(?<![A-Za-z0-9/])(?:GB|SN|HJ|JB|QB|YY|FZ|HG|NY|SJ|QC|GA)(?:[/∕／][TZ])? ?\d+(?:\.\d+)*[-—–]\d{4}(?!\d)",
    "GB/T without a year": r"(?<![A-Za-z0-9/])GB[/∕／]?[TZ] ?\d+(?:\.\d+)*",
    "ISO or IEC": r"(?<![A-Za-z0-9/])(?:ISO|IEC|ISO/IEC|CISPR)(?:/TS|/TR| TS| TR)? (?!20[2-4]\d\s)\d{3,6}(?:-\d+)*(?::\d{4})?(?!\d)",
    "EN": r"(?<![A-Za-z0-9])(?:BS |DIN |NF )?EN(?: ISO| IEC)? \d{2,6}(?:-\d+)*(?::\d{4})?(?:[+/]A\d)?(?!\d)",
    "ASTM": r"(?<![A-Za-z])ASTM [A-G]\d{2,4}(?:-\d\d)?",
    "act of the Union": r"\((?:EU|EC|EEC|UE|CE)\)\s?(?:N[or°]\.?\s?)?\d{1,4}/\d{2,4}",
    "directive": r"(?<![0-9/])\d{2,4}/\d{1,4}/(?:EC|EU|EEC|CE|UE|EG|CEE)(?![A-Za-z])",
    "CELEX": r"(?<![0-9A-Za-z\-])3(?:19|20)\d\d[RLD]\d{4}(?![0-9A-Za-z])",
    "official journal": r"OJ [LC] ?\d+, ?\d{1,2}\.\d{1,2}\.\d{4}(?:, p\. ?\d+)?",
    "CFR": r"(?<![\d\-])\d{1,2} CFR (?:[Pp]arts? |§ ?)?\d+(?:\.\d+)?(?:\([a-z0-9]\))*",
    "United States Code": r"(?<![\d\-])\d{1,2} U\.S\.C\. \d+[a-z]?",
    "Federal Register citation": r"(?<![\d\-])\d{2} FR \d{2,6}",
    "Federal Register document": r"(?<![\w\-/])20\d\d-\d{5}(?![\w\-])",
    "WTO symbol": r"G/(?:TBT|SPS)/N/[A-Z]{2,4}/\d+(?:/(?:Add|Rev|Corr)\.\d+)*",
    "Safety Gate": r"(?<![\w/])(?:A1[12]|SR)/\d{4,5}/\d\d(?![\w/])",
    "RASFF": r"(?<![\d.])20[12]\d\.\d{4}(?![\d.])",
    "FDA": r"(?<![\w\-])[FHZDBV]-\d{3,4}-20\d\d(?![\w\-])",
    "NHTSA": r"(?<![\w\-])\d\d[VET]\d{3}000(?!\w)",
    "HS": r"HS (?:code )?\d{4}(?:\.\d\d)*",
    "ICS": r"(?<![\d.])\d\d\.\d{3}\.\d\d(?![\d.])",
    "GTIN": r"(?:UPC|EAN|GTIN|[Bb]arcode)(?: [Cc]ode)?:? ?#? ?\d{12,14}(?!\d)",
}


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


def readable(path: Path) -> str:
    """What a person would read of a file: the strings of JSON, the text of HTML and XML."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".json":
        return "\n".join(strings(json.loads(text)))
    if path.suffix in (".html", ".htm", ".xml"):
        return html.unescape(re.sub(r"<!\[CDATA\[|\]\]>|<[^>]*>", "\n", html.unescape(text)))
    return text


def readable_texts() -> Iterator[str]:
    for suffix in ("json", "html", "htm", "xml", "md", "txt", "csv"):
        for path in sorted(CORPUS.rglob(f"*.{suffix}")):
            try:
                yield readable(path)
            except json.JSONDecodeError:  # kept as an example of what publishers answer
                continue
    yield from ("\n".join(strings(row)) for row in eping_rows())


def test_no_reference_of_the_corpus_is_split_by_tokenising():
    patterns = {kind: re.compile(pattern) for kind, pattern in PRINTED.items()}
    seen: set[str] = set()
    split: dict[str, set[str]] = {}

    for text in readable_texts():
        spans = [(start, end) for start, end, _, kind in scan(text) if kind == "reference"]
        starts = [start for start, _ in spans]
        for kind, pattern in patterns.items():
            for match in pattern.finditer(text):
                if kind == "GTIN" and gtin(re.sub(r"[^0-9]", "", match[0])) is None:
                    continue  # publishers mistype some
                seen.add(kind)
                number = match.start() + len(re.split(r"\d", match[0])[0])
                place = bisect_right(starts, number) - 1
                if place < 0 or spans[place][1] < match.end():
                    split.setdefault(kind, set()).add(text[max(0, match.start() - 30) : match.end() + 20])

    assert split == {}
    assert seen == set(PRINTED)
