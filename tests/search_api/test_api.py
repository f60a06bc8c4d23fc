"""What programs get: shapes, refusals with their place, exports that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
import time
from datetime import UTC, datetime, timedelta

import pytest
from openpyxl import load_workbook

from indexer.engines.base import EngineDownError
from search_api.exports import COLUMNS, inert
from tests.search_api.conftest import browser
from tests.search_api.shelf import BALLOON_ID, HOSTILE_ID


def test_a_search_answers_with_query_total_hits_and_facets(client):
    answer = client.get("/api/search", params={"q": "balloons"}).json()

    assert answer.keys() == {
        "query",
        "total",
        "total_estimated",
        "took_ms",
        "hits",
        "facets",
        "facets_estimated",
        "also_searched",
        "loosened",
        "reach",
        "by_meaning",
        "did_you_mean",
    }
    assert answer["total"] == 1
    assert answer["hits"][0].keys() == {
        "id",
        "kind",
        "jurisdiction",
        "published",
        "title",
        "score",
        "nearby",
        "found_by_meaning",
    }
    assert answer["hits"][0]["id"] == BALLOON_ID
    assert answer["facets"]["kind"] == [{"value": "recall", "count": 1}]


def test_chinese_words_find_a_foreign_record_and_say_what_else_was_searched(client):
    answer = client.get("/api/search", params={"q": "玩具 窒息"}).json()

    assert BALLOON_ID in [hit["id"] for hit in answer["hits"]]
    assert answer["also_searched"]


def test_hits_that_lack_a_word_are_said_to_be_loosened(client):
    assert client.get("/api/search", params={"q": "balloons zzzqqq"}).json()["loosened"] is True
    assert "No record holds every word" in client.get("/search", params={"q": "balloons zzzqqq"}).text
    assert client.get("/api/search", params={"q": "balloons"}).json()["loosened"] is False


def test_expansion_can_be_switched_off(client):
    assert client.get("/api/search", params={"q": "充电器 起火", "expand": "false"}).json()["also_searched"] == []


def test_hits_can_be_ordered_and_paged_without_losing_any(client):
    ids = []
    for first in range(0, 40, 7):
        answer = client.get("/api/search", params={"q": "", "sort": "newest", "first": first, "count": 7}).json()
        ids += [hit["id"] for hit in answer["hits"]]

    assert len(ids) == answer["total"] == len(set(ids))


def test_a_long_query_goes_by_post(client):
    words = " OR ".join(f"word{number}" for number in range(60)) + " OR balloons"
    answer = client.post("/api/search", json={"query": words, "facets": [], "count": 5}).json()

    assert [hit["id"] for hit in answer["hits"]] == [BALLOON_ID]
    assert answer["facets"] == {}


@pytest.mark.parametrize(
    "query", ["(" * 20_000, "(balloons", ")", '"open', "AND OR NOT", "published:soon", "\0", "hazard:"]
)
def test_a_query_that_cannot_be_read_is_refused_with_its_column(client, query):
    started = time.perf_counter()
    answer = client.post("/api/search", json={"query": query})

    assert answer.status_code == 400
    assert answer.json()["column"] >= 1
    assert "column" not in answer.json()["error"]
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "query", ["*", "?" * 100, "~9999", "[a TO", "(a|a)*b", "50 %", "a&b", "🎈", "𠮷", "C-123/45", "-", "的"]
)
def test_odd_queries_never_break_the_server(client, query):
    assert client.get("/api/search", params={"q": query}).status_code in (200, 400)
    assert client.get("/search", params={"q": query}).status_code in (200, 400)


def test_a_very_long_address_is_refused_as_such(client):
    answer = client.get("/api/search", params={"q": "(" * 20_000})

    assert answer.status_code == 414
    assert "POST" in answer.json()["error"]


def test_a_body_beyond_the_limit_is_refused_even_without_a_length(client):
    def endless():
        for _ in range(40):
            yield b'{"query": "' + b"a" * 10_000

    assert client.post("/api/search", content=b"a" * 300_000).status_code == 413
    assert client.post("/api/search", content=endless()).status_code == 413


@pytest.mark.parametrize(
    "parameter",
    [
        {"count": "many"},
        {"count": "100000"},
        {"sort": "magic"},
        {"facets": "nothing"},
        {"first": "9999", "count": "100"},
    ],
)
def test_a_wrong_parameter_is_refused_with_a_sentence(client, parameter):
    answer = client.get("/api/search", params={"q": "toys"} | parameter)

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_record_comes_with_versions_differences_links_and_pages(client):
    answer = client.get(f"/api/records/{BALLOON_ID}").json()

    assert answer["record"]["titles"][0]["value"].startswith("Balloons")
    assert [version["action"] for version in answer["versions"]] == ["amended", "added"]
    assert set(answer["versions"][0]["diff"]) == {"texts", "measures"}
    assert {"reference": "EN 71-1:2014", "records": []} in answer["cites"]
    assert answer["pages"][0]["sha256"]
    assert answer["address"] == f"https://ttm.example/records/{BALLOON_ID}"


def test_an_unknown_record_is_not_found(client):
    answer = client.get("/api/records/nobody:1")

    assert answer.status_code == 404
    assert answer.json()["error"]


def test_the_board_tells_nothing_new_from_could_not_look(client):
    said = {one["name"]: one for one in client.get("/api/sources").json()["sources"]}

    assert said["wto_eping"]["standing"] == "quiet"
    assert "nothing has been new" in said["wto_eping"]["said"]
    assert said["us_cpsc"]["standing"] == "bad"
    assert said["us_cpsc"]["said"].startswith("Could not look")
    assert said["us_cpsc"]["unread"] == ["newField"]
    assert not said["us_cpsc"]["proven"]
    assert len(said["us_cpsc"]["nights"]) == 14


def test_health_and_pages_say_503_while_the_store_cannot_be_read(own_shelf):
    client = browser(own_shelf)
    own_shelf.store.close()
    for path in own_shelf.settings.home.glob("store.sqlite*"):
        path.unlink()
    (own_shelf.settings.home / "store.sqlite").write_bytes(b"no database" * 1000)

    assert client.get("/api/health").status_code == 503
    assert client.get("/api/health").json()["status"] == "the store cannot be read"
    assert client.get("/").status_code == 503
    assert "cannot be read at the moment" in client.get("/").text


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("zhaohui", "召回"),
        ("zhhui", "召回"),
        ("玩具 zhix", "玩具 窒息"),
        ("玩具zhix", "玩具窒息"),
        ("hazard:zhix", "hazard:窒息"),
        ("窒", "窒息"),
        ("gb6675", "GB 6675.1-2014"),
        ("6675", "GB 6675.1-2014"),
        ("G/TBT/N/E", "G/TBT/N/EU/1999"),
        ("puff &", '"Puff & Sons Ltd"'),
        ("charger puffa", "charger Puffalo"),
        ("ballo", "balloons"),
    ],
)
def test_what_is_typed_is_completed(client, typed, text):
    offers = client.get("/api/suggest", params={"q": typed}).json()["suggestions"]

    assert text in [offer["text"] for offer in offers]


@pytest.mark.parametrize(
    "typed", ["", " ", "(", '"', "-", "x", "hazard:", "kind:zz", "\0", "😀", "z" * 3000, "'" * 60, "a' " * 50]
)
def test_nothing_is_offered_for_what_nothing_completes(client, typed):
    answer = client.get("/api/suggest", params={"q": typed})

    assert answer.status_code == 200
    assert isinstance(answer.json()["suggestions"], list)


def test_what_is_offered_is_a_legal_query(client):
    for typed in ("hos", "=hy", "=cmd", "b", "p", "acme", "1", "26", "<"):
        for offer in client.get("/api/suggest", params={"q": typed}).json()["suggestions"]:
            assert client.get("/api/search", params={"q": offer["text"]}).status_code == 200, offer


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("baloons", "Balloons"),
        ("chargr kind:recall", "charger kind:recall"),
        ("zhaohui", "召回"),
        ("玩具 窒熄", "玩具 窒息"),
        ("GB 6675.1-2041", "GB 6675.1-2014"),
        ("brihgtway chargre", "brightway charger"),
    ],
)
def test_the_nearest_words_that_find_something_are_offered(client, typed, meant):
    assert meant in client.get("/api/search", params={"q": typed}).json()["did_you_mean"]


@pytest.mark.parametrize("typed", ["balloons", "zzzqqq", "", "kind:recall", '"baloons"', "NOT baloons"])
def test_no_other_words_are_offered_where_none_are_missing_or_near(client, typed):
    assert client.get("/api/search", params={"q": typed}).json()["did_you_mean"] == []


def test_health_says_how_far_the_index_is_behind(client):
    answer = client.get("/api/health").json()

    assert answer["status"] == "ok"
    assert answer["behind"] == 0
    assert answer["records"] == 34


def test_the_api_describes_itself(client):
    paths = client.get("/openapi.json").json()["paths"]

    assert {"/api/search", "/api/records/{record_id}", "/api/sources", "/api/health"} <= paths.keys()
    assert "/api/search" in client.get("/docs").text


def test_csv_has_a_byte_order_mark_and_no_formula(client):
    answer = client.get("/api/search.csv", params={"q": "hostile"})
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))

    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert len(rows) == 2
    assert not [cell for cell in rows[1] if cell[:1] in tuple("=+-@\t\r")]
    assert rows[1][COLUMNS.index("references")] == "'=HYPERLINK(1)"


def test_csv_holds_the_whole_result(client):
    rows = list(csv.reader(io.StringIO(client.get("/api/search.csv").content.decode("utf-8-sig"))))

    assert len(rows) == 35


def test_xlsx_cells_are_strings_whatever_they_hold(client):
    answer = client.get("/api/search.xlsx", params={"q": "hostile"})
    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]

    assert {cell.data_type for cell in cells} == {"s"}
    assert not [cell for cell in cells if cell.hyperlink]
    assert "=HYPERLINK(1)" in [cell.value for cell in cells]


def test_exports_refuse_a_query_that_cannot_be_read(client):
    assert client.get("/api/search.csv", params={"q": "("}).json()["column"]
    assert client.get("/api/search.xlsx", params={"q": "("}).status_code == 400


@pytest.mark.parametrize(
    "lead", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", " =", "\0=", "\u3000@", "\ufeff+"]
)
def test_a_cell_that_begins_like_a_formula_is_made_inert(lead):
    assert inert(f"{lead}1+1").startswith("'")


def test_a_temperature_inside_a_sentence_survives_as_it_is():
    assert inert("kept at -20 °C") == "kept at -20 °C"


def test_an_id_of_any_characters_finds_its_record(client):
    address = client.get("/api/search", params={"q": "hostile"}).json()["hits"][0]["id"]
    assert address == HOSTILE_ID

    from search_api.door import record_path

    assert client.get(f"/api{record_path(HOSTILE_ID)}").json()["id"] == HOSTILE_ID
    assert client.get(record_path(HOSTILE_ID)).status_code == 200


def test_an_engine_that_is_down_is_said_in_a_sentence_with_the_time_to_try_again(own_shelf, monkeypatch):
    retry_at = datetime.now(UTC) + timedelta(seconds=40)

    def down(*_arguments, **_options):
        raise EngineDownError("no answer from the cluster", retry_at)

    monkeypatch.setattr(own_shelf.app.state.door.engine, "search", down)
    client = browser(own_shelf)

    answer = client.get("/api/search", params={"q": "toys"})
    page = client.get("/search", params={"q": "toys"}, headers={"accept-language": "en"})

    assert answer.status_code == page.status_code == 503
    assert 35 <= int(answer.headers["retry-after"]) <= 41
    assert "does not answer at the moment; try again after" in page.text
