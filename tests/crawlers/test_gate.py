"""The gate: no request leaves for anywhere but the source's own public hosts, shown by whoever was not connected to."""

from __future__ import annotations

import itertools
import os
import socket

import pytest

from crawlers.middlewares.gate import is_public, refusal
from crawlers.practice.exchange import Answer
from crawlers.practice.faults import Fault
from library.settings import sources_folder
from library.source import load_sources
from tests.crawlers.canary import Canary
from tests.crawlers.crawls import Library, always

HOSTS = ("ec.europa.eu", "api.fda.gov")
INSIDE = (  # ways to write an address that is not on the internet
    *(
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.0.0.1.",
    ),
    *("0.0.0.0", "0", "localhost", "localhost.", "LOCALHOST", "localhost.localdomain", "ip6-localhost"),
    *(
        "10.0.0.1",
        "10.1",
        "192.168.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "100.64.0.1",
        "100.127.255.254",
        "169.254.169.254",
    ),
    *(
        "2852039166",
        "0xa9fea9fe",
        "metadata.google.internal",
        "198.18.0.1",
        "192.0.2.1",
        "224.0.0.1",
        "255.255.255.255",
    ),
    *(
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:7f00:0001]",
        "[::127.0.0.1]",
        "[fe80::1]",
    ),
    *(
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[2002:7f00:1::]",
        "[64:ff9b::7f00:1]",
        "[2001:0:7f00:1::]",
        "[::ffff:169.254.169.254]",
    ),
    *(
        "①②⑦.⓪.⓪.①",
        "１２７.0.0.1",
        "127。0。0。1",
        "ⓛocalhost",
        "localhost%00.ec.europa.eu",
        "127.0.0.1%2eec.europa.eu",
    ),
)
ELSEWHERE = (  # names that only look like a host of the source
    *(
        "evil.example",
        "ec.europa.eu.evil.example",
        "evil-ec.europa.eu",
        "xec.europa.eu",
        "europa.eu",
        "www.ec.europa.eu",
        "eu",
    ),
    *(
        "ec.еuropa.eu",
        "eс.europa.eu",
        "ec.europa.еu",
        "ｅc.europa.eu",
        "ec。europa。eu",
        "ec.europa.eu\u200b",
        "ec.europa.eu\u00ad",
    ),
    *(
        "xn--c-rtb.europa.eu",
        "ec.europa.eu%2eevil.example",
        "ec.europa.eu%00evil",
        "ec.europa.eu\\.evil.example",
        "ec_europa_eu",
    ),
    *("ec.europa.eu,evil.example", "ec.europa.eu;evil", "ec.europa.eu&evil", "", ".", "..", "ec..europa.eu", "-", "*"),
)
SCHEMES = (
    *(
        "file",
        "ftp",
        "ftps",
        "sftp",
        "gopher",
        "data",
        "javascript",
        "vbscript",
        "about",
        "blob",
        "ws",
        "wss",
        "s3",
        "dict",
    ),
    *(
        "ldap",
        "jar",
        "view-source",
        "chrome",
        "smb",
        "tftp",
        "netdoc",
        "php",
        "phar",
        "expect",
        "mailto",
        "urn",
        "httpx",
        "h",
    ),
)
BY_FORM = {
    "inside": [f"{scheme}://{host}/x" for scheme, host in itertools.product(("http", "https"), INSIDE)],
    "elsewhere": [f"https://{host}/x" for host in ELSEWHERE],
    "scheme": [f"{scheme}://ec.europa.eu/x" for scheme in SCHEMES]
    + ["file:///etc/passwd", "data:text/html,<h1>x", "//x"],
    "user": [
        *(
            "https://user@ec.europa.eu/",
            "https://user:word@ec.europa.eu/",
            "https://@ec.europa.eu/",
            "https://:@ec.europa.eu/",
        ),
        *(
            "https://ec.europa.eu@evil.example/",
            "https://ec.europa.eu:443@evil.example/",
            "https://ec.europa.eu%40evil.example/",
        ),
        *("https://evil.example\\@ec.europa.eu/", "https://ec.europa.eu\\@evil.example/", "https://a@b@ec.europa.eu/"),
        *("https://ec.europa.eu@127.0.0.1/", "https://127.0.0.1@ec.europa.eu/", "https://ec.europa.eu:x@127.0.0.1:80/"),
    ],
    "port": [
        f"https://ec.europa.eu:{port}/x"
        for port in (
            "0",
            "1",
            "21",
            "22",
            "25",
            "8080",
            "8443",
            "9200",
            "6379",
            "65535",
            "65536",
            "-1",
            "4４3",
            "0x50",
            "80a",
            "٤٤٣",
        )
    ],
    "broken": [
        *(
            "https://[::1/",
            "https://[ec.europa.eu]/",
            "https://ec.europa.eu℀.evil.example/",
            "https://[v1.x]/",
            "https:///x",
        ),
        *(
            "https:/ec.europa.eu/x",
            "https:\\\\ec.europa.eu\\x",
            "ec.europa.eu/x",
            "",
            " ",
            "http:",
            "http://",
            "/x",
            "?x",
            "#x",
        ),
        *(
            "https:ec.europa.eu",
            "http//ec.europa.eu",
            "https://ec.europa.eu ./x",
            "https://ec.europa.eu\x00.evil.example/",
        ),
    ],
}
REFUSED = [url for urls in BY_FORM.values() for url in urls]


def test_no_written_form_of_another_address_passes_for_a_host_of_the_source() -> None:
    passed = [url for url in REFUSED if refusal(url, HOSTS) is None]

    assert len(REFUSED) >= 200
    assert passed == []


