"""One canonical form for every spelling of a number, at index and at query time, and nothing for look-alikes."""

from __future__ import annotations

import itertools
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from library.vocabulary.references import canonical, find_references, ladder
from tests.vocabulary.reference_variants import KINDS, variants

CHINESE = "根据{}的规定，产品应当符合要求。" + "其余内容从略。" * 12  # beyond the length of a query
ENGLISH = "As was said in {} before, the product must be safe. " + "What else there is to say is left out here. " * 2


def lines(name: str) -> list[str]:
    """The lines of a file of labelled texts, without its comments."""
    text = (Path(__file__).parent / "references" / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def digits(text: str) -> list[str]:
    return re.findall(r"\d", text)


SPELLINGS = {
    "GB/T 1.1-2020": ["GB/T 1.1-2020", "GB/T1.1—2020", "gb/t 1.1-2020", "GBT 1.1-2020", "gbt1.1–2020", "ＧＢ／Ｔ　１．１－２０２０", "GB∕T 1.1 — 2020"],
    "GB/T 5606.1-2004": ["GBT5606.1—2004", "GB/T\u200b 5606.1-2004", "GB / T 5606.1-2004", "GB/T 5606.1:2004"],
    "GB/T 1.1-2009": ["GB T 1.1-2009", "GB_T 1.1-2009", "GB-T1.1—2009"],
    "EN 71-3": ["EN 71 part 3", "EN71-3", "EN-71-3", "EN 71, Teil 3"],
    "EN IEC 62368-1": ["IEC/EN 62368-1", "EN/IEC 62368-1"],
    "JIS C 62368-1:2018": ["JIS C 62368-1:2018", "JISC62368-1-2018"],
    "DIN VDE 0620-1": ["DIN VDE 0620-1", "DIN-VDE 0620-1"],
    "EU 1272/2008": ["（EC）第1272/2008", "(EC) 1272/2008"],
    "GB/T 1.1": ["gbt 1.1", "GB/T1.1", "ＧＢ／Ｔ１．１"],
    "GB 6675-1986": ["GB 6675-86", "gb6675—86"],
    "GB/Z 18620.1": ["GBZ 18620.1", "GB/Z18620.1"],
    "GBZ 2.1-2019": ["GBZ2.1—2019"],
    "GBZ/T 192.1-2007": ["GBZ/T 192.1-2007", "gbzt192.1-2007"],
    "GB 4943.1-2022/XG1-2023": ["GB 4943.1—2022/XG1—2023", "GB4943.1-2022 / XG 1-2023"],
    "SN/T 1234-2020": ["SN/T1234—2020", "snt 1234-2020", "SN／T 1234－2020"],
    "YY 0505-2012": ["YY0505-2012", "yy 0505—2012"],
    "T/ZS 0467-2023": ["T/ZS 0467—2023", "t/zs0467-2023", "T／ZS 0467－2023"],
    "DB3411/T 0053-2024": ["DB3411/T 0053—2024", "DB 3411/T 0053-2024", "db3411/t0053-2024", "DB3411T 0053-2024"],
    "DB31 405-2021": ["DB31/ 405-2021", "DB31/405—2021", "DB31 405-2021"],
    "ISO/IEC 17025:2017": ["ISO/IEC 17025:2017", "iso/iec17025-2017", "ISO IEC 17025：2017", "ISO/IEC 17025 : 2017"],
    "ISO 9001:2015": ["ISO 9001:2015", "ISO9001-2015", "iso 9001（2015）", "ISO-9001:2015"],
    "ISO 105-B02:2014": ["ISO 105-B02:2014", "iso105-b02-2014"],
    "ISO/TS 16949": ["ISO/TS 16949", "ISO TS 16949", "ISO/TS16949"],
    "ISO/IEC 19566-7:2022/Amd 1:2025": ["ISO/IEC 19566-7:2022/Amd 1:2025", "ISO/IEC 19566-7:2022/AMD1:2025"],
    "IEC 60335-2-80": ["IEC 60335-2-80", "iec60335-2-80", "IEC 60335‑2‑80"],
    "EN 71-1:2014+A1:2018": ["EN 71-1:2014+A1:2018", "EN71-1:2014/A1:2018", "en 71-1：2014＋A1：2018", "EN 71-1:2014 + A1:2018"],
    "EN 13250:2014+A1:2015": ["EN 13250:2014/A1:2015", "EN 13250:2014+A1:2015"],
    "EN 300 328": ["EN 300 328", "EN 300 328 V2.2.2", "en 300 328"],
    "BS EN ISO 12100:2010": ["BS EN ISO 12100:2010", "BS-EN ISO 12100:2010", "bs en iso 12100-2010"],
    "DIN EN 71-1": ["DIN EN 71-1", "DINEN71-1", "din en 71-1"],
    "ASTM F963-17": ["ASTM F963-17", "astm f 963-17", "ASTM F963-2017", "ASTM-F963–17"],
    "UL 2849": ["UL 2849", "UL2849", "ul-2849", "ANSI/UL 2849", "ANSI/CAN/UL 2849"],
    "JIS T 8101:2020": ["JIS T 8101:2020", "JIST8101:2020", "jis t 8101-2020"],
    "KS C IEC 60335-1:2012": ["KS C IEC 60335-1:2012", "KSC IEC 60335-1:2012"],
    "GOST R 51232-1998": ["GOST R 51232-98", "ГОСТ Р 51232-98", "гост р 51232—98"],
    "AS/NZS 8124.1:2019": ["AS/NZS 8124.1:2019", "AS NZS 8124.1:2019", "AS/NZS 8124.1：2019"],
    "CSA C22.2 No. 60335-1:16": ["CSA C22.2 No. 60335-1:16", "CAN/CSA-C22.2 No. 60335-1:16"],
    "EU 2024/903": ["CELEX 32024R0903", "CELEX-32024R0903", "32024R0903", "(EU) 2024/903", "（EU）2024/903", "Regulation (EU) 2024/903", "EU 2024/903", "eu2024/903", "règlement (UE) 2024/903", "Verordnung (EU) 2024/903", "eli/reg/2024/903/oj", "L_202400903", "(EU)2024/903"],
    "EU 1907/2006": ["Regulation (EC) No 1907/2006", "(EC) No 1907/2006", "32006R1907", "règlement (CE) n° 1907/2006", "EC 1907/2006", "Verordnung (EG) Nr. 1907/2006"],
    "EU 2009/48": ["2009/48/EC", "Directive 2009/48/EC", "2009/48/CE", "Richtlinie 2009/48/EG", "32009L0048", "CELEX:32009L0048", "欧盟指令2009/48/EC"],
    "EU 2658/1987": ["Regulation (EEC) No 2658/87", "31987R2658"],
    "EU 1976/768": ["76/768/EEC", "Directive 76/768/EEC", "31976L0768"],
    "COM(2025) 6": ["COM(2025) 6 final", "COM (2025) 6", "com(2025)6", "52025PC0006"],
    "OJ L 119/2016 p.1": ["OJ L 119, 4.5.2016, p. 1", "JO L 119 du 4.5.2016, p. 1", "ABl. L 119 vom 4.5.2016, S. 1"],
    "16 CFR 1501": ["16 CFR part 1501", "16 CFR 1501", "16 C.F.R. Part 1501", "16CFR1501"],
    "16 CFR 1501.2": ["16 CFR 1501.2", "16 C.F.R. § 1501.2"],
    "89 FR 2530": ["89 FR 2530", "89 Fed. Reg. 2530", "89 F.R. 2,530", "89fr2530"],
    "2023-28978": ["2023-28978", "FR Doc. 2023-28978", "FR Doc. No. 2023-28978"],
    "G/TBT/N/BRA/366/Add.1/Corr.1": ["G/TBT/N/BRA/366/Add.1/Corr.1", "g/tbt/n/bra/366/add.1/corr.1", "TBT/N/BRA/366/Add.1/Corr.1", "G/TBT/N/BRA/366/Add. 1/Corr. 1", "G／TBT／N／BRA／366／Add.1／Corr.1"],
    "G/TBT/N/KEN/1808": ["g-tbt-n-ken-1808", "G/TBT/N/KEN/1808", "tbt/n/ken/1808", "G TBT N KEN 1808"],
    "G/TBT/N/CHN": ["G/TBT/N/CHN", "TBT/N/CHN"],
    "A12/1187/13": ["A12/1187/13", "a12/1187/13", "A12/01187/13"],
    "SR/02222/26": ["SR/02222/26", "SR 02222/26", "sr/2222/26", "SR-02222-26"],
    "2024.8046": ["2024.8046", "RASFF 2024.8046", "RASFF notification 2024.8046"],
    "CPSC 26-761": ["26-761", "CPSC 26-761", "CPSC 26761", "Recall number: 26-761", "CPSC Recall No. 26-761"],
    "F-1021-2020": ["F-1021-2020", "f-1021-2020", "F 1021-2020", "F–1021–2020"],
    "FSIS 031-2024": ["031-2024", "FSIS 031-2024", "FSIS recall 031-2024", "FSIS-RC-031-2024"],
    "20V314000": ["20V314000", "20V-314", "20v314", "NHTSA 20V-314", "NHTSA campaign number 20V314000"],
    "HS 8517": ["HS 8517", "HS code 8517", "HS code(s): 8517", "hs编码8517", "商品编码：8517", "HS 85.17"],
    "HS 95030021": ["HS 9503.00.21", "9503.00.21", "HS code: 95030021", "HTS 9503 00 21"],
    "ICS 97.200.50": ["ICS 97.200.50", "97.200.50", "ICS code(s): 97.200.50", "ICS：97.200.50"],
    "CAS 80-54-6": ["80-54-6", "CAS 80-54-6", "CAS No. 80-54-6", "CAS编号：80-54-6"],
    "GTIN 00196710005616": ["UPC 196710005616", "EAN 0196710005616", "UPC: 1 96710 00561 6", "GTIN-14: 00196710005616", "条形码：0196710005616"],
    "SOR/2016-188": ["SOR/2016-188", "DORS/2016-188"],
    "SI 2019/1434": ["S.I. 2019/1434", "SI 2019/1434", "uksi/2019/1434"],
    "昭和27年法律第231号": ["昭和二十七年法律第二百三十一号", "昭和27年法律第231号"],
    "海关总署公告2023年第58号": ["海关总署公告2023年第58号", "海关总署2023年第58号公告"],
    "CXS 192-1995": ["CODEX STAN 192-1995", "CXS 192-1995"],
    "UN R155": ["UN Regulation No. 155", "UNECE R155", "UN R155"],
    "TR CU 008/2011": ["TR CU 008/2011", "ТР ТС 008/2011"],
}  # fmt: skip

LOOK_ALIKES = [
    "the season 2024/2025", "in 2024/2025", "open 24/7", "EN is the code of a language", "UL Lafayette", "publié en 2015-2016", "en 2024 se publicó",
    "en 71 países", "call 1-800-638-2772 or 555-123-4567", "+86 138 1234 5678", "电话 010-82261056", "model XR-2020-12345", "v2.1.0", "version 10.100.20",
    "Windows 10.0.19045", "$1,234.56", "USD 1299.00", "9503.00 EUR", "the price is 1234.56", "on 2024-05-01 and 01/05/2024", "5.3.2024", "16 GB 2400 MHz",
    "8 GB of memory", "in GB 2023", "a camera at ISO 400", "192.168.10.25", "lot 2024-05-1", "EU 2024/2025 budget", "as 2024-2025 results", "the T/F ratio",
    "0024/05 pages of it", "about 26761 units", "26-761 pieces", "a 20V-314 drill", "a 12V300 battery", "A4 paper", "SN 12345678", "HB pencils 2020-2021",
    "room 97.200", "13.020 kg", "DB9 connector", "80 dB 20 m away", "12:30-14:45", "1/2 cup and 3/4 inch", "10/12/13", "high school HS students",
    "(C) 2024 Company", "the U.S. 2024/25 crop", "IS 2024 the year", "SI units", "payment by T/T 30 days", "F-150 truck", "either 5 OR 2024", "Lot YD-260320",
    "2.4GHz", "25.5 %", "RMB 8517.62", "2024.5000 元", "SS 2024 collection", "MS Office 2019", "TR 2024", "NF 2024", "PN 12345", "R 12", "about 1301.5 mg",
    "ISBN", "IPX7", "3.7V 2000mAh", "100-200 g", "CE 12/24 V", "BS 12 bits", "CAS of 2024-10-5", "tel 86-10-82262056", "S/N 1234-2020", "P/N 8517",
]  # fmt: skip

SENTENCES = [
    ("The product does not comply with the European standard EN 71-1 and Directive 2009/48/EC.", ["EN 71-1", "EU 2009/48"]),
    ("按照GB 6675.2—2014和GB/T 26125-2011，以及ISO 8124-1:2018执行。", ["GB 6675.2-2014", "GB/T 26125-2011", "ISO 8124-1:2018"]),
    ("GB 4806.1 GB 4806.7 GB/T 1.1", ["GB 4806.1", "GB 4806.7", "GB/T 1.1"]),
    ("10 CFR parts 429 and 430 are amended.", ["10 CFR 429", "10 CFR 430"]),
    ("see G/TBT/N/BDI/608, G/TBT/N/KEN/1808 and G/SPS/N/JPN/1345/Add.1", ["G/TBT/N/BDI/608", "G/TBT/N/KEN/1808", "G/SPS/N/JPN/1345/Add.1"]),
    ("HS code(s): 8517, 8518; 9503.00; ICS code(s): 97.200.50", ["HS 8517", "HS 8518", "HS 950300", "ICS 97.200.50"]),
    ("Alert number A12/1187/13 was corrected; see SR/02222/26.", ["A12/1187/13", "SR/02222/26"]),
    ("BMHCA (CAS No 80-54-6) is prohibited by Regulation (EC) No 1223/2009.", ["CAS 80-54-6", "EU 1223/2009"]),
    ("NHTSA campaign number 20V-314 and 20V314000", ["20V314000", "20V314000"]),
    ("UPC 196710005616, EAN 3661838045952", ["GTIN 00196710005616", "GTIN 03661838045952"]),
    ("CPSC recall number 26-761 and FSIS recall 031-2024", ["CPSC 26-761", "FSIS 031-2024"]),
    ("RASFF 2024.8046 follows 2024.8001", ["2024.8046", "2024.8001"]),
    ("The EN 60335-2-80:2003/A2:2009 test; UL 60335-2-80 too", ["EN 60335-2-80:2003+A2:2009", "UL 60335-2-80"]),
    ("欧盟2023/988号法规替代2001/95/EC", ["EU 2023/988", "EU 2001/95"]),
    ("Published at 89 FR 2530 (FR Doc. 2023-27324), docket EPA-HQ-OAR-2019-0055.", ["89 FR 2530", "2023-27324", "EPA-HQ-OAR-2019-0055"]),
    ("新版标准GB/T 16886.1-2022/ISO 10993-1:2018等同采用", ["GB/T 16886.1-2022", "ISO 10993-1:2018"]),
    ("依据DB44/T 2423-2023、T/CAS 123-2020及SN/T 5324-2021", ["DB44/T 2423-2023", "T/CAS 123-2020", "SN/T 5324-2021"]),
    ("COM(2025) 6 final amends Regulation (EU) 2016/679 (OJ L 119, 4.5.2016, p. 1).", ["COM(2025) 6", "EU 2016/679", "OJ L 119/2016 p.1"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "printed"), [(form, printed) for form, all_of in SPELLINGS.items() for printed in all_of]
)
def test_every_spelling_has_one_canonical_form(form, printed):
    assert canonical(printed) == form


@pytest.mark.parametrize("form", SPELLINGS)
def test_a_canonical_form_is_its_own_and_stands_first_on_its_ladder(form):
    assert canonical(form) == form
    assert ladder(form)[0] == form


@pytest.mark.parametrize("form", SPELLINGS)
def test_the_ladder_of_a_rung_is_a_part_of_the_ladder(form):
    assert all(set(ladder(rung)) <= set(ladder(form)) for rung in ladder(form))


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_look_alikes_are_no_references(text):
    assert (
        find_references(f"It says that {text} is what was printed there, in a sentence of more than eighty characters.")
        == []
    )


@pytest.mark.parametrize(("text", "expected"), SENTENCES)
def test_references_are_found_in_sentences(text, expected):
    long_text = text + " 此外还有其他说明。" * 9  # beyond the length of a query

    found = find_references(long_text)

    assert [reference.canonical for reference in found] == expected
    assert all(long_text[reference.start : reference.end] == reference.printed for reference in found)


def test_a_query_without_year_or_part_finds_all_below_it():
    assert {"GB/T 5606.1", "GB/T 5606"} <= set(ladder("GB/T 5606.1-2004"))
    assert {"EN 13250:2014", "EN 13250"} <= set(ladder("EN 13250:2014+A1:2015"))
    assert {"EN ISO 12100", "ISO 12100"} <= set(ladder("BS EN ISO 12100:2010"))
    assert {"ISO 17025", "IEC 17025:2017"} <= set(ladder("ISO/IEC 17025:2017"))
    assert {"G/TBT/N/BRA/366", "G/TBT/N/BRA"} <= set(ladder("G/TBT/N/BRA/366/Add.1/Corr.1"))
    assert {"16 CFR 1501.2", "16 CFR 1501"} <= set(ladder("16 CFR 1501.2(a)(1)"))
    assert {"HS 851762", "HS 8517", "HS 85"} <= set(ladder("HS 8517620000"))
    assert {"ICS 97.200", "ICS 97"} <= set(ladder("ICS 97.200.50"))
    assert "EU 2009/65" in ladder(canonical("02009L0065-20130620") or "")
    assert "ASTM F963" in ladder("ASTM F963-17")
    assert "FSA-PRIN-32-2026" in ladder("FSA-PRIN-32-2026-update-1")


def test_a_number_that_is_no_year_stays_on_the_ladder():
    assert ladder("FSIS 031-2024") == ("FSIS 031-2024",)
    assert ladder("F-1021-2020") == ("F-1021-2020",)
    assert ladder("CAS 80-54-6") == ("CAS 80-54-6",)
    assert ladder("SOR/2016-188") == ("SOR/2016-188",)


def test_offsets_are_those_of_the_text_as_it_was_given():
    text = "\ufeff依据\u200bGB／T\u200b 1.1—2020\u200b（现行）和\u00adEN\u00a071-1，" + "其余从略。" * 20

    found = find_references(text)

    assert [reference.canonical for reference in found] == ["GB/T 1.1-2020", "EN 71-1"]
    assert [text[reference.start : reference.end] for reference in found] == ["GB／T\u200b 1.1—2020", "EN\u00a071-1"]


def test_the_rules_make_thousands_of_spellings():
    printed = [variant.printed for kind in KINDS for variant in variants(kind)]

    assert len(set(printed)) >= 2000
    assert all(variants(kind) for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_generated_spelling_has_one_canonical_form(kind):
    assert [one for one in variants(kind) if canonical(one.printed) != one.canonical] == []


@pytest.mark.parametrize("sentence", [CHINESE, ENGLISH], ids=["Chinese", "English"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_generated_spelling_is_one_reference_in_a_sentence_and_keeps_its_digits(kind, sentence):
    missed = []
    for one in variants(kind):
        found = find_references(sentence.format(one.printed)) if one.in_prose else []
        is_whole = [hit.canonical for hit in found] == [one.canonical] and digits(found[0].printed) == digits(
            one.printed
        )
        if one.in_prose and not is_whole:
            missed.append((one, found))

    assert missed == []


def test_real_references_are_found_in_the_sentences_they_stand_in():
    labelled = [line.split("\t") for line in lines("sentences.tsv")]

    wrong = {}
    for text, *labels in labelled:
        expected = [(printed, form or printed) for printed, _, form in (label.partition(" => ") for label in labels)]
        found = [(hit.printed, hit.canonical) for hit in find_references(text)]
        if found != expected:
            wrong[text] = [pair for pair in found + expected if found.count(pair) != expected.count(pair)]

    assert wrong == {}
    assert len({label for _, *labels in labelled for label in labels}) >= 200


def test_the_look_alikes_of_every_day_are_no_references():
    texts = lines("look_alikes.txt")

    found = {text: find_references(text) or find_references(CHINESE.format(text)) for text in texts}

    assert {text: hits for text, hits in found.items() if hits} == {}
    assert len(set(texts)) >= 200


LISTS = [
    ("EN 71-1, -2 and -3", ["EN 71-1", "EN 71-2", "EN 71-3"]),
    ("GB 4806.1、.2 和 .7", ["GB 4806.1", "GB 4806.2", "GB 4806.7"]),
    ("ISO 10993-1/-5/-10", ["ISO 10993-1", "ISO 10993-5", "ISO 10993-10"]),
    ("EN 71-1/2/3", ["EN 71-1", "EN 71-2", "EN 71-3"]),
    ("GB 4806.7-2023、4806.8-2022和4806.9", ["GB 4806.7-2023", "GB 4806.8-2022", "GB 4806.9"]),
    ("EN 71-1:2014+A1:2018, -2:2020 und -3:2019+A1:2021", ["EN 71-1:2014+A1:2018", "EN 71-2:2020", "EN 71-3:2019+A1:2021"]),
    ("IEC 61000-4-2, -4-3 and -6-1", ["IEC 61000-4-2", "IEC 61000-4-3", "IEC 61000-6-1"]),
    ("EN 60335-1 and 60335-2-80", ["EN 60335-1", "EN 60335-2-80"]),
    ("Regulations (EU) 2017/745 and 2017/746", ["EU 2017/745", "EU 2017/746"]),
    ("Regulations (EC) No 1907/2006, No 1272/2008 and 648/2004", ["EU 1907/2006", "EU 1272/2008", "EU 648/2004"]),
    ("欧盟2017/745、2017/746", ["EU 2017/745", "EU 2017/746"]),
    ("HS 8517、8518和9503.00", ["HS 8517", "HS 8518", "HS 950300"]),
    ("ISO 9001, 14001 and 45001 certificates", ["ISO 9001", "ISO 14001", "ISO 45001"]),
    ("ISO 9001,14001,45001.", ["ISO 9001", "ISO 14001", "ISO 45001"]),
    ("ISO 9001:2015, 14001:2015 and 45001:2018", ["ISO 9001:2015", "ISO 14001:2015", "ISO 45001:2018"]),
    ("ISO9001、14001、45001三体系认证", ["ISO 9001", "ISO 14001", "ISO 45001"]),
    ("ISO 9001/14001 expired", ["ISO 9001", "ISO 14001"]),
    ("nach ISO 9001 und 14001 zertifiziert", ["ISO 9001", "ISO 14001"]),
    ("ISO 9001及び14001の認証", ["ISO 9001", "ISO 14001"]),
    ("ISO 9001와 14001 인증", ["ISO 9001", "ISO 14001"]),
    ("DIN EN ISO 12100, 13849-1 and 13850.", ["DIN EN ISO 12100", "DIN EN ISO 13849-1", "DIN EN ISO 13850"]),
    ("GB 6675、21027和31701检验", ["GB 6675", "GB 21027", "GB 31701"]),
    ("GB 4806.1、4806.7、9685等标准", ["GB 4806.1", "GB 4806.7", "GB 9685"]),
    ("GB/T 19001-2016、24001-2016和45001-2020", ["GB/T 19001-2016", "GB/T 24001-2016", "GB/T 45001-2020"]),
    ("GB/T 2423.1、5170.10。", ["GB/T 2423.1", "GB/T 5170.10"]),
    ("GB/T 1.1-2020、1.2-2020", ["GB/T 1.1-2020", "GB/T 1.2-2020"]),
    ("T/CAS 123-2020、124-2021", ["T/CAS 123-2020", "T/CAS 124-2021"]),
    ("EN 388, 407, 420 and 511.", ["EN 388", "EN 407", "EN 420", "EN 511"]),
    ("UL 2271, 2272 and 2849 apply", ["UL 2271", "UL 2272", "UL 2849"]),
    ("IEC 60335-1, 60335-2-80 and 62368-1:2018", ["IEC 60335-1", "IEC 60335-2-80", "IEC 62368-1:2018"]),
    ("AS/NZS 3112, 3760 and 60335.1.", ["AS/NZS 3112", "AS/NZS 3760", "AS/NZS 60335.1"]),
    ("ASTM F963-23, D4236-94(2021) and F2057.", ["ASTM F963-23", "ASTM D4236-94(2021)", "ASTM F2057"]),
    ("FMVSS No. 208 and 214.", ["FMVSS 208", "FMVSS 214"]),
    ("REACH 1907/2006, CLP 1272/2008 and RoHS 2011/65/EU", ["EU 1907/2006", "EU 1272/2008", "EU 2011/65"]),
    ("食品接触条例1935/2004和10/2011", ["EU 1935/2004", "EU 10/2011"]),
    ("G/TBT/N/USA/2208, 2209, 2211 and CHN/1886", ["G/TBT/N/USA/2208", "G/TBT/N/USA/2209", "G/TBT/N/USA/2211", "G/TBT/N/CHN/1886"]),
    ("G/TBT/N/USA/2208, N/CHN/1234/Add.1", ["G/TBT/N/USA/2208", "G/TBT/N/CHN/1234/Add.1"]),
    ("G/TBT/N/EU/1023、1024号通报", ["G/TBT/N/EU/1023", "G/TBT/N/EU/1024"]),
    ("G/TBT/N/CHN/2018, 2019 and 2020.", ["G/TBT/N/CHN/2018", "G/TBT/N/CHN/2019", "G/TBT/N/CHN/2020"]),
    ("G/TBT/N/USA/2208 and Corr.1", ["G/TBT/N/USA/2208", "G/TBT/N/USA/2208/Corr.1"]),
    ("G/TBT/N/USA/2208/Add.1, /Add.2 and Add.3", ["G/TBT/N/USA/2208/Add.1", "G/TBT/N/USA/2208/Add.2", "G/TBT/N/USA/2208/Add.3"]),
    ("G/SPS/N/BRA/366/Add.1/Corr.1 and Corr.2", ["G/SPS/N/BRA/366/Add.1/Corr.1", "G/SPS/N/BRA/366/Add.1/Corr.2"]),
]  # fmt: skip
NO_LISTS = [
    ("EN 71-1 to -3", ["EN 71-1"]),
    ("EN 71-1 - -3", ["EN 71-1"]),
    ("GB 4806.1~4806.11", ["GB 4806.1"]),
    ("GB 4806.1至.11", ["GB 4806.1"]),
    ("IEC 60068-2-1, -25 °C", ["IEC 60068-2-1"]),
    ("EN 71-1, 2 pieces", ["EN 71-1"]),
    ("EN 71-1/2/2024", ["EN 71-1"]),
    ("GB 4806.1, .5 kg", ["GB 4806.1"]),
    ("Regulation (EU) 2016/425, 2016/17", ["EU 2016/425"]),
    ("Regulation (EU) 2016/425, 12/2024", ["EU 2016/425"]),
    ("ISO 9001 and 5000 employees", ["ISO 9001"]),
    ("ISO 9001, 1500 companies", ["ISO 9001"]),
    ("ISO 9001, 2000 and 2015", ["ISO 9001"]),
    ("ISO 9001/2015", ["ISO 9001"]),
    ("ISO 9001, 518000 Shenzhen", ["ISO 9001"]),
    ("ISO 9001, 14,001 times", ["ISO 9001"]),
    ("ISO 9001, p. 1234", ["ISO 9001"]),
    ("ISO 9001, 8226-2056", ["ISO 9001"]),
    ("ISO 9001, 1234 (5 %)", ["ISO 9001"]),
    ("ISO 9001, 14001 km away", ["ISO 9001"]),
    ("EN 71, 1200 in all.", ["EN 71"]),
    ("EN 71 and 1200 were withdrawn.", ["EN 71"]),
    ("EN 71,166 pieces", ["EN 71"]),
    ("EN 388, 214.", ["EN 388"]),
    ("EN 388, 100-200.", ["EN 388"]),
    ("UL 508, 120 V", ["UL 508"]),
    ("UL 94, 240 V and 50 Hz", ["UL 94"]),
    ("GB 6675，21027件产品", ["GB 6675"]),
    ("GB 6675、2023年第5号", ["GB 6675"]),
    ("GB 2763-2021, 2763种", ["GB 2763-2021"]),
    ("GB 6675, 1234.56.", ["GB 6675"]),
    ("GB/T 19001, 12345元", ["GB/T 19001"]),
    ("GB 6675.1、9503.10", ["GB 6675.1", "HS 950310"]),
    ("ASTM F963, A4 paper", ["ASTM F963"]),
    ("ASTM F963 and F150 trucks", ["ASTM F963"]),
    ("G/TBT/N/USA/2208, 2023", ["G/TBT/N/USA/2208"]),
    ("G/TBT/N/USA/2208, 60 days", ["G/TBT/N/USA/2208"]),
    ("G/TBT/N/USA/2208, 2208 pages", ["G/TBT/N/USA/2208"]),
    ("G/TBT/N/USA/2208, PDF/2", ["G/TBT/N/USA/2208"]),
    ("G/TBT/N/CHN/1886-1890", ["G/TBT/N/CHN/1886"]),
    ("G/TBT/N/USA/2208 to 2210", ["G/TBT/N/USA/2208"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [*LISTS, *NO_LISTS])
def test_a_list_names_each_of_its_references_and_a_range_only_its_first(text, expected):
    for whole in (text, CHINESE.format(text), ENGLISH.format(text)):
        found = find_references(whole)
        assert [hit.canonical for hit in found] == expected
        assert all(whole[hit.start : hit.end] == hit.printed for hit in found)


def test_the_items_of_a_list_stand_where_they_are_printed():
    found = find_references("EN 71-1, -2 and -3")

    assert [(hit.start, hit.printed) for hit in found] == [(0, "EN 71-1"), (9, "-2"), (16, "-3")]

    found = find_references("G/TBT/N/USA/2208/Add.1, CHN/1886 and /Add.2")

    assert [(hit.start, hit.printed) for hit in found] == [
        (0, "G/TBT/N/USA/2208/Add.1"),
        (24, "CHN/1886"),
        (38, "Add.2"),
    ]


def test_the_number_of_a_book_is_no_barcode_unless_it_is_called_one():
    for printed in (
        "9783161484100",
        "978-3-16-148410-0",
        "ISBN 978-3-16-148410-0",
        "ISBN 9783161484100",
        "9791032305690",
    ):
        for text in (printed, CHINESE.format(printed), ENGLISH.format(printed)):
            assert find_references(text) == []
            assert canonical(printed) is None
    assert canonical("EAN 9783161484100") == "GTIN 09783161484100"
    assert canonical("barcode 978 3161484100") == "GTIN 09783161484100"


@pytest.mark.parametrize(
    "address",
    [
        "New York, NY 10001-2023",
        "Brooklyn NY 11201-2020",
        "Atlanta, GA 30303-2010",
        "BUTTE, MT 59701-1999",
        "纽约市NY 10001-2023",
        "Columbia, SC 29201",
    ],
)
def test_a_postal_code_behind_a_city_is_no_standard_of_an_industry(address):
    for text in (address, CHINESE.format(address), ENGLISH.format(address)):
        assert find_references(text) == []
    for standard in ("NY/T 10001-2023", "NY 10001-2023", "NY 5001-2023", "GA 30303-2010"):
        assert [hit.canonical for hit in find_references(CHINESE.format(standard))] == [standard]


def test_the_numbers_of_another_state_are_no_acts_of_the_union():
    for printed in (
        "越南法规36/2012",
        "印尼规则69/2014",
        "中国法规12/2013",
        "英国法规2019/1434",
        "越南36/2012号法规",
        "Regulation 36/2016",
    ):
        for text in (printed, CHINESE.format(printed), ENGLISH.format(printed)):
            assert find_references(text) == []
    assert [hit.canonical for hit in find_references("中国企业执行法规1907/2006")] == ["EU 1907/2006"]


def test_a_member_and_a_number_name_a_notification_only_with_their_committee():
    for text in (
        "N/USA/2208",
        "USA/2208",
        "TBT USA 2023",
        "crnattachments/2025/TBT/CHN/25_03782_00_x.pdf",
        "SPS/GHI/12",
    ):
        assert find_references(text) == []
        assert find_references(ENGLISH.format(text)) == []
    assert canonical("TBT USA 2208") == "G/TBT/N/USA/2208"


@pytest.mark.parametrize(
    "printed", ["HS 8517", "hs 8517", "ＨＳ　８５１７", "HS8517", "HS code 8517", "HS编码8517", "HS: 8517", "HS 85.17", "HTS 8517"]
)  # fmt: skip
def test_a_code_of_goods_is_never_a_standard_of_the_customs(printed):
    for text in (
        printed,
        CHINESE.format(printed),
        ENGLISH.format(printed),
        f"标准{printed}的商品",
        f"standard {printed}, EN 71-1",
    ):
        assert [hit.kind for hit in find_references(text) if "8517" in hit.canonical] == ["hs"]
    assert [hit.kind for hit in find_references("HS/T 8-2006")] == ["standard"]


@pytest.mark.parametrize(
    ("text", "form"),
    [("such as ISO 9001", "ISO 9001"), ("basado en ISO 9001", "ISO 9001"), ("si EN 71-1", "EN 71-1"), ("as SI 2011/1881", "SI 2011/1881")],
)  # fmt: skip
def test_a_word_of_prose_is_no_prefix_of_the_standard_behind_it(text, form):
    assert [hit.canonical for hit in find_references(ENGLISH.format(text))] == [form]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="GBTENISOU/.-—:( )0123456789+A年第号\u200b CFRHSx", max_size=120))
def test_any_text_is_read_without_error_and_without_overlap(text):
    found = find_references(text)

    assert all(text[one.start : one.end] == one.printed and one.printed for one in found)
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))
    for reference in found:
        assert ladder(reference.canonical)[0] == reference.canonical


HOSTILE = [
    "GB/T 1-", "1 ", "EN-", "ISO/", "(EU) ", "0-", "G/TBT/N/", "12 345 ", "9503.", "BS EN ISO IEC ", "JIS A", "a", "1", "/", "HS 85, ", "16 CFR 1 and ",
    "EN 71-1, -2 and ", "EN 71-1/2", "/-1", "(EU) 2017/745, 2017/746 and ", "EN 71 part ", "HS8517", "lot ", "price 8517.62 ", "昭和二十年", "海关总署公告",
    "ISO 9001, 14001 and ", "GB 6675、21027和", "/14001", "ASTM F963, F2057 and ", "G/TBT/N/USA/2208, 2209, ", "G/TBT/N/USA/2208/Add.1, Add.2 ", "TBT/USA/",
    "REACH 1907/2006 ", "法规 1907/", "New York, NY 10001-", "978 ", "GTBTN", "G_TBT_N_", "TBT通报", "美国TBT通报2208", "Kenya TBT ", "USA/2208 ",
    "EU 2024-", "EU regulation ", "2024-903-", "Title 16, ", "part 1501 of ", "CFR 16 ", "Federal Register ", "FR Doc. 2023 ", "联邦法规第", "89篇",
    "国标", "国标5606.", "sr 02222 ", "A12.", "海关税号", "tariff code ",
]  # fmt: skip


@pytest.mark.parametrize("seed", HOSTILE)
def test_hostile_text_is_read_in_passing(seed):
    begin = time.process_time()
    find_references(seed * (100_000 // len(seed)))

    assert (
        time.process_time() - begin < 30
    )  # a fraction of a second; what is quadratic takes many minutes at this length
