"""WTO ePing: the JSON search behind epingalert.org, and the workbook that people download or export.

Unknown parameters are ignored, so a misspelt filter gives the unfiltered set. A notification filed by several members
is one item per member, each with the same list of symbols. In the workbook, symbols and links are HYPERLINK formulas
without a cached value.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from openpyxl import Workbook

from crawlers.practice.exchange import Answer, Request, not_found
from crawlers.practice.world import Item, World

HOSTS = ("epingalert.org", "www.epingalert.org", "eping.wto.org")
SOURCE = "wto_eping"
FIRST_ID = 100000
MEMBERS = {
    "CHN": ("China", "C156"), "EU": ("European Union", "U918"), "USA": ("United States of America", "C840"),
    "JPN": ("Japan", "C392"), "KOR": ("Korea, Republic of", "C410"), "BRA": ("Brazil", "C076"), "IND": ("India", "C699"),
    "VNM": ("Viet Nam", "C704"), "THA": ("Thailand", "C764"), "GBR": ("United Kingdom", "C826"), "CAN": ("Canada", "C124"),
    "MEX": ("Mexico", "C484"), "CHL": ("Chile", "C152"), "ZAF": ("South Africa", "C710"), "EGY": ("Egypt", "C818"),
    "SAU": ("Saudi Arabia, Kingdom of", "C682"), "TUR": ("Türkiye", "C792"), "IDN": ("Indonesia", "C360"),
    "AUS": ("Australia", "C036"), "NZL": ("New Zealand", "C554"), "TPKM": ("Chinese Taipei", "C158"),
    "ARG": ("Argentina", "C032"), "COL": ("Colombia", "C170"), "PHL": ("Philippines", "C608"), "MYS": ("Malaysia", "C458"),
    "BDI": ("Burundi", "C108"), "KEN": ("Kenya", "C404"), "RWA": ("Rwanda", "C646"), "TZA": ("Tanzania", "C834"),
    "UGA": ("Uganda", "C800"), "ARE": ("United Arab Emirates", "C784"), "BHR": ("Bahrain, Kingdom of", "C048"),
    "KWT": ("Kuwait, the State of", "C414"), "OMN": ("Oman", "C512"), "QAT": ("Qatar", "C634"), "YEM": ("Yemen", "C887"),
}  # fmt: skip


class Subject(NamedTuple):
    """What a notification is about. hs and ics: (code, name)."""

    title: str
    products: str
    hs: tuple[tuple[str, str], ...]
    ics: tuple[tuple[str, str], ...]
    objectives: tuple[str, ...]
    keywords: tuple[str, ...]


SAFETY = "Protection of human health or safety (TBT)"
ENVIRONMENT = "Protection of the environment (TBT)"
CONSUMERS = "Prevention of deceptive practices and consumer protection (TBT)"
LABELLING = "Consumer information, labelling (TBT)"
FOOD_SAFETY = "Food safety (SPS)"
TBT = (
    Subject("Draft technical regulation on the safety of toys", "Toys for children under 14 years",
            (("950300", "Tricycles, scooters and similar wheeled toys; dolls; other toys"),), (("97.200.50", "Toys"),),
            (SAFETY, LABELLING), ("Human health", "Labelling")),
    Subject("Draft order on batteries and portable power banks", "Lithium-ion batteries; power banks",
            (("850760", "Lithium-ion accumulators"),), (("29.220.30", "Alkaline secondary cells and batteries"),),
            (SAFETY, ENVIRONMENT), ("Human health",)),
    Subject("Restriction of hazardous substances (RoHS) in electrical and electronic equipment", "Electrical equipment",
            (("85", "Electrical machinery and equipment and parts thereof"), ("8516", "Electric water heaters; hair dryers")),
            (("31.020", "Electronic components in general"),), (ENVIRONMENT,), ()),
    Subject("Packaging and packaging waste: minimum recycled content", "Packaging of all materials",
            (("3923", "Articles for the conveyance or packaging of goods, of plastics"),),
            (("55.040", "Packaging materials and accessories"),), (ENVIRONMENT, LABELLING), ("Labelling",)),
    Subject("Conformity assessment of artificial intelligence systems in products", "Software; machinery with AI functions",
            (), (("35.020", "Information technology (IT) in general"),), (SAFETY, CONSUMERS), ()),
    Subject("Energy labelling of household appliances", "Refrigerators; kettles; lamps",
            (("8418", "Refrigerators, freezers"), ("853952", "Light-emitting diode lamps")),
            (("97.030", "Domestic electrical appliances in general"),), (LABELLING, CONSUMERS), ("Labelling",)),
    Subject("Cosmetic products: list of prohibited substances", "Cosmetics",
            (("3304", "Beauty or make-up preparations"),), (("71.100.70", "Cosmetics. Toiletries"),), (SAFETY,),
            ("Human health",)),
    Subject("Electric bicycles and light electric vehicles", "E-bikes and e-scooters",
            (("871160", "Motorcycles with electric motor"),), (("43.150", "Cycles"),), (SAFETY,), ()),
)  # fmt: skip
SPS = (
    Subject("Maximum residue limits for chlorpyrifos in fruit, vegetables and tea", "Fruit; vegetables; tea",
            (("0902", "Tea, whether or not flavoured"),), (("67.080", "Fruits. Vegetables"),), (FOOD_SAFETY,),
            ("Human health", "Pesticides", "Food safety")),
    Subject("Maximum levels of aflatoxins in nuts and cereals", "Peanuts; tree nuts; cereals",
            (("1202", "Groundnuts"),), (("67.060", "Cereals, pulses and derived products"),), (FOOD_SAFETY,),
            ("Human health", "Food safety")),
    Subject("Food contact materials: migration limits for melamine ware", "Melamine tableware",
            (("392410", "Tableware and kitchenware, of plastics"),),
            (("67.250", "Materials and articles in contact with foodstuffs"),),
            (FOOD_SAFETY,), ("Human health", "Food safety")),
    Subject("Import conditions for poultry meat; avian influenza", "Poultry meat",
            (("0207", "Meat and edible offal of fowls"),), (), ("Animal health (SPS)",), ("Animal health", "Animal diseases")),
)  # fmt: skip
OBJECTIVE_IDS = {SAFETY: 1, ENVIRONMENT: 2, CONSUMERS: 3, LABELLING: 4, FOOD_SAFETY: 11, "Animal health (SPS)": 12}
COLUMNS = (
    "Notifying Member",
    "Distribution date",
    "Document symbol",
    "Title",
    "Description",
    "Products covered",
    "HS code(s)",
    "ICS code(s)",
    "Objectives",
    "Keywords",
    "Specific regions or countries likely to be affected",
    "Final date for comments",
    "Notification type",
    "Notified document",
    "Link to notification(EN)",
    "Link to notification(FR)",
    "Link to notification(ES)",
)


def respond(request: Request, world: World) -> Answer:
    """Answer a search, the list of members or the bulk workbook."""
    if request.path == "/api/v1/azureSearch/getAll":
        return _search(request, world)
    if request.path == "/api/v1/countries/getWtoMembersForDropdown":
        members = [{"value": code, "text": name} for name, code in sorted(MEMBERS.values())]
        return _json({"items": members})
    if request.path == "/NotificationExcelFiles/Notification_EN.xlsx":
        return Answer(
            body=_workbook(world),
            content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            modified=world.updated_at(),
        )
    return not_found()


def write_export(world: World, folder: Path) -> Path:
    """Write the workbook of the world's night to a folder, as people export it; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"Notifications_{world.day()}.xlsx"
    path.write_bytes(_workbook(world))
    return path


