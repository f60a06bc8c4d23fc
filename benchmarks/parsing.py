"""Parsing, apart for each source: read() and normalise() over practice pages, against a bare parse of the same bytes.

The peer is what anybody must do first: json.loads, lxml, BeautifulSoup on lxml or csv, as the page is written.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from zipfile import ZipFile

from bs4 import BeautifulSoup
from lxml import etree

from benchmarks.figure import Figure, cpu_seconds
from benchmarks.practice_pages import pages, practice_sources, practice_world
from crawlers.normalise import normalise
from crawlers.reading import read_page
from crawlers.registry import reader_of
from crawlers.spider import SourceSpider
from library.page import Page
from library.source import Source


def figures(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Records a second and core, by source."""
    records, page_count, rounds = (100, 4, 1) if quick else (2000, 60, 3)
    world = practice_world(records)
    for source in practice_sources().values():
        yield _figure(source, list(islice(pages(source, world), page_count)), rounds)


def _figure(source: Source, found: Sequence[Page], rounds: int) -> Figure:
    reader = reader_of(source)
    records = _read(source, reader, found)  # a first time, which loads vocabularies
    pairs = [
        (cpu_seconds(lambda: [_parse(page) for page in found]), cpu_seconds(lambda: _read(source, reader, found)))
        for _ in range(rounds)
    ]
    peer, ours = (median(pair[side] for pair in pairs) for side in (0, 1))
    size = sum(len(page.body) for page in found)
    return Figure(
        name=f"parsing_{source.name}_against_its_bare_format",
        value=median(pair[0] / pair[1] for pair in pairs),
        details=f"ours={records / ours:.0f}_records/s,{size / ours / 1e6:.1f}_MB/s bare={size / peer / 1e6:.1f}_MB/s",
        n=f"{records}_records,{len(found)}_pagesx{rounds}",
    )


def _read(source: Source, reader: SourceSpider, found: Sequence[Page]) -> int:
    records = 0
    for page in found:
        for draft in read_page(reader, 0, page).drafts:
            normalise(draft, page, source)
            records += 1
    return records


def _parse(page: Page) -> object:
    start = page.body.lstrip()[:100]
    if start.startswith(b"PK"):
        with ZipFile(io.BytesIO(page.body)) as archive:
            return [etree.fromstring(archive.read(name)) for name in archive.namelist() if name.endswith(".xml")]
    if start.startswith((b"{", b"[")):
        return json.loads(page.body)
    if "html" in page.content_type:
        return BeautifulSoup(page.body, "lxml")
    if start.startswith(b"<"):
        return etree.fromstring(page.body)
    return list(csv.reader(io.StringIO(page.text)))
