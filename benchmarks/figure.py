"""Figure: one measured ratio, its goal and its details, as the line that `make bench` prints."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure. value: a ratio against a peer measured in the same run, or a count of what must not happen.

    at_least, at_most: the goal, at most one of them; neither where a figure is only reported.
    details: what the ratio was made of, 'ours=812/s bare=990/s'. n: how much was measured, 'x' how often.
    """

    name: str
    value: float
    at_least: float | None = None
    at_most: float | None = None
    details: str = ""
    n: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the goal is met; a figure without a goal always is."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return self.at_most is None or self.value <= self.at_most

    @property
    def line(self) -> str:
        """The figure as one line."""
        goal = "goal=none"
        if self.at_least is not None:
            goal = f"goal>={self.at_least:g}"
        elif self.at_most is not None:
            goal = f"goal<={self.at_most:g}"
        missed = "" if self.is_met else "MISSED"
        return " ".join(filter(None, (self.name, f"{self.value:.3g}", goal, missed, self.details, f"n={self.n}")))


def cpu_seconds(work: Callable[[], object]) -> float:
    """How long all threads of this process compute for something, in seconds.

    Where a figure is about computing, this is the fair clock: others use the machine, and a core is what one pays for.
    """
    started = process_time()
    work()
    return process_time() - started


def percentile(values: Sequence[float], share: float) -> float:
    """The value that a share of the values does not exceed: 0.95 for p95.

    >>> percentile([3.0, 1.0, 2.0], 0.5)
    2.0
    """
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def peak_mib() -> float:
    """The peak memory of this process since it was started, in MiB.

    From /proc: getrusage begins with what the parent held when it forked, and an exec does not reset it.
    """
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0
