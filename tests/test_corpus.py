"""The parsers against the publishers' real answers: every page is read, counts are the manifest's, nothing is unread."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from crawlers.intake import capture_time
from crawlers.normalise import normalise
from crawlers.page import Draft
from crawlers.reading import read_page
from crawlers.registry import reader_of
from library.page import Outcome, Page
from library.settings import sources_folder
from library.source import load_sources
from tests.places import CORPUS, need_corpus

SOURCES = load_sources(sources_folder())
READ = ("original", "reserialised", "rewrapped", "export")
REFUSED = ("error", "redirect")


def rows(forms: tuple[str, ...]) -> list[Any]:
    """The manifest's rows of our sources, as test parameters."""
    manifest = CORPUS / "MANIFEST.jsonl"
    if not manifest.is_file():
        return [pytest.param(None, id="no-corpus")]
    found = []
    for line in manifest.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["source"] in SOURCES and row["form"] in forms:
            found.append(pytest.param(row, id=row["file"]))
    return found


def page_of(row: dict[str, Any]) -> Page:
    """A row of the manifest as the page it was."""
    source = SOURCES[row["source"]]
    url = row.get("url", "")
    return Page(
        source=source.name,
        url=url,
        kind=source.page_kind(url) or next(iter(source.pages)),
        status=row.get("status", 200),
        body=(CORPUS / row["file"]).read_bytes(),
        fetched_at=capture_time(row.get("captured", "")),
        headers={"content-type": row["content_type"]},
    )


@pytest.mark.parametrize("row", rows(READ))
def test_a_real_page_gives_the_drafts_that_a_person_counted(row: dict[str, Any]) -> None:
    need_corpus()
    page = page_of(row)
    source = SOURCES[page.source]
    assert source.page_kind(page.url) is not None

    reading = read_page(reader_of(source), 1, page)

    if row.get("rows") == 0:
        assert reading.outcome is Outcome.EMPTY
        return
    assert reading.outcome is Outcome.READ, reading.reason
    if "rows" in row:
        assert len(reading.follows) == row["rows"]
    if "records" in row:
        assert len(reading.drafts) == row["records"]
    assert set(reading.unread) <= set(source.ignore_unread)


@pytest.mark.parametrize("row", rows(READ))
def test_every_draft_of_a_real_page_becomes_a_record(row: dict[str, Any]) -> None:
    need_corpus()
    page = page_of(row)
    source = SOURCES[page.source]

    drafts = [one for one in read_page(reader_of(source), 1, page).drafts if isinstance(one, Draft)]

    assert all(normalise(draft, page, source).record.titles for draft in drafts)


@pytest.mark.parametrize("row", rows(REFUSED))
def test_an_error_page_is_an_outcome_with_its_reason_and_never_a_record(row: dict[str, Any]) -> None:
    need_corpus()
    page = page_of(row)

    reading = read_page(reader_of(SOURCES[page.source]), 1, page)

    assert reading.outcome in (Outcome.ERROR, Outcome.EMPTY, Outcome.CHALLENGE, Outcome.REDIRECT)
    assert len(reading.reason) > 10
    assert not reading.drafts


@pytest.mark.parametrize("row", rows(READ))
def test_a_real_page_cut_in_half_never_ends_a_run(row: dict[str, Any]) -> None:
    need_corpus()
    page = page_of(row)

    reading = read_page(reader_of(SOURCES[page.source]), 1, replace(page, body=page.body[: len(page.body) // 2]))

    assert reading.outcome in Outcome
