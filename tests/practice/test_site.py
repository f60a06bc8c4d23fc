"""The site on the wire: hosts, robots, validators, compression, and faults that do what they say."""

from __future__ import annotations

import gzip
import http.client
import socket
import threading
import time
import zlib
from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest
from lxml import etree

from crawlers.practice.exchange import Request
from crawlers.practice.faults import FAULTS, Fault
from crawlers.practice.publishers import us_openfda
from crawlers.practice.site import PracticeSite, Served, serve
from tests.practice.conftest import (
    CANADA,
    CPSC,
    ENFORCEMENT,
    FOOD_ALERTS,
    PAGES,
    REGISTER,
    SAFETY_GATE,
    SPARQL,
    STANDARDS,
    ask,
    small_world,
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page[0])
def test_each_publisher_answers_under_its_own_name(site: PracticeSite, page: tuple[str, str]) -> None:
    got = ask(site, page)

    assert got.status == 200
    assert int(got.headers["content-length"]) == len(got.body) > 500


def test_a_name_that_no_publisher_has_is_not_found(site: PracticeSite) -> None:
    assert ask(site, ("elsewhere.example", "/")).status == 404


def test_the_whole_address_may_stand_in_the_request_as_to_a_proxy(site: PracticeSite) -> None:
    assert ask(site, ("127.0.0.1", f"http://{CANADA[0]}{CANADA[1]}")).body == ask(site, CANADA).body


def test_what_was_served_is_kept_in_order(site: PracticeSite) -> None:
    ask(site, CANADA)
    ask(site, ("elsewhere.example", "/nothing"))

    assert [(one.host, one.path, one.status) for one in site.served] == [
        (*CANADA, 200),
        ("elsewhere.example", "/nothing", 404),
    ]
    assert isinstance(site.served[0], Served)
    assert site.served[0].at <= datetime.now(UTC)


def test_robots_are_printed_per_host_and_some_ask_for_a_delay(site: PracticeSite) -> None:
    assert b"Crawl-delay: 1" in ask(site, ("data.food.gov.uk", "/robots.txt")).body
    assert b"Crawl-delay" not in ask(site, ("api.fda.gov", "/robots.txt")).body
    assert ask(site, ("openstd.samr.gov.cn", "/robots.txt")).status == 404


@pytest.mark.parametrize("page", [CANADA, FOOD_ALERTS, REGISTER, SAFETY_GATE], ids=lambda page: page[0])
def test_an_unchanged_page_is_304_by_its_etag_and_by_its_date(site: PracticeSite, page: tuple[str, str]) -> None:
    first = ask(site, page)

    by_etag = ask(site, page, If_None_Match=first.headers["etag"])
    by_date = ask(site, page, If_Modified_Since=first.headers["last-modified"])

    assert (by_etag.status, by_etag.body) == (304, b"")
    assert (by_date.status, by_date.body) == (304, b"")
    assert ask(site, page).body == first.body


def test_the_next_night_answers_anew(site: PracticeSite) -> None:
    first = ask(site, CANADA)

    site.world.night = 2

    assert ask(site, CANADA, If_None_Match=first.headers["etag"]).status == 200
    assert ask(site, CANADA, If_Modified_Since=first.headers["last-modified"]).status == 200


def test_publishers_without_validators_send_none(site: PracticeSite) -> None:
    assert "etag" not in ask(site, CPSC).headers


def test_a_page_is_packed_where_the_client_takes_it_and_the_publisher_does(site: PracticeSite) -> None:
    packed = ask(site, STANDARDS, Accept_Encoding="gzip, deflate")

    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == ask(site, STANDARDS).body
    assert "content-encoding" not in ask(site, CANADA, Accept_Encoding="gzip").headers


