"""Golden pages: header lines, an empty line, and the body, in one file per page."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crawlers.page import Draft, Follow, Remark
from library.page import Page
from tests.places import GOLDEN

FETCHED_AT = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)


def golden_files() -> list[Path]:
    """Every golden page."""
    return sorted(GOLDEN.glob("*/*.http"))


def golden_page(path: Path) -> Page:
    """Read a golden page; its folder is the source's name."""
    head, _, body = path.read_bytes().partition(b"\n\n")
    lines = [line.partition(":") for line in head.decode("utf-8").splitlines()]
    fields = {name.strip().lower(): value.strip() for name, _, value in lines}
    own = ("url", "kind", "status")
    return Page(
        source=path.parent.name,
        url=fields["url"],
        kind=fields["kind"],
        status=int(fields.get("status", "200")),
        body=body,
        fetched_at=FETCHED_AT,
        headers={name: value for name, value in fields.items() if name not in own and not name.startswith("carry-")},
        carry={name.removeprefix("carry-"): value for name, value in fields.items() if name.startswith("carry-")},
    )


def as_claims(findings: list[Draft | Remark | Follow]) -> list[dict[str, Any]]:
    """Findings as the JSON that stands beside a golden page."""
    claims = []
    for finding in findings:
        row = asdict(finding)
        if isinstance(finding, Draft):
            row["unread"] = sorted(finding.unread)
        if isinstance(finding, Follow):
            row["body"] = finding.body.decode("utf-8")
        claims.append({type(finding).__name__.lower(): row})
    return claims
