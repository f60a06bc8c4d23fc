"""`kill -9` at any moment of a night, then the same night again: nothing is lost, nothing is told twice."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pytest

import crawlers.practice.site
from library.house import opened
from operations.demo import Practice
from tests.torture.failpoints import POINTS
from tests.torture.homes import Marks, Nights, Standing, last_stage, marks, moved, practice_at, prepare, standing
from tests.torture.night import LOG

MOMENTS = 20
IN_MEMORY = Path("/dev/shm")  # a night syncs some 120 times, and a busy disk takes 6 ms each time
SEVERAL = (  # in one night, which is played again after each
    "archive: written, torn before the fsync",
    "put: in the transaction",
    "index: added, not committed",
    "match: in the transaction",
    "send: accepted, not written down",
)
COUNTS = {"archive: indexed, not read": 3, "put: in the transaction": 2, "index: links, in the transaction": 5}


@dataclass(frozen=True, slots=True)
class Disturbed:
    """One trial: what was done, how the resumed night stands, and the seconds that took."""

    what: str
    stage: str
    standing: Standing
    resumed_s: float


@dataclass(slots=True)
class Ground:
    """A home before the disturbed night, and how it stands after an undisturbed one."""

    folder: Path
    practice: Practice
    nights: Nights
    before: Marks
    truth: Standing
    night_s: float
    trials: int = 0

    def disturb_after(self, share: float) -> Disturbed:
        """Kill the night when a share of its time is over."""
        home = self._copy()
        ended = self.nights.play(home, kill_after_s=share * self.night_s)
        while not ended.was_killed:  # the machine was quicker than when a night was last measured
            self.night_s, share = ended.seconds, share * 0.95
            shutil.rmtree(home.settings.home)
            home = self._copy()
            ended = self.nights.play(home, kill_after_s=share * self.night_s)
        return self._resumed(f"killed when {share:.0%} was over", home)

    def disturb_at(self, *points: str) -> Disturbed:
        """Let the night kill itself at a point; at the next one, when it is played again."""
        home = self._copy()
        for point in points:
            assert self.nights.play(home, point=point, count=COUNTS.get(point, 1)).was_killed, f"never came to {point}"
        return self._resumed(", then ".join(points), home)

    def _copy(self) -> Practice:
        self.trials += 1
        return moved(self.practice, self.folder / f"trial-{self.trials:02}")

    def _resumed(self, what: str, home: Practice) -> Disturbed:
        stage = last_stage(home.settings.home)
        resumed = self.nights.play(home)
        assert resumed.code == 0, f"{what}: {(home.settings.home / LOG).read_text(encoding='utf-8')[-3000:]}"
        found = Disturbed(what, stage, standing(home, self.before), resumed.seconds)
        shutil.rmtree(home.settings.home)
        return found

    def complaints(self, trial: Disturbed) -> list[str]:
        """What differs from the undisturbed night, in sentences."""
        found, truth = trial.standing, self.truth
        said = [*found.faults, *(f"{name} came too often" for name in found.doubled)]
        said += [f"lost: {pair}" for pair in sorted(truth.told - found.told)]
        said += [f"told of what nobody is told otherwise: {pair}" for pair in sorted(found.told - truth.told)]
        if found.records != truth.records:
            said.append(f"other records: {sorted(found.records.items() ^ truth.records.items())}")
        if found.changes != truth.changes:
            said.append(f"other changes: {sorted(found.changes ^ truth.changes)}")
        if found.links != truth.links:
            said.append(f"other links: {sorted(found.links ^ truth.links)}")
        return [f"{trial.what} (in {trial.stage}): {sentence}" for sentence in said]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where the homes are: in memory where that can be. To a killed process a write there is as durable as on a disk."""
    with TemporaryDirectory(prefix="ttm-kill-", dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def ground(folder: Path) -> Iterator[Ground]:
    """Two nights in one home, and a third, undisturbed, in a copy of it."""
    with pytest.MonkeyPatch.context() as patch, practice_at(folder / "home") as practice, Nights(folder) as nights:
        patch.setattr(crawlers.practice.site, "CRAWL_DELAY_S", {})  # a night would wait more than it works
        prepare(practice, nights)
        with opened(practice.settings) as house:
            before = marks(house.store)
        undisturbed = moved(practice, folder / "undisturbed")
        ended = nights.play(undisturbed)
        assert ended.code == 0, (undisturbed.settings.home / LOG).read_text(encoding="utf-8")[-3000:]
        yield Ground(folder, practice, nights, before, standing(undisturbed, before), ended.seconds)


def test_a_night_killed_at_any_moment_and_played_again_ends_like_an_undisturbed_one(
    ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ground.truth.faults == []
    assert {action for _, action in ground.truth.changes} == {"added", "amended", "withdrawn"}
    assert len({address for address, _ in ground.truth.told}) == 5
    assert (ground.truth.doubled, ground.truth.doubts) == ([], 0)

    trials = [ground.disturb_after((number + 0.5) / MOMENTS) for number in range(MOMENTS)]
    trials += [ground.disturb_at(point) for point in POINTS]
    trials.append(ground.disturb_at(*SEVERAL))

    complaints = [sentence for trial in trials for sentence in ground.complaints(trial)]
    with capsys.disabled():
        print("\n" + summary(ground, trials))
    assert complaints == []


def summary(ground: Ground, trials: Sequence[Disturbed]) -> str:
    """One line on what the trials found."""
    lost = sum(len(ground.truth.told - trial.standing.told) for trial in trials)
    doubled = sum(len(trial.standing.doubled) for trial in trials)
    doubts = sum(trial.standing.doubts for trial in trials)
    resumed_s = median(trial.resumed_s for trial in trials)
    killed_in = " ".join(f"{stage}:{count}" for stage, count in Counter(trial.stage for trial in trials).items())
    return (
        f"kill n={len(trials)} night_s={ground.night_s:.2f} lost={lost} dup={doubled} in_doubt={doubts} "
        f"resumed_s_median={resumed_s:.2f} killed_in={killed_in}"
    )
