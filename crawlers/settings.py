"""The Scrapy settings of a run, built from our settings and the source's facts. Every polite value is said here."""

from __future__ import annotations

from typing import Any

from library.content_encoding import ACCEPTED
from library.settings import Settings
from library.source import Source

VERSION = "0.1"


def scrapy_settings(settings: Settings, source: Source) -> dict[str, Any]:
    """Settings for one run of one source. Scrapy's own defaults are impolite or unsafe where this says otherwise."""
    practice = settings.practice.port
    return {
        "USER_AGENT": f"ttm/{VERSION} (+{settings.crawl.contact})",
        "ROBOTSTXT_OBEY": True,
        "DOWNLOAD_DELAY": 0 if practice else source.politeness.delay_s,
        "DOWNLOAD_DELAY_JITTER": 0,
        "CONCURRENT_REQUESTS": 16 if practice else source.politeness.concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 16 if practice else source.politeness.concurrency,
        "DOWNLOAD_TIMEOUT": source.politeness.timeout_s,
        "DOWNLOAD_MAXSIZE": source.politeness.body_limit_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_HANDLERS": {
            "http": "crawlers.middlewares.gate.GateHandler",
            "https": "crawlers.middlewares.gate.GateHandler",
            "data": None,
            "file": None,
            "ftp": None,
            "s3": None,
        },
        "TWISTED_DNS_RESOLVER": "crawlers.middlewares.gate.GateResolver",
        "DOWNLOADER_MIDDLEWARES": {
            "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
            "crawlers.middlewares.gate.Robots": 100,
            "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
            "crawlers.middlewares.gate.Cookies": 700,
            "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
            "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
            "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,
            "crawlers.middlewares.validators.ValidatorsMiddleware": 545,
            "crawlers.middlewares.gate.ComeBackLater": 940,
            "crawlers.middlewares.archive.ArchiveMiddleware": 950,
        },
        "DEFAULT_REQUEST_HEADERS": {"Accept": "*/*", "Accept-Language": "en", "Accept-Encoding": ACCEPTED},
        "ITEM_PIPELINES": {"crawlers.pipeline.StorePipeline": 500},
        "CONCURRENT_ITEMS": 1,
        "RETRY_TIMES": 3,
        "RETRY_HTTP_CODES": [429, 500, 502, 503, 504, 522, 524],
        "REDIRECT_MAX_TIMES": 5,
        "HTTPERROR_ALLOW_ALL": True,
        "URLLENGTH_LIMIT": 0,  # 2,083 by default, and a longer query is dropped without a word: SPARQL needs more
        "COOKIES_ENABLED": True,
        "TELNETCONSOLE_ENABLED": False,
        "LOGSTATS_INTERVAL": 0,
        "LOG_LEVEL": "WARNING",
        "LOG_INSTALL_ROOT_HANDLER": False,
        "LOG_FORMAT": "%(asctime)s %(levelname)s %(message)s",
        "CLOSESPIDER_TIMEOUT": settings.crawl.time_limit_s,
        "MEMUSAGE_ENABLED": True,
        "MEMUSAGE_LIMIT_MB": 1500,
        "TTM_HOSTS": list(source.hosts),
        "TTM_PRACTICE_PORT": practice,
        "TTM_PRACTICE_NAMES": list(settings.practice.names),
    }
