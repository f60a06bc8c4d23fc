"""The commands: clear sentences, and exit codes a script can rely on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from alerts.cli import alerts_app, watch_app
from indexer.engines import open_engine
from indexer.entry import entry_of
from library.house import opened
from library.store.store import Origin, SeenPage
from library.times import now
from tests.alerts.conftest import FaultyMailbox, body, recall

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, mailbox: FaultyMailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of its own, and a mailbox as the mail server."""
    for name, value in {
        "TTM_HOME": str(tmp_path / "home"),
        "TTM_MAIL__PORT": str(mailbox.port),
        "TTM_MAIL__SENDER": "ttm <ttm@example.net>",
        "TTM_DATABASE_URL": "",
    }.items():
        monkeypatch.setenv(name, value)


def _watch(*arguments: str) -> Result:
    return CliRunner().invoke(watch_app, arguments)


def _alerts(*arguments: str) -> Result:
    return CliRunner().invoke(alerts_app, arguments)


def test_a_watch_is_added_listed_and_removed():
    added = _watch("add", "reader@example.org", "origin:中国 窒息", "--daily")
    listed = json.loads(_watch("list", "--json").stdout)["watches"]
    removed = _watch("remove", listed[0]["id"])

    assert added.exit_code == 0, added.output
    assert "is told daily at 08:00 Asia/Shanghai" in added.stdout
    assert "The library holds no dated records yet" in added.stdout
    assert [watch["query"] for watch in listed] == ["origin:中国 窒息"]
    assert removed.exit_code == 0
    assert "There are no watches" in _watch("list").stdout
    assert "removed" in _watch("list", "--ended").stdout


@pytest.fixture
def library() -> None:
    """A library of 30 balloons and a kite, stored and indexed."""
    balloons = [recall(f"B{number}", published=now().date()) for number in range(30)]
    records = [*balloons, recall("K", "Kite", published=now().date())]
    with opened() as house:
        for number, record in enumerate(records, start=1):
            page = SeenPage(id=number, url_key=f"{number:032}", fetched_at=now())
            house.store.put(record, page, origin=Origin.BACKFILL, at=now())
        engine = open_engine(house.settings)
        engine.write(map(entry_of, records), position=1)
        engine.close()


def _queries() -> list[str]:
    return [watch["query"] for watch in json.loads(_watch("list", "--json").stdout)["watches"]]


@pytest.mark.usefixtures("library")
def test_what_a_watch_would_have_found_is_shown_before_it_is_saved():
    added = _watch("add", "reader@example.org", "kite")

    assert added.exit_code == 0, added.output
    assert added.stdout.index("it would have found 1 records") < added.stdout.index("is saved")


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("json_too", [(), ("--json",)])
@pytest.mark.parametrize(
    ("query", "sentence"), [("drone", "finds nothing in the whole library"), ("balloon", "finds most of what there is")]
)
def test_a_watch_of_no_use_is_refused_where_nobody_can_be_asked(query: str, sentence: str, json_too: tuple[str, ...]):
    refused = _watch("add", "reader@example.org", query, *json_too)
    before = _queries()
    forced = _watch("add", "reader@example.org", query, "--yes", *json_too)

    assert (refused.exit_code, forced.exit_code) == (1, 0)
    assert sentence in refused.stderr
    assert "--yes" in refused.stderr
    assert (before, _queries()) == ([], [query])


