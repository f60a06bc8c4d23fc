"""A new source: three files, no shared one touched, and the draft of them works before a person has changed a word."""

from __future__ import annotations

import importlib.util
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from crawlers.new_source import write_first_draft
from crawlers.normalise import normalise
from crawlers.page import Draft
from crawlers.reading import read_page
from crawlers.spider import SourceSpider
from library.page import Outcome
from library.source import Source, load_source
from tests.golden_pages import golden_page

NAME = "au_accc_recalls"


def spider_in(path: Path) -> type[SourceSpider]:
    spec = importlib.util.spec_from_file_location("drafted", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: list[Any] = [value for value in vars(module).values() if getattr(value, "name", None) == NAME]
    return found[0]  # type: ignore[no-any-return]


def drafted(root: Path) -> tuple[Source, SourceSpider, Path]:
    facts, spider, golden = write_first_draft(NAME, root)
    source = load_source(facts)
    reader = spider_in(spider)()
    reader.facts = source
    return source, reader, golden


def test_the_three_files_stand_where_their_name_says(tmp_path: Path) -> None:
    files = write_first_draft(NAME, tmp_path)

    assert [path.relative_to(tmp_path).as_posix() for path in files] == [
        "config/sources/au/accc_recalls.toml",
        "crawlers/spiders/au/accc_recalls.py",
        "tests/golden/au_accc_recalls/list.http",
    ]
    everything = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert everything - set(files) == {tmp_path / "crawlers/spiders/au/__init__.py"}


def test_the_facts_load_and_the_golden_page_reads_into_a_record(tmp_path: Path) -> None:
    source, reader, golden = drafted(tmp_path)
    page = golden_page(golden)

    reading = read_page(reader, 1, page)

    assert source.page_kind(page.url) == page.kind
    assert (reading.outcome, reading.unread, len(reading.drafts)) == (Outcome.READ, [], 1)
    record = normalise(reading.drafts[0], page, source).record
    assert (record.id, record.published) == ("au_accc_recalls:2026-001", date(2026, 3, 1))


def test_the_first_pages_are_of_a_kind_that_the_facts_know(tmp_path: Path) -> None:
    source, reader, _ = drafted(tmp_path)

    follows = list(reader.begin(date(2026, 1, 1), datetime.now(UTC).date()))

    assert [source.page_kind(follow.url) for follow in follows] == [follow.kind for follow in follows] == ["list"]
    assert all(
        isinstance(finding, Draft)
        for finding in reader.read(golden_page(tmp_path / "tests/golden" / NAME / "list.http"))
    )


def test_a_name_in_use_is_refused_and_nothing_is_written_over(tmp_path: Path) -> None:
    facts = write_first_draft(NAME, tmp_path)[0]
    facts.write_text("mine", encoding="utf-8")

    with pytest.raises(FileExistsError):
        write_first_draft(NAME, tmp_path)

    assert facts.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    "name", ["", "au", "au_", "AU_accc", "au-accc", "../au_x", "au_x/y", "au_x\n", "_x", "au_1x", "Ａu_x", "au_é"]
)
def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not"):
        write_first_draft(name, tmp_path)

    assert list(tmp_path.iterdir()) == []
