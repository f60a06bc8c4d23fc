"""Hazards, categories, measures and states: printed words have codes, prose names them, and each has its wording."""

from __future__ import annotations

import doctest
import importlib
import re
import time

import pytest

from library.record import State
from library.vocabulary import categories, hazards, measures, states
from library.vocabulary.lexicon import Lexicon, Term

LEXICONS = {"hazards": hazards, "categories": categories, "measures": measures, "states": states}


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        ("Electric shock", "electric_shock"), ("Injuries", "injuries"), ("Burns", "burns"), ("Drowning", "drowning"), ("Entrapment", "entrapment"),
        ("Damage to hearing", "damage_to_hearing"), ("riskType.damage.to.sight", "damage_to_sight"), ("Microbiological", "microbiological"),
        ("Pathogenic micro-organisms", "microbiological"), ("Mycotoxins", "mycotoxins"), ("Heavy metals", "heavy_metals"), ("Allergens", "allergens"),
        ("Foreign bodies", "foreign_bodies"), ("Fall hazard", "fall"), ("Electrical hazard", "electric_shock"), ("CHOKING", "choking"), ("窒息", "asphyxiation"),
        ("起火", "fire"), ("Brandgefahr", "fire"), ("étouffement", "choking"), ("触电", "electric_shock"), ("农残", "pesticide_residues"),
    ],
)  # fmt: skip
def test_a_printed_hazard_has_its_code(printed, code):
    assert hazards.hazard(printed) == code


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        ("Toys", "toys"), ("product.category.toys", "toys"), ("Childcare articles and children's equipment", "childcare_articles"), ("SUV", "motor_vehicles"),
        ("Meat and meat products (other than poultry)", "meat"), ("Hair Dryers", "electrical_appliances"), ("Cosmetics", "cosmetics"), ("Devices", "medical_devices"),
        ("Food contact materials", "food_contact"), ("Fruits and vegetables", "fruit_and_vegetables"), ("充电宝", "batteries"), ("玩具", "toys"),
    ],
)  # fmt: skip
def test_a_printed_category_has_its_code(printed, code):
    assert categories.category(printed) == code


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        ("Recall of the product from end users", "recall"), ("Withdrawal of the product from the market", "withdrawal"), ("Refund", "refund"),
        ("Import rejected at border", "import_rejection"), ("measure.category.removal.from.online.marketplace", "listing_removal"), ("召回", "recall"),
        ("Voluntary withdrawal from the market and recall from consumers by the importer.", "recall"), ("Stop of sales", "stop_sale"),
        ("Placing on the market prohibited by the authorities.", "sales_ban"), ("Voluntary: Firm initiated", "recall"), ("Dispose", "destruction"),
    ],
)  # fmt: skip
def test_a_printed_measure_has_its_code_and_a_sentence_its_strongest(printed, code):
    assert measures.measure(printed) == code


@pytest.mark.parametrize(
    ("printed", "state"),
    [
        ("Ongoing", State.CURRENT), ("Terminated", State.ENDED), ("Completed", State.ENDED), ("现行", State.CURRENT), ("废止", State.WITHDRAWN), ("即将实施", State.UPCOMING),
        ("Proposed Rule", State.PROPOSED), ("Closed Recall", State.ENDED), ("published", State.CURRENT), ("无此状态", None),
    ],
)  # fmt: skip
def test_a_printed_state_is_a_state(printed, state):
    assert states.state(printed) == state


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Small parts can detach, posing a choking hazard to young children.", {"choking"}),
        (
            "a serious risk of injury or death from fire, burn and shock hazards",
            {"injuries", "fire", "burns", "electric_shock"},
        ),
        ("The battery can overheat and catch fire.", {"overheating", "fire"}),
        ("The toy contains excessive levels of phthalates and lead.", {"phthalates", "lead"}),
        ("玩具含有小零件，可能导致儿童窒息", {"choking", "asphyxiation"}),
        ("充电宝存在过热、起火风险", {"overheating", "fire"}),
        ("抽屉柜未固定时易倾倒，存在夹困风险", {"tip_over", "entrapment"}),
        ("Es besteht Erstickungsgefahr und die Gefahr eines Stromschlags.", {"asphyxiation", "electric_shock"}),
        ("Risque d'étouffement et de brûlures", {"asphyxiation", "burns"}),
        ("Riesgo de incendio y de descarga eléctrica", {"fire", "electric_shock"}),
        ("Product may contain Listeria monocytogenes", {"listeria"}),
        ("undeclared milk", {"allergens"}),
        ("pieces of metal were found", {"foreign_bodies"}),
        ("The dresser is unstable and can tip over", {"tip_over"}),
    ],
)
def test_hazards_are_named_in_prose(text, codes):
    assert {found.code for found in hazards.find_hazards(text)} == codes


