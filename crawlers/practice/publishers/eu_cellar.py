"""CELLAR of the EU Publications Office: a SPARQL endpoint that lists items, and the items themselves.

Every act has two items, Formex (…0006.02/DOC_1; bare, or zipped where Accept asks for it) and XHTML (…0006.03/DOC_1), and
a dissemination notice at its CELEX. What the endpoint understands of SPARQL: see `crawlers.practice.sparql`.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

import orjson

from crawlers.practice.exchange import Answer, Request, moved, not_found
from crawlers.practice.sparql import Facts, QueryError, solutions
from crawlers.practice.world import Item, World

HOSTS = ("publications.europa.eu",)
SOURCE = "eu_cellar"
RESOURCE = "http://publications.europa.eu/resource"
XSD = "http://www.w3.org/2001/XMLSchema#"
SCHEMA = "http://formex.publications.europa.eu/schema/formex-06.00-20210715.xd"
FORMATS = {"02": "fmx4", "03": "xhtml"}
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
SUBJECTS = (
    ("on the safety of toys", "toys", "EN 71-1:2014", "toy safety"),
    ("concerning batteries and waste batteries", "batteries and power banks", "IEC 62133-2:2017", "electric battery"),
    ("on packaging and packaging waste", "packaging placed on the market", "EN 13430:2004", "packaging"),
    ("laying down harmonised rules on artificial intelligence in products", "AI systems", "ISO/IEC 42001:2023",
     "artificial intelligence"),
    ("on the restriction of hazardous substances in electrical and electronic equipment", "electrical equipment",
     "IEC 62321-3-1:2013", "dangerous substance"),
    ("on machinery products", "machinery", "EN ISO 12100:2010", "machinery"),
    ("setting maximum levels for certain contaminants in food", "foodstuffs", "EN 14123:2007", "foodstuff"),
    ("on plastic materials and articles intended to come into contact with food", "food contact materials", "EN 1186-1:2002",
     "food contact materials"),
    ("on ecodesign requirements for external power supplies", "chargers", "EN 50563:2011", "ecodesign"),
    ("on cosmetic products as regards prohibited substances", "cosmetics", "ISO 17516:2014", "cosmetic product"),
)  # fmt: skip


class Kind(NamedTuple):
    """A kind of act. eli: its word in the European Legislation Identifier."""

    name: str
    resource_type: str
    eli: str
    institution: str


PARLIAMENT = "THE EUROPEAN PARLIAMENT AND THE COUNCIL OF THE EUROPEAN UNION"
COMMISSION = "THE EUROPEAN COMMISSION"
KINDS = {
    "R": (
        Kind("Regulation (EU) {} of the European Parliament and of the Council", "REG", "reg", PARLIAMENT),
        Kind("Commission Implementing Regulation (EU) {}", "REG_IMPL", "reg_impl", COMMISSION),
        Kind("Commission Delegated Regulation (EU) {}", "REG_DEL", "reg_del", COMMISSION),
    ),
    "L": (Kind("Directive (EU) {} of the European Parliament and of the Council", "DIR", "dir", PARLIAMENT),),
    "D": (Kind("Commission Implementing Decision (EU) {}", "DEC_IMPL", "dec_impl", COMMISSION),),
}


class Act(NamedTuple):
    """One act as all its pages print it. adopted, published, in_force: days."""

    celex: str
    number: str
    serial: int
    kind: Kind
    subject: str
    goods: str
    standard: str
    concept: str
    adopted: date
    published: date
    in_force: date
    uuid: str

    @property
    def name(self) -> str:
        return self.kind.name.format(self.number)

    @property
    def title(self) -> str:
        return f"{self.name} of {_long(self.adopted)} {self.subject}"

    @property
    def word(self) -> str:
        """'Regulation', 'Directive' or 'Decision'."""
        return next(word for word in ("Regulation", "Directive", "Decision") if word in self.name)

    @property
    def eli(self) -> str:
        return f"http://data.europa.eu/eli/{self.kind.eli}/{self.adopted.year}/{self.serial}/oj"

    @property
    def articles(self) -> list[tuple[str, list[str]]]:
        """Heading and paragraphs of every article."""
        return [
            (
                "Subject matter and scope",
                [
                    f"This {self.word} lays down requirements for {self.goods} that are placed on the market of the Union, "
                    "wherever they were made.",
                    "It applies without prejudice to Regulation (EU) 2023/988.",
                ],
            ),
            (
                "Conformity",
                [
                    f"{self.goods[0].upper()}{self.goods[1:]} that conform to the standard {self.standard} are presumed to "
                    f"conform to this {self.word}.",
                ],
            ),
            (
                "Entry into force",
                [
                    f"This {self.word} shall enter into force on {_long(self.in_force)}, after its publication in the "
                    "Official Journal of the European Union.",
                ],
            ),
        ]


def respond(request: Request, world: World) -> Answer:
    """Answer a query, an item or a notice."""
    path = unquote(request.path)
    if path == "/webapi/rdf/sparql":
        query = request.first("query") or parse_qs(request.body.decode("utf-8", "replace")).get("query", [""])[0]
        return _sparql(query, world)
    accept = request.headers.get("accept", "")
    if asked := re.fullmatch(r"/resource/cellar/([0-9a-f]{8})([0-9a-f-]{28})\.0006\.0([23])/DOC_1", path):
        index = world.decipher(SOURCE, asked[1])
        if index >= world.total(SOURCE) or _uuid(world, index) != asked[1] + asked[2]:
            return not_found()
        return _item(act(world, world.item(SOURCE, index)), "0" + asked[3], accept, world)
    if asked := re.fullmatch(r"/resource/celex/(\w+)", path):
        index_or_none = _index_of(asked[1], world)
        if index_or_none is None:
            return not_found()
        known = act(world, world.item(SOURCE, index_or_none))
        if "notice=" in accept:
            return _xml(_notice(known, accept.partition("notice=")[2].split(",")[0].split(";")[0].strip()), world)
        item = "02" if "fmx4" in accept or "zip" in accept else "03"
        return moved(f"{RESOURCE}/cellar/{known.uuid}.0006.{item}/DOC_1", 303)
    return not_found()


def act(world: World, item: Item) -> Act:
    """One act; it never changes."""
    dice = item.random()
    letter = world.act_letter(item.index)
    subject, products, standard, concept = dice.choice(SUBJECTS)
    serial = int(item.key[6:])
    adopted = item.published - timedelta(days=dice.randrange(2, 10))
    year = item.published.year
    adopted = max(adopted, date(year, 1, 1))
    return Act(
        celex=item.key,
        number=f"{year}/{serial}",
        serial=serial,
        kind=dice.choice(KINDS[letter]),
        subject=subject,
        goods=products,
        standard=standard,
        concept=concept,
        adopted=adopted,
        published=item.published,
        in_force=item.published + timedelta(days=20),
        uuid=_uuid(world, item.index),
    )


def _uuid(world: World, index: int) -> str:
    rest = f"{world.pick(SOURCE, index, 'uuid', 16**12):012x}"
    return f"{world.cipher(SOURCE, index)}-{rest[:4]}-11f0-{rest[4:8]}-{rest[8:]}01aa75ed"


def _index_of(celex: str, world: World) -> int | None:
    asked = re.fullmatch(r"3(\d{4})[RLD](\d{4,})", celex)
    if not asked:
        return None
    year = int(asked[1])
    index = world.published_between(SOURCE, date(year, 1, 1), date(year, 12, 31)).start + int(asked[2]) - 1
    return index if 0 <= index < world.total(SOURCE) and world.key(SOURCE, index) == celex else None


def _sparql(query: str, world: World) -> Answer:
    try:
        variables, rows = solutions(query, lambda first, last: _all_facts(world, first, last))
    except QueryError as error:
        text = f"Virtuoso 37000 Error SP030: SPARQL compiler, {error}\n\nSPARQL query:\n{query}"
        return Answer(status=400, body=text.encode("utf-8"), content_type="text/plain; charset=utf-8")
    bindings = [{name: row[name] for name in variables if name in row} for row in rows]
    results = {"distinct": False, "ordered": True, "bindings": bindings}
    content = {"head": {"link": [], "vars": variables}, "results": results}
    body = orjson.dumps(content, option=orjson.OPT_INDENT_2)
    return Answer(body=body, content_type="application/sparql-results+json", compress=True)


def _all_facts(world: World, first: date, last: date) -> Iterator[Facts]:
    """What the endpoint knows of every item of the acts that were changed in a range of days."""
    for index in world.published_between(SOURCE, first, last):
        known = act(world, world.item(SOURCE, index))
        yield from (_facts(known, number, form) for number, form in FORMATS.items())


def _facts(known: Act, number: str, form: str) -> Facts:
    """Predicate -> (subject, object) for one item of an act."""
    work = _uri(f"{RESOURCE}/cellar/{known.uuid}")
    expression = _uri(f"{RESOURCE}/cellar/{known.uuid}.0006")
    manifestation = _uri(f"{RESOURCE}/cellar/{known.uuid}.0006.{number}")
    item = _uri(f"{RESOURCE}/cellar/{known.uuid}.0006.{number}/DOC_1")
    changed = f"{known.published}T06:00:00.000+01:00"
    authority = f"{RESOURCE}/authority"
    return {
        "resource_legal_id_celex": (work, _typed(known.celex, "string")),
        "work_date_document": (work, _typed(str(known.adopted), "date")),
        "work_date_creation": (work, _typed(str(known.published), "date")),
        "lastModificationDate": (work, _typed(changed, "dateTime")),
        "work_has_resource-type": (work, _uri(f"{authority}/resource-type/{known.kind.resource_type}")),
        "resource_legal_in-force": (work, _typed("1", "boolean")),
        "resource_legal_date_entry-into-force": (work, _typed(str(known.in_force), "date")),
        "sameAs": (work, _uri(f"{RESOURCE}/celex/{known.celex}")),
        "expression_belongs_to_work": (expression, work),
        "work_has_expression": (work, expression),
        "expression_uses_language": (expression, _uri(f"{authority}/language/ENG")),
        "expression_title": (expression, {"type": "literal", "xml:lang": "en", "value": known.title}),
        "manifestation_manifests_expression": (manifestation, expression),
        "expression_manifested_by_manifestation": (expression, manifestation),
        "manifestation_type": (manifestation, _typed(form, "string")),
        "item_belongs_to_manifestation": (item, manifestation),
        "manifestation_has_item": (manifestation, item),
    }


def _uri(value: str) -> dict[str, str]:
    return {"type": "uri", "value": value}


def _typed(value: str, name: str) -> dict[str, str]:
    return {"type": "typed-literal", "datatype": XSD + name, "value": value}


# The items and the notice.


def _item(known: Act, number: str, accept: str, world: World) -> Answer:
    if number == "03":
        body = _xhtml(known).encode("utf-8")
        return Answer(
            body=body, content_type="application/xhtml+xml;charset=UTF-8", modified=world.updated_at(), compress=True
        )
    if "zip" not in accept:
        return _xml(_formex(known), world)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in (
            (f"{_file(known)}.doc.fmx.xml", _descriptor(known)),
            (f"{_file(known)}.000101.fmx.xml", _formex(known)),
        ):
            package.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), DECLARATION + text, zipfile.ZIP_DEFLATED)
    return Answer(body=packed.getvalue(), content_type="application/zip;mtype=fmx4", modified=world.updated_at())


DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def _xml(root: str, world: World) -> Answer:
    body = (DECLARATION + root).encode("utf-8")
    return Answer(body=body, content_type="application/xml;charset=UTF-8", modified=world.updated_at(), compress=True)


def _file(known: Act) -> str:
    return f"L_{known.adopted.year}{known.serial:05d}EN"


def _number(known: Act) -> str:
    year, serial = known.number.split("/")
    return f'<NO.DOC FORMAT="YN" TYPE="OJ"><COM>EU</COM><YEAR>{year}</YEAR><NO.CURRENT>{serial}</NO.CURRENT></NO.DOC>'


def _date(day: date, text: str) -> str:
    return f'<DATE ISO="{day:%Y%m%d}">{text}</DATE>'


def _formex(known: Act) -> str:
    """The act as Formex 6."""
    articles = ""
    for place, (heading, paragraphs) in enumerate(known.articles, 1):
        numbered = "".join(
            f'<PARAG IDENTIFIER="{place:03d}.{n:03d}"><NO.PARAG>{n}.</NO.PARAG><ALINEA>{escape(text)}</ALINEA></PARAG>'
            for n, text in enumerate(paragraphs, 1)
        )
        opening = f'<ARTICLE IDENTIFIER="{place:03d}"><TI.ART>Article {place}</TI.ART><STI.ART>{heading}</STI.ART>'
        articles += f"{opening}{numbered}</ARTICLE>"
    recitals = "".join(
        f"<CONSID><NP><NO.P>({place})</NO.P><TXT>{text}</TXT></NP></CONSID>"
        for place, text in enumerate(_recitals(known), 1)
    )
    note = (
        '<NOTE NOTE.ID="E0001" NUMBERING="ARAB" TYPE="FOOTNOTE"><P><REF.DOC.OJ COLL="L" DATE.PUB="20230523" NO.OJ="135" '
        'PAGE.FIRST="1">Regulation (EU) 2023/988, OJ L 135, 23.5.2023, p. 1</REF.DOC.OJ>.</P></NOTE>'
    )
    return (
        f'<ACT xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="{SCHEMA}" NNC="YES">'
        f'<BIB.INSTANCE><DOCUMENT.REF FILE="{_file(known)}.doc.fmx.xml"><COLL>L</COLL>{_number(known)}<LG.OJ>EN</LG.OJ>'
        "<PAGE.FIRST>1</PAGE.FIRST><PAGE.SEQ>1</PAGE.SEQ><VOLUME.REF>01</VOLUME.REF></DOCUMENT.REF>"
        f"{_date(known.adopted, f'{known.adopted:%Y%m%d}')}<LG.DOC>EN</LG.DOC><NO.SEQ>0001</NO.SEQ>"
        "<PAGE.FIRST>1</PAGE.FIRST><PAGE.SEQ>1</PAGE.SEQ><PAGE.LAST>3</PAGE.LAST><PAGE.TOTAL>3</PAGE.TOTAL>"
        f"{_number(known)}</BIB.INSTANCE><TITLE><TI><P>{escape(known.name)}</P>"
        f"<P>of {_date(known.adopted, _long(known.adopted))}</P><P>{escape(known.subject)}</P></TI></TITLE>"
        f"<PREAMBLE><PREAMBLE.INIT>{known.kind.institution},</PREAMBLE.INIT><GR.VISA><VISA>Having regard to the Treaty on the "
        f"Functioning of the European Union, and in particular Article 114 thereof{note},</VISA></GR.VISA><GR.CONSID>"
        f"<GR.CONSID.INIT>Whereas:</GR.CONSID.INIT>{recitals}</GR.CONSID><PREAMBLE.FINAL>HAVE ADOPTED THIS "
        f"{known.word.upper()}:</PREAMBLE.FINAL></PREAMBLE><ENACTING.TERMS>{articles}</ENACTING.TERMS><FINAL>"
        f"<P>This {known.word} shall be binding in its entirety.</P><SIGNATURE><PL.DATE><P>Done at Brussels, "
        f'{_date(known.adopted, _long(known.adopted))}.</P></PL.DATE><SIGNATORY><P><HT TYPE="ITALIC">The President</HT></P>'
        "</SIGNATORY></SIGNATURE></FINAL></ACT>"
    )


def _descriptor(known: Act) -> str:
    return (
        f'<DOC xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="{SCHEMA}"><BIB.DOC>'
        f'{_number(known)}<NO.ELI ID="{known.eli}">ELI:{known.eli}</NO.ELI></BIB.DOC>'
        f'<PUBLICATION.REF FILE="{_file(known)}.toc.fmx.xml"><COLL>L</COLL>{_number(known)}'
        f"{_date(known.published, f'{known.published:%Y%m%d}')}<LG.OJ>EN</LG.OJ><VOLUME.REF>01</VOLUME.REF></PUBLICATION.REF>"
        '<FMX><DOC.MAIN.PUB NO.SEQ="0001" SYNOPTISM="D0001"><LG.DOC>EN</LG.DOC>'
        f"{_date(known.adopted, f'{known.adopted:%Y%m%d}')}<PAGE.FIRST>1</PAGE.FIRST><PAGE.LAST>3</PAGE.LAST>"
        f'<PAGE.TOTAL>3</PAGE.TOTAL><PAGE.SEQ>1</PAGE.SEQ><REF.PHYS FILE="{_file(known)}.000101.fmx.xml" TYPE="DOC.XML"/>'
        "</DOC.MAIN.PUB></FMX></DOC>"
    )


def _recitals(known: Act) -> list[str]:
    return [
        f"Accidents with {known.goods} have been notified through Safety Gate, half of them with imported products.",
        f"The standard {known.standard} describes the state of the art.",
    ]


def _xhtml(known: Act) -> str:
    """The act as the Official Journal's XHTML."""
    published = f"{known.published.day}.{known.published.month}.{known.published.year}"
    recitals = "".join(
        f"""
            <div class="eli-subdivision" id="rct_{place}">
               <table width="100%" border="0" cellspacing="0" cellpadding="0">
                  <col width="4%"/>
                  <col width="96%"/>
                  <tbody>
                     <tr>
                        <td valign="top"  >
                           <p class="oj-normal">({place})</p>
                        </td>
                        <td valign="top"  >
                           <p class="oj-normal">{text}</p>
                        </td>
                     </tr>
                  </tbody>
               </table>
            </div>"""
        for place, text in enumerate(_recitals(known), 1)
    )
    articles = "".join(
        f"""
               <div class="eli-subdivision" id="art_{place}">
                  <p id="d1e{place}-1-1" class="oj-ti-art">Article {place}</p>
                  <div class="eli-title" id="art_{place}.tit_1">
                     <p class="oj-sti-art">{heading}</p>
                  </div>"""
        + "".join(
            f"""
                  <div id="{place:03d}.{number:03d}">
                     <p class="oj-normal">{number}.   {escape(text)}</p>
                  </div>"""
            for number, text in enumerate(paragraphs, 1)
        )
        + """
               </div>"""
        for place, (heading, paragraphs) in enumerate(known.articles, 1)
    )
    return XHTML.format(
        file=f"{_file(known)}.000101.fmx.xml",
        number=known.number,
        published=published,
        name=escape(known.name.upper()),
        adopted=_long(known.adopted),
        subject=escape(known.subject),
        institution=known.kind.institution,
        recitals=recitals,
        word=known.word,
        shouted=known.word.upper(),
        articles=articles,
        eli=known.eli,
    )


