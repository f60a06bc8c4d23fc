"""Acts and proposals of the European Union, CELLAR of the Publications Office."""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from bs4 import BeautifulSoup
from lxml import etree

from crawlers.families.json_rows import answer, calendar_months, listed, names
from crawlers.fields import printed
from crawlers.page import Draft, Finding, Follow, NotThePage, UnreadablePage, as_html, as_xml
from crawlers.spider import SourceSpider
from library.page import Page

ENDPOINT = "https://publications.europa.eu/webapi/rdf/sparql"
AUTHORITY = "http://publications.europa.eu/resource/authority"
NOTICE = "http://publications.europa.eu/resource/celex/{}"
FOR_PEOPLE = "https://eur-lex.europa.eu/legal-content/EN/TXT/?uri={}"
ROWS = 500
REREAD_DAYS = 3
UNZIPPED_LIMIT_BYTES = 64 * 1024 * 1024
TYPES = "REG REG_IMPL REG_DEL DIR DIR_IMPL DIR_DEL DEC DEC_IMPL DEC_DEL PROP_REG PROP_DIR PROP_DEC"
QUERY = """
PREFIX cdm: <http://publications.europa.eu/ontology/cdm#>
PREFIX cmr: <http://publications.europa.eu/ontology/cdm/cmr#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
SELECT DISTINCT ?celex ?cellarURIs ?manif ?format ?expr WHERE {{
  ?work cdm:resource_legal_id_celex ?celex ; cdm:work_has_resource-type ?type ; cmr:lastModificationDate ?modified .
  FILTER(?type IN ({types}))
  FILTER(?modified >= "{first}T00:00:00Z"^^xsd:dateTime && ?modified < "{after}T00:00:00Z"^^xsd:dateTime)
  ?expr cdm:expression_belongs_to_work ?work ; cdm:expression_uses_language <{authority}/language/ENG> .
  ?manif cdm:manifestation_manifests_expression ?expr ; cdm:manifestation_type ?format .
  FILTER(STR(?format) IN ("fmx4", "xhtml"))
  ?cellarURIs cdm:item_belongs_to_manifestation ?manif .
}} ORDER BY ?celex ?cellarURIs LIMIT {rows} OFFSET {offset}
"""