def _search(request: Request, world: World) -> Answer:
    page, size = max(1, request.number("page", 1, most=10**6)), max(1, request.number("pageSize", 10, most=100))
    try:
        first = date.fromisoformat(request.first("distributionDateFrom") or "1995-01-01")
        last = date.fromisoformat(request.first("distributionDateTo") or str(world.day()))
    except ValueError:
        return Answer(status=400, body=b'{"title":"Bad Request","status":400}', content_type="application/json")
    found = [
        (index, place)
        for index in world.published_between(SOURCE, first, last)
        for place in range(len(world.members(index)))
        if _is_wanted(request, world, index, place)
    ]
    if request.first("sortBy") != "distributionDate":  # by relevance, which looks like no order at all
        found.sort(key=lambda row: world.pick(SOURCE, row[0], "relevance", 10**6))
    elif request.first("sortDirection") == "desc":
        found.reverse()
    rows = found[(page - 1) * size : page * size]
    items = [notification(world, world.item(SOURCE, index), place) for index, place in rows]
    return _json(
        {
            "items": items,
            "totalCount": len(found),
            "isCountExceeded": False,
            "endRow": min(page * size, len(found)),
            "areas": [{"id": 1, "name": "TBT"}, {"id": 2, "name": "SPS"}],
            "notifyingMembers": sorted({item["notifyingMember"] for item in items}),
        }
    )


