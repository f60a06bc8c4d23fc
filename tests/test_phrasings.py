"""The same question in other words: what people say around the words they look for, days in words, and adjectives."""

from __future__ import annotations

from datetime import date

import pytest

from indexer.asking import days_in, with_plain_years, words_around
from indexer.entry import entry_of
from indexer.expand import expand
from indexer.query import Filter, Query, Range, leaves, matches, parse_query
from library.record import Record
from tests.indexer.invented_records import BALLOONS, BATTERIE, POWER_BANK, RECORDS

TODAY = date(2026, 6, 20)
ENTRIES = {record.id: entry_of(record) for record in RECORDS}


def asked(text: str) -> Query:
    return expand(parse_query(text), today=TODAY).query


def found(text: str) -> set[str]:
    query = asked(text)
    return {entry.id for entry in ENTRIES.values() if matches(query, entry)}


def codes(text: str) -> set[tuple[str, str]]:
    return {(leaf.field, leaf.value) for leaf in leaves(asked(text)) if isinstance(leaf, Filter)}


def ranges(text: str) -> list[tuple[date | None, date | None]]:
    return [
        (date.fromordinal(leaf.low) if leaf.low else None, date.fromordinal(leaf.high) if leaf.high else None)
        for leaf in leaves(asked(text))
        if isinstance(leaf, Range) and leaf.field == "published"
    ]


# Questions ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ("最近召回了哪些充电宝，是因为起火吗", [POWER_BANK]),
        ("有没有充电宝被召回", [POWER_BANK, BATTERIE]),
        ("请问关于气球噎住风险的情况", [BALLOONS]),
        ("有沒有充電寶起火的問題", [POWER_BANK]),
        ("which power banks were recalled because of a fire hazard", [POWER_BANK]),
        ("are there any balloons that children choke on?", [BALLOONS]),
        ("quelles batteries externes présentent un risque de brûlures", [BATTERIE]),
        ("welche Powerbank wurde wegen Feuer gemeldet", [POWER_BANK]),
        ("¿qué globos son un riesgo de asfixia?", [BALLOONS]),
    ],
)
def test_words_of_a_question_are_not_looked_for(text: str, records: list[Record]) -> None:
    assert found(text) == {record.id for record in records}


def test_a_question_selects_what_its_bare_words_select() -> None:
    for question, bare in [
        ("有没有充电宝被召回", "充电宝 召回"),
        ("最近有哪些气球会噎住", "气球 噎住"),
        ("关于气球的", "气球"),
        ("会噎住的气球之类的东西", "噎住 气球"),
        ("买到的气球产品", "气球"),
        ("would anyone please explain various balloons products sold", "balloons"),
        ("which power banks were recalled", "power banks recalled"),
    ]:
        assert found(question) == found(bare) != set()


def test_a_word_of_a_question_is_searched_for_where_nothing_else_was_typed() -> None:
    for text in ("哪些", "which", "最近 关于", "welche"):
        assert list(leaves(asked(text))), text


def test_a_quoted_word_of_a_question_stays() -> None:
    texts = {leaf.text for leaf in leaves(asked('气球 "关于"'))}

    assert "关于" in texts


def test_a_word_of_a_question_inside_another_word_stays_with_it() -> None:
    assert {leaf.text for leaf in leaves(asked("被子"))} == {"被子"}
    assert "因" in words_around()
    assert {leaf.text for leaf in leaves(asked("因素"))} == {"因素"}


def test_how_much_there_is_of_a_thing_narrows_nothing() -> None:
    for said, bare in [
        ("气球 含量过高", "气球"),
        ("充电宝 不合格 召回", "充电宝 召回"),
        ("excessive balloons", "balloons"),
    ]:
        assert found(said) == found(bare) != set()


@pytest.mark.parametrize("text", ["超标", "质量 不合格", '气球 "超标"', "气球 title:超标"])
def test_how_much_there_is_stays_where_it_is_all_that_was_typed_or_was_meant_to_the_letter(text: str) -> None:
    words = "".join(leaf.text for leaf in leaves(asked(text)) if not isinstance(leaf, Filter | Range))

    assert "超标" in words or "不合格" in words


# Days -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2024年上半年", date(2024, 1, 1), date(2024, 6, 30)),
        ("2024下半年", date(2024, 7, 1), date(2024, 12, 31)),
        ("2025年第二季度", date(2025, 4, 1), date(2025, 6, 30)),
        ("Q4 2025", date(2025, 10, 1), date(2025, 12, 31)),
        ("2024年2月", date(2024, 2, 1), date(2024, 2, 29)),
        ("2024년 2월", date(2024, 2, 1), date(2024, 2, 29)),
        ("March 2025", date(2025, 3, 1), date(2025, 3, 31)),
        ("mars 2025", date(2025, 3, 1), date(2025, 3, 31)),
        ("enero de 2025", date(2025, 1, 1), date(2025, 1, 31)),
        ("2023至2025年", date(2023, 1, 1), date(2025, 12, 31)),
        ("2025年以来", date(2025, 1, 1), None),
        ("since 2025", date(2025, 1, 1), None),
        ("今年", date(2026, 1, 1), None),
        ("去年", date(2025, 1, 1), date(2025, 12, 31)),
        ("last year", date(2025, 1, 1), date(2025, 12, 31)),
        ("letztes Jahr", date(2025, 1, 1), date(2025, 12, 31)),
        ("上个月", date(2026, 5, 1), date(2026, 5, 31)),
        ("近三个月", date(2026, 3, 22), None),
        ("最近10天", date(2026, 6, 10), None),
        ("last two weeks", date(2026, 6, 6), None),
        ("本周", date(2026, 6, 15), None),
    ],
)
def test_days_may_be_said_in_words(text: str, low: date, high: date | None) -> None:
    assert ranges(text) == [(low, high)]
    assert ranges(f"{text} 气球") == [(low, high)]


