"""The short form of `python -m benchmarks.torture`: nothing lost, nothing doubled, and a fault is found out."""

from __future__ import annotations

import subprocess
import sys

from tests.places import ROOT

SABOTAGED = """
import sys
import alerts.matching
import benchmarks.torture as torture
alerts.matching.action_for = lambda change, watch, is_old, *, was_selected: None if change.seq % 7 == 0 else "added"
torture.QUIET_S = 5.0
sys.exit(torture.main(["--deliveries", "20", "--only", "kill"]))
"""


def _run(*command: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    return done.returncode, done.stdout


def test_killed_cut_off_out_of_time_and_out_of_space_the_alerts_lose_and_double_nothing():
    code, line = _run("-m", "benchmarks.torture", "--deliveries", "30", "--only", "all", "--seed", "7")

    assert (code, " lost=0 dup=0 seed=7 pass" in line) == (0, True), line


def test_a_matcher_that_forgets_is_found_out():
    code, line = _run("-c", SABOTAGED)

    assert (code, "fail" in line) == (1, True), line
