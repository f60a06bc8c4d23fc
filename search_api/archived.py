"""archived: an archived answer as text a person can read. Nothing of it is ever run, loaded or linked."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from lxml import etree, html

from library.charset import UndecidableEncoding
from library.page import Page

SHOWN_CHARACTERS = 200_000
PRETTY_LIMIT_BYTES = 8 * 1024 * 1024
BREAKS = frozenset(
    ("address", "article", "aside", "blockquote", "body", "br", "caption", "dd", "div", "dl", "dt", "fieldset")
    + ("figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "li")
    + ("main", "nav", "ol", "p", "pre", "section", "table", "tbody", "tfoot", "thead", "title", "tr", "ul")
)
CELLS = frozenset(("td", "th"))
UNREAD = frozenset(("script", "style", "noscript", "template", "svg", "math", "iframe", "object"))


@dataclass(frozen=True, slots=True)
class Body:
    """A body as text. form: 'json', 'xml', 'html', 'text' or 'binary'; reading: the text of an HTML page without its tags."""

    form: str
    text: str = ""
    reading: str = ""
    is_cut: bool = False


def shown(page: Page) -> Body:
    """Make an archived answer readable; bytes that are no text are left to the download."""
    if b"\0" in page.body[:4096] and not page.body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Body("binary")
    try:
        text = page.text
    except UndecidableEncoding:
        return Body("binary")
    head = text[:1000].lstrip("\ufeff \r\n\t")
    if head.startswith(("{", "[")):
        return _cut("json", _pretty_json(text))
    if "<html" in head.lower() or "<!doctype html" in head.lower() or page.content_type == "text/html":
        reading = _text_of(text)
        return Body("html", text[:SHOWN_CHARACTERS], reading[:SHOWN_CHARACTERS], len(text) > SHOWN_CHARACTERS)
    if head.startswith("<"):
        return _cut("xml", _pretty_xml(page.body, text))
    return _cut("text", text)


def _cut(form: str, text: str) -> Body:
    return Body(form, text[:SHOWN_CHARACTERS], is_cut=len(text) > SHOWN_CHARACTERS)


def _pretty_json(text: str) -> str:
    if len(text) > PRETTY_LIMIT_BYTES:
        return text
    try:
        return orjson.dumps(orjson.loads(text.lstrip("\ufeff")), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return text


def _pretty_xml(body: bytes, text: str) -> str:
    if len(body) > PRETTY_LIMIT_BYTES:
        return text
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_blank_text=True)
    try:
        return str(etree.tostring(etree.fromstring(body.lstrip(), parser), pretty_print=True, encoding="unicode"))
    except etree.XMLSyntaxError:
        return text


def _text_of(source: str) -> str:
    """The words of an HTML page: a line a block, ' | ' between cells, no script or style."""
    parser = html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False, encoding="utf-8")
    try:
        root = html.document_fromstring(source.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return ""
    parts: list[str] = []
    hidden = 0
    for action, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        if action == "start":
            hidden += tag in UNREAD
            parts.append("\n" if tag in BREAKS else "")
            if not hidden and element.text:
                parts.append(" ".join(element.text.split()) if tag != "pre" else element.text)
        else:
            hidden -= tag in UNREAD
            parts.append("\n" if tag in BREAKS else " | " if tag in CELLS else " ")
            if not hidden and element.tail:
                parts.append(" ".join(element.tail.split()))
    lines = (" ".join(line.split()).strip(" |") for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)
