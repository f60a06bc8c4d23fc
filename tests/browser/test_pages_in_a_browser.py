"""What only a browser can tell: widths, console, and that nothing of a publisher's text ever runs."""

from __future__ import annotations

from contextlib import contextmanager
from email.message import EmailMessage

import pytest

from search_api.door import record_path
from tests.search_api.shelf import BALLOON_ID, HOSTILE_ID, SCRIPT, TOKEN, TRANSLATED_ID

PATHS = (
    "/",
    "/search?q=charger",
    "/search?q=hostile",
    record_path(BALLOON_ID),
    record_path(HOSTILE_ID),
    record_path(TRANSLATED_ID),
    "/pages/2",
    "/sources",
    "/sources/us_cpsc",
    "/watches?q=charger",
    "/intake",
    "/outbox",
    "/help",
    "/docs",
)


@contextmanager
def page_of(browser, *, width=1280, language="zh-CN", scheme="light", script=True):
    """A page in a context of its own, and what its console said."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, locale=language, color_scheme=scheme, java_script_enabled=script
    )
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    try:
        yield page, said
    finally:
        context.close()


def _until_it_says(page, selector, words):
    """Waits for words on the page: a key or a click returns before the browser has gone where it leads."""
    page.locator(selector).filter(has_text=words).first.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_scrolls_sideways_or_complains(browser, site, width, language, scheme):
    base, _ = site
    with page_of(browser, width=width, language=language, scheme=scheme) as (page, said):
        for path in PATHS:
            page.goto(base + path)
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert overflow <= 0, path
        assert said == []


def test_nothing_of_a_publisher_or_a_mail_runs(browser, site):
    base, shelf = site
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = SCRIPT, "ttm@localhost", "reader@example.org"
    message.set_content("plain")
    message.add_alternative(f"<p style='color:red'>rich</p>{SCRIPT}", subtype="html")
    (shelf.mailbox / "0001.eml").write_bytes(bytes(message))
    with page_of(browser) as (page, _):
        for path in PATHS:
            page.goto(base + path)
            assert page.title() != "owned", path
            assert page.evaluate("[...document.scripts].map(script => script.getAttribute(`src`))") == [
                "/static/suggest.js"
            ]
        page.goto(base + "/outbox")
        frame = page.frame_locator("iframe").first
        assert frame.locator("p").inner_text() == "rich"
        assert page.title() != "owned"


def test_searching_filtering_and_reading_work_without_script(browser, site):
    base, _ = site
    with page_of(browser, width=390, script=False) as (page, said):
        page.goto(base + "/")
        page.fill("#q", "充电器 起火")
        page.press("#q", "Enter")
        _until_it_says(page, ".summary", "条记录")
        assert not page.is_visible(".facets > div")
        page.click("label.toggle")
        page.click(".facets >> text=越南")
        _until_it_says(page, ".summary", "15 条记录")
        page.click(".hits h3 a >> nth=0")
        _until_it_says(page, ".facts", "起火")
        page.click("text=English")
        _until_it_says(page, "main", "Facts")
        assert said == []


def test_words_are_offered_while_typing_and_taken_with_the_keyboard(browser, site):
    base, _ = site
    with page_of(browser, width=390) as (page, said):
        page.goto(base + "/")
        page.click("#q")
        page.keyboard.type("玩具 zhix")
        page.wait_for_selector(".offers:not([hidden]) >> text=窒息", timeout=15_000)  # the first one loads the pinyin
        page.keyboard.press("ArrowDown")
        assert page.get_attribute("#q", "aria-activedescendant") == "q-offers-0"
        page.keyboard.press("Enter")
        assert page.input_value("#q").strip() == "玩具 窒息"
        page.keyboard.press("Enter")
        _until_it_says(page, ".summary", "条记录")
        assert said == []


def test_the_operator_signs_in_and_saves_a_watch_without_script(browser, site):
    base, _ = site
    with page_of(browser, language="en-GB", script=False) as (page, _):
        page.goto(base + "/watches?q=charger")
        page.fill("input[name=token]", TOKEN)
        page.click("text=Sign in")
        page.fill("input[name=recipient]", "reader@example.org")
        page.click("text=Save the watch")
        _until_it_says(page, "main", "The watch is saved")
        page.click("text=End this watch")
        _until_it_says(page, "main", "The watch has ended")


def test_the_keyboard_reaches_the_content_first(browser, site):
    base, _ = site
    with page_of(browser, language="en-GB") as (page, _):
        page.goto(base + "/sources")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        page.wait_for_url("**#content")