# elements of Formex that are paragraphs of their own
BLOCKS = names(
    "P TXT VISA CONSID ALINEA PARAG NP NO.P NO.PARAG TI STI TI.ART STI.ART ARTICLE ITEM CELL ROW PREAMBLE.INIT "
    "PREAMBLE.FINAL GR.CONSID.INIT GR.SEQ LIST DLIST.ITEM TERM DEFINITION SIGNATORY"
)
# the numbers that stand before a paragraph in a cell or an element of their own: '(1)', '2.', '(a)', '—'
NUMBER = re.compile(r"\(?(?:\d{1,3}|[a-zA-Z]{1,2}|[ivxlc]{1,6}|[IVXLC]{1,6})[.)]|\d{1,3}|[—–-]")
ACT_NUMBER = (
    r"(?:\((?:EU|EC|EEC|CFSP|Euratom)(?:, (?:EU|EC|Euratom))?\) (?:No )?\d+/\d+"
    r"|\d{2,4}/\d+/(?:EU|EC|EEC|JHA|CFSP|Euratom)\b)"
)
OWN_NUMBER = re.compile(
    rf"(?:\w+ ){{0,5}}(?:regulation|directive|decision|recommendation) ({ACT_NUMBER})", re.IGNORECASE
)
CITED_NUMBER = re.compile(ACT_NUMBER)
LETTERS = {"regulation": "R", "directive": "L", "decision": "D"}
COVER = names("Logo Emission Rfrenceinstitutionnelle cpMarking Statut Typedudocument_cp Titreobjet_cp")
WORK_KNOWN = names(
    "ID_CELEX RESOURCE_LEGAL_ID_CELEX SAMEAS ID_SECTOR WORK_DATE_DOCUMENT TITLE RESOURCE_LEGAL_IN-FORCE "
    "RESOURCE_LEGAL_DATE_ENTRY-INTO-FORCE RESOURCE_LEGAL_DATE_END-OF-VALIDITY WORK_CREATED_BY_AGENT "
    "WORK_HAS_RESOURCE-TYPE WORK_IS_ABOUT_CONCEPT_EUROVOC RESOURCE_LEGAL_IS_ABOUT_SUBJECT-MATTER "
    "RESOURCE_LEGAL_IS_ABOUT_CONCEPT_DIRECTORY-CODE"
) | names(
    # not used: the same once more under an older or wider name, keys, and dates of the editing
    "URI IDENTIFIER WORK_ID_DOCUMENT TYPE DATE DATE_DOCUMENT YEAR IS_ABOUT CREATED_BY BASED_ON VERSION CREATIONDATE "
    "DATE_CREATION_LEGACY LASTMODIFICATIONDATE SERVICE_RESPONSIBLE RESOURCE_LEGAL_INFORMATION_MISCELLANEOUS "
    "RESOURCE_LEGAL_NUMBER_NATURAL_CELEX RESOURCE_LEGAL_TYPE RESOURCE_LEGAL_YEAR RESOURCE_LEGAL_REPERTOIRE "
    "RESOURCE_LEGAL_DATE_DISPATCH RESOURCE_LEGAL_BASED_ON_CONCEPT_TREATY WORK_PART_OF_COLLECTION_DOCUMENT "
    "WORK_PART_OF_EVENT_LEGAL WORK_HAS_EXPRESSION"
)
DOSSIER_KNOWN = names(
    "DOSSIER_INITIATED_BY_ACT_PREPARATORY REFERENCE_PROCEDURE TITLE DATE CONTAINS DOSSIER_PRODUCES_RESOURCE_LEGAL "
    "DOSSIER_PENDING-PROPOSAL DOSSIER_WITHDRAWN-PROPOSAL DOSSIER_ADOPTED-PROPOSAL"
) | names(
    # not used: the same once more, keys, and dates of the editing
    "URI SAMEAS IDENTIFIER DOSSIER_IDENTIFIER TYPE DOSSIER_TITLE CREATIONDATE DATE_CREATION_LEGACY LASTMODIFICATIONDATE "
    "BASIS_LEGAL NUMBER_PROCEDURE PROCEDURE_CODE_INTERINSTITUTIONAL_NUMBER_PROCEDURE "
    "PROCEDURE_CODE_INTERINSTITUTIONAL_YEAR_PROCEDURE PROCEDURE_CODE_INTERINSTITUTIONAL_REFERENCE_PROCEDURE "
    "PROCEDURE_CODE_INTERINSTITUTIONAL_HAS_TYPE_CONCEPT_TYPE_PROCEDURE_CODE_INTERINSTITUTIONAL "
    "DOSSIER_TYPE_REFERENCE DOSSIER_NUMBER_REFERENCE DOSSIER_YEAR_REFERENCE"
)
NO_DATE = ("1001-01-01", "9999-12-31")


class EuCellar(SourceSpider):
    """Acts and proposals of the European Union, CELLAR.

    Pages       a SPARQL list of items by date of change; an act's text as Formex (bare or zipped with its annexes) or
                as XHTML; proposals as XHTML made from Word; dissemination notices (branch of a work, tree of a dossier)
    Dates       '20240313' in Formex, '22.3.2024' and '13 March 2024' in XHTML, '2018-05-28' in notices, where
                1001-01-01 and 9999-12-31 mean that there is none
    Reference   CELEX, '32024R0903': carried from the list, else made of the printed kind, year and number; a proposal
                without one as printed, 'COM(2025) 6 final'; a dossier has the CELEX of the proposal that began it
    Merged      the notice wins over XHTML, which holds the annexes, and XHTML over Formex. They show the same act, and
                one address shape serves both texts: the body tells which it is
    Text        recitals, articles and footnotes, one paragraph each; annexes where they come in the same file
    Gaps        Formex alone does not say when it was published; entry into force stands as a sentence in the last
                article, as a date in notices only. Annexes in files of their own are left out. English only
    """

    name = "eu_cellar"

    def begin(self, since: date, today: date) -> Iterator[Follow]:
        for first, last in calendar_months(since - timedelta(days=REREAD_DAYS), today):
            yield _query(first.isoformat(), (last + timedelta(days=1)).isoformat(), 0)

    def read(self, page: Page) -> Iterable[Finding]:
        match page.kind:
            case "query":
                return _items(page)
            case "notice":
                return [_from_notice(page)]
            case _:
                return [_from_text(page)]


