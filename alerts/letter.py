"""Letters: what a mail says, as text and as HTML, in the reader's language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlsplit

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from alerts import wording
from alerts.coverage import Coverage, coverage_lines
from alerts.differences import difference_lines
from alerts.watches import Watch
from alerts.wording import clean, sentence
from alerts.workdays import last_workday
from indexer.query import Reason
from library.record import Kind, Record
from library.source import Source

FULL_ITEMS = 50  # told in full; 50 make about 60 kB, below what web mailers cut off
LISTED_ITEMS = 450  # more of them, by title; what is beyond is counted and stands in the library
TITLE_LIMIT = 240
SUBJECT_LIMIT = 120
URL_LIMIT = 1000
KINDS_IN_ORDER = (Kind.RECALL, Kind.REJECTION, Kind.NOTIFICATION, Kind.STANDARD, Kind.REGULATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One record in a mail, with the reasons of every watch it is for.

    before: the record as readers knew it, where it was amended. days: (field, day) that come near.
    """

    record: Record
    action: str
    late: bool
    reasons: Sequence[tuple[Watch, Sequence[Reason]]]
    before: Record | None = None
    days: Sequence[tuple[str, date]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What stands under one heading: items of one kind, or of one kind and market. heading: '' for none."""

    heading: str
    items: Sequence[Item] = ()
    markets: Sequence[Group] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail's words, before it becomes bytes. unsubscribe: address for one-click, '' for mail nobody subscribed to."""

    subject: str
    text: str
    html: str
    unsubscribe: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Addresses a letter points to; all start with the configured one. end, manage: by watch id, end_all: for one-click.

    all_items: what the letter is about as it stood when it was written, however much of it the letter names.
    """

    base_url: str
    end: Mapping[str, str]
    end_all: str
    manage: Mapping[str, str] = field(default_factory=dict)
    all_items: str = ""


def write_letter(
    items: Sequence[Item],
    *,
    count: int,
    cadence: str,
    links: Links,
    sources: Mapping[str, Source],
    practice: bool = False,
    today: date | None = None,
    coverage: Coverage | None = None,
) -> Letter:
    """Write a letter about records in groups, the first FULL_ITEMS in full. count: how many records there are in all.

    today: the reader's day, from which deadlines are counted. coverage: what was looked at, the receipt of a digest.
    """
    watches = list({watch.id: watch for item in items for watch, _ in item.reasons}.values())
    return _written(
        items,
        watches,
        count=count,
        intro=cadence,
        subject=subject_of([(item.action, item.record) for item in items], count, watches),
        links=links,
        sources=sources,
        practice=practice,
        today=today,
        coverage=coverage,
    )


def write_nothing(watches: Sequence[Watch], *, links: Links, coverage: Coverage, practice: bool = False) -> Letter:
    """Write the digest of watches that matched nothing, for readers who want to know that somebody looked."""
    return _written(
        (),
        watches,
        count=0,
        intro="nothing",
        subject=subject_of_nothing(watches, coverage),
        links=links,
        sources={},
        practice=practice,
        today=None,
        coverage=coverage,
    )


def grouped(items: Sequence[Item], language: str) -> list[Group]:
    """Items under headings that say how many there are: by kind, dangers before rules, and by the first market of each.

    Markets are in the order of their codes, the same in every mail; those that have no code come last. Within one, items
    keep their order. One item alone stands under no heading.
    """
    if len(items) < 2:
        return [Group(heading="", markets=[Group(heading="", items=items)])] if items else []
    kinds: dict[Kind, dict[str, list[Item]]] = {}
    for item in sorted(items, key=lambda item: place(item.record)):
        kinds.setdefault(item.record.kind, {}).setdefault(item.record.jurisdiction, []).append(item)
    return [
        Group(
            heading=wording.counted(language, kind.value, sum(map(len, markets.values()))),
            markets=[
                Group(
                    heading=sentence(
                        language, "of_market", market=wording.market(found[0].record, language), count=len(found)
                    ),
                    items=found,
                )
                for found in markets.values()
            ],
        )
        for kind, markets in kinds.items()
    ]


def kind_place(kind: str) -> int:
    """Where a kind stands in a mail, from 0; first is what must be told even where not everything is."""
    return KINDS_IN_ORDER.index(Kind(kind))


def place(record: Record) -> tuple[int, bool, str]:
    """What records of one mail are sorted by."""
    return kind_place(record.kind), record.jurisdictions[0].code is None, record.jurisdiction


def _written(
    items: Sequence[Item],
    watches: Sequence[Watch],
    *,
    count: int,
    intro: str,
    subject: str,
    links: Links,
    sources: Mapping[str, Source],
    practice: bool,
    today: date | None,
    coverage: Coverage | None,
) -> Letter:
    language = watches[0].language
    values = {
        "language": language,
        "intro": sentence(language, intro),
        "practice": sentence(language, "practice") if practice else "",
        "groups": _shown_groups(grouped(items, language), language, links, sources, today),
        "coverage": coverage_lines(coverage, language, watches[0].zone) if coverage else [],
        "rest": sentence(language, "rest", count=count - len(items)) if count > len(items) else "",
        "watches": [_watch(watch, language, links) for watch in watches],
        "attributions": _attributions(items),
        "end_all": links.end_all,
        "all_items": links.all_items,
        "say": wording.SENTENCES[language],
    }
    environment = _environment()
    return Letter(
        subject=subject,
        text=environment.get_template("mail.txt").render(values),
        html=_inliner().inline(environment.get_template("mail.html").render(values)),
        unsubscribe=links.end_all,
    )


def trial_letter() -> Letter:
    """Write the letter by which an operator sees that mail arrives."""
    return Letter(
        subject="[ttm] 测试邮件 Test mail",
        text="本库的邮件可以送达。\nMail from the library arrives.\n",
        html='<!doctype html><html lang="zh"><body><p>本库的邮件可以送达。</p>'
        '<p lang="en">Mail from the library arrives.</p></body></html>',
    )


def record_url(base_url: str, record_id: str) -> str:
    """The page of a record in the library.

    >>> record_url("https://ttm.example", "wto_eping:G/TBT/N/EU/1?x=1")
    'https://ttm.example/records/wto_eping:G/TBT/N/EU/1%3Fx%3D1'
    """
    return f"{base_url.rstrip('/')}/records/{quote(record_id, safe=':/')}"


def original_url(record: Record) -> str:
    """The publisher's own page, '' where there is none or its address is not one of the web."""
    links = sorted(record.links, key=lambda link: link.label != "original")
    for link in links:
        parts = urlsplit(link.url) if _is_plain(link.url) else None
        if parts and parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc:
            return link.url
    return ""


def _is_plain(url: str) -> bool:
    return len(url) <= URL_LIMIT and url.isprintable() and not any(character in url for character in " \\<>\"'`")


def subject_of(items: Sequence[tuple[str, Record]], count: int, watches: Sequence[Watch]) -> str:
    """'[ttm] 玩具：召回 3 条、通报 1 条', or what happened to which record where there is one.

    items: what happened, and to which record; count: of all records, of which these are the first.
    """
    language = watches[0].language
    if len(items) == 1:
        action, record = items[0]
        what = sentence(language, action) + (" " if language == "en" else "") + _kind(record, language)
        return clean(f"[ttm] {what}{_colon(language)}{clean(record.title(language), 90)}", SUBJECT_LIMIT)
    kinds = Counter(record.kind.value for _, record in items)
    counts = [wording.counted(language, kind, number) for kind, number in kinds.most_common()]
    if count > len(items):
        counts = [wording.counted(language, "record", count)]
    name = clean(watches[0].title, 40)
    if len(watches) > 1:
        others = len(watches) if language == "zh" else len(watches) - 1
        name = sentence(language, "several", watch=name, count=others)
    return clean(f"[ttm] {name}{_colon(language)}{_list(language).join(counts)}", SUBJECT_LIMIT)


def subject_of_nothing(watches: Sequence[Watch], looked: Coverage) -> str:
    """'[ttm] 玩具：没有新内容，全部 80 个来源均已查看', or how many could not be seen."""
    language, name = watches[0].language, clean(watches[0].title, 40)
    if len(watches) > 1:
        name = sentence(language, "several", watch=name, count=len(watches) - (language == "en"))
    unseen = len(looked.unseen)
    subject = sentence(
        language,
        "nothing_unseen_subject" if unseen else "nothing_subject",
        watch=name,
        total=len(looked.looks),
        unseen=unseen,
    )
    return clean(subject, SUBJECT_LIMIT)


def _kind(record: Record, language: str) -> str:
    return wording.KINDS[language][record.kind.value]


def _colon(language: str) -> str:
    return wording.SENTENCES[language]["colon"]


def _list(language: str) -> str:
    return wording.SENTENCES[language]["list"]


def _shown_groups(
    groups: Sequence[Group], language: str, links: Links, sources: Mapping[str, Source], today: date | None
) -> list[dict[str, object]]:
    """The groups as the templates take them: the first FULL_ITEMS of the mail in full, the others by title."""
    left, shown = FULL_ITEMS, list[dict[str, object]]()
    for group in groups:
        markets = list[dict[str, object]]()
        for market in group.markets:
            full, listed = market.items[:left], market.items[left:]
            left -= len(full)
            markets.append(
                {
                    "heading": market.heading,
                    "items": [_shown(item, language, links, sources, today) for item in full],
                    "more": sentence(language, "more", count=len(listed)) if full and listed else "",
                    "listed": [_shown(item, language, links, sources, today) for item in listed],
                }
            )
        shown.append({"heading": group.heading, "markets": markets})
    return shown


def _shown(
    item: Item, language: str, links: Links, sources: Mapping[str, Source], today: date | None
) -> dict[str, object]:
    record, source = item.record, sources.get(item.record.source)
    published = (
        sentence(language, "published", day=record.published.isoformat())
        if record.published
        else sentence(language, "undated")
    )
    name = (source.title.zh if language == "zh" else source.title.en) if source else record.source
    return {
        "action": sentence(language, item.action),
        "title": clean(record.title(language), TITLE_LIMIT) or sentence(language, "unread_title"),
        "facts": [name, *(clean(reference, 60) for reference in record.references[:3]), published],
        "generated": sentence(language, "generated", line=wording.generated_line(record, language)),
        "late": sentence(language, "late") if item.late else "",
        "changes": difference_lines(item.before, record, language) if item.before else [],
        "days": [line for field, day in item.days for line in _day_lines(field, day, language, today)],
        "reasons": [
            _colon(language).join(
                (
                    sentence(language, "for", watch=clean(watch.title, 40)),
                    wording.reason_line(reasons, language)
                    or sentence(language, "query", query=clean(watch.query, 100)),
                )
            )
            for watch, reasons in item.reasons
        ],
        "record_url": record_url(links.base_url, record.id),
        "original_url": original_url(record),
    }


def _day_lines(field: str, day: date, language: str, today: date | None) -> list[str]:
    left = (day - today).days if today else 0
    name = "deadline_near" if left > 0 else "deadline_today"
    lines = [sentence(language, name, field=wording.FIELDS[language][field], day=day.isoformat(), left=left)]
    workday = last_workday(day)
    if workday.day != day or not workday.is_sure:
        lines.append(
            sentence(
                language, "last_workday" if workday.is_sure else "last_workday_unsure", day=workday.day.isoformat()
            )
        )
    return lines


def _watch(watch: Watch, language: str, links: Links) -> dict[str, str]:
    return {
        "title": clean(watch.title, 80),
        "query": sentence(language, "query", query=clean(watch.query, 200)),
        "list_url": f"{links.base_url.rstrip('/')}/search?q={quote(watch.query, safe='')}&sort=newest",
        "end_url": links.end[watch.id],
        "manage_url": links.manage.get(watch.id, ""),
    }


def _attributions(items: Sequence[Item]) -> list[str]:
    return list(dict.fromkeys(clean(item.record.attribution, 300) for item in items if item.record.attribution))


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates", encoding="utf-8"),
        autoescape=select_autoescape(enabled_extensions=("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False)
