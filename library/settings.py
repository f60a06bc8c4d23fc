"""Settings: config/settings.toml, overridden by environment variables, read once at the edge.

TTM_HOME is the folder of all state; TTM_MAIL__HOST overrides [mail] host, and so on. Secrets come from the
environment only. Unknown keys are refused at start-up.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

CONFIG = Path(__file__).parents[1] / "config"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MailSettings(_Section):
    """The mail server deliveries go through, and who hears of a failed night. password comes from TTM_MAIL__PASSWORD."""

    host: str = "127.0.0.1"
    port: int = 25
    user: str = ""
    password: str = ""
    security: str = "none"  # none | starttls | tls
    sender: str = "ttm <ttm@localhost>"
    operator: str = ""
    timeout_s: float = 30.0
    rate_per_minute: int = 120


class WebSettings(_Section):
    """Where the pages are served, and the address people reach them at; mails link there and never to a request's Host."""

    host: str = "127.0.0.1"
    port: int = 8000
    processes: int = Field(default=2, ge=1, le=64)  # that `ttm up` lets answer
    base_url: str = "http://127.0.0.1:8000"
    operator_token: str = ""  # TTM_WEB__OPERATOR_TOKEN; without one nothing on the pages changes state
    secret: str = ""  # TTM_WEB__SECRET signs unsubscribe links; made and kept in the home folder where empty


class ElasticSettings(_Section):
    """The cluster of the second engine. password and api_key come from TTM_ELASTIC__PASSWORD and TTM_ELASTIC__API_KEY.

    A host beyond this machine must be https and know us by a password or key, unless `insecure` says that somebody has
    thought about it: open clusters are found and wiped within hours.
    """

    hosts: tuple[str, ...] = ("http://127.0.0.1:9200",)
    user: str = "elastic"
    password: str = ""
    api_key: str = ""  # the encoded form; goes before user and password
    ca_certs: str = ""  # a PEM file; the system's certificates where empty
    verify: bool = True  # whether the server's certificate is checked
    insecure: bool = False
    prefix: str = Field(default="ttm", pattern=r"^[a-z][a-z0-9_-]{0,60}$")  # two libraries may share a cluster
    shards: int = Field(default=1, ge=1)
    replicas: int = Field(default=1, ge=0)
    timeout_s: float = Field(default=10.0, gt=0)

    @field_validator("hosts")
    @classmethod
    def _addresses(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            parts = urlsplit(host)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.port is None:
                raise ValueError(f"elastic.hosts: {host!r} is no address like 'https://search.example.org:9200'")
        if not hosts:
            raise ValueError("elastic.hosts is empty")
        return hosts

    @model_validator(mode="after")
    def _guarded(self) -> ElasticSettings:
        if self.insecure:
            return self
        for host in self.hosts:
            parts = urlsplit(host)
            if parts.hostname in ("127.0.0.1", "::1", "localhost"):
                continue
            if parts.scheme != "https" or not (self.password or self.api_key) or not self.verify:
                raise ValueError(
                    f"elastic.hosts: {host} is not this machine: it needs https, a checked certificate, and "
                    "TTM_ELASTIC__PASSWORD or TTM_ELASTIC__API_KEY (or elastic.insecure = true)"
                )
        return self


class CrawlSettings(_Section):
    """Manners and limits of a crawl. contact: an address or page a publisher can complain to; stands in the User-Agent."""

    contact: str = "https://example.org/ttm"
    at_once: int = 2
    time_limit_s: float = 3 * 60 * 60
    backfill_since: str = "2020-01-01"


class PracticeSettings(_Section):
    """Practice publishers: these names, and no others, are answered by a loopback port. port 0: the real publishers."""

    port: int = 0
    names: tuple[str, ...] = ()


class RobotSettings(_Section):
    """Group chats of an enterprise's own beside the public services, by the begin of their address: 'https://host:port'."""

    dingtalk: tuple[str, ...] = ()
    wecom: tuple[str, ...] = ()
    feishu: tuple[str, ...] = ()


class AlertSettings(_Section):
    """What alerts may do beside mail. private_hooks: web hooks may lead into our own network."""

    private_hooks: bool = False
    robots: RobotSettings = Field(default_factory=RobotSettings)


class CanarySettings(_Section):
    """The synthetic recall of every night, and the second way of telling the operator that it did not arrive.

    source: whose practice publisher it goes through. mailbox: where the operator's mail is looked for, a folder of .eml
    files, a Maildir, or imaps://name@host/folder with TTM_CANARY__PASSWORD; '' believes the mail server. hook: a web
    address that is posted to; command: a program and its arguments, which gets the sentence on its standard input.
    """

    source: str = "us_cpsc"
    mailbox: str = ""
    password: str = ""
    within_s: float = 15 * 60
    hook: str = ""
    command: str = ""


class Settings(BaseSettings):
    """Everything an operator may set. `home` holds all state: store, archive, index, intake, backups."""

    model_config = SettingsConfigDict(
        env_prefix="TTM_", env_nested_delimiter="__", extra="forbid", frozen=True, toml_file=CONFIG / "settings.toml"
    )

    home: Path = Path("ttm-home")
    database_url: str = ""  # '' is SQLite in the home folder; postgresql+psycopg://… otherwise
    engine: str = "tantivy"  # tantivy | elastic; `ttm index rebuild --engine` moves a running library
    meaning: bool = True  # keep sentence vectors and search by them, where the extra `semantic` is installed
    zone: str = "Asia/Shanghai"
    demo: bool = False
    mail: MailSettings = Field(default_factory=MailSettings)
    web: WebSettings = Field(default_factory=WebSettings)
    elastic: ElasticSettings = Field(default_factory=ElasticSettings)
    crawl: CrawlSettings = Field(default_factory=CrawlSettings)
    practice: PracticeSettings = Field(default_factory=PracticeSettings)
    alerts: AlertSettings = Field(default_factory=AlertSettings)
    canary: CanarySettings = Field(default_factory=CanarySettings)

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        ZoneInfo(zone)
        return zone

    @property
    def database(self) -> str:
        """The store's address for SQLAlchemy."""
        return self.database_url or f"sqlite:///{(self.home / 'store.sqlite').resolve()}"

    @property
    def archive(self) -> Path:
        """The folder of the WARC files."""
        return self.home / "archive"

    @property
    def index(self) -> Path:
        """The folder of the embedded search index."""
        return self.home / "index"

    @property
    def intake(self) -> Path:
        """The watched folder for files people hand in: intake/<source>/<file>."""
        return self.home / "intake"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, the environment over settings.toml."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def sources_folder() -> Path:
    """Where the facts about the sources stand."""
    return CONFIG / "sources"
