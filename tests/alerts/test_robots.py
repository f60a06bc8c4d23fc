"""Group chats: each robot is told in its own format, within its limits, and its answers are believed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from alerts.matching import Delivery, add_deliveries
from alerts.outbox import deliver_due, lost_calls, retry, status
from alerts.robots import ROBOTS, robot_of
from alerts.sweep import sweep
from alerts.watches import WatchError, edit_watch
from library.record import Kind
from library.settings import AlertSettings, RobotSettings
from library.store.store import Origin
from tests.alerts.conftest import NIGHT, House, recall

TAKEN = {"dingtalk": {"errcode": 0, "errmsg": "ok"}, "wecom": {"errcode": 0, "errmsg": "ok"}, "feishu": {"code": 0}}
PATHS = {
    "dingtalk": "/robot/send?access_token=t",
    "wecom": "/cgi-bin/webhook/send?key=k",
    "feishu": "/open-apis/bot/v2/hook/h",
}
NAMES = tuple(PATHS)


class Chat(ThreadingHTTPServer):
    """A chat service on loopback: keeps what is posted, and answers what it is told to, at last that it took it."""

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.name = name
        self.answers: list[tuple[int, Any]] = []
        self.received: list[tuple[str, Any, int]] = []

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def address(self) -> str:
        return self.origin + PATHS[self.name]


class _Handler(BaseHTTPRequestHandler):
    server: Chat

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, orjson.loads(body), len(body)))
        number, said = self.server.answers.pop(0) if self.server.answers else (200, TAKEN[self.server.name])
        answer = orjson.dumps(said)
        self.send_response(number)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def chat(request: pytest.FixtureRequest) -> Iterator[Chat]:
    server = Chat(getattr(request, "param", "wecom"))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


every_chat = pytest.mark.parametrize("chat", NAMES, indirect=True)


def _send(house: House, chat: Chat, *, private: bool = True) -> Any:
    robots = RobotSettings(**{chat.name: (chat.origin,)})
    alerts = AlertSettings(private_hooks=private, robots=robots)
    settings = house.settings.model_copy(update={"alerts": alerts})
    return deliver_due(house.store, settings, house.clock, sources=house.sources)


def _told(house: House, chat: Chat, *, count: int = 1, **more: Any) -> str:
    watch = house.watch("hazard:choking", hook=chat.address, **({"title": "Choking"} | more))
    for number in range(count):
        house.put(recall(f"SR/{number:05}/26", title=f"Balloon {number} with a choking hazard"))
    house.match()
    return watch.id


def _words(said: Any) -> str:
    """Everything a member of the chat reads, and where its links lead."""
    if "markdown" in said:
        return str(said["markdown"].get("text") or said["markdown"]["content"])
    (post,) = said["content"]["post"].values()
    return "\n".join(
        [post["title"], *(cell["text"] + " " + cell.get("href", "") for row in post["content"] for cell in row)]
    )


@every_chat
def test_a_chat_is_told_what_was_found_why_and_where_to_read_on(house: House, chat: Chat):
    _told(house, chat)

    counts = _send(house, chat)
    _send(house, chat)

    ((_, said, _),) = chat.received
    words = _words(said)
    assert counts.called == 1
    assert "Balloon 0 with a choking hazard" in words
    assert "危害=异物窒息" in words
    assert "https://ttm.example/records/eu_safety_gate:SR/00000/26" in words
    assert "https://ttm.example/digest?token=" in words
    assert sorted((row["channel"], row["state"]) for row in house.deliveries()) == [("hook", "sent"), ("mail", "sent")]
    assert sweep(house.store, house.sources, now=house.clock()).is_clean


@every_chat
def test_a_chat_is_told_what_was_amended_and_which_day_comes_near(house: House, chat: Chat):
    watch = house.watch("balloon", hook=chat.address, actions=("amended", "deadline"))
    house.put(recall(), Origin.BACKFILL)
    house.put(recall(title="Balloon with a burning hazard", in_force=date(2026, 3, 9)))
    house.match()
    near = Delivery(
        watch=watch,
        record_id="eu_safety_gate:SR/00001/26",
        version=0,
        action="deadline",
        late=False,
        reasons="[]",
        about="in_force:2026-03-09",
    )
    with house.store.write() as transaction:
        add_deliveries(transaction, [near], house.clock())

    _send(house, chat)

    words = _words(chat.received[0][1])
    assert "标题：增加“Balloon with a burning hazard”，删除“Balloon with a choking hazard”" in words
    assert "生效日期：2026-03-09" in words


@every_chat
def test_a_chat_is_told_in_the_language_of_its_watch(house: House, chat: Chat):
    _told(house, chat, language="en")
    _send(house, chat)

    words = _words(chat.received[0][1])
    assert "New recall" in words
    assert "hazard=Choking" in words
    assert "See all 1" in words


@pytest.mark.parametrize("chat", ["dingtalk"], indirect=True)
def test_dingtalk_finds_time_and_signature_in_the_address(house: House, chat: Chat):
    _told(house, chat, hook_secret="SECx")
    _send(house, chat)

    asked = parse_qs(urlsplit(chat.received[0][0]).query)
    at = asked["timestamp"][0]
    expected = base64.b64encode(hmac.new(b"SECx", f"{at}\nSECx".encode(), hashlib.sha256).digest()).decode()
    assert asked["sign"] == [expected]
    assert asked["access_token"] == ["t"]
    assert int(at) == int(house.clock().timestamp()) * 1000


@pytest.mark.parametrize("chat", ["feishu"], indirect=True)
def test_feishu_finds_time_and_signature_in_the_body(house: House, chat: Chat):
    _told(house, chat, hook_secret="xyz")
    _send(house, chat)

    path, said, _ = chat.received[0]
    at = said["timestamp"]
    assert said["sign"] == base64.b64encode(hmac.new(f"{at}\nxyz".encode(), b"", hashlib.sha256).digest()).decode()
    assert int(at) == int(house.clock().timestamp())
    assert path == PATHS["feishu"]


@every_chat
def test_a_flood_is_one_message_of_whole_items_that_fits_and_says_how_many_are_left_out(house: House, chat: Chat):
    _told(house, chat, count=300, hook_secret="xyz")
    _send(house, chat)

    ((_, said, size),) = chat.received
    words = _words(said)
    shown = words.count("with a choking hazard")
    assert size <= {"dingtalk": 20_000, "wecom": 4096, "feishu": 20_000}[chat.name]
    assert 5 < shown < 300
    assert words.count("危害=异物窒息") == shown
    assert f"另有 {300 - shown} 条未列出。" in words
    assert {row["state"] for row in house.deliveries() if row["channel"] == "hook"} == {"sent"}


@every_chat
def test_of_a_flood_a_chat_is_told_the_recalls_first(house: House, chat: Chat):
    house.watch("balloon", hook=chat.address)
    for number in range(130):
        house.put(recall(f"S{number}", f"Balloon standard {number}", kind=Kind.STANDARD))
    house.put(recall("C1", "Balloon that came last"))
    house.match()
    _send(house, chat)

    words = _words(chat.received[0][1])
    assert words.index("Balloon that came last") < words.index("Balloon standard 0")


@every_chat
def test_a_title_adds_no_link_no_mention_and_no_mark(house: House, chat: Chat):
    house.watch("hazard:choking", hook=chat.address)
    house.put(recall(title="Balloon\r\n# [win](https://evil.example) <@all> @all **x** \u202egnp"))
    house.match()
    _send(house, chat)

    said = chat.received[0][1]
    words = _words(said)
    if chat.name == "feishu":
        assert not {cell["tag"] for row in said["content"]["post"]["zh_cn"]["content"] for cell in row} - {"a", "text"}
        assert "evil.example" not in "".join(
            cell.get("href", "") for row in said["content"]["post"]["zh_cn"]["content"] for cell in row
        )
    else:
        assert "](https://evil" not in words
        assert "@all" not in words
        assert "<" not in words
    assert "\u202e" not in words


@pytest.mark.parametrize(
    ("chat", "answer"),
    [
        ("dingtalk", (200, {"errcode": 410100, "errmsg": "send too fast"})),
        ("dingtalk", (200, {"errcode": -1, "errmsg": "system busy"})),
        ("wecom", (200, {"errcode": 45009, "errmsg": "api freq out of limit"})),
        ("feishu", (200, {"code": 11232, "msg": "frequency limited"})),
        ("feishu", (429, {})),
        ("wecom", (502, "bad gateway")),
    ],
    indirect=["chat"],
)
def test_too_many_or_too_busy_inside_a_200_is_tried_again(house: House, chat: Chat, answer: tuple[int, Any]):
    _told(house, chat)
    chat.answers = [answer]
    first = _send(house, chat)
    house.clock.forward(minutes=1, seconds=1)
    later = _send(house, chat)

    assert (first.called, later.called) == (0, 1)
    assert [row["state"] for row in house.deliveries() if row["channel"] == "hook"] == ["sent"]


@pytest.mark.parametrize(
    ("chat", "answer", "sentence"),
    [
        ("dingtalk", (200, {"errcode": 300005, "errmsg": "token is not exist"}), "There is no such robot"),
        ("dingtalk", (200, {"errcode": 310000, "errmsg": "sign not match"}), "safety settings"),
        ("wecom", (200, {"errcode": 93000, "errmsg": "invalid webhook url"}), "没有这个机器人"),
        ("feishu", (200, {"code": 19001, "msg": "param invalid"}), "There is no such robot"),
        ("feishu", (400, {"code": 19021, "msg": "sign match fail"}), "安全设置"),
        ("feishu", (200, {"code": 19024, "msg": "Key Words Not Found"}), "key words"),
    ],
    indirect=["chat"],
)
def test_what_no_later_call_can_mend_inside_a_200_is_final_and_says_what_to_mend(
    house: House, chat: Chat, answer: tuple[int, Any], sentence: str
):
    _told(house, chat)
    chat.answers = [answer]
    _send(house, chat)
    house.clock.forward(days=1)
    _send(house, chat)

    with house.store.read() as transaction:
        error = transaction.value("SELECT last_error FROM call")
    assert len(chat.received) == 1
    assert sentence in error
    assert status(house.store, house.clock())["calls"] == {"failed": 1}


def test_a_call_that_failed_goes_out_again_when_an_operator_says_so(house: House, chat: Chat):
    _told(house, chat)
    chat.answers = [(200, {"errcode": 93000, "errmsg": "invalid webhook url"})]
    _send(house, chat)
    (lost,) = lost_calls(house.store)

    (again,) = retry(house.store, now=house.clock(), calls=[lost["id"]])
    _send(house, chat)

    assert again.why == ""
    assert chat.received[0][1] == chat.received[1][1]
    assert lost_calls(house.store) == []
    assert [row["state"] for row in house.deliveries() if row["channel"] == "hook"] == ["sent"]


@every_chat
def test_a_robot_is_told_no_more_often_than_it_takes_and_nothing_is_lost(house: House, chat: Chat):
    for number in range(25):
        house.watch("hazard:choking", hook=chat.address, title=f"Watch {number}")
    house.put(recall())
    house.match()

    passes = []
    for _ in range(130):
        passes.append((house.clock(), _send(house, chat).called))
        house.clock.forward(seconds=1)
    most, span = ROBOTS[chat.name].pace[-1]

    assert sum(called for _, called in passes) == 25
    for begun, _ in passes:
        assert sum(called for at, called in passes if begun <= at < begun + span) <= most


def test_people_in_a_chat_are_told_by_cadence_and_never_in_the_quiet_time(house: House, chat: Chat):
    _told(house, chat, cadence="daily", quiet="22:00-09:00")

    counts = []
    for clock in ("19:00", "23:59", "01:01"):  # UTC; 03:00, 07:59 and 09:01 in Beijing
        hour, minute = map(int, clock.split(":"))
        moment = NIGHT.replace(hour=hour, minute=minute)
        house.clock.at = moment if moment > NIGHT else moment + timedelta(days=1)
        counts.append(_send(house, chat).called)

    assert counts == [0, 0, 1]
    assert "来源" in _words(chat.received[0][1])  # the receipt of a digest


def _days(house: House, chat: Chat, *, nights: int, **watch: Any) -> None:
    """A watch made two days before, asked at 08:00 in Beijing after so many nights in which both sources were seen."""
    house.clock.at = NIGHT - timedelta(days=2)
    house.watch("balloon", hook=chat.address, title="Balloons", cadence="daily", **watch)
    for night in range(nights):
        began = NIGHT + timedelta(days=night)
        run_id = house.store.runs.start("eu_safety_gate", origin="crawl", live=True, at=began, process=0)
        house.store.runs.end(run_id, verdict="good", reason="", counts={}, at=began + timedelta(minutes=5))
        house.clock.at = began.replace(hour=0, minute=0) + timedelta(days=1, seconds=5)
        _send(house, chat)


@every_chat
def test_a_chat_alone_hears_once_a_day_that_nothing_was_found_and_all_was_seen(house: House, chat: Chat):
    _days(house, chat, nights=2, nothing_too=True, by_mail=False)
    _send(house, chat)

    first, second = (_words(said) for _, said, _ in chat.received)
    assert "Balloons：没有新内容，全部 1 个来源均已查看" in first.replace("［ttm］", "[ttm]")
    assert "本次说明涵盖 2026-03-01 02:31 至 2026-03-03 08:00（Asia/Shanghai）。" in first
    assert "本次说明涵盖 2026-03-03 08:00 至 2026-03-04 08:00（Asia/Shanghai）。" in second
    assert "/digest?token=" not in first  # there is no list of nothing
    assert status(house.store, house.clock())["calls"] == {"sent": 2}


def test_a_chat_is_not_told_of_nothing_where_something_was_found(house: House, chat: Chat):
    house.clock.at = NIGHT - timedelta(days=2)
    house.watch("balloon", hook=chat.address, cadence="daily", nothing_too=True, by_mail=False)
    house.clock.at = NIGHT
    house.put(recall())
    house.match()
    house.clock.at = NIGHT.replace(hour=0, minute=0) + timedelta(days=1, seconds=5)

    _send(house, chat)
    _send(house, chat)

    ((_, said, _),) = chat.received
    assert "没有新内容" not in _words(said)
    assert "本次说明涵盖 2026-03-01 02:31 至 2026-03-03 08:00" in _words(said)


def test_a_chat_hears_of_nothing_after_the_end_of_the_quiet_time(house: House, chat: Chat):
    house.clock.at = NIGHT - timedelta(days=2)
    house.watch("balloon", hook=chat.address, cadence="daily", nothing_too=True, by_mail=False, quiet="22:00-09:00")
    counts = []
    for hour in (0, 1):  # 08:00 and 09:00 in Beijing
        house.clock.at = NIGHT.replace(hour=hour, minute=0) + timedelta(days=1, seconds=5)
        counts.append(_send(house, chat).called)

    assert counts == [0, 1]


def test_a_quiet_day_in_which_a_chat_could_not_be_told_is_in_the_next_receipt(house: House, chat: Chat):
    chat.answers = [(200, {"errcode": 93000, "errmsg": "invalid webhook url"})]

    _days(house, chat, nights=2, nothing_too=True, by_mail=False)

    assert "本次说明涵盖 2026-03-01 02:31 至 2026-03-04 08:00" in _words(chat.received[1][1])


@pytest.mark.parametrize(
    "watch", [{"nothing_too": False, "by_mail": False}, {"nothing_too": True, "by_mail": True, "confirmed": False}]
)
def test_a_chat_hears_of_nothing_only_where_it_was_asked_for_and_agreed_to(
    house: House, chat: Chat, watch: dict[str, Any]
):
    _days(house, chat, nights=1, **watch)

    assert chat.received == []


def test_where_the_reader_is_mailed_that_nothing_was_found_the_chat_is_not_told_as_well(house: House, chat: Chat):
    _days(house, chat, nights=1, nothing_too=True)

    assert chat.received == []
    assert "没有新内容" in str(house.mailbox.messages()[0]["Subject"])


def test_a_program_is_never_called_about_nothing(house: House, chat: Chat):
    house.clock.at = NIGHT - timedelta(days=2)
    house.watch("balloon", hook=chat.origin + "/in", cadence="daily", nothing_too=True, by_mail=False)
    house.clock.at = NIGHT + timedelta(days=1)
    alerts = AlertSettings(private_hooks=True)

    deliver_due(house.store, house.settings.model_copy(update={"alerts": alerts}), house.clock, sources=house.sources)

    assert chat.received == []


def test_nothing_is_posted_into_our_own_network_unless_the_operator_says_so(house: House, chat: Chat):
    _told(house, chat)

    _send(house, chat, private=False)

    assert chat.received == []


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://oapi.dingtalk.com/robot/send?access_token=t", "dingtalk"),
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k", "wecom"),
        ("https://open.feishu.cn/open-apis/bot/v2/hook/h", "feishu"),
        ("https://open.larksuite.com/open-apis/bot/v2/hook/h", "feishu"),
        ("https://chat.corp.example:8443/hook", "wecom"),
        ("http://open.feishu.cn/open-apis/bot/v2/hook/h", ""),
        ("https://open.feishu.cn:444/open-apis/bot/v2/hook/h", ""),
        ("https://open.feishu.cn.evil.example/open-apis/bot/v2/hook/h", ""),
        ("https://evil.example/?https://open.feishu.cn/", ""),
        ("https://chat.corp.example/hook", ""),
    ],
)
def test_an_address_is_a_robots_by_its_host_over_https_or_where_the_operator_says_so(address: str, name: str):
    robot = robot_of(address, AlertSettings(robots=RobotSettings(wecom=("https://chat.corp.example:8443",))))

    assert (robot.name if robot else "") == name


def test_a_robot_without_tls_is_refused_when_it_is_entered(house: House):
    with pytest.raises(WatchError) as refused:
        house.watch(hook="http://oapi.dingtalk.com/robot/send?access_token=t")

    assert "https" in refused.value.say("en")
    assert "只能用 https" in refused.value.say("zh")


def test_a_watch_without_mail_is_told_by_hook_and_feed_alone(house: House, chat: Chat):
    watch_id = _told(house, chat, by_mail=False)

    _send(house, chat)

    assert house.mailbox.messages() == []
    assert len(chat.received) == 1
    assert sorted((row["channel"], row["state"]) for row in house.deliveries()) == [("feed", "sent"), ("hook", "sent")]
    assert sweep(house.store, house.sources, now=house.clock()).is_clean
    edit_watch(house.store, watch_id, now=house.clock(), by_mail=True)
    house.match()
    _send(house, chat)
    assert house.mailbox.messages() == []  # what the feed had is not mailed afterwards


def test_a_signature_is_made_anew_for_each_attempt(house: House, chat: Chat):
    chat.name = "dingtalk"
    _told(house, chat, hook_secret="SECx")
    chat.answers = [(503, {})]
    _send(house, chat)
    house.clock.forward(hours=2)
    _send(house, chat)

    times = [parse_qs(urlsplit(path).query)["timestamp"][0] for path, _, _ in chat.received]
    assert datetime.fromtimestamp(int(times[1]) / 1000) - datetime.fromtimestamp(int(times[0]) / 1000) == timedelta(
        hours=2
    )
    assert chat.received[0][1] == chat.received[1][1]
