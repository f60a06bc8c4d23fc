"""The library of shelf.py, made once for reading; tests that change something make their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.search_api.shelf import Shelf, build


@pytest.fixture(scope="session")
def shelf(tmp_path_factory) -> Iterator[Shelf]:
    """A library nobody changes."""
    shelf = build(tmp_path_factory.mktemp("library") / "home")
    yield shelf
    shelf.engine.close()
    shelf.store.close()


@pytest.fixture
def own_shelf(tmp_path) -> Iterator[Shelf]:
    """A library of the test's own."""
    shelf = build(tmp_path / "home", demo=True)
    yield shelf
    shelf.engine.close()
    shelf.store.close()


@pytest.fixture
def client(shelf) -> TestClient:
    """A browser without cookies that asks for English."""
    return browser(shelf)


def browser(shelf: Shelf) -> TestClient:
    """A client of the application, at an address that is not the configured one."""
    return TestClient(
        shelf.app,
        base_url="https://evil.example",
        headers={"accept-language": "en"},
        follow_redirects=False,
        raise_server_exceptions=True,
    )
