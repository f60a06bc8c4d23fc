"""TBT and SPS notifications of WTO members, ePing: the site's search, and the sheets that people export from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from bs4 import BeautifulSoup
from openpyxl.utils.datetime import from_excel

from crawlers.families.json_rows import answer, calendar_months, listed, names, require_window
from crawlers.fields import printed
from crawlers.page import Draft, Finding, Follow, NotThePage, as_sheet
from crawlers.spider import SourceSpider
from library.page import Page

API = "https://epingalert.org/api/v1/azureSearch/getAll"
VIEW = "https://epingalert.org/en/Search?viewData={}"
PAGE_SIZE = 100
REREAD_DAYS = 10  # late entries carry the distribution date of the document

COLUMNS = {
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
}
ITEM_KNOWN = (
    names("documentSymbol notifyingMember notificationType distributionDate commentDeadlineDate title titlePlain")
    | names("description descriptionPlain productsFreeText productsFreeTextPlain hsCodes hsCodeText icsCodeText")
    | names(
        "objectives objectivesFreeText keywords spsKeywords countriesAffected notifiedDocumentLink linkToNotification"
    )
    | names("proposedAdoptionDate proposedAdoptionDateText proposedEntryIntoForceDate proposedEntryIntoForceDateText")
    # not used: keys of the database, TBT or SPS as the symbol says, a path on a file server, open or closed today
    | names("id notifyingMemberCode area dolLink isOpenForComments")
)
HYPERLINK = re.compile(r'=HYPERLINK\("(?P<url>[^"]*)"\s*,\s*"(?P<text>[^"]*)"\)')
# '8517 - Telephone sets, …; other apparatus …': titles hold '; ' too, so only what begins with digits is a code
CODE = re.compile(r"(?:^|;\s)\s*(\d[\d.]*)(?=\s-\s|\s*(?:;|$))")
LANGUAGES = {"t": "en", "v": "es", "u": "fr"}
DOCUMENT = re.compile(r"DDFDocuments/([tuv])/", re.IGNORECASE)
MEMBER = re.compile(r"G/(?:TBT|SPS)/N/([A-Z]{2,4})/")


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of either answer: a notification as one of its members filed it."""

    key: str
    member: str
    fields: Mapping[str, Any]
    unread: frozenset[str]


class WtoEping(SourceSpider):
    """TBT and SPS notifications of WTO members, ePing.

    Pages       JSON of the site's search, a window of distribution dates, 100 rows a page; XLSX of 'Export Search
                Results' and of the workbook with all notifications since 1995, handed in
    Dates       'yyyy-mm-ddT00:00:00+00:00'; real dates or day numbers in a sheet
    Reference   the document's symbol, 'G/TBT/N/BRA/366/Add.1/Corr.1', printed with a blank before it. In a sheet it is
                the text of a =HYPERLINK() formula without a cached value
    Joint       a document of several members is one record under its whole printed list of symbols. It comes as one row
                for each member, which differ in the member and in the order of the objectives, and may stand on two
                pages: its members are read from the symbols ('RWA', 'TZA'), so that every row says the same
    Dates of adoption and entry into force are those that the member proposes, and are not in the sheets
    Language    a document that has no English translation yet has its title and texts in Spanish or French: the letter
                in the addresses of its document says so, t English, u French, v Spanish
    Gaps        a fifth has no final date for comments, a third no HS code: 'Products covered' is the scope to search.
                Unknown parameters are ignored by the site without a word, so the dates of an answer are checked
    """

    name = "wto_eping"

    def begin(self, since: date, today: date) -> Iterator[Follow]:
        for first, last in calendar_months(since - timedelta(days=REREAD_DAYS), today):
            yield _search(first, last)

    def read(self, page: Page) -> Iterable[Finding]:
        return _export(page) if page.kind == "export" else _found(page)


def _search(first: date, last: date) -> Follow:
    asked = {
        "language": 1,
        "distributionDateFrom": first,
        "distributionDateTo": last,
        "sortBy": "distributionDate",
        "sortDirection": "desc",
        "page": 1,
        "pageSize": PAGE_SIZE,
    }
    return _asked(f"{API}?{urlencode(asked)}")