def _query(first: str, after: str, offset: int) -> Follow:
    types = ", ".join(f"<{AUTHORITY}/resource-type/{name}>" for name in TYPES.split())
    query = QUERY.format(types=types, first=first, after=after, authority=AUTHORITY, rows=ROWS, offset=offset)
    asked = {"query": query, "format": "application/sparql-results+json"}
    carry = {"first": first, "after": after, "offset": str(offset)}
    return Follow(url=f"{ENDPOINT}?{urlencode(asked)}", kind="query", carry=carry)


def _items(page: Page) -> Iterator[Follow]:
    """Follow every item of the list, and the notice of every work, once."""
    if page.body.startswith(b"Virtuoso"):  # 'Virtuoso 42000 Error The estimated execution time … exceeds the limit'
        raise NotThePage("error", page.text.partition("\n")[0][:200])
    found = answer(page)
    if not isinstance(found, Mapping) or not isinstance(found.get("results"), Mapping):
        raise NotThePage("error", "a SPARQL result is due, and the site answered with something else")
    bindings = listed(found["results"], "bindings")
    if not bindings:
        raise NotThePage("empty", "no act was changed in the window that was asked for")
    rows = [{name: printed(listed(row, name)[0].get("value")) for name in row if listed(row, name)} for row in bindings]
    for row in rows:
        celex = {"celex": row["celex"]} if row.get("celex") else {}
        yield Follow(url=row.get("cellarURIs", ""), kind="item", carry=celex)
    for celex_number in dict.fromkeys(row["celex"] for row in rows if row.get("celex")):
        headers = {"Accept": "application/xml;notice=branch", "Accept-Language": "eng"}
        yield Follow(url=NOTICE.format(quote(celex_number)), kind="notice", headers=headers)
    if len(rows) == ROWS and page.carry.get("offset", "").isdigit():
        yield _query(page.carry["first"], page.carry["after"], int(page.carry["offset"]) + ROWS)


def _from_text(page: Page) -> Draft:
    if page.body.startswith(b"PK"):
        return _from_formex(page, _members(page))
    if b"<html" in page.body[:3000].lower():
        return _from_html(page)
    return _from_formex(page, [as_xml(page)])


def _members(page: Page) -> list[etree._Element]:
    """The XML files of a Formex package, the act before its annexes."""
    try:
        with zipfile.ZipFile(io.BytesIO(page.body)) as package:
            infos = [info for info in package.infolist() if info.filename.endswith(".xml")]
            if sum(info.file_size for info in infos) > UNZIPPED_LIMIT_BYTES:
                raise UnreadablePage(f"a package of more than {UNZIPPED_LIMIT_BYTES} bytes when unzipped")
            bodies = [package.read(info) for info in sorted(infos, key=lambda info: info.filename)]
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise UnreadablePage(f"no zip package: {error}") from error
    return [as_xml(replace(page, body=body)) for body in bodies]


