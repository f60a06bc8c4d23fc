"""render: records and hits as people read them. Text of a publisher becomes markup only here, and only escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from babel import Locale
from markupsafe import Markup, escape

from indexer import search
from indexer.query import Query
from library.record import Coded, Measure, Operator, Record, Status
from library.source import Source
from library.vocabulary import categories, countries, hazards, measures, states
from search_api.door import Reader

SNIPPET_CHARACTERS = 180
PARAGRAPH_CHARACTERS = 1200  # acts come as one paragraph of 100,000 characters, and a link should lead near the words
SENTENCE_ENDS = re.compile(r"[。；！？]|[.;!?]\s")
DIFF_CELLS = 250_000  # pairs of words a comparison may look at; a larger one takes sentences, then the whole texts
LONG_CHARACTERS = 1500  # a longer text is folded away
CONTEXT, CHANGE_CHARACTERS = 100, 2000  # of an unchanged stretch on either side, and of one change
WORDS = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+\s*|[^\w\s]\s*|\s+"
)
SENTENCES = re.compile(r"[^.;。；\n]+[.;。；\n]*\s*|[.;。；\n]+\s*")
VOCABULARIES = {"hazard": hazards, "category": categories, "measure": measures, "status": states}

# In the order of the record page. A field without a value and without a stated absence is not printed by the source.
FIELDS = (
    "references",
    "jurisdictions",
    "authority",
    "published",
    "adopted",
    "in_force",
    "comments_until",
    "withdrawn",
    "status",
    "classification",
    "categories",
    "hazards",
    "measures",
    "origins",
    "operators",
    "hs_codes",
    "ics_codes",
)
FACET_OF = {
    "jurisdictions": "jurisdiction",
    "origins": "origin",
    "hazards": "hazard",
    "categories": "category",
    "measures": "measure",
}


# Labels ---------------------------------------------------------------------------------------------------------------


def label(facet: str, value: str, reader: Reader, sources: Mapping[str, Source]) -> str:
    """The wording of a facet's value in the reader's language; what no vocabulary knows is shown as it is."""
    if facet == "kind":
        return reader.say(f"kind.{value}")
    if facet == "source" and value in sources:
        title = sources[value].title
        return title.zh if reader.language == "zh" else title.en
    if facet in ("jurisdiction", "origin"):
        return country(value, reader.language)
    if facet == "language":
        return language_name(value, reader.language)
    if facet in VOCABULARIES and value in VOCABULARIES[facet].all_codes():
        return str(VOCABULARIES[facet].label(value, reader.language))
    return value


def country(code: str, language: str) -> str:
    """The name of a jurisdiction or origin; a printed word nobody has mapped stays as it is."""
    try:
        return countries.country_name(code, language)
    except (KeyError, ValueError):
        return code


@cache
def language_name(code: str, language: str) -> str:
    """'德语' for 'de'; the code itself where nobody knows a name."""
    name = Locale.parse(language).languages.get(code.replace("-", "_"))
    return str(name) if name else code


def generated_line(record: Record, reader: Reader) -> list[tuple[str, str]]:
    """What the codes of a record say in the reader's language: (name of the field, values), generated and so marked."""
    found = [
        ("market", _labels("jurisdiction", record.jurisdictions, reader)),
        ("category", _labels("category", record.categories, reader)),
        ("hazard", _labels("hazard", record.hazards, reader)),
        ("measure", _labels("measure", record.measures, reader)),
        ("origin", _labels("origin", record.origins, reader)),
    ]
    separator = "、" if reader.language == "zh" else ", "
    return [(reader.say(f"line.{name}"), separator.join(values[:4])) for name, values in found if values]


def _labels(facet: str, coded_values: Iterable[Coded | Measure], reader: Reader) -> list[str]:
    return list(dict.fromkeys(label(facet, coded.code, reader, {}) for coded in coded_values if coded.code))


