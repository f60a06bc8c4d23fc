"""As much of SPARQL as a list of acts needs, over facts instead of a graph.

A query is triples, filters and modifiers: comparisons, IN, STRSTARTS, CONTAINS, ORDER BY, LIMIT and OFFSET. A predicate
that nobody knows matches nothing, as at a real endpoint; a filter that is not understood is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TypeAlias

Term: TypeAlias = dict[str, str]
"""A value as the result format prints it: {'type': 'uri', 'value': '...'}."""

Facts: TypeAlias = Mapping[str, tuple[Term, Term]]
"""Predicate -> (subject, object) of one item, its manifestation, expression and work."""

Solution: TypeAlias = dict[str, Term]

TOKEN = re.compile(r'<[^>\s]*>|\?\w+|"[^"]*"(?:\^\^[\w:]+|\^\^<[^>]*>|@\w+)?|[\w-]+:[\w./-]+|\w+|[{}();.,]')
LITERAL = r'(?:"([^"]*)"(?:\^\^[\w:<>/.#]+)?|<([^>]*)>)'
COMPARISON = re.compile(rf"\(?\s*(?:STR\()?\?(\w+)\)?\s*(>=|<=|=|>|<)\s*{LITERAL}\s*\)?", re.I)
MEMBERSHIP = re.compile(r"\(?\s*(?:STR\()?\?(\w+)\)?\s+IN\s*\((.*)\)\s*\)?", re.I | re.S)
PART = re.compile(
    r'\(?\s*(STRSTARTS|CONTAINS)\s*\(\s*(?:L?CASE\()?(?:STR\()?\?(\w+)\)*\s*,\s*"([^"]*)"\s*\)\s*\)?', re.I
)
TESTS: dict[str, Callable[[str, str], bool]] = {
    ">=": lambda value, bound: value >= bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    "<": lambda value, bound: value < bound,
    "=": lambda value, bound: value == bound,
}


class QueryError(ValueError):
    """A query that is not understood here."""


def solutions(query: str, facts_between: Callable[[date, date], Iterable[Facts]]) -> tuple[list[str], list[Solution]]:
    """The variables of a query and its solutions, sorted and cut as it asks. Raises QueryError.

    facts_between: the facts of everything changed in a range of days; a window in the query narrows it.
    """
    query = re.sub(r"(?m)^\s*#.*$", "", query)
    asked = re.search(r"SELECT\s+(?:DISTINCT\s+)?(.*?)\s*(?:WHERE\s*)?\{(.*)\}(.*)$", query, re.I | re.S)
    if not asked:
        raise QueryError("syntax error: SELECT ... WHERE { ... } is expected")
    body, filters = _without_filters(asked[2])
    triples = list(_triples(body))
    named = {term[1:] for triple in triples for term in triple if term.startswith("?")}
    variables = re.findall(r"\?(\w+)", asked[1]) or sorted(named)
    tests = [_test(text) for text in filters]
    matched = (_match(triples, facts) for facts in facts_between(*_window(triples, filters)))
    rows = [row for row in matched if row is not None and all(test(row) for test in tests)]
    order = re.search(r"ORDER\s+BY(.*)", asked[3], re.I | re.S)
    for descending, name in reversed(re.findall(r"(DESC\s*\(\s*)?\?(\w+)", order[1] if order else "", re.I)):
        rows = sorted(rows, key=_by(name), reverse=bool(descending))
    limit, offset = (re.search(rf"{word}\s+(\d+)", asked[3], re.I) for word in ("LIMIT", "OFFSET"))
    start = int(offset[1]) if offset else 0
    return variables, rows[start : start + int(limit[1]) if limit else None]


def _by(name: str) -> Callable[[Solution], str]:
    return lambda row: row.get(name, {}).get("value", "")


def _without_filters(body: str) -> tuple[str, list[str]]:
    """Take the FILTER( … ) parts out of a group; conditions joined by && come apart."""
    filters: list[str] = []
    rest, place = "", 0
    while found := re.search(r"\bFILTER\b", body[place:], re.I):
        rest += body[place : place + found.start()]
        start = end = place + found.end()
        depth = 0
        while end < len(body):
            depth += {"(": 1, ")": -1}.get(body[end], 0)
            end += 1
            if depth == 0 and body[end - 1] == ")":
                break
        filters += [_balanced(part) for part in body[start:end].split("&&")]
        place = end
    return rest + body[place:], filters


def _balanced(text: str) -> str:
    """A condition without the bracket that its neighbour closes."""
    text = text.strip()
    while text.startswith("(") and text.count("(") > text.count(")"):
        text = text[1:].strip()
    while text.endswith(")") and text.count(")") > text.count("("):
        text = text[:-1].strip()
    return text


def _triples(body: str) -> Iterator[tuple[str, str, str]]:
    """Subject, predicate, object. OPTIONAL and braces do not matter: everything here has every value."""
    parts: list[str] = []
    subject = ""
    for token in [*TOKEN.findall(body), "."]:
        if token in "{}" or token.upper() == "OPTIONAL":
            continue
        if token not in {".", ";"}:
            parts.append(token)
            continue
        if parts:
            if len(parts) == 2:
                parts.insert(0, subject)
            if len(parts) != 3:
                raise QueryError(f"syntax error near {' '.join(parts)!r}")
            subject = parts[0]
            yield parts[0], parts[1], parts[2]
        parts = []


def _test(text: str) -> Callable[[Solution], bool]:
    if asked := COMPARISON.fullmatch(text):
        name, sign, bound = asked[1], asked[2], asked[3] if asked[3] is not None else asked[4]
        return lambda row: name in row and TESTS[sign](row[name]["value"], bound)
    if asked := MEMBERSHIP.fullmatch(text):
        name = asked[1]
        members = {uri or literal for literal, uri in re.findall(LITERAL, asked[2])}
        return lambda row: name in row and row[name]["value"] in members
    if asked := PART.fullmatch(text):
        how, name, part = asked[1].upper(), asked[2], asked[3]
        return lambda row: name in row and _holds(how, row[name]["value"], part)
    if re.match(r"\(?\s*LANG(MATCHES)?\s*\(", text, re.I):
        return lambda row: True  # there is English only
    raise QueryError(f"the filter {text!r} is not known here")


def _holds(how: str, value: str, part: str) -> bool:
    return value.startswith(part) if how == "STRSTARTS" else part.casefold() in value.casefold()


def _window(triples: Sequence[tuple[str, str, str]], filters: Sequence[str]) -> tuple[date, date]:
    """The days that comparisons with the date of change leave."""
    first, last = date.min, date.max
    changed = next((thing for _, predicate, thing in triples if predicate.endswith("lastModificationDate")), "")
    for text in filters:
        asked = COMPARISON.fullmatch(text)
        if asked and f"?{asked[1]}" == changed and asked[3]:
            try:
                day = date.fromisoformat(asked[3][:10])
            except ValueError as error:
                raise QueryError(f"{asked[3]!r} is no date") from error
            first = max(first, day) if ">" in asked[2] else first
            last = min(last, day) if "<" in asked[2] else last
    return first, last


def _match(triples: Iterable[tuple[str, str, str]], facts: Facts) -> Solution | None:
    row: Solution = {}
    for subject, predicate, thing in triples:
        name = re.split(r"[#:/]", predicate.strip("<>"))[-1]
        if name == "a":
            continue
        if name not in facts:
            return None
        for term, value in zip((subject, thing), facts[name], strict=True):
            if term.startswith("?"):
                if row.setdefault(term[1:], value)["value"] != value["value"]:
                    return None
            elif (term.split('"')[1] if term.startswith('"') else term.strip("<>")) != value["value"]:
                return None
    return row
