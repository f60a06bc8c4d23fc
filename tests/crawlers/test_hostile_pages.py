"""Hostile pages and drafts: text is read or the page is unreadable with a reason; nothing is fetched, expanded or executed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.middlewares.gate import refusal
from crawlers.normalise import CONTROL, FIELDS, DraftError, normalise
from crawlers.page import Draft, UnreadablePage, as_html, as_json, as_sheet, as_xml
from crawlers.reading import read_page
from crawlers.registry import reader_of
from library.page import Outcome, Page
from library.record import Record, decode, encode
from library.settings import sources_folder
from library.source import load_sources
from library.store.store import Origin, SeenPage, Store
from tests.crawlers.canary import Canary

SOURCES = load_sources(sources_folder())
SOURCE = SOURCES["us_cpsc"]


def page(body: bytes | str, content_type: str = "text/html; charset=utf-8", **more: Any) -> Page:
    fields: dict[str, Any] = {
        "source": "us_cpsc",
        "url": "https://www.saferproducts.gov/RestWebServices/Recall?format=json",
        "kind": "list",
        "body": body.encode() if isinstance(body, str) else body,
        "fetched_at": datetime(2026, 3, 2, tzinfo=UTC),
        "headers": {"content-type": content_type},
    }
    return Page(**(fields | more))


def draft(**fields: Any) -> Draft:
    return Draft(kind="recall", key="26-001", fields={"titles": {"en": "Toy"}} | fields)


# HTML


@pytest.mark.parametrize("depth", [300, 2_100, 20_000, 100_000])
def test_text_below_thousands_of_nested_elements_is_not_lost(depth: int) -> None:
    tree = as_html(
        page("<html><body>" + "<div>" * depth + "<p>召回 GB/T 1234</p>" + "</div>" * depth + "<p>the end</p>")
    )

    text = tree.get_text(" ")
    assert ("召回 GB/T 1234" in text, "the end" in text) == (True, True)
    assert tree.body is not None


@pytest.mark.parametrize(
    "body",
    [
        *(
            "<table><tr><td>召回<table><tr><td>" * 300,
            "<!-- 召回 --> 召回 <!-- never closed",
            "<p>召回<script>var a = '</p>",
        ),
        *(
            "<p title='" + "x" * 2_000_000 + "'>召回</p>",
            "<p " + " ".join(f"a{n}=1" for n in range(20_000)) + ">召回</p>",
        ),
        *(
            "<table>" + "<tr></tr>" * 20_000 + "<tr><td>召回</td></tr></table>",
            "<p>\x00召\x00回 召回</p>",
            "<p>召回" + "&#0;" * 99,
        ),
    ],
    ids=["tables", "comment", "script", "attribute", "attributes", "rows", "nul", "references"],
)
def test_odd_markup_keeps_the_text_that_a_browser_would_show(body: str) -> None:
    assert "召回" in as_html(page(f"<html><body>{body}")).get_text()


# XML

LAUGHS = '<!DOCTYPE r [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12)
)


def hostile_documents(port: int) -> dict[str, str]:
    """XML that reads a file, asks a host, or grows."""
    host = f"http://127.0.0.1:{port}"
    return {
        "billion laughs": f"{LAUGHS}]><r>&m;</r>",
        "quadratic": f'<!DOCTYPE r [<!ENTITY a "{"x" * 50_000}">]><r>{"&a;" * 50_000}</r>',
        "a file": '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><r>&a;</r>',
        "a host": f'<!DOCTYPE r [<!ENTITY a SYSTEM "{host}/a">]><r>&a;</r>',
        "a host's parameter": f'<!DOCTYPE r [<!ENTITY % a SYSTEM "{host}/a.dtd"> %a;]><r>&b;</r>',
        "a host's document type": f'<!DOCTYPE r SYSTEM "{host}/r.dtd"><r>&a;</r>',
        "an inclusion": f'<r xmlns:x="http://www.w3.org/2001/XInclude"><x:include href="{host}/a"/>&a;</r>',
        "a style sheet": f'<?xml-stylesheet href="{host}/a.xsl" type="text/xsl"?><r>&a;</r>',
        "an own entity": '<!DOCTYPE r [<!ENTITY a "toy">]><r>a &a; with a hole</r>',
        "an unknown entity": "<r>a&nbsp;b</r>",
        "two roots": "<r/><r/>",
        "a cut": "<r><a>text</a><b",
        "nothing": "",
        "no XML": "{}",
        "deep": "<a>" * 100_000,
    }


@pytest.mark.parametrize("name", hostile_documents(1))
def test_hostile_xml_is_unreadable_with_a_reason_and_asks_nobody(name: str) -> None:
    with Canary() as canary:
        body = hostile_documents(canary.port)[name]

        with pytest.raises(UnreadablePage) as refused:
            as_xml(page(body, "application/xml"))

        assert canary.connections == 0
    assert len(str(refused.value)) > 8
    assert "root:" not in str(refused.value)


def test_xml_is_read_in_the_encoding_it_declares_and_with_a_document_type_that_declares_nothing() -> None:
    declared = '<?xml version="1.0" encoding="gb2312"?><r>朱镕基</r>'.encode("gb18030")
    typed = "<!DOCTYPE r><r>&lt;&#x53EC;回&amp;</r>"

    assert as_xml(page(typed, "application/xml")).text == "<召回&"
    assert as_xml(page(b"\xef\xbb\xbf  <r>x</r>", "application/xml")).text == "x"
    assert (
        as_xml(page(declared.replace("镕".encode("gb18030"), "容".encode("gb18030")), "application/xml")).text
        == "朱容基"
    )


# JSON


@pytest.mark.parametrize(
    "body",
    [
        *(
            '{"a": NaN}',
            '{"a": Infinity}',
            "[" * 100_000,
            '{"a":' * 100_000,
            '{"a": 1,}',
            "[1, 2",
            '{"a": "\x00"}',
            "'a'",
            "",
        ),
        *(
            '{"a": "\\ud800"}',
            "<html></html>",
            '{"a": 01}',
            "nul",
            '"abc',
            '{"a": 1}{"b": 2}',
            '\ufeff\ufeff["a"',
            "[1,,2]",
        ),
    ],
)
def test_broken_json_is_unreadable_with_its_place(body: str) -> None:
    with pytest.raises(UnreadablePage, match="no JSON"):
        as_json(page(body, "application/json"))


@pytest.mark.parametrize(
    ("body", "value"),
    [
        *(('\ufeff["a"]', ["a"]), ('{"a": 1, "a": 2}', {"a": 2}), ('"\\u0000"', "\x00"), (" [1] \n", [1])),
        *(("[" * 500 + "]" * 500, json.loads("[" * 500 + "]" * 500)), ('"' + "x" * 5_000_000 + '"', "x" * 5_000_000)),
    ],
    ids=["mark", "twice", "nul", "blanks", "deep", "long"],
)
def test_odd_json_that_is_json_is_read(body: str, value: object) -> None:
    assert as_json(page(body, "application/json")) == value


@pytest.mark.parametrize(
    "body", [b"PK\x03\x04" + b"\x00" * 50, b"<html><table></table></html>", b"", b"PK\x05\x06" + b"\x00" * 18]
)
def test_a_sheet_that_is_none_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadablePage):
        list(as_sheet(page(body)))


# Every source's reader, any bytes


def junk() -> Iterator[Any]:
    bodies = {
        "nothing": b"",
        "zeros": b"\x00" * 1000,
        "every byte": bytes(range(256)) * 8,
        "an array": b"[[[1]]]",
        "an object": b'{"results": null, "items": {"a": 1}, "content": "x", "meta": []}',
        "rows that are none": b'{"results": [1, null, "x", [], {}], "items": [null], "content": [[]], "count": "many"}',
        "html": b"<html><table><tr><td>x</td></tr></table></html>",
        "xml": b"<?xml version='1.0'?><r><notifications/><weeklyReport>x</weeklyReport></r>",
        "zip": b"PK\x03\x04\x14\x00",
        "deep": b"[" * 5000,
        "deep html": b"<div>" * 5000,
    }
    for name, source in sorted(SOURCES.items()):
        for kind in source.pages:
            for what, body in bodies.items():
                yield pytest.param(name, kind, body, id=f"{name}-{kind}-{what}")


@pytest.mark.parametrize(("name", "kind", "body"), list(junk()))
def test_no_reader_takes_junk_for_a_record_or_ends_a_run(name: str, kind: str, body: bytes) -> None:
    asked = page(body, "application/octet-stream", source=name, kind=kind, url=SOURCES[name].home)

    reading = read_page(reader_of(SOURCES[name]), 1, asked)

    records = []
    for one in reading.drafts:
        try:
            records.append(normalise(one, asked, SOURCES[name]).record)
        except DraftError as error:
            assert len(str(error)) > 20
    assert records == []
    assert reading.outcome is Outcome.READ or len(reading.reason) > 8
    assert [follow.url for follow in reading.follows if refusal(follow.url, SOURCES[name].hosts)] == []


# Drafts

SHAPES: list[Any] = [
    *(
        None,
        "",
        " ",
        "x",
        0,
        -1,
        1.5,
        float("nan"),
        True,
        b"x",
        [],
        {},
        (),
        set(),
        [None],
        [[]],
        [{}],
        {"": ""},
        {"en": None},
    ),
    *(
        [{"name": None}],
        [{"name": ["x"]}],
        [{"role": "nonsense", "name": "x"}],
        [{"url": None}],
        [{"url": 5}],
        [1, 2],
        ["x"],
    ),
    *(
        {"en": ["x"]},
        {1: "x"},
        {"xx-nonsense": "x"},
        [{"value": 3}],
        [{"value": "x", "label": "nonsense"}],
        [{"measure": 1}],
    ),
    *(
        [{"barcodes": "4006381333931"}],
        [{"barcodes": [None, 1, "x"]}],
        [{"barcodes": {"a": 1}}],
        "x" * 10_000,
        ["x" * 10_000],
    ),
    *(
        object(),
        lambda: 1,
        [[["x"]]],
        [{"value": "x", "language": "nonsense-language-code"}],
        {"en": "x\x00y"},
        "\ud800",
    ),
]


@pytest.mark.parametrize("name", [*FIELDS, "nonsense", ""])
@pytest.mark.parametrize("shape", SHAPES, ids=range(len(SHAPES)))
def test_a_field_of_any_shape_gives_a_record_or_a_draft_error(name: str, shape: Any) -> None:
    odd = Draft(kind="recall", key="26-001", fields={"titles": {"en": "Toy"}, name: shape})

    try:
        record = normalise(odd, page(""), SOURCE).record
    except DraftError as error:
        assert "26-001" in str(error)
    else:
        assert decode(encode(record)) == record


PRINTED: st.SearchStrategy[Any] = st.recursive(
    st.text(max_size=30) | st.none() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "url", "value", "en", "role"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), PRINTED, max_size=6), st.text(max_size=20))
def test_a_draft_of_random_fields_gives_a_record_or_a_draft_error(fields: dict[str, Any], key: str) -> None:
    try:
        record = normalise(Draft(kind="recall", key=key, fields=fields), page(""), SOURCE).record
    except DraftError:
        return
    assert decode(encode(record)) == record


@pytest.mark.parametrize(
    ("key", "kind"), [("", "recall"), (" \t\u3000", "recall"), ("1", "alert"), ("1", ""), ("\x00", "recall")]
)
def test_what_has_no_key_or_no_kind_is_no_record(key: str, kind: str) -> None:
    with pytest.raises(DraftError):
        normalise(replace(draft(), key=key, kind=kind), page(""), SOURCE)


@pytest.mark.parametrize("titles", [{}, {"en": ""}, {"en": " \x00 "}])
def test_what_has_no_title_is_no_record(titles: dict[str, str]) -> None:
    with pytest.raises(DraftError):
        normalise(draft(titles=titles), page(""), SOURCE)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            " javascript:alert(1)",
            "java\tscript:alert(1)",
            "data:text/html,<b>x",
        ),
        *(
            "vbscript:x",
            "//evil.example/x",
            "\\\\evil.example\\x",
            "file:///etc/passwd",
            "mailto:a@b",
            "/relative",
            "x",
            "http:/x",
        ),
        *(
            "http:\\\\evil.example",
            "\x00javascript:alert(1)",
            "about:blank",
            "ftp://x.example/",
            "https:x",
            "\u200bjavascript:x",
        ),
    ],
)
def test_a_link_that_is_no_web_address_is_left_out_with_a_note(url: str) -> None:
    found = normalise(draft(links=[{"url": url, "label": "original"}]), page(""), SOURCE)

    assert found.record.links == ()
    assert any("no web address" in note for note in found.notes)


def test_control_characters_are_cleaned_away_and_long_titles_kept() -> None:
    title = "召\x00回\x07 toy\x1b[31m\u2028" + "x" * 10_000
    texts = [{"label": "description", "value": "one\x00\r\ntwo\x0b\x0c\n\n\n\nthree\x1b"}]

    record = normalise(draft(titles={"zh": title}, texts=texts), page(""), SOURCE).record

    assert record.titles[0].value.startswith("召回 toy[31m")
    assert len(record.titles[0].value) > 10_000
    assert record.texts[0].value == "one\ntwo\n\nthree"
    assert CONTROL.search(encode(record).replace("\\u0000", "\x00")) is None


@pytest.mark.parametrize(
    "text", ["{{7*7}}", "${7*7}", "#{7*7}", "%s%s%n", "{0.__class__}", "<script>alert(1)</script>", "&lt;b&gt;", "=1+1"]
)
def test_template_strings_and_markup_stay_as_printed(text: str) -> None:
    record = normalise(draft(titles={"en": text}, authority=text), page(""), SOURCE).record

    assert (record.titles[0].value, record.authority) == (text, text)


@pytest.mark.parametrize(
    "printed",
    [
        *(
            "31/02/2026",
            "tomorrow",
            "last Friday",
            "0000-00-00",
            "2026-13-01",
            "2026-02-30T00:00:00",
            "N.N.N.N",
            "²⁰²⁶-01-01",
        ),
        *("99999-01-01", "1e9", "--", "2026", "x" * 10_000, "令和八年", "Q3 2026", "00/00/0000", "2026-W10", "\x00"),
    ],
)
def test_a_date_that_is_none_is_noted_and_kept_as_printed_and_holds_nothing_back(printed: str) -> None:
    found = normalise(draft(published=printed), page(""), SOURCE)

    kept = found.record.printed.get("published", "")
    assert found.record.published is None or found.record.published.year == 2026
    if found.record.published is None and kept:
        assert any("is no date" in note for note in found.notes)
    assert kept == " ".join(CONTROL.sub("", printed).split()) or found.record.absences


def test_a_date_far_ahead_stays_what_was_printed() -> None:
    record = normalise(draft(published="2150-01-01T00:00:00"), page(""), SOURCE).record

    assert (record.published, record.printed["published"]) == (date(2150, 1, 1), "2150-01-01T00:00:00")


def test_what_a_hostile_record_becomes_can_be_stored_and_read_back(tmp_path: Path) -> None:
    record: Record = normalise(
        draft(titles={"en": "\U0001f9f8 '; DROP TABLE record; -- \u202e" + "é" * 5000}), page(""), SOURCE
    ).record
    store = Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    now = datetime(2026, 3, 2, tzinfo=UTC)

    store.put(record, SeenPage(id=1, url_key="k", fetched_at=now), origin=Origin.CRAWL, at=now)

    assert store.get(record.id) == record
    store.close()
