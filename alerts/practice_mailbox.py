"""A mailbox for practice: an SMTP server on loopback that keeps what it receives as .eml files in a folder."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

LOOPBACK = "127.0.0.1"


class PracticeMailbox:
    """Receives mail on loopback while it is open; `port` is the one it listens on, chosen freely where asked for 0."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="practice mailbox", daemon=True)
        self._received = 0

    def __enter__(self) -> PracticeMailbox:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def messages(self) -> list[EmailMessage]:
        """What was received, oldest first; X-Envelope-To names the readers it was handed over for."""
        return read_mailbox(self.folder)

    def session(self) -> SMTP:
        """The server's side of one connection."""
        return SMTP(self, loop=self._loop, hostname="practice.invalid")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep one message, whole before it has its name."""
        self._received += 1
        name = f"{time.time_ns():020}-{self._received:06}.eml"
        readers = ", ".join(address for address in envelope.rcpt_tos if address.isascii())
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        draft = self.folder / f".{name}"
        draft.write_bytes(f"X-Envelope-To: {readers}\r\n".encode() + content)
        os.replace(draft, self.folder / name)
        return "250 kept"

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(self.session, LOOPBACK, self.port)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def read_mailbox(folder: Path) -> list[EmailMessage]:
    """The messages in a folder of .eml files, oldest first."""
    return [_read(path) for path in sorted(folder.glob("*.eml"))]


def _read(path: Path) -> EmailMessage:
    message: Any = message_from_bytes(path.read_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    return message
