"""Tokens: signed links that confirm, show, change or end a watch. Only a POST that carries one changes anything."""

from __future__ import annotations

import hashlib
import hmac
import os
import tempfile
from collections.abc import Sequence
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


def watches_token(key: str, watch_ids: Sequence[str]) -> str:
    """A token that ends some watches."""
    return _serializer(key).dumps(["watches", " ".join(watch_ids)])


def owner_token(key: str, watch_id: str) -> str:
    """A token that shows a watch to its owner, and lets them change it; it ends nothing by itself."""
    return _serializer(key).dumps(["owner", watch_id])


def confirm_token(key: str, watch_id: str) -> str:
    """A token by which a reader agrees to a watch."""
    return _serializer(key).dumps(["confirm", watch_id])


def feed_token(key: str, watch_id: str) -> str:
    """A token that only reads what a watch found; a feed reader keeps it, and may show it to anybody."""
    return _serializer(key).dumps(["feed", watch_id])


def digest_token(key: str, name: str) -> str:
    """A token that shows what stood in one mail or call: 'mail:' and its Message-ID, or 'call:', a watch and an occasion."""
    return _serializer(key).dumps(["digest", name])


def digest_name_of(key: str, token: str) -> str:
    """What a token of `digest_token` stands for. Raises TokenError for any other token."""
    return watch_id_of(key, token, "digest")


def watch_id_of(key: str, token: str, kind: str) -> str:
    """The watch a token of a kind stands for: owner, confirm or feed. Raises TokenError for any other token."""
    found, name = _read(key, token)
    if found != kind:
        raise TokenError("this link was made for something else")
    return name


def hook_key(key: str, watch_id: str) -> str:
    """What signs the calls of a watch's web address; its owner is shown it."""
    return hmac.new(key.encode(), f"hook:{watch_id}".encode(), hashlib.sha256).hexdigest()


def watches_of(store: Store, key: str, token: str) -> list[Watch]:
    """The watches a token would end, without those that ended already. Raises TokenError for one we did not make."""
    kind, name = _read(key, token)
    if kind not in ("watch", "watches", "mail"):
        raise TokenError("this link was made for something else")
    with store.read() as transaction:
        if kind == "mail":
            rows = transaction.rows(WATCHES_OF_MAIL, name=name)
        else:
            rows = transaction.rows(WATCHES_BY_ID, ids=name.split())
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


WATCHES_BY_ID = "SELECT * FROM watch WHERE id IN :ids AND ended_at IS NULL ORDER BY created_at, id"

WATCHES_OF_MAIL = """
    SELECT * FROM watch WHERE ended_at IS NULL AND id IN (
        SELECT delivery.watch_id FROM delivery JOIN mail ON mail.id = delivery.mail_id
        WHERE mail.message_id = :name
    )
    ORDER BY created_at, id
"""
