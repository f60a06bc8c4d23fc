"""`python -m benchmarks`: measure every figure, print one line each, and say by the exit code whether all goals are met."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.figure import Figure
from library.times import now

NAMES = (
    "fetching",
    "parsing",
    "importing",
    "indexing",
    "segmenting",
    "searching",
    "unchanged",
    "memory",
    "matching",
    "alerting",
)


def main(arguments: Sequence[str]) -> int:
    """Measure; returns 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Figures, each a ratio against a peer.")
    parser.add_argument("--only", action="append", choices=NAMES, help="measure this alone; may be given again")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that it runs, its figures mean nothing")
    parser.add_argument("--write", type=Path, metavar="FILE", help="also write the lines to a file, in Markdown")
    asked = parser.parse_args(arguments)
    if asked.write and (asked.only or asked.quick):
        parser.error("--write records all figures at full size")
    measured = []
    for figure in _measured(asked.only or NAMES, quick=asked.quick):
        sys.stdout.write(figure.line + "\n")
        sys.stdout.flush()
        measured.append(figure)
    if asked.write:
        asked.write.write_text(_page(measured), encoding="utf-8")
    return 0 if asked.quick or all(figure.is_met for figure in measured) else 1


def _measured(names: Sequence[str], *, quick: bool) -> Iterator[Figure]:
    for name in names:
        started = perf_counter()
        sys.stderr.write(f"{name} …\n")
        with TemporaryDirectory(prefix="ttm-bench-") as folder:
            # imported here: a child that crawls begins by importing this file, and its memory is measured
            yield from import_module(f"benchmarks.{name}").figures(Path(folder), quick=quick)
        sys.stderr.write(f"{name}: {perf_counter() - started:.0f} s\n")


def _page(measured: Sequence[Figure]) -> str:
    lines = "\n".join(figure.line for figure in measured)
    load = os.getloadavg()[1]
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    return f"""# Figures

Written by `python -m benchmarks --write docs/figures.md` on {now():%Y-%m-%d}: {machine}, load {load:.1f} over five minutes.

A line is a figure: its name, its value (a ratio against a peer measured in the same run, ours to the peer's unless the
name says otherwise), its goal, what it was made of, and how much was measured, `x` how often. What is measured how stands
at the top of each file in [benchmarks](../benchmarks).

```
{lines}
```
"""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
