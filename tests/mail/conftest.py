"""Exim and Dovecot as Debian ships them, on loopback ports and as an ordinary user, over Maildirs in a temporary folder."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from string import Template
from typing import Any

import pytest

from library.settings import CanarySettings, MailSettings
from tests.places import ROOT, need

EXIM = "/usr/sbin/exim4"
DOVECOT = "/usr/sbin/dovecot"
DEPLOY = ROOT / "deploy" / "mail"
PASSWORD = "a-password-for-practice"
UP_WITHIN_S = 15.0
DELIVERED_WITHIN_S = 15.0


@dataclass(frozen=True, slots=True)
class MailHouse:
    """Both servers. folder: everything they write; smtp, imaps: their loopback ports."""

    folder: Path
    smtp: int
    imaps: int

    @property
    def certificate(self) -> Path:
        return self.folder / "certificate.pem"

    def sending(self, **more: Any) -> MailSettings:
        """How the outbox reaches the server."""
        values = {"port": self.smtp, "sender": "ttm <ttm@practice.invalid>", "rate_per_minute": 0, "timeout_s": 10.0}
        return MailSettings(**(values | more))

    def reading(self, user: str = "operator", folder: str = "INBOX", **more: Any) -> CanarySettings:
        """How the canary looks into a mailbox."""
        values = {"mailbox": f"imaps://{user}@localhost:{self.imaps}/{folder}", "password": PASSWORD}
        return CanarySettings(**(values | more))

    def maildir(self, reader: str) -> list[EmailMessage]:
        """What lies in a reader's Maildir, oldest first."""
        places = [self.folder / "mail" / reader / name for name in ("new", "cur")]
        paths = [path for place in places if place.is_dir() for path in place.iterdir()]
        messages: list[Any] = [
            message_from_bytes(path.read_bytes(), policy=default)
            for path in sorted(paths, key=lambda path: (path.stat().st_mtime_ns, path.name))
        ]
        return messages

    def delivered(self, reader: str, count: int = 1) -> list[EmailMessage]:
        """Wait until so many mails lie in a Maildir; what lies there then, or when the time is over."""
        until(lambda: len(self.maildir(reader)) >= count, DELIVERED_WITHIN_S)
        return self.maildir(reader)

    def let_greylisted_pass(self) -> None:
        (self.folder / "greylist-passed").touch()


def until(happened: Callable[[], bool], within_s: float) -> bool:
    """Wait for something; whether it happened."""
    deadline = time.monotonic() + within_s
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture(scope="session")
def servers() -> Iterator[MailHouse]:
    """Both servers, for as long as the tests run."""
    there = all(os.access(program, os.X_OK) for program in (EXIM, DOVECOT, "/usr/lib/dovecot/imap"))
    need(there, "no Exim and Dovecot are installed; `make test-mail` installs them")
    version = subprocess.run([DOVECOT, "--version"], capture_output=True, text=True, check=True).stdout
    need(version.startswith("2.3."), f"Dovecot {version.split()[0]} reads another configuration than that of 2.3")
    folder = Path(tempfile.mkdtemp(prefix="ttm-mail-"))  # not below pytest's own folder, which only its owner may enter
    house = MailHouse(folder, _free_port(), _free_port())
    _certificate(folder)
    for name in ("log", "mail", "spool", "dovecot", "dovecot-state"):
        (folder / name).mkdir()
    user, options = pwd.getpwuid(os.geteuid()), {}
    if user.pw_uid == 0:  # both are held to what an ordinary user may do
        user = pwd.getpwnam("nobody")
        options = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    _configure(house, user)
    for path in (folder, *folder.rglob("*")):
        if os.geteuid() == 0:
            os.chown(path, user.pw_uid, user.pw_gid)
    commands = [
        [EXIM, "-C", f"{folder}/exim.conf", "-bdf", "-q1s"],
        [DOVECOT, "-F", "-c", f"{folder}/dovecot.conf"],
    ]
    processes = [
        subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **options
        )  # type: ignore[call-overload]
        for number, command in enumerate(commands)
        for log in [(folder / "log" / f"printed-{number}").open("wb")]
    ]
    try:
        up = until(lambda: all(_answers(port) for port in (house.smtp, house.imaps)), UP_WITHIN_S)
        assert up, f"the servers did not come up: {_logs(folder)}"
        yield house
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def house(servers: MailHouse, monkeypatch: pytest.MonkeyPatch) -> MailHouse:
    """The servers with empty mailboxes, and their certificate trusted."""
    for place in (servers.folder / "mail").iterdir():
        shutil.rmtree(place)
    (servers.folder / "greylist-passed").unlink(missing_ok=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(servers.certificate))
    return servers


def _configure(house: MailHouse, user: pwd.struct_passwd) -> None:
    for name, port in (("exim.conf", house.smtp), ("dovecot.conf", house.imaps)):
        filled = Template((DEPLOY / name).read_text(encoding="utf-8")).substitute(
            folder=house.folder,
            port=port,
            program=EXIM,
            user=user.pw_name,
            group=grp.getgrgid(user.pw_gid).gr_name,
            uid=user.pw_uid,
            gid=user.pw_gid,
            password=PASSWORD,
        )
        (house.folder / name).write_text(filled, encoding="utf-8")


def _certificate(folder: Path) -> None:
    """A certificate for localhost, signed by itself."""
    arguments = ("-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    files = ("-keyout", f"{folder}/key.pem", "-out", f"{folder}/certificate.pem")
    subprocess.run(["openssl", "req", *arguments, *names, *files], check=True, capture_output=True)


def _answers(port: int) -> bool:
    """Whether a server speaks first: over TLS, or in the clear."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as line:
            line.settimeout(0.5)
            try:
                return bool(line.recv(1))
            except TimeoutError:
                with context.wrap_socket(line) as secured:
                    return bool(secured.recv(1))
    except OSError:
        return False


def _logs(folder: Path) -> str:
    return "\n".join(f"{path.name}: {path.read_text(errors='replace')}" for path in (folder / "log").iterdir())


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
