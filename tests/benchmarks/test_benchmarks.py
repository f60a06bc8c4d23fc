"""The benchmarks run, and say the truth about their goals. What they measure is not tested: a busy machine is no fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import NAMES, main
from benchmarks.figure import Figure, peak_mib, percentile
from benchmarks.unchanged import figures as unchanged


def test_a_figure_is_one_line_with_its_goal_and_what_it_was_made_of() -> None:
    figure = Figure(name="fetching", value=0.8123, at_least=0.7, details="ours=812/s bare=1000/s", n="1500x3")

    assert figure.line == "fetching 0.812 goal>=0.7 ours=812/s bare=1000/s n=1500x3"


def test_a_missed_goal_is_said_and_a_figure_without_a_goal_is_never_missed() -> None:
    assert " goal>=0.7 MISSED " in Figure(name="fetching", value=0.69, at_least=0.7, n="1").line
    assert " goal<=3 MISSED " in Figure(name="searching", value=3.1, at_most=3, n="1").line
    assert Figure(name="parsing", value=0.001, n="1").is_met


def test_a_percentile_is_one_of_the_values_that_were_measured() -> None:
    assert percentile([5.0, 1.0, 3.0], 0.5) == 3.0
    assert percentile([5.0, 1.0, 3.0], 0.99) == 5.0


def test_the_peak_memory_is_that_of_this_process() -> None:
    assert 10 < peak_mib() < 5000


@pytest.mark.parametrize("name", ["parsing", "importing", "segmenting", "searching"])
def test_a_benchmark_of_tiny_size_prints_its_lines(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", name, "--quick"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all(" goal" in line and " n=" in line for line in lines)


def test_only_figures_of_full_size_are_written_down(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["--quick", "--write", str(tmp_path / "figures.md")])

    assert not list(tmp_path.iterdir())


def test_every_benchmark_has_a_name_that_can_be_asked_for() -> None:
    folder = Path(unchanged.__code__.co_filename).parent
    measuring = {path.stem for path in folder.glob("*.py") if "\ndef figures(" in path.read_text(encoding="utf-8")}

    assert measuring == set(NAMES)