def _from_formex(page: Page, members: list[etree._Element]) -> Draft:
    acts = [member for member in members if member.tag not in ("ANNEX", "DOC", "PUBLICATION")]
    if not acts:
        kinds = ", ".join(str(member.tag) for member in members)
        raise NotThePage(
            "empty", f"an annex, a descriptor or a table of contents alone, not an act: {kinds or 'no file'}"
        )
    act = acts[0]
    language = printed(act.findtext("BIB.INSTANCE/LG.DOC")).lower() or "en"
    title = _joined(_paragraphs(act.find("TITLE")))
    texts = [element for element in act if element.tag != "TITLE"]
    texts += [member for member in members if member.tag == "ANNEX"]
    notes = [_line("".join(map(str, note.itertext()))) for text in texts for note in text.iter("NOTE")]
    body = [paragraph for text in texts for paragraph in _paragraphs(text)] + notes
    celex = page.carry.get("celex") or _celex(title, act.find("BIB.INSTANCE//NO.DOC"))
    fields: dict[str, Any] = {
        "references": _references(title, celex),
        "titles": {language: title},
        "texts": [{"label": "body", "value": "\n\n".join(body), "language": language}] if body else [],
        "links": _link(celex and f"CELEX:{celex}"),
    }
    if (adopted := act.find("BIB.INSTANCE/DATE")) is not None:
        fields["adopted"] = printed(adopted.get("ISO"))
    if authority := printed(act.findtext("PREAMBLE/PREAMBLE.INIT")):
        fields["authority"] = authority.rstrip(",")
    for member in members:
        if member.tag == "DOC" and (published := member.find("PUBLICATION.REF/DATE")) is not None:
            fields["published"] = printed(published.get("ISO"))
    fields |= _cited(notes)
    return Draft(kind="regulation", key=celex, fields=fields, part="formex")


def _celex(title: str, number: etree._Element | None) -> str:
    """The CELEX of an act that does not print it: sector 3, year, letter of its kind, number in four digits."""
    kind = re.search("|".join(LETTERS), title[:120], re.IGNORECASE)
    if kind is None or number is None:
        return ""
    year, serial = printed(number.findtext("YEAR")), printed(number.findtext("NO.CURRENT"))
    return f"3{year.rjust(4, '?').replace('??', '19')}{LETTERS[kind[0].lower()]}{serial.zfill(4)}" if serial else ""


def _paragraphs(element: etree._Element | None) -> list[str]:
    """The text of a Formex element, one string a paragraph, numbers before what they number, footnotes left out."""
    return [] if element is None else list(_numbered(_blocks(element)))


def _blocks(root: etree._Element) -> Iterator[str]:
    parts: list[str] = []
    walker = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walker:
        tag = str(element.tag)
        if event == "start" and tag in ("NOTE", "BIB.INSTANCE"):
            walker.skip_subtree()
            continue
        if event in ("start", "end") and tag in BLOCKS:
            yield "".join(parts)
            parts = []
        if event == "start":
            parts.append(element.text or "")
            if tag in ("QUOT.START", "QUOT.END"):
                parts.append(chr(int(element.get("CODE", "2019"), 16)))
        elif element is not root:
            parts.append(element.tail or "")
    yield "".join(parts)


def _numbered(blocks: Iterable[str]) -> Iterator[str]:
    number = ""
    for block in map(_line, blocks):
        if NUMBER.fullmatch(block):
            number = f"{number} {block}".strip()
        elif block:
            yield f"{number} {block}".strip()
            number = ""
    if number:
        yield number


def _from_html(page: Page) -> Draft:
    if b"awsWafCookieDomainList" in page.body or b"/challenge.js" in page.body:
        raise NotThePage("challenge", "the site answered with a challenge of its firewall")
    tree = as_html(page)
    if tree.select_one("div.eli-main-title, p.oj-doc-ti"):
        return _from_journal(page, tree)
    if tree.select_one("p.Rfrenceinstitutionnelle"):
        return _from_proposal(page, tree)
    if tree.select_one("p.oj-normal, div.contentWrapper"):
        raise NotThePage("empty", "an annex alone, not an act")
    said = tree.title.get_text(strip=True) if tree.title else ""
    raise NotThePage("error", f"neither an act nor a proposal: the page is titled {said!r}")


