"""Dangerous non-food products, European Commission Safety Gate (formerly RAPEX)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import orjson
from bs4 import BeautifulSoup
from lxml import etree

from crawlers.families.json_rows import answer, listed, names, unread
from crawlers.fields import printed
from crawlers.page import Draft, Finding, Follow, NotThePage, Remark, as_xml
from crawlers.spider import SourceSpider
from library.page import Page

SITE = "https://ec.europa.eu/safety-gate-alerts"
INDEX = f"{SITE}/api/download/weeklyReport/list/xml/en"
WEEKLY = f"{SITE}/api/download/weeklyReport/detail/xml/{{0}}?language=en&search=WEB_REPORT%7C:%7C{{0}}"
RECENT = f"{SITE}/public/api/notification/mostRecent/?"
NOTIFICATION = f"{SITE}/public/api/notification/{{}}?language=en"
ALERT = f"{SITE}/screen/webReport/alertDetail/{{}}"
IMAGE = f"{SITE}/public/api/notification/image/{{}}"
REREAD_DAYS = 15  # two weekly reports: single alerts become part of one only on the Friday after

REPORT = names("notifications report_addendum report_date report_language report_year report_week")
WEEKLY_KNOWN = (
    names("caseNumber reference category product brand name type_numberOfModel batchNumber barcode riskType danger")
    | names("measures URLrecall description notifyingCountry countryOfOrigin level pictures onlineTrader")
    | names("companyRecallCode productionDates")
    # not used: the place in the report, and for whom the product is ('Consumer', 'Professional')
    | names("order type")
)
NOTIFICATION_KNOWN = (
    names("id reference corrigendum country publicationDate product risk measureTaken traceability")
    | names("onlineTraderProductIdentifierReference")
    | names("productCategory nameSpecific brands barcodes batchNumbers modelTypes photos versions", below="product")
    | names("language name description packageDescription productCategoryOther", below="product.versions")
    | names("riskType versions", below="risk")
    | names("language riskDescription legalProvision riskTypeOther", below="risk.versions")
    | names("measures companyRecalls", below="measureTaken")
    | names("entryIntoForceDate measureCategory versions", below="measureTaken.measures")
    | names("measureVoluntaryEconomicOperator measureCompulsoryEconomicOperator", below="measureTaken.measures")
    | names("language measureCategoryOther", below="measureTaken.measures.versions")
    | names("countryOrigin onlineTrader", below="traceability")
    # not used: keys of the publisher's database, and dates of the editing
    | names("product.id product.versions.id risk.id risk.versions.id measureTaken.id measureTaken.measures.id")
    | names("measureTaken.measures.versions.id traceability.id creationDate modificationDate")
    # not used: under which article, to whom and whether it is known
    | names("notificationType isImmediatePublication singlePublication forInfo traceability.isSoldOnline")
    | names("professionalProduct isCounterfeit nameSpecificKnown brandKnown typeModelKnown", below="product")
    | names("batchNumberKnown barcodeKnown packageDescriptionKnown", below="product")
    | names("measureTaken.hasPublishedRecallOnline")
    | names("entryIntoForceDateKnown measureDuration measureScope measureType", below="measureTaken.measures")
    | names("measureVoluntaryAuthority measureCompulsoryAuthority", below="measureTaken.measures")
    # not used: null, the texts stand under product.versions
    | names("name description packageDescription productCategoryOther", below="product")
    # not used: the languages there are, what other members found later, the weekly report's number
    | names("versions reactingCountries webReport")
)
# '0086/07', 'A12/01395/23', 'INFO/00012/25'; not the directive 2001/95/EC
CASE_NUMBER = re.compile(r"(?<![\w/])(?:[A-Z][A-Z0-9]{1,3}/)?\d{4,6}/\d{2}(?![\w/])")
# 'Notifications 0520/06 of week 32 and notification 0617/06 … have been withdrawn', not 'the photo has been removed'
TAKEN_BACK = re.compile(
    r"\bnotifications?\b(?:\s|[,#\d]|\band\b|\bof\b|\bweek\b|\bthe\b|\byear\b|\bnotifications?\b)*"
    r"(?:has|have|was|were|is|are)\s(?:been\s)?(?:permanently\s)?(?:withdrawn|removed|deleted)\b",
    re.IGNORECASE,
)


class EuSafetyGate(SourceSpider):
    """Dangerous non-food products, European Commission Safety Gate.

    Pages       an index of all weekly reports since 2005 and one XML document a week; JSON of single alerts,
                days before the Friday report that will hold them
    Dates       'dd/mm/yyyy', one for the whole report; 'yyyy-mm-ddThh:mm:ss.sssZ' in the JSON
    Reference   caseNumber (JSON: reference), 'SR/02222/26', '0086/07', kept when a notification is updated
    Merged      the alert's JSON wins over the weekly report. Its words are machine names: 'DAMAGE_TO_SIGHT' is read
                as 'Damage to sight', which is how the report prints it
    Corrections stand as prose in report_addendum of a later report and name the case numbers they speak of
    Gaps        the JSON has no level of risk; barcode is often empty or a list in one string; measures and company
                addresses are glued without a separator; old texts begin with 'null '
    """

    name = "eu_safety_gate"

    def begin(self, since: date, today: date) -> Iterator[Follow]:
        wanted = (since - timedelta(days=REREAD_DAYS)).isoformat()
        yield Follow(url=INDEX, kind="list", carry={"since": wanted})
        yield _recent(0, wanted)

    def read(self, page: Page) -> Iterable[Finding]:
        match page.kind:
            case "list":
                return _reports(page)
            case "recent":
                return _alerts(page)
            case "weekly":
                return _report(page)
            case _:
                return [_from_json(page)]


def _recent(number: int, since: str) -> Follow:
    """The list of single alerts, newest first; the page's number stands in the request's body only."""
    return Follow(
        url=RECENT,
        kind="recent",
        method="POST",
        body=orjson.dumps({"language": "en", "page": str(number)}),
        headers={"Content-Type": "application/json", "Accept": "application/json"},
        carry={"since": since},
    )


def _xml(page: Page) -> etree._Element:
    # the site answers 732 bytes of script and 200 when the search parameter is missing
    if b"<html" in page.body[:500].lower():
        raise NotThePage("error", "the site answered with its HTML page where XML is due")
    root = as_xml(page)
    if root.tag != "Safety-Gate":
        raise NotThePage("error", f"a Safety-Gate document is due, and the site answered with <{root.tag}>")
    return root


def _reports(page: Page) -> Iterator[Follow]:
    """Follow the reports that are new enough. Addresses are made from the number: the printed ones end in a comma."""
    reports = _xml(page).findall("weeklyReport")
    if not reports:
        raise NotThePage("error", "the index lists no report")
    for report in reports:
        day = "-".join(reversed(printed(report.findtext("publicationDate")).split("/")))  # '25/09/2026' -> '2026-09-25'
        number = re.search(r"/xml/(\d+)", report.findtext("URL") or "")
        if number and day >= page.carry.get("since", ""):
            yield Follow(url=WEEKLY.format(number[1]), kind="weekly")


def _alerts(page: Page) -> Iterator[Follow]:
    found = answer(page)
    alerts = listed(found, "content") if isinstance(found, Mapping) else []
    if not alerts:
        raise NotThePage("empty", "no single alert on this page")
    since = page.carry.get("since", "")
    days = [printed(alert.get("publicationDate"))[:10] for alert in alerts]
    for alert, day in zip(alerts, days, strict=True):
        if alert.get("id") and (not day or day >= since):
            yield Follow(url=NOTIFICATION.format(alert["id"]), kind="notification")
    if found.get("last") is False and isinstance(found.get("number"), int) and (not days[-1] or days[-1] >= since):
        yield _recent(found["number"] + 1, since)


def _report(page: Page) -> Iterator[Finding]:
    report = _xml(page)
    published = printed(report.findtext("report_date"))
    unknown = frozenset(str(child.tag) for child in report) - REPORT
    remarks = list(_remarks(report.findtext("report_addendum") or "", published))
    notifications = report.findall("notifications")
    if not notifications and not remarks:
        raise NotThePage("empty", "a week without notifications")
    for notification in notifications:
        row = {str(child.tag): _plain(child.text) for child in notification if child.tag != "pictures"}
        pictures = [printed(picture.text) for picture in notification.iterfind("pictures/picture")]
        yield _from_xml(row, pictures, published, unknown)
    yield from remarks


def _from_xml(row: Mapping[str, str], pictures: list[str], published: str, unknown: frozenset[str]) -> Draft:
    code, made = row.get("companyRecallCode", ""), row.get("productionDates", "")
    texts = [
        # reports of 2013 and before print "null The product poses …"
        ("risk", row.get("danger", "").removeprefix("null ")),
        ("description", row.get("description", "")),
        ("note", code and f"Company recall code: {code}"),
        ("note", made and f"Production dates: {made}"),
        ("note", row.get("onlineTrader", "") and f"Online trader: {row['onlineTrader'].rstrip('/ ')}"),
    ]
    fields: dict[str, Any] = {
        "published": published,
        "titles": {
            "en": _title(row.get("product", ""), row.get("brand", ""), row.get("name", "")) or _first_words(row)
        },
        "texts": [{"label": label, "value": value, "language": "en"} for label, value in texts if value],
        "products": [
            {
                "name": row.get("name") or row.get("product", ""),
                "brand": row.get("brand", ""),
                "model": row.get("type_numberOfModel", ""),
                "batch": row.get("batchNumber", ""),
                "barcodes": _barcodes(row.get("barcode", "")),
            }
        ],
        "measures": list(_measures(row.get("measures", ""))),
        "operators": [{"name": name, "role": "marketplace"} for name in _traders(row.get("onlineTrader", ""))],
        "links": [
            {"url": row.get("reference", ""), "label": "original"},
            # 'https://….se/…https://….dk/…': the addresses of one recall in several countries
            *(
                {"url": url.strip(), "label": "recall_page"}
                for url in re.split(r"(?=https?://)", row.get("URLrecall", ""))
            ),
            *({"url": url, "label": "image"} for url in pictures),
        ],
    }
    fields["links"] = [link for link in fields["links"] if link["url"]]
    for ours, theirs in {
        "jurisdictions": "notifyingCountry",
        "origins": "countryOfOrigin",
        "categories": "category",
    }.items():
        if theirs in row:
            fields[ours] = [row[theirs]] if row[theirs] else ""
    if "riskType" in row:
        fields["hazards"] = row["riskType"].split(", ") if row["riskType"] else ""
    if "level" in row:
        fields["classification"] = row["level"]
    return Draft(
        kind="recall", key=row.get("caseNumber", ""), fields=fields, unread=unknown | (row.keys() - WEEKLY_KNOWN)
    )


def _measures(glued: str) -> Iterator[dict[str, str]]:
    """The measures of one string, in which nothing stands between them and their parts.

    '…ordered: DistributorCategory of measure(s): Stop of salesDate of entry into force: 27/02/2025Type of economic …'
    """
    before, *chunks = glued.split("Category of measure(s): ")
    for chunk in chunks:
        measure, _, after = chunk.partition("Date of entry into force: ")
        label, _, operator = before.rpartition("Date of entry into force: ")[2].partition(": ")
        since = re.match(r"[\d/.]*", after)  # 'Unknown' is no date
        found = {
            "operator": operator.strip() if "economic operator" in label else "",
            "measure": measure.strip(),
            "since": since[0] if since else "",
        }
        yield {name: value for name, value in found.items() if value}
        before = chunk


def _remarks(addendum: str, said_on: str) -> Iterator[Remark]:
    """What a later report says about earlier notifications, one remark a statement and a case number.

    A sentence that names no notification belongs to the one before it.
    """
    statements: list[str] = []
    # 'measures taken.Notification OR/00097/26: …', 'CorrigendumNotification 1202/10 has …'
    prose = re.sub(r"^\s*Corrigend(?:a|um)\s*:?", "", _plain(addendum))
    for sentence in re.split(r"(?<=[.!?])\s*(?=[A-Z])", prose):
        if CASE_NUMBER.search(sentence):
            statements.append(sentence.strip())
        elif statements:
            statements[-1] += f" {sentence.strip()}"
    for statement in statements:
        withdrawn = bool(TAKEN_BACK.search(CASE_NUMBER.sub("#", statement)))
        for number in dict.fromkeys(CASE_NUMBER.findall(statement)):
            yield Remark(key=number, text=statement, said_on=said_on, withdrawn=withdrawn)


def _from_json(page: Page) -> Draft:
    row = answer(page)
    if not isinstance(row, Mapping) or "reference" not in row:
        raise NotThePage("error", "a notification is due, and the site answered with something else")
    product, risk = _object(row, "product"), _object(row, "risk")
    measures, trace = _object(row, "measureTaken"), _object(row, "traceability")
    english, danger = _version(product), _version(risk)
    own_name = printed(product.get("nameSpecific"))
    brand = _joined(product, "brands", "brand")
    traders = [
        f"{printed(trader.get('onlineTrader'))}({printed(trader.get('uniqueProductIdentifier'))})"
        for trader in listed(row, "onlineTraderProductIdentifierReference")
    ]
    texts = [
        # the weekly report prints the two as one text
        ("risk", _both(danger, "riskDescription", "legalProvision", between=" ")),
        ("description", _both(english, "description", "packageDescription", between="\n\n")),
        ("note", printed(row.get("corrigendum"))),
        ("note", traders and f"Online trader: {' / '.join(traders)}"),
    ]
    category, other = _object(product, "productCategory"), printed(english.get("productCategoryOther"))
    fields: dict[str, Any] = {
        "published": printed(row.get("publicationDate")),
        "titles": {"en": _title(printed(english.get("name")), brand, own_name) or _words(category)},
        "texts": [{"label": label, "value": value, "language": "en"} for label, value in texts if value],
        "products": [
            {
                "name": own_name or printed(english.get("name")),
                "brand": brand,
                "model": _joined(product, "modelTypes", "modelType"),
                "batch": _joined(product, "batchNumbers", "batchNumber"),
                "barcodes": [printed(item.get("barcode")) for item in listed(product, "barcodes")],
            }
        ],
        "categories": [f"{_words(category)} - {other}" if other else _words(category)],
        "hazards": [
            *(_words(kind) for kind in listed(risk, "riskType")),
            *filter(None, [printed(danger.get("riskTypeOther"))]),
        ],
        "measures": [_measure(measure) for measure in listed(measures, "measures")],
        "operators": [{"name": name, "role": "marketplace"} for name in _traders(" / ".join(traders))],
        "links": [
            {"url": ALERT.format(row.get("id")), "label": "original"},
            *(
                {"url": printed(item.get("link")), "label": "recall_page"}
                for item in listed(measures, "companyRecalls")
            ),
            *({"url": IMAGE.format(photo.get("id")), "label": "image"} for photo in listed(product, "photos")),
        ],
    }
    fields["links"] = [link for link in fields["links"] if link["url"]]
    if country := printed(_object(row, "country").get("name")):
        fields["jurisdictions"] = [country]
    if origin := printed(_object(trace, "countryOrigin").get("name")):
        fields["origins"] = [origin]
    return Draft(kind="recall", key=printed(row["reference"]), fields=fields, unread=unread(row, NOTIFICATION_KNOWN))


def _measure(measure: Mapping[str, Any]) -> dict[str, str]:
    category = _object(measure, "measureCategory")
    operator = _object(measure, "measureVoluntaryEconomicOperator") or _object(
        measure, "measureCompulsoryEconomicOperator"
    )
    found = {
        "measure": printed(_version(measure).get("measureCategoryOther")) or _words(category),
        "operator": _words(operator),
        "since": printed(measure.get("entryIntoForceDate")),
    }
    return {name: value for name, value in found.items() if value}


def _object(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object under a name; an empty one where it is null or absent."""
    value = row.get(name)
    return value if isinstance(value, Mapping) else {}


