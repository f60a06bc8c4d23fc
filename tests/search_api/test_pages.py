"""What readers get: sentences in two languages, the source's words beside ours, and nothing of a publisher's that runs."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markupsafe import escape
from starlette.requests import Request

from indexer.query import MESSAGES
from library.record import Absence
from library.times import now
from search_api import wording
from search_api.door import record_path
from search_api.render import FIELDS, differences, paragraphs
from tests.search_api.conftest import browser
from tests.search_api.shelf import BALLOON_ID, HOSTILE_ID, SCRIPT, TRANSLATED_ID, shelve

PACKAGE = Path(wording.__file__).parent
VOID = {"meta", "link", "input", "br", "img", "hr"}
PAGES = (
    "/",
    "/search",
    "/search?q=%E7%8E%A9%E5%85%B7+%E7%AA%92%E6%81%AF",
    "/search?q=hostile",
    "/search?q=zzzqqq",
    "/search?q=balloons+zzzqqq",
    "/search?q=%28",
    record_path(BALLOON_ID),
    record_path(HOSTILE_ID),
    record_path(TRANSLATED_ID),
    "/pages/1",
    "/pages/2",
    "/sources",
    "/sources/us_cpsc",
    "/sources/eu_rasff",
    "/watches",
    "/watches?q=charger",
    "/intake",
    "/help",
    "/docs",
    "/nowhere",
)


class Reading(HTMLParser):
    """A strict look at a page: tags in balance, what could run, and what it loads."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.scripts: list[str] = []
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.unlabelled: list[str] = []
        self._labels: set[str] = set()
        self._inputs: list[str] = []
        self.feed(html)
        self.faults += self.open

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        is_own = tag == "script" and values.keys() == {"src", "defer"} and values["src"].startswith("/static/")
        if (tag == "script" and not is_own) or any(name.startswith("on") or name == "style" for name in values):
            self.scripts.append(f"{tag} {values}")
        if tag in ("link", "img", "iframe", "script"):
            self.loads.append(values.get("href") or values.get("src") or "")
        if tag == "a":
            self.links.append(values.get("href") or "")
        self.ids += [values["id"]] if values.get("id") else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> in {self.open[-3:]}")
        else:
            self.open.pop()