def _from_journal(page: Page, tree: BeautifulSoup) -> Draft:
    language = _of(tree, "p.oj-hd-lg").lower() or "en"
    lines = _texts(tree, "div.eli-main-title p.oj-doc-ti") or _texts(tree, "p.oj-doc-ti")
    title = _joined(lines)
    published, notes = _of(tree, "p.oj-hd-date"), _texts(tree, "p.oj-note")
    skipped = tree.select("div.eli-main-title, p[class^=oj-hd], p.oj-note")
    for element in skipped:
        element.decompose()
    body = [*_numbered(block.get_text() for block in tree.select("p")), *notes]
    eli = next((line.removeprefix("ELI: ") for line in body if line.startswith("ELI: ")), "")
    celex = page.carry.get("celex") or _celex_of_eli(eli)
    fields: dict[str, Any] = {
        "references": _references(title, celex),
        "titles": {language: title},
        "texts": [{"label": "body", "value": "\n\n".join(body), "language": language}],
        "links": [*_link(celex and f"CELEX:{celex}"), {"url": page.url, "label": "full_text"}],
        "published": published,
    }
    # after the decomposition the first paragraph is the enacting formula, 'THE EUROPEAN COMMISSION,'
    if body and body[0].isupper():
        fields["authority"] = body[0].rstrip(",")
    if adopted := next((line[3:] for line in lines if re.fullmatch(r"of \d{1,2} \w+ \d{4}", line)), ""):
        fields["adopted"] = adopted
    fields |= _cited(notes)
    return Draft(kind="regulation", key=celex, fields=fields, part="xhtml")


def _celex_of_eli(eli: str) -> str:
    """'http://data.europa.eu/eli/reg_impl/2024/903/oj' is 32024R0903."""
    found = re.search(r"/eli/(?P<kind>reg|dir|dec)\w*/(?P<year>\d{4})/(?P<number>\d+)/", eli)
    letters = {"reg": "R", "dir": "L", "dec": "D"}
    return f"3{found['year']}{letters[found['kind']]}{found['number'].zfill(4)}" if found else ""


def _from_proposal(page: Page, tree: BeautifulSoup) -> Draft:
    number = _of(tree, "p.Rfrenceinstitutionnelle")
    procedure = _of(tree, "p.Rfrenceinterinstitutionnelle")
    title = _joined(_of(tree, f"p.{name}") for name in ("Statut", "Typedudocument_cp", "Titreobjet_cp"))
    emission, status, authority = (_of(tree, f"p.{name}") for name in ("Emission", "Statut", "Logo"))
    for numeral in tree.select("span.num"):
        numeral.append(" ")
    blocks = [
        block.get_text()
        for block in tree.select("p, dd")
        if not COVER.intersection(block.get_attribute_list("class")) and not block.find("p")
    ]
    celex = page.carry.get("celex", "")
    serial = re.search(r"\((\d{4})\)\s*(\d+)", number)
    address = f"COM:{serial[1]}:{serial[2]}:FIN" if serial else ""
    fields: dict[str, Any] = {
        "references": [reference for reference in (number, celex, procedure) if reference],
        "titles": {"en": title},
        "texts": [{"label": "body", "value": "\n\n".join(_numbered(blocks)), "language": "en"}],
        "published": emission.rpartition(", ")[2],  # 'Brussels, 13.1.2025'
        "status": status,
        "authority": authority,
        "links": [*_link(f"CELEX:{celex}" if celex else address), {"url": page.url, "label": "full_text"}],
    }
    fields |= _cited(_texts(tree, "dd"))
    return Draft(kind="regulation", key=celex or number, fields=fields, part="xhtml")


def _from_notice(page: Page) -> Draft:
    if b"<html" in page.body[:3000].lower():
        raise NotThePage("error", "the site answered with an HTML page where a notice is due")
    root = as_xml(page)
    if root.tag == "NOTICE" and (work := root.find("WORK")) is not None:
        return _from_work(root, work)
    if root.tag == "NOTICE" and (dossier := root.find("DOSSIER")) is not None:
        return _from_dossier(root, dossier)
    raise NotThePage("error", f"a notice of a work or a dossier is due, and the site answered with <{root.tag}>")


