"""Names, codes and scripts of languages."""

from __future__ import annotations

import pytest

from library.vocabulary.languages import language, script_language


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        ("eng", "en"), ("EN", "en"), ("English", "en"), ("英文", "en"), ("ger", "de"), ("deu", "de"), ("Deutsch", "de"), ("français", "fr"), ("zh-CN", "zh"),
        ("zh-TW", "zh-Hant"), ("中文", "zh"), ("繁體中文", "zh-Hant"), ("zho", "zh"), ("日本語", "ja"), ("pt_BR", "pt"), ("Spanish", "es"), ("한국어", "ko"),
    ],
)  # fmt: skip
def test_a_printed_language_has_its_code(printed, code):
    assert language(printed) == code


@pytest.mark.parametrize("printed", ["", "Klingonish", "xx", "zxx"])
def test_what_is_no_language_has_none(printed):
    assert language(printed) is None


@pytest.mark.parametrize(
    ("text", "default", "code"),
    [
        ("玩具安全技术规范", "en", "zh"), ("玩具安全技術規範", "en", "zh-Hant"), ("中國大陸產品召回", "zh", "zh-Hant"), ("玩具の安全に関する法律", "en", "ja"),
        ("航空法", "ja", "ja"), ("전동킥보드 리콜", "en", "ko"), ("Технический регламент", "en", "ru"), ("Технически регламент", "bg", "bg"),
        ("Toy safety", "en", "en"), ("Sécurité des jouets", "fr", "fr"), ("GB/T 1.1-2020 标准化工作导则", "en", "zh"), ("", "de", "de"), ("123-45", "de", "de"),
    ],
)  # fmt: skip
def test_the_script_tells_the_language(text, default, code):
    assert script_language(text, default) == code
