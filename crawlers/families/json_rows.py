"""What sources that answer with rows of JSON share: refusals, windows of days, and nested fields accounted for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from crawlers.page import Draft, NotThePage, as_html, as_json
from library.page import Page

CHALLENGES = ("captcha", "challenge", "access denied", "just a moment", "are you a robot", "request rejected")


def answer(page: Page) -> Any:
    """The body as JSON. Raises NotThePage where HTML or a challenge stands for it, UnreadablePage for broken JSON."""
    if page.headers.get("x-amzn-waf-action"):
        raise NotThePage("challenge", "the site answered with a challenge of its firewall")
    if not page.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return as_json(page)
    html = as_html(page)
    said = " ".join((html.title or html).get_text(" ").split())[:120]
    if "301 moved" in said.lower() or "302 found" in said.lower():
        raise NotThePage("redirect", f"moved: the site answered {said!r}")
    outcome = "challenge" if any(word in page.text.lower() for word in CHALLENGES) else "error"
    raise NotThePage(outcome, f"the site answered with an HTML page where JSON is due: {said!r}")


def drafts(rows: Iterable[Any], kind: str, draft: Callable[[Mapping[str, Any]], Draft]) -> Iterator[Draft]:
    """A draft of every row. A row that is no object becomes a draft without a key: it is reported, and the rest is kept."""
    for row in rows:
        yield draft(row) if isinstance(row, Mapping) else Draft(kind=kind, key="", fields={"titles": {"und": str(row)}})


def listed(row: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects under a name: of a list, of a single object, none where it is null, absent or something else."""
    value = row.get(name)
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, Mapping)]


def paragraphs(parts: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """One text a label, of (label, value) pairs: the values of a label are its paragraphs, blank ones are left out."""
    values: dict[str, list[str]] = {}
    for label, value in parts:
        if value:
            values.setdefault(label, []).append(value)
    return [{"label": label, "value": "\n\n".join(said)} for label, said in values.items()]


def names(words: str, *, below: str = "") -> frozenset[str]:
    """Names written one after the other, below a field where one is named.

    >>> sorted(names("id slug", below="agencies"))
    ['agencies.id', 'agencies.slug']
    """
    return frozenset(f"{below}.{word}" if below else word for word in words.split())


def unread(row: Mapping[str, Any], known: Collection[str]) -> frozenset[str]:
    """Dotted names in a nested row that nobody has looked at.

    known: dotted names; one whose parts are not named ('openfda') stands for all that is below it.

    >>> sorted(unread({"a": [{"b": 1, "c": 2}], "d": {"e": 3}}, {"a", "a.b", "d"}))
    ['a.c']
    """
    parents = {name.rpartition(".")[0] for name in known}
    return frozenset(_unread(row, "", known, parents))


def _unread(value: Any, path: str, known: Collection[str], parents: Collection[str]) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _unread(item, path, known, parents)
    elif isinstance(value, Mapping):
        for name, part in value.items():
            dotted = f"{path}.{name}" if path else name
            if dotted not in known:
                yield dotted
            elif dotted in parents:
                yield from _unread(part, dotted, known, parents)


def calendar_years(first: date, last: date) -> Iterator[tuple[date, date]]:
    """The windows, one a calendar year, that cover the days from first to last, both inclusive; oldest first."""
    while first <= last:
        end = min(date(first.year, 12, 31), last)
        yield first, end
        first = end + timedelta(days=1)


def calendar_months(first: date, last: date) -> Iterator[tuple[date, date]]:
    """The same, one a calendar month."""
    while first <= last:
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        end = min(following - timedelta(days=1), last)
        yield first, end
        first = end + timedelta(days=1)


def require_window(days: Sequence[str], first: str, last: str) -> None:
    """Raise NotThePage when most of the printed days lie outside the window that was asked for.

    A site that drops an unknown parameter answers 200 with everything it has. Days are compared as
    text, so first and last have to be written as the days are; '' leaves that side open.
    """
    outside = [day for day in days if day < first or (last and day > last)]
    if len(outside) * 2 > len(days):
        asked = f"{first or 'the beginning'} to {last or 'today'}"
        raise NotThePage("error", f"asked for {asked} and got {outside[0]}: the filter was ignored")
