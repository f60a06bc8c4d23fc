"""Tokens: what becomes one, where it stands, and what the index and a query agree on."""

from __future__ import annotations

import re
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.segmenting import cut_differently
from indexer import analysis
from indexer.analysis import FastJieba, Jieba, fold_characters, tokens, words
from tests.places import CORPUS


def values(text: str, language: str = "en") -> set[str]:
    return {token.value for token in tokens(text, language)}


MIXED = st.text(alphabet="玩具安全標準ＧＢ／T 1-2.ハンガー유아éß'&abtoys\u0301\u00ad𠮷0,（）", max_size=60)


@given(MIXED, st.sampled_from(["en", "fr", "de", "zh", "ja", "und"]))
@settings(max_examples=300, deadline=None)
def test_every_token_stands_where_it_says(text: str, language: str) -> None:
    found = tokens(text, language)

    assert all(0 <= token.start < token.end <= len(text) for token in found)
    assert [token.position for token in found] == sorted(token.position for token in found)
    primary = [token for token in found if token.primary]
    assert [token.position for token in primary] == list(range(len(primary)))


PASSAGES = st.lists(
    st.text(alphabet="玩具安全標準锂电池儿童産品", max_size=300)
    | st.sampled_from([*"，。、；：！？（）《》“”  \n\r_a1ー유＋", "\r\n", "——", "GB 1"]),
    min_size=90,
    max_size=150,
).map("".join)  # longer than a label


@given(MIXED | PASSAGES, st.sampled_from(["en", "fr", "ja"]))
@settings(max_examples=300, deadline=None)
def test_the_quick_way_and_the_way_with_offsets_give_the_same_tokens(text: str, language: str) -> None:
    found = tokens(text, language)
    every, primary = words(text, language)

    assert sorted(every) == sorted(token.value for token in found)
    assert primary == [token.value for token in found if token.primary]


def test_a_reference_is_one_token_with_its_wider_forms_on_top() -> None:
    found = [token for token in tokens("按 GBT5606.1—2004 抽样", "zh") if token.position == 1]

    assert [token.value for token in found] == ["GB/T_5606.1-2004", "GB/T_5606.1", "GB/T_5606"]
    assert {(token.start, token.end) for token in found} == {(2, 16)}


def test_a_symbol_is_also_found_by_its_series() -> None:
    assert {"G/TBT/N/CHN/9072", "G/TBT/N/CHN", "G/TBT/N"} <= values("see G/TBT/N/CHN/9072")


def test_a_model_number_is_kept_whole_and_in_parts() -> None:
    assert values("Model AB-1234/5") >= {"ab12345", "ab", "1234", "5"}


def test_traditional_and_full_width_characters_meet_their_plain_forms() -> None:
    assert values("玩具標準 ＴＯＹ") == values("玩具标准 TOY")


def test_japanese_forms_of_han_meet_the_chinese_ones() -> None:
    assert "经" in values("経済", "ja")
    assert "消费者" in values("消費者", "ja")


def test_a_word_stands_as_written_and_as_stem_without_accents() -> None:
    assert values("Étouffements", "fr") == {"fr~etouff", "etouffements"}


def test_a_foreign_stem_is_not_taken_for_an_english_word() -> None:
    assert "chin" not in values("China", "es")


def test_kana_and_hangul_are_pairs() -> None:
    assert values("ハンガー", "ja") == {"ハン", "ンガ", "ガー"}
    assert values("완구", "ko") == {"완구"}


def test_a_decimal_comma_and_a_point_are_one_number() -> None:
    assert values("0,5 mg") & {"0.5"} and values("1,234") == {"1234"}


def test_a_possessive_and_an_elision_leave_the_word() -> None:
    assert "boar" in values("Boar's Head")
    assert "eau" in values("l'eau", "fr")


def test_the_segmenter_of_this_machine_is_the_fast_one() -> None:
    assert isinstance(analysis.segmenter(), FastJieba)


@pytest.fixture(scope="module")
def reference_jieba() -> Jieba:
    return Jieba()


@pytest.fixture(scope="module")
def fast_jieba() -> FastJieba:
    return FastJieba()


HAN_RUNS = st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FD5), min_size=1, max_size=40)
COMMON_HAN = st.text(alphabet="的一是不了在人有这中大来上国个到说们为子和你地出道也时年标准安全玩具儿童", min_size=1)


@given(run=HAN_RUNS | COMMON_HAN)
@settings(max_examples=200, deadline=None)
def test_the_fast_segmenter_gives_the_words_of_jieba(run: str, reference_jieba: Jieba, fast_jieba: FastJieba) -> None:
    assert list(map(tuple, fast_jieba.search(run))) == list(map(tuple, reference_jieba.search(run)))
    assert list(fast_jieba.plain(run)) == list(reference_jieba.plain(run))


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the publishers' answers are not on this machine")
def test_the_publishers_chinese_is_cut_as_jieba_cuts_it(reference_jieba: Jieba, fast_jieba: FastJieba) -> None:
    paths = [path for path in (CORPUS / "cn").rglob("*") if path.is_file()]
    texts = [fold_characters(path.read_text(encoding="utf-8", errors="ignore")) for path in paths]
    runs = {run for text in texts for run in re.findall(f"[{analysis.HAN}]{{1,{analysis.HAN_RUN_MAX}}}", text)}

    assert sum(map(len, runs)) > 100_000
    assert list(cut_differently(reference_jieba, fast_jieba, sorted(runs))) == []


def test_a_run_that_is_cut_differently_is_told(reference_jieba: Jieba) -> None:
    strange = FastJieba()
    strange.add("玩具存在", 100_000_000)

    assert list(cut_differently(reference_jieba, strange, ["儿童玩具存在窒息", "标准"])) == ["儿童玩具存在窒息"]


def test_a_segmenter_that_differs_from_jieba_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FastJieba, "search", lambda self, run: [(run, 0, len(run))])

    assert analysis._proven() is None


def test_words_of_our_own_dictionary_are_read_and_others_refused(tmp_path: Path) -> None:
    path = tmp_path / "jieba.txt"
    path.write_text("充電寶 3000 n\n# comment\nUSB线 5\n移动电源\n", encoding="utf-8")

    assert analysis.own_words(path) == [("充电宝", 3000), ("移动电源", 1000)]


@pytest.mark.parametrize("text", ["的" * 300_000, "a" * 1_000_000, "1-" * 500_000, "é." * 300_000])
def test_a_megabyte_of_one_character_takes_seconds_at_most(text: str) -> None:
    fold_characters("標"), analysis.segmenter()
    started = process_time()

    words(text, "en")

    assert process_time() - started < 4