def _asked(url: str) -> Follow:
    return Follow(url=url, kind="search", headers={"Accept": "application/json"})


def _found(page: Page) -> Iterator[Finding]:
    found = answer(page)
    if not isinstance(found, Mapping) or not isinstance(found.get("items"), list):
        raise NotThePage("error", "a list of notifications is due, and the site answered without 'items'")
    items = listed(found, "items")
    if not items:
        raise NotThePage("empty", "no notification in the window that was asked for")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}
    first, last = asked.get("distributionDateFrom", ""), asked.get("distributionDateTo", "")
    require_window([printed(item.get("distributionDate"))[:10] for item in items], first, last)
    yield from _drafts([_from_item(item) for item in items])
    number, size = int(asked.get("page", 1)), int(asked.get("pageSize", PAGE_SIZE))
    if number * size < int(found.get("totalCount") or 0):
        parts = urlsplit(page.url)
        yield _asked(parts._replace(query=urlencode(asked | {"page": str(number + 1)})).geturl())


def _export(page: Page) -> Iterator[Draft]:
    if not page.body.startswith(b"PK"):
        raise NotThePage("error", "the site answered with something else where a sheet is due")
    cells = as_sheet(page, formulas=True)
    header = [printed(name) for name in next(cells, ())]
    if "Document symbol" not in header:
        raise NotThePage("error", f"a sheet with a column 'Document symbol' is due, and the columns are {header[:10]}")
    rows = [_from_sheet(dict(zip(header, row, strict=False))) for row in cells if any(row)]
    if not rows:
        raise NotThePage("empty", "a sheet without notifications")
    yield from _drafts(rows)


def _drafts(rows: Sequence[_Row]) -> Iterator[Draft]:
    """One draft a row; those of a joint notification are alike, and name all its members."""
    groups: dict[str, list[_Row]] = {}
    for row in rows:
        groups.setdefault(row.key, []).append(row)
    for row in rows:
        group = groups[row.key] if row.key else [row]
        symbols = [symbol.strip() for symbol in row.key.split(",") if symbol.strip()]
        members = [code[1] for symbol in symbols if (code := MEMBER.match(symbol))] if len(symbols) > 1 else []
        fields = {
            "references": symbols,
            "jurisdictions": list(dict.fromkeys(members or [one.member for one in group])),
            **group[0].fields,
        }
        unread = frozenset[str]().union(*(one.unread for one in group))
        yield Draft(kind="notification", key=row.key, fields=fields, unread=unread)


def _from_sheet(row: Mapping[str, Any]) -> _Row:
    key = _linked(row.get("Document symbol"))[1]
    documents = [_linked(row.get(f"Link to notification({code})"))[0] for code in ("EN", "FR", "ES")]
    language = _language(documents)
    fields: dict[str, Any] = {
        "titles": {language: _line(row.get("Title"))},
        "texts": _texts(
            language,
            summary=_text(row.get("Description")),
            scope=_text(row.get("Products covered")),
            objectives=_items(row.get("Objectives")),
            affected=_text(row.get("Specific regions or countries likely to be affected")),
            keywords=_items(row.get("Keywords")),
        ),
        "hs_codes": _codes(row.get("HS code(s)")),
        "ics_codes": _codes(row.get("ICS code(s)")),
        "classification": printed(row.get("Notification type")),
        "attachments": _documents(row.get("Notified document")),
        "links": _links(key, documents),
    }
    for ours, theirs in {"published": "Distribution date", "comments_until": "Final date for comments"}.items():
        if theirs in row:
            fields[ours] = _day(row[theirs])
    return _Row(key, printed(row.get("Notifying Member")), fields, frozenset(row.keys() - COLUMNS - {""}))


