"""Instants as the store keeps them: UTC, ISO 8601, microseconds, 'Z', so that text sorts as time does."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(at: datetime) -> str:
    """Write an aware datetime.

    >>> stamp(datetime(2026, 3, 1, 2, 30, tzinfo=UTC))
    '2026-03-01T02:30:00.000000Z'
    """
    if at.tzinfo is None:
        raise ValueError(f"{at} has no zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def instant(stamped: str) -> datetime:
    """Read what `stamp` wrote.

    >>> instant("2026-03-01T02:30:00.000000Z")
    datetime.datetime(2026, 3, 1, 2, 30, tzinfo=datetime.timezone.utc)
    """
    return datetime.fromisoformat(stamped).astimezone(UTC)


def now() -> datetime:
    """The present instant, aware, UTC. Only the outermost layer of a command asks for it."""
    return datetime.now(UTC)
