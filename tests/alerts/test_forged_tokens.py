"""Signed links at the doors of the pages: looking changes nothing, and no door opens to a forged token."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest

from alerts.tokens import TokenError, digest_name_of, owner_token, unsubscribe, watch_id_of, watch_token, watches_token
from alerts.watches import Watch, active_watches, add_watch
from benchmarks import forging
from library.times import now
from tests.search_api.conftest import browser
from tests.search_api.shelf import Shelf, build
from tests.search_api.test_changing import csrf_of, everything

FORGERIES = 400
KEY = "a secret that is long enough for the tests"  # of the library the pages show
LOOKS = {
    "watch": "/unsubscribe?token={}",
    "confirm": "/confirm?token={}",
    "owner": "/watch?token={}",
    "feed": "/feed/{}.atom",
    "digest": "/digest?token={}",
}
ACTS = {"watch": "/unsubscribe", "confirm": "/confirm", "owner": "/watch/end"}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """A library of the test's own; the forgers' real tokens are signed with its key."""
    monkeypatch.setattr(forging, "KEY", KEY)
    shelf = build(tmp_path / "home")
    yield shelf
    shelf.engine.close()
    shelf.store.close()


@pytest.fixture
def watches(shelf: Shelf) -> list[Watch]:
    """Five watches of as many readers."""
    return [add_watch(shelf.store, "charger", f"reader{number}@example.org", now=now()) for number in range(5)]


def test_no_page_opens_to_a_forged_token_and_none_changes_anything(shelf: Shelf, watches: list[Watch]):
    client, before, answers = browser(shelf), everything(shelf), Counter[tuple[str, int]]()

    for _, door, token in forging.forgeries(Random("get"), watches, FORGERIES):
        answer = client.get(LOOKS[door].format(quote(token, safe="")))
        answers[door, answer.status_code] += 1

    assert {status // 100 for _, status in answers} == {4}, answers
    assert {door for door, _ in answers} == LOOKS.keys()
    assert everything(shelf) == before


def test_a_post_with_a_forged_token_is_refused_and_changes_nothing(shelf: Shelf, watches: list[Watch]):
    client, before, answers = browser(shelf), everything(shelf), Counter[tuple[str, int]]()
    csrf = csrf_of(client, f"/watch?token={owner_token(KEY, watches[0].id)}")  # the token alone is what is wrong

    for _, door, token in forging.forgeries(Random("post"), watches, FORGERIES):
        if door in ACTS:
            form = {"List-Unsubscribe": "One-Click", "csrf": csrf}
            answer = client.post(ACTS[door], params={"token": token}, data=form)
            answers[door, answer.status_code] += 1

    assert {status for _, status in answers} <= {400, 414}, answers  # 414: some are 4,000 letters long
    assert {door for door, status in answers if status == 400} == ACTS.keys()
    assert everything(shelf) == before


def test_the_same_doors_open_to_the_tokens_that_are_real(shelf: Shelf, watches: list[Watch]):
    client, before = browser(shelf), everything(shelf)

    looked = [client.get(LOOKS["watch"].format(watch_token(KEY, watch.id))).status_code for watch in watches]
    unchanged = everything(shelf) == before
    acted = [client.post("/unsubscribe", params={"token": watch_token(KEY, watch.id)}).status_code for watch in watches]

    assert (looked, unchanged, acted) == ([200] * 5, True, [200] * 5)
    assert active_watches(shelf.store) == []


def test_the_token_of_one_owner_ends_no_watch_of_another(shelf: Shelf, watches: list[Watch]):
    mine, *others = watches

    ended = unsubscribe(shelf.store, KEY, watch_token(KEY, mine.id), now=now())

    assert [watch.id for watch in ended] == [mine.id]
    assert {watch.id for watch in active_watches(shelf.store)} == {watch.id for watch in others}


def test_a_token_that_has_done_its_work_does_nothing_more(shelf: Shelf, watches: list[Watch]):
    token = watches_token(KEY, [watch.id for watch in watches[:2]])
    first = unsubscribe(shelf.store, KEY, token, now=now())
    rows = everything(shelf)

    again = unsubscribe(shelf.store, KEY, token, now=now() + timedelta(days=1))

    assert (len(first), again) == (2, [])
    assert everything(shelf) == rows


@pytest.mark.parametrize("kind", sorted(forging.MAKERS))
def test_a_token_opens_the_door_it_was_made_for_and_no_other(shelf: Shelf, watches: list[Watch], kind: str):
    token = forging.MAKERS[kind](KEY, watches[0].id)

    opened = [door for door, opens in forging.doors_of(shelf.store).items() if forging.passes(opens, token)]

    assert opened == ["watch" if kind in forging.ENDS else kind]


@pytest.mark.parametrize(
    "read", [lambda token: watch_id_of(KEY, token, "owner"), lambda token: digest_name_of(KEY, token)]
)
def test_a_token_signed_with_a_key_that_was_replaced_opens_nothing(read):
    with pytest.raises(TokenError):
        read(owner_token("the key of last year, long enough as well", "w1"))
