"""The term bank: what is wrong with a table, what an edit of it changes, and that the saved tables are sound."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from indexer import terms, terms_preview
from indexer.engines.base import Engine
from indexer.engines.tantivy import TantivyEngine
from indexer.entry import entry_of
from indexer.expand import expand, glossary_of
from indexer.query import matches, parse_query
from indexer.terms import COLUMNS, FOLDER, problems, read_rows, row_of, sorted_table, table_files
from indexer.terms_cli import terms_app
from indexer.terms_preview import Comparison
from library.record import Text
from library.store.store import Origin, SeenPage, Store
from tests.indexer.invented_records import BALLOONS, BATTERIE, POWER_BANK, RECORDS

NOW = datetime(2031, 2, 14, tzinfo=UTC)
RUN = CliRunner()
KITE = "|风筝|kite|cerf-volant|Papierdrachen|cometa|凧|연"
BALLOON = "|气球|balloon|ballon de baudruche|Luftballon|globo|風船|풍선"


def table(folder: Path, *rows: str, name: str = "toys.tsv") -> Path:
    """A table of rows in which '|' parts the columns and '/' the words of a cell."""
    file = folder / name
    lines = ["\t".join(COLUMNS), *(row.replace("|", "\t").replace("/", "|") for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def said(*files: Path) -> list[str]:
    return [str(problem) for problem in problems(files)]


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bank of two tables in place of ours."""
    folder = tmp_path / "saved"
    folder.mkdir()
    table(folder, BALLOON, KITE)
    table(folder, "|电池|battery|batterie|Batterie|batería|電池|배터리", name="electrical.tsv")
    for module in (terms, terms_preview):
        monkeypatch.setattr(module, "FOLDER", folder)
    return folder


# The saved tables ------------------------------------------------------------------------------------------------------


def test_the_saved_bank_has_2500_concepts_with_words_in_seven_languages_and_nothing_wrong() -> None:
    assert problems(table_files(FOLDER)) == []
    assert len(read_rows()) >= 2500


@pytest.mark.parametrize(
    "word",
    [
        "移动电源",
        "电动滑板车",
        "儿童服装",
        "儿童安全座椅",
        "阻燃剂",
        "纽扣电池",
        "小零件",
        "绳带",
        "电磁兼容",
        "木制品",
    ],
)
def test_words_that_no_dictionary_has_are_in_the_bank(word: str) -> None:
    assert len(expand(parse_query(word)).also) > 5


@pytest.mark.parametrize(
    ("typed", "text", "language"),
    [
        ("面包", "Severe pain after use", "en"),  # French pain is bread
        ("接地", "Ground beef", "en"),  # grounding stems to ground
        ("海关", "Custom made", "en"),
        ("毒物", "Ein Gift", "de"),
        ("茶", "Golf tee", "en"),
        ("许可证", "The author of this notice", "en"),
    ],
)
def test_a_word_does_not_find_what_only_looks_like_it(typed: str, text: str, language: str) -> None:
    record = BALLOONS.model_copy(update={"titles": (Text(language=language, value=text),), "texts": (), "products": ()})

    assert not matches(expand(parse_query(typed)).query, entry_of(record))


def test_a_marked_word_is_found_in_its_own_language() -> None:
    record = BALLOONS.model_copy(update={"titles": (Text(language="fr", value="Rappel de pain de mie"),)})

    assert matches(expand(parse_query("面包")).query, entry_of(record))


def test_a_marked_english_word_names_the_concept_as_it_is_written() -> None:
    bank = glossary_of([row_of("a", 1, {"zh": "海关", "en": "customs!", "fr": "douane"})])

    assert "海关" in expand(parse_query("customs"), bank).also
    assert expand(parse_query("custom"), bank).also == ()