XHTML = """<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML//EN" "xhtml-strict.dtd"><html xmlns="http://www.w3.org/1999/xhtml"><head>
      <meta http-equiv="content-type" content="text/html; charset=utf-8"/>
      <link type="text/css" rel="stylesheet" href="oj-convex-act.css"/>
      <title>{file}</title>
   </head>
   <body>
      <table width="100%" border="0" cellspacing="0" cellpadding="0">
         <tbody>
            <tr>
               <td  >
                  <img alt="European flag" src="europeanflag.gif" height="40pt" width="60pt"/>
               </td>
               <td  >
                  <p class="oj-hd-ti">Official Journal <br/>of the European Union</p>
               </td>
               <td  >
                  <p class="oj-hd-lg">EN</p>
                  <p class="oj-hd-coll">Series L</p>
               </td>
            </tr>
         </tbody>
      </table>
      <hr class="oj-separator"/>
      <table width="100%" border="0" cellspacing="0" cellpadding="0">
         <tbody>
            <tr>
               <td  >
                  <p class="oj-hd-uniq">{number}</p>
               </td>
               <td  >
                  <p class="oj-hd-date">{published}</p>
               </td>
            </tr>
         </tbody>
      </table>
      <div class="eli-container">
         <div class="eli-main-title" id="tit_1">
            <p class="oj-doc-ti" id="d1e42-1-1">
            {name}
         </p>
            <p class="oj-doc-ti">of {adopted}
         </p>
            <p class="oj-doc-ti">{subject}</p>
         </div>
         <div class="eli-subdivision" id="pbl_1">
            <p class="oj-normal">{institution},</p>
            <div class="eli-subdivision" id="cit_1">
               <p class="oj-normal">Having regard to the Treaty on the Functioning of the European Union, and in particular Article 114 thereof <a id="ntc1-E0001" href="#ntr1-E0001">(<span class="oj-super oj-note-tag">1</span>)</a>,</p>
            </div>
            <p class="oj-normal">Whereas:</p>{recitals}
            <p class="oj-normal">HAVE ADOPTED THIS {shouted}:</p>
         </div>
         <div class="eli-subdivision" id="enc_1">{articles}
         </div>
         <div class="eli-subdivision" id="fnp_1">
            <div class="oj-final">
               <p class="oj-normal">This {word} shall be binding in its entirety.</p>
               <p class="oj-normal">Done at Brussels, {adopted}.</p>
               <div class="oj-signatory">
                  <p class="oj-signatory">
                     <span class="oj-italic">The President</span>
                  </p>
               </div>
            </div>
         </div>
         <hr class="oj-note"/>
         <p class="oj-note"><a id="ntr1-E0001" href="#ntc1-E0001">(<span class="oj-super">1</span>)</a>  Regulation (EU) 2023/988, OJ L 135, 23.5.2023, p. 1.</p>
      </div>
      <hr class="oj-separator"/>
      <p class="oj-normal">ELI: {eli}</p>
      <p class="oj-normal">ISSN 1977-0677 (electronic edition)</p>
      <hr class="oj-doc-end"/>
   </body>
</html>
"""  # noqa: E501 - the journal prints long lines


