"""`ttm up`: every part runs, one that dies comes back, and at the end, whatever it was, nobody is left."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crawlers.schedule import latest_due
from library.house import House, opened
from library.times import now
from operations.demo import practice_house
from search_api.serving import listening
from tests.places import ROOT

SERVE = "serve --shared"
PARTS = {SERVE, "follow", "alerts run", "intake --follow", "schedule", "canary --follow"}
DUE = "uk_fsa_food_alerts"  # the one source whose round was missed
STOP_WITHIN_S = 20.0
KEEPER = """
import threading
from operations.children import Part, keep_running
keep_running([Part("the followers", ("follow",))], threading.Event())
"""


@dataclass(frozen=True, slots=True)
class Up:
    """A running house. It leads a session of its own, and so everything it ever starts is found."""

    process: subprocess.Popen[bytes]
    address: str
    log: Path

    def parts(self) -> dict[str, int]:
        """The parts that run: arguments -> process id."""
        return {words: number for number, words in self.processes().items() if words in PARTS}

    def processes(self) -> dict[int, str]:
        """All processes of the session that have not ended: process id -> what follows `ttm`."""
        return {
            int(folder.name): _words(folder)
            for folder in Path("/proc").iterdir()
            if folder.name.isdigit() and _session(folder) == self.process.pid
        }

    def get(self, path: str) -> Any:
        """What the API answers; None while nobody does."""
        try:
            with urllib.request.urlopen(self.address + path, timeout=5) as answer:
                return json.load(answer)
        except OSError:
            return None


def _session(folder: Path) -> int:
    try:
        state, _, _, session = (folder / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[:4]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return 0 if state == "Z" else int(session)


def _words(folder: Path) -> str:
    try:
        words = (folder / "cmdline").read_bytes().decode().rstrip("\0").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return " ".join(words[words.index("ttm") + 1 :]) if "ttm" in words else " ".join(words)


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """A new home among practice publishers, where one source is due and the others are not, as settings."""
    home = tmp_path_factory.mktemp("up") / "home"
    with practice_house(records=60, home=home) as practice:
        with opened(practice.settings) as house:
            _take_all_rounds_but(house, DUE)
        yield practice.variables | {"TTM_WEB__PORT": str(_free_port()), "TTM_CRAWL__BACKFILL_SINCE": "2015-01-01"}


def _take_all_rounds_but(house: House, due: str) -> None:
    for source in house.sources.values():
        if source.name != due:
            at = latest_due(source, now()) or now()
            house.store.runs.take_round(source.name, at, at=now())
            house.store.runs.end_round(source.name, at, exit_code=0, at=now())


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running(command: Sequence[str], variables: Mapping[str, str], parts: Collection[str]) -> Iterator[Up]:
    """A house, or some parts of it, once all of them run; what is left of it in the end is killed."""
    log = Path(variables["TTM_HOME"]) / "up.log"
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=os.environ | dict(variables),
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    house = Up(process, f"http://127.0.0.1:{variables['TTM_WEB__PORT']}", log)
    try:
        until(lambda: house.parts().keys() == set(parts), house)
        yield house
    finally:
        for number in house.processes():
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        process.wait()


def test_the_house_crawls_what_is_due_serves_it_brings_back_what_was_killed_and_ends(
    variables: Mapping[str, str],
) -> None:
    with running(["-m", "ttm", "up"], variables, PARTS) as up:
        until(lambda: (up.get("/api/search?q=kind:recall") or {}).get("total"), up)
        assert list(up.processes().values()).count(SERVE) == 2
        before = up.parts()
        for part in ("follow", SERVE):
            os.kill(before[part], signal.SIGKILL)
        until(lambda: up.parts().keys() == PARTS and not {before["follow"], before[SERVE]} & up.processes().keys(), up)
        until(lambda: up.get("/api/health"), up)

        up.process.send_signal(signal.SIGTERM)
        assert up.process.wait(timeout=STOP_WITHIN_S) == 0
        assert up.processes() == {}


def test_a_house_does_not_share_the_address_of_another(variables: Mapping[str, str]) -> None:
    with listening("127.0.0.1", int(variables["TTM_WEB__PORT"]), is_shared=True):
        up = subprocess.run(
            [sys.executable, "-m", "ttm", "up"],
            cwd=ROOT,
            env=os.environ | dict(variables),
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert up.returncode == 1
    assert f"the pages cannot be served at 127.0.0.1:{variables['TTM_WEB__PORT']}: " in up.stderr
    assert "Traceback" not in up.stderr


def test_parts_end_when_the_process_that_keeps_them_is_killed(variables: Mapping[str, str]) -> None:
    with running(["-c", KEEPER], variables, {"follow"}) as up:
        up.process.kill()
        up.process.wait()

        until(lambda: not up.processes(), up, within_s=10)


def until(is_so: Callable[[], Any], house: Up, within_s: float = 40.0) -> None:
    """Wait for something to become so."""
    deadline = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > deadline:
            said = house.log.read_text(encoding="utf-8", errors="replace")[-3000:]
            raise AssertionError(f"it did not come within {within_s:.0f} s; {house.processes()} run\n{said}")
        time.sleep(0.1)
