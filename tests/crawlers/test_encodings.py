"""Encodings: exact text whatever the label says, or no text at all; the bytes are kept either way."""

from __future__ import annotations

import codecs
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawlers.practice.exchange import Answer
from crawlers.practice.faults import Fault
from library.archive import Archive
from library.charset import UndecidableEncoding, decide
from library.page import Page
from tests.crawlers.crawls import Library, always
from tests.places import CORPUS, need_corpus

CHINESE = "国家市场监督管理总局公告：朱镕基、㐀、𠮷野家儿童玩具召回，镉含量超标。" * 3
JAPANESE = "①㈱髙島屋のおもちゃ、﨑山製作所の回収のお知らせ。カドミウムが基準を超えています。" * 3
KOREAN = "똠방각하 장난감 리콜 안내: 카드뮴 함량이 기준을 초과하였습니다. 뷁" * 3
TRADITIONAL = "衞生署宣布回收兒童玩具，鎘含量超出標準，市民應停止使用。嘅咗啲冇" * 3
FRENCH = "Rappel d’un jouet : teneur en cadmium supérieure à la norme – « Bébé œuf » n° 12, 9,99 €."
RUSSIAN = "Отзыв детской игрушки: содержание кадмия превышает норму, изделие снято с продажи." * 2
TEXTS = {
    "gb18030": CHINESE,
    "gbk": CHINESE.replace("㐀", "").replace("𠮷", ""),
    "cp932": JAPANESE,
    "euc_jp": JAPANESE.replace("①", "").replace("㈱", "").replace("髙", "").replace("﨑", ""),
    "cp949": KOREAN,
    "big5hkscs": TRADITIONAL,
    "utf-8": CHINESE + KOREAN + FRENCH,
}
RIGHT_FAMILY = [  # the encoding of the bytes, and a label that names its family
    *(("gb18030", "gb2312"), ("gb18030", "GBK"), ("gb18030", "gb18030"), ("gbk", "gb2312"), ("gbk", "cp936")),
    *(
        ("cp932", "shift_jis"),
        ("cp932", "Shift-JIS"),
        ("cp932", "x-sjis"),
        ("cp932", "windows-31j"),
        ("euc_jp", "EUC-JP"),
    ),
    *(
        ("cp949", "euc-kr"),
        ("cp949", "ks_c_5601-1987"),
        ("big5hkscs", "big5"),
        ("big5hkscs", "Big5-HKSCS"),
        ("utf-8", "UTF8"),
    ),
]
WRONG = [
    (encoding, label)
    for encoding in TEXTS
    for label in (
        "utf-8",
        "iso-8859-1",
        "windows-1252",
        "us-ascii",
        "gb2312",
        "shift_jis",
        "euc-kr",
        "big5",
        "x-nonsense",
        "",
    )
    if (encoding, label) != ("euc_jp", "big5")  # as Big5 this text is as tidy as it is as EUC-JP
]


def html(text: str, label: str = "") -> str:
    meta = f'<meta charset="{label}">' if label else ""
    return f"<!DOCTYPE html><html><head>{meta}<title>{text[:20]}</title></head><body><p>{text}</p></body></html>"


def text_of(body: bytes, content_type: str) -> str | None:
    """The text, None where nobody can say what it is."""
    try:
        return decide(body, content_type).text(body)
    except UndecidableEncoding:
        return None


@pytest.mark.parametrize(("encoding", "label"), RIGHT_FAMILY)
@pytest.mark.parametrize("place", ["header", "meta"])
def test_a_label_of_the_right_family_gives_the_exact_text(encoding: str, label: str, place: str) -> None:
    text = html(TEXTS[encoding], label if place == "meta" else "")

    found = decide(text.encode(encoding), f"text/html; charset={label}" if place == "header" else "text/html")

    assert found.text(text.encode(encoding)) == text
    assert found.evidence in ("utf-8", place)


@pytest.mark.parametrize(("encoding", "label"), WRONG)
def test_a_wrong_label_never_gives_wrong_text(encoding: str, label: str) -> None:
    text = html(TEXTS[encoding])

    found = text_of(text.encode(encoding), f"text/html; charset={label}" if label else "text/html")

    assert found in (text, None)


@pytest.mark.parametrize(
    ("encoding", "label"),
    [(encoding, label) for encoding in ("gb18030", "cp932", "cp949") for label in ("utf-8", "iso-8859-1")],
)
def test_east_asian_text_under_a_western_or_utf_8_label_is_read(encoding: str, label: str) -> None:
    text = html(TEXTS[encoding])

    assert text_of(text.encode(encoding), f"text/html; charset={label}") == text


