"""Real Elasticsearch servers on loopback ports, started by the scripts in deploy/elasticsearch and ended with the tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from elasticsearch import Elasticsearch, TransportError

from tests.places import ROOT, need

SCRIPTS = ROOT / "deploy" / "elasticsearch"
READY_S = 150
QUICK = "-XX:TieredStopAtLevel=1"  # servers that live for a minute are not worth optimising


@dataclass
class Node:
    """One server."""

    name: str
    port: int
    folder: Path
    launcher: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server itself; the launcher ends with it."""
        os.kill(int((self.folder / self.name / "pid").read_text()), number)

    def kill(self) -> None:
        """As a power cut ends it."""
        self.send(signal.SIGKILL)
        self.launcher.wait(timeout=30)


@dataclass
class Cluster:
    """Servers that know each other, and what they need to be started again."""

    folder: Path
    nodes: list[Node] = field(default_factory=list)

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(node.url for node in self.nodes)

    def stop(self) -> None:
        for node in self.nodes:
            if node.launcher.poll() is None:
                os.killpg(node.launcher.pid, signal.SIGKILL)
                node.launcher.wait(timeout=30)
        shutil.rmtree(self.folder)


def need_server() -> None:
    """Skip where no server has been fetched or no Java runs it."""
    found = sorted((ROOT / ".cache" / "elasticsearch").glob("elasticsearch-*/bin/elasticsearch"))
    need(bool(found), "no Elasticsearch server is in .cache; `make test-elastic` fetches one")
    checked = subprocess.run(
        [SCRIPTS / "node", "/nowhere", "none", "0", "0", "--check"], capture_output=True, text=True, check=False
    )
    need(checked.returncode == 0, checked.stderr.strip())


def start(
    count: int = 1, *settings: str, heap: str = "512m", password: str = "", files: Mapping[str, Path] | None = None
) -> Cluster:
    """Start servers, and wait until they have found each other; with a password the caller waits.

    settings: 'name=value' lines of elasticsearch.yml. files: copied beside it.
    """
    need_server()
    folder = Path(tempfile.mkdtemp(prefix="ttm-elastic-"))  # pytest's own folders are closed to the user nobody
    folder.chmod(0o755)
    ports = free_ports(2 * count)
    names = [f"node-{number}" for number in range(count)]
    seeds = ",".join(f"127.0.0.1:{port}" for port in ports[count:])
    cluster = Cluster(folder)
    for name, http, transport in zip(names, ports[:count], ports[count:], strict=True):
        for file, source in (files or {}).items():
            (folder / name / "config").mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name / "config" / file)
        finding = [f"discovery.seed_hosts={seeds}", f"cluster.initial_master_nodes={','.join(names)}"]
        cluster.nodes.append(_start(folder, name, http, transport, [*finding, *settings], heap, password))
    try:
        if not password:
            wait(cluster, count)
    except BaseException:
        cluster.stop()
        raise
    return cluster


def _start(
    folder: Path, name: str, http: int, transport: int, settings: Sequence[str], heap: str, password: str
) -> Node:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("ES_", "ELASTIC_"))}
    environment |= {
        "ES_JAVA_HOME": os.environ.get("ES_JAVA_HOME", ""),
        "ES_JAVA_OPTS": f"-Xms{heap} -Xmx{heap} {QUICK}",
    }
    if password:
        environment["ELASTIC_PASSWORD"] = password
    launcher = subprocess.Popen(
        [SCRIPTS / "node", folder, name, str(http), str(transport), *settings],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=(folder / f"{name}.log").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    return Node(name, http, folder, launcher)


def wait(cluster: Cluster, count: int, status: str = "yellow") -> None:
    """Wait until the cluster has so many nodes and this status."""
    deadline = time.monotonic() + READY_S
    said: object = None
    alive = True
    while alive and time.monotonic() < deadline:
        alive = False
        for node in cluster.nodes:
            if node.launcher.poll() is not None:
                continue
            alive = True
            with Elasticsearch(node.url, request_timeout=10) as client:
                try:
                    said = client.cluster.health()
                except TransportError as error:
                    said = error
                    continue
                ranks = ["red", "yellow", "green"]
                if said["number_of_nodes"] == count and ranks.index(said["status"]) >= ranks.index(status):
                    return
        time.sleep(0.3)
    logs = [(cluster.folder / f"{node.name}.log").read_text()[-2000:] for node in cluster.nodes]
    raise TimeoutError(f"Elasticsearch is not {status} with {count} nodes: {said} {logs}")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    taken = [socket.socket() for _ in range(count)]
    for free in taken:
        free.bind(("127.0.0.1", 0))
    ports = [int(free.getsockname()[1]) for free in taken]
    for free in taken:
        free.close()
    return ports