def test_old_addresses_of_the_standards_are_moved(site: PracticeSite) -> None:
    got = ask(site, ("openstd.samr.gov.cn", "/bzgk/gb/std_list?p.p2=GB%2FT"))

    assert got.status == 301
    assert got.headers["location"] == "https://openstd.samr.gov.cn/bzgk/std/std_list?p.p2=GB%2FT"


def test_a_report_without_its_search_parameter_is_a_script_shell(site: PracticeSite) -> None:
    index = etree.fromstring(ask(site, SAFETY_GATE).body)
    url = (index.findtext("weeklyReport/URL") or "").removeprefix("https://ec.europa.eu")

    whole = ask(site, ("ec.europa.eu", url))
    shell = ask(site, ("ec.europa.eu", url.partition("&search")[0]))

    assert etree.fromstring(whole.body).tag == "Safety-Gate"
    assert (shell.status, shell.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_a_window_of_more_than_a_year_is_answered_with_an_error_row(site: PracticeSite) -> None:
    page = "/RestWebServices/Recall?format=json&RecallDateStart=2024-01-01&RecallDateEnd=2026-11-24"

    rows = orjson.loads(ask(site, ("www.saferproducts.gov", page)).body)

    assert [row["RecallID"] for row in rows] == [0]
    assert rows[0]["Title"].startswith("Error retrieving Recalls")


def test_openfda_leads_on_by_its_link_header() -> None:
    world = small_world(records=900)
    asked = "/food/enforcement.json?limit=7&sort=report_date:asc&search=report_date:[20200101+TO+20261231]"
    numbers: list[str] = []
    while asked:
        answer = us_openfda.respond(Request(host="api.fda.gov", target=asked), world)
        numbers += [row["recall_number"] for row in orjson.loads(answer.body)["results"]]
        link = dict(answer.headers).get("Link", "")
        asked = link.partition("api.fda.gov")[2].partition(">")[0]

    assert len(numbers) == len(set(numbers)) == 30


def test_a_query_with_a_window_and_types_finds_the_acts_and_an_unknown_filter_is_an_error(site: PracticeSite) -> None:
    query = (
        "SELECT ?celex ?item WHERE { ?work cdm:resource_legal_id_celex ?celex ; cmr:lastModificationDate ?day . "
        "?expr cdm:expression_belongs_to_work ?work . ?manif cdm:manifestation_manifests_expression ?expr ; "
        "cdm:manifestation_type ?format . ?item cdm:item_belongs_to_manifestation ?manif . FILTER(?day >= "
        '"2026-01-01T00:00:00Z"^^xsd:dateTime && STR(?format) IN ("xhtml")) } ORDER BY DESC(?celex) LIMIT 3'
    )
    page = "/webapi/rdf/sparql?query=" + "".join(f"%{byte:02X}" for byte in query.encode())

    rows = orjson.loads(ask(site, (SPARQL[0], page)).body)["results"]["bindings"]
    wrong = ask(site, (SPARQL[0], "/webapi/rdf/sparql?query=SELECT%20*%20%7B%20FILTER(BOUND(%3Fx))%20%7D"))

    assert [row["celex"]["value"][:5] for row in rows] == ["32026"] * 3
    assert all(row["item"]["value"].endswith(".0006.03/DOC_1") for row in rows)
    assert wrong.status == 400


def test_a_fault_may_come_late_and_go_away_again(site: PracticeSite) -> None:
    site.faults[CANADA[0], "/sites/"] = replace(FAULTS["unavailable"], after=1, times=2)

    assert [ask(site, CANADA).status for _ in range(4)] == [200, 503, 503, 200]


def test_a_fault_that_is_set_anew_counts_anew(site: PracticeSite) -> None:
    site.faults["*", "/"] = replace(FAULTS["gone"], times=1)
    first = [ask(site, CANADA).status for _ in range(2)]

    site.faults["*", "/"] = replace(FAULTS["forbidden"], times=1)

    assert first == [410, 200]
    assert [ask(site, CANADA).status for _ in range(2)] == [403, 200]


def test_the_longest_prefix_wins(site: PracticeSite) -> None:
    site.faults["*", "/"] = FAULTS["gone"]
    site.faults[CANADA[0], "/sites/default"] = FAULTS["forbidden"]

    assert ask(site, CANADA).status == 403
    assert ask(site, CPSC).status == 410


@pytest.mark.parametrize(
    ("name", "status"),
    [("not found", 404), ("too many requests", 429), ("server error", 500), ("bad gateway", 502), ("unavailable", 503)],
)
def test_a_status_fault_is_that_status(site: PracticeSite, name: str, status: int) -> None:
    site.faults["*", "/"] = FAULTS[name]

    assert ask(site, CANADA).status == status


def test_unavailable_says_when_to_come_again(site: PracticeSite) -> None:
    site.faults["*", "/"] = FAULTS["unavailable"]

    assert ask(site, CANADA).headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("maintenance", b"maintenance"),
        ("maintenance in Chinese", "系统维护".encode()),
        ("challenge", b"awsWafCookieDomainList"),
        ("login form", b'type="password"'),
        ("script shell", b"<app-root>"),
        ("deep html", b"<div>" * 5000),
        ("cpsc error row", b"Error retrieving Recalls"),
    ],
)
def test_a_wrong_page_comes_with_200(site: PracticeSite, name: str, words: bytes) -> None:
    site.faults["*", "/"] = FAULTS[name]

    got = ask(site, CPSC)

    assert got.status == 200
    assert words in got.body


