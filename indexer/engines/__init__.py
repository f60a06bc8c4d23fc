"""Search engines behind one protocol; `base.py` says what an engine owes."""

from __future__ import annotations

from indexer.engines.base import Engine
from library.settings import Settings


def open_engine(settings: Settings) -> Engine:
    """The engine that the settings name. Raises ValueError for a name that is none."""
    if settings.engine == "tantivy":
        from indexer.engines.tantivy import TantivyEngine

        return TantivyEngine(settings.index)
    if settings.engine == "elastic":
        from indexer.engines.elastic import ElasticEngine

        return ElasticEngine(settings.elastic)
    raise ValueError(f"there is no engine {settings.engine!r}; there are 'tantivy' and 'elastic'")