def _is_wanted(request: Request, world: World, index: int, place: int) -> bool:
    domains, members = request.query.get("domainIds"), request.query.get("countryIds")
    if domains and {"TBT": "1", "SPS": "2"}[world.area(index)] not in domains:
        return False
    if members and MEMBERS[world.members(index)[place]][1] not in members:
        return False
    if symbol := request.first("documentSymbol").strip():
        return symbol in world.symbols(index)
    if words := request.first("freeText").replace("+", " ").split():
        item = notification(world, world.item(SOURCE, index), place)
        text = f"{item['titlePlain']} {item['descriptionPlain']} {item['productsFreeTextPlain']}".casefold()
        return all(word.casefold() in text for word in words)
    return True


class _Notification:
    """What both forms of a notification print."""

    def __init__(self, world: World, item: Item) -> None:
        parent = world.parent(item.index)
        self.area = world.area(item.index)
        self.symbols = world.symbols(item.index)
        self.kind = {4: "Revision", 5: "Addendum"}.get(item.index % 6, "Regular notification")
        if self.kind != "Regular notification":
            self.kind += " to Regular Notification"
        subjects = SPS if self.area == "SPS" else TBT
        self.subject = subjects[world.pick(SOURCE, parent, "subject", len(subjects))]
        self.member = MEMBERS[world.members(item.index)[0]][0]
        dice = item.random()
        self.distributed = item.published
        has_deadline = dice.random() < 0.8 and self.kind != "Addendum to Regular Notification"
        deadline = item.published + timedelta(days=60 + 15 * item.revision)
        self.deadline = deadline if has_deadline or item.revision else None
        self.affected = dice.choice(("", "", "China", "Poland"))
        standard = dice.choice(("EN 71-1:2014+A1:2018", "IEC 62133-2:2017", "GB 6675.1-2014", "ISO 8124-1:2022"))
        self.title = self.subject.title
        if self.kind.startswith("Addendum"):
            self.title += f"; adoption of the measure notified in {world.symbols(parent)[0]}"
        self.description = (
            f"The measure lays down requirements for {self.subject.products.lower()} placed on the market in {self.member}. "
            f"It refers to {standard} and applies to domestic and imported products."
        )
        letter, year = ("t", item.published.year % 100)
        symbol = self.symbols[0]
        document = symbol.split("/N/")[1].replace("/Add.1", "A1").replace("/Rev.1", "R1").replace("/", "")
        folder = f"G/SPS/N{document}" if self.area == "SPS" else f"G/TBTN{year:02d}/{document}"
        self.link = f"https://docs.wto.org/imrd/directdoc.asp?DDFDocuments/{letter}/{folder}.DOCX"
        member = symbol.split("/")[3]
        self.document = (
            f"https://members.wto.org/crnattachments/{item.published.year}/{self.area}/{member}/"
            f"{year:02d}_{item.index % 99999:05d}_00_e.pdf"
        )


