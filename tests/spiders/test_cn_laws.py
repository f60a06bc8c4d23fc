"""Laws of China: Markdown files that people hand in, by manifest, over the watched folder, and over the page."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from crawlers.intake import import_paths, watch_folder
from crawlers.normalise import normalise
from crawlers.page import Draft, NotThePage
from crawlers.spiders.cn.laws import CnLaws
from library.page import Page
from library.settings import Settings, sources_folder
from library.source import load_sources
from library.store.store import Store
from tests.golden_pages import golden_page
from tests.places import GOLDEN, need_corpus

SOURCES = load_sources(sources_folder())
NOW = datetime(2031, 2, 14, 8, 30, tzinfo=UTC)
NAME = "风筝安全法(2031-03-01).md"
BODY = (GOLDEN / "cn_laws" / "law.http").read_bytes().partition(b"\n\n")[2]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def library(settings: Settings) -> Iterator[Store]:
    settings.home.mkdir()
    opened = Store(settings.database)
    yield opened
    opened.close()


def drafts(body: str, name: str = NAME) -> list[Draft]:
    page = Page(source="cn_laws", url=f"https://flk.npc.gov.cn/#{name}", kind="law", body=body.encode(), fetched_at=NOW)
    return [one for one in CnLaws().read(page) if isinstance(one, Draft)]


def manifest(folder: Path, **changes: str) -> Path:
    folder.mkdir()
    (folder / NAME).write_bytes(BODY)
    row = {"file": NAME, "source": "cn_laws", "form": "extract", "url": "", "captured": "2031-03"} | changes
    (folder / "MANIFEST.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    return folder


def test_articles_are_the_paragraphs_of_the_body_and_the_history_stands_in_notes():
    page = golden_page(GOLDEN / "cn_laws" / "law.http")
    draft = next(one for one in CnLaws().read(page) if isinstance(one, Draft))
    record = normalise(draft, page, SOURCES["cn_laws"]).record

    articles = [line for line in record.texts[-1].value.split("\n\n") if line.startswith("第") and "条 " in line]
    assert len(articles) == 4
    assert [text.label for text in record.texts] == ["note", "note", "note", "body"]
    assert (record.adopted, record.published, record.in_force) == (date(2019, 5, 6), date(2031, 3, 1), date(2020, 1, 1))
    assert record.authority == "全国人民代表大会常务委员会"


def test_a_law_that_its_history_calls_repealed_has_that_status():
    text = "# 风筝规定\n\n2001年2月3日 国家风筝管理总局令第2号发布\n\n2030年6月7日 废止\n\n第一条 为了风筝。\n"
    draft = drafts(text)[0]

    assert (draft.fields["status"], draft.fields["withdrawn"]) == ("废止", "2030年6月7日")


def test_a_file_that_is_no_law_is_an_error_with_its_reason():
    for text in ("", "hello", "# 风筝\n\n没有条文。\n"):
        with pytest.raises(NotThePage, match="the text of a law is due"):
            drafts(text)


def test_the_name_of_an_uploaded_file_gives_the_same_key():
    assert drafts(BODY.decode(), "20310214T083000-风筝安全法(2031-03-01).md")[0].key == NAME.removesuffix(".md")
    assert drafts(BODY.decode(), "风筝安全法_2031-03-01_.md")[0].key == NAME.removesuffix(".md")
    assert drafts(BODY.decode(), "风筝安全法.md")[0].key == "风筝安全法"


def test_an_extract_is_read_where_the_facts_say_so_and_nowhere_else(settings, library, tmp_path):
    taken = import_paths(settings, library, SOURCES, [manifest(tmp_path / "laws")], at=NOW)
    refused = import_paths(settings, library, SOURCES, [manifest(tmp_path / "other", source="eu_rasff")], at=NOW)

    assert taken.rows()[0]["records"] == 1
    assert library.get_many(["cn_laws:风筝安全法(2031-03-01)"])
    assert [one.reason for one in refused.unrouted] == ["somebody else's reading of the publisher, not its page"]


def test_a_law_in_the_watched_folder_is_read_once_and_put_away(settings, library):
    folder = settings.intake / "cn_laws"
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(BODY)

    first = watch_folder(settings, library, SOURCES, at=datetime.now(UTC), settled_s=-1)
    again = watch_folder(settings, library, SOURCES, at=datetime.now(UTC), settled_s=-1)

    assert [len(tally.records) for _, tally in first] == [1]
    assert not again
    assert [file.name.endswith(NAME) for file in (folder / "done").iterdir()] == [True]


def test_every_law_of_the_corpus_is_read_with_all_its_articles(settings, library, tmp_path):
    corpus = need_corpus()
    lines = (corpus / "MANIFEST.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["source"] == "cn_laws"]
    folder = tmp_path / "corpus"
    (folder / "cn").mkdir(parents=True)
    shutil.copytree(corpus / "cn" / "laws", folder / "cn" / "laws")
    (folder / "MANIFEST.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    report = import_paths(settings, library, SOURCES, [folder], at=NOW)

    assert [(row["records"], row["problems"]) for row in report.rows()] == [(len(rows), 0)]
    keys = {Path(row["file"]).stem: row["records"] for row in rows}
    for record in library.get_many([f"cn_laws:{key}" for key in keys]):
        articles = [
            line for line in record.texts[-1].value.split("\n\n") if line.startswith("第") and "条 " in line[:9]
        ]
        assert len(articles) == keys[record.key], record.key
        assert record.published and (record.adopted or "化妆品监督管理条例" in record.key), record.key
