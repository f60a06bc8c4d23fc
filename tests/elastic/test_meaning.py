"""Vectors in a cluster: what any store of vectors owes, on a real server, and what only a cluster can get wrong."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from elasticsearch import BadRequestError, Elasticsearch

from indexer.build import IndexFollower
from indexer.engines import cluster, elastic_meaning
from indexer.engines.base import EngineBusyError, EngineDownError
from indexer.engines.elastic import ElasticEngine
from indexer.engines.elastic_meaning import ElasticVectors
from indexer.engines.tantivy import TantivyEngine
from indexer.meaning import DIMENSIONS, LocalVectors, Meaning, VectorStore, open_meaning, rebuild
from indexer.search import search
from library.follow import follow
from library.house import House
from library.settings import ElasticSettings, Settings
from library.store.store import Store
from operations.following import catch_up
from tests.elastic import between as manners
from tests.elastic import nodes
from tests.elastic.between import Between, Manner, between
from tests.elastic.test_faults import point_to
from tests.elastic.test_moving import invented, ttm
from tests.elastic.test_moving import moving_house as moving_house
from tests.elastic.test_moving import put as put_records
from tests.indexer import test_meaning as owed
from tests.indexer.test_meaning import ALL, CHESS
from tests.indexer.test_meaning import ask as ask
from tests.indexer.test_meaning import meaning as meaning
from tests.indexer.test_meaning import store as store

numpy = pytest.importorskip("numpy", reason="the extra 'semantic' is not installed")

QUESTION = "国际象棋 棋子"


@pytest.fixture
def open_vectors(place: ElasticSettings) -> Iterator[Callable[[], VectorStore]]:
    """Opens the one place of vectors, as another process would."""
    opened: list[ElasticVectors] = []

    def another() -> VectorStore:
        opened.append(ElasticVectors(place))
        return opened[-1]

    yield another
    for vectors in opened:
        vectors.close()


@pytest.fixture
def vectors(open_vectors: Callable[[], ElasticVectors]) -> ElasticVectors:
    return open_vectors()


@pytest.fixture
def client(server: nodes.Cluster) -> Iterator[Elasticsearch]:
    with Elasticsearch(server.urls[0]) as made:
        yield made


def of_any_vectors() -> dict[str, Callable[..., None]]:
    """The tests that are handed their vectors, and are not about files."""
    tests = {name: found for name, found in vars(owed).items() if name.startswith("test_")}
    wanted = {name: set(inspect.signature(test).parameters) for name, test in tests.items()}
    return {
        name: test
        for name, test in tests.items()
        if wanted[name] & {"meaning", "ask", "open_vectors"} and "files" not in wanted[name]
    }


globals().update(of_any_vectors())


def drawn(count: int, seed: int):
    """Vectors that lie in heaps, as those of texts do: a matrix of bytes, a row each."""
    chance = numpy.random.default_rng(seed)
    heaps = numpy.random.default_rng(7).normal(size=(40, DIMENSIONS))
    found = heaps[chance.integers(0, len(heaps), count)] + chance.normal(scale=0.8, size=(count, DIMENSIONS))
    return numpy.rint(found * (127 / numpy.abs(found).max(axis=1, keepdims=True))).astype(numpy.int8)


def named(first: int, count: int) -> list[str]:
    return [f"us_cpsc:{number:05}" for number in range(first, first + count)]


# The same neighbours --------------------------------------------------------------------------------------------------


@pytest.fixture
def both(vectors: ElasticVectors, tmp_path: Path) -> tuple[ElasticVectors, LocalVectors]:
    """The same 2,000 vectors in a cluster and in files."""
    local = LocalVectors(tmp_path / "index-meaning")
    for stored in (vectors, local):
        stored.put(named(0, 2000), drawn(2000, 1), (), 2000)
    return vectors, local


def test_cluster_and_files_give_the_same_neighbours_with_the_same_cosines(
    both: tuple[ElasticVectors, LocalVectors],
) -> None:
    there, here = both
    shared = 0

    for row in range(20):
        asked = drawn(20, 2)[row : row + 1]
        remote, local = dict(there.nearest(asked, 200, None)), dict(here.nearest(asked, 200, None))
        assert len(remote) == len(local) == 200
        common = remote.keys() & local.keys()
        shared += len(common)
        assert {name: remote[name] for name in common} == pytest.approx(
            {name: local[name] for name in common}, abs=1e-3
        )

    assert shared / (20 * 200) >= 0.99


@pytest.mark.parametrize("step", [1, 2, 100])
def test_among_some_every_one_is_compared(both: tuple[ElasticVectors, LocalVectors], step: int) -> None:
    there, here = both
    some = named(0, 2000)[::step]

    for row in range(5):
        asked = drawn(5, 3)[row : row + 1]
        remote, local = there.nearest(asked, 200, some), here.nearest(asked, 200, some)
        assert len(remote) == min(200, len(some))
        assert dict(remote) == pytest.approx(dict(local), abs=1e-3)


def test_more_than_can_be_compared_at_once_are_compared_in_parts(
    both: tuple[ElasticVectors, LocalVectors], monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here = both
    asked, some = drawn(1, 4), named(0, 1500)
    monkeypatch.setattr(elastic_meaning, "NEAREST_MAX", 400)

    assert dict(there.nearest(asked, 100, some)) == pytest.approx(dict(here.nearest(asked, 100, some)), abs=1e-3)


def test_equal_cosines_are_in_the_order_of_the_ids(vectors: ElasticVectors) -> None:
    one = drawn(1, 5)
    vectors.put(named(0, 30)[::-1], numpy.repeat(one, 30, axis=0), (), 1)

    assert [name for name, _ in vectors.nearest(one, 30, None)] == named(0, 30)


# The index ------------------------------------------------------------------------------------------------------------


def test_the_index_of_vectors_is_strict_holds_bytes_and_is_another_than_that_of_the_words(
    vectors: ElasticVectors, engine: ElasticEngine, client: Elasticsearch, place: ElasticSettings
) -> None:
    vectors.put(named(0, 3), drawn(3, 1), (), 5)
    index = str(vectors._current())

    said = client.indices.get(index=index)[index]
    assert f"{place.prefix}-meaning" in said["aliases"]
    assert said["mappings"]["dynamic"] == "strict"
    field = said["mappings"]["properties"]["vector"]
    assert (field["type"], field["element_type"], field["dims"], field["similarity"], field["index"]) == (
        "dense_vector",
        "byte",
        DIMENSIONS,
        "cosine",
        True,
    )
    assert said["settings"]["index"]["number_of_shards"] == str(place.shards)
    assert client.get(index=index, id=named(0, 1)[0])["_source"] == {}
    with pytest.raises(BadRequestError, match="strict_dynamic_mapping_exception"):
        client.index(index=index, document={"colour": "red"})
    assert (engine.count(), engine.position()) == (0, 0)


def test_a_late_batch_overwrites_no_vector_that_is_newer(vectors: ElasticVectors) -> None:
    old, new = drawn(1, 1), drawn(1, 2)
    vectors.put(named(0, 1), new, (), 20)

    vectors.put(named(0, 1), old, (), 10)
    vectors.put([], old[:0], named(0, 1), 10)

    ((name, cosine),) = vectors.nearest(new, 1, None)
    assert name == named(0, 1)[0]
    assert cosine == pytest.approx(1.0, abs=1e-6)
    assert (vectors.count(), vectors.position()) == (1, 20)


def test_vectors_of_another_recipe_are_not_read_and_give_way_to_the_first_of_todays(
    vectors: ElasticVectors, open_vectors: Callable[[], ElasticVectors], client: Elasticsearch
) -> None:
    vectors.put(named(0, 50), drawn(50, 1), (), 50)
    with pytest.MonkeyPatch.context() as another:
        another.setattr(elastic_meaning, "RECIPE_WORD", "1234abcd")
        after = open_vectors()
        assert (after.position(), after.count(), after.nearest(drawn(1, 1), 5, None)) == (0, 0, [])

        after.put(named(50, 2), drawn(2, 2), (), 2)

        assert (after.position(), after.count()) == (2, 2)
        assert len(client.indices.get(index=f"{after._alias}-*")) == 1

    assert (vectors.position(), vectors.count(), vectors.nearest(drawn(1, 1), 5, None)) == (0, 0, [])


def test_processes_that_replace_another_recipe_at_once_share_one_index(
    vectors: ElasticVectors, open_vectors: Callable[[], ElasticVectors], monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors.put(named(0, 5), drawn(5, 1), (), 5)
    monkeypatch.setattr(elastic_meaning, "RECIPE_WORD", "1234abcd")
    writers = [open_vectors() for _ in range(4)]

    threads = [
        threading.Thread(target=writer.put, args=(named(2 * number, 2), drawn(2, number), (), number + 1))
        for number, writer in enumerate(writers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for writer in writers:
        assert (writer.count(), writer.position()) == (8, 4)


# Rebuilding and moving ------------------------------------------------------------------------------------------------


@contextmanager
def asking(vectors: VectorStore) -> Iterator[list[object]]:
    """Ask for neighbours all the time; the list holds how many there were, or what went wrong."""
    answers: list[object] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.wait(0.02):
            try:
                answers.append(len(vectors.nearest(drawn(1, 6), 10, None)))
            except Exception as error:  # noqa: BLE001 - whatever it is, somebody has seen it
                answers.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        stop.set()
        thread.join()


def test_vectors_are_replaced_beside_and_swapped_while_people_ask(
    vectors: ElasticVectors, open_vectors: Callable[[], ElasticVectors], client: Elasticsearch
) -> None:
    vectors.put(named(0, 300), drawn(300, 1), (), 300)
    reader = open_vectors()

    with asking(reader) as answers:
        for turn in range(3):
            follower = open_vectors()
            position = follower.position()
            vectors.replace(((named(100 * part, 100), drawn(100, part)) for part in range(4)), position)
            with pytest.raises(EngineDownError, match="the index was replaced"):
                follower.put(named(0, 1), drawn(1, 8), (), position + 1)
            assert follower.position() == position
            follower.put(named(400 + turn, 1), drawn(1, 8), (), position + 1)
            time.sleep(0.2)

    assert len(answers) > 10
    assert set(answers) == {10}
    assert (reader.count(), reader.position()) == (401, 303)
    assert list(client.indices.get(index=f"{vectors._alias}-*")) == [vectors._current()]


def test_a_rebuild_that_fails_leaves_the_vectors_and_no_half_index(
    vectors: ElasticVectors, client: Elasticsearch
) -> None:
    vectors.put(named(0, 10), drawn(10, 1), (), 10)

    def failing() -> Iterator[tuple[list[str], object]]:
        yield named(0, 5), drawn(5, 1)
        with pytest.raises(EngineBusyError, match="an index is being rebuilt"):
            ElasticVectors(vectors._settings).successor()
        raise OSError("the store is gone")

    with pytest.raises(OSError, match="the store is gone"):
        vectors.replace(failing(), 11)  # type: ignore[arg-type]

    assert (vectors.count(), vectors.position()) == (10, 10)
    assert list(client.indices.get(index=f"{vectors._alias}-*")) == [vectors._current()]


def test_a_library_that_moves_to_the_cluster_takes_its_meaning_with_it(moving_house: House) -> None:
    house = moving_house
    put_records(house.store, invented(0, 60))
    assert catch_up(house)
    running = open_meaning(house.settings)
    assert running is not None
    before = running.nearest(QUESTION, 60)

    moved = ttm(house, "index", "rebuild", "--engine", "elastic")

    assert moved.returncode == 0, moved.stderr
    assert "60 records can be found by meaning" in moved.stdout
    there = ElasticVectors(house.settings.elastic)
    assert (there.count(), there.position()) == (60, house.store.head())
    after = running.nearest(QUESTION, 60)  # of the process that was running, which has followed
    assert dict(after) == pytest.approx(dict(before), abs=1e-3)
    put_records(house.store, invented(60, 5))
    assert catch_up(house)
    assert (running.count(), running.position()) == (65, house.store.head()) == (there.count(), there.position())
    files = LocalVectors(house.settings.home / "index-meaning")
    assert files.count() == 60
    there.close()


def test_a_rebuild_of_a_library_on_the_cluster_encodes_its_meaning_anew(moving_house: House) -> None:
    settings = moving_house.settings.model_copy(update={"engine": "elastic"})
    house = House(settings, moving_house.store, {})
    put_records(house.store, invented(0, 20))
    assert catch_up(house)
    there = ElasticVectors(settings.elastic)
    first = there._current()
    opened = open_meaning(settings)
    assert opened is not None

    assert rebuild(house.store, opened) == 20

    assert (there.count(), there.position()) == (20, house.store.head())
    assert there._current() != first
    assert not (settings.home / "index-meaning").exists()
    there.close()


# A cluster that is down -----------------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "READING_S", 0.3)
    monkeypatch.setattr(cluster, "WRITING_S", 1.0)
    monkeypatch.setattr(cluster, "REST_S", 0.5)


@pytest.fixture
def teller(server: nodes.Cluster) -> Iterator[Between]:
    with between(server.urls[0]) as listening:
        yield listening


@pytest.fixture
def behind(teller: Between, place: ElasticSettings, meaning: Meaning) -> Iterator[ElasticVectors]:
    """The vectors of the library, asked by way of somebody who can be told to misbehave."""
    made = ElasticVectors(place.model_copy(update={"hosts": (teller.url,), "timeout_s": 1.0}))
    yield made
    teller.manner = manners.honest
    made.close()


def test_the_words_answer_while_the_vectors_are_down_and_it_is_said_once(
    impatient: None,
    store: Store,
    teller: Between,
    behind: ElasticVectors,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    words = TantivyEngine(tmp_path / "index")
    follow(store, IndexFollower(words, store))
    asked = Meaning(behind)
    assert search(store, words, QUESTION, meaning=asked).hits[0].id == CHESS.id
    teller.manner = manners.dead

    for _ in range(3):
        assert search(store, words, "power banks", meaning=asked).hits[0].id == "us_cpsc:26-999"
    assert [hit.id for hit in search(store, words, QUESTION, meaning=asked).hits] == []

    said = [line for line in caplog.messages if "by words alone" in line]
    assert len(said) == 1 and "cannot be reached" in said[0]
    teller.manner = manners.honest
    time.sleep(cluster.REST_S)
    assert search(store, words, QUESTION, meaning=asked).hits[0].id == CHESS.id
    words.close()


def test_the_words_of_a_cluster_answer_while_the_index_of_its_vectors_is_red(
    impatient: None, store: Store, engine: ElasticEngine, vectors: ElasticVectors, client: Elasticsearch
) -> None:
    follow(store, IndexFollower(engine, store))
    nowhere = "index.routing.allocation.require._name"
    made = vectors._new_name()
    vectors._start()
    client.indices.create(index=made, settings={nowhere: "no such node"}, wait_for_active_shards=0)
    point_to(client, vectors._alias, made)

    assert search(store, engine, "power banks", meaning=Meaning(vectors)).hits[0].id == "us_cpsc:26-999"
    with pytest.raises(EngineDownError, match="is red"):
        vectors.nearest(drawn(1, 1), 5, None)


FAULTS: dict[Manner, str] = {
    manners.slow: "takes too long to answer",
    manners.dead: "cannot be reached",
    manners.forgetful: "cannot be reached",
    manners.busy: "more to do than it can",
    manners.login_page: "is not Elasticsearch",
    manners.empty_yes: "an answer that is none",
}


@pytest.mark.parametrize("manner", FAULTS, ids=lambda manner: manner.__name__)
def test_a_fault_moves_no_position_and_the_batch_may_be_sent_again(
    impatient: None, teller: Between, behind: ElasticVectors, manner: Manner
) -> None:
    head = behind.position()
    assert behind.count() == len(ALL)
    teller.manner = manner

    with pytest.raises(EngineDownError, match=FAULTS[manner]):
        behind.put(named(0, 20), drawn(20, 1), [CHESS.id], head + 21)

    teller.manner = manners.honest
    time.sleep(cluster.REST_S)
    assert behind.position() in (head, head + 21)  # the latter where only the answer was lost
    for _ in range(2):
        behind.put(named(0, 20), drawn(20, 1), [CHESS.id], head + 21)
    assert (behind.count(), behind.position()) == (len(ALL) + 19, head + 21)


@pytest.mark.parametrize(
    "manner", [manners.rejects_half, manners.silent_about_half], ids=lambda manner: manner.__name__
)
def test_the_position_waits_until_all_of_a_batch_was_taken(
    teller: Between, behind: ElasticVectors, manner: Manner, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = behind.position()
    monkeypatch.setattr(cluster, "WRITING_S", 0.05)  # no second try
    teller.manner = manner
    with pytest.raises(EngineDownError, match="did not do all that was asked"):
        behind.put(named(0, 20), drawn(20, 1), (), head + 20)
    assert behind.position() == head

    monkeypatch.undo()
    behind.put(named(0, 20), drawn(20, 1), (), head + 20)

    assert (behind.count(), behind.position()) == (len(ALL) + 20, head + 20)


def test_the_follower_of_a_cluster_that_is_down_says_so_in_a_line_and_catches_up(
    impatient: None, store: Store, teller: Between, place: ElasticSettings, tmp_path: Path, caplog
) -> None:
    words, here = TantivyEngine(tmp_path / "index"), place.model_copy(update={"hosts": (teller.url,), "timeout_s": 1.0})
    house = House(Settings(home=tmp_path, engine="elastic", elastic=here), store, {})
    opened = open_meaning(house.settings)
    assert opened is not None
    follow(store, IndexFollower(words, store))
    teller.manner = only_the_vectors_are_dead

    assert catch_up(house)

    (line,) = [record for record in caplog.records if "the vectors wait where they are" in record.message]
    assert line.exc_info is None and "cannot be reached" in line.message
    teller.manner = manners.honest
    assert catch_up(house)
    assert (opened.count(), opened.position()) == (len(ALL), store.head())
    words.close()


def only_the_vectors_are_dead(asked: manners.Asked) -> manners.Answer:
    if "-meaning" in asked.path or b"-meaning" in asked.body:
        raise manners.Hangup
    return asked.forward()
