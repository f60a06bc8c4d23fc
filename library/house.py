"""House: settings, store and sources, opened once at the edge of a command and handed in from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from library.console import fail
from library.settings import Settings, sources_folder
from library.source import FactsError, Source, load_sources
from library.store.store import Store


@dataclass(frozen=True, slots=True)
class House:
    """What a command works on."""

    settings: Settings
    store: Store
    sources: Mapping[str, Source]

    def named(self, names: Sequence[str]) -> list[Source]:
        """Sources by name. Ends the command with a sentence for a name that is none."""
        for name in names:
            if name not in self.sources:
                fail(f"there is no source {name!r}; there are {', '.join(sorted(self.sources))}", code=2)
        return [self.sources[name] for name in names]


def read_settings() -> Settings:
    """The settings. Ends the command with a sentence where they are wrong."""
    try:
        return Settings()
    except ValueError as error:
        fail(f"the settings are wrong: {error}", code=2)


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[House]:
    """Open the home folder's store, and read the facts. Ends the command with a sentence where that cannot be done."""
    settings = settings or read_settings()
    try:
        sources = load_sources(sources_folder())
        settings.home.mkdir(parents=True, exist_ok=True)
        store = Store(settings.database)
    except FactsError as error:
        fail(str(error), code=2)
    except OSError as error:
        fail(f"the home folder {settings.home} cannot be used: {error}")
    try:
        yield House(settings, store, sources)
    finally:
        store.close()
