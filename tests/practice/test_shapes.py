"""Practice pages have the real pages' keys, elements, columns and labels: none more, and none of the usual ones missing."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from bs4 import BeautifulSoup
from lxml import etree
from openpyxl import load_workbook

from crawlers.practice.exchange import Request
from crawlers.practice.publishers import (
    ca_recalls_opendata,
    cn_openstd_samr,
    eu_cellar,
    eu_rasff,
    eu_safety_gate,
    uk_fsa_food_alerts,
    us_cpsc,
    us_federal_register,
    us_openfda,
    wto_eping,
)
from crawlers.practice.world import World
from tests.places import need_corpus
from tests.practice.conftest import SPARQL, STANDARDS, respond, small_world
from tests.practice.test_world import safety_gate_reports

MOST = 0.6  # of the real rows; what occurs in more of them is usual
FREE_KEYS = re.compile(r"(regulation_id_number_info\.)[^.]+|(images(?:_metadata)?)\..*")


@pytest.fixture(scope="module")
def corpus() -> Path:
    return need_corpus()


@pytest.fixture(scope="module")
def world() -> World:
    return small_world(2, records=600)


def paths(value: Any, prefix: str = "") -> Iterator[str]:
    """Every key below a JSON value, dotted; keys that are numbers of something are one key."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield FREE_KEYS.sub(lambda found: f"{found[1]}*" if found[1] else found[2], f"{prefix}{name}")
            yield from paths(below, f"{prefix}{name}.")
    elif isinstance(value, list):
        for one in value:
            yield from paths(one, prefix)


def assert_same_shape(practice: Iterable[Any], real: Iterable[Any], *, leave_out: Iterable[str] = ()) -> None:
    """Practice keys are real keys, and every key of most real rows is there.

    leave_out: keys of the one or two captured rows that do not show what all rows can have.
    """
    ours = {path for row in practice for path in paths(row)}
    rows = [set(paths(row)) for row in real]
    counted = Counter(path for row in rows for path in row)
    usual = {path for path, count in counted.items() if count > MOST * len(rows)}

    assert sorted(ours - counted.keys() - set(leave_out)) == []
    assert sorted(usual - ours) == []


def items(world: World, source: str) -> Iterator[Any]:
    return (world.item(source, index) for index in range(world.total(source)))


def test_recalls_of_the_product_safety_commission(corpus: Path, world: World) -> None:
    files = ("recall-list-2026-06-01-first5.json", "recall-two-records.json")
    real = [row for name in files for row in orjson.loads((corpus / "us/cpsc" / name).read_bytes())]

    # none of the seven captured recalls is a joint one
    unseen = {"Inconjunctions.URL"}
    assert_same_shape((us_cpsc.recall(item) for item in items(world, "us_cpsc")), real, leave_out=unseen)


def test_the_error_row_of_the_product_safety_commission(corpus: Path, world: World) -> None:
    real = orjson.loads((corpus / "us/cpsc/recall-error-row-http200.json").read_bytes())

    page = respond(world, ("www.saferproducts.gov", "/RestWebServices/Recall?format=json&RecallDateStart=notadate"))

    assert page.status == 200
    assert orjson.loads(page.body)[0] | {"Title": ""} == real[0] | {"Title": ""}


def test_enforcement_reports_of_openfda(corpus: Path, world: World) -> None:
    real = [
        row
        for path in (corpus / "us/openfda").glob("*official*.json")
        for row in orjson.loads(path.read_bytes())["results"]
    ]
    real += orjson.loads((corpus / "us/openfda/food-enforcement-infant-formula.json").read_bytes())["results"]
    rows = [us_openfda.enforcement(item, world.enforcement_kind(item.index)) for item in items(world, "us_openfda")]

    assert_same_shape(rows, real)


@pytest.mark.parametrize(
    ("question", "status", "file"),
    [
        ("search=recall_number:%22X-0000-1900%22", 404, "error-404-no-matches.json"),
        ("limit=1000&skip=20000", 404, "error-404-skip-past-end.json"),
        ("sort=invalid_field:asc", 400, "error-400-sort-field.json"),
    ],
)
def test_errors_of_openfda(corpus: Path, world: World, question: str, status: int, file: str) -> None:
    real = orjson.loads((corpus / "us/openfda" / file).read_bytes())

    page = respond(world, ("api.fda.gov", f"/food/enforcement.json?{question}"))

    assert page.status == status
    assert orjson.loads(page.body) == real