def test_days_without_a_blank_beside_the_words_are_days() -> None:
    assert ranges("去年充电宝召回") == [(date(2025, 1, 1), date(2025, 12, 31))]
    assert found("今年充电宝") == {POWER_BANK.id}
    assert found("去年充电宝") == {BATTERIE.id}
    assert found("2026年气球") == {BALLOONS.id}


@pytest.mark.parametrize("text", ["二〇二六年玩具", "二零二六年 玩具", "26年玩具", "2026年度玩具", "玩具 二○二六"])
def test_a_year_is_understood_in_any_digits(text: str) -> None:
    assert ("year", "2026") in codes(text)
    assert BALLOONS.id in found(text)


@pytest.mark.parametrize(
    "text", ["保质期12年以上", "近10年 玩具", "过去26年", "5年", "66年", "第24年", "一二三四", "度假 2026年度报告"]
)
def test_a_span_of_years_is_no_year(text: str) -> None:
    assert with_plain_years(text, TODAY) == text


def test_numbers_that_are_no_days_are_left_alone() -> None:
    for text in ("GB/T 1.1-2020", "EN 71-1:2014", "型号2024", "may 2 toys", "2024年13月", "近代", '"去年"'):
        assert ranges(text) == [], text


def test_days_out_of_the_calendar_are_no_days() -> None:
    assert list(days_in("last 999 years 过去999年", date(600, 1, 1))) == []


# Places ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Hungarian balloons", "HU"),
        ("chinesische Luftballons", "CN"),
        ("ballons italiens", "IT"),
        ("juguetes turcos", "TR"),
        ("国产气球", "CN"),
        ("输美气球", "US"),
        ("Polish chicken", "PL"),
        ("加国气球", "CA"),
        ("欧方气球", "EU"),
        ("土国 气球", "TR"),
        ("Tunisian dates", "TN"),
    ],
)
def test_an_adjective_asks_for_its_place(text: str, code: str) -> None:
    assert {("jurisdiction", code), ("origin", code)} <= codes(text)


def test_a_word_that_only_looks_like_a_place_asks_for_none() -> None:
    for text in ("nail polish", "对美容仪", "其中方便面", "各国产品", "工作台货架", "大马士革玫瑰"):
        assert not {field for field, _ in codes(text)} & {"jurisdiction", "origin"}, text


def test_an_adjective_is_not_looked_for_in_the_records_of_other_places() -> None:
    assert "Chinese" not in expand(parse_query("中国"), today=TODAY).also
    assert found("匈牙利 气球") == found("Hungarian balloons") == {BALLOONS.id}


def test_accents_tell_a_word_from_the_everyday_word_that_looks_like_it() -> None:
    assert "茶叶" in expand(parse_query("thé")).also
    assert "茶叶" not in expand(parse_query("the")).also
    assert found("thé") == set() != found("the")


# Words of the trade ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "also"),
    [
        ("奔驰", "Mercedes-Benz"),
        ("寶馬", "BMW"),
        ("大众汽车", "Volkswagen"),
        ("福士", "Volkswagen"),
        ("トヨタ", "Toyota"),
        ("삼성", "Samsung"),
        ("Philips", "飞利浦"),
    ],
)
def test_a_maker_is_found_by_its_name_in_other_scripts(typed: str, also: str) -> None:
    assert also in expand(parse_query(f"{typed} 召回")).also


@pytest.mark.parametrize(
    ("typed", "also"),
    [
        ("噎到", "choking"),
        ("烫到", "scald"),
        ("电击伤", "electric shock"),
        ("李氏杆菌", "listeria"),
        ("黃麴毒素", "aflatoxin"),
        ("拖线板", "extension lead"),
        ("拖板", "power strip"),
        ("行动电话", "mobile phone"),
        ("雪柜", "refrigerator"),
        ("冷气机", "air conditioner"),
        ("单车安全帽", "bicycle helmet"),
        ("煞车", "brake"),
        ("的士", "taxi"),
        ("尿片", "diaper"),
        ("感电", "electric shock"),
        ("哽噎", "choking"),
        ("商检", "statutory inspection"),
        ("schoolbus", "校车"),
        ("fiber composition", "纤维成分标签"),
        ("老鼠药", "rodenticide"),
        ("伟哥", "sildenafil"),
        ("芬普尼", "fipronil"),
        ("单增李斯特", "listeria"),
        ("诺罗病毒", "norovirus"),
        ("戴奥辛", "dioxin"),
        ("丙烯醯胺", "acrylamide"),
        ("鲔鱼", "tuna"),
        ("奶类", "dairy product"),
        ("沐浴乳", "shower gel"),
        ("C10-13氯代烷烃", "SCCP"),
        ("未标注过敏原", "undeclared allergen"),
        ("刺青墨水", "tattoo ink"),
        ("Lichterketten", "lighting chain"),
        ("hexahydrocannabinol", "六氢大麻酚"),
    ],
)
def test_everyday_names_of_goods_and_hazards_are_words_of_the_trade(typed: str, also: str) -> None:
    assert also in expand(parse_query(typed)).also


@pytest.mark.parametrize(
    ("typed", "also"),
    [
        ("encre de tatouage", "纹身墨水"),
        ("feuilles de vigne", "葡萄叶"),
        ("bouteille de gaz", "气瓶"),
    ],
)
def test_a_term_with_a_little_word_in_it_is_one_term(typed: str, also: str) -> None:
    assert also in expand(parse_query(f"{typed} risque")).also