def _from_item(item: Mapping[str, Any]) -> _Row:
    key = printed(item.get("documentSymbol"))
    objectives = [printed(objective.get("name")) for objective in listed(item, "objectives")]
    words = [printed(word.get("name")) for name in ("keywords", "spsKeywords") for word in listed(item, name)]
    documents = [printed(item.get("linkToNotification"))]
    language = _language(documents)
    fields: dict[str, Any] = {
        "titles": {language: _line(_plain(item, "title"))},
        "texts": _texts(
            language,
            summary=_plain(item, "description"),
            scope=_plain(item, "productsFreeText"),
            objectives=[*objectives, *filter(None, [printed(item.get("objectivesFreeText"))])],
            affected=", ".join(printed(country.get("name")) for country in listed(item, "countriesAffected")),
            keywords=words,
            planned=[printed(item.get(f"proposed{name}DateText")) for name in ("Adoption", "EntryIntoForce")],
        ),
        "hs_codes": [printed(code.get("code")) for code in listed(item, "hsCodes")] or _codes(item.get("hsCodeText")),
        "ics_codes": _codes(item.get("icsCodeText")),
        "classification": printed(item.get("notificationType")),
        "attachments": _documents(item.get("notifiedDocumentLink")),
        "links": _links(key, documents),
    }
    dates = {
        "published": "distributionDate",
        "comments_until": "commentDeadlineDate",
        "adopted": "proposedAdoptionDate",
        "in_force": "proposedEntryIntoForceDate",
    }
    fields |= {ours: printed(item[theirs]) for ours, theirs in dates.items() if theirs in item}
    return _Row(key, printed(item.get("notifyingMember")), fields, frozenset(item.keys() - ITEM_KNOWN))


def _language(documents: Iterable[str]) -> str:
    """The language that title and texts are in: English as soon as there is an English document."""
    letters = {letter[1].lower() for url in documents if (letter := DOCUMENT.search(url))}
    return next((language for letter, language in LANGUAGES.items() if letter in letters), "en")


def _texts(
    language: str,
    *,
    summary: str,
    scope: str,
    objectives: Iterable[str],
    affected: str,
    keywords: Iterable[str],
    planned: Iterable[str] = (),
) -> list[dict[str, str]]:
    """The texts of a notification. Objectives are sorted: the site orders them anew for every member of a joint one."""
    texts = [
        ("summary", summary, language),
        ("scope", scope, language),
        ("dates", "\n\n".join(dict.fromkeys(filter(None, planned))), language),
        ("note", "; ".join(sorted(set(objectives))), "en"),
        ("note", affected and f"Specific regions or countries likely to be affected: {affected}", "en"),
        ("other", "; ".join(sorted(set(keywords))), "en"),
    ]
    return [{"label": label, "value": value, "language": code} for label, value, code in texts if value]


def _links(key: str, documents: Iterable[str]) -> list[dict[str, str]]:
    found = [{"url": VIEW.format(quote(key, safe="/,")), "label": "original"}] if key else []
    return found + [{"url": url, "label": "full_text"} for url in documents if url.startswith("http")]


def _documents(value: Any) -> list[dict[str, str]]:
    """The notified documents: several addresses in one cell, separated by new lines or blanks."""
    return [{"url": url, "label": "full_text"} for url in printed(value).split() if url.startswith("http")]


def _linked(value: Any) -> tuple[str, str]:
    """Address and text of a cell: of a HYPERLINK formula its two arguments, of anything else '' and the cell."""
    link = HYPERLINK.match(printed(value))
    return (link["url"].strip(), link["text"].strip()) if link else ("", printed(value))


def _codes(value: Any) -> list[str]:
    return list(dict.fromkeys(CODE.findall(printed(value))))


def _items(value: Any) -> list[str]:
    return [item.strip() for item in printed(value).split(";") if item.strip()]


def _text(value: Any) -> str:
    # '_x000D_' is how a sheet writes a carriage return
    return printed(value).replace("_x000D_", "").strip()


def _line(value: Any) -> str:
    return " ".join(_text(value).split())


def _plain(item: Mapping[str, Any], name: str) -> str:
    """A text of the JSON: the twin without markup, or the text with its markup taken off."""
    plain = printed(item.get(f"{name}Plain"))
    return plain or BeautifulSoup(printed(item.get(name)), "lxml").get_text(" ", strip=True)


def _day(value: Any) -> str:
    """A date cell as 'yyyy-mm-dd'; the workbook with everything may hold day numbers."""
    moment = from_excel(value) if isinstance(value, int | float) else value
    return moment.date().isoformat() if isinstance(moment, datetime) else printed(moment)