@pytest.mark.parametrize(("mark", "encoding"), [(codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")])
def test_a_byte_order_mark_goes_before_every_label(mark: bytes, encoding: str) -> None:
    text = html(CHINESE, "gb2312")

    found = decide(mark + text.encode(encoding), "text/html; charset=iso-8859-1")

    assert (found.evidence, found.text(mark + text.encode(encoding))) == ("bom", text)


def test_the_mark_of_utf_8_goes_before_a_label_and_is_no_part_of_the_text() -> None:
    body = codecs.BOM_UTF8 + html(CHINESE, "gb2312").encode()

    found = decide(body, "text/html; charset=gbk")

    assert (found.evidence, found.text(body)) == ("bom", html(CHINESE, "gb2312"))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(html(CHINESE).encode("utf-16-le"), id="utf-16 without a mark"),
        pytest.param(html(CHINESE).encode("utf-16-le") + b"\x00", id="of odd length"),
        pytest.param(bytes(range(128, 256)) * 20, id="every byte"),
        pytest.param("安全".encode("gbk") * 40 + "安全".encode() * 40, id="half gbk, half utf-8"),
        pytest.param(b"\xed\xa0\x80" * 50, id="lone surrogates"),
        pytest.param(b"\xc0\xaf" * 50, id="overlong"),
    ],
)
def test_bytes_that_are_no_text_never_pass_as_utf_8(body: bytes) -> None:
    found = decide(body, "text/html; charset=utf-8")

    assert found.encoding != "utf-8" or "\x00" in found.text(body)


def test_western_text_keeps_its_quotes_under_the_label_that_leaves_them_out() -> None:
    text = html(FRENCH * 3)

    assert text_of(text.encode("cp1252"), "text/html; charset=iso-8859-1") in (text, None)
    assert text_of(html(RUSSIAN).encode("cp1251"), "text/html") in (html(RUSSIAN), None)


def test_the_decision_is_kept_beside_the_page_and_an_undecidable_page_keeps_its_bytes(lib: Library) -> None:
    host, nobody = "www.saferproducts.gov", bytes(range(128, 256)) * 40
    bodies = {
        "header": ("<h1>1: 똠방각하 장난감 뷁 리콜</h1>".encode("cp949"), "text/html; charset=euc-kr"),
        "meta": (('<meta charset="gb2312"><h1>2: 朱镕基</h1>' + CHINESE).encode("gb18030"), "text/html"),
        "utf-8": ("<h1>3: 召回</h1>".encode(), "text/html; charset=gbk"),
        "none": (b"<h1>4: x</h1>" + nobody, "text/html; charset=utf-8"),
    }
    for name, (body, content_type) in bodies.items():
        lib.site.faults[host, f"/{name}"] = Fault(change=always(Answer(body=body, content_type=content_type)))

    ran = lib.crawl(urls=[f"https://{host}/{name}" for name in bodies], hosts=[host])

    with lib.store() as store, store.read() as transaction:
        rows = {row["url"].rpartition("/")[2]: row for row in transaction.rows("SELECT * FROM page")}
    found = {name: (row["encoding"], row["evidence"], row["outcome"]) for name, row in rows.items()}
    assert {name: found[name] for name in ("header", "meta", "utf-8")} == {
        "header": ("cp949", "header", "read"),
        "meta": ("gb18030", "meta", "read"),
        "utf-8": ("utf-8", "utf-8", "read"),
    }
    assert found["none"] == ("", "", "unreadable")
    assert ran.verdict == "unreadable"
    with lib.store() as store:
        row = next(row for row in lib.pages(ran.run) if row.url.endswith("/none"))
        assert Archive(lib.home / "archive", store).get(row.ref).body == bodies["none"][0]
        assert {one.titles[0].value for one in store.all_records()} == {"똠방각하 장난감 뷁 리콜", "朱镕基", "召回"}


def samples() -> list[Any]:
    """The manifest's rows of encoded pages, as test parameters."""
    manifest = CORPUS / "MANIFEST.jsonl"
    if not manifest.is_file():
        return [pytest.param(None, id="no-corpus")]
    rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    return [pytest.param(row, id=Path(row["file"]).name) for row in rows if "/encodings/" in row["file"]]


@pytest.mark.parametrize("row", samples())
@pytest.mark.parametrize("label", ["", "utf-8", "iso-8859-1"])
def test_real_pages_are_in_the_encoding_that_their_name_says_whatever_the_header_says(
    row: dict[str, Any], label: str
) -> None:
    need_corpus()
    family = {"gb2312": "gb18030", "big5": "big5hkscs", "euc-kr": "cp949", "euc-jp": "euc_jp", "shift_jis": "cp932"}
    named = Path(row["file"]).name.replace("shift_jis", "shift-jis").partition("_")[0].replace("shift-jis", "shift_jis")
    body = (CORPUS / row["file"]).read_bytes()
    content_type = f"{row['content_type']}; charset={label}" if label else row["content_type"]
    page = Page(
        source="us_cpsc",
        url="https://example.org/",
        kind="list",
        body=body,
        fetched_at=datetime(2026, 3, 2, tzinfo=UTC),
        headers={"content-type": content_type},
    )

    assert page.text == body.decode(family[named])
