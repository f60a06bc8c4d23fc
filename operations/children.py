"""Processes of our own: each part of the house runs in one, and settings reach it through its environment."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)

PAUSE_MAX_S = 60.0
STEADY_S = 600.0
STOP_WITHIN_S = 20.0
PR_SET_PDEATHSIG = 1  # Linux, prctl(2)
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def ttm(*arguments: str, settings: Mapping[str, str] | None = None, **options: object) -> subprocess.Popen[bytes]:
    """Start `ttm …` as a child. settings: TTM_… variables on top of our own environment."""
    command = [sys.executable, "-m", "ttm", *arguments]
    return subprocess.Popen(command, env=os.environ | dict(settings or {}), **options)  # type: ignore[call-overload,no-any-return]


@dataclass(slots=True)
class Part:
    """One part of the house that is kept running."""

    name: str
    arguments: tuple[str, ...]
    child: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    started: float = 0.0
    not_before: float = field(default=0.0)


def keep_running(parts: list[Part], stop: threading.Event, *, settings: Mapping[str, str] | None = None) -> None:
    """Run parts until `stop` is set; one that ends is started again after a pause that doubles up to a minute."""
    try:
        while not stop.is_set():
            for part in parts:
                _tend(part, settings)
            stop.wait(0.5)
    finally:
        for part in parts:
            if part.child is not None and part.child.poll() is None:
                part.child.terminate()
        deadline = time.monotonic() + STOP_WITHIN_S
        for part in parts:
            if part.child is not None:
                _end(part.child, deadline)


def _tend(part: Part, settings: Mapping[str, str] | None) -> None:
    if part.child is not None:
        code = part.child.poll()
        if code is None:
            return
        if time.monotonic() - part.started > STEADY_S:
            part.restarts = 0  # an end after a long life is no sign of another soon
        pause = min(PAUSE_MAX_S, 2.0**part.restarts)
        logger.error("%s ended with exit code %d; it is started again in %.0f s", part.name, code, pause)
        part.child, part.restarts, part.not_before = None, part.restarts + 1, time.monotonic() + pause
    if time.monotonic() >= part.not_before:
        # a part that outlived us would keep port and leases from those that the same command starts next
        part.started = time.monotonic()
        part.child = ttm(*part.arguments, settings=settings, preexec_fn=_end_with_parent)
        logger.info("%s runs as process %d", part.name, part.child.pid)


def _end_with_parent() -> None:
    """In a child: ask Linux for SIGTERM when its parent dies, however it dies."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _end(child: subprocess.Popen[bytes], deadline: float) -> None:
    try:
        child.wait(timeout=max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
