"""Finds the spiders: one file per source below crawlers/spiders/, named after its facts."""

from __future__ import annotations

from importlib import import_module

from crawlers.spider import SourceSpider
from library.source import Source


def spider_class(source: Source) -> type[SourceSpider]:
    """The spider of a source: its name 'eu_safety_gate' is crawlers/spiders/eu/safety_gate.py. Raises LookupError."""
    jurisdiction, _, rest = source.name.partition("_")
    module = import_module(f"crawlers.spiders.{jurisdiction}.{rest}")
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, SourceSpider) and getattr(value, "name", None) == source.name:
            return value
    raise LookupError(f"{module.__name__} has no spider named {source.name!r}")


def reader_of(source: Source) -> SourceSpider:
    """A spider that only reads: for a re-parse, an import or a test."""
    spider = spider_class(source)()
    spider.facts = source
    return spider
