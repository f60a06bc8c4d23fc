"""References: the one grammar of the numbers that documents print and people type.

Standards, acts, notifications, recalls and codes of goods each have one canonical form, in which every variant meets, at
index and at query time. `ladder` gives the wider forms: an index that stores every rung finds 'GB/T 5606.1-2004' for
'gbt 5606'. A number that is only a number ('26-761', '8517', '0024/05') is a reference where its context says so, or
where it is all there is.

    GB/T 1.1-2020       T/ZS 0467-2023     DB3411/T 0053-2024     ISO/IEC 17025:2017    EN 71-1:2014+A1:2018
    EU 2024/903         EU 1907/2006       EU 2009/48             16 CFR 1501.2         89 FR 2530      2023-28978
    G/TBT/N/BRA/366/Add.1/Corr.1           SR/02222/26            2024.8046             20V314000       CPSC 26-761
    HS 851762           ICS 97.200.50      CAS 80-54-6            GTIN 00196710005616

The text is read once, word by word; a word that begins no reference costs one look into a table. All repetitions of the
patterns are bounded, so that hostile text costs no more than other text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from library.vocabulary import codes
from library.vocabulary.dates import ERAS
from library.vocabulary.folding import INVISIBLE, SLASHES, fold_characters
from library.vocabulary.reading import acts, forms, goods, lists, notices, standards
from library.vocabulary.reading.place import SHORT_CHARACTERS, Hit, Place, Reader, words


class Reference(NamedTuple):
    """One number as it stands in a text: printed is text[start:end]; kind names the grammar that read it.

    Kinds: standard, eu_act, oj, cfr, usc, federal_register, docket, law, announcement, wto, safety_gate, rasff, cpsc,
    fda, fsis, nhtsa, rappelconso, fsa, mhra, hs, ics, cas, gtin.
    """

    start: int
    end: int
    printed: str
    canonical: str
    kind: str


CONTEXT_CHARACTERS = 24  # 'Recall number: 26-761' has its context before the number

LETTERS = r"A-Za-z\u00c0-\u024f\u0400-\u04ff"
# Letters, digits or an era. One set stands first: the places where none begins are passed over three times as fast.
_TOKEN = re.compile(
    rf"[{LETTERS}0-9{''.join(era[0] for era in ERAS)}]"
    rf"(?:(?<=[{LETTERS}])[{LETTERS}]*+|(?<=[0-9])[0-9]*+|{'|'.join(f'(?<={era[0]}){era[1:]}' for era in ERAS)})"
)
# Every reference but one of an era holds a digit or a slash, and nothing begins further before the first of them than this.
REACH = 64
_STRETCH = re.compile(rf"[0-9/](?:[^0-9/]{{0,{REACH}}}+[0-9/])*+")
_POSSIBLE = re.compile(rf"[\d/{SLASHES}]|{'|'.join(ERAS)}")
_UNSLASHED = re.compile(r"(?:TBT|SPS)[\-_. ]?N[\-_. ]?[A-Z]{2}", re.IGNORECASE)  # 'g-tbt-n-chn'
_INVISIBLE = re.compile(f"[{INVISIBLE}]")
_JOINED_BEFORE = re.compile(r"[A-Za-z0-9_@\u00c0-\u024f\u0400-\u04ff]")
_NUMBER_BEFORE = re.compile(r"[0-9][.,/\-]$|[A-Za-z0-9_@\u00c0-\u024f]$|(?<=[A-Za-z])(?<!RC)(?<!FSIS)-$")
_WORDS_AROUND = {*words("fillers"), *words("named_acts")}
_FILLERS = "|".join(sorted(_WORDS_AROUND, key=len, reverse=True))  # else 'no' would be read in 'notification'
_FILLER = re.compile(rf"(?:{_FILLERS}|[\s,.:;#()\[\]'\"“”])*+", re.IGNORECASE)
# No colon among them: 'ref:' and '标准:' name a field of the search.
_DESIGNATION = "|".join(sorted(words("designations"), key=len, reverse=True))
_DESIGNATIONS = re.compile(rf"[ .,]*(?P<words>(?:(?:{_DESIGNATION})(?![A-Za-z:])[ .,#]*)*)", re.IGNORECASE)


def find_references(text: str) -> list[Reference]:
    """Every reference in a text, in its order and without overlap; offsets are those of the text as it was given.

    >>> [reference.canonical for reference in find_references("按GB／T1.1—2020和（EU）2023/988执行")]
    ['GB/T 1.1-2020', 'EU 2023/988']
    """
    if not _POSSIBLE.search(text) and not (len(text) <= SHORT_CHARACTERS and _UNSLASHED.search(text)):
        return []
    folded, offset = _fold(text)
    hits: Iterable[Hit] = _scan(folded) if len(folded) > SHORT_CHARACTERS else _of_short(folded)
    if offset is None:
        return [Reference(start, end, text[start:end], form, kind) for start, end, form, kind in hits]
    places = ((offset(start), offset(end - 1) + 1, form, kind) for start, end, form, kind in hits)
    return [Reference(start, end, text[start:end], form, kind) for start, end, form, kind in places]


def canonical(printed: str) -> str | None:
    """The canonical form of a text that is one reference and nothing else; None for any other.

    >>> canonical("CELEX:32024R0903"), canonical("Regulation (EU) 2024/903"), canonical("en 71"), canonical("hello")
    ('EU 2024/903', 'EU 2024/903', 'EN 71', None)
    """
    if len(printed) > SHORT_CHARACTERS:
        return None
    folded, _ = _fold(printed)
    hits = _of_short(folded)
    if len(hits) != 1 or not _FILLER.fullmatch(f"{folded[: hits[0].start]} {folded[hits[0].end :]}"):
        return None
    return hits[0].canonical


def ladder(canonical: str) -> tuple[str, ...]:
    """A canonical form and its wider ones, narrowest first: without amendment, year, part, suffix, section, digits.

    >>> ladder("GB/T 5606.1-2004")
    ('GB/T 5606.1-2004', 'GB/T 5606.1', 'GB/T 5606')
    >>> ladder("G/TBT/N/BRA/366/Add.1/Corr.1")
    ('G/TBT/N/BRA/366/Add.1/Corr.1', 'G/TBT/N/BRA/366/Add.1', 'G/TBT/N/BRA/366', 'G/TBT/N/BRA')
    """
    head, _, number = canonical.partition(" ")
    if head == "HS":
        rungs = [f"HS {level}" for level in reversed(codes.hs_levels(number))]
    elif head == "ICS":
        rungs = [f"ICS {level}" for level in reversed(codes.ics_levels(number))]
    elif head in ("EU", "OJ"):  # without the day of consolidation, the corrigendum, the page
        rungs = [canonical, re.sub(r"(?:-[0-9]{8}| R\([0-9]{2}\)| p\.[0-9]+)+$", "", canonical)]
    elif canonical.startswith(("G/", "WT/")):
        rungs = notices.symbol_rungs(canonical)
    elif number.startswith(("CFR ", "USC ")):
        rungs = acts.section_rungs(canonical)
    elif _IS_STANDARD.match(canonical) and head not in _NO_STANDARDS:
        rungs = standards.rungs(canonical)
    else:
        rungs = [canonical, re.sub(r"(?:-update-[0-9]+|-EXP)$", "", canonical)]
    return tuple(dict.fromkeys(rungs))


_IS_STANDARD = re.compile(r"[A-Z][A-Za-z0-9/]* [A-Z0-9]|prEN |FprEN |NOM-|NMX-")
_NO_STANDARDS = frozenset({"CPSC", "FSIS", "CAS", "GTIN", "SI", "Import", "CELEX"})


def _fold(text: str) -> tuple[str, Callable[[int], int] | None]:
    """Fold a text, and say where each character stood if invisible ones had to be left out."""
    folded = fold_characters(text)
    gone = [match.start() for match in _INVISIBLE.finditer(text)]
    if not gone:
        return folded, None
    kept_before = [index - place for place, index in enumerate(gone)]  # characters kept before each that is gone
    return _INVISIBLE.sub("", folded), lambda index: index + bisect_left(kept_before, index + 1)


def _whole(folded: str) -> Hit | None:
    """Read a text that is one reference; what a sentence must make plain may be short here ('26-761', 'en 14682')."""
    begin = len(folded) - len(folded.lstrip(" ,;:[\"'"))
    text = folded.rstrip(" ,;.:]\"'")
    for token in _TOKEN.finditer(text, begin):
        if token.start() - begin > CONTEXT_CHARACTERS:
            return None
        if hit := _read(Place(text, token.start(), token.end(), token.group(), is_whole=True, is_short=True)):
            return hit if hit.start == begin and hit.end == len(text) else None
    return None


def _of_short(folded: str) -> list[Hit]:
    """Read a short text; one reference takes in what merely says that it is one: '国标 GB 5606', 'document no. 2023-28978'."""
    if hit := _whole(folded):
        return [hit]
    hits = list(_scan(folded))
    if len(hits) != 1:
        return hits
    before = _DESIGNATIONS.fullmatch(folded, 0, hits[0].start)
    behind = _DESIGNATIONS.fullmatch(folded, hits[0].end)
    if before is None or behind is None:
        return hits
    start = before.start("words") if before["words"] else hits[0].start
    return [hits[0]._replace(start=start, end=behind.end("words") if behind["words"] else hits[0].end)]


def _scan(folded: str) -> Iterator[Hit]:
    done = 0
    before: Hit | None = None
    is_short = len(folded) <= SHORT_CHARACTERS
    for begin, stop in _stretches(folded):
        for token in _TOKEN.finditer(folded, begin, stop):
            start, end = token.span()
            if start < done:
                continue
            word = token[0]
            if not word[0].isdecimal() and word.lower() not in _READERS:
                continue
            hit = _read(Place(folded, start, end, word, False, before, is_short))
            if hit is None or hit.start < done:
                continue
            while hit is not None:
                yield hit
                before, done = hit, hit.end
                hit = lists.continued(folded, hit)


def _stretches(folded: str) -> Iterator[tuple[int, int]]:
    """Where references may begin; most of prose is passed over without a look at its words."""
    if len(folded) <= SHORT_CHARACTERS or any(era in folded for era in ERAS):  # '昭和二十七年法律第二百三十一号'
        yield 0, len(folded)
        return
    for match in _STRETCH.finditer(folded):
        start, end = match.span()
        yield max(0, start - REACH), end


def _read(place: Place) -> Hit | None:
    text, start, end, word = place[:4]
    if word[0].isdecimal():
        if start and _NUMBER_BEFORE.search(text, max(0, start - 2), start):
            return None  # the tail of a longer number, '8,517.62', or of a model, 'XR-2020-12345'
        after = text[end : end + 1]
        readers = _NUMBER_READERS.get("A" if after.isascii() and after.isalpha() else after, _OTHER_NUMBERS)
    else:
        readers = _READERS.get(word.lower(), ())
        if start and _JOINED_BEFORE.match(text, start - 1):
            return None
    for reader in readers:
        if hit := reader(place):
            return hit
    return None


def _readers_by_word() -> dict[str, tuple[Reader, ...]]:
    readers: dict[str, list[Reader]] = {}

    def add(names: Iterable[str], *those: Reader) -> None:
        for name in names:
            readers.setdefault(name.lower(), []).extend(those)

    add(standards.CHINESE_CODES, standards.chinese)
    add(
        (f"{code}T" for code in standards.CHINESE_CODES if f"{code}T" not in standards.CHINESE_CODES), standards.chinese
    )
    add(("DB",), standards.local)
    add(("T", "Q"), standards.group)
    add(("GOST", "ГОСТ"), standards.gost)
    add(standards.STACK_STARTS, standards.stacked)
    add(standards.GLUED, standards.stacked)
    add(
        (f"{body}{letter}" for body in ("JIS", "KS") for letter in ("", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
        standards.lettered,
    )
    add((f"ASTM{letter}" for letter in ("", *"ABCDEFG")), standards.astm)
    add(("UL",), standards.ul)
    add(("ANSI",), standards.ansi)
    add(("CSA", "ULC", "CGSB", "CAN"), standards.csa)
    add(("NF",), standards.french)
    add(forms.FORMS, forms.form)
    add(("G", "TBT", "SPS", *notices.GLUED), notices.symbol)
    add(notices.MEMBERS_FIRST, notices.member_first)
    add(("A", "SR", "OR", "EM", "INFO"), notices.case)
    add("FHZDBVN", notices.fda)
    add(goods.GLUED, goods.glued)
    add(words("agencies"), acts.docket)
    add((*acts.COMMUNITIES, *acts.ACTS, "REG", "DIR"), acts.act)
    add(words("named_acts"), acts.named)
    add(("CELEX",), acts.celex)
    add(("COM", "SWD", "SEC", "JOIN", "C"), acts.proposal)
    add(("OJ", "JO", "ABL", "DO", "GU"), acts.journal)
    add(("ELI", "L"), acts.eli)
    add(("FR", "C", "R", "F", "FED", "FEDERAL"), acts.document_word)
    add(("TITLE", "PART", "SECTION", "SEC", "CFR"), acts.titled)
    add(("C", "F"), acts.law_id)
    add(ERAS, acts.japanese)
    return {word: tuple(those) for word, those in readers.items()}


_READERS = _readers_by_word()

# Readers of what begins with digits, by the character behind the digits; 'A' stands for any letter.
_NUMBER_READERS: dict[str, tuple[Reader, ...]] = {
    "-": (
        standards.national,
        acts.document,
        goods.cas,
        notices.fiche,
        notices.fsis,
        notices.cpsc,
        goods.gtin,
        notices.campaign,
        acts.federal,
        acts.act_unslashed,
    ),
    "/": (acts.act_number, notices.case_number, goods.hs, goods.gtin),
    ".": (standards.national, goods.ics, goods.hs, notices.rasff, acts.federal_list, goods.gtin, notices.cpsc),
    " ": (
        standards.national,
        acts.federal,
        acts.document,
        goods.gtin,
        goods.hs,
        goods.ics,
        notices.cpsc,
        acts.federal_list,
        acts.in_chinese,
        acts.act_unslashed,
    ),
    "A": (acts.federal, notices.campaign, acts.celex, acts.law_id),
}
_OTHER_NUMBERS: tuple[Reader, ...] = (
    standards.national,
    goods.gtin,
    goods.hs,
    goods.ics,
    notices.cpsc,
    acts.federal_list,
    acts.announcement,
)
_NUMBER_READERS |= dict.fromkeys(acts.TITLE_SIGNS, (acts.in_chinese, *_OTHER_NUMBERS))
