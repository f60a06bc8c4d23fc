"""Elasticsearch owes what every engine owes: the suite of tests/indexer, property test included, on a real server."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType

from tests.indexer import test_build, test_engines
from tests.indexer.conftest import store as store
from tests.indexer.test_engines import filled as filled


def of_any_engine(module: ModuleType) -> dict[str, Callable[..., None]]:
    """The tests of a module that are handed their engine; the others make one of a kind themselves."""
    tests = {name: found for name, found in vars(module).items() if name.startswith("test_")}
    return {
        name: test for name, test in tests.items() if {"engine", "filled"} & set(inspect.signature(test).parameters)
    }


globals().update(of_any_engine(test_engines) | of_any_engine(test_build))
