"""Memory: a long night holds its pages one after the other, not all of them."""

from __future__ import annotations

from crawlers.practice.exchange import Answer
from crawlers.practice.faults import Fault
from tests.crawlers.crawls import Library, always

HOST = "www.saferproducts.gov"
PAGES = 400


def test_a_crawl_of_250_mib_in_400_pages_stays_under_300_mib(lib: Library) -> None:
    body = b"<html><h1>1: one</h1><p>" + b"x" * 640_000 + b"</p></html>"
    lib.site.faults[HOST, "/page/"] = Fault(change=always(Answer(body=body)))

    ran = lib.crawl(urls=[f"https://{HOST}/page/{number}" for number in range(PAGES)], hosts=[HOST])

    assert (ran.verdict, ran.counts["pages.read"]) == ("good", PAGES)
    assert ran.peak_mib < 300  # some 130 of it are Python with Scrapy, lxml, SQLAlchemy and pydantic