def _version(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The English version of a text, or the first there is."""
    versions = listed(row, "versions")
    english = [version for version in versions if _object(version, "language").get("key") == "EN"]
    return next(iter(english or versions), {})


def _words(coded: Mapping[str, Any]) -> str:
    """A machine name as words: 'LASER_POINTERS' is 'Laser pointers'."""
    return printed(coded.get("name")).replace("_", " ").capitalize()


def _both(row: Mapping[str, Any], *parts: str, between: str) -> str:
    return between.join(filter(None, (printed(row.get(part)) for part in parts)))


def _joined(row: Mapping[str, Any], name: str, part: str) -> str:
    return ", ".join(filter(None, (printed(item.get(part)) for item in listed(row, name))))


def _plain(value: str | None) -> str:
    """A text without the entities and the cut markup that some brands and models hold ('H&amp;M', 'Foo<a hr')."""
    text = html.unescape(value or "")
    if re.search(r"<[a-zA-Z/!]", text):
        text = BeautifulSoup(text, "lxml").get_text(" ")
    return text.strip()


def _title(product: str, brand: str, own_name: str) -> str:
    """'Eyeliner – Pixi – Endless Silky Eye Pen': what it is, who made it, what it is called."""
    parts = dict.fromkeys(part for part in (product, brand, own_name) if part and part.casefold() != "unknown")
    return " – ".join(parts)


def _first_words(row: Mapping[str, str]) -> str:
    """What stands in for a title: reports of 2005 leave product, brand and name empty."""
    return re.split(r"(?<=[.;])\s", row.get("description", ""))[0][:120] or row.get("category", "")


def _barcodes(value: str) -> list[str]:
    """The barcodes of one string: a list has at least one run of eight digits, '6 181100 232165' is one barcode."""
    parts = [part.strip(".()") for part in re.split(r"[\s,;|]+", value)]
    if any(re.fullmatch(r"\d{8,}", part) for part in parts):
        return [part for part in parts if len(part) > 5]  # leaves out '1)' and 'No.' between them
    return [value] if value else []


def _traders(value: str) -> list[str]:
    """The sellers in 'Amazon(B0D5LF9TKH) / Other(www.tme.eu) / '; of 'Other' the name stands in the brackets."""
    pairs = (part.strip().partition("(") for part in re.split(r" /(?: |$)", value))
    sellers = (inside.removesuffix(")") if name == "Other" else name for name, _, inside in pairs)
    return list(dict.fromkeys(seller.strip() for seller in sellers if seller.strip()))
