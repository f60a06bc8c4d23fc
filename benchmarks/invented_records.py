"""Invented records by the hundred thousand, in five languages: goods, dangers and firms of the practice publishers.

A few words stand in half of the records and most in a handful, as in a real library: each text carries names and
numbers of its own beside the sentences of the trade.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from crawlers.practice import goods
from library.record import Coded, Kind, Measure, Operator, Product, Record, Text
from library.vocabulary import hazards

LAST_DAY = date(2026, 3, 1)
SPAN_DAYS = 3000
SYLLABLES = ("ka", "lo", "mi", "ren", "tas", "vo", "del", "pur", "shi", "no", "gra", "bel", "zu", "ter", "fa", "quin")
CHINESE = (
    "该产品的小零件容易脱落，儿童可能将其放入口中导致窒息。",
    "电池仓无需工具即可打开，儿童可能误吞纽扣电池，造成内部灼伤。",
    "产品绝缘不足，使用者可能触及带电部件而触电。",
    "充电时锂电池可能过热起火，引发火灾。",
    "产品塑料中邻苯二甲酸酯含量超过限量，存在化学危害。",
    "经抽样检验，产品不符合国家标准的安全技术要求，生产企业已实施召回。",
    "请消费者立即停止使用，并联系经销商办理退货退款。",
    "主管部门已责令停止销售，并要求生产者采取补救措施。",
)
EUROPEAN = {
    "fr": "Le produit présente un risque et n'est pas conforme aux exigences de sécurité. Les consommateurs sont priés "
    "de cesser immédiatement de l'utiliser et de le rapporter au magasin.",
    "de": "Das Produkt entspricht nicht den Anforderungen an die Produktsicherheit. Verbraucher werden gebeten, es "
    "nicht mehr zu verwenden und an den Händler zurückzugeben.",
    "es": "El producto no cumple los requisitos de seguridad. Se ruega a los consumidores que dejen de utilizarlo y lo "
    "devuelvan a la tienda.",
}
ENGLISH = (
    "Consumers should stop using it at once and return it to the shop for a full refund.",
    "The authority has ordered the withdrawal of the product from the market.",
    "The firm has received several reports of incidents, and no injuries are known.",
    "It was sold online and in shops nationwide between spring and autumn of last year.",
)


def records(count: int, *, seed: int = 11) -> Iterator[Record]:
    """So many recalls and notifications, the same every time."""
    for index in range(count):
        yield _record(index, Random(f"{seed}/{index}"))


def _record(index: int, dice: Random) -> Record:
    good, maker, notifier = dice.choice(goods.GOODS), goods.origin(dice), dice.choice(goods.NOTIFIERS)
    hazard = dice.choice(good.hazards)
    brand, model = goods.brand(dice), goods.model(dice)
    language = dice.choice(("en", "en", "en", "en", "zh", "zh", "fr", "de", "es"))
    native = {"en": good.name, "fr": good.french} | good.native
    printed = native.get(language, good.name)
    kind = Kind.NOTIFICATION if index % 10 == 0 else Kind.RECALL
    key = f"G/TBT/N/{notifier.code}/{index}" if kind is Kind.NOTIFICATION else f"SR/{index:06d}/26"
    words = [printed.split(", ")[0] for printed in (hazard.european,)]
    return Record(
        source="wto_eping" if kind is Kind.NOTIFICATION else "eu_safety_gate",
        key=key,
        kind=kind,
        references=(key,),
        jurisdictions=(Coded(printed=notifier.name, code=notifier.code),),
        titles=(Text(language=language, value=f"{printed} {brand} {model}"),),
        texts=(
            Text(language=language, label="risk", value=_text(dice, language, good, hazard)),
            Text(language="en", label="note", value=" ".join(name(dice) for _ in range(12))),
        ),
        published=LAST_DAY - timedelta(days=int(SPAN_DAYS * dice.random() ** 1.5)),
        categories=(Coded(printed=good.european),),
        products=(Product(name=printed, brand=brand, model=model, gtins=(goods.gtin(dice),)),),
        hazards=tuple(Coded(printed=word, code=hazards.hazard(word)) for word in words),
        measures=(Measure(printed="Recall of the product from end users"),),
        origins=(Coded(printed=maker.name, code=maker.code),),
        operators=(Operator(name=goods.firm(dice, maker)),),
        hs_codes=(Coded(printed=good.hs, code=good.hs),),
        ics_codes=(Coded(printed=good.ics, code=good.ics),),
    )


def _text(dice: Random, language: str, good: goods.Good, hazard: goods.Hazard) -> str:
    if language == "zh":
        return (
            "".join(dice.sample(CHINESE, 3))
            + f"型号{goods.model(dice)}，执行标准 GB {dice.randrange(1000, 40000)}-2014。"
        )
    sentence = hazard.sentence.format(thing=good.name.lower())
    law = hazard.law.format(standard=f"{good.standard}:{dice.randrange(2001, 2026)}")
    rest = " ".join(dice.sample(ENGLISH, 2)) if language == "en" else EUROPEAN[language]
    return f"{sentence} {law} {rest}"


def name(dice: Random) -> str:
    """A word that stands in few records, of some 60,000."""
    return "".join(dice.choices(SYLLABLES, k=4)).capitalize()
