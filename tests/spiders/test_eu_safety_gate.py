"""Safety Gate: what the spider makes of reports, alerts and the prose of later corrections."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from crawlers.page import Draft, Follow, NotThePage, Remark
from crawlers.spiders.eu.safety_gate import EuSafetyGate
from library.page import Page
from tests.golden_pages import golden_page
from tests.places import GOLDEN


def read(name: str) -> list[Any]:
    return list(EuSafetyGate().read(golden_page(GOLDEN / "eu_safety_gate" / f"{name}.http")))


def weekly(body: str) -> list[Any]:
    page = Page(
        source="eu_safety_gate",
        url="x:",
        kind="weekly",
        body=body.encode(),
        fetched_at=datetime(2031, 2, 14, tzinfo=UTC),
    )
    return list(EuSafetyGate().read(page))


def report(addendum: str) -> str:
    return (
        f"<Safety-Gate><report_date>14/02/2031</report_date><report_addendum>{addendum}</report_addendum></Safety-Gate>"
    )


def test_glued_measures_come_apart_and_an_unknown_date_is_no_date():
    ducks = next(one for one in read("weekly") if isinstance(one, Draft))

    assert ducks.fields["measures"] == [
        {"operator": "Distributor", "measure": "Withdrawal of the product from the market", "since": "09/01/2031"},
        {"operator": "Other", "measure": "Removal of this product listing by the online marketplace"},
    ]


@pytest.mark.parametrize(
    ("said", "withdrawn"),
    [
        ("Notification A12/0951/19 of week 30 of the year 2019 has been withdrawn because it complies.", True),
        ("Notifications 0520/06 of week 32 and notification 0617/06 of week 38 have been withdrawn.", True),
        ("Notification 1202/10 has been permanently removed from the RAPEX system.", True),
        ("Notification SR/00377/31: at the request of the authority, the notification has been withdrawn.", True),
        ("Notification SR/00377/31: the photo has been removed.", False),
        ("Notification SR/00377/31: the product has been withdrawn from the market.", False),
        ("Notification SR/00377/31: the notification has been updated, the measure was withdrawn.", False),
    ],
)
def test_only_a_notification_that_was_taken_back_is_called_withdrawn(said: str, withdrawn: bool):
    remarks = [one for one in weekly(report(said)) if isinstance(one, Remark)]

    assert remarks
    assert {remark.withdrawn for remark in remarks} == {withdrawn}


def test_a_sentence_without_a_number_belongs_to_the_one_before_and_a_directive_is_no_notification():
    remarks = {one.key: one for one in read("weekly") if isinstance(one, Remark)}

    assert set(remarks) == {"SR/00377/31", "SR/00381/31", "A12/0951/19"}
    assert remarks["A12/0951/19"].text.endswith("The importer was told so.")


def test_the_alert_uses_the_words_of_the_report():
    alert = next(one for one in read("notification") if isinstance(one, Draft))

    assert alert.fields["hazards"] == ["Chemical", "Damage to sight"]
    assert alert.fields["categories"] == ["Toys"]


def test_a_list_of_barcodes_is_taken_apart_and_one_with_blanks_stays_whole():
    drafts = [one for one in read("weekly") if isinstance(one, Draft)]
    products: dict[str, Any] = {draft.key: draft.fields["products"] for draft in drafts}

    assert products["SR/00409/31"][0]["barcodes"] == ["4006381333931", "4006381333948"]
    assert products["OR/00012/31"][0]["barcodes"] == ["6 181100 232165"]


def test_the_index_leads_to_new_reports_by_an_address_the_site_answers():
    urls = [one.url for one in read("index") if isinstance(one, Follow)]

    assert len(urls) == 2
    assert all(url.endswith(("search=WEB_REPORT%7C:%7C10000553", "search=WEB_REPORT%7C:%7C10000552")) for url in urls)


def test_the_script_shell_that_the_site_answers_with_200_is_an_error():
    with pytest.raises(NotThePage) as raised:
        weekly("<!doctype html><html><body><script></script></body></html>")

    assert raised.value.outcome == "error"


def test_a_run_begins_with_the_index_and_the_single_alerts():
    kinds = [follow.kind for follow in EuSafetyGate().begin(date(2031, 2, 1), date(2031, 2, 14))]

    assert kinds == ["list", "recent"]