# Hits -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hit:
    """One hit on a page. title and snippet are escaped, the words that matched are marked.

    paragraph: the number of the one in which the snippet's words stand, 0 for none.
    """

    record: Record
    is_nearby: bool
    is_by_meaning: bool
    title: Markup
    title_language: str
    line: Sequence[tuple[str, str]]
    snippet: Markup
    snippet_language: str
    paragraph: int
    original: str
    source: str


def hit_of(record: Record, hit: search.Hit, query: Query, reader: Reader, sources: Mapping[str, Source]) -> Hit:
    """Make one hit ready to be shown."""
    title = next((text for text in record.titles if text.language == reader.language), record.titles[0])
    excerpt, excerpt_language, paragraph = _excerpt(record, query)
    return Hit(
        record=record,
        is_nearby=hit.is_nearby,
        is_by_meaning=hit.is_by_meaning,
        title=marked(title.value, search.highlight(title.value, title.language, query, "title")),
        title_language=title.language,
        line=generated_line(record, reader),
        snippet=excerpt,
        snippet_language=excerpt_language,
        paragraph=paragraph,
        original=original_url(record),
        source=label("source", record.source, reader, sources),
    )


def _excerpt(record: Record, query: Query) -> tuple[Markup, str, int]:
    """The first text in which the query matched, around its first match; else the beginning of the first text.

    Returns the excerpt, its language, and the number of the paragraph it stands in, 0 where nothing matched.
    """
    first: tuple[Markup, str, int] | None = None
    before = 0
    for text in record.texts:
        spans = search.highlight(text.value, text.language, query, "text")
        shown, shown_spans, place = search.excerpt(text.value, spans, SNIPPET_CHARACTERS)
        if spans:
            inside = sum(start <= place for start, _ in paragraphs(text.value))
            return marked(shown, shown_spans), text.language, before + inside
        first = first or (escape(shown), text.language, 0)
        before += len(paragraphs(text.value))
    return first or (Markup(""), "und", 0)


def paragraphs(text: str) -> list[tuple[int, int]]:
    """Where the paragraphs of a text stand; a long one without line breaks is cut behind sentences.

    >>> paragraphs("One.\\n\\nTwo.")
    [(0, 4), (6, 10)]
    """
    found: list[tuple[int, int]] = []
    for line in re.finditer(r"[^\n]*\S[^\n]*", text):
        start, end = line.span()
        while end - start > PARAGRAPH_CHARACTERS:
            near = [match.end() for match in SENTENCE_ENDS.finditer(text, start, start + PARAGRAPH_CHARACTERS)]
            cut = near[-1] if near else start + PARAGRAPH_CHARACTERS
            found.append((start, cut))
            start = cut
        found.append((start, end))
    return found


def marked(text: str, spans: Iterable[tuple[int, int]]) -> Markup:
    """Escape a text and mark parts of it. spans: (start, end) offsets into the text; overlapping ones are joined.

    >>> marked("a<b>", [(0, 1)])
    Markup('<mark>a</mark>&lt;b&gt;')
    """
    parts, at = [], 0
    for start, end in sorted(spans):
        start = max(start, at)
        if start >= end:
            continue
        parts += [escape(text[at:start]), Markup("<mark>"), escape(text[start:end]), Markup("</mark>")]
        at = end
    return Markup("").join([*parts, escape(text[at:])])


