"""What people may type, what it means, and what is refused with a place."""

from __future__ import annotations

from contextlib import suppress
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.entry import entry_of
from indexer.query import (
    All,
    And,
    Filter,
    Not,
    Or,
    Phrase,
    Query,
    QueryError,
    Range,
    Term,
    explain,
    matches,
    parse_query,
)
from library.record import Record
from tests.indexer.invented_records import (
    BALLOONS,
    BATTERIE,
    EU_ACT,
    EU_CITING,
    GB_STANDARD,
    JAPANESE,
    NOTIFICATION,
    POWER_BANK,
    RECORDS,
)

ENTRIES = {record.id: entry_of(record) for record in RECORDS}


def found(text: str) -> set[str]:
    query = parse_query(text)
    return {entry.id for entry in ENTRIES.values() if matches(query, entry)}


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("GB/T 5606.1-2004", GB_STANDARD),
        ("GBT5606.1—2004", GB_STANDARD),
        ("ｇｂ／ｔ ５６０６．１", GB_STANDARD),
        ("(EU) 2024/903", EU_ACT),
        ("32024R0903", EU_ACT),
        ("Regulation (EU) 2024/903", EU_ACT),
        ("G/TBT/N", NOTIFICATION),
        ("g/tbt/n/chn/9072", NOTIFICATION),
        ("UPC 196710005616", BALLOONS),
        ("AB1234/5", BALLOONS),
        ("ab-1234", BALLOONS),
        ("HS 8507", POWER_BANK),
        ("zwolfstern", BALLOONS),
        ("boars head", POWER_BANK),
        ("étouffement", BATTERIE),
        ("ETOUFFEMENT", BATTERIE),
        ("消費者", JAPANESE),
        ("消费者", JAPANESE),
        ("ハンガー", JAPANESE),
        ("Hangers OR ハンガー", JAPANESE),
        ("匈牙利", BALLOONS),
        ("玩具", BALLOONS),
    ],
)
def test_what_is_typed_finds_the_record(text: str, record: Record) -> None:
    assert record.id in found(text)


def test_a_wider_form_of_a_reference_finds_all_below_it() -> None:
    assert found("GB/T 5606") == {"cn_openstd_samr:GB/T 5606.1-2004", "cn_openstd_samr:GB/T 5606.2-2005"}
    assert found("GB/T 5606.2-2005") == {"cn_openstd_samr:GB/T 5606.2-2005"}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("EN 71-1, -2 and -3", "EN 71-1 EN 71-2 EN 71-3"),
        ("GB 4806.1、.7", "GB 4806.1 GB 4806.7"),
        ("(EU) 2017/745 and 2017/746", "EU 2017/745 EU 2017/746"),
    ],
)
def test_a_list_of_references_asks_for_each_of_them_and_excludes_none(typed: str, meant: str) -> None:
    def asked(text: str) -> list[str]:
        query = parse_query(text)
        return [part.values[0] for part in getattr(query, "parts", ()) if isinstance(part, Term) and part.is_reference]

    assert asked(typed) == asked(meant) != []


def test_a_phrase_wants_its_words_in_order_and_next_to_each_other() -> None:
    assert found('"short circuit"') == {POWER_BANK.id}
    assert found('"circuit short"') == set()
    assert found('"fire hazard The lithium"') == set()  # the title ends at hazard


def test_a_han_phrase_is_met_wherever_jieba_cuts() -> None:
    assert NOTIFICATION.id in found('"具安全国"')


def test_fields_take_values_in_any_language() -> None:
    assert found("origin:中国 kind:召回 hazard:fire") == {POWER_BANK.id}
    assert found("原产地：CN 类型:recall") == {BALLOONS.id, POWER_BANK.id}
    assert parse_query('market:"Viet Nam"') == Filter("jurisdiction", "VN", 'market:"Viet Nam"')
    assert found("kind:standard,notification") == found("kind:standard OR kind:notification")


def test_a_word_of_a_publisher_that_nobody_has_mapped_can_be_asked_for() -> None:
    assert found("origin:unknown") == {BATTERIE.id}


