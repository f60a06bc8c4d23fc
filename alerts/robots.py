"""Robots: group chats of DingTalk, WeCom and Feishu, each told the digest in its own format, within its own limits.

An address is a robot's by its host alone, over https; an operator may name further ones for servers of the house. What a
message does not hold is counted in it, with a link to the list as it stood. These services answer 200 and put what went
wrong into the body: too many messages, or a service that is busy, is tried again; what no later call can mend is final.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

from alerts.watches import ROBOT_HOSTS
from alerts.wording import clean, sentence
from library.settings import AlertSettings

TITLE_LIMIT, LINE_LIMIT = 160, 200
RECEIPT_LINES = 5  # of the coverage receipt: from when to when, how many sources were seen, the first that were not
MINUTE = timedelta(minutes=1)
AGAIN_LATER = (408, 425, 429)  # of the 4xx answers, those that a later call may change

# What the markdown of these chats would take for a mark, a link or a mention of everybody.
PLAIN = str.maketrans("[]<>*`~\\@", "［］＜＞＊ˋ～＼＠")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing in a message: a title that leads to an address, and what is said of it. link: '' for none."""

    title: str
    link: str
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What is to be told. count: of all items, of which `items` are the first; list_url: all of them, as they stood.

    Where nothing was found there are no items, and list_url is ''.
    """

    language: str
    subject: str
    intro: str
    items: Sequence[Line]
    count: int
    list_url: str
    receipt: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Robot:
    """What one service takes. limit_bytes: of the body we post; pace: (messages, in how long) to one robot.

    code: where its answers have their number, 0 for a message that was taken; wrong: number -> the name of the sentence
    that says what to mend. Of any other number, too many messages among them, a later call may hear something better.
    """

    name: str
    limit_bytes: int
    pace: Sequence[tuple[int, timedelta]]
    code: str
    wrong: Mapping[int, str]
    write: Callable[[Digest, int], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means. is_final: no later call can change it. words: why it was not taken."""

    is_taken: bool
    is_final: bool = False
    words: str = ""


def robot_of(address: str, settings: AlertSettings) -> Robot | None:
    """The service whose robot an address is; None for any other web address."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme == "https" and parts.port in (None, 443) and host in ROBOT_HOSTS:
        return ROBOTS[ROBOT_HOSTS[host]]
    for name, origins in settings.robots.model_dump().items():
        if f"{parts.scheme}://{parts.netloc}" in origins:
            return ROBOTS[name]
    return None


def message(robot: Robot, digest: Digest) -> bytes:
    """The body for a robot: as many whole items as fit, and how many are left out, with a link to all."""
    for shown in range(len(digest.items), 0, -1):
        content = orjson.dumps(robot.write(digest, shown))
        if len(content) <= robot.limit_bytes:
            return content
    return orjson.dumps(robot.write(digest, 0))


def signed(robot: Robot, address: str, content: bytes, secret: str, *, at_s: int) -> tuple[str, bytes]:
    """The address and the body as they are called. at_s: seconds since 1970; a signature is good for an hour."""
    if not secret or robot.name == "wecom":  # the key in WeCom's address is all there is
        return address, content
    if robot.name == "dingtalk":
        at = str(at_s * 1000)
        join = "&" if urlsplit(address).query else "?"
        return address + join + urlencode({"timestamp": at, "sign": _signature(secret, f"{at}\n{secret}")}), content
    # Feishu signs nothing with a key that is the time and the secret.
    sign = _signature(f"{at_s}\n{secret}", "")
    return address, orjson.dumps({"timestamp": str(at_s), "sign": sign} | orjson.loads(content))


def verdict(robot: Robot, status: int, body: bytes) -> Verdict:
    """What a robot's answer means. status: of HTTP, 0 where nothing was heard."""
    try:
        said = orjson.loads(body)
        code = int(said.get(robot.code, said.get("StatusCode", -1)))  # Feishu's older form has StatusCode
        words = str(said.get("errmsg") or said.get("msg") or said.get("StatusMessage") or "")
    except (ValueError, AttributeError, TypeError):
        code, words = -1, body.decode("utf-8", "replace")
    if 200 <= status < 300 and code == 0:
        return Verdict(True)
    shown = f"{robot.name} {status}/{code}: {clean(words, 160)}"
    if code in robot.wrong:
        name = robot.wrong[code]
        return Verdict(False, True, f"{sentence('zh', name)} {sentence('en', name)} ({shown})")
    return Verdict(False, 300 <= status < 500 and status not in AGAIN_LATER and code == -1, shown)


