"""One file per practice publisher: HOSTS it answers for, and respond(request, world) -> Answer."""

from __future__ import annotations

from typing import Protocol, cast

from crawlers.practice.exchange import Answer, Request
from crawlers.practice.publishers import us_cpsc, us_openfda
from crawlers.practice.world import World


class Publisher(Protocol):
    """What a publisher's module offers."""

    HOSTS: tuple[str, ...]

    def respond(self, request: Request, world: World) -> Answer: ...


PUBLISHERS = tuple(cast(Publisher, module) for module in (us_cpsc, us_openfda))
