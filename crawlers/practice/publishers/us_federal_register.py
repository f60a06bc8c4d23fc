"""Federal Register API: documents.json with conditions, fields, paging by next_page_url, and single documents.

Published documents never change; page views and comment counts do, every night. Only the first 10,000 hits can be paged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson

from crawlers.practice.exchange import Answer, Request, not_found
from crawlers.practice.world import Item, World

HOSTS = ("www.federalregister.gov",)
SOURCE = "us_federal_register"
MOST_HITS = 10000
TYPES = {"RULE": "Rule", "PRORULE": "Proposed Rule", "NOTICE": "Notice", "PRESDOCU": "Presidential Document"}
AGENCIES = (
    ("Consumer Product Safety Commission", 84, "CPSC"),
    ("Food and Drug Administration", 199, "FDA"),
    ("Environmental Protection Agency", 145, "EPA"),
    ("Federal Communications Commission", 161, "FCC"),
    ("Energy Department", 136, "EERE"),
    ("National Highway Traffic Safety Administration", 345, "NHTSA"),
    ("Animal and Plant Health Inspection Service", 22, "APHIS"),
)
SUBJECTS = (
    ("Safety Standard for Lithium-Ion Batteries in Electric Bicycles", 16, 1270, ("Consumer protection", "Imports")),
    ("Safety Standard for Toys: Requirements for Magnets", 16, 1250, ("Toys", "Infants and children")),
    ("Button Cell and Coin Batteries; Child-Resistant Packaging", 16, 1263, ("Consumer protection", "Packaging")),
    ("Food Additives Permitted in Contact With Food: Recycled Plastics", 21, 177, ("Food additives", "Food packaging")),
    ("Per- and Polyfluoroalkyl Substances in Articles; Reporting", 40, 705, ("Chemicals", "Imports")),
    ("Formaldehyde Emission Standards for Composite Wood Products", 40, 770, ("Wood", "Hazardous substances")),
    ("Equipment Authorization; Radio Devices With Untrusted Components", 47, 2, ("Radio", "Telecommunications")),
    ("Energy Conservation Standards for Portable Electric Spas", 10, 430, ("Energy conservation", "Imports")),
    ("Federal Motor Vehicle Safety Standards; Battery Systems", 49, 571, ("Motor vehicle safety", "Tires")),
    ("Importation of Wood Packaging Material From Asia", 7, 319, ("Plant diseases and pests", "Imports")),
    ("Medical Devices; Artificial Intelligence-Enabled Software Functions", 21, 880, ("Medical devices",)),
)
DEFAULT_FIELDS = (
    "title type abstract document_number html_url pdf_url public_inspection_pdf_url publication_date agencies excerpts"
)


def respond(request: Request, world: World) -> Answer:
    """Answer a list of documents or one document."""
    if request.path in {"/api/v1/documents.json", "/api/v1/documents"}:
        return _list(request, world)
    asked = re.fullmatch(r"/api/v1/documents/([\w-]+?)(?:\.json)?", request.path)
    index = _index_of(asked[1], world) if asked else None
    if index is None:
        return not_found()
    return _json(document(world, world.item(SOURCE, index)), world)


def _list(request: Request, world: World) -> Answer:
    per_page = max(1, request.number("per_page", 20, most=1000))
    page = max(1, request.number("page", 1, most=10**6))
    try:
        found = _found(request, world)
    except ValueError:
        errors = {"errors": {"publication_date": "is not a valid date"}}
        return Answer(status=400, body=orjson.dumps(errors), content_type="application/json; charset=utf-8")
    if request.first("order", "newest") != "oldest":
        found = found[::-1]
    pages = -(-min(len(found), MOST_HITS) // per_page)
    rows = found[(page - 1) * per_page : page * per_page] if page <= pages else []
    wanted = request.query.get("fields[]") or DEFAULT_FIELDS.split()
    documents = (document(world, world.item(SOURCE, index)) for index in rows)
    answer: dict[str, Any] = {"count": len(found), "description": "All Documents", "total_pages": pages}
    if page < pages:
        answer["next_page_url"] = _next_page_url(request, page + 1)
    answer["results"] = [{name: row[name] for name in wanted if name in row} for row in documents]
    return _json(answer, world)


def document(world: World, item: Item) -> dict[str, Any]:
    """One document with every field the API knows."""
    dice = item.random()
    corrects = world.is_correction(item.index)
    if corrects:
        dice = world.item(SOURCE, item.index - 7).random()
    subject, title, part, topics = dice.choice(SUBJECTS)
    agency, agency_id, letters = dice.choice(AGENCIES)
    kind = _type(world, item.index)
    day, number = item.published, item.key
    slug = re.sub(r"[^a-z0-9]+", "-", subject.lower()).strip("-")
    docket = f"{letters}-{day.year}-{item.index % 9000 + 1:04d}"
    comments = day + timedelta(days=60) if kind == "PRORULE" and not corrects else None
    effective = day + timedelta(days=dice.choice((30, 60, 180))) if kind == "RULE" and not corrects else None
    abstract = (
        f"The {agency} ({letters}) is {'proposing to amend' if kind == 'PRORULE' else 'amending'} {title} CFR part {part} "
        f"on the subject of {subject.lower()}. The rule refers to the voluntary standards UL 2849 and ASTM F963-23 and "
        f"concerns products made in the United States and imported ones alike."
    )
    abstract_or_none = None if corrects or dice.random() < 0.2 else abstract
    comment_url = f"http://www.regulations.gov/commenton/{docket}-0001" if comments else None
    page = 1000 + item.index * 4
    agency_slug = agency.lower().replace(" ", "-")
    stamp = f"{day}T11:56:00.000-05:00"
    supporting = [{"title": f"Regulatory impact analysis, {subject}", "document_id": f"{docket}-0002"}]
    views = dice.randrange(40, 900) + 3 * (world.night - 1)
    rin = f"{3000 + agency_id}-AC{item.index % 90 + 10}"
    return {
        "abstract": abstract_or_none,
        "action": {"RULE": "Final rule.", "PRORULE": "Notice of proposed rulemaking.", "NOTICE": "Notice."}.get(kind),
        "agencies": [
            {
                "raw_name": agency.upper(),
                "name": agency,
                "id": agency_id,
                "url": f"https://{HOSTS[0]}/agencies/{agency_slug}",
                "json_url": f"https://{HOSTS[0]}/api/v1/agencies/{agency_id}",
                "parent_id": None,
                "slug": agency_slug,
            }
        ],
        "agency_names": [agency],
        "body_html_url": f"https://{HOSTS[0]}/documents/full_text/html/{day:%Y/%m/%d}/{number}.html",
        "cfr_references": []
        if kind == "NOTICE"
        else [{"chapter": None, "citation_url": None, "part": part, "title": title}],
        "citation": f"{day.year - 1935} FR {page}",
        "comment_url": comment_url,
        "comments_close_on": comments and str(comments),
        "correction_of": f"https://{HOSTS[0]}/api/v1/documents/{number.removeprefix('C1-')}" if corrects else None,
        "corrections": [],
        "dates": _dates(comments, effective),
        "disposition_notes": None,
        "docket_id": f"Docket No. {docket}" if dice.random() < 0.3 else docket,
        "docket_ids": [docket],
        "dockets": [
            {
                "supporting_documents": supporting,
                "agency_name": letters,
                "documents": [
                    {
                        "comment_count": world.night - 1,
                        "comment_start_date": str(day),
                        "updated_at": stamp,
                        "comment_url": f"https://www.regulations.gov/commenton/{docket}-0001",
                        "allow_late_comments": None,
                        "id": f"{docket}-0001",
                        "comment_end_date": comments and str(comments),
                        "regulations_dot_gov_open_for_comment": comments is not None,
                    }
                ],
                "supporting_documents_count": 1,
                "id": docket,
                "title": subject,
            }
        ],
        "document_number": number,
        "effective_on": effective and str(effective),
        "end_page": page + 3,
        "excerpts": abstract_or_none and f"{abstract_or_none[:180]}...",
        "executive_order_notes": None,
        "executive_order_number": None,
        "full_text_xml_url": f"https://{HOSTS[0]}/documents/full_text/xml/{day:%Y/%m/%d}/{number}.xml",
        "html_url": f"https://{HOSTS[0]}/documents/{day:%Y/%m/%d}/{number}/{slug}",
        "images": {},
        "images_metadata": {},
        "json_url": f"https://{HOSTS[0]}/api/v1/documents/{number}?publication_date={day}",
        "mods_url": f"https://www.govinfo.gov/metadata/granule/FR-{day}/{number}/mods.xml",
        "page_length": 4,
        "page_views": {"count": views, "last_updated": f"{world.day()} 20:15:06 -0500"},
        "pdf_url": f"https://www.govinfo.gov/content/pkg/FR-{day}/pdf/{number}.pdf",
        "president": {"identifier": "practice-president", "name": "Practice President"},
        "presidential_document_number": None,
        "proclamation_number": None,
        "public_inspection_pdf_url": f"https://public-inspection.federalregister.gov/{number}.pdf?1703857512",
        "publication_date": str(day),
        "raw_text_url": f"https://{HOSTS[0]}/documents/full_text/text/{day:%Y/%m/%d}/{number}.txt",
        "regulation_id_number_info": {
            rin: {
                "issue": f"{day.year}04",
                "html_url": f"https://{HOSTS[0]}/regulations/{rin}/{slug}",
                "title": subject,
                "xml_url": f"http://www.reginfo.gov/public/do/eAgendaViewRule?pubId={day.year}04&RIN={rin}",
                "priority_category": "Other Significant",
            }
        }
        if kind in {"RULE", "PRORULE"}
        else {},
        "regulation_id_numbers": [rin] if kind in {"RULE", "PRORULE"} else [],
        "regulations_dot_gov_info": {
            "supporting_documents": supporting,
            "comments_count": world.night - 1,
            "agency_id": letters,
            "comments_url": f"https://www.regulations.gov/docketBrowser?D={docket}",
            "supporting_documents_count": 1,
            "docket_id": docket,
            "document_id": f"{docket}-0001",
            "regulation_id_number": None,
            "title": subject,
            "checked_regulationsdotgov_at": f"{world.day()}T16:00:12Z",
        },
        "regulations_dot_gov_url": comment_url,
        "significant": None if kind == "NOTICE" else dice.random() < 0.2,
        "signing_date": None,
        "start_page": page,
        "subtype": None,
        "title": f"{subject}; Correction" if corrects else subject,
        "toc_doc": subject,
        "toc_subject": None,
        "topics": [] if kind == "NOTICE" else list(topics),
        "type": TYPES[kind],
        "volume": day.year - 1935,
    }


def _dates(comments: date | None, effective: date | None) -> str | None:
    if comments:
        return f"Comments must be received on or before {comments:%B} {comments.day}, {comments.year}."
    if effective:
        return f"This rule is effective {effective:%B} {effective.day}, {effective.year}."
    return None


def _type(world: World, index: int) -> str:
    kinds = ("RULE", "RULE", "PRORULE", "PRORULE", "NOTICE", "NOTICE", "NOTICE")
    return kinds[world.pick(SOURCE, index - 7 * world.is_correction(index), "type", len(kinds))]


def _found(request: Request, world: World) -> Sequence[int]:
    """Indices the conditions select, the oldest first. Raises ValueError for a date that is none."""
    first, last = date(1994, 1, 1), world.day()
    if day := request.first("conditions[publication_date][is]"):
        first = last = date.fromisoformat(day)
    if day := request.first("conditions[publication_date][gte]"):
        first = date.fromisoformat(day)
    if day := request.first("conditions[publication_date][lte]"):
        last = date.fromisoformat(day)
    if year := request.first("conditions[publication_date][year]"):
        first, last = date(int(year), 1, 1), date(int(year), 12, 31)
    found: Sequence[int] = world.published_between(SOURCE, first, last)
    if kinds := request.query.get("conditions[type][]"):
        found = [index for index in found if _type(world, index) in kinds]
    if slugs := request.query.get("conditions[agencies][]"):
        rows = ((index, document(world, world.item(SOURCE, index))) for index in found)
        found = [index for index, row in rows if row["agencies"][0]["slug"] in slugs]
    if words := request.first("conditions[term]").casefold():
        rows = ((index, document(world, world.item(SOURCE, index))) for index in found)
        found = [index for index, row in rows if words in f"{row['title']} {row['abstract']}".casefold()]
    return found


def _index_of(number: str, world: World) -> int | None:
    asked = re.fullmatch(r"(?:C1-)?(\d{4})-(\d{5,})", number)
    if not asked:
        return None
    year = int(asked[1])
    numbered = world.published_between(SOURCE, date(year, 1, 1), date(year, 12, 31))
    index = (numbered.start + int(asked[2]) - 10001) + 7 * number.startswith("C1-")
    return index if 0 <= index < world.total(SOURCE) and world.key(SOURCE, index) == number else None


def _next_page_url(request: Request, page: int) -> str:
    kept = {name: values for name, values in sorted(request.query.items()) if name not in {"page", "format"}}
    question = urlencode(kept | {"format": ["json"], "page": [str(page)]}, doseq=True)
    return f"https://{HOSTS[0]}/api/v1/documents?{question}"


def _json(content: Any, world: World) -> Answer:
    return Answer(
        body=orjson.dumps(content),
        content_type="application/json; charset=utf-8",
        modified=world.updated_at(),
        compress=True,
    )
