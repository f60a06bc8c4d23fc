"""Recalls and safety alerts of Canada: what the spider makes of the two files."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawlers.page import NotThePage
from crawlers.spiders.ca.recalls_opendata import CaRecallsOpendata
from library.page import Page

GOLDEN = Path(__file__).parents[1] / "golden" / "ca_recalls_opendata"


def read(body: bytes, kind: str = "english") -> dict[str, Any]:
    url = "https://recalls-rappels.canada.ca/sites/default/files/opendata-donneesouvertes/HCRSAMOpenData.json"
    night = datetime(2026, 10, 4, tzinfo=UTC)
    page = Page(source="ca_recalls_opendata", url=url, kind=kind, body=body, fetched_at=night)
    return {draft.key: draft for draft in CaRecallsOpendata().read(page)}


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.http").read_bytes().partition(b"\n\n")[2]


def test_a_dash_inside_a_word_does_not_cut_it():
    drafts = read(golden("english"))

    assert drafts["990004"].fields["hazards"] == ["E. Coli - non-pathogenic", "Milk"]
    assert drafts["990002"].fields["categories"] == ["Truck - Med. & H.D.", "Bus"]


def test_a_vehicle_recall_is_found_under_the_number_in_its_title_and_names_the_maker():
    truck = read(golden("english"))["990002"]

    assert truck.fields["references"] == ["2026999", "990002"]
    assert truck.fields["operators"] == [{"name": "BOREAL COACH", "role": "recalling_firm"}]


def test_the_french_row_is_a_part_of_the_same_record_and_brings_no_second_list_of_hazards():
    butter = read(golden("french"), kind="french")["990001"]

    assert (butter.part, butter.unread) == ("french", frozenset())
    assert set(butter.fields["titles"]) == {"fr"}
    assert not {"hazards", "categories", "products"} & butter.fields.keys()


def test_a_null_date_is_printed_empty_and_spaces_of_html_become_characters():
    drafts = read(golden("english"))

    assert drafts["990002"].fields["published"] == ""
    assert "eat them\xa0if" in drafts["990001"].fields["texts"][0]["value"]


def test_a_new_column_is_reported_and_an_empty_file_withdraws_nothing():
    assert read(b'[{"NID": "1", "Title": "Lamp", "Severity": "high"}]')["1"].unread == frozenset({"Severity"})
    with pytest.raises(NotThePage, match="no recall at all") as empty:
        read(b"[]")
    assert empty.value.outcome == "error"
