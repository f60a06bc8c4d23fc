"""Every record's own number, as its publisher prints it, is one reference and is found whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

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
