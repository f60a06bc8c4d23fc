"""One file per practice publisher: HOSTS it answers for, and respond(request, world) -> Answer."""

from __future__ import annotations

from typing import Protocol, cast

from crawlers.practice.exchange import Answer, Request
from crawlers.practice.publishers import (
    ca_recalls_opendata,
    cn_openstd_samr,
    eu_cellar,
    eu_rasff,
    eu_safety_gate,
    uk_fsa_food_alerts,
    us_cpsc,
    us_federal_register,
    us_openfda,
    wto_eping,
)
from crawlers.practice.world import World


class Publisher(Protocol):
    """What a publisher's module offers."""

    HOSTS: tuple[str, ...]

    def respond(self, request: Request, world: World) -> Answer: ...


_MODULES = (
    ca_recalls_opendata,
    cn_openstd_samr,
    eu_cellar,
    eu_rasff,
    eu_safety_gate,
    uk_fsa_food_alerts,
    us_cpsc,
    us_federal_register,
    us_openfda,
    wto_eping,
)
PUBLISHERS = tuple(cast(Publisher, module) for module in _MODULES)
