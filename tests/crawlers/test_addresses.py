"""What was read at an address is found again, however the address is written and whatever led to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from scrapy.http import Request, TextResponse

from crawlers.page import Draft, Finding, Follow
from crawlers.reading import PageReading, Tally, keep_reading
from crawlers.spider import SourceSpider
from library.archive import Answer, Archive, ArchiveWriter
from library.page import Outcome, Page
from library.source import PageKind, Source, Wording
from library.store.store import Origin, Store
from library.times import now

ASKED = "https://probe.example/recent/?"  # as the publisher's own pages ask for it; Scrapy drops the question mark
WORDS = Wording(zh="试", en="probe")
FACTS = Source(
    name="xx_probe",
    title=WORDS,
    publisher=WORDS,
    home="https://probe.example/",
    jurisdiction="EU",
    language="en",
    kinds=("recall",),
    rights="",
    attribution="",
    pages={"page": PageKind(pattern=".*")},
)


class Probe(SourceSpider):
    name = "xx_probe"

    def read(self, page: Page) -> Iterable[Finding]:
        yield Draft(kind="recall", key="1", fields={"titles": {"en": page.text}})


@pytest.fixture
def spider(tmp_path: Path) -> Iterator[Probe]:
    store = Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    with Archive(tmp_path / "archive", store).writer(1, FACTS.name, now()) as writer:
        probe = Probe()
        probe.facts, probe.store, probe.writer, probe.tally, probe.started_at = FACTS, store, writer, Tally(), now()
        yield probe
    store.close()


def answered(spider: Probe, request: Request, url: str) -> PageReading:
    """Let the spider take the answer to a request, and keep what it read."""
    kept = _archived(spider.writer, url)
    request.meta["kept"] = kept
    reading: PageReading = next(spider.take(TextResponse(url, request=request, body=kept.page.body)))
    keep_reading(spider.store, FACTS, reading, origin=Origin.CRAWL, at=now(), tally=spider.tally)
    return reading


def _archived(writer: ArchiveWriter, url: str):
    answer = Answer(
        source=FACTS.name, kind="page", url=url, status=200, headers=(), raw_body=b"Balloons", fetched_at=now()
    )
    return writer.add(answer).result()


def asked(spider: Probe, url: str) -> Request:
    return next(spider._requests(Follow(url=url, kind="page")))


def test_an_address_that_scrapy_writes_otherwise_is_found_again(spider: Probe) -> None:
    first = asked(spider, ASKED)
    assert first.url != ASKED
    assert answered(spider, first, first.url).outcome is Outcome.READ

    again = asked(spider, ASKED)

    assert again.meta["address"] is not None
    assert answered(spider, again, again.url).outcome is Outcome.UNCHANGED


def test_a_page_behind_a_redirect_is_not_read_again_when_its_bytes_are_the_same(spider: Probe) -> None:
    def through_a_redirect() -> PageReading:
        request = asked(spider, "https://probe.example/old")
        request.meta["redirect_urls"] = [request.url]
        return answered(spider, request, "https://probe.example/new")

    assert through_a_redirect().outcome is Outcome.READ
    assert through_a_redirect().outcome is Outcome.UNCHANGED
