"""Laws and regulations of China, as Markdown files that people hand in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any
from urllib.parse import unquote

from crawlers.page import Draft, Finding, Follow, NotThePage
from crawlers.spider import SourceSpider
from library.page import Page

END_OF_HISTORY = "<!-- INFO END -->"
DAY = r"\d{4}年\d{1,2}月\d{1,2}日"
# '食品安全法(2021-04-29)'; handed in over the page it is '20260302T023000-食品安全法_2021-04-29_'
NAME = re.compile(r"^(?:\d{8}T\d{6}-)?(?P<title>.+?)[(（_](?P<day>\d{4}-\d{1,2}-\d{1,2})[)）_]?$")
# '1989年2月21日 …通过', '1985年3月7日 国务院批准', '2003年8月18日 …第4号令公布', '1990年4月6日 …第53号发布'
MADE = re.compile(rf"^({DAY})\s*.*(?:通过|批准|公布|发布)")
AMENDED = re.compile("修正|修订|修改")
STARTS = re.compile(rf"^({DAY})\s*(?:起)?(?:施行|实施|生效)")
# the last article: '第八十条 本条例自2021年1月1日起施行。'
IN_FORCE = re.compile(rf"自({DAY})起(?:施行|实施|生效)")
ENDED = re.compile(rf"^({DAY})?.*(?P<word>废止|失效)")
# '国家市场监督管理总局令第46号', '中华人民共和国国务院令第276号', '…第4号令'
ORDER = re.compile(r"(?P<authority>[\u4e00-\u9fff、]+?)(?:令)?(?P<number>第\d+号)(?:令)?(?:公布|发布)")
# '第七届全国人民代表大会常务委员会第三十次会议通过'
CONGRESS = re.compile(r"届(?P<authority>全国人民代表大会(?:常务委员会)?)第")
ARTICLE = re.compile(r"^第[〇零一二三四五六七八九十百千]+条", re.MULTILINE)
HEADING = re.compile(r"^#+\s*")


class CnLaws(SourceSpider):
    """Laws, regulations and departmental rules of China; the publisher's database may not be crawled.

    Pages       Markdown, UTF-8: '# title', lines of history, '<!-- INFO END -->', '## 第一章 …', articles '第一条 …'
    Dates       'yyyy年m月d日' in the history and in the article on entry into force
    Reference   the file's name without .md, '食品安全法(2021-04-29)': the day is that of the last amendment
    Body        one paragraph a line: headings of chapters, articles, and what belongs to an article
    Gaps        somebody else's reading of the database. Some histories are short: amendments left out, or none at all.
                Whether a law was repealed is not printed unless the history says so
    """

    name = "cn_laws"

    def begin(self, since: date, today: date) -> Iterable[Follow]:
        return ()

    def read(self, page: Page) -> Iterator[Finding]:
        name = unquote(page.url.rpartition("#")[2]).removesuffix(".md")
        lines = [line.strip() for line in page.text.lstrip("\ufeff").splitlines() if line.strip()]
        if not lines or not lines[0].startswith("# "):
            raise NotThePage("error", "the text of a law is due, and the file does not begin with a title")
        title = " ".join(HEADING.sub("", lines[0]).split())
        history, body = _parted(lines[1:])
        if not ARTICLE.search("\n".join(body)):
            raise NotThePage("error", "the text of a law is due, and the file has no article")
        version = NAME.match(name)
        key = f"{version['title']}({version['day']})" if version else name
        fields = _fields(title, history, body)
        if version:
            fields["published"] = version["day"]
        yield Draft(kind="regulation", key=key, fields=fields)


def _parted(lines: list[str]) -> tuple[list[str], list[str]]:
    """The history and the body. A file without the mark between them has its history before the first heading or article."""
    if END_OF_HISTORY in lines:
        end = lines.index(END_OF_HISTORY)
        return lines[:end], lines[end + 1 :]
    end = next((at for at, line in enumerate(lines) if line.startswith("#") or ARTICLE.match(line)), len(lines))
    return lines[:end], lines[end:]


def _fields(title: str, history: list[str], body: list[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {"titles": {"zh": title}}
    paragraphs = [" ".join(HEADING.sub("", line).split()) for line in body]
    fields["texts"] = [{"label": "note", "value": line} for line in history] + [
        {"label": "body", "value": "\n\n".join(paragraphs)}
    ]
    if made := next((found[1] for line in history if (found := MADE.match(line)) and not AMENDED.search(line)), ""):
        fields["adopted"] = made
    starts = [found[1] for line in history if (found := STARTS.match(line))] or IN_FORCE.findall(
        next((line for line in reversed(paragraphs) if ARTICLE.match(line)), "")
    )
    if starts:
        fields["in_force"] = starts[-1]
    if ended := next((found for line in history if (found := ENDED.match(line)) and not AMENDED.search(line)), None):
        fields["status"] = ended["word"]
        if ended[1]:
            fields["withdrawn"] = ended[1]
    if order := next((found for line in history if (found := CONGRESS.search(line) or ORDER.search(line))), None):
        fields["authority"] = order["authority"]
    return fields
