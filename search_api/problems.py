"""problems: the noted reason of a problem as a sentence for the reader. The note itself stands beside it."""

from __future__ import annotations

import re

from library.store.runs import Problem
from search_api import wording
from search_api.door import Reader

# The first that fits a note says what kind of problem it is; its groups are the values of the sentence.
KINDS = tuple(
    (key, re.compile(pattern, re.DOTALL))
    for key, pattern in (
        ("problem.unmapped", r"^unmapped (?P<what>HS code|ICS code|\w+) (?P<mark>['\"])(?P<word>.*)(?P=mark)$"),
        ("problem.undated", r"^(?P<what>[\w ]+) (?P<mark>['\"])(?P<word>.*)(?P=mark) is no date in any of "),
        ("problem.late", r"^comments close (?P<end>\S+), before publication (?P<day>\S+)$"),
        ("problem.link", r"^left out a link that is no web address: (?P<mark>['\"])(?P<word>.*)(?P=mark)$"),
        ("problem.unnamed", r": the parser gives fields we have no name for: (?P<names>[\w, ]+)$"),
        ("problem.no_key", r": the page prints no key$"),
        ("problem.no_kind", r": (?P<mark>['\"])(?P<word>[^'\"]*)(?P=mark) is no kind of record$"),
        ("problem.shape", r": a field has not the shape it must have: "),
        ("problem.parser", r": the parser failed: "),
        ("problem.cut", r": the page is cut short: it does not end"),
        ("problem.slow", r": no whole answer within the time allowed$"),
        ("problem.closed", r": the line was closed "),
        ("problem.unresolved", r": the name cannot be resolved: "),
        ("problem.circle", r": it moves in a circle$"),
        ("problem.later", r": the publisher asks to come back in (?P<wait>[\d,]+) s$"),
        ("problem.robots", r": Forbidden by robots\.txt$"),
        ("problem.robots_unknown", r": robots\.txt of (?P<host>\S+) cannot be had "),
        (
            "problem.outside",
            r"(is none of the source's hosts|is not a public address|is not a scheme we fetch|is not one of the web's"
            r"|the address carries a user name|the port is no number|is no practice publisher)$",
        ),
    )
)
WHAT = {  # what a note calls a field -> the field's wording
    "jurisdiction": "facet.jurisdiction",
    "country": "suggest.place",
    "HS code": "field.hs_codes",
    "ICS code": "field.ics_codes",
    "category": "facet.category",
    "hazard": "facet.hazard",
    "status": "facet.status",
    "measure": "facet.measure",
    "status since": "facet.status",
    "measure since": "facet.measure",
}


def said_of(problem: Problem, reader: Reader) -> str:
    """The problem in a sentence; '' for a note of no known kind, which then stands alone."""
    for key, pattern in KINDS:
        if found := pattern.search(problem.reason):
            values = found.groupdict()
            if what := values.get("what"):
                field = WHAT.get(what, f"field.{what.replace(' ', '_')}")
                values["what"] = reader.say(field) if wording.is_known(field) else what
            return reader.say(key, **values)
    if not problem.page_id:
        return reader.say("problem.missed")
    if not problem.key:
        return reader.say("problem.unreadable")
    if problem.reason.startswith(f"{problem.source} {problem.key} at "):
        return reader.say("problem.refused")
    return ""