def test_documents_of_the_federal_register(corpus: Path, world: World) -> None:
    real = orjson.loads((corpus / "us/federal-register/documents-2024-page1.json").read_bytes())
    rows = (us_federal_register.document(world, item) for item in items(world, "us_federal_register"))
    page = orjson.loads(respond(world, ("www.federalregister.gov", "/api/v1/documents.json?per_page=20")).body)

    assert_same_shape(rows, real["results"])
    assert page.keys() == real.keys()


def test_recalls_of_canada(corpus: Path, world: World) -> None:
    real = orjson.loads((corpus / "ca/recalls-opendata/HCRSAMOpenData-2026-08-22.subset.json").read_bytes())

    assert_same_shape((ca_recalls_opendata.notice(item) for item in items(world, "ca_recalls_opendata")), real)


def test_food_alerts(corpus: Path, world: World) -> None:
    real = orjson.loads((corpus / "uk/fsa-food-alerts/fsa-alerts-2026-07-02.first2.official0.json").read_bytes())
    rows = (uk_fsa_food_alerts.alert(world, item) for item in items(world, "uk_fsa_food_alerts"))

    assert_same_shape(rows, real["items"])


def test_notifications_of_safety_gate_as_json(corpus: Path, world: World) -> None:
    files = (corpus / "eu/safety-gate").glob("notification-*.official*.json")
    real = [orjson.loads(path.read_bytes()) for path in files]
    rows = (eu_safety_gate.notification(world, item) for item in items(world, "eu_safety_gate"))

    # neither of the two captured alerts has a brand, a batch or a weekly report yet
    unseen = {"product.brands.brand", "product.batchNumbers.batchNumber", "webReport.id"}
    assert_same_shape(rows, real, leave_out=unseen)


def test_weekly_reports_of_safety_gate(corpus: Path, world: World) -> None:
    real = [etree.parse(path).getroot() for path in (corpus / "eu/safety-gate").glob("weekly-100003*.xml")]
    practice = list(safety_gate_reports(world))

    assert {child.tag for report in practice for child in report} == {child.tag for report in real for child in report}
    assert_same_shape(map(_alert_shape, _alerts(practice)), map(_alert_shape, _alerts(real)))


def _alerts(reports: Iterable[etree._Element]) -> list[etree._Element]:
    return [alert for report in reports for alert in report.iter("notifications")]


def _alert_shape(alert: etree._Element) -> dict[str, Any]:
    shape: dict[str, Any] = {str(child.tag): {str(below.tag): "" for below in child} for child in alert}
    return shape | dict.fromkeys(map(str, alert.attrib), "")


def test_the_columns_of_the_rasff_export(corpus: Path, world: World) -> None:
    with (corpus / "eu/rasff/rasff-export-2024.first1500.csv").open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file))

    assert list(next(eu_rasff.rows(world))) == header


def test_the_columns_and_formulas_of_the_eping_export(corpus: Path, world: World, tmp_path: Path) -> None:
    real = _sheet((corpus / "wto/eping/Notifications_example.xlsx").read_bytes())
    practice = _sheet(wto_eping.write_export(world, tmp_path).read_bytes())
    symbol = re.compile(r'=HYPERLINK\("https://www\.epingalert\.org/en/Search\?viewData= G/[^"]+"," G/[^"]+"\)')

    assert practice[0] == real[0]
    assert all(symbol.fullmatch(row[2]) for row in practice[1:])
    assert {type(row[1]) for row in practice[1:]} == {type(row[1]) for row in real[1:]}


def _sheet(body: bytes) -> list[tuple[Any, ...]]:
    return list(load_workbook(io.BytesIO(body), read_only=True).worksheets[0].iter_rows(values_only=True))