def _from_work(root: etree._Element, work: etree._Element) -> Draft:
    numbers = [
        printed(uri.findtext("IDENTIFIER")) for uri in work.iterfind("SAMEAS/URI") if uri.findtext("TYPE") == "immc"
    ]
    celex = (_values(work, "ID_CELEX") or _values(work, "RESOURCE_LEGAL_ID_CELEX") or [""])[0]
    titles = {
        next((code for code in _values(expression, "LANG") if len(code) == 2), "und"): title
        for expression in root.iterfind("EXPRESSION")
        for title in _values(expression, "EXPRESSION_TITLE")
    }
    if not titles:  # the work's own title may be in any language, and is French where there are others
        titles = dict(zip(("und",), _values(work, "TITLE"), strict=False))
    subjects = [
        *_labels(work, "WORK_IS_ABOUT_CONCEPT_EUROVOC/WORK_IS_ABOUT_CONCEPT_EUROVOC_CONCEPT"),
        *_labels(work, "RESOURCE_LEGAL_IS_ABOUT_SUBJECT-MATTER/RESOURCE_LEGAL_IS_ABOUT_SUBJECT-MATTER_1"),
        *_labels(work, "RESOURCE_LEGAL_IS_ABOUT_CONCEPT_DIRECTORY-CODE/*"),
    ]
    procedures = [_line(value.text) for value in work.iterfind("WORK_PART_OF_DOSSIER//REFERENCE_PROCEDURE/VALUE")]
    cites = [number for link in work.iterfind("*[@type='link']") for number in _celex_numbers(link) if number != celex]
    title = next(iter(titles.values()), "")
    fields: dict[str, Any] = {
        "references": list(dict.fromkeys([*_references(title, ""), *numbers, celex, *procedures])),
        "titles": titles,
        "texts": _subjects(subjects),
        "links": _link(celex and f"CELEX:{celex}"),
    }
    if cites:
        fields["cites"] = list(dict.fromkeys(cites))
    day = next(iter(_values(work, "WORK_DATE_DOCUMENT")), "")
    if day not in ("", *NO_DATE):
        fields["adopted"] = day
        if _values(work, "ID_SECTOR") == ["5"]:  # a preparatory document comes out on the day it is adopted
            fields["published"] = day
    if starts := [day for day in _values(work, "RESOURCE_LEGAL_DATE_ENTRY-INTO-FORCE") if day not in NO_DATE]:
        fields["in_force"] = min(starts)
    fields |= _state(work)
    if agents := _labels(work, "WORK_CREATED_BY_AGENT"):
        fields["authority"] = agents[0]
    if kinds := _labels(work, "WORK_HAS_RESOURCE-TYPE"):
        fields["classification"] = kinds[0]
    # links between documents are read whatever their name is
    unread = frozenset(str(child.tag) for child in work if child.get("type") != "link") - WORK_KNOWN
    return Draft(kind="regulation", key=celex or next(iter(numbers), ""), fields=fields, part="notice", unread=unread)


def _state(work: etree._Element) -> dict[str, str]:
    """Where a work stands, in words that the facts map; nothing where the notice says nothing."""
    ends = [day for day in _values(work, "RESOURCE_LEGAL_DATE_END-OF-VALIDITY") if day not in NO_DATE]
    if ends:
        return {"status": "end of validity", "status_since": max(ends)}
    if flags := _values(work, "RESOURCE_LEGAL_IN-FORCE"):
        return {"status": "in force" if flags[0] in ("true", "1") else "not in force"}
    return {"status": "preparatory act"} if _values(work, "ID_SECTOR") == ["5"] else {}


