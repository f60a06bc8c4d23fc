"""Mail to the operator: which runs of a round went wrong, one mail for the round."""

from __future__ import annotations

import html
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from alerts.letter import Letter
from alerts.mail import plan_letter
from alerts.wording import clean
from library.settings import Settings
from library.store.runs import GOOD, Run
from library.store.store import Store
from library.times import stamp

log = logging.getLogger(__name__)

POSITION = "operator_mail"
MARGIN = timedelta(hours=1)  # beyond the time limit of a run; one that has not ended by then is dead
NAMED_RUNS = 200
WELL = (*GOOD, "imported")  # verdicts nobody has to be told of


def report_runs(store: Store, settings: Settings, now: datetime) -> int:
    """Plan one mail about the failed runs of a round, when the round is over; returns how many runs it names.

    A round is over when no run goes on. The position, a run's id, moves in the transaction that plans the mail.
    """
    after = store.position(POSITION)
    alive_since = stamp(now - timedelta(seconds=settings.crawl.time_limit_s) - MARGIN)
    with store.read() as transaction:
        if transaction.value("SELECT 1 FROM run WHERE ended_at IS NULL AND started_at > :since", since=alive_since):
            return 0
        rows = transaction.rows("SELECT * FROM run WHERE id > :after ORDER BY id", after=after)
    runs = [Run.of(row) for row in rows]
    failed = [run for run in runs if run.verdict not in WELL]
    if not runs:
        return 0
    with store.write() as transaction:
        if failed and settings.mail.operator:
            plan_letter(
                transaction,
                night_failed(failed, run_count=len(runs), settings=settings),
                sender=settings.mail.sender,
                recipient=settings.mail.operator,
                occasion=f"runs:{runs[-1].id}",
                at=now,
            )
        store.set_position(transaction, POSITION, runs[-1].id, at=now)
    if failed and not settings.mail.operator:
        log.warning("%d of %d runs failed, and no operator address is set to tell", len(failed), len(runs))
    return len(failed)


def night_failed(failed: Sequence[Run], *, run_count: int, settings: Settings) -> Letter:
    """Write the mail about failed runs: source, verdict, reason and when, and where to look."""
    zone = ZoneInfo(settings.zone)
    sources = list(dict.fromkeys(run.source for run in failed))
    shown = "、".join(sources[:3]) + ("…" if len(sources) > 3 else "")
    lines = [
        f"{run.source}: {run.verdict or 'died'} — {clean(run.reason, 300) or 'the run never ended'} "
        f"({run.started_at.astimezone(zone):%Y-%m-%d %H:%M} {zone.key})"
        for run in failed[:NAMED_RUNS]
    ]
    if len(failed) > NAMED_RUNS:
        lines.append(f"… {len(failed) - NAMED_RUNS} more")
    board = f"{settings.web.base_url.rstrip('/')}/sources"
    intro = f"{run_count} 次抓取中有 {len(failed)} 次未成功。 {len(failed)} of {run_count} runs were not good."
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return Letter(
        subject=clean(f"[ttm] 抓取异常 Runs failed: {len(failed)}/{run_count} ({shown})", 120),
        text="\n".join((intro, "", *(f"- {line}" for line in lines), "", board, "")),
        html=f'<!doctype html><html lang="zh"><body><p>{html.escape(intro)}</p><ul>{items}</ul>'
        f'<p><a href="{html.escape(board)}">{html.escape(board)}</a></p></body></html>',
    )
