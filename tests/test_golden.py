"""Golden pages: what a parser makes of a page is a claim about the world, reviewed like code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crawlers.normalise import normalise
from crawlers.page import Draft
from crawlers.registry import reader_of
from library.record import Record
from library.settings import sources_folder
from library.source import load_sources
from tests.golden_pages import as_claims, golden_files, golden_page
from tests.places import GOLDEN

SOURCES = load_sources(sources_folder())


@pytest.mark.parametrize("path", golden_files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_golden_page_reads_as_a_person_has_reviewed(path: Path) -> None:
    page = golden_page(path)
    claims = as_claims(list(reader_of(SOURCES[page.source]).read(page)))
    expected = path.with_suffix(".findings.json")
    written = json.dumps(claims, ensure_ascii=False, indent=1, sort_keys=True) + "\n"

    if not expected.exists():
        expected.write_text(written, encoding="utf-8")
        pytest.fail(f"wrote {expected.name}: read it against the page, then run again")

    assert written == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", golden_files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_golden_page_has_no_field_that_nobody_has_read(path: Path) -> None:
    page = golden_page(path)

    drafts = [one for one in reader_of(SOURCES[page.source]).read(page) if isinstance(one, Draft)]

    assert {name for draft in drafts for name in draft.unread} <= set(SOURCES[page.source].ignore_unread)


@pytest.mark.parametrize("path", golden_files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_draft_of_a_golden_page_becomes_a_record(path: Path) -> None:
    page = golden_page(path)
    source = SOURCES[page.source]

    records = [
        normalise(draft, page, source).record
        for draft in reader_of(source).read(page)
        if isinstance(draft, Draft) and draft.key
    ]

    assert all(isinstance(record, Record) for record in records)


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_every_source_has_a_golden_page(name: str) -> None:
    assert list((GOLDEN / name).glob("*.http"))


@pytest.mark.parametrize("path", golden_files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_facts_name_the_kind_of_a_golden_page_by_its_url(path: Path) -> None:
    page = golden_page(path)

    assert SOURCES[page.source].page_kind(page.url) == page.kind
