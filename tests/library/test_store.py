"""The store keeps every version, and tells of each change once; on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from library.follow import follow
from library.page import Outcome, Page, PageRef
from library.record import Coded, Kind, Record, State, Status, Text
from library.store.pages import Reading, url_key
from library.store.store import Change, Origin, SeenPage, Sighting, Store

NIGHT = datetime(2026, 3, 2, 18, 30, tzinfo=UTC)


def recall(key: str = "SR/02222/26", title: str = "Balloons", **more: object) -> Record:
    fields = {"jurisdictions": (Coded(printed="EU", code="EU"),), "titles": (Text(language="en", value=title),)}
    return Record(source="eu_safety_gate", key=key, kind=Kind.RECALL, **(fields | more))


def seen(number: int = 1, at: datetime = NIGHT) -> SeenPage:
    return SeenPage(id=number, url_key=f"address{number}", fetched_at=at)


def test_a_new_record_is_one_change_and_the_same_again_is_none(any_store: Store) -> None:
    first = any_store.put(recall(), seen(), origin=Origin.CRAWL, at=NIGHT)
    again = any_store.put(recall(), seen(), origin=Origin.CRAWL, at=NIGHT)

    assert first is not None
    assert first.action == "added"
    assert again is None
    assert any_store.head() == 1


def test_an_amended_record_keeps_both_versions_and_names_the_fields_that_differ(any_store: Store) -> None:
    any_store.put(recall(title="Balloons"), seen(), origin=Origin.CRAWL, at=NIGHT)
    any_store.put(recall(title="Balloons, 50 pieces"), seen(), origin=Origin.CRAWL, at=NIGHT)

    newest, oldest = any_store.versions("eu_safety_gate:SR/02222/26")

    assert list(newest.diff) == ["titles"]
    assert oldest.record.title() == "Balloons"


def test_an_older_capture_that_comes_later_changes_nothing(any_store: Store) -> None:
    any_store.put(recall(title="of today"), seen(at=NIGHT), origin=Origin.CRAWL, at=NIGHT)

    change = any_store.put(
        recall(title="of yesterday"), seen(at=NIGHT - timedelta(days=1)), origin=Origin.BACKFILL, at=NIGHT
    )

    assert change is None
    assert any_store.get("eu_safety_gate:SR/02222/26") == recall(title="of today")


def test_a_record_that_its_source_takes_back_is_withdrawn_and_may_be_restored(any_store: Store) -> None:
    status = Status(state=State.WITHDRAWN, printed="withdrawn")
    any_store.put(recall(), seen(), origin=Origin.CRAWL, at=NIGHT)
    any_store.put(recall(status=status), seen(), origin=Origin.CRAWL, at=NIGHT)
    any_store.put(recall(), seen(), origin=Origin.CRAWL, at=NIGHT)

    assert [change.action for change in any_store.changes(0)] == ["added", "withdrawn", "restored"]


def test_two_parts_of_a_record_merge_and_the_one_named_first_wins(any_store: Store) -> None:
    order = ("notification", "weekly")
    weekly = Sighting(record=recall(title="Toy projector"), part="weekly", order=order)
    title = (Text(language="fr", value="Jouet projecteur"),)
    notification = Sighting(record=recall(titles=title, published=NIGHT.date()), part="notification", order=order)
    with any_store.write() as transaction:
        any_store.put_many(transaction, [weekly, notification], seen(), origin=Origin.CRAWL, at=NIGHT)

    record = any_store.get("eu_safety_gate:SR/02222/26")

    assert record is not None
    assert [text.language for text in record.titles] == ["fr", "en"]
    assert record.published == NIGHT.date()


def remark(store: Store, text: str, *, withdrawn: bool) -> Change | None:
    with store.write() as transaction:
        return store.remark(
            transaction,
            "eu_safety_gate:SR/02222/26",
            Text(language="en", value=text, label="note"),
            seen(2),
            kind=Kind.RECALL,
            withdrawn=withdrawn,
            order=("main",),
            origin=Origin.CRAWL,
            at=NIGHT,
        )


def test_a_remark_withdraws_a_record_and_a_later_reading_of_its_page_does_not_bring_it_back(any_store: Store) -> None:
    any_store.put(recall(), seen(), origin=Origin.CRAWL, at=NIGHT)
    remark(any_store, "The notification was withdrawn.", withdrawn=True)
    any_store.put(recall(title="Balloons, red"), seen(), origin=Origin.CRAWL, at=NIGHT)

    assert [change.action for change in any_store.changes(0)] == ["added", "withdrawn", "amended"]


def test_a_remark_on_a_record_not_known_yet_waits_for_it(any_store: Store) -> None:
    assert remark(any_store, "The notification was updated.", withdrawn=False) is None

    any_store.put(recall(), seen(), origin=Origin.CRAWL, at=NIGHT)

    record = any_store.get("eu_safety_gate:SR/02222/26")
    assert record is not None
    assert [text.value for text in record.texts] == ["The notification was updated."]


def show(store: Store, record_keys: list[str], at: datetime) -> None:
    """One complete list page read at a time, showing these records."""
    page = Page(
        source="eu_safety_gate",
        url="https://example.org/all",
        kind="list",
        body=str(record_keys).encode(),
        fetched_at=at,
    )
    number = store.pages.add([(page, PageRef(f"{at:%d%H}.warc.gz", 0, 10), "sha1:x")], 1)[0]
    key = url_key("GET", page.url)
    with store.write() as transaction:
        sightings = [Sighting(record=recall(record_key)) for record_key in record_keys]
        seen_page = SeenPage(id=number, url_key=key, fetched_at=at)
        store.put_many(transaction, sightings, seen_page, origin=Origin.CRAWL, at=at)
        store.pages.finish(transaction, number, page, Reading(outcome=Outcome.READ))


def test_one_absence_from_a_complete_list_is_no_withdrawal_and_a_second_night_is(any_store: Store) -> None:
    nights = [NIGHT + timedelta(days=day) for day in range(3)]
    show(any_store, ["1", "2"], nights[0])
    show(any_store, ["1"], nights[1])
    first = any_store.note_absences("eu_safety_gate", nights[1], at=nights[1], origin=Origin.CRAWL)
    show(any_store, ["1", "3"], nights[2])
    second = any_store.note_absences("eu_safety_gate", nights[2], at=nights[2], origin=Origin.CRAWL)

    assert first == []
    assert [(change.record_id, change.action) for change in second] == [("eu_safety_gate:2", "withdrawn")]


def test_a_record_that_comes_back_after_one_absence_was_never_withdrawn(any_store: Store) -> None:
    nights = [NIGHT + timedelta(days=day) for day in range(4)]
    for night, keys in zip(nights, (["1", "2"], ["1"], ["2", "1"], ["1"]), strict=True):
        show(any_store, keys, night)
        any_store.note_absences("eu_safety_gate", night, at=night, origin=Origin.CRAWL)

    assert {change.action for change in any_store.changes(0)} == {"added"}


class Listening:
    """A follower that keeps its position in the store and fails when told to."""

    name = "listening"

    def __init__(self, store: Store) -> None:
        self.store, self.heard, self.fails = store, list[str](), False

    def position(self) -> int:
        return self.store.position(self.name)

    def handle(self, changes: object) -> None:
        assert isinstance(changes, list)
        with self.store.write() as transaction:
            self.store.set_position(transaction, self.name, changes[-1].seq, at=NIGHT)
            if self.fails:
                raise OSError("the follower's machine stopped")
        self.heard += [change.record_id for change in changes]


def test_a_follower_that_fails_hears_of_the_same_changes_again(any_store: Store) -> None:
    listening = Listening(any_store)
    any_store.put(recall(), seen(), origin=Origin.CRAWL, at=NIGHT)
    listening.fails = True
    with pytest.raises(OSError, match="stopped"):
        follow(any_store, listening)
    listening.fails = False

    follow(any_store, listening)

    assert listening.heard == ["eu_safety_gate:SR/02222/26"]


def test_a_transaction_that_fails_leaves_neither_record_nor_change(any_store: Store) -> None:
    with pytest.raises(OSError, match="power"), any_store.write() as transaction:
        any_store.put_many(transaction, [Sighting(record=recall())], seen(), origin=Origin.CRAWL, at=NIGHT)
        raise OSError("the power went")

    assert any_store.head() == 0
    assert any_store.get("eu_safety_gate:SR/02222/26") is None


def test_validators_are_kept_only_after_a_page_was_read(any_store: Store) -> None:
    headers = {"etag": '"a1"'}
    page = Page(
        source="us_cpsc", url="https://example.org/x", kind="list", body=b"[]", fetched_at=NIGHT, headers=headers
    )
    number = any_store.pages.add([(page, PageRef("x.warc.gz", 0, 10), "sha1:x")], 1)[0]
    before = any_store.pages.address(url_key("GET", page.url))
    with any_store.write() as transaction:
        any_store.pages.finish(transaction, number, page, Reading(outcome=Outcome.UNREADABLE, reason="no JSON"))
    unreadable = any_store.pages.address(url_key("GET", page.url))
    with any_store.write() as transaction:
        any_store.pages.finish(transaction, number, replace(page), Reading(outcome=Outcome.READ))
    read = any_store.pages.address(url_key("GET", page.url))

    assert before is None
    assert unreadable is None
    assert read is not None
    assert read.etag == '"a1"'


def test_the_same_round_is_taken_once(any_store: Store) -> None:
    assert any_store.runs.take_round("us_cpsc", NIGHT, at=NIGHT)
    assert not any_store.runs.take_round("us_cpsc", NIGHT, at=NIGHT)
    assert any_store.runs.unfinished_rounds("us_cpsc") == [NIGHT]


def test_a_lease_is_held_by_one_until_it_runs_out(any_store: Store) -> None:
    assert any_store.runs.take_lease("outbox", "a", for_s=60, at=NIGHT)
    assert not any_store.runs.take_lease("outbox", "b", for_s=60, at=NIGHT)
    assert any_store.runs.take_lease("outbox", "b", for_s=60, at=NIGHT + timedelta(seconds=61))


def test_references_are_found_from_both_sides(any_store: Store) -> None:
    for key in ("1", "2"):
        any_store.put(recall(key), seen(), origin=Origin.CRAWL, at=NIGHT)
    with any_store.write() as transaction:
        any_store.replace_links(transaction, "eu_safety_gate:1", own=["SR/1"], cited=["EN 71-1", "SR/2"])
        any_store.replace_links(transaction, "eu_safety_gate:2", own=["SR/2"], cited=[])

    assert any_store.cites("eu_safety_gate:1") == [("EN 71-1", []), ("SR/2", ["eu_safety_gate:2"])]
    assert any_store.cited_by("eu_safety_gate:2") == ["eu_safety_gate:1"]