@pytest.mark.usefixtures("library")
def test_what_is_typed_wrong_is_said_before_anything_is_looked_up():
    refused = _watch("add", "reader, other@example.org", "drone")

    assert refused.exit_code == 2
    assert "would have found" not in refused.output


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("query", "answer", "question", "saved"),
    [
        ("kite", "", "Save it? [Y/n]", ["kite"]),
        ("kite", "n", "Save it? [Y/n]", []),
        ("drone", "", "Save it all the same? [y/N]", []),
        ("drone", "y", "Save it all the same? [y/N]", ["drone"]),
    ],
)
def test_on_a_terminal_a_person_is_asked(query: str, answer: str, question: str, saved: list[str]):
    """A real terminal: what is typed into it is the answer."""
    ours, theirs = os.openpty()
    try:
        os.write(ours, f"{answer}\n".encode())
        done = subprocess.run(
            [sys.executable, ROOT / "ttm.py", "watch", "add", "reader@example.org", query],
            stdin=theirs,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    finally:
        os.close(ours)
        os.close(theirs)

    assert question in done.stdout
    assert _queries() == saved
    assert ("Nothing was saved." in done.stdout) is (saved == [])


def test_a_category_is_a_watch():
    added = _watch("add", "reader@example.org", "--category", "toys", "--json")

    assert json.loads(added.stdout)["title"] == "玩具召回"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "reader@example.org"), "give a query or a --category"),
        (("add", "reader@example.org", "--category", "unicorns"), "no category 'unicorns'"),
        (("add", "reader, other@example.org", "toys"), "one address is needed"),
        (("add", "reader@example.org", "玩具 ("), "\n     ^"),
        (("add", "reader@example.org", "toys", "--actions", "eaten"), "a watch hears of some of"),
    ],
)
def test_what_is_typed_wrong_is_said_and_exits_2(arguments: tuple[str, ...], sentence: str):
    refused = _watch(*arguments)

    assert refused.exit_code == 2
    assert sentence in refused.stderr


def test_removing_what_is_not_there_exits_1():
    assert _watch("remove", "nothing").exit_code == 1


def test_the_categories_are_listed():
    listed = json.loads(_watch("categories", "--json").stdout)

    assert {"toys", "origin_china"} <= listed.keys()
    assert "玩具召回 / Recalls of toys" in _watch("categories").stdout


def test_a_test_mail_arrives_and_the_servers_words_are_shown(mailbox: FaultyMailbox):
    sent = _alerts("test", "reader@example.org")

    assert sent.exit_code == 0, sent.output
    assert "took the mail to reader@example.org (the text: 250 kept)" in sent.stdout
    (message,) = mailbox.messages()
    assert "Mail from the library arrives." in body(message)


@pytest.mark.parametrize(
    ("step", "answer", "sentence"),
    [
        ("RCPT", "550 no such user", "refuses mail to reader@example.org"),
        ("RCPT", "450 busy", "A real alert would be tried again"),
        ("kept", "drop", "may have taken the mail"),
        ("banner", "drop", "cannot be used"),
    ],
)
def test_a_test_mail_that_does_not_arrive_says_why(mailbox: FaultyMailbox, step: str, answer: str, sentence: str):
    mailbox.faults = {step: answer}

    failed = _alerts("test", "reader@example.org")

    assert failed.exit_code == 1
    assert sentence in failed.stderr


def test_a_pass_with_nothing_to_do_says_so():
    passed = _alerts("send")

    assert passed.exit_code == 0, passed.output
    assert passed.stdout.startswith("0 mails planned, 0 sent")


def test_the_status_counts():
    assert json.loads(_alerts("status", "--json").stdout)["watches"] == 0
    assert "Mails: none" in _alerts("status").stdout


def test_a_retry_needs_to_know_of_what():
    assert "--failed-since" in _alerts("retry").stderr
    assert "is no day" in _alerts("retry", "--failed-since", "yesterday").stderr


def test_a_retry_of_what_is_not_there_says_so_and_exits_1():
    result = _alerts("retry", "--mail", "7")

    assert result.exit_code == 1
    assert "mail 7: left alone, there is none" in result.output


def test_the_status_says_until_when_the_holidays_are_known():
    assert "Holidays in mainland China are known up to 20" in _alerts("status").output


def test_a_watch_with_a_hook_says_once_what_signs_it_and_keeps_it_from_the_list():
    added = _watch(
        "add", "reader@example.org", "balloon", "--hook", "https://program.example/in", "--confirmed", "--no-mail"
    )
    robot = "https://open.feishu.cn/open-apis/bot/v2/hook/h"
    quiet = _watch("add", "reader@example.org", "kite", "--hook", robot, "--hook-secret", "xyz", "--confirmed")
    listed = _watch("list", "--json").output

    assert "Its calls are signed with" in added.output
    assert "signed with" not in quiet.output
    assert "xyz" not in listed
    assert "hook_secret" not in listed


def test_the_ledger_of_an_empty_house_is_right():
    assert _alerts("check").exit_code == 0
