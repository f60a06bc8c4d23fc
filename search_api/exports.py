"""exports: hits as CSV and XLSX that a spreadsheet shows and never runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urljoin

import xlsxwriter

from library.record import Record
from search_api.door import Reader, record_path
from search_api.render import generated_line, label, original_url

COLUMNS = (
    "id",
    "kind",
    "jurisdiction",
    "published",
    "title",
    "title_original",
    "references",
    "hazards",
    "categories",
    "measures",
    "origins",
    "status",
    "source",
    "generated",
    "original",
    "record",
)
FORMULA_LEADS = tuple("=+-@＝＋－＠")
CELL_CHARACTERS = 32_767  # of one XLSX cell


def cells(record: Record, reader: Reader, base_url: str) -> list[str]:
    """One row of an export, in the order of COLUMNS. base_url: the address people reach our pages at."""
    separator = "；" if reader.language == "zh" else "; "
    return [
        record.id,
        reader.say(f"kind.{record.kind.value}"),
        label("jurisdiction", record.jurisdiction, reader, {}),
        reader.day(record.published),
        record.title(reader.language),
        record.titles[0].value,
        separator.join(record.references),
        separator.join(label("hazard", coded.code or coded.printed, reader, {}) for coded in record.hazards),
        separator.join(label("category", coded.code or coded.printed, reader, {}) for coded in record.categories),
        separator.join(label("measure", coded.code or coded.printed, reader, {}) for coded in record.measures),
        separator.join(label("origin", coded.code or coded.printed, reader, {}) for coded in record.origins),
        label("status", record.status.state.value, reader, {}) if record.status else "",
        record.source,
        separator.join(f"{name}: {value}" for name, value in generated_line(record, reader)),
        original_url(record),
        urljoin(base_url, record_path(record.id)),
    ]


def inert(value: str) -> str:
    """A cell that no spreadsheet takes for a formula: what begins like one gets an apostrophe in front.

    >>> inert("=1+1"), inert("\\t=1"), inert("safe -20 °C")
    ("'=1+1", "'\\t=1", 'safe -20 °C')
    """
    begins = value.lstrip("\0\ufeff \u3000")
    return f"'{value}" if begins.startswith((*FORMULA_LEADS, "\t", "\r", "\n")) else value


def as_csv(records: Iterable[Record], reader: Reader, base_url: str) -> Iterator[bytes]:
    """CSV with a byte order mark, as Excel wants it, a block of rows at a time."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([reader.say(f"column.{name}") for name in COLUMNS])
    yield "\ufeff".encode()
    for record in records:
        writer.writerow([inert(cell.replace("\0", "")) for cell in cells(record, reader, base_url)])
        if buffer.tell() > 64 * 1024:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def write_xlsx(path: Path, records: Iterable[Record], reader: Reader, base_url: str) -> None:
    """Write an XLSX file; every cell is a string and stays one."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(path, options) as book:
        sheet = book.add_worksheet("ttm")
        sheet.freeze_panes(1, 0)
        bold = book.add_format({"bold": True})
        for column, name in enumerate(COLUMNS):
            sheet.write_string(0, column, reader.say(f"column.{name}"), bold)
        for row, record in enumerate(records, start=1):
            for column, cell in enumerate(cells(record, reader, base_url)):
                sheet.write_string(row, column, cell[:CELL_CHARACTERS])
