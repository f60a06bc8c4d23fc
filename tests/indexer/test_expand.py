"""Widening: a Chinese word finds foreign records, and nothing that it does not mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.entry import entry_of
from indexer.expand import expand, glossary
from indexer.query import Filter, Query, explain, leaves, matches, parse_query
from library.record import Record
from tests.indexer.invented_records import BALLOONS, BATTERIE, NOTIFICATION, POWER_BANK, RECORDS

ENTRIES = {record.id: entry_of(record) for record in RECORDS}


def found(text: str) -> set[str]:
    query = expand(parse_query(text)).query
    return {entry.id for entry in ENTRIES.values() if matches(query, entry)}


def codes(query: Query) -> set[tuple[str, str]]:
    return {(leaf.field, leaf.value) for leaf in leaves(query) if isinstance(leaf, Filter)}


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ("玩具 窒息", [BALLOONS]),
        ("玩具窒息", [BALLOONS]),
        ("充电宝", [POWER_BANK, BATTERIE]),
        ("行動電源", [POWER_BANK, BATTERIE]),
        ("移動電源 起火", [POWER_BANK]),
        ("power banks", [POWER_BANK, BATTERIE]),
        ("batterie externe", [POWER_BANK, BATTERIE]),
        ("短路", [POWER_BANK]),
        ("气球", [BALLOONS]),
        ("中国产 气球", [BALLOONS]),
        ("匈牙利通报 气球", [BALLOONS]),
        ("2026年 玩具", [BALLOONS, NOTIFICATION]),
        ("法国 烧伤", [BATTERIE]),
    ],
)
def test_a_word_of_the_trade_finds_records_in_other_languages(text: str, records: list[Record]) -> None:
    assert found(text) == {record.id for record in records}


def test_a_word_that_names_a_code_asks_for_the_code_too() -> None:
    assert ("hazard", "choking") in codes(expand(parse_query("choking")).query)
    assert ("category", "toys") in codes(expand(parse_query("玩具")).query)
    assert codes(expand(parse_query("花生")).query) == set()  # publishers sort peanuts under allergens


def test_references_quoted_phrases_and_filters_are_left_alone() -> None:
    for text in ("EN 71-1", '"power bank"', "origin:CN", "published:2026", '"玩具"'):
        assert expand(parse_query(text)).query == parse_query(text)


def test_who_asks_for_the_european_union_finds_the_notices_of_its_member_states() -> None:
    assert BALLOONS.id in found("欧盟 气球")  # given by Hungary
    assert POWER_BANK.id not in found("欧盟 充电宝")  # given by the United States


@pytest.mark.parametrize("text", ["GB 5606.1", "国标5606.1", "GB/T 5606.1-2004"])
def test_a_standard_of_china_is_found_as_mandatory_and_as_recommended(text: str) -> None:
    standard = next(record for record in RECORDS if record.key == "GB/T 5606.1-2004")

    assert matches(expand(parse_query(text)).query, entry_of(standard))


def test_neighbouring_words_are_one_concept_and_each_of_them_still_counts() -> None:
    query = expand(parse_query("metal fragments")).query
    turned = BALLOONS.model_copy(
        update={"titles": (BALLOONS.titles[0].model_copy(update={"value": "Fragments of metal"}),)}
    )

    assert matches(query, entry_of(turned))


def test_a_character_inside_another_word_is_no_concept() -> None:
    assert ("hazard", "lead") in codes(expand(parse_query("铅")).query)
    assert ("hazard", "lead") not in codes(expand(parse_query("铅笔")).query)


def test_short_words_are_not_taken_for_countries() -> None:
    assert codes(expand(parse_query("it can be")).query) == set()
    assert ("jurisdiction", "US") in codes(expand(parse_query("USA")).query)


def test_the_reason_names_the_typed_word_and_the_foreign_one() -> None:
    reasons = explain(expand(parse_query("充电宝")).query, ENTRIES[POWER_BANK.id])

    assert ("充电宝", "title", ("power", "bank")) in [(reason.clause, reason.field, reason.words) for reason in reasons]


def test_what_else_is_searched_is_told() -> None:
    also = expand(parse_query("充电宝")).also

    assert {"power bank", "batterie externe", "Powerbank"} <= set(also)
    assert "充电宝" not in also


@pytest.mark.parametrize("text", ["kind", "Kind", "what kind of toy"])
def test_an_english_word_is_not_taken_for_the_german_one_that_looks_like_it(text: str) -> None:
    assert "儿童" not in expand(parse_query(text)).also
    assert "Kinder" in {word for concept in glossary().concepts for word in concept.own.get("de", ())}


def test_a_word_in_a_field_is_widened_in_that_field_only() -> None:
    assert found("title:充电宝") == {POWER_BANK.id, BATTERIE.id}
    assert found("product:充电宝") == set()


def test_every_line_of_the_glossary_has_chinese_and_english_words() -> None:
    concepts = [concept for concept in glossary().concepts if not concept.country]

    assert len(concepts) >= 2500
    assert all(concept.words.get("zh") and (concept.words.get("en") or concept.own.get("en")) for concept in concepts)


def test_a_line_with_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "terms.tsv"
    path.write_text("zh\ten\n玩具\ttoy\n气球\n", encoding="utf-8")

    with pytest.raises(ValueError, match="row 3"):
        glossary(path)
