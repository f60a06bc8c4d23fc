"""Searches that readers keep for themselves, in a cookie of their browser: without an account, and seen by nobody else."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from search_api.asking import Asked, asked

COOKIE = "ttm_searches"
KEPT_MAX = 20
COOKIE_BYTES = 3500  # browsers keep 4,096 with name and attributes


def read_kept(cookie: str) -> tuple[Asked, ...]:
    """The searches in a cookie, the last kept first; none in one that nobody here has written."""
    try:
        addresses = urlsafe_b64decode(cookie.encode("ascii")).decode("utf-8").splitlines()
    except ValueError:
        return ()
    return tuple(search_at(address) for address in addresses[:KEPT_MAX])


def search_at(address: str) -> Asked:
    """The search that stands at an address of the search page, from its first page."""
    said = parse_qs(urlsplit(address).query)
    first = {name: values[0] for name, values in said.items()}
    return asked(
        first.get("q", ""),
        said.get("f", ()),
        first.get("sort", ""),
        "1",
        first.get("expand", ""),
        first.get("meaning", "auto"),
        first.get("fold", "1"),
        first.get("asof", ""),
    )


def with_kept(kept: Sequence[Asked], search: Asked) -> tuple[Asked, ...]:
    """The searches with one more; the oldest go where there are more than a cookie holds."""
    return tuple(dict.fromkeys((replace(search, page=1), *kept)))[:KEPT_MAX]


def without_kept(kept: Sequence[Asked], search: Asked) -> tuple[Asked, ...]:
    """The searches without one."""
    return tuple(one for one in kept if one != replace(search, page=1))


def kept_cookie(kept: Sequence[Asked]) -> str:
    """The cookie that holds searches, as many of them as it can."""
    for count in range(len(kept), -1, -1):
        lines = "\n".join(search.address() for search in kept[:count])
        cookie = urlsafe_b64encode(lines.encode("utf-8")).decode("ascii")
        if len(cookie) <= COOKIE_BYTES:
            return cookie
    return ""
