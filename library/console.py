"""How commands speak: sentences on the terminal, JSON lines for programs, progress on long work."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import orjson
import typer

LINE_EVERY_S = 10.0


def fail(sentence: str, *, code: int = 1) -> NoReturn:
    """End the command with a sentence on standard error."""
    typer.echo(sentence, err=True)
    raise typer.Exit(code)


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON line."""
    sys.stdout.write(orjson.dumps(value, default=str).decode() + "\n")
    sys.stdout.flush()


CHATTY = ("scrapy", "twisted", "apscheduler", "alembic", "asyncio", "uvicorn")


def set_up_logging(level: int = logging.INFO) -> None:
    """Log one line per event, with a time in UTC, to standard error; of chatty libraries only what is a warning.

    A filter on the handler, not a level on the loggers: Scrapy sets its own back to DEBUG when a run begins.
    """
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        level=level, format="%(asctime)sZ %(levelname)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S", force=True
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(lambda event: event.levelno >= logging.WARNING or event.name.split(".")[0] not in CHATTY)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Progress of long work, called with (done, total; 0 where nobody knows).

    A bar on a terminal; elsewhere a plain line every LINE_EVERY_S seconds.
    """
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total or None)
        return
    last = time.monotonic()

    def line(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_EVERY_S:
            last = time.monotonic()
            typer.echo(f"{what}: {done:,} of {total:,}" if total else f"{what}: {done:,}", err=True)

    yield line
