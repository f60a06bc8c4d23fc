"""Every publisher's wording of a country has one code, and every code the wording of the Chinese customs."""

from __future__ import annotations

import pytest

from library.vocabulary.countries import all_codes, country, country_name, is_known, is_unknown


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        ("Bahrain, Kingdom of", "BH"), ("Kuwait, the State of", "KW"), ("Viet Nam", "VN"), ("Vietnam", "VN"), ("Türkiye", "TR"), ("TURKEY", "TR"),
        ("People's Republic of China", "CN"), ("People’s Republic of China", "CN"), ("中国", "CN"), ("中國大陸", "CN"), ("Chine", "CN"), ("중국", "CN"),
        ("UNITED STATES", "US"), ("United States of America", "US"), ("USA", "US"), ("usa", "US"), ("États-Unis", "US"), ("米国", "US"), ("美国", "US"),
        ("Korea, Republic of", "KR"), ("South Korea", "KR"), ("대한민국", "KR"), ("韩国", "KR"), ("Czech Republic", "CZ"), ("Czechia", "CZ"),
        ("Northern Ireland", "GB"), ("United Kingdom in respect of Northern Ireland", "GB"), ("The Netherlands", "NL"), ("Netherlands", "NL"),
        ("Côte d'Ivoire", "CI"), ("Ivory Coast", "CI"), ("Democratic Republic Of Congo", "CD"), ("Russian Federation", "RU"), ("Deutschland", "DE"),
        ("Kyrgyz Republic", "KG"), ("Republic of North Macedonia", "MK"), ("Kosovo", "XK"), ("European Union", "EU"), ("European Commission", "EU"), ("欧盟", "EU"),
        ("国际", "INT"), ("CHN", "CN"), ("DEU", "DE"), ("de", "DE"), ("Brazil, Rio Grande do Sul", "BR"), ("France, island of Corsica", "FR"), ("Georgia", "GE"),
        ("Atlanta, Georgia, United States", "US"), ("Hong Kong (China)", "HK"), ("Chinese Taipei", "TW"), ("台澎金马单独关税区", "TW"), ("Macau", "MO"),
    ],
)  # fmt: skip
def test_a_printed_country_has_its_code(printed, code):
    assert country(printed) == code
    assert is_known(printed)


@pytest.mark.parametrize("printed", ["Unknown", "unknown origin", "N/A", "", "--", "未知"])
def test_a_word_for_nobody_knows_is_known_and_no_country(printed):
    assert country(printed) is None
    assert is_unknown(printed)
    assert is_known(printed)


@pytest.mark.parametrize("printed", ["Atlantis", "China, Japan", "made in", "Worldwid", "XQ"])
def test_what_nobody_has_mapped_is_not_known(printed):
    assert country(printed) is None
    assert not is_known(printed)


def test_the_words_of_a_source_are_tried_first():
    assert country("Georgia", {"Georgia": "US"}) == "US"


@pytest.mark.parametrize(
    ("code", "chinese", "english"),
    [
        ("TW", "中国台湾", "Taiwan, China"), ("HK", "中国香港", "Hong Kong, China"), ("MO", "中国澳门", "Macao, China"), ("EU", "欧盟", "European Union"),
        ("INT", "国际", "International"), ("CN", "中国", "China"), ("KR", "韩国", "Republic of Korea"), ("CD", "刚果（金）", "Democratic Republic of the Congo"),
    ],
)  # fmt: skip
def test_a_code_is_shown_in_the_wording_of_the_customs(code, chinese, english):
    assert country_name(code, "zh") == chinese
    assert country_name(code, "en") == english


@pytest.mark.parametrize("code", all_codes())
def test_every_wording_shown_is_read_back_as_its_code(code):
    assert country(country_name(code, "en")) == code
    assert country(country_name(code, "zh")) == code