def safe_url(url: str) -> str:
    """The URL if it leads to a web page, else ''. A publisher's 'javascript:…' is shown as text and never linked."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    return url.strip() if parts.scheme.lower() in ("http", "https") and parts.netloc else ""


def original_url(record: Record) -> str:
    """Where the publisher shows the record, '' where no link is known."""
    for wanted in ("original", "recall_page", "full_text"):
        for link in record.links:
            if link.label == wanted and safe_url(link.url):
                return safe_url(link.url)
    return next((url for link in record.links if (url := safe_url(link.url))), "")


# Texts ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Printed:
    """One text of a record: its paragraphs with their anchors, the words of a query marked in them."""

    label: str
    language: str
    beginning: str
    is_long: bool
    is_marked: bool
    paragraphs: Sequence[tuple[str, Markup]]


def printed_texts(record: Record, query: Query | None) -> list[Printed]:
    """The texts of a record, their paragraphs numbered from 1 through all of them: 'p1', 'p2', ..."""
    found: list[Printed] = []
    number = 0
    for text in record.texts:
        spans = search.highlight(text.value, text.language, query, "text") if query is not None else []
        pieces: list[tuple[str, Markup]] = []
        for start, end in paragraphs(text.value):
            number += 1
            inside = [(one - start, min(other, end) - start) for one, other in spans if start <= one < end]
            pieces.append((f"p{number}", marked(text.value[start:end], inside)))
        found.append(
            Printed(text.label, text.language, text.value, len(text.value) > LONG_CHARACTERS, bool(spans), pieces)
        )
    return found


# One record -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """One value of a field: our wording, the source's own words where they differ, and the search it leads to."""

    text: str
    printed: str = ""
    clause: str = ""
    is_unmapped: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One field of a record page: its values, or the kind of absence the source states."""

    field: str
    values: Sequence[Shown]
    absence: str = ""


def rows_of(record: Record, reader: Reader) -> tuple[list[Row], list[str]]:
    """The fields of a record with a value or a stated absence, and the names of those the source does not print."""
    rows, unprinted = [], []
    for name in FIELDS:
        value = getattr(record, name)
        if value:
            values = [_shown(name, item, record, reader) for item in (value if isinstance(value, tuple) else (value,))]
            rows.append(Row(name, values))
        elif name in record.absences:
            rows.append(Row(name, (), record.absences[name].value))
        else:
            unprinted.append(name)
    return rows, unprinted


def _shown(name: str, value: Any, record: Record, reader: Reader) -> Shown:
    match value:
        case Status():
            said = states.label(value.state.value, reader.language) + (f" ({value.since})" if value.since else "")
            return Shown(said, _differs(value.printed, said), f"status:{value.state.value}")
        case Measure():
            said = label("measure", value.code, reader, {}) if value.code else value.printed
            extra = " · ".join(part for part in (value.operator or "", reader.day(value.since)) if part)
            clause = f"measure:{value.code}" if value.code else ""
            return Shown(f"{said} ({extra})" if extra else said, _differs(value.printed, said), clause, not value.code)
        case Operator():
            place = f" ({country(value.country, reader.language)})" if value.country else ""
            return Shown(
                f"{value.name}{place}", reader.say(f"role.{value.role.value}"), f"company:{quoted(value.name)}"
            )
        case Coded() if name in ("hs_codes", "ics_codes"):
            code = value.code or value.printed
            facet = "hs" if name == "hs_codes" else "ics"
            return Shown(code, _differs(value.printed, code), f"{facet}:{code}" if value.code else "", not value.code)
        case Coded() if name in FACET_OF:
            facet = FACET_OF[name]
            said = label(facet, value.code, reader, {}) if value.code else value.printed
            clause = f"{facet}:{value.code}" if value.code else ""
            return Shown(said, _differs(value.printed, said), clause, not value.code)
        case Coded():
            return Shown(value.printed)
        case _:
            printed = record.printed.get(name, "") if name != "references" else ""
            return Shown(
                str(value), _differs(printed, str(value)), f"ref:{quoted(value)}" if name == "references" else ""
            )


def _differs(printed: str, said: str) -> str:
    return "" if printed.strip().casefold() == said.strip().casefold() else printed


def quoted(value: str) -> str:
    """A value as one word of the query language.

    >>> quoted('Great "Toys" Ltd')
    '"Great Toys Ltd"'
    """
    return '"' + value.replace('"', "").replace("\\", "") + '"'


# Differences ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in two versions, side by side; what went and what came is marked."""

    field: str
    before: Markup
    after: Markup


def differences(diff: Mapping[str, Sequence[Any]], reader: Reader) -> list[Difference]:
    """The field differences of a version, as `Version.diff` has them, ready to be shown."""
    return [Difference(name, *_side_by_side(_lines(old), _lines(new))) for name, (old, new) in sorted(diff.items())]


