"""Canary: a loopback port that nobody may touch, and that remembers who did."""

from __future__ import annotations

import socket
import threading
from types import TracebackType


class Canary:
    """Counts connections to 127.0.0.1:port while the `with` block lasts."""

    def __init__(self, port: int = 0) -> None:
        self._socket = socket.create_server(("127.0.0.1", port))
        self._socket.settimeout(0.05)
        self.port = int(self._socket.getsockname()[1])
        self.connections = 0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._count)

    def __enter__(self) -> Canary:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.set()
        self._thread.join()
        self._socket.close()

    def _count(self) -> None:
        while not self._ends.is_set():
            try:
                line, _ = self._socket.accept()
            except TimeoutError:
                continue
            self.connections += 1
            line.close()
