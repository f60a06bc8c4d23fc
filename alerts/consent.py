"""Consent: a watch begins when its reader agrees by a link in a mail, and ends when nobody has wanted it for a year."""

from __future__ import annotations

import html
import logging
from datetime import datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from alerts.letter import Letter
from alerts.mail import plan_letter
from alerts.tokens import confirm_token, owner_token, secret
from alerts.watches import Watch, end_watch
from alerts.wording import clean, sentence
from library.settings import Settings
from library.store.store import Store
from library.times import stamp

log = logging.getLogger(__name__)

ANSWER_WITHIN = timedelta(days=7)
NOTICE_BEFORE = timedelta(days=30)


def tend_watches(store: Store, settings: Settings, now: datetime) -> int:
    """Plan the mails that ask for consent and those that announce an end, and end what is over; returns mails planned."""
    with store.read() as transaction:
        unasked = [Watch.of(row) for row in transaction.rows(UNASKED)]
        expiring = [Watch.of(row) for row in transaction.rows(EXPIRING, until=stamp(now + NOTICE_BEFORE))]
        unanswered = [row["id"] for row in transaction.rows(UNANSWERED, before=stamp(now - ANSWER_WITHIN))]
        expired = [row["id"] for row in transaction.rows(EXPIRED, now=stamp(now))]
    for watch in unasked:
        with store.write() as transaction:
            letter = consent_letter(watch, settings)
            occasion = f"confirm:{watch.id}"
            sender = settings.mail.sender
            plan_letter(transaction, letter, sender=sender, recipient=watch.recipient, occasion=occasion, at=now)
    for watch in expiring:
        assert watch.expires_at is not None
        with store.write() as transaction:
            letter = expiry_letter(watch, settings)
            occasion = f"expiry:{watch.id}:{watch.expires_at:%Y-%m-%d}"
            sender = settings.mail.sender
            plan_letter(transaction, letter, sender=sender, recipient=watch.recipient, occasion=occasion, at=now)
            transaction.do("UPDATE watch SET expiry_told = 1 WHERE id = :id", id=watch.id)
    for watch_id in unanswered:
        end_watch(store, watch_id, now=now, why="not confirmed")
    for watch_id in expired:
        end_watch(store, watch_id, now=now, why="expired")
    if unanswered or expired:
        log.info("alerts: %d watches were never confirmed, %d expired", len(unanswered), len(expired))
    return len(unasked) + len(expiring)


def owner_url(settings: Settings, watch_id: str) -> str:
    """The page on which the owner of a watch sees and changes it."""
    return f"{settings.web.base_url.rstrip('/')}/watch?token={quote(owner_token(secret(settings), watch_id))}"


def consent_letter(watch: Watch, settings: Settings) -> Letter:
    """The mail that asks whether somebody wants a watch; nothing is sent before they say so."""
    token = confirm_token(secret(settings), watch.id)
    link = f"{settings.web.base_url.rstrip('/')}/confirm?token={quote(token)}"
    return _letter(watch, "consent", link, days=ANSWER_WITHIN.days)


def expiry_letter(watch: Watch, settings: Settings) -> Letter:
    """The mail that announces the end of a watch nobody has touched for long."""
    assert watch.expires_at is not None
    day = watch.expires_at.astimezone(ZoneInfo(watch.zone)).date()
    return _letter(watch, "expiry", owner_url(settings, watch.id), day=day.isoformat())


def _letter(watch: Watch, name: str, link: str, **values: object) -> Letter:
    language, title = watch.language, clean(watch.title, 40)
    lines = [
        sentence(language, f"{name}_intro", watch=title, **values),
        sentence(language, "query", query=clean(watch.query, 200)),
        sentence(language, f"{name}_link"),
    ]
    rest = sentence(language, f"{name}_rest", **values)
    shown = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    address = html.escape(link)
    return Letter(
        subject=clean(sentence(language, f"{name}_subject", watch=title), 120),
        text="\n".join((*lines, link, "", rest, "")),
        html=f'<!doctype html><html lang="{language}"><body>{shown}<p><a href="{address}">{address}</a></p>'
        f"<p>{html.escape(rest)}</p></body></html>",
    )


UNASKED = """
    SELECT * FROM watch WHERE confirmed_at IS NULL AND ended_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM mail WHERE mail.recipient = watch.recipient AND mail.occasion = 'confirm:' || watch.id
    )
    ORDER BY created_at, id
"""

UNANSWERED = "SELECT id FROM watch WHERE confirmed_at IS NULL AND ended_at IS NULL AND created_at < :before"

EXPIRING = """
    SELECT * FROM watch WHERE confirmed_at IS NOT NULL AND ended_at IS NULL AND expires_at < :until AND expiry_told = 0
    ORDER BY created_at, id
"""

EXPIRED = """
    SELECT id FROM watch WHERE confirmed_at IS NOT NULL AND ended_at IS NULL AND expires_at < :now AND expiry_told = 1
"""
