"""What a parser takes and gives: a Page in, and Draft, Remark and Follow out.

A parser transcribes. A draft holds strings as printed; an absent field is absent, and a field that is
printed empty is ''. `crawlers.normalise` is the only place that turns a draft into a record.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson
from bs4 import BeautifulSoup, XMLParsedAsHTMLWarning
from lxml import etree

from library.page import Page

# the Official Journal is XHTML, which the HTML parser reads as browsers do
warnings.filterwarnings("ignore", category=XMLParsedAsHTMLWarning)

Printed: TypeAlias = "str | Sequence[Printed] | Mapping[str, Printed]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A record in the source's own words.

    kind: 'recall', 'regulation', ... key: the printed identity. fields: see FIELDS in crawlers.normalise.
    part: which side of the record this page shows; '' means the part the facts give the page's kind.
    unread: names of the source's fields that nobody has looked at yet.
    """

    kind: str
    key: str
    fields: Mapping[str, Printed]
    part: str = ""
    unread: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What a page says about a record that it does not describe, such as a later correction. withdrawn: it was taken back."""

    key: str
    text: str
    said_on: str = ""
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """A further page to ask for. kind: one of the facts' page kinds; carry: what that page will lack."""

    url: str
    kind: str
    carry: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Finding: TypeAlias = Draft | Remark | Follow


class NotThePage(ValueError):
    """The page is not what it should be. outcome: 'error', 'challenge', 'empty', 'redirect'; the message is the reason."""

    def __init__(self, outcome: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome


class UnreadablePage(ValueError):
    """The page has the right address and cannot be read: cut JSON, broken XML, a sheet that is none."""


def as_json(page: Page) -> Any:
    """The body as JSON. Raises UnreadablePage naming the place."""
    try:
        return orjson.loads(page.text.lstrip("\ufeff"))
    except orjson.JSONDecodeError as error:
        raise UnreadablePage(f"no JSON: {error}") from error


def as_xml(page: Page) -> etree._Element:
    """The body's root element. DTDs, entities and network are off. Raises UnreadablePage."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False)
    try:
        root = etree.fromstring(page.body.lstrip(), parser)
    except etree.XMLSyntaxError as error:
        raise UnreadablePage(f"no XML: {error}") from error
    entity = next(root.iter(etree.Entity), None)
    if entity is not None:  # it stays a node of its own, and what reads .text would end before it
        raise UnreadablePage(f"the document uses {entity.text}, an entity that we do not expand")
    return root


def as_html(page: Page) -> BeautifulSoup:
    """The body as a tree, by BeautifulSoup on lxml."""
    return BeautifulSoup(page.text, "lxml")


def as_sheet(page: Page, *, formulas: bool = False) -> Iterator[tuple[Any, ...]]:
    """The rows of the first sheet of an XLSX file, cells as openpyxl gives them. Raises UnreadablePage.

    formulas: give '=HYPERLINK(...)' instead of the cached value (an ePing export caches none).
    """
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(page.body), read_only=True, data_only=not formulas)
    except (InvalidFileException, BadZipFile, KeyError, OSError, ValueError, EOFError) as error:
        raise UnreadablePage(f"no XLSX sheet: {error}") from error
    yield from book.worksheets[0].iter_rows(values_only=True)