def _from_dossier(root: etree._Element, dossier: etree._Element) -> Draft:
    procedure = next(iter(_values(dossier, "REFERENCE_PROCEDURE")), "")
    beginning = dossier.find("DOSSIER_INITIATED_BY_ACT_PREPARATORY")
    celex = next(iter(_celex_numbers(beginning)), "") if beginning is not None else ""
    contained = [link for name in ("DOSSIER_PRODUCES_RESOURCE_LEGAL", "CONTAINS") for link in dossier.iterfind(name)]
    cites = [number for link in contained for number in _celex_numbers(link) if number != celex]
    # one title is marked 'fr' and written in English, so what says 'en' goes first
    said = [_line(title.findtext("VALUE")) for title in dossier.iterfind("TITLE") if title.findtext("LANG") == "en"]
    titles = {"en": said[0]} if said else dict(zip(("und",), _values(dossier, "TITLE"), strict=False))
    events = list(root.iterfind("EVENT"))
    steps = sorted(
        f"{_line(event.findtext('EVENT_LEGAL_DATE/VALUE'))} {label}"
        for event in events
        for label in _labels(event, "EVENT_LEGAL_HAS_TYPE_CONCEPT_TYPE_EVENT_LEGAL")
    )
    fields: dict[str, Any] = {
        "references": [reference for reference in (celex, procedure) if reference],
        "titles": titles,
        "texts": [{"label": "dates", "value": "\n\n".join(steps), "language": "en"}] if steps else [],
        "links": _link(celex and f"CELEX:{celex}"),
    }
    if cites:
        fields["cites"] = list(dict.fromkeys(cites))
    if days := [day for day in _values(dossier, "DATE") if day not in NO_DATE]:
        fields["published"] = days[0]
    for state in ("withdrawn", "adopted", "pending"):
        if _values(dossier, f"DOSSIER_{state.upper()}-PROPOSAL") == ["true"]:
            fields["status"] = f"{state} proposal"
            break
    agents = [agent for event in events for agent in _labels(event, "EVENT_LEGAL_INITIATED_BY_INSTITUTION")]
    if agents:
        fields["authority"] = agents[0]
    unread = frozenset(str(child.tag) for child in dossier) - DOSSIER_KNOWN
    return Draft(kind="regulation", key=celex or procedure, fields=fields, part="notice", unread=unread)


def _values(element: etree._Element, name: str) -> list[str]:
    return [value for found in element.iterfind(f"{name}/VALUE") if (value := _line(found.text))]


def _labels(element: etree._Element, path: str) -> list[str]:
    return list(dict.fromkeys(_line(label.text) for label in element.iterfind(f"{path}/PREFLABEL")))


def _celex_numbers(element: etree._Element) -> list[str]:
    """The CELEX numbers a link goes by; notices repeat every address a document has."""
    return [_line(uri.findtext("IDENTIFIER")) for uri in element.iter("URI") if uri.findtext("TYPE") == "celex"]


def _subjects(subjects: list[str]) -> list[dict[str, str]]:
    value = "; ".join(dict.fromkeys(subjects))
    return [{"label": "other", "value": value, "language": "en"}] if value else []


def _references(title: str, celex: str) -> list[str]:
    """The number people cite, '(EU) 2024/903', where the title begins with it, and the CELEX."""
    own = OWN_NUMBER.match(title)
    return [*([own[1]] if own else []), *([celex] if celex else [])]


def _cited(notes: Iterable[str]) -> dict[str, list[str]]:
    """The acts that footnotes are about: the first number of each, the others are acts that it amended."""
    found = (CITED_NUMBER.search(note) for note in notes)
    cites = list(dict.fromkeys(number[0] for number in found if number))
    return {"cites": cites} if cites else {}


def _link(uri: str) -> list[dict[str, str]]:
    """The page for people. uri: 'CELEX:32024R0903' or 'COM:2025:6:FIN', as EUR-Lex spells them."""
    return [{"url": FOR_PEOPLE.format(quote(uri, safe=":()")), "label": "original"}] if uri else []


def _of(tree: BeautifulSoup, selector: str) -> str:
    return next(iter(_texts(tree, selector)), "")


def _texts(tree: BeautifulSoup, selector: str) -> list[str]:
    return [_line(element.get_text()) for element in tree.select(selector)]


def _joined(lines: Iterable[str]) -> str:
    return " ".join(line for line in lines if line)


def _line(text: str | None) -> str:
    """A text on one line; titles of old dossiers hold '&#13;' as five letters."""
    return " ".join(html.unescape(text or "").split())
