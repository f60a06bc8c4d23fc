"""What changes something, and who may: every route is open for reading, or guarded, or named here with its reason."""

from __future__ import annotations

import re
from email.message import EmailMessage

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Mount

from alerts.tokens import watch_token
from alerts.watches import active_watches, add_watch
from library.times import now
from search_api.door import OPERATOR_COOKIE, operator_only, same_site
from search_api.routes.operator import own_path, safe_name
from tests.search_api.conftest import browser
from tests.search_api.shelf import SCRIPT, TOKEN

UNGUARDED_POSTS = {
    "/api/search": "a search; nothing is changed",
    "/unsubscribe": "mail programs post here without cookies; the signed token is the authority",
    "/confirm": "a reader agrees by the signed link in a mail; the token is the authority",
    "/watch": "the owner's signed link, and a form of our own",
    "/watch/end": "the owner's signed link, and a form of our own",
    "/searches": "a cookie of the reader alone, and a form of our own",
    "/operator": "the door itself: guarded by the token in the form and by same_site",
}


def csrf_of(client, path="/watches") -> str:
    return str(re.findall(r'name="csrf" value="([^"]+)"', client.get(path).text)[0])


def operator(shelf):
    client = browser(shelf)
    answer = client.post("/operator", data={"csrf": csrf_of(client), "token": TOKEN, "back": "/watches"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/watches"
    return client


def everything(shelf):
    """All rows of the store and all files of the home folder but the store's own."""
    with shelf.store.read() as transaction:
        tables = [row["name"] for row in transaction.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: [tuple(row.values()) for row in transaction.rows(f'SELECT * FROM "{name}"')] for name in tables}
    home = shelf.settings.home
    return rows, sorted(path for path in home.rglob("*") if "store.sqlite" not in path.name)


def test_every_route_is_classified(shelf):
    for context in iter_route_contexts(shelf.app.routes):
        route = getattr(context, "original_route", context)
        methods = getattr(route, "methods", None) or {"GET"}
        path = getattr(context, "path", None) or route.path
        if isinstance(route, Mount) or path in ("/openapi.json",):
            assert methods <= {"GET", "HEAD"}
            continue
        assert isinstance(route, APIRoute), path
        calls = {dependency.call for dependency in context.dependant.dependencies}
        if methods <= {"GET", "HEAD"}:
            continue
        assert methods == {"POST"}, path
        if path not in UNGUARDED_POSTS:
            assert {operator_only, same_site} <= calls, path


def test_no_get_changes_anything(own_shelf):
    client = operator(own_shelf)
    add_watch(own_shelf.store, "charger", "reader@example.org", now=now())
    watch = active_watches(own_shelf.store)[0]
    token = watch_token("a secret that is long enough for the tests", watch.id)
    before = everything(own_shelf)
    for path in (
        "/",
        "/search?q=toys",
        "/sources",
        "/watches?q=toys",
        "/intake",
        "/outbox",
        "/help",
        "/docs",
        "/api/health",
    ):
        assert client.get(path).status_code == 200
    for path in ("/watches/add", "/watches/remove", "/operator"):
        assert client.get(path, params={"watch": watch.id}).status_code == 405
    assert "charger" in client.get("/unsubscribe", params={"token": token}).text

    assert everything(own_shelf) == before


def test_without_a_token_nothing_can_be_changed_and_the_page_says_so(own_shelf, tmp_path):
    from search_api.app import create_app
    from tests.search_api.shelf import SOURCES

    settings = own_shelf.settings.model_copy(
        update={"web": own_shelf.settings.web.model_copy(update={"operator_token": ""})}
    )
    bare = type(own_shelf)(
        create_app(settings, own_shelf.store, own_shelf.engine, SOURCES),
        settings,
        own_shelf.store,
        own_shelf.engine,
        tmp_path,
    )
    client = browser(bare)

    assert "TTM_WEB__OPERATOR_TOKEN" in client.get("/watches").text
    csrf = client.cookies["ttm_csrf"] if client.get("/watches").status_code == 200 else ""
    assert client.post("/operator", data={"csrf": csrf, "token": ""}).status_code == 303
    assert client.post("/operator", data={"csrf": csrf, "token": "guess"}).status_code == 403
    assert (
        client.post("/watches/add", data={"csrf": csrf, "q": "toys", "recipient": "a@example.org"}).status_code == 403
    )


def test_a_wrong_token_opens_nothing(own_shelf):
    client = browser(own_shelf)
    answer = client.post("/operator", data={"csrf": csrf_of(client), "token": "guess"})

    assert answer.status_code == 403
    assert OPERATOR_COOKIE not in client.cookies


def test_the_operator_saves_and_ends_a_watch(own_shelf):
    client = operator(own_shelf)
    form = {"csrf": csrf_of(client), "q": "充电器 起火", "recipient": "reader@example.org", "title": "充电器"}
    form["confirmed"] = "true"
    assert client.post("/watches/add", data=form).headers["location"] == "/watches?said=saved"
    page = client.get("/watches?said=saved").text
    assert "reader@example.org" in page and "The watch is saved" in page

    watch = active_watches(own_shelf.store)[0]
    assert watch.zone == "Asia/Shanghai"
    client.post("/watches/remove", data={"csrf": form["csrf"], "watch": watch.id})
    assert active_watches(own_shelf.store) == []


def test_a_watch_that_cannot_be_is_refused_with_the_reason(own_shelf):
    client = operator(own_shelf)
    form = {"csrf": csrf_of(client), "q": "toys", "recipient": "a@example.org, b@example.org"}
    assert "several addresses" in client.post("/watches/add", data=form).text

    form |= {"q": "(", "recipient": "a@example.org"}
    assert client.post("/watches/add", data=form).status_code == 400
    assert active_watches(own_shelf.store) == []


def test_addresses_are_for_the_operator_alone(own_shelf):
    add_watch(own_shelf.store, "charger", "reader@example.org", now=now())

    assert "reader@example.org" not in browser(own_shelf).get("/watches").text


@pytest.mark.parametrize("fault", ["no csrf", "other csrf", "other site"])
def test_a_form_from_elsewhere_is_refused(own_shelf, fault):
    client = operator(own_shelf)
    form = {"csrf": csrf_of(client), "q": "toys", "recipient": "a@example.org"}
    headers = {"sec-fetch-site": "cross-site"} if fault == "other site" else {}
    if fault == "no csrf":
        del form["csrf"]
    elif fault == "other csrf":
        form["csrf"] = "x" * 43

    assert client.post("/watches/add", data=form, headers=headers).status_code == 403
    assert active_watches(own_shelf.store) == []


def test_a_forged_operator_cookie_is_refused(own_shelf):
    client = operator(own_shelf)
    cookie = client.cookies[OPERATOR_COOKIE]
    client.cookies.set(OPERATOR_COOKIE, cookie[:-3] + "abc", domain="evil.example")

    assert "Sign in" in client.get("/watches").text


def test_unsubscribing_takes_a_post_and_our_own_token(own_shelf):
    watch = add_watch(own_shelf.store, "charger", "reader@example.org", now=now())
    token = watch_token("a secret that is long enough for the tests", watch.id)
    client = browser(own_shelf)

    assert client.post("/unsubscribe", params={"token": token[:-2]}).status_code == 400
    assert client.post("/unsubscribe").status_code == 400
    assert active_watches(own_shelf.store)
    answer = client.post("/unsubscribe", params={"token": token}, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert active_watches(own_shelf.store) == []
    assert "had ended already" in client.post("/unsubscribe", params={"token": token}).text


def test_a_file_is_handed_in_whole_and_under_a_safe_name(own_shelf):
    client = operator(own_shelf)
    upload = {"file": ("../../../etc/evil name.csv", b"Reference,Date\n1,2\n")}
    answer = client.post("/intake", data={"csrf": csrf_of(client, "/intake"), "source": "eu_rasff"}, files=upload)
    files = list((own_shelf.settings.intake / "eu_rasff").iterdir())

    assert answer.status_code == 303
    assert [path.name.endswith("-evil_name.csv") for path in files] == [True]
    assert files[0].read_bytes() == b"Reference,Date\n1,2\n"
    assert files[0].name in client.get(answer.headers["location"]).text


def test_a_file_for_a_source_that_is_none_is_refused(own_shelf):
    client = operator(own_shelf)
    form = {"csrf": csrf_of(client, "/intake"), "source": "../elsewhere"}

    assert client.post("/intake", data=form, files={"file": ("a.csv", b"x")}).status_code == 404
    assert not own_shelf.settings.intake.exists()


def test_only_the_operator_may_send_a_large_body(own_shelf):
    large = {"file": ("large.csv", b"x" * 400_000)}
    assert browser(own_shelf).post("/intake", data={"source": "eu_rasff"}, files=large).status_code == 413

    client = operator(own_shelf)
    form = {"csrf": csrf_of(client, "/intake"), "source": "eu_rasff"}
    assert client.post("/intake", data=form, files=large).status_code == 303


@pytest.mark.parametrize("name", ["..", ".hidden", "/", "a/b", "a\\b", "x" * 400, "名称.csv", "a\0b", "", "CON "])
def test_a_file_name_is_one_plain_visible_part(name):
    safe = safe_name(name)

    assert safe and not safe.startswith(".") and len(safe) <= 120
    assert not set(safe) & set("/\\\0 ")


@pytest.mark.parametrize("back", ["/search?q=%E7%8E%A9", "/records/a:b/c"])
def test_a_path_of_ours_is_kept(back):
    assert own_path(back) == back


def test_the_practice_mailbox_is_shown_in_a_frame_that_runs_nothing(own_shelf):
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = f"召回 {SCRIPT}", "ttm@localhost", "reader@example.org"
    message["Date"] = "Tue, 24 Nov 2026 08:00:00 +0000"
    message.set_content(f"plain {SCRIPT}")
    message.add_alternative(f"<p style='color:red'>rich</p>{SCRIPT}", subtype="html")
    (own_shelf.mailbox / "0001.eml").write_bytes(bytes(message))
    client = browser(own_shelf)
    page, frame = client.get("/outbox"), client.get("/outbox/0001")

    assert "<script>" not in page.text and "2026-11-24 16:00" in page.text
    assert '<iframe sandbox loading="lazy"' in page.text
    assert "rich" in frame.text
    assert "sandbox" in frame.headers["content-security-policy"]
    assert "script-src" not in frame.headers["content-security-policy"]
    assert client.get("/outbox/..%2Fsecret").status_code == 404


def test_a_night_without_runs_is_not_a_good_night(own_shelf):
    nights = next(
        one["nights"] for one in browser(own_shelf).get("/api/sources").json()["sources"] if one["name"] == "us_cpsc"
    )

    assert nights[0]["standing"] == "none"
