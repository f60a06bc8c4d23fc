"""CELLAR: one act in two manifestations, proposals, notices."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from crawlers.page import Follow, NotThePage, UnreadablePage
from crawlers.spiders.eu.cellar import EuCellar
from library.page import Page
from tests.golden_pages import golden_page
from tests.places import GOLDEN


def golden(name: str) -> list[Any]:
    return list(EuCellar().read(golden_page(GOLDEN / "eu_cellar" / f"{name}.http")))


def draft(name: str) -> Any:
    (one,) = golden(name)
    return one


def body(one: Any) -> list[str]:
    (value,) = [text["value"] for text in one.fields["texts"] if text["label"] == "body"]
    return str(value).split("\n\n")


def read(kind: str, answer: bytes) -> list[Any]:
    page = Page(source="eu_cellar", url="x:", kind=kind, body=answer, fetched_at=datetime(2031, 2, 14, tzinfo=UTC))
    return list(EuCellar().read(page))


def test_formex_and_xhtml_of_one_act_have_the_same_key_and_the_same_articles():
    formex, xhtml = draft("act-formex-bare"), draft("act-xhtml")

    assert formex.key == xhtml.key == "32031R0077"
    assert (formex.part, xhtml.part) == ("formex", "xhtml")
    start = "Article 1"
    assert body(formex)[body(formex).index(start) :][:5] == body(xhtml)[body(xhtml).index(start) :][:5]


def test_a_package_gives_the_act_its_annex_and_its_day_of_publication():
    package = draft("act-formex-zip")

    assert package.fields["published"] == "20310207"
    assert "The mark is a circle of at least 5 mm." in body(package)


def test_an_annex_alone_is_no_act_and_no_fault():
    with pytest.raises(NotThePage) as raised:
        read("item", b"<ANNEX><TITLE><TI><P>ANNEX</P></TI></TITLE><CONTENTS><P>A circle.</P></CONTENTS></ANNEX>")

    assert raised.value.outcome == "empty"


def test_a_proposal_without_a_celex_is_known_by_its_printed_number():
    kettles = draft("proposal")

    assert kettles.key == "COM(2031) 9 final"
    assert "1. Context of the proposal" in body(kettles)
    assert kettles.fields["cites"] == ["(EU) 2024/1781"]


def test_a_notice_takes_the_english_title_and_no_day_from_the_year_1001_or_9999():
    notice = draft("notice-branch")

    assert notice.fields["titles"] == {
        "en": "Proposal for a REGULATION OF THE EUROPEAN PARLIAMENT AND OF THE COUNCIL on the ecodesign of kettles"
    }
    assert notice.fields["status"] == "preparatory act"


def test_a_list_leads_to_every_item_and_once_to_the_notice():
    assert [one.kind for one in golden("query") if isinstance(one, Follow)] == ["item", "item", "notice"]


@pytest.mark.parametrize(
    ("kind", "answer", "outcome"),
    [
        ("query", b"Virtuoso 42000 Error The estimated execution time exceeds the limit", "error"),
        ("query", b'{"head": {}, "results": {"bindings": []}}', "empty"),
        ("item", b"<html><title></title><script>window.awsWafCookieDomainList = [];</script></html>", "challenge"),
        ("notice", b"<!DOCTYPE html><html><title>404</title></html>", "error"),
    ],
)
def test_what_is_no_answer_has_an_outcome(kind: str, answer: bytes, outcome: str):
    with pytest.raises(NotThePage) as raised:
        read(kind, answer)

    assert raised.value.outcome == outcome


def test_a_cut_package_is_unreadable():
    with pytest.raises(UnreadablePage):
        read("item", b"PK\x03\x04 and no more")


def test_the_query_fits_the_facts_and_names_its_window():
    follows = list(EuCellar().begin(date(2031, 2, 10), date(2031, 2, 14)))

    assert [(one.carry["first"], one.carry["after"]) for one in follows] == [("2031-02-07", "2031-02-15")]
