"""One server for all tests of this folder, and an engine with a prefix of its own for each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from indexer.engines.elastic import ElasticEngine
from indexer.engines.elastic_meaning import ElasticVectors
from library.settings import ElasticSettings
from tests.elastic import nodes

PREFIXES = (f"t{number}" for number in itertools.count())


@pytest.fixture(scope="session")
def server() -> Iterator[nodes.Cluster]:
    """One real server."""
    cluster = nodes.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def place(server: nodes.Cluster) -> Iterator[ElasticSettings]:
    """Settings of an empty place on the server, in two shards."""
    settings = ElasticSettings(hosts=server.urls, prefix=next(PREFIXES), shards=2, replicas=0)
    yield settings
    for sweeper in (ElasticEngine(settings), ElasticVectors(settings)):
        sweeper._sweep("")
        sweeper.close()


@pytest.fixture
def engine(place: ElasticSettings) -> Iterator[ElasticEngine]:
    """An empty engine."""
    made = ElasticEngine(place)
    yield made
    made.close()
