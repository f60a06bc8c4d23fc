"""Scrapy's own defaults break promises of ours; each override that mends one is named here, and cannot be lost quietly."""

from __future__ import annotations

from typing import Any

import pytest
from scrapy.settings import Settings as ScrapySettings
from scrapy.utils.conf import build_component_list

from crawlers.settings import scrapy_settings
from library.settings import PracticeSettings, Settings, sources_folder
from library.source import Source, load_sources

SOURCES = load_sources(sources_folder())
REAL = Settings(practice=PracticeSettings(port=0))


def effective(source: Source, settings: Settings = REAL) -> ScrapySettings:
    """The settings of a run as Scrapy sees them, its defaults below ours."""
    return ScrapySettings(scrapy_settings(settings, source))


@pytest.fixture(params=sorted(SOURCES))
def source(request: pytest.FixtureRequest) -> Source:
    return SOURCES[request.param]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("DOWNLOAD_VERIFY_CERTIFICATES", True), ("TELNETCONSOLE_ENABLED", False), ("ROBOTSTXT_OBEY", True)),
        *(("HTTPERROR_ALLOW_ALL", True), ("RETRY_TIMES", 3), ("REDIRECT_MAX_TIMES", 5), ("DOWNLOAD_DELAY_JITTER", 0)),
        *(
            ("CONCURRENT_ITEMS", 1),
            ("MEMUSAGE_ENABLED", True),
            ("MEMUSAGE_LIMIT_MB", 1500),
            ("AUTOTHROTTLE_ENABLED", False),
        ),
        *(("TWISTED_DNS_RESOLVER", "crawlers.middlewares.gate.GateResolver"), ("HTTPCACHE_ENABLED", False)),
        *(("ITEM_PIPELINES", {"crawlers.pipeline.StorePipeline": 500}), ("JOBDIR", None), ("ADDONS", {})),
    ],
)
def test_a_default_that_breaks_a_promise_is_overridden(name: str, value: Any) -> None:
    found = effective(SOURCES["us_cpsc"])[name]

    assert (dict(found) if isinstance(value, dict) else found) == value


def test_no_handler_but_the_gates_fetches_anything(source: Source) -> None:
    handlers = effective(source).getwithbase("DOWNLOAD_HANDLERS")

    fetching = {scheme: handler for scheme, handler in handlers.items() if handler is not None}
    assert fetching == dict.fromkeys(("http", "https"), "crawlers.middlewares.gate.GateHandler")


def test_the_middlewares_are_ours_where_scrapys_would_get_round_the_gate() -> None:
    order = build_component_list(effective(SOURCES["us_cpsc"]).getwithbase("DOWNLOADER_MIDDLEWARES"))
    names = [name.rpartition(".")[2] if isinstance(name, str) else name.__name__ for name in order]

    assert set(names[: names.index("Robots")]) <= {
        "OffsiteMiddleware"
    }  # nothing is done for a request that is forbidden
    assert names[-2:] == ["ComeBackLater", "ArchiveMiddleware"]  # next to the wire, where bodies are as sent
    assert names.index("RetryMiddleware") < names.index("RedirectMiddleware") < names.index("ArchiveMiddleware")
    without = {"HttpProxyMiddleware", "HttpCompressionMiddleware", "MetaRefreshMiddleware", "CookiesMiddleware"}
    assert without.isdisjoint(names)
    assert "RobotsTxtMiddleware" not in names
    assert {"Cookies", "ValidatorsMiddleware"} <= set(names)


def test_a_run_is_gentle_and_bounded_whatever_the_facts_leave_out(source: Source) -> None:
    settings = effective(source)

    assert settings.getfloat("DOWNLOAD_DELAY") >= 1
    assert settings.getint("CONCURRENT_REQUESTS") <= 2
    assert settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN") <= 2
    assert 0 < settings.getint("DOWNLOAD_MAXSIZE") <= 256 * 1024 * 1024
    assert 0 < settings.getfloat("DOWNLOAD_TIMEOUT") <= 600
    assert 0 < settings.getfloat("CLOSESPIDER_TIMEOUT") <= 6 * 3600
    assert settings["TTM_HOSTS"] == list(source.hosts)


def test_the_user_agent_names_us_and_where_to_complain() -> None:
    agent = effective(SOURCES["us_cpsc"])["USER_AGENT"]

    assert agent.startswith("ttm/")
    assert f"(+{REAL.crawl.contact})" in agent


def test_the_validators_and_encodings_that_are_asked_for_are_those_we_can_undo() -> None:
    headers = effective(SOURCES["us_cpsc"])["DEFAULT_REQUEST_HEADERS"]

    assert headers["Accept-Encoding"] == "gzip, deflate, br"
