"""European Commission Safety Gate: the index of weekly reports, the reports as XML, and single notifications as JSON.

The practice office issues a report every seven days up to yesterday and then one every night, so that each night has
news. The addresses in the index end in a comma, which does not matter; a report asked for without its `search`
parameter is a script shell. A correction is a sentence in the addendum of the night's report; a withdrawn alert also
leaves the report it stood in.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any
from xml.sax.saxutils import escape

import orjson

from crawlers.practice import goods
from crawlers.practice.exchange import Answer, Request, not_found
from crawlers.practice.world import HABITS, Item, World

HOSTS = ("ec.europa.eu",)
SOURCE = "eu_safety_gate"
BASE = "/safety-gate-alerts"
SITE = f"https://ec.europa.eu{BASE}"
FIRST_REPORT = (10000001, date(2020, 7, 3))  # the present range of ids begins here, one more each week
FIRST_ALERT = 10020000
SHELL = (
    b'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Safety Gate</title><base href="/safety-gate-alerts/">'
    b'</head><body><app-root></app-root><script src="main.js" type="module"></script></body></html>'
)
MEASURES = (
    ("Withdrawal of the product from the market", "withdrawal.from.market"),
    ("Recall of the product from end users", "recall.from.end.users"),
    ("Ban on the marketing of the product and any accompanying measures", "ban.on.marketing"),
    ("Removal of this product listing by the online marketplace", "removal.from.online.marketplace"),
    ("Import rejected at border", "import.rejected"),
)
OPERATORS = ("Manufacturer", "Importer", "Distributor", "Retailer", "Other")
LEVELS = {"SR": "Serious risk", "A12": "Serious risk", "OR": "Other risk levels", "INFO": "Other types of alerts"}
LANGUAGES = (
    ("BG", "български"), ("CS", "čeština"), ("DA", "dansk"), ("DE", "deutsch"), ("EL", "ελληνικά"), ("EN", "english"),
    ("ES", "español"), ("FR", "français"), ("IT", "italiano"), ("PL", "polski"), ("SV", "svenska"), ("AR", "العربية"),
)  # fmt: skip


def respond(request: Request, world: World) -> Answer:
    """Answer the index, a report, a notification or the newest ones."""
    path = request.path.removeprefix(BASE)
    if re.fullmatch(r"/api/download/weeklyReport/list/xml/\w\w", path):
        return _xml(_index(world), world)
    if asked := re.fullmatch(r"/api/download/weeklyReport/detail/xml/(\d+)", path):
        number = _number_of(int(asked[1]), world)
        if number is None:
            return not_found()
        if not request.first("search"):
            return Answer(body=SHELL)
        return _xml(_report(world, number), world)
    if asked := re.fullmatch(r"/public/api/notification/(\d+)", path):
        index = int(asked[1]) - FIRST_ALERT
        if not 0 <= index < world.total(SOURCE) or world.item(SOURCE, index).withdrawn:
            return Answer(status=404, body=b"", content_type="application/json")
        return _json(notification(world, world.item(SOURCE, index)))
    if path.rstrip("/") in {"/public/api/notification/mostRecent", "/public/api/notification/carousel"}:
        return _most_recent(request, world)
    return Answer(body=SHELL)


def _base_reports(world: World) -> int:
    return HABITS[SOURCE].span_days // 7 + 2


def _report_day(world: World, number: int) -> date:
    """The day of the n-th report, counted from 0."""
    nights = number - (_base_reports(world) - 1)
    return world.day(1) + (timedelta(days=nights) if nights > 0 else timedelta(days=7 * nights))


def _report_id(world: World, number: int) -> int:
    weeks = (_report_day(world, 0) - FIRST_REPORT[1]).days // 7
    return FIRST_REPORT[0] + max(weeks, 0) + number


def _number_of(report_id: int, world: World) -> int | None:
    number = report_id - _report_id(world, 0)
    return number if 0 <= number < _base_reports(world) + world.night - 1 else None


def _index(world: World) -> str:
    reports = []
    for number in reversed(range(_base_reports(world) + world.night - 1)):
        if number < _base_reports(world) - 1 and not _alerts_of(world, number):
            continue  # a small world has weeks without an alert; the index has gaps anyway
        day, report_id = _report_day(world, number), _report_id(world, number)
        url = (
            f"{SITE}/api/download/weeklyReport/detail/xml/{report_id}?language=en&search=WEB_REPORT%7C:%7C{report_id},"
        )
        reports.append(
            f"<weeklyReport><reference>Report-{day.year}-{_week(day)}</reference>"
            f"<publicationDate>{day:%d/%m/%Y}</publicationDate><year>{day.year}</year><month>{day.month}</month>"
            f"<day>{day.day}</day><week>{_week(day)}</week><URL>{escape(url)}</URL></weeklyReport>"
        )
    return f"<Safety-Gate>{''.join(reports)}</Safety-Gate>"


def _report(world: World, number: int) -> str:
    day = _report_day(world, number)
    items = [item for item in (world.item(SOURCE, index) for index in _alerts_of(world, number)) if not item.withdrawn]
    alerts = "".join(_alert(item, order) for order, item in enumerate(items, 1))
    return (
        f"<Safety-Gate>   <report_language>en</report_language><report_date>{day:%d/%m/%Y}</report_date>"
        f"<report_year>{day.year}</report_year><report_week>{_week(day)}</report_week>"
        f"<report_addendum>{_cdata(_addendum(world, number))}</report_addendum>{alerts}</Safety-Gate>"
    )


def _alerts_of(world: World, number: int) -> range:
    since = _report_day(world, number - 1) if number else date(2000, 1, 1)
    return world.published_between(SOURCE, since + timedelta(days=1), _report_day(world, number))


def _addendum(world: World, number: int) -> str:
    """What the report of a night says about older alerts."""
    night = number - (_base_reports(world) - 1) + 1
    plan = world.plan(SOURCE, max(night, 1))
    amended = [world.key(SOURCE, index) for index in plan.amended]
    sentences = [
        f"Notification {world.key(SOURCE, index)} has been withdrawn at the request of the notifying authority. "
        for index in plan.withdrawn
    ]
    if len(amended) > 1 and night % 2 == 0:
        sentences.append(
            f"Notifications {', '.join(amended[:-1])} and {amended[-1]}: at the request of the notifying authority, "
            "the notifications have been updated with additional information on the product description."
        )
    else:
        sentences += [
            f"Notification {key}: at the request of the notifying authority the notification has been updated with "
            "additional information on the measures taken."
            for key in amended
        ]
    return "".join(sentences)


class _Alert:
    """What both forms of an alert print."""

    def __init__(self, item: Item) -> None:
        dice = item.random()
        self.good = dice.choice(goods.GOODS)
        self.hazard = dice.choice(self.good.hazards)
        self.country = goods.origin(dice)
        self.notifier = dice.choice(goods.NOTIFIERS)
        self.unknown_origin = dice.random() < 0.1
        self.brand = goods.brand(dice) if dice.random() < 0.8 else "Unknown"
        self.native = dice.choice([self.good.name, self.good.french, *self.good.native.values()])
        self.models = [goods.model(dice) for _ in range(dice.choice((1, 1, 2)))]
        self.batch = goods.batch(dice) if dice.random() < 0.4 else ""
        self.barcode = goods.gtin(dice) if dice.random() < 0.5 else ""
        self.photos = [item.index * 3 + 11000000 + number for number in range(dice.choice((0, 1, 2, 3)))]
        self.measures = dice.sample(MEASURES, dice.choice((1, 1, 2)))
        self.operator = dice.choice(OPERATORS)
        self.in_force = item.published - timedelta(days=dice.randrange(3, 40)) if dice.random() < 0.7 else None
        self.trader = dice.choice(("", "", "Other(www.practice-shop.example) / "))
        self.recall_page = f"https://www.practice-{item.index}.example/recall"
        self.has_recall_page = dice.random() < 0.2
        self.professional = dice.random() < 0.03
        self.danger = self.hazard.sentence.format(thing=self.good.name.lower())
        year = dice.choice((2014, 2018, 2020))
        self.law = self.hazard.law.format(standard=f"{self.good.standard}:{year}")
        self.colour = dice.choice(("white", "red", "black and yellow", "transparent"))
        self.description = f"{self.good.name}, {self.colour}, in a cardboard box. Model {', '.join(self.models)}."
        self.description += " The batch range has been extended to all items sold since January." * item.revision

    @property
    def origin(self) -> str:
        if self.unknown_origin:
            return "Unknown"
        return "People's Republic of China" if self.country.code == "CN" else self.country.name


def _alert(item: Item, order: int) -> str:
    """One alert as a weekly report prints it; the element is called `notifications`."""
    alert = _Alert(item)
    day = f"{alert.in_force:%d/%m/%Y}" if alert.in_force else "Unknown"
    measures = "".join(
        f"Type of economic operator taking notified measure(s): {alert.operator}"
        f"Category of measure(s): {words}Date of entry into force: {day}"
        for words, _ in alert.measures
    )
    vehicle = alert.good.european == "Motor vehicles"
    built = f"{item.published - timedelta(days=700):%d.%m.%Y} - {item.published - timedelta(days=300):%d.%m.%Y}"
    pictures = "".join(
        f"<picture>{_cdata(f'{SITE}/public/api/notification/image/{photo}')}</picture>" for photo in alert.photos
    )
    recall = f"<URLrecall>{escape(alert.recall_page)}</URLrecall>" if alert.has_recall_page else "<URLrecall/>"
    return (
        '<notifications xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:type="webReportXmlWeeklyReportDetailMotorVehicleContentDto">'
        f"<order>{order}</order><caseNumber>{item.key}</caseNumber>"
        f"<reference>{_cdata(f'{SITE}/screen/webReport/alertDetail/{FIRST_ALERT + item.index}')}</reference>"
        f"<category>{_cdata(alert.good.european)}</category><product>{_cdata(alert.good.name)}</product>"
        f"<brand>{_cdata(alert.brand)}</brand><name>{_cdata(alert.native + ' ')}</name>"
        f"<type_numberOfModel>{_cdata(', '.join(alert.models))}</type_numberOfModel>"
        f"<batchNumber>{_cdata(alert.batch)}</batchNumber><barcode>{_cdata(alert.barcode)}</barcode>"
        f"<riskType>{_cdata(alert.hazard.european)}</riskType><danger>{_cdata(f'{alert.danger} {alert.law}')}</danger>"
        f"<measures>{_cdata(measures)}</measures>{recall}<description>{_cdata(alert.description)}</description>"
        f"<notifyingCountry>{alert.notifier.name}</notifyingCountry><countryOfOrigin>{escape(alert.origin)}</countryOfOrigin>"
        f"<type>{'Professional' if alert.professional else 'Consumer'}</type><level>{LEVELS[item.key.split('/')[0]]}</level>"
        f"{f'<pictures>{pictures}</pictures>' if pictures else ''}<onlineTrader>{_cdata(alert.trader)}</onlineTrader>"
        + (
            f"<companyRecallCode>{alert.models[0]}</companyRecallCode><productionDates>{built}</productionDates>"
            if vehicle
            else "<companyRecallCode/><productionDates/>"
        )
        + "</notifications>"
    )


def notification(world: World, item: Item) -> dict[str, Any]:
    """One notification as the JSON behind the site prints it."""
    alert = _Alert(item)
    number = FIRST_ALERT + item.index
    kind = item.key.split("/")[0]
    report = next(
        (n for n in range(_base_reports(world) + world.night - 1) if _report_day(world, n) >= item.published), None
    )
    in_force = f"{alert.in_force}T00:00:00.000Z" if alert.in_force else None
    english = {"key": "EN", "name": "english"}
    created = f"{item.published - timedelta(days=5)}T09:16:09.829Z"
    return {
        "id": number,
        "notificationType": {"key": "regulation.31008.765", "code": "A12", "name": "ARTICLE_12"},
        "reference": item.key,
        "corrigendum": None,
        "country": _country(alert.notifier, european=True),
        "creationDate": created,
        "publicationDate": f"{item.published}T12:46:08.935Z",
        "modificationDate": f"{item.published}T12:46:08.937Z",
        "isImmediatePublication": True,
        "singlePublication": True,
        "forInfo": kind == "INFO",
        "product": {
            "id": number + 200000,
            "productCategory": _word(
                "product.category", re.sub(r"\W+", ".", alert.good.european.replace("'", "").lower())
            ),
            "professionalProduct": alert.professional,
            "isCounterfeit": _word("option", "unknown"),
            "nameSpecific": alert.native,
            "nameSpecificKnown": True,
            "brandKnown": alert.brand != "Unknown",
            "brands": [] if alert.brand == "Unknown" else [{"brand": alert.brand}],
            "name": None,
            "typeModelKnown": True,
            "batchNumberKnown": bool(alert.batch),
            "barcodeKnown": bool(alert.barcode),
            "packageDescriptionKnown": True,
            "versions": [
                {
                    "id": number + 200000,
                    "language": english,
                    "name": alert.good.name,
                    "description": alert.description,
                    "packageDescription": "Cardboard box.",
                    "productCategoryOther": None,
                }
            ],
            "barcodes": [{"barcode": alert.barcode}] if alert.barcode else [],
            "batchNumbers": [{"batchNumber": alert.batch}] if alert.batch else [],
            "modelTypes": [{"modelType": "; ".join(alert.models)}],
            "description": None,
            "packageDescription": None,
            "productCategoryOther": None,
            "photos": [
                {"id": photo, "mainPicture": place == 0, "fileName": f"p{photo}.png", "path": None}
                for place, photo in enumerate(alert.photos)
            ],
        },
        "risk": {
            "id": number + 100000,
            "riskType": [
                _word("riskType", name.strip().lower().replace(" ", ".")) for name in alert.hazard.european.split(",")
            ],
            "versions": [
                {
                    "id": number + 100000,
                    "language": english,
                    "riskDescription": alert.danger,
                    "legalProvision": alert.law,
                    "riskTypeOther": None,
                }
            ],
        },
        "measureTaken": {
            "id": number + 100000,
            "hasPublishedRecallOnline": _word("option", "yes" if alert.has_recall_page else "no"),
            "measures": [
                _measure(number + 600000 + place, name, alert, in_force)
                for place, (_, name) in enumerate(alert.measures)
            ],
            "companyRecalls": [],
        },
        "traceability": {
            "id": number + 100000,
            "countryOrigin": None if alert.unknown_origin else _country(alert.country, european=False),
            "isSoldOnline": _word("option", "yes" if alert.trader else "unknown"),
            "onlineTrader": None,
        },
        "reactingCountries": [],
        "webReport": None if report is None else {"id": _report_id(world, report)},
        "versions": [
            {"id": number, "language": {"key": key, "name": name}, "corrigendum": None} for key, name in LANGUAGES
        ],
        "onlineTraderProductIdentifierReference": [
            {"onlineTrader": "Other", "uniqueProductIdentifier": "practice shop"}
        ]
        if alert.trader
        else [],
    }


def _measure(number: int, name: str, alert: _Alert, in_force: str | None) -> dict[str, Any]:
    return {
        "id": number,
        "entryIntoForceDateKnown": in_force is not None,
        "entryIntoForceDate": in_force,
        "measureDuration": None,
        "measureScope": None,
        "measureCategory": _word("measure.category", name),
        "measureType": _word("measure.type", "voluntary"),
        "measureVoluntaryEconomicOperator": _word("measure.operator", alert.operator.lower()),
        "measureVoluntaryAuthority": None,
        "measureCompulsoryEconomicOperator": None,
        "measureCompulsoryAuthority": None,
        "versions": [{"id": number, "language": {"key": "EN", "name": "english"}, "measureCategoryOther": None}],
    }


def _country(country: goods.Country, *, european: bool) -> dict[str, Any]:
    name = "People's Republic of China" if country.code == "CN" else country.name
    return {
        "key": country.code,
        "propertyKey": f"country.{country.code}",
        "name": name,
        "orderIndex": 47,
        "euCountry": european,
        "eeaCountry": european,
    }


def _word(list_name: str, name: str) -> dict[str, str]:
    return {"key": f"{list_name}.{name}", "name": name.replace(".", "_").upper()}


def _most_recent(request: Request, world: World) -> Answer:
    asked = orjson.loads(request.body) if request.body else {}
    page, size = int(asked.get("page", 0)), 20
    gone = world.withdrawn(SOURCE)
    indices = [index for index in reversed(range(world.total(SOURCE))) if index not in gone]
    pages = -(-len(indices) // size)
    shown = indices[page * size : (page + 1) * size]
    content = [notification(world, world.item(SOURCE, index)) for index in shown]
    totals = {"totalElements": len(indices), "totalPages": pages, "number": page, "last": page >= pages - 1}
    return _json({"content": content} | totals)


def _week(day: date) -> int:
    return day.isocalendar().week


def _cdata(text: str) -> str:
    return f"<![CDATA[{text}]]>"


def _xml(root: str, world: World) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>{root}'.encode()
    return Answer(body=body, content_type="application/xml;charset=UTF-8", modified=world.updated_at(), compress=True)


def _json(content: Any) -> Answer:
    return Answer(body=orjson.dumps(content), content_type="application/json", compress=True)