def _lines(value: Any) -> list[str]:
    """A JSON value as lines that a person can compare."""
    match value:
        case _ if not value and value != 0:
            return []
        case list():
            return [line for item in value for line in _lines(item)]
        case {"language": language, "value": text}:
            return [f"[{language}] {text}"]
        case {"url": url}:
            return [str(url)]
        case dict():
            # what a person reads first stands first: printed or name, then the code, then the rest with its names
            head = [str(value[name]) for name in ("printed", "name", "state") if value.get(name)]
            head += [f"[{value['code']}]"] if value.get("code") else []
            rest = [
                f"{name}: {'; '.join(_lines(item))}"
                for name, item in value.items()
                if item and name not in ("printed", "name", "state", "code")
            ]
            return [" · ".join((*head, *rest))]
        case _:
            return [str(value)]


def _side_by_side(before: list[str], after: list[str]) -> tuple[Markup, Markup]:
    left: list[Markup] = []
    right: list[Markup] = []
    for action, start, end, other_start, other_end in SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        gone, come = before[start:end], after[other_start:other_end]
        if action == "equal":
            left += [escape(_shortened(line)) for line in gone]
            right += [escape(_shortened(line)) for line in come]
        elif len(gone) == len(come):
            for old, new in zip(gone, come, strict=True):
                old_marked, new_marked = _words_marked(old, new)
                left.append(old_marked)
                right.append(new_marked)
        else:
            left += [_changed("del", line) for line in gone]
            right += [_changed("ins", line) for line in come]
    return Markup("<br>").join(left), Markup("<br>").join(right)


def _words_marked(old: str, new: str) -> tuple[Markup, Markup]:
    """Compare two texts word by word, very different long ones sentence by sentence; unchanged stretches are shortened."""
    pattern = WORDS
    old_parts, new_parts = pattern.findall(old), pattern.findall(new)
    if _cells(old_parts, new_parts) > DIFF_CELLS:
        pattern = SENTENCES
        old_parts, new_parts = pattern.findall(old), pattern.findall(new)
    if _cells(old_parts, new_parts) > DIFF_CELLS:
        return _changed("del", old), _changed("ins", new)
    first = _common(old_parts, new_parts)
    last = _common(old_parts[first:][::-1], new_parts[first:][::-1])
    old_middle, new_middle = old_parts[first : len(old_parts) - last], new_parts[first : len(new_parts) - last]
    left = right = escape(_shortened("".join(old_parts[:first])))
    matcher = SequenceMatcher(a=old_middle, b=new_middle, autojunk=False)
    for action, start, end, other_start, other_end in matcher.get_opcodes():
        gone, come = "".join(old_middle[start:end]), "".join(new_middle[other_start:other_end])
        left += escape(_shortened(gone)) if action == "equal" else _changed("del", gone)
        right += escape(_shortened(come)) if action == "equal" else _changed("ins", come)
    tail = escape(_shortened("".join(old_parts[len(old_parts) - last :])))
    return left + tail, right + tail


def _cells(old: Sequence[str], new: Sequence[str]) -> int:
    """How many pairs a comparison looks at; what is the same at the beginning and the end costs nothing."""
    first = _common(old, new)
    last = _common(old[first:][::-1], new[first:][::-1])
    return (len(old) - first - last) * (len(new) - first - last)


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    """How many items two sequences share at their beginning."""
    return next(
        (at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), min(len(old), len(new))
    )


def _shortened(text: str) -> str:
    """An unchanged stretch with its middle left out: an act of 100,000 characters differs in three words."""
    return text if len(text) <= 3 * CONTEXT else f"{text[:CONTEXT]} … {text[-CONTEXT:]}"


def _changed(tag: str, text: str) -> Markup:
    if not text:
        return Markup("")
    cut = text if len(text) <= CHANGE_CHARACTERS else f"{text[:CHANGE_CHARACTERS]} …"
    return Markup(f"<{tag}>{{}}</{tag}>").format(cut)