def test_a_body_is_cut_short_of_what_was_promised(site: PracticeSite) -> None:
    site.faults["*", "/"] = FAULTS["cut short"]

    with pytest.raises(http.client.IncompleteRead):
        ask(site, CANADA)


def test_a_line_is_closed_without_an_answer(site: PracticeSite) -> None:
    site.faults["*", "/"] = FAULTS["reset"]

    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        ask(site, CANADA)


def test_a_drip_is_a_byte_a_second(site: PracticeSite) -> None:
    site.faults["*", "/"] = FAULTS["drip"]

    with pytest.raises(TimeoutError), socket.create_connection(("127.0.0.1", site.port), timeout=0.4) as line:
        line.sendall(f"GET {CANADA[1]} HTTP/1.1\r\nHost: {CANADA[0]}\r\n\r\n".encode())
        received = b""
        while b"\r\n\r\n[" not in received:
            received += line.recv(4096)
        line.recv(1)


def test_a_bomb_is_small_on_the_wire_and_large_when_unpacked(site: PracticeSite) -> None:
    site.faults["*", "/"] = FAULTS["gzip bomb"]

    got = ask(site, CPSC, timeout_s=20)
    unpacker = zlib.decompressobj(wbits=31)
    unpacked = unpacker.decompress(got.body, 40 * 1024 * 1024)

    assert len(got.body) < 200_000
    assert len(unpacked) == 40 * 1024 * 1024
    assert unpacked.startswith(b"[{")


def test_a_wrong_content_encoding_cannot_be_unpacked(site: PracticeSite) -> None:
    site.faults["*", "/"] = FAULTS["wrong content encoding"]

    got = ask(site, CANADA)

    assert got.headers["content-encoding"] == "gzip"
    with pytest.raises(gzip.BadGzipFile):
        gzip.decompress(got.body)


@pytest.mark.parametrize("label", ["utf-8", "latin-1", "gb2312"])
def test_a_label_lies_about_the_bytes(site: PracticeSite, label: str) -> None:
    site.faults["*", "/"] = FAULTS[f"gb18030 called {label}"]

    got = ask(site, STANDARDS)

    assert got.headers["content-type"].endswith({"latin-1": "iso-8859-1"}.get(label, label))
    assert "标准状态" in got.body.decode("gb18030")
    assert "镕" in got.body.decode("gb18030")  # gb2312 lacks this character


