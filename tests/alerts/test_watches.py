"""Saving watches, ending them, and the links that end them."""

from __future__ import annotations

import random
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from alerts.matching import compiled
from alerts.tokens import TokenError, mail_token, secret, unsubscribe, watch_token, watches_of
from alerts.watches import Category, WatchError, active_watches, add_watch, address, categories, end_watch, get_watch
from indexer.query import QueryError
from library.record import Coded, Operator
from library.settings import Settings, WebSettings
from library.store.database import MIGRATIONS
from library.store.store import Store
from library.vocabulary import categories as product_categories
from library.vocabulary import hazards
from tests.alerts.conftest import NIGHT, House, recall

KEY = "k" * 40


@pytest.mark.parametrize(
    "printed",
    [
        "reader@example.org",
        "  reader@example.org ",
        "first.last+toys@mail.example.co.uk",
        "x@xn--fiqs8s.cn",
        "op@localhost",
    ],
)
def test_a_plain_address_is_taken(printed: str):
    assert address(printed) == printed.strip()


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "reader",
        "@example.org",
        "reader@",
        "reader@example",
        "a@example.org,b@example.org",
        "a@example.org;b@example.org",
        "a@example.org b@example.org",
        "group: a@example.org;",
        "Reader <reader@example.org>",
        '"quoted name"@example.org',
        "reader@example.org\r\nBcc: b@example.org",
        "reader@example.org\n",
        "reader\0@example.org",
        "reader=?utf-8?q?a?=@example.org",
        "读者@example.org",
        "reader@例子.cn",
        "reader@[127.0.0.1]",
        ".reader@example.org",
        "a..b@example.org",
        "reader@-example.org",
        "x" * 65 + "@example.org",
        "reader@" + "x" * 60 + "." + "y" * 60 + "." + "z" * 60 + "." + "w" * 60 + ".example.org",
    ],
)
def test_anything_else_is_refused_with_a_sentence(printed: str):
    with pytest.raises(WatchError):
        address(printed)


def test_a_query_that_cannot_be_read_is_refused_with_its_column(house: House):
    with pytest.raises(QueryError) as refused:
        add_watch(house.store, "(balloon", "reader@example.org", now=NIGHT)

    assert refused.value.column >= 1
    assert active_watches(house.store) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"cadence": "monthly"},
        {"quiet": "22-7"},
        {"quiet": "08:00-08:00"},
        {"days_before": 0},
        {"hook": "ftp://x.example/"},
        {"language": "fr"},
        {"zone": "Mars/Base"},
        {"actions": ("deleted",)},
        {"actions": ()},
    ],
)
def test_what_a_watch_cannot_be_is_refused(house: House, wrong: dict[str, Any]):
    with pytest.raises(WatchError):
        house.watch(**wrong)


def test_a_watch_is_kept_as_it_was_asked_for(house: House):
    watch = house.watch(
        "origin:CN", title="来自\r\n中国", cadence="daily", language="en", actions=("withdrawn", "added")
    )

    assert get_watch(house.store, watch.id) == watch
    assert (watch.title, watch.actions, watch.cadence) == ("来自 中国", ("added", "withdrawn"), "daily")


def test_a_watch_of_the_first_release_is_mailed_as_before(house: House):
    watch = house.watch(hook="https://program.example/in")
    address = f"sqlite:///{house.home / 'store.sqlite'}"
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with create_engine(address).connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        connection.commit()

    later = Store(address)

    (kept,) = active_watches(later)
    later.close()
    assert kept == watch
    assert (kept.by_mail, kept.hook_secret) == (True, "")


def test_a_watch_ends_once(house: House):
    watch = house.watch()

    assert end_watch(house.store, watch.id, now=NIGHT)
    assert not end_watch(house.store, watch.id, now=NIGHT)
    assert active_watches(house.store) == []


def test_every_offered_category_is_a_query_over_codes_that_exist():
    import re

    known = {"category": set(product_categories.all_codes()), "hazard": set(hazards.all_codes())}
    for category in map(Category.filled, categories().values()):
        compiled(category.query)
        for field, code in re.findall(r"\b(category|hazard):(\w+)", category.query):
            assert code in known[field], f"{category.code}: {field}:{code}"
        assert category.zh and category.en


