"""Where tests find things: the repository, the golden pages, the captured answers of publishers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden"
CORPUS = ROOT.parent / "shared" / "corpus"


def need(condition: bool, reason: str) -> None:
    """Skip with a reason where something is not there; in continuous integration that is a failure."""
    if condition:
        return
    if os.environ.get("CI"):
        pytest.fail(f"continuous integration must have it: {reason}")
    pytest.skip(reason)


def need_corpus() -> Path:
    """The folder of captured answers."""
    need(CORPUS.is_dir(), f"the captured answers of the publishers are not at {CORPUS.name} beside the repository")
    return CORPUS