@pytest.mark.parametrize(
    ("name", "location"),
    [
        ("redirect to loopback", "http://127.0.0.1:22/"),
        ("redirect to private", "http://10.0.0.1/admin"),
        ("redirect to file", "file:///etc/passwd"),
        ("redirect loop", ""),
    ],
)
def test_a_redirect_leads_where_nobody_should_go(site: PracticeSite, name: str, location: str) -> None:
    site.faults["*", "/"] = FAULTS[name]

    got = ask(site, CANADA)

    assert (got.status, got.headers["location"]) == (302, location)


@pytest.mark.parametrize("page", [CANADA, ENFORCEMENT], ids=lambda page: page[0])
def test_half_a_document_is_no_json(site: PracticeSite, page: tuple[str, str]) -> None:
    site.faults["*", "/"] = FAULTS["half a document"]

    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(ask(site, page).body)


def test_half_a_report_is_no_xml(site: PracticeSite) -> None:
    site.faults["*", "/"] = FAULTS["half a document"]

    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(ask(site, SAFETY_GATE).body)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page[0])
def test_a_list_can_be_without_rows(site: PracticeSite, page: tuple[str, str]) -> None:
    before = _row_count(ask(site, page).body)

    site.faults["*", "/"] = FAULTS["no rows"]

    assert before > 0
    assert _row_count(ask(site, page).body) == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page[0])
def test_one_odd_row_stands_among_the_others(site: PracticeSite, page: tuple[str, str]) -> None:
    before = ask(site, page).body

    site.faults["*", "/"] = FAULTS["odd row"]
    after = ask(site, page).body

    assert b"practiceOddField" in after
    assert _row_count(after) >= _row_count(before)


def _row_count(body: bytes) -> int:
    if body.lstrip().startswith(b"<"):
        return body.count(b"<weeklyReport>") + body.count(b"<notifications ") + body.count(b"showInfo(")
    content = orjson.loads(body)
    rows = content if isinstance(content, list) else content.get("results", content.get("items"))
    return len(rows["bindings"] if isinstance(rows, dict) else rows)


def test_an_empty_body_is_empty(site: PracticeSite) -> None:
    site.faults["*", "/"] = FAULTS["empty body"]

    assert ask(site, CANADA).body == b""


def test_a_header_is_longer_than_clients_take(site: PracticeSite) -> None:
    site.faults["*", "/"] = FAULTS["huge headers"]

    with pytest.raises(http.client.LineTooLong):
        ask(site, CANADA)


def test_every_fault_of_the_catalogue_is_a_fault() -> None:
    assert len(FAULTS) > 30
    assert all(isinstance(fault, Fault) for fault in FAULTS.values())


def test_an_answer_can_be_delayed(site: PracticeSite) -> None:
    site.delay_s = 0.2
    started = time.monotonic()

    ask(site, CANADA)

    assert time.monotonic() - started >= 0.2


def test_leaving_the_site_ends_every_thread_though_a_line_is_open() -> None:
    before = threading.active_count()
    with PracticeSite(small_world()) as site:
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=5)
        connection.request("GET", CANADA[1], headers={"Host": CANADA[0]})
        connection.getresponse().read()
        started = time.monotonic()

    assert time.monotonic() - started < 2
    assert threading.active_count() == before
    connection.close()


def test_serving_ends_by_itself() -> None:
    started = time.monotonic()

    serve(small_world(), 0, seconds=0.1)

    assert time.monotonic() - started < 2


def test_a_small_world_is_read_whole_in_under_two_seconds() -> None:
    started = time.monotonic()
    with PracticeSite(small_world(records=300)) as site:
        for page in PAGES:
            ask(site, page)
        for url in etree.fromstring(ask(site, SAFETY_GATE).body).iter("URL"):
            ask(site, ("ec.europa.eu", (url.text or "").removeprefix("https://ec.europa.eu")))

    assert time.monotonic() - started < 2
