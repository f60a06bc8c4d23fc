"""TLS, password and API key, on a server that has security switched on."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import pytest

from indexer.engines.base import EngineDownError
from indexer.engines.elastic import ElasticEngine
from indexer.entry import entry_of
from library.settings import ElasticSettings
from tests.elastic import nodes
from tests.elastic.between import Answer, Asked, between
from tests.indexer.invented_records import RECORDS

PASSWORD = "an invented password"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ElasticSettings]:
    """Settings for a server with TLS and a password."""
    nodes.need_server()
    folder = tmp_path_factory.mktemp("certificate")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*make, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    cluster = nodes.start(
        1,
        "xpack.security.enabled=true",
        "xpack.security.http.ssl.enabled=true",
        "xpack.security.http.ssl.key=key.pem",
        "xpack.security.http.ssl.certificate=certificate.pem",
        "xpack.security.authc.api_key.enabled=true",
        password=PASSWORD,
        files={"key.pem": key, "certificate.pem": certificate},
    )
    settings = ElasticSettings(
        hosts=(f"https://localhost:{cluster.nodes[0].port}",),
        password=PASSWORD,
        ca_certs=str(certificate),
        replicas=0,
    )
    try:
        wait(settings, cluster.nodes[0])
        yield settings
    finally:
        cluster.stop()


def wait(settings: ElasticSettings, node: nodes.Node) -> None:
    deadline = time.monotonic() + nodes.READY_S
    engine = ElasticEngine(settings)
    while True:
        try:
            engine.health()
            break
        except EngineDownError:
            assert time.monotonic() < deadline and node.launcher.poll() is None, (
                node.folder / "node-0.log"
            ).read_text()
            time.sleep(0.5)
    engine.close()


def test_with_password_and_certificate_the_engine_works(guarded: ElasticSettings) -> None:
    engine = ElasticEngine(guarded)

    engine.write(map(entry_of, RECORDS), 9)

    assert (engine.count(), engine.position()) == (len(RECORDS), 9)
    engine.close()


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"password": "guessed"}, "refuses our name and password"),
        ({"user": "nobody"}, "refuses our name and password"),
        ({"api_key": "aW52ZW50ZWQ6aW52ZW50ZWQ="}, "refuses our key"),
        ({"ca_certs": ""}, "a certificate that is not trusted"),
    ],
    ids=["password", "user", "key", "certificate"],
)
def test_what_is_refused_is_said(guarded: ElasticSettings, wrong: dict[str, str], line: str) -> None:
    engine = ElasticEngine(guarded.model_copy(update=wrong))

    with pytest.raises(EngineDownError, match=line):
        engine.health()
    with pytest.raises(EngineDownError, match=line):
        engine.write([], 1)
    engine.close()


def test_an_unchecked_certificate_is_taken_where_the_settings_say_so(guarded: ElasticSettings) -> None:
    engine = ElasticEngine(guarded.model_copy(update={"ca_certs": "", "verify": False}))

    assert engine.health().startswith("Elasticsearch is ")
    engine.close()


def test_a_key_goes_before_name_and_password() -> None:
    seen: list[str] = []

    def listening(asked: Asked) -> Answer:
        seen.append(asked.headers.get("authorization", asked.headers.get("Authorization", "")))
        return Answer.of(200, {})

    with between("http://127.0.0.1:1") as teller:
        teller.manner = listening
        engine = ElasticEngine(ElasticSettings(hosts=(teller.url,), password="x", api_key="a2V5"))
        with pytest.raises(EngineDownError):
            engine.health()
        engine.close()

    assert seen == ["ApiKey a2V5"]
