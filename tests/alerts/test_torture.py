"""The short form of `python -m benchmarks.torture`: nothing lost, nothing doubled, and a fault is found out."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.places import ROOT

FORGETFUL = """
import sys
import alerts.matching
import benchmarks.torture as torture
alerts.matching.action_for = lambda change, watch, is_old, *, was_selected: None if change.seq % 7 == 0 else "added"
torture.QUIET_S = 5.0
sys.exit(torture.main(["--deliveries", "20", "--only", "kill"]))
"""

NEWEST_FIRST = """
import sys
import alerts.outbox
import benchmarks.torture as torture
alerts.outbox.READY = alerts.outbox.READY.replace("ORDER BY id", "ORDER BY id DESC")
sys.exit(torture.main(["--deliveries", "20", "--only", "smtp_down_24h"]))
"""

TALKATIVE = """
import sys
import alerts.outage
import benchmarks.torture as torture
alerts.outage.TOLD = "told to nobody"
alerts.outage._note = lambda store, name, second, at, note=alerts.outage._note: name == alerts.outage.BEGAN and note(
    store, name, second, at
)
sys.exit(torture.main(["--deliveries", "20", "--only", "smtp_down_24h"]))
"""

CARELESS = """
import sys
import alerts.tokens
import benchmarks.torture as torture
alerts.tokens.compare_digest = lambda one, other: True
sys.exit(torture.main(["--deliveries", "50", "--only", "forged_tokens"]))
"""


def _run(*command: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_killed_cut_off_out_of_time_and_out_of_space_the_alerts_lose_and_double_nothing():
    code, line = _run("-m", "benchmarks.torture", "--deliveries", "30", "--only", "all", "--seed", "7")

    assert (code, " lost=0 dup=0 seed=7 pass" in line) == (0, True), line


@pytest.mark.parametrize(("way", "deliveries"), [("storm", 200), ("smtp_down_24h", 60), ("forged_tokens", 200)])
def test_the_short_form_of_a_torture_is_passed(way: str, deliveries: int):
    code, line = _run("-m", "benchmarks.torture", "--deliveries", str(deliveries), "--only", way, "--seed", "7")

    assert (code, " lost=0 dup=0 seed=7 pass" in line) == (0, True), line


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (FORGETFUL, "fail"),
        (NEWEST_FIRST, "deliveries came out of order"),
        (TALKATIVE, "the operator was told"),
        (CARELESS, "letter: "),
    ],
    ids=["a matcher that forgets", "the newest mail first", "an operator told again", "two spellings of one token"],
)
def test_a_fault_is_found_out(fault: str, found: str):
    code, line = _run("-c", fault)

    assert (code, " fail " in line, found in line) == (1, True, True), line
