"""Search engines behind one protocol; `base.py` says what an engine owes."""

from __future__ import annotations

from indexer.engines.base import Engine
from indexer.engines.chosen import ChosenEngine, read_choice, write_choice
from library.settings import Settings

NAMES = ("tantivy", "elastic")


def open_engine(settings: Settings) -> Engine:
    """The engine in use: what the settings name, until the library is moved. Raises ValueError for a name that is none."""
    engine_in_use(settings)
    return ChosenEngine(lambda: engine_in_use(settings), lambda name: open_named(settings, name))


def open_named(settings: Settings, name: str) -> Engine:
    """One engine by its name. Nothing is asked of a server yet. Raises ValueError for a name that is none."""
    match _known(name):
        case "tantivy":
            from indexer.engines.tantivy import TantivyEngine

            return TantivyEngine(settings.index)
        case _:
            from indexer.engines.elastic import ElasticEngine

            return ElasticEngine(settings.elastic)


def engine_in_use(settings: Settings) -> str:
    """The name of the engine in use. Raises ValueError for a name that is none."""
    return _known(read_choice(settings.home, settings.engine))


def use_engine(settings: Settings, name: str) -> None:
    """Move the library to an engine whose index has been built; running processes follow with their next call."""
    write_choice(settings.home, _known(name))


def engine_health(settings: Settings) -> str:
    """How the server behind the engine in use is, in a sentence; '' for the embedded one. Raises EngineDownError."""
    if engine_in_use(settings) != "elastic":
        return ""
    from indexer.engines.elastic import ElasticEngine

    engine = ElasticEngine(settings.elastic)
    try:
        return engine.health()
    finally:
        engine.close()


def _known(name: str) -> str:
    if name not in NAMES:
        raise ValueError(f"there is no engine {name!r}; there are {' and '.join(NAMES)}")
    return name
