"""Food, feed and food-contact materials, European Commission RASFF Window: tables that people export and hand in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from crawlers.fields import take
from crawlers.page import Draft, Follow, NotThePage, UnreadablePage, as_sheet
from crawlers.spider import SourceSpider
from library.page import Page

SEARCH = "https://webgate.ec.europa.eu/rasff-window/screen/search"
FIELDS = {
    "published": "Date of Case",
    "jurisdictions": "Notification From",
    "origins": "Country Origin",
    "titles": "Product",
    "categories": "Product Category",
    "substances": "Hazard Substance",
    "hazards": "Hazard Category",
    "classification": "Classification",
}
LISTS = ("jurisdictions", "origins", "categories", "hazards")


class EuRasff(SourceSpider):
    """Food, feed and food-contact materials, European Commission RASFF Window.

    Pages       exports handed in by people: CSV with a byte order mark, or the same columns as a sheet
    Dates       'Oct 30, 2024'; real dates in a sheet
    Reference   'Reference', '2024.8046'; text, never a number: 2024.9650 would become 2024.965
    Kind        a rejection where a column 'Classification' says border rejection. The common export of eight columns
                has no such column, and its rows are notifications: what the network calls them all
    Lists       joined by '; ', one hazard and one hazard category for each finding, so both repeat
    Gaps        no address of the single notification, no measures, no operators; the product is named in the
                notifier's language, often with the English name beside it; a quarter of the rows name no hazard
    """

    name = "eu_rasff"

    def begin(self, since: date, today: date) -> Iterator[Follow]:
        return iter(())

    def read(self, page: Page) -> Iterator[Draft]:
        rows = _rows(page)
        header = next(rows, [])
        if "Reference" not in header:
            raise NotThePage("error", f"an export with a column 'Reference' is due, and the columns are {header[:10]}")
        table = [dict(zip(header, cells, strict=False)) for cells in rows if any(cells)]
        if not table:
            raise NotThePage("empty", "an export without rows")
        for row in table:
            yield _draft(row)


def _rows(page: Page) -> Iterator[list[str]]:
    if page.body.startswith(b"PK"):
        for row in as_sheet(page):
            yield [_cell(cell) for cell in row]
        return
    if page.body.lstrip()[:1] == b"<":
        raise NotThePage("error", "an HTML page where a table is due")
    header = page.text.partition("\n")[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","  # as spreadsheets save it where 1,5 is a number
    try:
        for cells in csv.reader(io.StringIO(page.text, newline=""), delimiter=delimiter, strict=True):
            yield [cell.strip() for cell in cells]
    except csv.Error as error:
        raise UnreadablePage(f"no CSV: {error}") from error


def _cell(value: Any) -> str:
    """A cell of a sheet as text; a reference that a spreadsheet took for a number gets its zeros back."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float):
        year, _, number = repr(value).partition(".")
        return f"{year}.{number.ljust(4, '0')}"
    return "" if value is None else str(value).strip()


def _draft(row: Mapping[str, str]) -> Draft:
    taken, unread = take(row, FIELDS, ignore={"Reference"})
    fields: dict[str, Any] = dict(taken)
    for name in LISTS:
        if fields.get(name):
            fields[name] = list(dict.fromkeys(fields[name].split("; ")))
    product = fields.pop("titles", "")
    fields["titles"] = {"en": product or taken.get("categories", "")}
    fields["products"] = [{"name": product}]
    # 'Cadmium - heavy metals; Cadmium - heavy metals': one for each finding
    substances = "; ".join(dict.fromkeys(fields.pop("substances", "").split("; ")))
    fields["texts"] = [{"label": "risk", "value": substances, "language": "en"}] if substances else []
    fields["links"] = [{"url": SEARCH, "label": "original"}]
    kind = "rejection" if "border rejection" in taken.get("classification", "").casefold() else "notification"
    return Draft(kind=kind, key=row.get("Reference", ""), fields=fields, unread=unread)