def _notice(known: Act, kind: str) -> str:
    """The dissemination notice of the work and its English expression."""
    work = f"{RESOURCE}/cellar/{known.uuid}"
    institution = (
        ("EP", "European Parliament") if known.kind.institution == PARLIAMENT else ("COM", "European Commission")
    )
    return (
        f'<NOTICE decoding="eng" type="{escape(kind or "branch")}"><WORK>{_address(work, known.uuid, "cellar")}'
        f"<SAMEAS>{_address(f'{RESOURCE}/celex/{known.celex}', known.celex, 'celex')}</SAMEAS>"
        + _concept("WORK_CREATED_BY_AGENT", "corporate-body", *institution)
        + _concept("WORK_HAS_RESOURCE-TYPE", "resource-type", known.kind.resource_type, known.word)
        + '<WORK_IS_ABOUT_CONCEPT_EUROVOC type="concept_facet">'
        + _concept("WORK_IS_ABOUT_CONCEPT_EUROVOC_CONCEPT", "EUROVOC", "1837", known.concept)
        + "</WORK_IS_ABOUT_CONCEPT_EUROVOC>"
        + "".join(
            f'<{name} type="data"><VALUE>{value}</VALUE></{name}>'
            for name, value in (
                ("ID_SECTOR", "3"),
                ("ID_CELEX", known.celex),
                ("RESOURCE_LEGAL_ID_CELEX", known.celex),
                ("RESOURCE_LEGAL_YEAR", str(known.adopted.year)),
                ("VERSION", "final"),
            )
        )
        + _day("WORK_DATE_DOCUMENT", known.adopted)
        + _day("DATE_DOCUMENT", known.adopted)
        + _day("LASTMODIFICATIONDATE", known.published)
        + "<TYPE>cdm:act_legal</TYPE></WORK><EXPRESSION>"
        + _address(f"{work}.0006", f"{known.uuid}.0006", "cellar")
        + '<LANG type="data"><VALUE>eng</VALUE></LANG><EXPRESSION_TITLE type="data">'
        + f"<VALUE>{escape(known.title)}</VALUE><LANG>en</LANG></EXPRESSION_TITLE>"
        + _concept("EXPRESSION_USES_LANGUAGE", "language", "ENG", "English")
        + f'<TITLE type="data"><VALUE>{escape(known.title)}</VALUE><LANG>en</LANG></TITLE></EXPRESSION></NOTICE>'
    )


def _address(value: str, identifier: str, kind: str) -> str:
    return f"<URI><VALUE>{value}</VALUE><IDENTIFIER>{identifier}</IDENTIFIER><TYPE>{kind}</TYPE></URI>"


def _concept(name: str, kind: str, code: str, label: str) -> str:
    address = _address(f"{RESOURCE}/authority/{kind}/{code}", code, kind)
    return (
        f'<{name} type="concept">{address}<OP-CODE>{code}</OP-CODE><IDENTIFIER>{code}</IDENTIFIER>'
        f"<PREFLABEL>{escape(label)}</PREFLABEL></{name}>"
    )


def _day(name: str, day: date) -> str:
    return (
        f'<{name} type="date"><VALUE>{day}</VALUE><YEAR>{day.year}</YEAR><MONTH>{day.month:02d}</MONTH>'
        f"<DAY>{day.day:02d}</DAY></{name}>"
    )


def _long(day: date) -> str:
    """'13 March 2024'."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
