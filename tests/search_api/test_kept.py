"""Searches that readers keep in their browser."""

from __future__ import annotations

import re

from search_api.asking import Asked
from search_api.kept import COOKIE, COOKIE_BYTES, KEPT_MAX, kept_cookie, read_kept, search_at, with_kept, without_kept


def keep(client, address, keep="1"):
    page = client.get(address)
    csrf = re.findall(r'name="csrf" value="([^"]+)"', page.text)[0]
    return client.post("/searches", data={"csrf": csrf, "address": address, "keep": keep})


def test_a_kept_search_stands_on_the_first_page_until_it_is_let_go(client):
    address = Asked(q="balloons", filters=("kind:recall",), sort="newest").address()

    answer = keep(client, address)

    assert (answer.status_code, answer.headers["location"]) == (303, address)
    assert f'href="{address.replace("&", "&amp;")}"' in client.get("/").text
    assert "Keep it no longer" in client.get(address).text
    keep(client, address, "0")
    assert "Searches you keep" not in client.get("/").text
    assert "Keep this search" in client.get(address).text


def test_a_search_is_not_kept_for_another_site(client):
    answer = client.post("/searches", data={"csrf": "x" * 43, "address": "/search?q=toy", "keep": "1"})

    assert answer.status_code == 403
    assert COOKIE not in client.cookies


def test_nobody_is_sent_away_from_our_pages(client):
    client.get("/search?q=balloons")

    assert keep(client, "/search?q=balloons").headers["location"].startswith("/search?")
    assert search_at("https://evil.example/x?q=toy") == Asked(q="toy")


def test_every_search_comes_back_as_it_was_kept():
    searches = (
        Asked(q="玩具 窒息", filters=("kind:recall", "origin:CN"), sort="oldest", expand=False),
        Asked(q='"a\nb" OR c', meaning="off", fold=False),
        Asked(),
    )

    assert read_kept(kept_cookie(searches)) == searches


def test_a_cookie_holds_the_last_searches_and_never_too_much():
    kept: tuple[Asked, ...] = ()
    for number in range(30):
        kept = with_kept(kept, Asked(q=f"{number}" + "玩" * (number * 8)))

    read = read_kept(kept_cookie(kept))

    assert len(kept) == KEPT_MAX and kept[0].q.startswith("29")
    assert read == kept[: len(read)] and len(kept_cookie(kept)) <= COOKIE_BYTES
    assert without_kept(kept, kept[3]) == (*kept[:3], *kept[4:])


def test_a_cookie_of_somebody_else_keeps_nothing(client):
    assert read_kept("ä") == read_kept("%%%") == read_kept("") == ()
    client.cookies.set(COOKIE, "not-ours")
    assert client.get("/").status_code == 200
