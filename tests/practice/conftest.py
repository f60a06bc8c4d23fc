"""A small world on a fixed day, and a way to ask its site."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import pytest

from crawlers.practice.exchange import Answer, Request
from crawlers.practice.publishers import PUBLISHERS
from crawlers.practice.site import PracticeSite
from crawlers.practice.world import World

TODAY = date(2026, 11, 24)
CANADA = ("recalls-rappels.canada.ca", "/sites/default/files/opendata-donneesouvertes/HCRSAMOpenData.json")
FOOD_ALERTS = ("data.food.gov.uk", "/food-alerts/id.json?_limit=100&_sort=-modified")
CPSC = ("www.saferproducts.gov", "/RestWebServices/Recall?format=json&Nothing=1")
REGISTER = ("www.federalregister.gov", "/api/v1/documents.json?per_page=20&order=oldest")
SAFETY_GATE = ("ec.europa.eu", "/safety-gate-alerts/api/download/weeklyReport/list/xml/en")
STANDARDS = ("openstd.samr.gov.cn", "/bzgk/std/std_list?p.p1=0&page=1&pageSize=50")
EPING = ("epingalert.org", "/api/v1/azureSearch/getAll?sortBy=distributionDate&pageSize=100")
ENFORCEMENT = ("api.fda.gov", "/food/enforcement.json?limit=1000")
SPARQL = (
    "publications.europa.eu",
    "/webapi/rdf/sparql?query=SELECT%20%3Fcelex%20%3Fitem%20WHERE%20%7B%20%3Fwork%20cdm:resource_legal_id_celex%20%3Fcelex%20."
    "%20%3Fitem%20cdm:item_belongs_to_manifestation%20%3Fm%20%7D%20ORDER%20BY%20%3Fcelex%20LIMIT%20500",
)
PAGES = (CANADA, FOOD_ALERTS, CPSC, REGISTER, SAFETY_GATE, STANDARDS, EPING, ENFORCEMENT, SPARQL)


class Got(NamedTuple):
    """One answer as it came over the line."""

    status: int
    headers: dict[str, str]
    body: bytes


def small_world(night: int = 1, *, records: int = 300, seed: int = 1) -> World:
    return World(seed, records, night, today=TODAY)


def respond(world: World, page: tuple[str, str]) -> Answer:
    """What a publisher says, without a server."""
    host, target = page
    publisher = next(publisher for publisher in PUBLISHERS if host in publisher.HOSTS)
    return publisher.respond(Request(host=host, target=target), world)


def ask(site: PracticeSite, page: tuple[str, str], *, timeout_s: float = 5.0, **headers: str) -> Got:
    """Ask a running site as a crawler does: connect to the loopback, name the publisher."""
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=timeout_s)
    named = {"Host": page[0]} | {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request("GET", page[1], headers=named)
        answer = connection.getresponse()
        return Got(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


@pytest.fixture
def site() -> Iterator[PracticeSite]:
    with PracticeSite(small_world()) as running:
        yield running
