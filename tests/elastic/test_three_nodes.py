"""Three nodes on loopback, one of them killed while entries are written and people search."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from elasticsearch import Elasticsearch

from indexer.engines.elastic import ElasticEngine
from indexer.entry import entry_of
from indexer.query import All, parse_query
from library.settings import ElasticSettings
from tests.elastic import nodes
from tests.elastic.test_faults import wait_until
from tests.elastic.test_moving import invented, searching

BATCH = 100


@pytest.fixture
def three() -> Iterator[nodes.Cluster]:
    cluster = nodes.start(3)
    yield cluster
    cluster.stop()


def test_a_killed_master_loses_nothing_that_was_acknowledged_and_stops_no_search(three: nodes.Cluster) -> None:
    settings = ElasticSettings(hosts=three.urls, shards=3, replicas=1)
    writer, reader = ElasticEngine(settings), ElasticEngine(settings)
    acknowledged: list[str] = []
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            entries = [entry_of(record) for record in invented(len(acknowledged), BATCH)]
            writer.write(entries, len(acknowledged) + BATCH)
            acknowledged.extend(entry.id for entry in entries)

    writer.write([], 1)
    nodes.wait(three, 3, "green")
    with Elasticsearch(three.urls[0]) as client:
        master = str(client.cat.master(h="node")).strip()
        # a node that is gone is waited for one minute before its copies are made anew
        client.indices.put_settings(settings={"index.unassigned.node_left.delayed_timeout": "0"})
    writing = threading.Thread(target=write)
    writing.start()
    try:
        wait_until(lambda: len(acknowledged) >= 3 * BATCH)
        with searching(reader) as seen:
            before = len(acknowledged)
            next(node for node in three.nodes if node.name == master).kill()
            wait_until(lambda: len(acknowledged) >= before + 5 * BATCH, within_s=90)
    finally:
        stop.set()
        writing.join()

    nodes.wait(three, 2, "green")  # the copies that went with the node are made anew on the other two
    writer.write([], len(acknowledged) + 1)
    assert seen.failed == []
    assert seen.searches > 10
    assert reader.count() == len(acknowledged) == len(set(acknowledged))
    found: list[str] = []
    while page := reader.search(All(), len(found), 1_000, "newest").ids:
        found += page
    assert set(found) == set(acknowledged)
    assert reader.position() == len(acknowledged) + 1
    assert reader.search(parse_query("toys"), 0, 1).total
    writer.close()
    reader.close()