@pytest.mark.parametrize(
    "url",
    [
        *("https://ec.europa.eu/x", "http://ec.europa.eu/x", "HTTPS://EC.EUROPA.EU/x", "https://ec.europa.eu./x"),
        *("https://ec.europa.eu:443/x", "http://ec.europa.eu:80/x", "https://ec.europa.eu:/x", "https://ec.europa.eu"),
        *(
            "https://ec.europa.eu/a@b",
            "https://ec.europa.eu/?u=http://127.0.0.1/",
            "https://ec.europa.eu/#@evil.example",
        ),
    ],
)
def test_the_sources_own_addresses_pass(url: str) -> None:
    assert refusal(url, HOSTS) is None


def test_the_home_hosts_of_every_source_pass() -> None:
    sources = load_sources(sources_folder()).values()

    blocked = [host for source in sources for host in source.hosts if refusal(f"https://{host}/", source.hosts)]

    assert blocked == []


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
        ),
        *(
            "198.18.0.1",
            "192.0.2.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "192.0.0.1",
        ),
        *(
            "::",
            "::1",
            "fe80::1",
            "fe80::1%eth0",
            "fec0::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "100::1",
        ),
        *(
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "::10.0.0.1",
            "::ffff:0:7f00:1",
        ),
        *(
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a00:1",
            "2001:0:7f00:1::",
        ),
    ],
)
def test_an_address_inside_is_not_public_in_any_of_its_forms(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "147.67.210.30", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_an_address_on_the_internet_is_public(address: str) -> None:
    assert is_public(address)


def redirects(lib: Library, targets: list[str]) -> list[str]:
    """Let one host of the practice publishers redirect to each target; the addresses that do."""
    urls = [f"https://www.saferproducts.gov/moved/{number}/" for number in range(len(targets))]
    for url, target in zip(urls, targets, strict=True):
        moved = Answer(status=302, headers=(("Location", target),))
        lib.site.faults["www.saferproducts.gov", url.removeprefix("https://www.saferproducts.gov")] = Fault(
            change=always(moved)
        )
    return urls


def test_a_redirect_to_the_inside_connects_to_nothing_and_is_named_with_its_reason(lib: Library) -> None:
    with Canary() as canary:
        hosts = [host for host in INSIDE if host.isascii() and "%" not in host]
        # a path of its own for each: Scrapy asks for no address twice
        inside = [f"http://{host}:{canary.port}/{number}" for number, host in enumerate(hosts)]
        inside += [
            f"//127.0.0.1:{canary.port}/",
            f"http:\\\\127.0.0.1:{canary.port}/",
            f"HTTP://LOCALHOST:{canary.port}/",
        ]
        inside += [
            f"http://www.saferproducts.gov@127.0.0.1:{canary.port}/",
            f"http://127.0.0.1:{canary.port}/robots.txt",
        ]
        other = ["file:///etc/passwd", "data:text/html,<h1>1: x</h1>", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x"]
        urls = redirects(lib, inside + other)

        ran = lib.crawl(urls=urls, hosts=["www.saferproducts.gov"])

        assert canary.connections == 0
    found = lib.outcomes(ran.run)
    assert ran.counts["pages.missed"] + ran.counts["pages.redirect"] == len(urls)
    assert all(outcome == "redirect" and reason for url in urls for outcome, reason in found[url])
    assert all(any(problem.startswith(url) for problem in ran.problems) for url in urls[: len(inside)])
    assert ran.verdict == "moved"
    assert {one.host for one in lib.site.served} == {"www.saferproducts.gov"}


def test_a_name_of_the_source_that_resolves_to_the_inside_is_not_connected_to(lib: Library) -> None:
    machine = socket.gethostname()
    names = ["localhost", *([machine] if not is_public(socket.gethostbyname(machine)) else [])]
    with Canary(80 if os.geteuid() == 0 else 0) as canary:  # others may not listen where the crawl would connect
        ran = lib.crawl(urls=[f"http://{name}/" for name in names], hosts=names, port=0, names=[])

        assert canary.connections == 0
    assert (ran.verdict, ran.counts["pages.missed"]) == ("missed", len(names))
    assert all("is not a public address" in problem for problem in ran.problems), ran.problems


def test_practice_mode_answers_the_listed_names_and_no_other(lib: Library) -> None:
    urls = ["https://www.saferproducts.gov/RestWebServices/x", "https://elsewhere.example/", "http://localhost/"]

    ran = lib.crawl(urls=urls, hosts=["www.saferproducts.gov", "elsewhere.example", "localhost"])

    assert {one.host for one in lib.site.served} == {"www.saferproducts.gov"}
    assert sorted(url for url in urls if any(problem.startswith(url) for problem in ran.problems)) == sorted(urls[1:])
    assert all("is no practice publisher" in problem for problem in ran.problems if "data.food" not in problem), (
        ran.problems
    )


def test_a_crawl_asks_nobody_but_the_publisher_not_even_for_a_list_of_suffixes(lib: Library) -> None:
    page = Answer(
        body=b"<h1>1: one</h1>",
        headers=(("Set-Cookie", "a=b; Domain=saferproducts.gov; Path=/"), ("Set-Cookie", "c=d")),
    )
    lib.site.faults["www.saferproducts.gov", "/cookie"] = Fault(change=always(page))

    ran = lib.crawl(
        urls=["https://www.saferproducts.gov/cookie/1", "https://www.saferproducts.gov/cookie/2"],
        hosts=["www.saferproducts.gov"],
    )

    assert (ran.verdict, ran.resolved) == ("good", [])
