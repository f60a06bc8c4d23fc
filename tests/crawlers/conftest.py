"""Libraries and practice publishers that tests of the crawling side share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crawlers.crawls import Library, library


@pytest.fixture
def lib(tmp_path: Path) -> Iterator[Library]:
    """An empty library beside its own practice publishers."""
    with library(tmp_path) as opened:
        yield opened
