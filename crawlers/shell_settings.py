"""Scrapy settings for `scrapy shell` and its like: the same gate, open to the hosts of every source, nothing archived."""

from crawlers.settings import scrapy_settings
from library.settings import Settings, sources_folder
from library.source import load_sources

_sources = load_sources(sources_folder())
_all_hosts = tuple(sorted({host for source in _sources.values() for host in source.hosts}))
_widest = next(iter(_sources.values())).model_copy(update={"hosts": _all_hosts})

globals().update(scrapy_settings(Settings(), _widest))
ITEM_PIPELINES: dict[str, int] = {}
SPIDER_MODULES = ["crawlers.spiders"]