def notification(world: World, item: Item, place: int = 0) -> dict[str, Any]:
    """One item of the search: a notification as one of its members filed it."""
    known = _Notification(world, item)
    name, code = MEMBERS[world.members(item.index)[place]]
    subject = known.subject
    adoption = known.distributed + timedelta(days=120)
    return {
        "id": FIRST_ID + item.index * 10 + place,
        "area": known.area,
        "notificationType": known.kind,
        "documentSymbol": ", ".join(known.symbols),
        "notifyingMember": name,
        "notifyingMemberCode": code,
        "distributionDate": f"{known.distributed}T00:00:00",
        "commentDeadlineDate": f"{known.deadline}T00:00:00" if known.deadline else None,
        "title": f"<p>{known.title.replace('&', '&amp;')}&nbsp;</p>",
        "titlePlain": known.title,
        "description": f"<p>{known.description}</p>",
        "descriptionPlain": known.description,
        "productsFreeText": f"<p>{subject.products}</p>",
        "productsFreeTextPlain": subject.products,
        "hsCodes": [{"id": int(number), "code": number, "name": words} for number, words in subject.hs],
        "hsCodeText": _codes(subject.hs),
        "icsCodeText": _codes(subject.ics),
        "objectives": [{"id": OBJECTIVE_IDS[words], "name": words} for words in subject.objectives],
        "objectivesFreeText": "",
        "keywords": "; ".join(subject.keywords),
        "spsKeywords": "; ".join(subject.keywords) if known.area == "SPS" else "",
        "countriesAffected": [{"name": known.affected}] if known.affected else [],
        "proposedAdoptionDate": f"{adoption}T00:00:00",
        "proposedAdoptionDateText": None,
        "proposedEntryIntoForceDate": None,
        "proposedEntryIntoForceDateText": "6 months from adoption",
        "notifiedDocumentLink": known.document,
        "linkToNotification": known.link,
        "dolLink": known.link,
    }


def sheet_rows(world: World) -> Iterator[tuple[Any, ...]]:
    """The header and then the rows of the workbook, the newest first, formulas as text."""
    yield COLUMNS
    for index in reversed(range(world.total(SOURCE))):
        item = world.item(SOURCE, index)
        for member in world.members(index):
            yield _sheet_row(_Notification(world, item), MEMBERS[member][0])


def _sheet_row(known: _Notification, member: str) -> tuple[Any, ...]:
    subject = known.subject
    symbols = " " + ", ".join(known.symbols)
    return (
        member,
        datetime.combine(known.distributed, datetime.min.time()),
        f'=HYPERLINK("https://www.epingalert.org/en/Search?viewData={symbols}","{symbols}")',
        known.title.replace(" on ", "\xa0on ", 1),
        known.description,
        subject.products,
        _codes(subject.hs),
        _codes(subject.ics),
        "; ".join(subject.objectives),
        "; ".join(subject.keywords),
        known.affected or None,
        datetime.combine(known.deadline, datetime.min.time()) if known.deadline else "",
        known.kind,
        known.document,
        f'=HYPERLINK("{known.link}", "{known.link}")',
        None,
        None,
    )


def _workbook(world: World) -> bytes:
    """The sheet as an XLSX file with the same bytes every time: openpyxl stamps the time of writing, which is taken out."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Notifications")
    for row in sheet_rows(world):
        sheet.append(row)
    written, packed = io.BytesIO(), io.BytesIO()
    book.save(written)
    stamp = f"{world.day()}T00:00:00Z".encode()
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = b'<?xml version="1.0"?>' + CORE_PROPERTIES.replace(b"STAMP", stamp)
            target.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


CORE_PROPERTIES = (
    b'<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    b'xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    b'<dcterms:created xsi:type="dcterms:W3CDTF">STAMP</dcterms:created>'
    b'<dcterms:modified xsi:type="dcterms:W3CDTF">STAMP</dcterms:modified></cp:coreProperties>'
)


def _codes(codes: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"{code} - {name}" for code, name in codes)


def _json(content: Any) -> Answer:
    return Answer(body=orjson.dumps(content), content_type="application/json; charset=utf-8", compress=True)
