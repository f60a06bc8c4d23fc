"""Web hooks: signed, never lost, never let inside."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest

from alerts.canary import begin_flight, end_flight, last_flight
from alerts.feeds import told
from alerts.hooks import HookError, call_hooks, post, signature
from alerts.outbox import deliver_due, status
from alerts.sweep import sweep
from alerts.tokens import hook_key, secret
from alerts.watches import confirm_watch, edit_watch, end_watch
from library.record import Coded
from library.settings import AlertSettings
from library.store.store import Origin, Store
from tests.alerts.conftest import FaultyMailbox, House, recall


class Receiver(ThreadingHTTPServer):
    """Keeps what is posted to it; answers what it is told to, or hangs up where that is 0."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[int] = []
        self.received: list[tuple[dict[str, str], bytes]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook?x=1"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.server.answers.pop(0) if self.server.answers else 200
        self.server.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
        if answer == 0:
            self.connection.close()
            return
        self.send_response(answer)
        if answer == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        raise AssertionError("a redirect was followed")

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _told(house: House, receiver: Receiver) -> str:
    watch = house.watch("hazard:choking", hook=receiver.address, title="Choking")
    house.put(recall())
    house.match()
    return watch.id


def _send(house: House) -> Any:
    settings = house.settings.model_copy(update={"alerts": AlertSettings(private_hooks=True)})
    return deliver_due(house.store, settings, house.clock, sources=house.sources)


def test_what_is_mailed_is_posted_as_well_with_its_reasons_and_once(house: House, receiver: Receiver):
    watch_id = _told(house, receiver)

    counts = _send(house)
    _send(house)

    ((headers, body),) = receiver.received
    said = orjson.loads(body)
    assert (counts.sent, counts.called) == (1, 1)
    assert said["watch"] == {"id": watch_id, "title": "Choking", "query": "hazard:choking"}
    (delivery,) = said["deliveries"]
    assert (delivery["record"], delivery["action"]) == ("eu_safety_gate:SR/00001/26", "added")
    assert delivery["url"] == "https://ttm.example/records/eu_safety_gate:SR/00001/26"
    assert delivery["reasons"][0]["field"] == "hazard"
    assert sorted((row["channel"], row["state"]) for row in house.deliveries()) == [("hook", "sent"), ("mail", "sent")]
    assert headers["x-ttm-delivery"] == said["id"]
    assert sweep(house.store, house.sources, now=house.clock()).is_clean


def test_a_program_is_told_what_was_amended_field_by_field(house: House, receiver: Receiver):
    house.watch("balloon", hook=receiver.address, actions=("added", "amended"))
    house.put(recall(), Origin.BACKFILL)
    house.put(recall(hazards=(Coded(printed="Choking", code="choking"), Coded(printed="Fire", code="fire"))))
    house.put(recall("SR/00002/26"))
    house.match()

    _send(house)

    ((_, body),) = receiver.received
    amended, added = orjson.loads(body)["deliveries"]
    assert (amended["action"], added["action"]) == ("amended", "added")
    assert amended["changes"] == [{"field": "hazard", "removed": [], "added": ["Fire"]}]
    assert added["changes"] == []


def test_a_receiver_can_check_the_signature_with_the_key_of_the_watch(house: House, receiver: Receiver):
    watch_id = _told(house, receiver)
    _send(house)

    ((headers, body),) = receiver.received
    key = hook_key(secret(house.settings), watch_id)
    at = headers["x-ttm-timestamp"]
    expected = hmac.new(key.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["x-ttm-signature"] == f"sha256={expected}"
    assert int(at) == int(house.clock().timestamp())
    assert signature(key, int(at) + 1, body) != headers["x-ttm-signature"]


@pytest.mark.parametrize("answer", [0, 429, 500, 503])
def test_a_call_that_is_not_taken_is_made_again_with_the_same_body(house: House, receiver: Receiver, answer: int):
    _told(house, receiver)
    receiver.answers = [answer]
    first = _send(house)
    at_once = _send(house)
    house.clock.forward(minutes=1, seconds=1)

    later = _send(house)

    assert (first.called, at_once.called, later.called) == (0, 0, 1)
    (_, body), (_, again) = receiver.received
    assert body == again


@pytest.mark.parametrize("answer", [302, 400, 403, 410])
def test_a_call_that_is_refused_is_final_visible_and_no_redirect_is_followed(
    house: House, receiver: Receiver, answer: int
):
    _told(house, receiver)
    receiver.answers = [answer]
    _send(house)
    house.clock.forward(days=1)
    _send(house)

    assert len(receiver.received) == 1
    assert status(house.store, house.clock())["calls"] == {"failed": 1}
    assert [row["state"] for row in house.deliveries() if row["channel"] == "hook"] == ["failed"]


def test_a_call_cut_off_is_made_again_with_the_same_id(house: House, receiver: Receiver):
    _told(house, receiver)
    _send(house)
    with house.store.write() as transaction:
        transaction.do("UPDATE call SET state = 'sending'")
    _send(house)

    first, again = receiver.received
    assert first[0]["x-ttm-delivery"] == again[0]["x-ttm-delivery"]


def test_nothing_is_posted_into_our_own_network_unless_the_operator_says_so(house: House, receiver: Receiver):
    _told(house, receiver)

    house.send()

    assert receiver.received == []
    with house.store.read() as transaction:
        error = transaction.value("SELECT last_error FROM call")
    assert "not an address of the public internet" in error


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"])
def test_every_spelling_of_this_machine_is_refused(receiver: Receiver, host: str):
    with pytest.raises(HookError):
        post(f"http://{host}:{receiver.server_address[1]}/", b"{}", {}, private=False)

    assert receiver.received == []


def test_an_ended_watch_calls_nobody(house: House, receiver: Receiver):
    watch_id = _told(house, receiver)
    end_watch(house.store, watch_id, now=house.clock())

    assert call_hooks(house.store, house.settings, house.clock) == 0
    assert {row["state"] for row in house.deliveries()} == {"cancelled"}


def test_calls_consent_and_canaries_are_kept_on_both_databases(
    any_store: Store, mailbox: FaultyMailbox, tmp_path: Path
):
    house = House(any_store, mailbox, tmp_path)
    watch = house.watch("balloon", hook="http://127.0.0.1:9/", confirmed=False, nothing_too=True, cadence="daily")
    house.send()
    confirm_watch(any_store, watch.id, now=house.clock())
    edit_watch(any_store, watch.id, now=house.clock(), days_before=9)
    house.put(recall())
    house.match()
    house.send()
    house.clock.forward(days=3)
    house.send()
    number = begin_flight(any_store, at=house.clock())
    end_flight(any_store, number, verdict="arrived", seen_by="mailbox", at=house.clock())

    assert status(any_store, house.clock())["calls"] == {"planned": 1}
    assert [str(message["Subject"])[:12] for message in mailbox.messages()][:2] == [
        "[ttm] 请确认订阅：",
        "[ttm] 新召回：Ba",
    ]
    assert [item.record.key for item in told(any_store, watch.id)] == ["SR/00001/26"]
    flight = last_flight(any_store)
    assert flight is not None
    assert flight.standing(house.clock(), 900) == "arrived"
    assert sweep(any_store, house.sources, now=house.clock(), repair=True).is_clean
