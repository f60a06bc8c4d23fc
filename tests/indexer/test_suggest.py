"""The table of suggestions follows the change log, and can be made anew."""

from __future__ import annotations

from indexer.suggest import SuggestionFollower, suggest
from library.follow import follow
from library.record import Text
from library.store.store import Origin, Store
from tests.indexer.conftest import NIGHT, PAGE
from tests.indexer.invented_records import BALLOONS


def table(store: Store) -> set[tuple[str, str, int]]:
    with store.read() as transaction:
        rows = transaction.rows("SELECT key, shown, seen FROM suggestion")
    return {(str(row["key"]), str(row["shown"]), int(row["seen"])) for row in rows}


def offered(store: Store, typed: str) -> list[str]:
    return [suggestion.shown for suggestion in suggest(store, typed)]


def test_a_word_that_records_no_longer_have_goes_when_the_table_is_made_anew(store: Store) -> None:
    follow(store, SuggestionFollower(store))
    assert "Zwölfstern" in offered(store, "zwölf")
    title = (Text(language="en", value="Rubber ducklings"),)
    store.put(BALLOONS.model_copy(update={"titles": title, "products": ()}), PAGE, origin=Origin.CRAWL, at=NIGHT)
    follow(store, SuggestionFollower(store))
    assert "Zwölfstern" in offered(store, "zwölf") and "ducklings" in offered(store, "duckl")

    SuggestionFollower(store).start_anew()
    assert table(store) == set()
    follow(store, SuggestionFollower(store), batch=3)

    assert "Zwölfstern" not in offered(store, "zwölf") and "ducklings" in offered(store, "duckl")


def test_a_table_made_anew_of_unchanged_records_is_the_same(store: Store) -> None:
    follow(store, SuggestionFollower(store))
    before = table(store)

    SuggestionFollower(store).start_anew()
    follow(store, SuggestionFollower(store), batch=2)

    assert table(store) == before


def test_a_batch_that_was_read_before_the_table_was_emptied_is_not_counted_twice(store: Store) -> None:
    follow(store, SuggestionFollower(store))
    before = table(store)
    slow = SuggestionFollower(store)
    follow(store, slow)
    store.put(BALLOONS.model_copy(update={"key": "another"}), PAGE, origin=Origin.CRAWL, at=NIGHT)
    changes = store.changes(slow.position())

    SuggestionFollower(store).start_anew()
    slow.handle(changes)
    assert table(store) == set()
    follow(store, SuggestionFollower(store))

    assert {(key, shown) for key, shown, _ in table(store)} >= {(key, shown) for key, shown, _ in before}
    assert store.position(slow.name) == store.head()
