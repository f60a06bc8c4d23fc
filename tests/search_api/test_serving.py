"""Where the pages are served: one process at an address, or several that share it."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from search_api.serving import listening


def test_processes_that_share_an_address_are_dealt_its_connections() -> None:
    with ExitStack() as stack:
        first = stack.enter_context(listening("127.0.0.1", 0, is_shared=True))
        address = first.getsockname()
        second = stack.enter_context(listening(*address, is_shared=True))
        for _ in range(64):
            stack.enter_context(socket.create_connection(address))
        for shared in (first, second):
            shared.settimeout(10)
            stack.enter_context(shared.accept()[0])


@pytest.mark.parametrize("is_shared", [True, False])
def test_an_address_is_shared_with_those_alone_that_share_it_too(is_shared: bool) -> None:
    with (
        listening("127.0.0.1", 0, is_shared=not is_shared) as taken,
        pytest.raises(OSError, match="Address already in use"),
    ):
        listening(*taken.getsockname(), is_shared=is_shared)


def test_small_answers_are_sent_at_once() -> None:
    with listening("127.0.0.1", 0) as found:
        assert found.proto == socket.IPPROTO_TCP  # asyncio sets TCP_NODELAY on no other
