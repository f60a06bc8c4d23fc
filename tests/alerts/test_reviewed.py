"""Watches in files that people review: a plan before anything changes, and checks beside each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerts.cli import watch_app
from alerts.reviewed import carry_out, failed_checks, plan, read_folder
from alerts.watches import Checks, WatchError, active_watches, list_watches
from tests.alerts.conftest import House, recall

TOYS = """
query = "kind:recall category:toys hazard:choking"
recipient = "toys@example.org"
cadence = "daily"
actions = ["added", "withdrawn"]
must_match = [{ title = "Balloon", category = "toys", hazard = "choking" }]
must_not_match = ["Toaster", { title = "Balloon", kind = "notification", category = "toys", hazard = "choking" }]
"""
KITES = 'category = "origin"\nvalue = "VN"\nrecipient = "vn@example.org"\n'


def _folder(tmp_path: Path, **files: str) -> Path:
    folder = tmp_path / "watches"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.toml"):
        old.unlink()
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def _apply(house: House, folder: Path) -> list[str]:
    steps = plan(house.store, read_folder(folder))
    carry_out(house.store, steps, now=house.clock(), zone="Asia/Shanghai", confirmed=True)
    return [f"{step.kind} {step.name}" for step in steps]


def test_files_become_watches_and_once_more_changes_nothing(house: House, tmp_path: Path):
    folder = _folder(tmp_path, toys=TOYS, vietnam=KITES)

    first, again = _apply(house, folder), _apply(house, folder)

    assert first == ["create toys", "create vietnam"]
    assert again == ["keep toys", "keep vietnam"]
    vietnam, toys = sorted(active_watches(house.store), key=lambda watch: watch.query, reverse=True)
    assert (toys.name, toys.cadence, toys.expires_at) == ("toys", "daily", None)
    assert vietnam.query == "origin:VN (kind:recall OR kind:rejection)"
    assert vietnam.title == "原产地为 VN 的产品被召回或拒绝入境"


def test_a_changed_file_changes_its_watch_and_a_removed_one_ends_it(house: House, tmp_path: Path):
    _apply(house, _folder(tmp_path, toys=TOYS, vietnam=KITES))
    (before,) = [watch for watch in active_watches(house.store) if watch.name == "toys"]

    done = _apply(house, _folder(tmp_path, toys=TOYS.replace("daily", "weekly")))

    assert done == ["change toys", "end vietnam"]
    (after,) = active_watches(house.store)
    assert (after.id, after.cadence) == (before.id, "weekly")


def test_another_reader_is_another_watch(house: House, tmp_path: Path):
    _apply(house, _folder(tmp_path, toys=TOYS))

    assert _apply(house, _folder(tmp_path, toys=TOYS.replace("toys@", "new@"))) == ["end toys", "create toys"]
    assert len(list_watches(house.store, ended=True)) == 2


def test_watches_without_a_file_are_left_alone(house: House, tmp_path: Path):
    own = house.watch("kite")
    _apply(house, _folder(tmp_path, toys=TOYS))
    _apply(house, _folder(tmp_path))

    assert [watch.id for watch in active_watches(house.store)] == [own.id]


def test_a_check_names_what_is_selected_and_should_not_be(house: House):
    house.put(recall())
    checks = Checks(
        must_match=("eu_safety_gate:SR/00001/26", "eu_safety_gate:gone", "Kite"), must_not_match=("Balloon",)
    )

    failures = failed_checks(house.store, house.sources, "balloon", checks)

    assert failures == [
        "there is no record 'eu_safety_gate:gone' in the library",
        "it does not select 'Kite'",
        "it selects 'Balloon'",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('query = "toys', "toys.toml"),
        ('query = "toys"', "it needs a recipient"),
        ('query = "(toys"\nrecipient = "a@example.org"', "column"),
        ('query = "toys"\nrecipient = "a@example.org"\ncadance = "daily"', "nobody knows cadance"),
        ('category = "unicorns"\nrecipient = "a@example.org"', "category"),
        ('query = "toys"\nrecipient = "a@example.org"\nmust_match = [{ colour = "red" }]', "a check is"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path: Path, text: str, said: str):
    with pytest.raises(WatchError, match="toys.toml") as refused:
        read_folder(_folder(tmp_path, toys=text))

    assert said in str(refused.value)


def test_the_command_shows_its_plan_before_it_does_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TTM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TTM_DATABASE_URL", "")
    folder = _folder(tmp_path, toys=TOYS)

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(watch_app, arguments)
        return result.exit_code, result.output

    shown = run("apply", str(folder))
    nothing = json.loads(run("list", "--json")[1])["watches"]
    done = run("apply", str(folder), "--yes", "--confirmed")
    checked = run("check")
    broken = run(
        "apply",
        str(
            _folder(
                tmp_path,
                toys=TOYS.replace('"Toaster"', '"Balloon hazard:choking"')
                .replace('hazard:choking"\nrec', '"\nrec')
                .replace("category:toys", "balloon"),
            )
        ),
        "--yes",
    )

    assert shown[0] == 0 and "create  toys" in shown[1] and "--yes does it" in shown[1]
    assert nothing == []
    assert done == (0, "create  toys: toys@example.org [kind:recall category:toys hazard:choking]\n1 steps are done.\n")
    assert checked == (0, "3 checks, 0 failed.\n")
    assert broken[0] == 1 and "Nothing was changed" in broken[1]
