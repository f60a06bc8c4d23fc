"""A watch as its owner sees it: by signed links, changed by POST only, and by feed readers."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from alerts.canary import begin_flight, end_flight
from alerts.sweep import sweep
from alerts.tokens import confirm_token, digest_token, feed_token, owner_token, watch_token
from alerts.watches import Watch, active_watches, add_watch, get_watch
from library.times import now, stamp
from search_api.door import record_path
from tests.search_api.conftest import browser
from tests.search_api.shelf import SOURCES
from tests.search_api.test_changing import csrf_of, everything, operator

SECRET = "a secret that is long enough for the tests"


def _watch(shelf, **more):
    return add_watch(shelf.store, "charger", "reader@example.org", now=now(), **more)


def _page(watch, kind="owner"):
    make = {"owner": owner_token, "confirm": confirm_token, "feed": feed_token}[kind]
    return make(SECRET, watch.id)


def test_a_reader_agrees_by_a_button_and_sees_the_watch(own_shelf):
    watch = _watch(own_shelf, confirmed=False)
    client = browser(own_shelf)
    token = {"token": _page(watch, "confirm")}

    asked = client.get("/confirm", params=token)
    waiting = active_watches(own_shelf.store)
    agreed = client.post("/confirm", params=token)
    shown = client.get(agreed.headers["location"])

    assert "reader@example.org" in asked.text
    assert waiting == []
    assert agreed.status_code == 303
    assert "Thank you" in shown.text
    assert [one.id for one in active_watches(own_shelf.store)] == [watch.id]


def test_the_page_shows_what_it_would_have_brought_and_looking_changes_nothing(own_shelf):
    watch = _watch(own_shelf)
    client = browser(own_shelf)
    before = everything(own_shelf)

    page = client.get("/watch", params={"token": _page(watch)})

    assert page.status_code == 200
    assert "Back-test" in page.text
    assert "It has brought nothing yet." in page.text
    assert "reader@example.org" not in page.text  # a link may be forwarded, the address stays where it is
    assert everything(own_shelf) == before


def test_the_owner_changes_a_watch(own_shelf):
    watch = _watch(own_shelf)
    client = browser(own_shelf)
    address = f"/watch?token={_page(watch)}"
    form = {
        "csrf": csrf_of(client, address),
        "q": "charger origin:CN",
        "title": "Chargers",
        "cadence": "weekly",
        "quiet": "22:00-07:00",
        "actions": ["added", "deadline"],
        "days_before": "14",
        "nothing_too": "true",
        "language": "en",
    }

    answer = client.post(address, data=form)

    changed = get_watch(own_shelf.store, watch.id)
    assert answer.status_code == 303
    assert changed is not None
    assert (
        changed.query,
        changed.cadence,
        changed.quiet,
        changed.actions,
        changed.days_before,
        changed.nothing_too,
    ) == (
        "charger origin:CN",
        "weekly",
        "22:00-07:00",
        ("added", "deadline"),
        14,
        True,
    )


@pytest.mark.parametrize(
    "wrong", [{"q": "(charger"}, {"quiet": "22-7"}, {"actions": []}, {"days_before": "0"}, {"cadence": "monthly"}]
)
def test_what_cannot_be_is_refused_with_a_sentence(own_shelf, wrong):
    watch = _watch(own_shelf)
    client = browser(own_shelf)
    address = f"/watch?token={_page(watch)}"
    form = {"csrf": csrf_of(client, address), "q": "charger", "actions": ["added"]} | wrong

    answer = client.post(address, data=form)

    assert answer.status_code == 400
    assert "trouble" in answer.text
    assert get_watch(own_shelf.store, watch.id) == watch


def test_a_form_of_another_site_changes_nothing(own_shelf):
    watch = _watch(own_shelf)
    client = browser(own_shelf)
    address = f"/watch?token={_page(watch)}"

    assert client.post(address, data={"q": "everything", "actions": "added"}).status_code == 403
    assert client.post(f"/watch/end?token={_page(watch)}").status_code == 403
    assert get_watch(own_shelf.store, watch.id) == watch


def test_the_owner_ends_a_watch_and_its_feeds_end_with_it(own_shelf):
    watch = _watch(own_shelf)
    client = browser(own_shelf)
    address = f"/watch?token={_page(watch)}"

    client.post(f"/watch/end?token={_page(watch)}", data={"csrf": csrf_of(client, address)})

    assert active_watches(own_shelf.store) == []
    assert client.get(address).status_code == 200
    assert client.get(f"/feed/{_page(watch, 'feed')}.atom").status_code == 410


def _kept(shelf, watch) -> Watch:
    kept = get_watch(shelf.store, watch.id)
    assert kept is not None
    return kept


def _form(client, address, **more):
    return {"csrf": csrf_of(client, address), "q": "charger", "actions": ["added"], "language": "en"} | more


def test_the_owner_has_a_program_called_and_sees_its_key_once(own_shelf):
    watch = _watch(own_shelf)
    client = browser(own_shelf)
    address = f"/watch?token={_page(watch)}"

    saved = client.post(address, data=_form(client, address, hook="https://program.example/in", by_mail="false"))
    again = client.get(address)
    kept = _kept(own_shelf, watch)
    client.post(address, data=_form(client, address, by_mail="false"))
    unchanged = _kept(own_shelf, watch)
    renewed = client.post(address, data=_form(client, address, new_key="true"))
    changed = _kept(own_shelf, watch)

    assert saved.status_code == 200
    assert (kept.hook, kept.by_mail, len(kept.hook_secret)) == ("https://program.example/in", False, 64)
    assert kept.hook_secret in saved.text
    assert kept.hook_secret not in again.text
    assert "It is told to a program at program.example now." in again.text
    assert "/in" not in again.text.partition("How it is told")[2].partition("</fieldset>")[0]
    assert (unchanged.hook, unchanged.hook_secret) == (kept.hook, kept.hook_secret)
    assert changed.hook_secret not in ("", kept.hook_secret)
    assert changed.hook_secret in renewed.text


def test_the_owner_has_a_chat_told_and_neither_its_token_nor_its_secret_is_ever_shown(own_shelf):
    watch = _watch(own_shelf)
    client = browser(own_shelf)
    address = f"/watch?token={_page(watch)}"
    robot = "https://oapi.dingtalk.com/robot/send?access_token=t0k3n"

    saved = client.post(address, data=_form(client, address, hook=robot, hook_secret="SECx"))
    with own_shelf.store.write() as transaction:
        transaction.do(
            "INSERT INTO call (watch_id, occasion, address, content, state, next_at, created_at, last_error) "
            "VALUES (:watch, 'call:1', :robot, '', 'failed', :at, :at, 'There is no such robot')",
            watch=watch.id,
            robot=robot,
            at=stamp(now()),
        )
    page = client.get(address).text
    assert "The last call was not taken: There is no such robot" in page
    kept = _kept(own_shelf, watch)
    client.post(address, data=_form(client, address, hook_off="true"))
    off = _kept(own_shelf, watch)

    assert saved.status_code == 303
    assert (kept.hook, kept.hook_secret) == (robot, "SECx")
    assert "DingTalk robot" in page
    assert "t0k3n" not in page
    assert "SECx" not in page
    assert (off.hook, off.hook_secret) == ("", "")


def test_channels_are_not_changed_by_a_form_of_another_site(own_shelf):
    watch = _watch(own_shelf)
    client = browser(own_shelf)
    form = {"q": "charger", "actions": ["added"], "hook": "https://evil.example/", "by_mail": "false"}

    assert client.post(f"/watch?token={_page(watch)}", data=form).status_code == 403
    assert client.post(f"/watch?token={_page(watch)}", data=form | {"csrf": "x" * 43}).status_code == 403
    assert get_watch(own_shelf.store, watch.id) == watch


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hook": "http://open.feishu.cn/open-apis/bot/v2/hook/h"}, "只能用 https"),
        ({"hook": "ftp://x"}, "不是网址"),
        ({"days_before": "0"}, "期限前的天数"),
        ({"quiet": "22-7"}, "免打扰时段的写法"),
        ({"actions": []}, "至少选择一种"),
        ({"q": "(charger"}, "检索式"),
    ],
)
def test_a_refusal_on_a_chinese_page_is_chinese(own_shelf, wrong, said):
    watch = _watch(own_shelf)
    client = browser(own_shelf)
    client.headers["accept-language"] = "zh"
    address = f"/watch?token={_page(watch)}"

    answer = client.post(address, data=_form(client, address) | wrong)

    assert answer.status_code == 400
    sentence = re.findall(r'<p class="trouble" role="status">([^<]+)</p>', answer.text)[0]
    assert said in sentence
    assert not re.search(r"[a-z]+ [a-z]+ [a-z]+", sentence)


def test_a_digest_is_shown_as_it_stood_by_its_own_link_alone(own_shelf):
    watch = _watch(own_shelf)
    with own_shelf.store.write() as transaction:
        records = transaction.rows(
            "SELECT record_id, version FROM version WHERE version = 1 ORDER BY record_id LIMIT 3"
        )
        call = transaction.value(
            "INSERT INTO call (watch_id, occasion, address, content, state, next_at, created_at) "
            "VALUES (:watch, 'call:1', 'https://x', '', 'sent', :at, :at) RETURNING id",
            watch=watch.id,
            at=stamp(now()),
        )
        for row in records:
            transaction.do(
                "INSERT INTO delivery (watch_id, record_id, version, channel, recipient, action, reasons, state, due_at, "
                "created_at, call_id) VALUES (:watch, :record, :version, 'hook', 'https://x', 'added', '[]', 'sent', :at, "
                ":at, :call)",
                watch=watch.id,
                record=row["record_id"],
                version=row["version"],
                at=stamp(now()),
                call=call,
            )
    client = browser(own_shelf)

    page = client.get("/digest", params={"token": digest_token(SECRET, f"call:{watch.id}:call:1")})

    assert page.status_code == 200
    assert all(record_path(row["record_id"]) in page.text for row in records)
    assert "3 records, as they stood then" in page.text
    assert client.get("/digest", params={"token": _page(watch)}).status_code == 400
    assert client.get("/digest", params={"token": digest_token(SECRET, "mail:<none@x>")}).status_code == 404


def test_the_feeds_are_served_as_what_they_are(own_shelf):
    watch = _watch(own_shelf)
    client = browser(own_shelf)
    page = client.get("/watch", params={"token": _page(watch)}).text
    (atom,) = re.findall(r'href="([^"]+[.]atom)"', page)
    path = atom.partition("/feed/")[2].removesuffix(".atom")

    kinds = {
        ending: client.get(f"/feed/{path}.{ending}").headers["content-type"].split(";")[0]
        for ending in ("atom", "json", "ics")
    }

    assert atom.startswith(own_shelf.settings.web.base_url)
    assert kinds == {"atom": "application/atom+xml", "json": "application/feed+json", "ics": "text/calendar"}


@pytest.mark.parametrize("path", ["/watch?token={}", "/confirm?token={}", "/feed/{}.json"])
def test_a_link_made_for_something_else_opens_nothing(own_shelf, path):
    watch = _watch(own_shelf)

    for token in (watch_token(SECRET, watch.id), "x", _page(watch)[:-1]):
        assert browser(own_shelf).get(path.format(token)).status_code == 400


def test_the_operator_may_vouch_for_a_reader_and_otherwise_the_reader_is_asked(own_shelf):
    client = operator(own_shelf)
    form = {"csrf": csrf_of(client), "q": "charger", "recipient": "reader@example.org"}

    asked = client.post("/watches/add", data=form)
    page = client.get("/watches?said=asked").text

    assert asked.headers["location"] == "/watches?said=asked"
    assert active_watches(own_shelf.store) == []
    assert "waits for its reader to agree" in page


def test_the_source_board_says_how_the_canary_and_the_comparison_went(own_shelf):
    client = browser(own_shelf)
    before = client.get("/sources").text
    number = begin_flight(own_shelf.store, at=now() - timedelta(minutes=20))
    missing = client.get("/sources").text
    end_flight(own_shelf.store, number, verdict="arrived", seen_by="mailbox", at=now())
    arrived = client.get("/sources").text
    sweep(own_shelf.store, SOURCES, now=now(), repair=True)
    compared = client.get("/sources").text

    said = client.get("/api/sources").json()["alerts"]

    assert (said["canary"]["standing"], said["canary"]["seen_by"]) == ("arrived", "mailbox")
    assert (said["sweep"]["clean"], said["sweep"]["missing"]) == (True, 0)
    assert "No canary has flown yet." in before
    assert "have not been compared yet" in before
    assert "did not arrive; real alerts may not either" in missing
    assert "seen in the mailbox" in arrived
    assert "0 deliveries missing, 0 too many" in compared