@pytest.mark.parametrize(
    "text",
    [
        "The fire department was called and the worker was fired by the fireplace.", "In the fall of 2024 the firm will lead the way.", "No injuries have been reported.",
        "The jewellery is nickel-free and lead-free.", "a fire extinguisher and a smoke alarm", "消防部门已介入", "铅笔和铅酸电池", "The burner of a gas stove",
        "milk chocolate with eggs", "shock absorbers", "lead time of two weeks", "ohne Nickel", "未发生人身伤害事故",
    ],
)  # fmt: skip
def test_words_that_only_look_like_hazards_name_none(text):
    assert hazards.find_hazards(text) == []


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Plush toy in the form of a bear", {"toys"}), ("儿童睡衣", {"clothing"}), ("Toyota vehicles", {"motor_vehicles"}), ("Steckdosenleiste", {"electrical_appliances"}),
        ("Baby stroller", {"childcare_articles"}), ("充电宝", {"batteries"}), ("smoked salmon", {"fish_and_seafood"}), ("fromage au lait cru", {"dairy"}),
    ],
)  # fmt: skip
def test_categories_are_named_in_prose(text, codes):
    assert {found.code for found in categories.find_categories(text)} == codes


def test_a_find_is_a_place_in_the_text():
    text = "发生了 fire hazard 以及 Stromschlag。"

    found = hazards.find_hazards(text)

    assert [(one.printed, text[one.start : one.end]) for one in found] == [("fire hazard",) * 2, ("Stromschlag",) * 2]


def test_the_words_of_a_source_are_tried_first_and_the_unknown_is_none():
    assert hazards.hazard("Composition", {"composition": "food_additives"}) == "food_additives"
    assert hazards.hazard("A hazard nobody has seen") is None
    assert not hazards.is_known("A hazard nobody has seen")
    assert hazards.hazard("Other") is None
    assert hazards.is_known("Other")


def test_a_wide_code_selects_the_codes_below_it():
    assert {"choking", "suffocation"} < set(hazards.narrower("asphyxiation"))
    assert {"heavy_metals", "lead", "phthalates"} < set(hazards.narrower("chemical"))
    assert "meat" in categories.narrower("food")
    assert hazards.lexicon().broader("lead") == ("lead", "heavy_metals", "chemical")


@pytest.mark.parametrize("name", LEXICONS)
def test_every_code_has_wording_in_both_languages_and_is_its_own_word(name):
    door = LEXICONS[name]
    for code in door.all_codes():
        assert re.search(r"[\u4e00-\u9fff]", door.label(code, "zh"))
        assert door.label(code, "en").isascii()
        assert door.lexicon().code(code) == door.lexicon().code(door.label(code, "zh")) == code
    assert door.label("no_such_code", "en") == "no_such_code"


def test_a_lexicon_that_contradicts_itself_is_refused():
    with pytest.raises(ValueError, match="means both"):
        Lexicon([Term("fire", "火", "Fire", aliases=("blaze",)), Term("burns", "烧", "Burns", aliases=("Blaze",))])
    with pytest.raises(ValueError, match="unknown broader"):
        Lexicon([Term("fire", "火", "Fire", broader="heat")])


def test_long_prose_is_read_quickly():
    begin = time.process_time()
    hazards.find_hazards("posing a risk of fire and choking, 存在起火风险，" * 2000)

    assert time.process_time() - begin < 4.0  # 80 kB; measured 0.8 s


@pytest.mark.parametrize(
    "module",
    [
        "codes",
        "countries",
        "dates",
        "folding",
        "languages",
        "measures",
        "references",
        "hazards",
        "categories",
        "states",
    ],
)
def test_the_examples_in_the_docstrings_are_true(module):
    failed, _ = doctest.testmod(importlib.import_module(f"library.vocabulary.{module}"))

    assert failed == 0
