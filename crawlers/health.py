"""Judge a run against what the source's facts promise: silence is loud, and has a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from library.source import Expectation

SEEN = ("pages.read", "pages.unchanged", "pages.empty", "pages.not_asked")
LOST = {
    "pages.failed": "failed",
    "pages.challenge": "blocked",
    "pages.error": "error",
    "pages.redirect": "moved",
    "pages.unreadable": "unreadable",
    "pages.missed": "missed",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to think of a run.

    word: 'good', 'quiet' (looked, and nothing is new for a suspicious time), 'thin', 'changed' (fields nobody has
    read), 'refused' (drafts that are no records), 'failed' (by a fault of ours), 'blocked', 'error', 'moved',
    'unreadable', 'missed', 'unseen'. After good and quiet, what the run showed may be believed.
    """

    word: str
    reason: str


def verdict(counts: Mapping[str, int], expect: Expectation, *, last_added: datetime | None, now: datetime) -> Verdict:
    """Judge the counts of one finished run of one source. last_added: when it last brought an unknown record."""
    seen = sum(counts.get(name, 0) for name in SEEN)
    lost = {name: counts[name] for name in LOST if counts.get(name)}
    if lost:
        worst = next(name for name in LOST if name in lost)
        parts = ", ".join(f"{count:,} {name.removeprefix('pages.')}" for name, count in lost.items())
        return Verdict(LOST[worst], f"could not look everywhere: {parts} of {seen + sum(lost.values()):,} pages")
    if not seen:
        return Verdict("unseen", "could not look: the run ended without a page")
    drafts, unchanged = counts.get("drafts", 0), counts.get("pages.unchanged", 0) + counts.get("pages.not_asked", 0)
    if not unchanged and drafts < expect.drafts_min:
        return Verdict("thin", f"{drafts:,} drafts, at least {expect.drafts_min:,} are expected")
    refused = counts.get("refused", 0)
    if drafts and refused / drafts > expect.refused_max_share:
        return Verdict("refused", f"{refused:,} of {drafts:,} drafts could not become records")
    if counts.get("unread", 0) > expect.unread_max:
        return Verdict("changed", f"{counts['unread']:,} fields of the source that nobody has read yet")
    if last_added is not None and now - last_added > timedelta(days=expect.quiet_days):
        return Verdict("quiet", f"looked and found nothing new since {last_added:%Y-%m-%d}")
    done = ", ".join(
        f"{counts[name]:,} {name}" for name in ("added", "amended", "withdrawn", "restored") if counts.get(name)
    )
    return Verdict("good", done or "looked, nothing new")
