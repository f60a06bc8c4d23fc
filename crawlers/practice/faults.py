"""Fault: what can go wrong between a publisher and a reader, on demand; FAULTS is the catalogue by name."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson

from crawlers.practice.exchange import Answer

Change = Callable[[Answer], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to answer wrongly.

    change: makes the wrong answer from the right one. wire: 'cut' closes the line at half of the promised body, 'drip'
    sends one byte a second, 'reset' closes without an answer. times: only so many requests; after: let so many pass first.
    """

    change: Change = lambda answer: answer
    wire: Literal["whole", "cut", "drip", "reset"] = "whole"
    times: int | None = None
    after: int = 0


def _instead(status: int, body: str, content_type: str = "text/html; charset=utf-8", **headers: str) -> Change:
    """Answer this whatever was asked."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return lambda answer: Answer(status=status, body=body.encode("utf-8"), content_type=content_type, headers=named)


def _body(answer: Answer, body: bytes, **changed: Any) -> Answer:
    return replace(answer, body=body, modified=None, **changed)


def _redirect(location: str) -> Change:
    return _instead(302, "<html><body>Found</body></html>", Location=location)


def _page(title: str, text: str) -> str:
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1>{text}</body></html>"


def _relabelled(charset: str) -> Change:
    """Encode the text as gb18030 and label it otherwise."""

    def change(answer: Answer) -> Answer:
        text = answer.body.decode("utf-8") + "\n<!-- 朱镕基 -->" * answer.content_type.startswith("text/html")
        media_type = answer.content_type.split(";")[0]
        return _body(answer, text.encode("gb18030"), content_type=f"{media_type}; charset={charset}")

    return change


def _half(answer: Answer) -> Answer:
    """Cut the body in the middle and promise no more than that: invalid JSON or XML."""
    return _body(answer, answer.body[: len(answer.body) // 2])


def _bomb(answer: Answer) -> Answer:
    """64 MiB of blanks after a right beginning, in about 64 kB of gzip."""
    packed = gzip.compress(answer.body + b" " * (64 * 1024 * 1024), 9, mtime=0)
    return _body(answer, packed, compress=False, headers=(*answer.headers, ("Content-Encoding", "gzip")))


def _wrong_encoding(answer: Answer) -> Answer:
    """Say gzip and send it plain."""
    return _body(answer, answer.body, compress=False, headers=(*answer.headers, ("Content-Encoding", "gzip")))


def _huge_headers(answer: Answer) -> Answer:
    """A header line longer than clients take."""
    return _body(answer, answer.body, headers=(*answer.headers, ("X-Practice", "h" * 70000)))


def _no_rows(answer: Answer) -> Answer:
    """The same page without a row."""
    return _with_rows(answer, lambda rows: [])


def _odd_row(answer: Answer) -> Answer:
    """The same page with one row more, right after the first, that has lost its identity and has a field nobody knows."""

    def odd(rows: list[Any]) -> list[Any]:
        if not rows:
            return rows
        row = dict.fromkeys(rows[0]) | {"practiceOddField": [{"odd": 1}]} if isinstance(rows[0], dict) else None
        return [rows[0], row, *rows[1:]]

    return _with_rows(answer, odd)


def _with_rows(answer: Answer, change: Callable[[list[Any]], list[Any]]) -> Answer:
    """Change the rows of a page: a JSON list at the top or below the usual names, notifications, table rows."""
    if "json" in answer.content_type:
        content = deepcopy(orjson.loads(answer.body))
        if isinstance(content, list):
            return _body(answer, orjson.dumps(change(content)))
        name = next((name for name in ("results", "items", "content") if isinstance(content.get(name), list)), None)
        if name:
            content[name] = change(content[name])
        elif "bindings" in content.get("results", {}):
            content["results"]["bindings"] = change(content["results"]["bindings"])
        return _body(answer, orjson.dumps(content))
    empty = change([]) == [] and change([{}]) == []
    text = answer.body.decode("utf-8")
    for pattern, odd in _MARKED_UP_ROWS:
        if re.search(pattern, text, re.S):
            if empty:
                return _body(answer, re.sub(pattern, "", text, flags=re.S).encode("utf-8"))
            first = re.search(pattern, text, re.S)
            end = first.end() if first else 0
            return _body(answer, (text[:end] + odd + text[end:]).encode("utf-8"))
    return answer


_MARKED_UP_ROWS = (
    (r"<notifications .*?</notifications>", "<notifications><practiceOddField>1</practiceOddField></notifications>"),
    (r"<weeklyReport>.*?</weeklyReport>", "<weeklyReport><practiceOddField>1</practiceOddField></weeklyReport>"),
    (r"<tr>\s*<td>\d+</td>.*?</tr>", "<tr><td>?</td><td>practiceOddField</td></tr>"),
)

CPSC_ERROR_ROW = orjson.dumps(
    [
        {
            "RecallID": 0,
            "RecallNumber": None,
            "RecallDate": None,
            "Title": "Error retrieving Recalls: timed out",
            "Products": [],
        }
    ]
).decode()


def _openfda_error(status: int, code: str, message: str) -> Change:
    return _instead(status, orjson.dumps({"error": {"code": code, "message": message}}).decode(), "application/json")


FAULTS: dict[str, Fault] = {
    "not found": Fault(change=_instead(404, _page("404 Not Found", ""))),
    "gone": Fault(change=_instead(410, _page("410 Gone", ""))),
    "forbidden": Fault(change=_instead(403, _page("403 Forbidden", ""))),
    "too many requests": Fault(change=_instead(429, _page("Too Many Requests", ""), Retry_After="2")),
    "server error": Fault(change=_instead(500, _page("500 Internal Server Error", ""))),
    "bad gateway": Fault(change=_instead(502, _page("502 Bad Gateway", ""))),
    "unavailable": Fault(change=_instead(503, _page("503 Service Unavailable", ""), Retry_After="1")),
    "maintenance": Fault(
        change=_instead(
            200, _page("Scheduled maintenance", "<p>The service is unavailable. Please try again later.</p>")
        )
    ),
    "maintenance in Chinese": Fault(change=_instead(200, _page("系统维护", "<p>系统正在升级维护，请稍后访问。</p>"))),
    "challenge": Fault(
        change=_instead(
            200,
            "<!DOCTYPE html><html><head><title></title><script>window.awsWafCookieDomainList = [];</script>"
            '<script src="https://practice.token.awswaf.com/challenge.js"></script></head>'
            "<body><noscript>JavaScript is disabled. Verify that you are not a robot.</noscript></body></html>",
        )
    ),
    "challenge with 202": Fault(
        change=_instead(202, _page("", '<script src="/challenge.js"></script>'), x_amzn_waf_action="challenge")
    ),
    "login form": Fault(
        change=_instead(
            200,
            _page("Sign in", '<form method="post" action="/login"><input type="password" name="password"></form>'),
        )
    ),
    "script shell": Fault(
        change=_instead(
            200, '<!doctype html><html><body><app-root></app-root><script src="m.js"></script></body></html>'
        )
    ),
    "cut short": Fault(wire="cut"),
    "drip": Fault(wire="drip"),
    "reset": Fault(wire="reset"),
    "gzip bomb": Fault(change=_bomb),
    "wrong content encoding": Fault(change=_wrong_encoding),
    "gb18030 called utf-8": Fault(change=_relabelled("utf-8")),
    "gb18030 called latin-1": Fault(change=_relabelled("iso-8859-1")),
    "gb18030 called gb2312": Fault(change=_relabelled("gb2312")),
    "redirect to loopback": Fault(change=_redirect("http://127.0.0.1:22/")),
    "redirect to private": Fault(change=_redirect("http://10.0.0.1/admin")),
    "redirect to metadata": Fault(change=_redirect("http://169.254.169.254/latest/meta-data/")),
    "redirect to file": Fault(change=_redirect("file:///etc/passwd")),
    "redirect elsewhere": Fault(change=_redirect("https://elsewhere.example/")),
    "redirect loop": Fault(change=_redirect("")),
    "half a document": Fault(change=_half),
    "no rows": Fault(change=_no_rows),
    "odd row": Fault(change=_odd_row),
    "cpsc error row": Fault(change=_instead(200, CPSC_ERROR_ROW, "application/json; charset=utf-8")),
    "openfda not found": Fault(change=_openfda_error(404, "NOT_FOUND", "No matches found!")),
    "openfda bad key": Fault(change=_openfda_error(403, "API_KEY_INVALID", "An invalid api_key was supplied.")),
    "openfda server error": Fault(change=_openfda_error(500, "SERVER_ERROR", "Check your request and try again")),
    "deep html": Fault(
        change=_instead(200, "<html><body>" + "<div>" * 5000 + "deep" + "</div>" * 5000 + "</body></html>")
    ),
    "huge headers": Fault(change=_huge_headers),
    "empty body": Fault(change=lambda answer: _body(answer, b"")),
}
