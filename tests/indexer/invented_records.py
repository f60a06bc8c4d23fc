"""Invented records, as the parsers of this world would leave them."""

from __future__ import annotations

from datetime import date

from indexer.engines.tantivy import TantivyEngine
from library.record import Coded, Kind, Measure, Operator, Product, Record, Status, Text

ENGINES = {"tantivy": TantivyEngine}


def coded(printed: str, code: str | None = None) -> Coded:
    return Coded(printed=printed, code=code)


BALLOONS = Record(
    source="eu_safety_gate",
    key="SR/09222/26",
    kind=Kind.RECALL,
    references=("SR/09222/26",),
    jurisdictions=(coded("Hungary", "HU"),),
    titles=(Text(language="en", value="Balloons for children"),),
    texts=(
        Text(
            language="en",
            label="risk",
            value="A child may put the small parts in its mouth and choke. The toy does not comply with EN 71-1:2014.",
        ),
    ),
    published=date(2026, 5, 8),
    categories=(coded("Toys", "toys"),),
    hazards=(coded("Choking", "choking"),),
    measures=(Measure(printed="Recall of the product from end users"),),
    origins=(coded("People's Republic of China", "CN"),),
    products=(Product(name="Party balloons", brand="Zwölfstern", model="AB-1234/5", gtins=("00196710005616",)),),
)
POWER_BANK = Record(
    source="us_cpsc",
    key="26-999",
    kind=Kind.RECALL,
    references=("26-999",),
    jurisdictions=(coded("United States", "US"),),
    titles=(Text(language="en", value="Firm recalls power banks due to fire hazard"),),
    texts=(
        Text(
            language="en",
            value="The lithium-ion battery can overheat after a short circuit. Long or short, it fails.",
        ),
    ),
    published=date(2026, 3, 2),
    categories=(coded("Power banks", "batteries"),),
    hazards=(coded("Fire", "fire"),),
    origins=(coded("China", "CN"),),
    operators=(Operator(name="Boar's Head Electric"),),
    hs_codes=(coded("8507.60", "850760"),),
)
BATTERIE = Record(
    source="eu_safety_gate",
    key="SR/09223/26",
    kind=Kind.RECALL,
    references=("SR/09223/26",),
    jurisdictions=(coded("France", "FR"),),
    titles=(Text(language="fr", value="Batterie externe de secours"),),
    texts=(Text(language="fr", value="Le produit présente un risque d'étouffement et de brûlures."),),
    published=date(2025, 12, 31),
    origins=(coded("Unknown"),),
    status=Status(state="ended", printed="closed"),
)
GB_STANDARD = Record(
    source="cn_openstd_samr",
    key="GB/T 5606.1-2004",
    kind=Kind.STANDARD,
    references=("GB/T 5606.1-2004",),
    jurisdictions=(coded("中国", "CN"),),
    titles=(
        Text(language="zh", value="卷烟 第1部分：抽样"),
        Text(language="en", value="Cigarettes - Part 1: Sampling"),
    ),
    published=date(2004, 6, 1),
    ics_codes=(coded("65.160", "65.160"),),
)
GB_LATER = GB_STANDARD.model_copy(
    update={"key": "GB/T 5606.2-2005", "references": ("GB/T 5606.2-2005",), "published": date(2005, 6, 1)}
)
EU_ACT = Record(
    source="eu_cellar",
    key="32024R0903",
    kind=Kind.REGULATION,
    references=("32024R0903", "Regulation (EU) 2024/903"),
    jurisdictions=(coded("EU", "EU"),),
    titles=(
        Text(language="en", value="Regulation on a high level of public sector interoperability"),
        Text(language="de", value="Verordnung über die Interoperabilität des öffentlichen Sektors"),
    ),
    published=date(2024, 3, 22),
    in_force=date(2024, 4, 11),
)
EU_CITING = EU_ACT.model_copy(
    update={
        "key": "32025R0111",
        "references": ("32025R0111",),
        "titles": (Text(language="en", value="Amending act on forms"),),
        "texts": (
            Text(language="en", value="Having regard to Regulation (EU) 2024/903, and in particular its forms,"),
        ),
        "published": date(2025, 2, 1),
    }
)
NOTIFICATION = Record(
    source="wto_eping",
    key="G/TBT/N/CHN/9072",
    kind=Kind.NOTIFICATION,
    references=("G/TBT/N/CHN/9072",),
    jurisdictions=(coded("China", "CN"),),
    titles=(
        Text(language="en", value="National Standard of the P.R.C., Safety of toys"),
        Text(language="zh", value="儿童玩具安全国家标准"),
    ),
    published=date(2026, 1, 10),
    comments_until=date(2026, 3, 11),
)
JAPANESE = Record(
    source="jp_egov_law",
    key="421AC0000000050",
    kind=Kind.REGULATION,
    jurisdictions=(coded("Japan", "JP"),),
    titles=(Text(language="ja", value="消費者安全法"),),
    texts=(Text(language="ja", value="プラスチックハンガーの安全性について"),),
)
RECORDS = (BALLOONS, POWER_BANK, BATTERIE, GB_STANDARD, GB_LATER, EU_ACT, EU_CITING, NOTIFICATION, JAPANESE)