@pytest.mark.parametrize("language", wording.LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_and_runs_nothing(shelf, path, language):
    answer = browser(shelf).get(path, headers={"accept-language": language})
    reading = Reading(answer.text)

    assert answer.status_code < 500
    assert reading.faults == []
    assert reading.scripts == []
    assert all(address.startswith("/static/") for address in reading.loads)
    assert all(re.match(r"/|https?://|#", address) for address in reading.links)
    assert not [address for address in reading.links if "evil.example" in address]
    assert len(reading.ids) == len(set(reading.ids))
    assert "<main" in answer.text and "<h1" in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_carries_the_security_headers(client, path):
    headers = client.get(path).headers

    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; script-src 'self'; ")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "evil.example" not in str(headers)


def test_a_publishers_markup_is_shown_as_text(client):
    for path in ("/search?q=hostile", record_path(HOSTILE_ID), "/sources/us_cpsc", "/"):
        text = client.get(path).text
        assert "<script>" not in text and "<img src=x" not in text and "<svg onload" not in text, path
    assert "&lt;script&gt;" in client.get(record_path(HOSTILE_ID)).text


def test_a_link_that_is_no_web_page_is_not_linked(client):
    for record_id in (HOSTILE_ID, BALLOON_ID):
        assert not re.search(r'href="\s*javascript:', client.get(record_path(record_id)).text, re.IGNORECASE)


def test_what_matched_is_marked(client):
    assert "<mark>Balloons</mark>" in client.get("/search?q=balloons").text


def test_a_foreign_record_says_in_chinese_what_its_codes_mean_and_that_this_is_generated(client):
    text = client.get("/search?q=balloons", headers={"accept-language": "zh"}).text

    for words in ("市场", "德国", "类别", "玩具", "危害", "窒息", "措施", "召回", "原产地", "中国", "由编码自动生成"):
        assert words in text


def test_a_title_in_the_readers_language_is_preferred(client):
    assert "玩具安全规则草案" in client.get("/search?q=G/TBT/N/EU/1999", headers={"accept-language": "zh"}).text
    assert "Draft rules on the" in client.get("/search?q=G/TBT/N/EU/1999").text


def test_the_also_searched_words_can_be_switched_off(client):
    text = client.get("/search", params={"q": "玩具 窒息"}).text

    assert "Also searched:" in text
    assert "expand=0" in text
    assert "Also searched:" not in client.get("/search", params={"q": "玩具 窒息", "expand": "0"}).text


def test_other_words_are_offered_where_a_word_stands_in_no_record_and_are_not_searched_by_themselves(client):
    text = client.get("/search", params={"q": "baloons", "f": "kind:recall"}).text

    assert "0 records" in text
    assert 'Did you mean: <a href="/search?q=Balloons&amp;f=kind%3Arecall">' in text
    assert "Did you mean" not in client.get("/search", params={"q": "balloons"}).text
    assert "Did you mean" not in client.get("/search", params={"q": "zzzqqq"}).text


def test_the_box_offers_words_of_the_trade_without_script(client):
    assert '<option value="窒息">Asphyxiation zhixi</option>' in client.get("/", headers={"accept-language": "zh"}).text


def test_records_of_one_event_are_shown_as_one_and_each_by_itself_on_request(own_shelf):
    client = browser(own_shelf)
    shelve(own_shelf, "us_cpsc", ("27001", "27002"), title="Zephyr Toys recalls wooden rattles due to choking hazard")
    folded = client.get("/search", params={"q": "zephyr rattles"}).text
    each = client.get("/search", params={"q": "zephyr rattles", "fold": "0"}).text

    assert "<b>2 records</b>" in folded and "<b>2 records</b>" in each
    assert "2 records are shown as 1." in folded and "1 more of the same event" in folded
    assert "fold=0" in folded and "the same event" not in each
    assert client.get("/api/search", params={"q": "zephyr rattles"}).json()["total"] == 2
    assert len(client.get("/api/search", params={"q": "zephyr rattles"}).json()["hits"]) == 2


def test_records_of_one_event_are_shown_where_the_first_of_them_stands_and_on_no_later_page(own_shelf):
    client = browser(own_shelf)
    at = now()
    title = "Zephyr Toys recalls wooden rattles due to choking hazard"
    shelve(own_shelf, "us_cpsc", ("27001",), title=title, at=at)
    for number in range(21):
        between = f"Zephyr Toys recalls item {number} of its own kind"
        shelve(own_shelf, "us_cpsc", (f"271{number:02}",), title=between, at=at - timedelta(days=1 + number))
    shelve(own_shelf, "us_cpsc", ("27002",), title=title, at=at - timedelta(days=25))

    first, second = (
        client.get("/search", params={"q": "zephyr", "sort": "newest", "page": str(page)}).text for page in (1, 2)
    )
    each = client.get("/search", params={"q": "zephyr", "sort": "newest", "page": "2", "fold": "0"}).text

    assert "us_cpsc:27001" in first and "us_cpsc:27002" in first and "21 records are shown as 20." in first
    assert "us_cpsc:27002" not in second and "us_cpsc:27120" in second and "on pages before" in second
    assert "us_cpsc:27002" in each


def test_a_past_day_shows_what_was_held_then_as_it_was(own_shelf):
    client = browser(own_shelf)
    shelve(own_shelf, "us_cpsc", ["27003"], title="Zephyr balloons", at=now() + timedelta(days=40))
    amended = now() - timedelta(hours=6)  # as the shelf says
    before, after = (f"{amended + timedelta(days=days):%Y-%m-%d}" for days in (-1, 20))

    def total(**asked):
        return client.get("/api/search", params={"q": "balloons"} | asked).json()["total"]

    assert (total(), total(asof=after), total(asof="2001-01-01")) == (2, 1, 0)
    assert client.get("/api/search", params={"q": "x", "asof": "yesterday"}).status_code == 400
    page = client.get("/search", params={"q": "balloons", "asof": before}).text
    assert f"Only what the library held on {before} (UTC)" in page and "<b>1 record</b>" in page
    assert f"?asof={before}" in page
    then = client.get(record_path(BALLOON_ID), params={"asof": before}).text
    assert "This is version 1" in then and "blue letters" in then and "green letters" not in then
    assert "This is version" not in client.get(record_path(BALLOON_ID), params={"asof": after}).text
    assert client.get(record_path(BALLOON_ID), params={"asof": "2001-01-01"}).status_code == 404
    answer = client.get("/api" + record_path(BALLOON_ID), params={"asof": before}).json()
    assert [version["version"] for version in answer["versions"]] == [1]


def test_a_hit_leads_to_the_paragraph_in_which_its_words_stand(client):
    hits = client.get("/search", params={"q": "mouthpiece"}).text
    (address,) = re.findall(r'href="([^"]+)#p1">go to this paragraph', hits)
    record = client.get(address).text

    assert re.search(r'<p id="p1">The <mark>mouthpiece</mark> detaches', record)
    assert "<mark>" not in client.get(record_path(BALLOON_ID)).text
    assert client.get(record_path(BALLOON_ID), params={"q": "("}).status_code == 200


def test_a_long_text_is_open_where_the_words_stand_in_it_and_its_paragraphs_can_be_led_to(client):
    found = client.get(record_path(TRANSLATED_ID), params={"q": "EN 71-1:2014"}).text
    plain = client.get(record_path(TRANSLATED_ID)).text

    assert "<details open>" in found and "<details open>" not in plain
    assert 'id="p1"' in plain and 'id="p2"' in plain


@pytest.mark.parametrize("text", ["", "\n\n", "One.\n\nTwo.", "words. " * 1000, "x" * 5000, "的。" * 3000])
def test_paragraphs_lose_nothing_but_blank_lines(text):
    found = paragraphs(text)

    assert "".join(text[start:end] for start, end in found) == text.replace("\n", "")
    assert all(end - start <= 1200 for start, end in found)


def test_a_record_shows_records_like_it(client):
    text = client.get(record_path("us_cpsc:26001")).text.split("Records like this one")[1].split("</ul>")[0]

    assert len(re.findall(r"Acme Brightway recalls charger model", text)) == 6
    assert "/records/us_cpsc:26001" not in text


def test_facets_narrow_and_can_be_removed_again(client):
    whole = client.get("/search", params={"q": "charger"}).text
    narrowed = client.get("/search", params={"q": "charger", "f": "origin:VN"}).text

    assert "f=origin%3AVN" in whole
    assert "15 records" in narrowed
    assert "Remove the filter Origin: Viet Nam" in narrowed
    assert "kind:recall" not in narrowed.split("</form>")[1].split("<aside")[0]


def test_a_bad_query_is_shown_with_a_mark_under_its_place(client):
    answer = client.get("/search", params={"q": "balloons )"})

    assert answer.status_code == 400
    assert "at character 10" in answer.text
    assert "balloons )\n         ^" in answer.text


def test_what_is_wrong_with_a_query_is_said_in_the_readers_language(client):
    for path in ("/search", "/watches"):
        chinese = client.get(path, params={"q": "balloons )"}, headers={"accept-language": "zh"}).text
        english = client.get(path, params={"q": "balloons )"}).text

        assert "第 10 个字符处无法理解：右括号没有对应的左括号。" in chinese
        assert "at character 10: a closing bracket without an opening one." in english


def test_every_fault_of_a_query_has_its_wording_with_the_same_values():
    for code, message in MESSAGES.items():
        assert wording.catalogue()[f"query.{code}"]["en"] == f"{message}."


def test_a_filter_does_not_move_the_column_of_an_error(client):
    answer = client.get("/search", params={"q": "a OR )", "f": "kind:recall"})

    assert "at character 6" in answer.text


def test_the_four_kinds_of_absence_are_worded_differently(client):
    text = client.get(record_path(BALLOON_ID)).text

    for sentence in (
        "Unknown: the source",
        "Blank: the source",
        "Not applicable: the source",
        "Not printed: the source",
    ):
        assert sentence in text
    for language in wording.LANGUAGES:
        said = {wording.say(f"absence.{kind}", language) for kind in (*[one.value for one in Absence], "unprinted")}
        assert len(said) == 4


def test_the_sources_own_words_stand_beside_ours(client):
    text = client.get(record_path(BALLOON_ID), headers={"accept-language": "zh"}).text

    assert "原文：People&#39;s Republic of China" in text
    assert "原文：21/11/2026" in text
    assert "尚未归类" in text  # 'Grumbling' has no code


def test_versions_show_what_went_and_what_came(client):
    text = client.get(record_path(BALLOON_ID)).text

    assert "<del>blue </del>" in text and "<ins>green </ins>" in text
    assert "<ins>Ban on marketing</ins>" in text
    assert "The publisher&#39;s page changed." in text
    assert "History was taken in" in text


def test_the_difference_of_two_long_texts_shows_what_changed_and_leaves_the_rest_out(client):
    reader = client.app.state.door.reader(Request({"type": "http", "headers": [], "path": "/", "query_string": b""}))
    act = " ".join(f"Article {number} says something." for number in range(4000))
    old, new = (
        {"language": "en", "label": "body", "value": text} for text in (act, act.replace("2000 says", "2000 adds"))
    )

    (difference,) = differences({"texts": ([old], [new])}, reader)

    assert "<del>says </del>" in difference.before and "<ins>adds </ins>" in difference.after
    assert len(difference.before) < 1000


@pytest.mark.parametrize(
    ("old", "new"),
    [("a b c", "a x c"), ("", "new"), ("same", "same"), ("<b>1</b>", "<b>2</b>"), ("的" * 5000, "地" * 5000)],
)
def test_a_difference_holds_both_texts_and_no_markup_of_theirs(client, old, new):
    reader = client.app.state.door.reader(Request({"type": "http", "headers": [], "path": "/", "query_string": b""}))
    found = differences({"authority": (old, new)}, reader)[0]

    for side, text in ((found.before, old), (found.after, new)):
        plain = re.sub("</?(?:ins|del)>", "", side)
        assert "<b>" not in side and plain[:50] == str(escape(text))[:50]


def test_links_lead_in_both_directions(client):
    balloon = client.get(record_path(BALLOON_ID)).text
    standard = client.get(record_path("cn_openstd_samr:GB 6675.1-2014")).text

    assert "EN 71-1:2014" in balloon
    assert "not in the library" in balloon
    assert "No record in the library cites it." in standard


def test_a_record_leads_to_its_archived_page_and_to_the_original(client):
    text = client.get(record_path(BALLOON_ID)).text

    assert re.search(r'href="/pages/\d+"', text)
    assert 'href="https://eu-safety-gate.example/SR-00001-26"' in text
    assert "Source: an invented gate" in text


def test_an_archived_html_page_is_shown_as_words_and_as_source(client, shelf):
    page_id = shelf.store.pages_of(HOSTILE_ID)["main"]
    answer = client.get(f"/pages/{page_id}")

    assert "First words." in answer.text
    assert "left | right" in answer.text
    assert "&lt;td&gt;left&lt;/td&gt;" in answer.text
    assert shelf.store.pages.get(page_id).digest in answer.text
    assert ".warc.gz" in answer.text


def test_an_archived_page_downloads_as_bytes_no_browser_opens(client, shelf):
    page_id = shelf.store.pages_of(HOSTILE_ID)["main"]
    answer = client.get(f"/pages/{page_id}/original")

    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert SCRIPT.encode() in answer.content


def test_json_is_shown_in_lines(client, shelf):
    page_id = shelf.store.pages_of(BALLOON_ID)["main"]

    assert "  &#34;rows&#34;: [" in client.get(f"/pages/{page_id}").text


def test_a_page_whose_archive_file_is_gone_still_says_what_the_index_knows(own_shelf):
    for path in own_shelf.settings.archive.rglob("*.warc.gz"):
        path.unlink()
    answer = browser(own_shelf).get("/pages/1")

    assert answer.status_code == 200
    assert "archive file is not in its place" in answer.text
    assert browser(own_shelf).get("/pages/1/original").status_code == 404


def test_nothing_new_and_could_not_look_are_different_sentences(client):
    text = client.get("/sources").text

    assert "nothing has been new for suspiciously long" in text
    assert "Could not look: the site answered with a challenge." in text
    assert "Nobody has looked yet." in text
    assert "unproven" in text


def test_why_a_run_is_not_good_is_said_in_the_readers_language(client):
    chinese = client.get("/sources", headers={"accept-language": "zh"}).text

    assert "1 个页面中：要求验证的页面 1。" in chinese
    assert "自 2026-01-01 起没有新内容。" in chinese
    assert "1 challenge of 1 pages" not in chinese
    assert "1 challenge of 1 pages" in client.get("/sources").text


def test_sources_in_trouble_stand_first(shelf, client):
    assert [one["standing"] for one in client.get("/api/sources").json()["sources"]][0] == "bad"


def test_every_verdict_has_its_own_sentence_in_both_languages():
    words = [key.removeprefix("verdict.") for key in wording.catalogue() if key.startswith("verdict.")]
    for language in wording.LANGUAGES:
        sentences = [wording.catalogue()[f"verdict.{word}"][language] for word in words]
        assert len(set(sentences)) == len(words)


def test_times_are_shown_in_the_configured_zone(shelf, client):
    at = shelf.store.first_seen(BALLOON_ID)
    from zoneinfo import ZoneInfo

    assert f"{at.astimezone(ZoneInfo('Asia/Shanghai')):%Y-%m-%d %H:%M}" in client.get(record_path(BALLOON_ID)).text


def test_the_demo_says_so_on_every_page(own_shelf):
    client = browser(own_shelf)
    for path in (*PAGES, "/outbox"):
        assert "演示数据 practice data" in client.get(path).text


def test_a_library_of_real_data_has_no_practice_banner_and_no_outbox(client):
    assert "practice data" not in client.get("/").text
    assert client.get("/outbox").status_code == 404


# Language -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("en-GB,en;q=0.9", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("fr", "zh"),
        ("", "zh"),
        ("fr,en;q=0.1", "en"),
        ("en;q=x", "zh"),
    ],
)
def test_the_language_follows_the_browser(client, header, expected):
    text = client.get("/", headers={"accept-language": header}).text

    assert f'<html lang="{"zh-CN" if expected == "zh" else "en"}">' in text