def too_soon(robot: Robot, sent_within: Callable[[timedelta], int]) -> bool:
    """Whether one more message now would be more than the service takes. sent_within: how many a time back from now."""
    return any(sent_within(span) >= most for most, span in robot.pace)


def _signature(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


def _plain(text: str, limit: int) -> str:
    """Somebody else's words as words: nothing in them is a link, a mark or a mention."""
    return clean(text, limit).translate(PLAIN)


def _markdown(digest: Digest, shown: int) -> str:
    blocks = [f"### {_plain(digest.subject, TITLE_LIMIT)}", digest.intro]
    for line in digest.items[:shown]:
        title = _plain(line.title, TITLE_LIMIT)
        said = "".join(f"\n> {_plain(part, LINE_LIMIT)}\n" for part in line.said)
        blocks.append((f"**[{title}]({line.link})**" if line.link else f"**{title}**") + said.rstrip("\n"))
    if shown < digest.count:
        blocks.append(sentence(digest.language, "robot_rest", count=digest.count - shown))
    blocks += [_plain(line, LINE_LIMIT) for line in digest.receipt[:RECEIPT_LINES]]
    if digest.list_url:
        blocks.append(f"[{sentence(digest.language, 'robot_list', count=digest.count)}]({digest.list_url})")
    return "\n\n".join(blocks)


def _dingtalk(digest: Digest, shown: int) -> dict[str, Any]:
    text = {"title": _plain(digest.subject, 60), "text": _markdown(digest, shown)}
    return {"msgtype": "markdown", "markdown": text, "at": {"isAtAll": False}}


def _wecom(digest: Digest, shown: int) -> dict[str, Any]:
    return {"msgtype": "markdown", "markdown": {"content": _markdown(digest, shown)}}


def _feishu(digest: Digest, shown: int) -> dict[str, Any]:
    """A post: text and links are fields of their own, so nothing in a title can be a mark."""
    rows: list[list[dict[str, str]]] = [[_text(digest.intro)]]
    for line in digest.items[:shown]:
        title = clean(line.title, TITLE_LIMIT)
        rows.append([{"tag": "a", "text": title, "href": line.link} if line.link else _text(title)])
        rows += [[_text(clean(part, LINE_LIMIT))] for part in line.said]
    if shown < digest.count:
        rows.append([_text(sentence(digest.language, "robot_rest", count=digest.count - shown))])
    rows += [[_text(clean(line, LINE_LIMIT))] for line in digest.receipt[:RECEIPT_LINES]]
    if digest.list_url:
        all_of_it = sentence(digest.language, "robot_list", count=digest.count)
        rows.append([{"tag": "a", "text": all_of_it, "href": digest.list_url}])
    post = {"title": clean(digest.subject, TITLE_LIMIT), "content": rows}
    return {"msg_type": "post", "content": {"post": {"zh_cn" if digest.language == "zh" else "en_us": post}}}


def _text(text: str) -> dict[str, str]:
    return {"tag": "text", "text": text}


ROBOTS: Mapping[str, Robot] = {
    robot.name: robot
    for robot in (
        Robot(
            name="dingtalk",
            limit_bytes=18_000,  # 20,000 are taken
            pace=((20, MINUTE),),
            code="errcode",
            wrong={
                300001: "robot_unknown",
                300005: "robot_unknown",
                40035: "robot_unknown",
                310000: "robot_unsafe",
                400013: "robot_closed",
                400101: "robot_unknown",
                400102: "robot_closed",
                400105: "robot_format",
                400106: "robot_unknown",
                430101: "robot_words",
                430104: "robot_words",
            },
            write=_dingtalk,
        ),
        Robot(
            name="wecom",
            limit_bytes=4096,  # of the text; the frame around it counts here as well
            pace=((20, MINUTE),),
            code="errcode",
            wrong={93000: "robot_unknown", 93008: "robot_closed", 40008: "robot_format", 40058: "robot_format"},
            write=_wecom,
        ),
        Robot(
            name="feishu",
            limit_bytes=19_800,  # 20 kB with time and signature
            pace=((100, MINUTE), (5, timedelta(seconds=1))),
            code="code",
            wrong={19001: "robot_unknown", 19021: "robot_unsafe", 19022: "robot_unsafe", 19024: "robot_words"},
            write=_feishu,
        ),
    )
}
