"""Manners: robots.txt binds every request, and a publisher that asks for quiet gets it, shown by what the site served."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from crawlers.middlewares.gate import WAIT_MAX_S, retry_after_s
from crawlers.practice.exchange import Answer
from crawlers.practice.faults import Fault
from tests.crawlers.crawls import Library, Ran, always

HOST = "www.saferproducts.gov"
NOW = datetime(2026, 3, 2, 18, 30, tzinfo=UTC)


def page(lib: Library, path: str, body: str = "<h1>1: one</h1>", **more: object) -> None:
    """Let the site answer this at addresses that begin so."""
    fields: dict[str, object] = {"body": body.encode(), "content_type": "text/html; charset=utf-8"}
    lib.site.faults[HOST, path] = Fault(change=always(Answer(**(fields | more))))  # type: ignore[arg-type]


def crawl(lib: Library, *paths: str, **more: Any) -> Ran:
    return lib.crawl(urls=[f"https://{HOST}{path}" for path in paths], hosts=[HOST], **more)


def served(lib: Library) -> list[str]:
    return [one.path for one in lib.site.served if one.path != "/robots.txt"]


def test_everyone_who_waits_for_robots_txt_obeys_it(lib: Library) -> None:
    page(lib, "/", "<h1>1: one</h1>")
    page(lib, "/robots.txt", "User-agent: *\r\nDisallow: /no/\r\nAllow: /no/but\r\n", content_type="text/plain")

    ran = crawl(lib, "/no/1", "/yes/1", "/no/2", "/yes/2", "/no/3", "/yes/3", "/no/4", "/no/but")

    assert sorted(served(lib)) == ["/no/but", "/yes/1", "/yes/2", "/yes/3"]
    assert (ran.verdict, ran.counts["pages.missed"]) == ("missed", 4)
    assert all("Forbidden by robots.txt" in problem for problem in ran.problems)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(change=always(Answer(status=503, body=b"User-agent: *\nAllow: /"))), "answered 503"),
        (Fault(change=always(Answer(status=429))), "answered 429"),
        (Fault(wire="reset"), "the line was closed without an answer"),
        (
            Fault(change=always(Answer(status=301, headers=(("Location", "http://127.0.0.1/robots.txt"),)))),
            "none of the source",
        ),
    ],
    ids=["503", "429", "reset", "moved inside"],
)
def test_where_robots_txt_cannot_be_had_nothing_is_fetched_and_the_run_says_so(
    lib: Library, fault: Fault, said: str
) -> None:
    lib.site.faults[HOST, "/robots.txt"] = fault

    ran = crawl(lib, *(f"/{number}" for number in range(8)))

    assert served(lib) == []
    assert (ran.verdict, ran.counts["pages.missed"]) == ("missed", 8)
    assert all("robots.txt" in problem and said in problem for problem in ran.problems), ran.problems


def test_where_there_is_no_robots_txt_everything_may_be_asked(lib: Library) -> None:
    page(lib, "/", "<h1>1: one</h1>")
    page(lib, "/robots.txt", "<html>Disallow: /</html>", status=404)

    ran = crawl(lib, "/a", "/b")

    assert (ran.verdict, sorted(served(lib))) == ("good", ["/a", "/b"])


def test_crawl_delay_is_kept_between_all_requests(lib: Library) -> None:
    page(lib, "/", "<h1>1: one</h1>")
    page(lib, "/robots.txt", "User-agent: *\nCrawl-delay: 0.5\n", content_type="text/plain")

    crawl(lib, "/a", "/b", "/c", "/d")

    at = [one.at for one in lib.site.served if one.path != "/robots.txt"]
    assert len(at) == 4
    assert all(later - earlier > timedelta(seconds=0.45) for earlier, later in zip(at, at[1:], strict=False))


@pytest.mark.parametrize("status", [429, 503])
def test_nothing_is_asked_before_the_time_that_retry_after_names(lib: Library, status: int) -> None:
    page(lib, "/", "<h1>1: one</h1>")
    busy = Answer(status=status, headers=(("Retry-After", "2"),))
    lib.site.faults[HOST, "/busy"] = Fault(change=always(busy), times=1)

    ran = crawl(lib, "/busy", *(f"/{number}" for number in range(8)), scrapy={"CONCURRENT_REQUESTS": 1})

    told = next(number for number, one in enumerate(lib.site.served) if one.status == status)
    first_after = lib.site.served[told + 1].at - lib.site.served[told].at
    assert first_after > timedelta(seconds=1.9)
    assert (ran.counts["pages.read"], ran.counts["pages.passed"]) == (8, 1)
    assert served(lib).count("/busy") == 2  # asked again after its time


def test_requests_that_were_queued_already_wait_at_the_wire(lib: Library) -> None:
    page(lib, "/", "<h1>1: one</h1>")
    lib.site.faults[HOST, "/busy"] = Fault(change=always(Answer(status=429, headers=(("Retry-After", "2"),))), times=1)

    crawl(lib, "/busy", *(f"/{number}" for number in range(60)))

    told = next(one.at for one in lib.site.served if one.status == 429)
    gaps = [one.at - told for one in lib.site.served if one.at > told]
    under_way = timedelta(seconds=0.5)  # what is on the wire cannot be called back
    assert [gap for gap in gaps if under_way < gap < timedelta(seconds=1.9)] == []
    assert len([gap for gap in gaps if gap <= under_way]) < 16


def test_a_publisher_that_wants_more_than_tonight_ends_the_run_with_a_sentence(lib: Library) -> None:
    page(lib, "/", "<h1>1: one</h1>")
    page(lib, "/busy", "", status=503, headers=(("Retry-After", "315360000"),))

    ran = crawl(lib, "/busy", *(f"/{number}" for number in range(200)), scrapy={"CONCURRENT_REQUESTS": 1})

    assert ran.verdict == "stopped"
    assert "the publisher asks to come back in 315,360,000 s" in ran.reason
    assert len(served(lib)) < 20
    assert {row.outcome.value for row in lib.pages(ran.run)} <= {"read", "error"}


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *(
            ("120", 120),
            (" 120 ", 120),
            ("0", 0),
            ("-5", 0),
            ("", 0),
            ("soon", 0),
            ("1e9", 0),
            ("120.5", 0),
            ("²", 0),
            ("٣", 0),
        ),
        *(
            (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
            (format_datetime(NOW - timedelta(days=9)), 0),
        ),
        *(
            ("Mon, 01 Jan 99999 00:00:00 GMT", 0),
            ("Fri, 31 Feb 2027 00:00:00 GMT", 0),
            ("Mon, 01 Jan 2024 00:00:00 -0000", 0),
        ),
    ],
)
def test_retry_after_is_read_in_seconds_or_as_a_date_and_nonsense_means_no_wait(value: str, seconds: int) -> None:
    assert retry_after_s(value, NOW) == seconds


def test_an_endless_number_is_longer_than_tonight() -> None:
    assert retry_after_s("9" * 400, NOW) > WAIT_MAX_S
