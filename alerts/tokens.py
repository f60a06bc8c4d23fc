"""Tokens: signed links that end a watch. Only a POST that carries one changes anything."""

from __future__ import annotations

import hashlib
import os
import tempfile
from datetime import datetime
from hmac import compare_digest
from pathlib import Path
from secrets import token_hex

from itsdangerous import BadData, URLSafeSerializer

from alerts.watches import Watch, end_watch
from library.settings import Settings
from library.store.store import Store

SECRET_FILE = "secret"
SECRET_LENGTH = 32


class TokenError(ValueError):
    """A token that we did not make."""


def secret(settings: Settings) -> str:
    """What signs the links: from the settings, or made once and kept in the home folder for its owner's eyes only."""
    if settings.web.secret:
        return settings.web.secret
    path = settings.home / SECRET_FILE
    try:
        kept = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        _make(path)
        kept = path.read_text(encoding="ascii").strip()
    if len(kept) < SECRET_LENGTH:
        raise ValueError(f"{path} holds no secret; remove it, and links in mails already sent stop working")
    return kept


def watch_token(key: str, watch_id: str) -> str:
    """A token that ends one watch."""
    return _serializer(key).dumps(["watch", watch_id])


def mail_token(key: str, message_id: str) -> str:
    """A token that ends every watch a mail was about."""
    return _serializer(key).dumps(["mail", message_id])


def watches_of(store: Store, key: str, token: str) -> list[Watch]:
    """The watches a token would end, without those that ended already. Raises TokenError for one we did not make."""
    kind, name = _read(key, token)
    with store.read() as transaction:
        rows = transaction.rows(WATCH_BY_ID if kind == "watch" else WATCHES_OF_MAIL, name=name)
    return [Watch.of(row) for row in rows]


def unsubscribe(store: Store, key: str, token: str, *, now: datetime) -> list[Watch]:
    """End the watches of a token; returns those that ended just now. Raises TokenError for one we did not make.

    For a POST only: mail scanners fetch every link they see.
    """
    watches = watches_of(store, key, token)
    return [watch for watch in watches if end_watch(store, watch.id, now=now, why="unsubscribed")]


def _read(key: str, token: str) -> tuple[str, str]:
    serializer = _serializer(key)
    try:
        kind, name = serializer.loads(token)
    except (BadData, ValueError, TypeError) as error:
        raise TokenError("this link was not made by us, or is not whole") from error
    # The last letter of a signature holds two bits that nobody reads, so that four spellings of it pass.
    if not compare_digest(serializer.dumps([kind, name]).encode(), token.encode()):
        raise TokenError("this link was not made by us, or is not whole")
    return kind, name


def _serializer(key: str) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt="ttm.unsubscribe", signer_kwargs={"digest_method": hashlib.sha256})


def _make(path: Path) -> None:
    """Keep a new secret unless another process was faster; the file is never there half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".secret-")  # made with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(token_hex(SECRET_LENGTH))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        os.unlink(draft)


WATCH_BY_ID = "SELECT * FROM watch WHERE id = :name AND ended_at IS NULL"

WATCHES_OF_MAIL = """
    SELECT * FROM watch WHERE ended_at IS NULL AND id IN (
        SELECT delivery.watch_id FROM delivery JOIN mail ON mail.id = delivery.mail_id
        WHERE mail.message_id = :name
    )
    ORDER BY created_at, id
"""