def test_a_longer_concept_finds_no_less_than_the_shorter_ones_in_it() -> None:
    rows = [
        row_of("a", 1, {"zh": "儿童", "en": "child", "fr": "enfant"}),
        row_of("a", 2, {"zh": "首饰", "en": "jewellery", "fr": "bijou"}),
    ]
    longer = row_of("a", 3, {"zh": "儿童首饰", "en": "child jewellery"})
    record = BALLOONS.model_copy(update={"titles": (Text(language="fr", value="Bijou pour un enfant"),)})

    for bank in (rows, [*rows, longer]):
        assert matches(expand(parse_query("child jewellery"), glossary_of(bank)).query, entry_of(record))


# Checking --------------------------------------------------------------------------------------------------------------


def test_a_sound_table_has_no_problems(tmp_path: Path) -> None:
    assert said(table(tmp_path, BALLOON, KITE)) == []


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("|风筝|kite|cerf-volant|Papierdrachen|cometa||연", "'kite' has no word in ja"),
        ("|风筝|kite/Kite|cerf-volant|Papierdrachen|cometa|凧|연", "en 'Kite' stands twice in its cell"),
        ("hazard:flying|风筝|kite|cerf-volant|Papierdrachen|cometa|凧|연", "hazard:flying: there is no such hazard"),
        ("danger:fire|风筝|kite|cerf-volant|Papierdrachen|cometa|凧|연", "a code begins with hazard:"),
        ("|风筝|kite|cerf-volant|Papierdrachen|cometa|연|凧", "is it in the wrong column?"),
        ("|风筝|kite|pain|Papierdrachen|cometa|凧|연", "fr 'pain' is searched as 'pain', which is an everyday word"),
        (
            "|风筝|grounding|cerf-volant|Papierdrachen|cometa|凧|연",
            "is searched as 'ground', which is an everyday word",
        ),
        ("|风筝|kite|thé|Papierdrachen|cometa|凧|연", "fr 'thé' is searched as 'the', which every text holds"),
        ("|风筝|AED|cerf-volant|Papierdrachen|cometa|凧|연", "en 'AED' is searched as 'a', which every text holds"),
        ("|风筝|kite|cerf volant!|Papierdrachen|cometa|凧|연", "is marked '!', which is for single words"),
        ("|风筝|kite|cerf-volant|Papierdrachen|cometa|凧", "has 7 columns and must have 8"),
    ],
)
def test_each_thing_wrong_with_a_row_is_named_with_its_line(tmp_path: Path, row: str, what: str) -> None:
    problem = next(line for line in said(table(tmp_path, row)) if what in line)

    assert problem.startswith("toys.tsv:2: ")


def test_a_mark_settles_a_word_that_means_something_else_in_english(tmp_path: Path) -> None:
    assert said(table(tmp_path, "|面包|bread|pain!|Brot|pan!|パン食品|빵")) == []


def test_a_word_in_two_concepts_is_named_with_both_places(tmp_path: Path) -> None:
    other = "|焰火|rocket|fusée/cerf-volant|Rakete|cohete|ロケット花火|로켓"
    usual = "|飞龙|dragon|cerf-volant|Drache|dragón|竜|용"

    assert said(table(tmp_path, KITE, other)) == []  # the usual word of one may stand behind another's
    assert any("fr 'cerf-volant' names 'kite' (toys.tsv:3) too" in line for line in said(table(tmp_path, usual, KITE)))


def test_a_foreign_word_that_is_the_usual_one_of_another_concept_is_named(tmp_path: Path) -> None:
    rows = ("|橡皮糖|gummies|bonbons|Fruchtgummi|gominola|グミ|젤리", "|橡胶|rubber|caoutchouc|Gummi|caucho|ゴム|고무")

    assert any("de 'Gummi' is en for 'gummies' (toys.tsv:2)" in line for line in said(table(tmp_path, *rows)))


def test_rows_out_of_order_are_named_and_can_be_put_in_order(tmp_path: Path) -> None:
    file = table(tmp_path, KITE, BALLOON)

    assert any("'balloon' stands behind 'kite'" in line for line in said(file))
    file.write_text(sorted_table(file), encoding="utf-8")
    assert said(file) == []