def test_a_chosen_language_stays(shelf):
    client = browser(shelf)
    answer = client.get("/lang?to=zh&back=/sources")

    assert answer.headers["location"] == "/sources"
    assert "来源状况" in client.get("/sources").text


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nb", "", "\\/x"]
)
def test_choosing_a_language_never_leads_elsewhere(client, back):
    assert client.get("/lang", params={"to": "en", "back": back}).headers["location"] == "/"


def used_keys() -> set[str]:
    sources = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.html")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    return set(re.findall(r"""["']([a-z_]+\.[a-z0-9_]+)["']""", text))


def test_no_sentence_is_missing_in_either_language():
    for key, forms in wording.catalogue().items():
        assert forms.keys() <= {"zh", "en", "en_one"}, key
        assert all(forms.get(language, "").strip() for language in wording.LANGUAGES), key
        fields = [set(re.findall(r"{(\w+)}", forms[language])) for language in wording.LANGUAGES]
        assert fields[0] == fields[1], key


def test_every_sentence_used_is_in_the_catalogue():
    sections = {key.split(".")[0] for key in wording.catalogue()}
    used = {
        key for key in used_keys() if key.split(".")[0] in sections and not key.endswith((".html", ".css", ".toml"))
    }

    assert {key for key in used if not wording.is_known(key)} <= {
        "search.csv",
        "search.xlsx",
        "board.canary_",
        "board.count_",
        "watch.action_",
        "watch.state_",
    }


def test_no_sentence_of_the_catalogue_is_unused():
    families = [
        "kind",
        "facet",
        "field",
        "absence",
        "role",
        "text",
        "product",
        "action",
        "origin",
        "outcome",
        "reason",
        "suggest",
        "verdict",
        "line",
        "column",
        "error",
        "query",
        "help",
    ]
    prefixes = ("board.count_", "board.canary_", "watch.")
    unused = {key for key in wording.catalogue() if key.split(".")[0] not in families} - used_keys()

    assert {key for key in unused if not key.startswith(prefixes)} <= {
        "search.relevance",
        "search.newest",
        "search.oldest",
    }


def test_every_field_of_a_record_has_its_wording():
    from library.record import Record

    shown = set(Record.model_fields) - {"rights", "attribution", "printed"}

    assert {name for name in shown if not wording.is_known(f"field.{name}")} == set()
    assert set(FIELDS) <= shown
