"""Codes of goods and substances in their canonical form."""

from __future__ import annotations

import pytest

from library.vocabulary.codes import cas, gtin, hs_code, hs_levels, ics_code, ics_levels


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        ("9503.00", "950300"),
        ("9503 00 00", "95030000"),
        ("0207", "0207"),
        ("85", "85"),
        ("8517.62.00.00", "8517620000"),
        ("９５０３", "9503"),
    ],
)
def test_an_hs_code_is_its_digits(printed, code):
    assert hs_code(printed) == code


@pytest.mark.parametrize("printed", ["", "9", "00", "toys", "95030000001", "95.03a", "9503 - Tricycles"])
def test_what_is_no_hs_code_is_none(printed):
    assert hs_code(printed) is None


def test_the_levels_of_a_code_are_widest_first():
    assert hs_levels("8517620000") == ("85", "8517", "851762", "85176200", "8517620000")
    assert ics_levels("97.200.50") == ("97", "97.200", "97.200.50")
    with pytest.raises(ValueError, match="ICS"):
        ics_levels("toys")


@pytest.mark.parametrize(
    ("printed", "code"),
    [("97.200.50", "97.200.50"), (" 13.020 ", "13.020"), ("97", "97"), ("98.100", None), ("97.20", None), ("", None)],
)
def test_an_ics_code_belongs_to_a_field_that_exists(printed, code):
    assert ics_code(printed) == code


def test_upc_ean_and_gtin_of_one_product_are_one_string():
    assert (
        gtin("196710005616")
        == gtin("0196710005616")
        == gtin("00196710005616")
        == gtin("1 96710 00561 6")
        == "00196710005616"
    )
    assert gtin("73513537") == "00000073513537"


@pytest.mark.parametrize("printed", ["196710005617", "12345", "BCD25042500206593", "", "0000000000000", "19671000561"])
def test_a_wrong_check_digit_or_length_is_no_gtin(printed):
    assert gtin(printed) is None


@pytest.mark.parametrize(
    ("printed", "number"),
    [("80-54-6", "80-54-6"), ("117-81-7", "117-81-7"), ("80-54-7", None), ("0-54-6", None), ("lilial", None)],
)
def test_a_cas_number_has_a_check_digit(printed, number):
    assert cas(printed) == number