def test_what_a_spreadsheet_writes_is_read_or_refused_with_a_sentence(tmp_path: Path) -> None:
    file = table(tmp_path, BALLOON, KITE)
    text = file.read_text(encoding="utf-8")

    file.write_bytes(("\ufeff" + text.replace("\n", "\r\n")).encode())
    assert said(file) == []
    file.write_text(text.replace("cerf-volant", '"cerf-volant, jouet"'), encoding="utf-8")
    assert read_rows(file)[1].words["fr"] == ("cerf-volant, jouet",)
    file.write_bytes(text.encode("gb18030"))
    assert "not in UTF-8" in said(file)[0]
    file.write_text(text.replace("zh", "chinese"), encoding="utf-8")
    assert "names columns that are none: 'chinese'" in said(file)[0]


def test_the_command_checks_a_table_against_the_other_saved_ones(saved: Path, tmp_path: Path) -> None:
    edited = table(tmp_path, BALLOON, "|蓄电池|battery|accumulateur|Akku|acumulador|蓄電池|축전지")
    bad = RUN.invoke(terms_app, ["check", str(edited)])
    good = RUN.invoke(terms_app, ["check", str(saved)])

    assert (bad.exit_code, good.exit_code) == (1, 0)
    assert "toys.tsv:3: en 'battery' names 'battery' (electrical.tsv:2) too" in bad.output


# Preview ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def shelf(store: Store, tmp_path: Path) -> Iterator[tuple[Store, Engine]]:
    """The invented records, stored and indexed."""
    for number, record in enumerate(RECORDS, start=1):
        store.put(record, SeenPage(id=number, url_key="invented", fetched_at=NOW), origin=Origin.BACKFILL, at=NOW)
    engine = TantivyEngine(tmp_path / "index")
    engine.write(map(entry_of, RECORDS), 1)
    yield store, engine
    engine.close()


def test_a_preview_counts_what_an_edit_adds_and_takes_away(shelf: tuple[Store, Engine]) -> None:
    before = [row_of("a", 1, {"zh": "充电宝", "en": "power bank"})]
    after = [row_of("a", 1, {"zh": "充电宝", "en": "power bank", "fr": "batterie externe"})]

    effects = Comparison(*shelf, before, after).words(20)
    undone = Comparison(*shelf, after, before).words(20)

    found = {effect.query: (effect.before, effect.after, effect.new_titles) for effect in effects}
    assert found["充电宝"] == (1, 2, (BATTERIE.title(),))
    assert [(effect.before, effect.after, effect.fewer) for effect in undone if effect.query == "充电宝"] == [(2, 1, 1)]


def test_a_preview_names_the_watches_whose_answers_change(
    shelf: tuple[Store, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = "SELECT 'Power banks' AS title, '充电宝' AS query UNION SELECT 'Balloons', 'balloon'"
    monkeypatch.setattr(terms_preview, "WATCHES", watched)
    after = [row_of("a", 1, {"zh": "充电宝", "en": "power bank"})]

    effects = Comparison(*shelf, [], after).watches()

    assert [(effect.title, effect.before, effect.after) for effect in effects] == [("Power banks", 0, 1)]
    assert effects[0].new_titles == (POWER_BANK.title(),)


def test_the_command_shows_an_edit_and_saves_nothing(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTM_HOME", str(tmp_path / "home"))
    stood = {file.name: file.read_bytes() for file in table_files(saved)}
    edited = table(tmp_path, BALLOON.replace("balloon", "balloon/party balloon"), KITE)

    shown = RUN.invoke(terms_app, ["preview", str(edited)])

    assert shown.exit_code == 0, shown.output
    assert "1 rows are new or altered" in shown.output
    assert {file.name: file.read_bytes() for file in table_files(saved)} == stood
