"""Food alerts of the United Kingdom: what the spider makes of the agency's answers."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from crawlers.page import Draft, Follow, NotThePage
from crawlers.spiders.uk.fsa_food_alerts import UkFsaFoodAlerts
from library.page import Page

API = "https://data.food.gov.uk/food-alerts/id.json?_view=full&_sort=-created"
GOLDEN = Path(__file__).parents[1] / "golden" / "uk_fsa_food_alerts" / "list.http"


def read(body: bytes, url: str = f"{API}&_limit=100&_offset=0") -> list[Draft | Follow]:
    night = datetime(2026, 10, 4, tzinfo=UTC)
    page = Page(source="uk_fsa_food_alerts", url=url, kind="list", body=body, fetched_at=night)
    return list(UkFsaFoodAlerts().read(page))


def golden(url: str = f"{API}&_limit=100&_offset=0") -> list[Draft | Follow]:
    return read(GOLDEN.read_bytes().partition(b"\n\n")[2], url)


def draft(key: str) -> Any:
    return next(found for found in golden() if isinstance(found, Draft) and found.key == key)


def test_two_slots_are_english_and_welsh_and_the_same_words_are_said_once():
    update = draft("FSA-PRIN-90-2026-update-1")

    assert set(update.fields["titles"]) == {"en", "cy"}
    assert [text["language"] for text in update.fields["texts"] if text["label"] == "summary"] == ["en"]
    assert update.fields["hazards"] == ["Listeria monocytogenes"]


def test_a_single_object_is_read_like_a_list_of_one():
    fudge = draft("FSA-AA-91-2026")

    assert fudge.fields["hazards"] == ["Milk"]
    assert fudge.fields["products"] == [{"name": "Festive Fudge", "quantity": "150g", "batch": "best before All dates"}]


def test_an_update_names_the_alert_it_updates():
    assert draft("FSA-PRIN-90-2026-update-1").fields["cites"] == ["FSA-PRIN-90-2026"]


def test_a_full_page_leads_on_and_a_row_without_its_properties_leads_to_the_alert():
    found = golden(url=f"{API}&_limit=4&_offset=8")

    follows = [item for item in found if isinstance(item, Follow)]
    assert follows == [
        Follow(url="https://data.food.gov.uk/food-alerts/id/FSA-PRIN-93-2026.json", kind="alert"),
        Follow(url=f"{API}&_limit=4&_offset=12", kind="list"),
    ]
    assert "FSA-PRIN-93-2026" not in {item.key for item in found if isinstance(item, Draft)}


def test_no_alert_is_empty_and_a_moved_page_is_a_redirect():
    with pytest.raises(NotThePage, match="no alert was changed") as empty:
        read(b'{"meta": {"limit": 100}, "items": []}')
    with pytest.raises(NotThePage, match="moved") as moved:
        read(b"<html><head><title>301 Moved Permanently</title></head><body>nginx</body></html>")

    assert (empty.value.outcome, moved.value.outcome) == ("empty", "redirect")


def test_every_night_looks_back_a_month():
    (follow,) = UkFsaFoodAlerts().begin(date(2026, 10, 4), date(2026, 10, 5))

    assert "since=2026-09-04T00:00:00Z" in follow.url
