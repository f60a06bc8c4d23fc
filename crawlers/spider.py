"""SourceSpider: the one Scrapy callback of the project. A source overrides `begin` and `read`, nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import scrapy

from crawlers.page import Finding, Follow
from library.page import Page
from library.source import Source


class SourceSpider(scrapy.Spider):
    """Base of every source's spider.

    `facts` is the source's Source. `begin` names the first pages of a run; `read` turns one page into findings.
    Both are functions of their arguments and the facts: no network, no clock, no settings.
    """

    facts: Source

    def begin(self, since: date, today: date) -> Iterable[Follow]:
        """The first pages of a run. since: the day of the last good run (or the start of the backfill)."""
        raise NotImplementedError

    def read(self, page: Page) -> Iterable[Finding]:
        """Turn one page into drafts, remarks and further pages.

        Raises NotThePage for an error, challenge or empty page, UnreadablePage for one that cannot be parsed.
        """
        raise NotImplementedError