def test_a_toy_recall_is_found_by_the_toy_category(house: House):
    house.watch(categories()["toys"].query)
    house.watch(categories()["origin_china"].query, "b@example.org")
    house.watch(categories()["vehicles"].query, "c@example.org")
    house.put(recall())

    house.match()

    assert len(house.deliveries()) == 2


def test_a_secret_is_made_once_for_its_owners_eyes_only(tmp_path: Path):
    settings = Settings(home=tmp_path / "home")
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.append(secret(settings))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 1 and len(made) == 8
    assert stat.S_IMODE((tmp_path / "home" / "secret").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["secret"]


def test_a_configured_secret_wins(tmp_path: Path):
    assert secret(Settings(home=tmp_path, web=WebSettings(secret=KEY))) == KEY


def test_a_token_ends_its_watch_and_no_other(house: House):
    mine, other = house.watch(), house.watch()
    house.put(recall())
    house.match()

    ended = unsubscribe(house.store, KEY, watch_token(KEY, mine.id), now=house.clock())

    assert [watch.id for watch in ended] == [mine.id]
    assert [watch.id for watch in active_watches(house.store)] == [other.id]
    assert [delivery["state"] for delivery in house.deliveries()] == ["cancelled", "due"]
    assert unsubscribe(house.store, KEY, watch_token(KEY, mine.id), now=house.clock()) == []


def test_looking_at_a_token_changes_nothing(house: House):
    watch = house.watch()

    assert [found.id for found in watches_of(house.store, KEY, watch_token(KEY, watch.id))] == [watch.id]
    assert len(active_watches(house.store)) == 1


def test_the_one_click_address_of_a_mail_ends_all_its_watches(house: House):
    house.watch("balloon")
    house.watch("hazard:choking")
    kept = house.watch("drone")
    house.put(recall())
    house.match()
    house.send()
    (message,) = house.mailbox.messages()
    token = str(message["List-Unsubscribe"]).strip("<>").partition("token=")[2]

    unsubscribe(house.store, secret(house.settings), token, now=house.clock())

    assert [watch.id for watch in active_watches(house.store)] == [kept.id]


def test_forged_tokens_are_refused(house: House):
    watch = house.watch()
    token = watch_token(KEY, watch.id)
    chance = random.Random(7)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.= é\0"
    forged = {"", ".", token[:-1], token + "A", token + "=", token[::-1], token + " ", watch_token("x" * 40, watch.id)}
    forged |= {token[:at] + letter + token[at + 1 :] for at in range(len(token)) for letter in alphabet}
    forged |= {"".join(chance.choices(alphabet, k=len(token))) for _ in range(2000)}
    forged |= {mail_token(KEY, "<x>").split(".")[0] + "." + token.split(".")[1]}

    for attempt in forged - {token}:
        with pytest.raises(TokenError):
            unsubscribe(house.store, KEY, attempt, now=house.clock())

    assert len(active_watches(house.store)) == 1


@pytest.mark.parametrize(
    ("code", "value", "query"),
    [
        ("market", "US", "jurisdiction:US"),
        ("origin", "VN", "origin:VN (kind:recall OR kind:rejection)"),
        ("hs", "9503", "hs:9503"),
        ("ics", "97.200.50", "ics:97.200.50"),
        ("company", "Foshan Toys Ltd", 'company:"Foshan Toys Ltd"'),
        ("reference", "GB 6675.1-2014", "GB 6675.1-2014"),
    ],
)
def test_a_category_that_asks_for_a_value_is_a_query_with_it(house: House, code: str, value: str, query: str):
    filled = categories()[code].filled(value)

    assert filled.query == query
    assert value in filled.zh and value in filled.en
    assert house.watch(filled.query)


@pytest.mark.parametrize("value", ['Foo" OR kind:recall', "(Foo", "Foo) OR (Bar"])
def test_a_value_cannot_ask_for_more_than_its_category(value: str):
    with pytest.raises(WatchError):
        categories()["company"].filled(value)


def test_a_watch_of_a_branch_of_the_nomenclature_selects_what_stands_below_it(house: House):
    house.watch(categories()["hs"].filled("95").query)
    house.watch(categories()["company"].filled("Foshan Toys").query, "b@example.org")
    house.put(
        recall(hs_codes=(Coded(printed="9503 00", code="950300"),), operators=(Operator(name="Foshan Toys Co."),))
    )

    house.match()

    assert len(house.deliveries()) == 2