def test_ranges_of_days_are_open_where_nothing_is_written() -> None:
    assert found("published:2026-03..") == {BALLOONS.id, POWER_BANK.id}
    assert found("comments_until:2026-03-11") == {NOTIFICATION.id}
    assert found("in_force:..2024-12") == {EU_ACT.id, EU_CITING.id}


def test_a_field_of_words_looks_nowhere_else() -> None:
    assert found("title:battery") == set()
    assert found("battery") == {POWER_BANK.id}
    assert found("ref:(EU) 2024/903".replace("ref:", "ref:")) == {EU_ACT.id}


def test_operators_and_brackets() -> None:
    assert parse_query("a OR b c") == Or((parse_query("a"), And((parse_query("b"), parse_query("c")))))
    assert parse_query("（鸡 或 鸭） -鹅") == And((Or((parse_query("鸡"), parse_query("鸭"))), Not(parse_query("鹅"))))
    assert found("-origin:CN toys") == found("toys") - {BALLOONS.id, POWER_BANK.id}
    assert parse_query("NOT recall") == Not(parse_query("recall"))
    assert parse_query("  ") == All()


def test_little_words_are_left_out_beside_others_and_asked_for_alone() -> None:
    assert parse_query("lead in jewellery") == parse_query("lead jewellery")
    assert isinstance(parse_query("the of"), And)
    assert parse_query("的") == Term("的", ("的",))


def test_a_negating_character_stays_with_its_word() -> None:
    assert parse_query("不合格") == Phrase("不合格", (("不", "合", "格"),))


@pytest.mark.parametrize(
    "text",
    ["C-123/45", "50 %", "a&b", "🔥", "𠮷", "wanju zhaohui", "GB/T 1234-2020", "EN 71-1:2014+A1:2018", "16 CFR 1501"],
)
def test_what_people_type_is_never_an_error(text: str) -> None:
    parse_query(text)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("(" * 100_000, 1025),
        ("(" * 100, 33),
        ("(toys", 1),
        ("toys)", 5),
        ('toys "short', 6),
        ('""', 1),
        ("toys\0", 5),
        ("\ud800", 1),
        ("AND", 1),
        ("toys AND", 8),
        ("NOT", 1),
        ("a OR OR b", 6),
        ("()", 2),
        ("***", 1),
        ("a " * 600, 1025),
        ("kind:foo", 6),
        ("toys hazrd:fire", 6),
        ("origin: CN", 1),
        ("published:soon", 11),
        ("-" * 50 + "a", 33),
    ],
)
def test_a_refusal_names_the_column(text: str, column: int) -> None:
    with pytest.raises(QueryError) as refusal:
        parse_query(text)

    assert refusal.value.column == column


HOSTILE = st.text(alphabet='()"“-:.,*?~[]{}/\\ \0\n&|ANDORNOTgbt12玩召é🔥\u3000（）', max_size=300) | st.text(
    max_size=100
)


def _seconds(text: str) -> float:
    started = process_time()
    with suppress(QueryError):
        parse_query(text)
    return process_time() - started


@given(HOSTILE)
@settings(max_examples=400, deadline=None)
def test_every_text_is_a_query_or_a_refusal_within_its_time(text: str) -> None:
    try:
        query: Query | None = parse_query(text)
    except QueryError as refusal:
        query = None
        assert 1 <= refusal.column <= max(len(text), 1)
    assert any(_seconds(text) < 0.05 for _ in range(5))  # a pause of the collector is no fault of the text
    if query is not None:
        matches(query, ENTRIES[BALLOONS.id])


def test_reasons_name_clause_field_and_words() -> None:
    reasons = explain(parse_query('气球 "small parts" origin:CN published:2026'), ENTRIES[BALLOONS.id])

    assert reasons == []
    reasons = explain(parse_query('balloon "small parts" origin:CN published:2026'), ENTRIES[BALLOONS.id])
    assert [(reason.clause, reason.field, reason.words) for reason in reasons] == [
        ("balloon", "title", ("balloon",)),
        ("balloon", "product", ("balloon",)),
        ("small parts", "text", ("small", "part")),
        ("origin:CN", "origin", ("CN",)),
        ("published:2026", "published", ("2026-05-08",)),
    ]


def test_a_range_without_a_date_in_the_entry_is_not_met() -> None:
    assert not matches(Range("published", None, None), ENTRIES[JAPANESE.id])
