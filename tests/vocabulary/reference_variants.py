"""Spellings of references, made by rules from the form they must all meet in.

Every rule is a way in which such numbers are really printed or typed: widths, dashes, blanks, slashes left out, case,
the words of a language, a year or a part that is there or is not.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from stdnum import casrn, ean

from library.vocabulary.reading import standards

# fmt: off
DASHES = "-‐‑‒–—―−﹣－"
BLANKS = (" ", "", "\u00a0", "\u3000")
YEARS = itertools.cycle((1998, 2004, 2011, 2014, 2017, 2019, 2020, 2022, 2024))
NUMBERS = itertools.cycle((3, 17, 191, 503, 1047, 2423, 4706, 6675, 9706, 16886, 20234, 31241, 60335))


class Variant(NamedTuple):
    """One spelling; in_prose: it is a reference within a sentence as well, not only where it is all there is."""

    printed: str
    canonical: str
    in_prose: bool = True


def full_width(text: str) -> str:
    return "".join(chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character for character in text)


def dashed(text: str) -> Iterator[str]:
    for dash in DASHES:
        yield text.replace("-", dash)


def same(canonical: str, printed: Iterable[str], *, in_prose: bool = True) -> Iterator[Variant]:
    for form in printed:
        yield Variant(form, canonical, in_prose)


def chinese() -> Iterator[Variant]:
    """Every code with '/T', in the spellings of documents and of staff; then GB and GB/Z with their own."""
    for code in sorted(standards.CHINESE_CODES - {"GBZ", "GBJ", "TSG", "JTG"}):
        number, year = f"{next(NUMBERS)}.{len(code)}", next(YEARS)
        form = f"{code}/T {number}-{year}"
        yield from same(form, (form, form.replace(" ", ""), form.lower(), full_width(form), form.replace("-", "—")))
        yield from same(form, (form.replace("/", "／"), f"{code} / T {number} - {year}", f"{code}／T\u3000{number}－{year}"))
        yield from same(form, (f"{code}T {number}-{year}", f"{code}T{number}—{year}", f"{code}T{number}-{year}".lower()))
        yield from same(f"{code}/T {number}", (f"{code}/T {number}", f"{code}/T{number}", f"{code}∕T {number}"))
        yield from same(f"{code}/T 1234-{year}", (f"{code}/T 1234-{year}", f"{code}/T1234—{year}"))
        if code != "HS":  # 'HS 8517' is a code of goods
            yield from same(f"{code} {number}-{year}", (f"{code} {number}-{year}", f"{code}{number}—{year}"))
        yield from same(f"{code}/T {number}-{year}", (f"{code}/T {number} {year}", f"{code}/T {number.replace('.', ' ')} {year}", f"{code.lower()}t {number} {year}", f"{code}/T_{number}_{year}"), in_prose=False)
        yield from same(f"{code}/T {number}-{year}", (f"{code}/T {number.replace('.', '-')}-{year}", f"{code}/T {number} {year}版"))
    for number in ("6675.2", "4943.1", "18401", "2763"):
        for blank, printed in itertools.product(BLANKS, dashed("-")):
            yield from same(f"GB {number}-2014", (f"GB{blank}{number}{printed}2014", f"gb{blank}{number}{printed}2014"))
        yield from same(f"GB {number}", (f"GB {number}", f"GB{number}", f"ＧＢ{number}"))
        yield from same(f"GB {number}-1986", (f"GB {number}-86", f"GB{number}—86"))
        yield from same(f"GB {number}-2014/XG1-2016", (f"GB {number}-2014/XG1-2016", f"GB{number}—2014／XG 1—2016"))
    for number in ("18620.1-2002", "20288-2006"):
        yield from same(f"GB/Z {number}", (f"GB/Z {number}", f"GBZ {number}", f"gb/z{number}", full_width(f"GB/Z {number}")))


def chinese_as_typed() -> Iterator[Variant]:
    """Words for the letters of a national standard, blanks for the marks of its number."""
    for number in ("6675.2", "4943.1", "31701.4"):
        form = f"GB {number}-2014"
        yield from same(form, (f"国标{number}-2014", f"国家标准 {number}—2014", f"国标号：{number}-2014", f"强制性国标{number}-2014"))
        yield from same(f"GB {number}", (f"国标{number}", f"国家标准{number}", f"国标 {number}"))
        yield from same(f"GB/T {number}", (f"推荐性国标{number}", f"推荐性国家标准 {number}"))
        yield from same(form, (f"GB {number} 2014", f"GB{number.replace('.', ' ')} 2014", f"国标{number} 2014", f"国标 GB {number}-2014", f"国标GB{number} 2014"), in_prose=False)
    for number in ("5606", "18401", "31241"):
        yield from same(f"GB {number}", (f"国标{number}", f"国标 {number}", f"国标 GB {number}", f"国家标准GB{number}"), in_prose=False)


def local_and_group() -> Iterator[Variant]:
    for region, number in itertools.product(("11", "31", "44", "3301", "440300"), ("307", "1339", "4026.1")):
        form = f"DB{region}/T {number}-{next(YEARS)}"
        yield from same(form, (form, form.replace(" ", ""), form.replace("-", "—"), full_width(form), form.lower()))
        yield from same(form, (form.replace("-", " "), form.replace("-", "_")), in_prose=False)
        yield from same(form, (form.replace("DB", "DB "), form.replace("/T", "T"), form.partition("-")[0] + form[-5:]))
        plain = form.replace("/T", "")
        yield from same(plain, (plain, plain.replace(" ", "/"), plain.replace(" ", "/ "), plain.replace("-", "—")))
    for body, number in itertools.product(("CAS", "CNTAC", "ZZB", "GDAQI", "CECS"), ("55-2020", "0467-2023", "1001.2-2021")):
        form = f"T/{body} {number}"
        yield from same(form, (form, form.replace(" ", ""), form.lower(), full_width(form), form.replace("-", "—")))
        yield from same(form, (form.replace("T/", "T / "), form.replace("T/", "T／")))


def international() -> Iterator[Variant]:
    for body, number in itertools.product(("ISO", "IEC"), ("9001", "8124-1", "60335-2-80", "105-B02")):
        year = next(YEARS)
        form = f"{body} {number}:{year}"
        yield from same(form, (form, form.replace(" ", ""), form.lower(), full_width(form), f"{body}-{number}:{year}"))
        yield from same(form, (f"{body} {number}-{year}", f"{body} {number}（{year}）", f"{body} {number} : {year}"))
        yield from same(form, (f"{body} {printed}:{year}" for printed in dashed(number)))
        typed = number.replace("-", " ") if number.replace("-", "").isdecimal() else number
        yield from same(form, (f"{body} {number} {year}", f"{body} {typed} {year}", f"{body.lower()}{number} {year}", f"{body}_{number}_{year}"), in_prose=False)
        yield from same(form, (f"{body} {number}（{year}版）", f"{body} {number} {year}版", f"{body} {number} {year}年版"))
        undated = f"{body} {number}"
        yield Variant(f"{body} {typed}", undated, False)
        yield from same(undated, (undated, undated.replace(" ", ""), undated.lower(), full_width(undated)))
        yield from same(f"{form}/Amd 1:2025", (f"{form}/Amd 1:2025", f"{form}/AMD1:2025", f"{form}+AMD1:2025"))
    for number in ("17025:2017", "27001:2022", "19566-7:2022"):
        form = f"ISO/IEC {number}"
        yield from same(form, (form.replace(":", " "), form.replace(":", " ").lower(), f"ISO/IEC{number}".replace(":", " ")), in_prose=False)
        yield from same(form, (form, f"ISO IEC {number}", f"ISO/IEC{number}", form.lower(), full_width(form)))
        yield from same(form, (f"ISO / IEC {number}", f"ISO／IEC {number}", f"ISO-IEC {number}"))
    for kind, number in itertools.product(("TS", "TR", "PAS"), ("16949", "24971:2020")):
        form = f"ISO/{kind} {number}"
        yield from same(form, (form, f"ISO {kind} {number}", f"ISO/{kind}{number}", form.lower(), full_width(form)))


def european() -> Iterator[Variant]:
    for number, adopter in itertools.product(("71-1:2014", "14682:2014", "60335-2-23:2003"), ("", "BS", "DIN", "NF", "UNE")):
        form = f"{adopter} EN {number}".strip()
        undated = form.partition(":")[0]
        yield from same(form, (form.replace(":", " "), form.replace(":", " ").replace("-", " "), form.replace(":", " ").lower()), in_prose=False)
        if "-1" in undated:
            yield from same(undated, (undated.replace("-1", " 1"), undated.lower().replace("-1", " 1"), undated.replace("-1", "_1"), undated.replace("-1", ".1")), in_prose=False)
        yield from same(form, (form, form.lower(), full_width(form), form.replace(":", "："), form.replace(":", " : ")))
        yield from same(form, (form.replace("EN ", "EN"), form.replace(":", "-"), undated + f" ({form[-4:]})"))
        if adopter:
            yield from same(form, (form.replace(f"{adopter} EN", f"{adopter}-EN"), form.replace(f"{adopter} EN ", f"{adopter}EN")))
        yield from same(undated, (undated, full_width(undated), *dashed(undated)))
        yield from same(f"{form}+A1:2018", (f"{form}+A1:2018", f"{form}/A1:2018", f"{form} + A1:2018", f"{form}＋A1：2018"))
        yield from same(f"{form}+A1", (f"{form}+A1", f"{form}/A1"))
        yield from same(f"{form}+AC:2019", (f"{form}+AC:2019", f"{form}/AC:2019", f"{form.lower()}+ac:2019"))
        yield from same(f"{form}+A1:2018+A2:2020", (f"{form}+A1:2018+A2:2020", f"{form}/A1:2018/A2:2020"))
    for adopter, body in itertools.product(("", "BS ", "DIN ", "NF "), ("ISO", "IEC")):
        form = f"{adopter}EN {body} 12100:2010"
        yield from same(form, (form, form.lower(), full_width(form), form.replace("EN ", "EN-"), form.replace(":", "-")))


def national() -> Iterator[Variant]:
    for letter, number in itertools.product("CDF", ("4236", "963")):
        form = f"ASTM {letter}{number}-17"
        yield from same(form, (form, form.lower(), full_width(form), form.replace(" ", ""), form.replace(" ", "-")))
        yield from same(form, (form.replace("-17", "-2017"), f"ASTM {letter} {number}-17", form.replace("-", "–")))
        yield from same(form, (form.replace("-17", " 17"), form.replace("-17", " 2017"), f"astm {letter} {number} 17"), in_prose=False)
        yield from same(form.removesuffix("-17"), (form.removesuffix("-17"), f"ASTM{letter}{number}"))
    for number in ("94", "2849", "60335-2-80", "4200A"):
        form = f"UL {number}"
        yield from same(form, (form, form.lower(), full_width(form), f"UL{number}", f"ANSI/UL {number}", f"ANSI/CAN/UL {number}"))
        yield from same(f"{form}:2020", (f"{form}:2020", f"UL {number}：2020"))
        yield Variant(f"UL {number} 2020", f"{form}:2020", False)
    for letter, number in itertools.product("CTSZ", ("8101", "9335-1")):
        form = f"JIS {letter} {number}:2020"
        yield from same(form, (form, form.replace(f" {letter} ", f"{letter}"), form.lower(), full_width(form), form.replace(":", "-")))
        yield Variant(form.replace(":", " "), form, False)
        yield from same(form.partition(":")[0], (form.partition(":")[0], f"JIS {letter}{number}", f"JIS-{letter}-{number}"))
    for adopts, number in (("IEC ", "60335-1"), ("ISO ", "9001"), ("", "9704")):
        form = f"KS C {adopts}{number}:2015"
        yield from same(form, (form, form.replace("KS C", "KSC"), form.lower(), full_width(form), form.replace(":", "-")))
        yield from same(form.partition(":")[0], (form.partition(":")[0], f"KS-C {adopts}{number}"))
    for russian, number in itertools.product(("", " R"), ("51232-1998", "7.32-2017", "12.2.003-1991")):
        form = f"GOST{russian} {number}"
        cyrillic = form.replace("GOST", "ГОСТ").replace(" R", " Р")
        yield from same(form, (form, form.lower(), full_width(form), cyrillic, cyrillic.lower(), cyrillic.replace("-", "—")))
    yield from same("GOST R 51232-1998", ("GOST R 51232-98", "ГОСТ Р 51232-98"))
    yield from same("GOST IEC 60335-1-2015", ("GOST IEC 60335-1-2015", "ГОСТ IEC 60335-1-2015", "ГОСТ МЭК 60335-1-2015"))
    for number in ("8124.1", "3112", "60335.2.29"):
        form = f"AS/NZS {number}:2019"
        yield from same(form, (form, f"AS NZS {number}:2019", form.lower(), full_width(form), f"AS/NZS{number}:2019", f"AS / NZS {number}:2019"))
        yield from same(f"AS/NZS {number}", (f"AS/NZS {number}", f"AS-NZS {number}"))
    for number in ("60335-1", "46", "0.4"):
        form = f"CSA C22.2 No. {number}:16"
        yield from same(form, (form, form.replace("No. ", "No."), form.replace("No. ", "NO "), full_width(form), form.replace("CSA", "CAN/CSA")))
        yield from same(form, (form.replace(":16", ":2016"), form.replace("CSA ", "CSA-"), form.replace("CSA ", "CAN/CSA-")))


ACT_WORDS = {"Regulation": "EU", "règlement": "UE", "Verordnung": "EU", "Reglamento": "UE", "regolamento": "UE", "Directive": "EU", "Decision": "EU"}  # fmt: skip


def union_acts() -> Iterator[Variant]:
    for year, number in ((2015, 863), (2017, 745), (2019, 1020), (2023, 988), (2024, 1689), (2025, 40)):
        form = f"EU {year}/{number}"
        yield from same(form, (form, f"({form[:2]}) {year}/{number}", f"(EU){year}/{number}", f"（ＥＵ）{year}／{number}", f"（EU）{year}/{number}"))
        yield from same(form, (f"{word} ({union}) {year}/{number}" for word, union in ACT_WORDS.items()))
        yield from same(form, (f"{word} ({union}) {year}/{number}".lower() for word, union in ACT_WORDS.items()))
        yield from same(form, (f"3{year}R{number:04d}", f"CELEX 3{year}L{number:04d}", f"CELEX:3{year}D{number:04d}", f"celex:3{year}r{number:04d}"))
        yield from same(form, (f"eli/reg/{year}/{number}/oj", f"eli/dir/{year}/{number}", f"欧盟{year}/{number}", f"欧盟条例{year}/{number}"))
        yield from same(form, (full_width(f"(EU) {year}/{number}"), f"(EU) {year} / {number}"))
        yield from same(f"{form}-20250101", (f"0{year}R{number:04d}-20250101", f"CELEX 0{year}R{number:04d}-20250101"))
    for number, year in ((1907, 2006), (1272, 2008), (1223, 2009), (178, 2002), (396, 2005)):
        form = f"EU {number}/{year}"
        for opened, sign in itertools.product(
            ("Regulation (EC)", "règlement (CE)", "Verordnung (EG)", "Reglamento (CE)", "regolamento (CE)", "(EC)", "（ＥＣ）"),
            (" No ", " No. ", " n° ", " Nr. ", " nº ", " "),
        ):
            yield Variant(f"{opened}{sign}{number}/{year}", form)
        yield from same(form, (f"3{year}R{number:04d}", f"eli/reg/{year}/{number}/oj", f"EC {number}/{year}"))
    for year, number in ((2009, 48), (2014, 53), (2006, 42), (2011, 65), (1994, 62)):
        form, short = f"EU {year}/{number}", f"{year % 100}/{number}" if year < 1999 else f"{year}/{number}"
        for word, union in (("Directive ", "EC"), ("directive ", "CE"), ("Richtlinie ", "EG"), ("Directiva ", "CE"), ("Direttiva ", "CE"), ("", "EU"), ("欧盟指令", "EC"), ("", "UE")):  # fmt: skip
            yield from same(form, (f"{word}{short}/{union}", f"{word}{short.replace('/', '／')}/{union}"))
        yield from same(form, (f"3{year}L{number:04d}", f"CELEX 3{year}L{number:04d}", f"eli/dir/{year}/{number}/oj", full_width(f"{short}/EC")))
    yield from named_acts()
    yield from unslashed_acts()
    yield from same("EU 2658/1987", ("Regulation (EEC) No 2658/87", "(EEC) No 2658/87", "règlement (CEE) n° 2658/87", "Verordnung (EWG) Nr. 2658/87", "31987R2658"))
    for issue, year, page in ((119, 2016, 1), (135, 2023, 1), (353, 2008, 1), (11, 2002, 4)):
        form = f"OJ L {issue}/{year} p.{page}"
        yield from same(form, (f"OJ L {issue}, 4.5.{year}, p. {page}", f"OJ L{issue}, 4.5.{year}, p. {page}", f"OJ L {issue} of 4.5.{year}, p. {page}"))
        yield from same(form, (f"JO L {issue} du 4.5.{year}, p. {page}", f"ABl. L {issue} vom 4.5.{year}, S. {page}", f"DO L {issue} de 4.5.{year}, p. {page}", form))
        yield from same(f"OJ L {issue}/{year}", (f"OJ L {issue}, 4.5.{year}", f"OJ L {issue}/{year}"))
    for year, number in ((2023, 462), (2021, 346), (2022, 142)):
        yield from same(
            f"COM({year}) {number}",
            (f"COM({year}) {number} final", f"COM ({year}) {number}", f"COM/{year}/{number}/final", f"5{year}PC{number:04d}", full_width(f"COM({year}){number}")),
        )


def named_acts() -> Iterator[Variant]:
    """Acts by the names they go by, and by the mere word for an act."""
    for name, number in (
        ("REACH", "1907/2006"), ("CLP", "1272/2008"), ("RoHS", "2011/65"), ("RoHS", "2015/863"), ("GPSR", "2023/988"), ("MDR", "2017/745"),
        ("IVDR", "2017/746"), ("WEEE", "2012/19"), ("LVD", "2014/35"), ("GDPR", "2016/679"), ("BPR", "528/2012"), ("PPWR", "2025/40"),
    ):
        form = f"EU {number}"
        yield from same(form, (f"{name} {number}", f"{name}{number}", f"{name}: {number}", f"{name}（{number}）"[:-1], f"{name} No {number}", f"{name.lower()} {number}"))
        yield from same(form, (full_width(f"{name} {number}"), f"{name}法规{number}", f"{name}法规 {number}", f"{name}第{number}", f"{name.upper()} {number.replace('/', ' / ')}"))
    for word, number in itertools.product(("法规", "法規", "条例", "规则", "規則", "규정"), ("1907/2006", "10/2011", "2023/988", "2016/425")):
        yield from same(f"EU {number}", (f"{word}{number}", f"{word} {number}", f"{word}第{number}", f"{word}：{number}", f"{word} No. {number}", full_width(f"{word}{number}")))
    for word, number in itertools.product(("指令", "지침"), ("2009/48", "2014/53", "2011/65")):
        yield from same(f"EU {number}", (f"{word}{number}", f"{word} {number}", f"{word}：{number}", f"{word}{number}/EU"))
    for number in ("1907/2006", "1935/2004", "2023/988"):
        yield from same(f"EU {number}", (f"Regulation {number}", f"regulation {number}", f"regulation No {number}", f"{number}号法规", f"{number}号条例"))
    for number in ("1907/2006", "1272/2008"):
        yield from same(f"EU {number}", (f"法规{number}/EC", f"REACH {number}/EC", f"Regulation {number}/EC"))


def unslashed_acts() -> Iterator[Variant]:
    """Acts with a dash or a blank for their slash, where the Union and the word for an act, or its suffix, stand by."""
    for year, number in ((2015, 863), (2017, 745), (2023, 988), (2024, 1689)):
        form = f"EU {year}/{number}"
        yield from same(form, (f"(EU){year}-{number}", f"Regulation (EU) {year}-{number}", f"EU regulation {year}-{number}", f"EU Regulation {year}/{number}"))
        yield from same(form, (f"EU Reg. {year}/{number}", f"Reg. (EU) {year}/{number}", f"（EU）{year}—{number}"))
        yield from same(form, (f"EU {year}-{number}", f"eu {year} {number}", f"regulation {year}-{number}", f"Regulation EU {year} {number}", f"eu regulation {year} {number}", f"EU-{year}-{number}"), in_prose=False)
        yield from same(form, (f"欧盟法规{year}-{number}", f"欧盟 {year}-{number}", f"欧盟条例{year} {number}", f"欧盟{year}/{number}号法规", f"EU法规{year}-{number}"), in_prose=False)
    for year, number in ((2009, 48), (2014, 53), (2011, 65)):
        form = f"EU {year}/{number}"
        yield from same(form, (f"{year}-{number}-EU", f"Directive {year}-{number}-EC", f"EU directive {year}-{number}", f"Dir. {year}/{number}/EU"))
        yield from same(form, (f"指令{year}-{number}-EU", f"directive {year} {number} EU", f"RED {year}/{number}", f"RED指令{year}/{number}/EU", f"{year}/{number}指令"), in_prose=False)
    for number, year in ((1907, 2006), (1272, 2008), (1223, 2009), (528, 2012)):
        form = f"EU {number}/{year}"
        yield from same(form, (f"Reg. {number}/{year}", f"EU Reg. No. {number}/{year}", f"Regulation (EC) No {number}-{year}", f"{number}-{year}-EC", f"{number}/{year}/EC"))
        yield from same(form, (f"No {number}/{year}", f"no. {number}/{year}", f"EC {number}-{year}", f"REACH {number}-{year}"), in_prose=False)


def american() -> Iterator[Variant]:
    for title, part, section in ((16, 1501, 2), (21, 101, 9), (47, 15, 247), (49, 571, 108), (40, 770, 3)):
        form = f"{title} CFR {part}"
        yield from same(
            form,
            (
                form,
                f"{title} CFR part {part}",
                f"{title} CFR Part {part}",
                f"{title} C.F.R. Part {part}",
                f"{title}CFR{part}",
                f"{title} cfr {part}",
                f"{title} CFR Pt. {part}",
                full_width(form),
            ),
        )
        yield from same(
            form,
            (
                f"title {title} CFR pt. {part}",
                f"Title {title} CFR {part}",
                f"Title {title}, Part {part}, Code of Federal Regulations",
                f"title {title} of the Code of Federal Regulations, part {part}",
                f"part {part} of title {title}, Code of Federal Regulations",
                f"{title} Code of Federal Regulations part {part}",
                f"CFR title {title} part {part}",
                f"{title}-CFR-{part}",
                f"美国联邦法规第{title}篇第{part}部分",
                f"联邦法规第{title}卷{part}",
            ),
        )
        yield from same(form, (f"title {title} part {part}", f"CFR {title} {part}"), in_prose=False)
        form = f"{form}.{section}"
        yield from same(form, (f"section {part}.{section} of title {title}, Code of Federal Regulations", f"CFR {title} § {part}.{section}", f"title {title} CFR {part}.{section}"))
        yield from same(
            form,
            (
                form,
                f"{title} C.F.R. § {part}.{section}",
                f"{title} CFR §{part}.{section}",
                f"{title} CFR section {part}.{section}",
                f"{title}CFR {part}.{section}",
                full_width(form),
                form.lower(),
            ),
        )
        yield from same(f"{form}(a)(1)", (f"{form}(a)(1)", f"{form} (a)(1)", f"{title} C.F.R. § {part}.{section}(a)(1)"))
    for volume, page in ((75, 81766), (87, 72598), (88, 65274), (89, 2530)):
        form = f"{volume} FR {page}"
        yield from same(form, (form, f"{volume} Fed. Reg. {page}", f"{volume} FR {page:,}", f"{volume} F.R. {page:,}", f"{volume}FR{page}", f"{volume} Fed. Reg. {page:,}", full_width(form)))
        yield from same(form, (form.lower(), form.lower().replace(" ", ""), f"Fed Reg {volume} {page}", f"FR {volume} {page}"), in_prose=False)
        yield from same(form, (f"{volume} Fed Reg {page}", f"{volume} Federal Register {page}", f"{volume}-FR-{page}", f"Federal Register, vol. {volume}, p. {page}", f"联邦公报第{volume}卷第{page}页"))
    for number in ("2023-28978", "2024-01097", "2010-32178"):
        yield from same(number, (number, f"FR Doc. {number}", f"FR Doc. No. {number}", f"FR Doc {number}", full_width(number), *dashed(number)))
        yield from same(number, (f"document number {number}", f"federal register document no. {number}", f"联邦公报文件号 {number}"))
        yield from same(number, (printed.replace("-", " ") for printed in (f"FR Doc. {number}", f"federal register document no. {number}", f"document no. {number}")))
    for number in ("26-761", "25-030", "19-112"):
        form = f"CPSC {number}"
        yield from same(
            form,
            (
                form,
                f"CPSC recall {number}",
                f"CPSC Recall No. {number}",
                f"Recall number: {number}",
                form.replace("-", ""),
                full_width(form),
                form.lower(),
                f"recall no. {number}",
                f"CPSC {number.replace('-', '–')}",
            ),
        )
        yield Variant(number, form, False)
    for letter in "FHZDBVN":
        form = f"{letter}-1021-2020"
        yield from same(form, (form, form.lower(), full_width(form), *dashed(form)))
        yield from same(form, (f"{letter} 1021-2020", f"{letter}1021-2020"), in_prose=False)
    for number in ("031-2024", "030-2024-EXP"):
        yield from same(f"FSIS {number}", (f"FSIS {number}", f"FSIS recall {number}", f"FSIS-RC-{number}", f"recall {number}", f"fsis {number}", full_width(f"FSIS {number}")))
        yield Variant(number, f"FSIS {number}", False)
    for year, letter, number in (("20", "V", "314"), ("14", "V", "047"), ("23", "E", "838"), ("21", "T", "005")):
        form = f"{year}{letter}{number}000"
        yield from same(
            form,
            (form, form.lower(), full_width(form), f"{year}{letter}-{number}000", f"NHTSA {year}{letter}-{number}", f"NHTSA campaign number {form}", f"NHTSA recall {year}{letter}{number}"),
        )
        yield from same(form, (f"{year}{letter}-{number}", f"{year}{letter}{number}"), in_prose=False)


def trade() -> Iterator[Variant]:
    for area, member in itertools.product(("TBT", "SPS"), ("CHN", "USA", "EU", "BRA", "TPKM")):
        for suffix in ("", "/Add.1", "/Rev.2", "/Corr.3", "/Add.1/Corr.1", "/Suppl.4"):
            form = f"G/{area}/N/{member}/366{suffix}"
            yield from same(form, (form, form.lower(), full_width(form), form.removeprefix("G/"), form.replace("/", " / ")))
            yield from same(form, (form.replace("/", "-"), form.replace(".", ". "), form.replace("/", "／")))
            yield Variant(form.replace("/", " "), form)
            glued = re.sub(r"[/.]", "", form)
            yield from same(form, (form.replace("/", "_"), form.replace("/", "."), form.replace("/", "\\"), glued, glued.lower(), glued.removeprefix("G")))
            yield from same(form, (form.replace("/", "-").replace(".", "-"), form.replace(f"N/{member}", f"N{member}"), form.lower().replace("/", "_")))
            yield from same(form, (form.replace("/", "").replace(".", "."), form.replace("Add", "Addendum").replace("Corr", "Corrigendum").replace(".", " ")))
        for suffix in ("", "/Add.1", "/Rev.2/Corr.1"):
            form, short = f"G/{area}/N/{member}/2208{suffix}", f"{member}/2208{suffix}"
            yield from same(form, (f"{area}/{short}", f"{area} {short}", f"{area}通报{short}", f"{area}通报N/{short}", f"{area}通报号：{short}"))
            yield from same(form, (f"{area} notification {short}", f"{area} notification N/{short}", full_width(f"{area}/{short}"), f"{area}-{short}"))
        form = f"G/{area}/N/{member}/2208"
        typed = (f"{area} {member} 2208", f"{area} {member}2208", f"{area}通报 {member} 2208", f"{area}通报 {member} 2208号", f"{member} 2208 {area}", f"{area} notification {member} 2208", f"{area}_{member}_2208")
        yield from same(form, (*typed, *(printed.lower() for printed in typed)), in_prose=False)
        yield from same(form, (f"{member}/2208 {area}", f"{member}/2208 {area} notification", f"{member}/2208 {area}通报", f"{area}通报{member}/2208号"))
        yield from same(f"G/{area}/N/{member}", (f"G/{area}/N/{member}", f"g/{area.lower()}/n/{member.lower()}"))
        yield from same(f"G/{area}/N/{member}", (f"g-{area.lower()}-n-{member.lower()}", f"G {area} N {member}", f"G_{area}_N_{member}", f"G{area}N{member}"), in_prose=False)
    for area, (member, country) in itertools.product(("TBT", "SPS"), (("USA", "美国"), ("KEN", "肯尼亚"), ("EU", "欧盟"), ("TPKM", "中国台湾"), ("KEN", "Kenya"), ("USA", "United States"), ("USA", "US"))):
        form = f"G/{area}/N/{member}/2208"
        gap = " " if country.isascii() else ""
        yield from same(form, (f"{country}{gap}{area}通报2208号", f"{country}{gap}{area}通报第2208号", f"{country} {area} notification no. 2208"))
        yield from same(form, (f"{country}{gap}{area}通报2208", f"{country} {area} 2208", f"{country} {area} notification 2208"), in_prose=False)


def cases() -> Iterator[Variant]:
    for kind, number, year in itertools.product(("A11", "A12", "SR", "OR"), (1187, 2222), (14, 22, 26)):
        form = f"{kind}/0{number}/{year}"
        yield from same(form, (form, form.lower(), full_width(form), f"{kind}/{number}/{year}", form.replace("/", " / "), form.replace("/", "∕")))
        yield from same(form, (form.replace("/", mark) for mark in "-._ "), in_prose=False)
        yield from same(form, (f"{kind} 0{number}/{year}", f"{kind}0{number}/{year}", f"{kind.lower()} {number} {year}", f"{kind} 0{number}-{year}"), in_prose=False)
        yield from same(form, (f"RAPEX {kind} 0{number} {year}", f"安全门{kind}-0{number}-{year}"), in_prose=False)
    for notification in ("2024.8046", "2021.0315", "2019.4377"):
        yield from same(notification, (notification, f"RASFF {notification}", f"RASFF notification {notification}", f"rasff {notification}", full_width(notification), f"notification reference {notification}"))


def goods() -> Iterator[Variant]:
    for digits in ("95", "9503", "850760", "85176200", "8517620000"):
        form = f"HS {digits}"
        pairs = [digits[:4], *(digits[at : at + 2] for at in range(4, len(digits), 2))]
        yield from same(
            form,
            (form, f"HS code {digits}", f"HS编码{digits}", full_width(form), form.lower(), f"HS: {digits}", f"HS code(s): {digits}", f"HS {'.'.join(pairs)}", f"HTS {' '.join(pairs)}"),
        )
        if len(digits) > 2:
            yield from same(form, (f"{word}{digits}" for word in ("海关税号", "税号", "税则号列", "海关编码", "海关商品编码", "关税税号", "税目号", "品目", "HS码", "海关HS编码", "HSコード", "HSCODE")))
            yield from same(form, (f"{word} {digits}" for word in ("tariff heading", "customs tariff number", "commodity code", "harmonized code", "HS code no.", "HTS number", "税则号列", "関税コード")))
            yield from same(form, (f"HS{digits}", f"商品编码：{digits}", f"税号{'.'.join(pairs)}", f"tariff code {digits}", f"heading {'.'.join(pairs)}"))
        if len(digits) > 4:
            yield Variant(".".join(pairs), form)
    for code in ("97", "97.190", "97.200.50", "13.020"):
        form = f"ICS {code}"
        yield from same(form, (form, f"ICS：{code}", f"ICS code(s): {code}", f"ics {code}", full_width(form), f"ICS分类号{code}", f"国际标准分类号：{code}", f"ICS{code}"))
        if "." in code:
            yield Variant(code, form, code.count(".") > 1)
    for body in ("80-54", "117-81", "7439-92", "28553-12", "50-00", "108-88"):
        number = f"{body}-{casrn.calc_check_digit(body)}"
        yield from same(
            f"CAS {number}",
            (number, f"CAS {number}", f"CAS No. {number}", f"CAS-Nr. {number}", f"CAS编号：{number}", f"CAS号{number}", f"cas {number}", f"CAS{number}", full_width(number), *dashed(number)),
        )
    for body in ("590123412345", "690102807576", "400638133393", "544900000099", "03600029145", "9638507"):
        number = body + ean.calc_check_digit(body)
        form = f"GTIN {number:0>14}"
        name = {8: "EAN-8", 12: "UPC", 13: "EAN"}[len(number)]
        yield from same(
            form,
            (
                f"{name} {number}",
                f"{name}: {number}",
                f"GTIN {number}",
                f"条形码：{number}",
                f"商品条码{number}",
                f"barcode {number}",
                f"{name.lower()} {number}",
                f"{name}码{number}",
                full_width(f"EAN {number}"),
                f"EAN{number}",
            ),
        )
        yield from same(form, (f"GTIN-14: {number:0>14}", f"EAN {number[0]} {number[1:7]} {number[7:]}"))
        yield Variant(number, form, len(number) == 13)


KINDS = {
    "Chinese standards": chinese, "Chinese standards as typed": chinese_as_typed, "local and group standards": local_and_group, "ISO and IEC": international, "EN and its adoptions": european,
    "national standards": national, "acts of the Union": union_acts, "American numbers": american, "WTO symbols": trade,
    "case numbers": cases, "goods and substances": goods,
}  # fmt: skip


def variants(kind: str) -> list[Variant]:
    """The spellings of one kind, each once."""
    return list(dict.fromkeys(KINDS[kind]()))