def test_the_list_of_chinese_standards(corpus: Path, world: World) -> None:
    real = _soup((corpus / "cn/openstd-samr/gb_t_1_1/01.html").read_bytes())
    practice = _soup(respond(world, STANDARDS).body)

    assert _header(practice) == _header(real)
    assert {len(row.select("td")) for row in practice.select("table.result_list tr:has(td)")} == {10}
    assert re.search(r"共\s*\d+\s*条标准\s*1\s*/\s*\d+", practice.get_text(" "))
    assert re.search(r"共\s*\d+\s*条标准\s*1\s*/\s*\d+", real.get_text(" "))


def test_the_page_of_a_chinese_standard(corpus: Path, world: World) -> None:
    real = _soup((corpus / "cn/openstd-samr/gb_t_1_1/06.html").read_bytes())
    row = cn_openstd_samr.standard(world, world.item("cn_openstd_samr", 3))
    page = ("openstd.samr.gov.cn", f"/bzgk/std/newGbInfo?hcno={row.identity}")
    practice = _soup(respond(world, page).body)

    for selector in ("div.title", "table.mk1 h1", "table.tdlist td"):
        assert _labels(practice, selector) == _labels(real, selector)
    assert row.number in practice.get_text()


def _soup(body: bytes) -> BeautifulSoup:
    return BeautifulSoup(body.decode("utf-8"), "lxml")


def _header(page: BeautifulSoup) -> list[str]:
    return [cell.get_text(strip=True) for cell in page.select("table.result_list th")]


def _labels(page: BeautifulSoup, selector: str) -> list[str]:
    """What stands before the colon."""
    texts = [element.get_text(strip=True) for element in page.select(selector)]
    return [text.partition("：")[0] for text in texts if selector == "div.title" or "：" in text]


def test_the_result_of_a_sparql_query(corpus: Path, world: World) -> None:
    real = orjson.loads((corpus / "eu/cellar/sparql-query_results.json").read_bytes())
    practice = orjson.loads(respond(world, SPARQL).body)

    assert practice.keys() == real.keys()
    assert practice["head"].keys() == real["head"].keys()
    assert practice["results"].keys() == real["results"].keys()
    assert set(practice["results"]["bindings"][0]["celex"]) == set(real["results"]["bindings"][0]["format"])


def test_the_elements_of_a_formex_act(corpus: Path, world: World) -> None:
    real = etree.parse(corpus / "eu/cellar/formex-L_202400903EN.000101.fmx.xml").getroot()
    practice = _item(world, "02")

    assert practice.tag == real.tag
    assert [child.tag for child in practice] == [child.tag for child in real]
    assert [child.tag for child in practice[0]] == [child.tag for child in real[0]]
    assert _tags(practice) <= _tags(real)


def test_the_classes_of_an_act_in_the_journal(corpus: Path, world: World) -> None:
    real = etree.parse(corpus / "eu/cellar/xhtml-32024R0903.html").getroot()
    practice = _item(world, "03")

    # a short act has no chapters and no annex
    assert _classes(real) - _classes(practice) <= {"oj-ti-section-1", "oj-ti-section-2", "oj-bold", "oj-doc-sep"}
    assert _classes(practice) <= _classes(real)
    assert _tags(practice) <= _tags(real)


def test_the_elements_of_a_notice(corpus: Path, world: World) -> None:
    real = etree.parse(corpus / "eu/cellar/notice-52018PC0340_branch.xml").getroot()
    act = eu_cellar.act(world, world.item("eu_cellar", 3))
    headers = {"accept": "application/xml;notice=branch"}
    request = Request(host="publications.europa.eu", target=f"/resource/celex/{act.celex}", headers=headers)
    practice = etree.fromstring(eu_cellar.respond(request, world).body)

    assert (practice.get("type"), practice.get("decoding")) == (real.get("type"), real.get("decoding"))
    assert _tags(practice) <= _tags(real)


def _item(world: World, number: str) -> etree._Element:
    act = eu_cellar.act(world, world.item("eu_cellar", 3))
    page = ("publications.europa.eu", f"/resource/cellar/{act.uuid}.0006.{number}/DOC_1")
    return etree.fromstring(respond(world, page).body)


def _tags(root: etree._Element) -> set[str]:
    return {element.tag for element in root.iter() if isinstance(element.tag, str)}


def _classes(root: etree._Element) -> set[str]:
    return {name for element in root.iter() for name in (element.get("class") or "").split()}
