"""References: the one grammar of the numbers that documents print and people type.

Standards, acts, notifications, recalls and codes of goods each have one canonical form, in which every variant meets, at
index and at query time. `ladder` gives the wider forms: an index that stores every rung finds 'GB/T 5606.1-2004' for
'gbt 5606'. A number that is only a number ('26-761', '8517', '0024/05') is a reference where its context says so, or
where it is all there is.

    GB/T 1.1-2020       T/ZS 0467-2023     DB3411/T 0053-2024     ISO/IEC 17025:2017    EN 71-1:2014+A1:2018
    EU 2024/903         EU 1907/2006       EU 2009/48             16 CFR 1501.2         89 FR 2530      2023-28978
    G/TBT/N/BRA/366/Add.1/Corr.1           SR/02222/26            2024.8046             20V314000
    HS 851762           ICS 97.200.50      CAS 80-54-6            GTIN 00196710005616

The text is read once, word by word; a word that begins no reference costs one look into a table. All repetitions are
bounded, so that hostile text costs no more than other text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from library.vocabulary import codes
from library.vocabulary.dates import ERAS, han_number
from library.vocabulary.folding import INVISIBLE, fold_characters


@dataclass(frozen=True, slots=True)
class Reference:
    """One number as it stands in a text: printed is text[start:end]; kind names the grammar that read it."""

    start: int
    end: int
    printed: str
    canonical: str
    kind: str


@dataclass(frozen=True, slots=True)
class _Hit:
    start: int
    end: int
    canonical: str
    kind: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a reader stands: the folded text, the word that called it, and whether the text is nothing but a reference."""

    text: str
    start: int
    end: int
    is_whole: bool
    before: _Hit | None = None

    @property
    def word(self) -> str:
        return self.text[self.start : self.end]

    def behind(self, length: int) -> str:
        return self.text[max(0, self.start - length) : self.start]


_Reader = Callable[[_Place], _Hit | None]

WHOLE_CHARACTERS = 80  # a longer text is prose
YEAR = r"(?:19[4-9]|20[0-4])[0-9]"
_TOKEN = re.compile(r"[A-Za-z\u00c0-\u024f\u0400-\u04ff]+|[0-9]+|明治|大正|昭和|平成|令和")
_END = r"(?![A-Za-z0-9])"
_FILLER = re.compile(
    r"(?:commission|council|european|parliament|and|of|the|implementing|delegated|regulation|directive|decision|standard|standards"
    r"|no|number|ref|reference|see|cf|recall|alert|notification|doc|document|symbol|part|section"
    r"|标准|国家标准|行业标准|标准号|通报|通报号|法规|指令|条例|[\s,.:;#()\[\]'\"“”]+)*",
    re.IGNORECASE,
)


def find_references(text: str) -> list[Reference]:
    """Every reference in a text, in its order and without overlap; offsets are those of the text as it was given.

    >>> [reference.canonical for reference in find_references("按GB／T1.1—2020和（EU）2023/988执行")]
    ['GB/T 1.1-2020', 'EU 2023/988']
    """
    folded, offset = _fold(text)
    if len(folded) <= WHOLE_CHARACTERS and (hit := _whole(folded)):
        hits: Iterable[_Hit] = (hit,)
    else:
        hits = _scan(folded)
    return [
        Reference(start, end, text[start:end], hit.canonical, hit.kind)
        for hit in hits
        for start, end in ((offset(hit.start), offset(hit.end - 1) + 1),)
    ]


def canonical(printed: str) -> str | None:
    """The canonical form of a text that is one reference and nothing else; None for any other.

    >>> canonical("CELEX:32024R0903"), canonical("Regulation (EU) 2024/903"), canonical("en 71"), canonical("hello")
    ('EU 2024/903', 'EU 2024/903', 'EN 71', None)
    """
    if len(printed) > WHOLE_CHARACTERS:
        return None
    folded, _ = _fold(printed)
    if hit := _whole(folded):
        return hit.canonical
    hits = list(_scan(folded))
    if len(hits) != 1:
        return None
    rest = folded[: hits[0].start] + " " + folded[hits[0].end :]
    return hits[0].canonical if _FILLER.fullmatch(rest) else None


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
    elif head == "EU" or canonical.startswith("OJ "):
        rungs = [canonical, re.sub(r"(?:-[0-9]{8}| R\([0-9]{2}\)| p\.[0-9]+)+$", "", canonical)]
    elif re.match(r"(?:G|WT)/", canonical):
        rungs = _wto_rungs(canonical)
    elif re.match(r"[0-9]+ (?:CFR|USC) ", canonical):
        rungs = _section_rungs(canonical)
    elif _IS_STANDARD.match(canonical):
        rungs = _standard_rungs(canonical)
    else:
        rungs = [canonical, re.sub(r"(?<=[0-9])-(?:update-[0-9]+|EXP)$", "", canonical)]
    return tuple(dict.fromkeys(rungs))


def _fold(text: str) -> tuple[str, Callable[[int], int]]:
    """Fold a text; also say where each character stood. Invisible characters are left out of the folded text."""
    folded = fold_characters(text)
    gone = (
        [index for index, character in enumerate(text) if character in INVISIBLE] if _HAS_INVISIBLE.search(text) else []
    )
    if not gone:
        return folded, lambda index: index
    kept_before = [index - place for place, index in enumerate(gone)]  # kept characters before each invisible one
    return _HAS_INVISIBLE.sub("", folded), lambda index: index + bisect_left(kept_before, index + 1)


_HAS_INVISIBLE = re.compile(f"[{INVISIBLE}]")


def _whole(folded: str) -> _Hit | None:
    """Read a text that is one reference; what a sentence must make plain may be short here ('26-761', 'en 14682')."""
    begin = len(folded) - len(folded.lstrip(" ,;:[\"'"))
    end = len(folded.rstrip(" ,;.:]\"'"))
    text = folded[:end]
    for token in _TOKEN.finditer(text, begin):
        if hit := _read(_Place(text, token.start(), token.end(), is_whole=True)):
            return hit if hit.start == begin and hit.end == end else None
        if token.start() - begin > 24:  # 'Recall number: 26-761' has its context before the number
            return None
    return None


def _scan(folded: str) -> Iterator[_Hit]:
    done = 0
    before: _Hit | None = None
    for token in _TOKEN.finditer(folded):
        if token.start() < done:
            continue
        if hit := _read(_Place(folded, token.start(), token.end(), is_whole=False, before=before)):
            if hit.start < done:
                continue
            yield hit
            before, done = hit, hit.end


def _read(place: _Place) -> _Hit | None:
    word = place.word
    if word[0].isdecimal():
        return _read_number(place)
    readers = _READERS.get(word.lower())
    if readers is None or (place.start and _GLUED_BEFORE.match(place.text, place.start - 1)):
        return None
    return next((hit for reader in readers if (hit := reader(place))), None)


_GLUED_BEFORE = re.compile(r"[A-Za-z0-9_@\u00c0-\u024f\u0400-\u04ff]")


def _read_number(place: _Place) -> _Hit | None:
    before = place.behind(2)
    if before and (before[-1].isalnum() and before[-1].isascii() or before[-1] in "_@"):
        return None
    if re.search(r"[0-9][.,/\-]$", before):
        return None  # the tail of a longer number: '8,517.62', '12-26-761'
    after = place.text[place.end : place.end + 1]
    return next((hit for reader in _NUMBER_READERS.get(_class_of(after), ()) if (hit := reader(place))), None)


def _class_of(character: str) -> str:
    if character.isascii() and character.isalpha():
        return "A"
    return character if character in "-/. 年" and character else ""


# --- Chinese standards -------------------------------------------------------------------------------------------------------------

# Industry codes of the standardisation administration. Two letters are too few for prose ('SN 12345' is a serial number): without
# '/T' such a code needs a year.
_INDUSTRIES = (
    "AQ BB CB CH CJ CJJ CY DA DB DL DY DZ EJ FZ GA GC GD GH GM GY HB HG HJ HS HY JB JC JG JGJ JJF JJG JR JT JTG JTJ JTS JY KA LB LD LS LY MH MR MT MZ NB NY QB QC QJ QX RB"
    " RF SB SC SF SH SJ SL SN SW SY TB TD TSG TY WB WH WJ WM WS WW XB XF YB YC YD YJ YS YY YZ ZY ZZ"
).split()
_PLAIN_INDUSTRIES = {"HJ", "JJF", "JJG", "JGJ", "CJJ"}  # clear enough without year or '/T'
_CHINESE_TAIL = re.compile(
    r"(?P<gap>[ ._\-]{0,2})(?P<number>[A-Z]{0,2}[0-9]{1,6}(?:\.[0-9]{1,4}){0,3})(?:A(?![A-Za-z0-9]))?"
    rf"(?: {{0,2}}[\-:一ー] {{0,2}}(?P<year>{YEAR}|[5-9][0-9](?![0-9])))?"
    rf"(?P<amendment> ?/ ?XG ?(?P<change>[0-9]{{1,2}})(?: ?[\-一ー] ?(?P<changed>{YEAR}))?)?" + _END,
    re.IGNORECASE,
)
_CHINESE_NATURE = re.compile(r" ?[/_\-] ?(?P<nature>[TZJ])(?![A-Za-z])", re.IGNORECASE)
_UNIT_BEFORE = re.compile(r"[0-9] ?$")
GB_Z_FROM = (
    1000  # GBZ 2.1 is occupational health, where numbers have three digits; 'GBZ 18620' is a GB/Z without its slash
)


def _chinese(place: _Place) -> _Hit | None:
    letters = place.word.upper()
    code, nature = letters, ""
    if letters in ("GBT", "GBZT") or (letters not in _CHINESE_CODES and letters[:-1] in _CHINESE_CODES):
        code, nature = letters[:-1], "T"
    at = place.end
    if not nature and (match := _CHINESE_NATURE.match(place.text, at)):
        nature, at = match["nature"].upper(), match.end()
    match = _CHINESE_TAIL.match(place.text, at)
    if match is None or (match["number"][0].isalpha() and code not in ("TSG", "JTG")):
        return None
    number, year = match["number"].upper(), _full_year(match["year"])
    if code == "GBZ" and not nature and int(number.split(".")[0]) >= GB_Z_FROM:
        code, nature = "GB", "Z"
    if not place.is_whole and not _is_plain_chinese(place, code, nature, number, year, match["gap"]):
        return None
    change = f"/XG{match['change']}" + (f"-{match['changed']}" if match["changed"] else "") if match["change"] else ""
    form = f"{code}{'/' + nature if nature else ''} {number}{'-' + year if year else ''}{change}"
    return _Hit(place.start, match.end(), form, "standard")


def _is_plain_chinese(place: _Place, code: str, nature: str, number: str, year: str, gap: str) -> bool:
    if year:
        return "-" not in gap or code in ("GB", "GBZ")
    if nature:
        return place.word.isupper() or code == "GB" or place.text[place.end : place.end + 1] == "/"
    if "-" in gap or code not in ("GB", "GBZ", "GBJ", *_PLAIN_INDUSTRIES):
        return False
    if _UNIT_BEFORE.search(place.behind(3)):  # '16 GB 2400 MHz'
        return False
    # 'in GB 2023' speaks of Great Britain
    return not re.fullmatch(YEAR, number) and (place.word.isupper() or not gap or len(number) > 2)


def _full_year(printed: str | None) -> str:
    if not printed:
        return ""
    return printed if len(printed) == 4 else f"19{printed}"  # 'GB 6675-86'; since 2000 years have four digits


_LOCAL = re.compile(
    r" ?(?P<region>[0-9]{6}|[0-9]{4}|[0-9]{2}) ?(?:/? ?(?P<nature>[TZ])(?![A-Za-z])|(?P<slash>/))?[ /\-]{0,2}"
    rf"(?P<number>[0-9]{{1,6}}(?:\.[0-9]{{1,4}}){{0,2}})(?: {{0,2}}[\-:一ー] {{0,2}}(?P<year>{YEAR}|[89][0-9](?![0-9])))?{_END}",
    re.IGNORECASE,
)


def _local(place: _Place) -> _Hit | None:
    match = _LOCAL.match(place.text, place.end)
    if match is None or not (match["year"] or match["nature"]) or not 11 <= int(match["region"][:2]) <= 82:
        return None
    if not match["year"] and not place.is_whole and not match["nature"]:
        return None
    nature = f"/{match['nature'].upper()}" if match["nature"] else ""
    year = _full_year(match["year"])
    form = f"DB{match['region']}{nature} {match['number']}{'-' + year if year else ''}"
    return _Hit(place.start, match.end(), form, "standard")


_GROUP = re.compile(
    r" ?/ ?(?P<body>[A-Z][A-Z0-9]{1,9}(?: ?/ ?[A-Z]{2,6})?)[ \-_]{0,2}(?P<number>[A-Z]?[0-9]{1,6}(?:[.\-](?!(?:19|20)[0-9]{2}(?![0-9]))[0-9]{1,3}){0,3})"
    rf"(?: {{0,2}}[\-:一ー] {{0,2}}(?P<year>{YEAR}))?{_END}",
    re.IGNORECASE,
)


def _group(place: _Place) -> _Hit | None:
    """Group standards 'T/ZS 0467-2023' and enterprise standards 'Q/ABC 001-2020'."""
    match = _GROUP.match(place.text, place.end)
    if match is None or place.behind(1) in ("/", "-"):
        return None
    body = re.sub(r" ?/ ?", "/", match["body"]).upper()
    if not match["year"] and (place.word.upper() == "Q" or (not place.is_whole and not match["body"].isupper())):
        return None
    form = f"{place.word.upper()}/{body} {match['number'].upper()}{'-' + match['year'] if match['year'] else ''}"
    return _Hit(place.start, match.end(), form, "standard")


# --- international, European and national standards ----------------------------------------------------------------------------------

_JOINT = "ISO IEC IEEE CISPR CIE IDF OIML SAE ITU".split()
_EUROPEAN = "EN PREN FPREN CEN CENELEC CLC ETSI HD CWA".split()
_TYPES = "TS TR PAS DIS FDIS CD CDV GUIDE IWA DTS DTR DPAS PRF R NP WD CLC".split()
# Adoptions: a national prefix before EN, ISO or IEC. Those with a catalogue of their own also stand alone.
_NATIONAL_ALONE = "BS DIN VDE UNE PN GOST SNI TCVN CNS NBR ABNT SASO GSO SANS AS NZS EAS DEAS FDEAS DARS ARS NTC IRAM UNI CSN SS-EN ONORM".split()
_NATIONAL = "NF SS NEN NS DS SFS SN NBN IS EVS LVS LST STN SIST MSZ BDS ELOT HRN NP SR OVE ČSN ÖNORM MS PNS TIS NM TS SI PD NCH COVENIN JS UAE".split()
_BODY_WORDS = sorted({*_JOINT, *_EUROPEAN, *_TYPES, *_NATIONAL_ALONE, *_NATIONAL}, key=len, reverse=True)
_STACK_WORD = re.compile(rf"(?P<word>{'|'.join(word for word in _BODY_WORDS)})(?=[ /\-.:(]|[0-9]|$)", re.IGNORECASE)
_STACK_GAP = re.compile(r" ?[/\-] ?| {1,2}")
_STANDARD_TAIL = re.compile(
    r"(?P<gap>[ .:\-_]{0,2})(?P<number>[1-3][0-9]{2} [0-9]{3}(?![0-9])|[0-9]{1,6}(?:\.(?!(?:19|20)[0-9]{2}(?![0-9]))[0-9]{1,4}){0,3})"
    r"(?P<parts>(?:-[A-Z]{0,2}[0-9]{1,4}[A-Z]?(?![0-9A-Za-z])){0,5})",
    re.IGNORECASE,
)
_YEAR_TAIL = re.compile(
    rf" {{0,2}}: {{0,2}}(?P<year>{YEAR})(?:[\-‑][01][0-9])?(?![0-9A-Za-z])| ?\((?P<bracket>{YEAR})\)| - (?P<dash>{YEAR})(?![0-9A-Za-z\-])"
)
_AMENDMENT = re.compile(
    r" ?[+/] ?(?P<kind>F?D?(?:Amd|Amendment|AM)|Corrigendum|Cor|AC|Add|Suppl|A(?=[0-9]))\.? ?(?P<number>[0-9]{0,2})"
    rf"(?: ?: ?(?P<year>{YEAR})(?:-[01][0-9])?)?{_END}",
    re.IGNORECASE,
)
_GLUED_STACKS = {
    "".join(words).lower(): words
    for words in (
        ("BS", "EN"), ("DIN", "EN"), ("NF", "EN"), ("UNE", "EN"), ("UNI", "EN"), ("EN", "ISO"), ("EN", "IEC"), ("BS", "EN", "ISO"), ("DIN", "EN", "ISO"),
        ("NF", "EN", "ISO"), ("ISO", "IEC"), ("BS", "ISO"), ("DIN", "ISO"), ("ISO", "TS"), ("ISO", "TR"), ("IEC", "TS"), ("IEC", "TR"), ("AS", "NZS"), ("EN", "HD"),
    )
}  # fmt: skip
# Film speeds; beside a camera 'ISO 400' is none of ours.
_FILM_SPEEDS = frozenset(
    "50 64 80 100 125 160 200 250 320 400 500 640 800 1000 1250 1600 2000 2500 3200 6400 12800 25600".split()
)
_CAMERA = re.compile(r"camera|sensitiv|aperture|shutter|photo|感光|相机|f/[0-9]", re.IGNORECASE)


def _stacked(place: _Place) -> _Hit | None:
    """Read '[national] [EN] [ISO/IEC] [TS] number-part:year+amendment'."""
    stack = _stack(place)
    if stack is None:
        return None
    words, at = stack
    tail = _STANDARD_TAIL.match(place.text, at)
    if tail is None or ("-" in tail["gap"] and tail["gap"] != "-"):
        return None
    number, end = tail["number"], tail.end()
    if " " in number and not ("ETSI" in words or (words[-1] in ("EN", "PREN") and number[0] == "3")):
        number, end = number[:3], tail.start("number") + 3
        tail_parts = ""
    else:
        tail_parts = tail["parts"]
    parts = [part.upper() for part in tail_parts.split("-")[1:]]
    year = ""
    if parts and re.fullmatch(YEAR, parts[-1]) and not place.text.startswith(":", end):
        year = parts.pop()
    elif match := _YEAR_TAIL.match(place.text, end):
        year, end = match["year"] or match["bracket"] or match["dash"], match.end()
    elif words[0] == "GOST" and parts and re.fullmatch(r"[0-9]{2}", parts[-1]) and len(parts) == 1:
        year = f"19{parts.pop()}"
    amendments, end = _amendments(place.text, end)
    if re.match(r"[A-Za-z0-9]", place.text[end : end + 1]):
        return None
    if not _is_plausible(place, words, number, bool(parts), year, glued=not tail["gap"] and at > place.start):
        return None
    form = f"{_compose(words)} {number}{''.join('-' + part for part in parts)}{':' + year if year else ''}{amendments}"
    return _Hit(place.start, end, form, "standard")


def _stack(place: _Place) -> tuple[list[str], int] | None:
    glued = _GLUED_STACKS.get(place.word.lower())
    words, at = (list(glued), place.end) if glued else ([place.word.upper()], place.end)
    for _ in range(5):
        gap = _STACK_GAP.match(place.text, at)
        match = _STACK_WORD.match(place.text, gap.end()) if gap else None
        if match is None:
            break
        words.append(match["word"].upper())
        at = match.end()
    last = {*words[1:]} if words[0] in (*_TYPES, *_NATIONAL) else {*words}
    return (words, at) if last & {*_JOINT, *_EUROPEAN, *_NATIONAL_ALONE, "IWA"} else None


def _amendments(text: str, at: int) -> tuple[str, int]:
    forms = ""
    for _ in range(6):
        match = _AMENDMENT.match(text, at)
        if match is None:
            break
        kind, number, year = match["kind"].casefold(), match["number"], match["year"]
        date = f":{year}" if year else ""
        if kind in ("a", "ac"):
            forms += f"+{kind.upper()}{number}{date}"  # a CEN amendment is printed '+A1' and '/A1' for the same thing
        else:
            name = "Cor" if kind.startswith("cor") else "Amd" if "am" in kind else kind.capitalize()
            forms += f"/{name}{' ' + number if number else ''}{date}"
        at = match.end()
    return forms, at


def _is_plausible(place: _Place, words: Sequence[str], number: str, has_part: bool, year: str, *, glued: bool) -> bool:
    """Whether a prefix and a number are a standard in prose, where 'EN' and 'AS' are also words."""
    if place.is_whole:
        return True
    printed = place.word
    if len(words) == 1 and words[0] in (
        "CEN",
        "CENELEC",
        "CLC",
        "ETSI",
        "ITU",
        "SAE",
        "OIML",
        "IDF",
        "CIE",
        "HD",
        "VDE",
    ):
        return has_part or bool(year) or len(number) >= 4
    if len(words) > 1 or words[0] in (
        "IEC",
        "CISPR",
        "IEEE",
        "SNI",
        "TCVN",
        "SASO",
        "GSO",
        "SANS",
        "DEAS",
        "FDEAS",
        "CWA",
        "PREN",
        "FPREN",
        "IWA",
    ):
        return True
    is_year = re.fullmatch(YEAR, number) is not None
    if words[0] == "ISO":
        return not (
            number in _FILM_SPEEDS
            and not has_part
            and not year
            and _CAMERA.search(place.text, max(0, place.start - 60), place.end + 60)
        )
    if words[0] == "EN":
        if printed.isupper():
            return year != "" or (not is_year and (has_part or len(number) > 2 or number in ("71", "54", "81")))
        if is_year:  # 'en 2015-2016' is French for a period
            return False
        return (
            (bool(year) and (has_part or len(number) > 2))
            or len(number) == 5
            or (number == "71" and has_part)
            or (glued and has_part)
        )
    if not printed.isupper() or (is_year and not year and not has_part):
        return False
    if words[0] in ("AS", "NZS", "EAS", "ARS", "DARS", "NTC", "PN", "UNI", "GOST", "CSN", "IRAM"):
        return year != ""
    return year != "" or has_part or len(number) >= 3


def _compose(words: Sequence[str]) -> str:
    """['BS', 'EN', 'ISO', 'IEC', 'TS'] -> 'BS EN ISO/IEC TS'; a type after one body takes a slash: 'ISO/TS'."""
    form = ""
    bodies = 0
    for index, word in enumerate(words):
        before = words[index - 1] if index else ""
        shown = {"PREN": "prEN", "FPREN": "FprEN", "GUIDE": "Guide", "NCH": "NCh"}.get(word, word)
        joins = (word in _JOINT and before in _JOINT) or (word == "NZS" and before == "AS")
        joins |= word in _TYPES and bodies == 1 and before in ("ISO", "CEN", "CLC", "CENELEC") and word != "GUIDE"
        form += ("/" if joins else " " if form else "") + shown
        bodies = (
            bodies + 1
            if word in (*_JOINT, "CEN", "CLC") and joins
            else 1
            if word in (*_JOINT, "CEN", "CLC", "CENELEC")
            else bodies
        )
    return form


_LETTERED = re.compile(
    r"[ \-]?(?P<letter>[A-Z])[ \-]?(?P<adopts>(?:ISO/IEC|ISO|IEC|CISPR)(?: ?(?:TS|TR))?[ \-]?)?(?P<number>[0-9]{4,6})(?P<parts>(?:-[0-9]{1,3}(?![0-9])){0,4})"
    rf"(?: ?[:\-] ?(?P<year>{YEAR}))?(?![A-Za-z0-9])",
    re.IGNORECASE,
)


def _lettered(place: _Place) -> _Hit | None:
    """Read 'JIS T 8101:2020' and 'KS C IEC 60335-1:2012', where a letter names the field."""
    body = "JIS" if place.word.upper().startswith("JIS") else "KS"
    match = _LETTERED.match(place.text, place.start + len(body))
    if match is None or (not place.is_whole and not place.word.isupper() and not match["year"]):
        return None
    if body == "JIS" and len(match["number"]) != 4 and not match["adopts"]:
        return None
    adopts = f"{match['adopts'].strip(' -').upper()} " if match["adopts"] else ""
    year = f":{match['year']}" if match["year"] else ""
    form = f"{body} {match['letter'].upper()} {adopts}{match['number']}{match['parts']}{year}"
    return _Hit(place.start, match.end(), form, "standard")


_ASTM = re.compile(
    r"[ \-]?(?P<letter>[A-G])[ \-]?(?P<number>[0-9]{1,4})(?P<metric>/[A-G]?[0-9]{1,4}M|M)?"
    r"(?: ?- ?(?P<year>(?:19|20)?[0-9]{2})(?P<edition>[a-z])?(?P<again> ?\([0-9]{4}\))?(?P<note>[eε][0-9])?)?(?![A-Za-z0-9])",
    re.IGNORECASE,
)


def _astm(place: _Place) -> _Hit | None:
    match = _ASTM.match(place.text, place.end)
    if match is None:
        return None
    year = f"-{match['year'][-2:]}{(match['edition'] or '').lower()}" if match["year"] else ""
    again = (match["again"] or "").strip()
    form = f"ASTM {match['letter'].upper()}{match['number']}{(match['metric'] or '').upper()}{year}{again}"
    return _Hit(place.start, match.end(), form, "standard")


_UL = re.compile(
    r"[ \-]{0,2}(?P<number>[0-9]{1,6}[A-Z]?)(?P<parts>(?:-[0-9]{1,3}(?![0-9])){0,4})(?: ?: ?(?P<year>"
    + YEAR
    + r"))?(?![A-Za-z0-9])",
    re.IGNORECASE,
)


def _ul(place: _Place) -> _Hit | None:
    match = _UL.match(place.text, place.end)
    if match is None or (not place.is_whole and (len(match["number"]) < 2 or re.fullmatch(YEAR, match["number"]))):
        return None
    year = f":{match['year']}" if match["year"] else ""
    return _Hit(place.start, match.end(), f"UL {match['number'].upper()}{match['parts']}{year}", "standard")


_ANSI = re.compile(
    r"(?P<bodies>(?: ?[/ ] ?(?!UL\b|CAN\b|ASTM\b)[A-Z]{2,8}(?=[ \-/])){0,2})[ \-]{1,2}(?P<number>[A-Z]{0,2}[0-9]{1,4}(?:\.[0-9]{1,3}){0,2}[A-Z]?)"
    rf"(?P<parts>(?:-(?!{YEAR})[0-9]{{1,2}}(?![0-9])){{0,2}})(?: ?[:\-] ?(?P<year>{YEAR}))?(?![A-Za-z0-9])",
    re.IGNORECASE,
)


def _ansi(place: _Place) -> _Hit | None:
    joined = re.compile(r" ?/ ?(?:CAN ?/ ?)?(UL|ASTM)(?=[ \-A-Z0-9])", re.IGNORECASE).match(place.text, place.end)
    if joined:  # 'ANSI/UL 2849' is the standard of UL
        inner = _Place(place.text, joined.start(1), joined.end(1), place.is_whole)
        hit = _ul(inner) if joined[1].upper() == "UL" else _astm(inner)
        return None if hit is None else _Hit(place.start, hit.end, hit.canonical, hit.kind)
    match = _ANSI.match(place.text, place.end)
    if match is None or not (match["number"][0].isalpha() or match["year"] or match["bodies"]):
        return None
    bodies = "".join("/" + body for body in re.findall(r"[A-Z]+", match["bodies"].upper()))
    year = f"-{match['year']}" if match["year"] else ""
    return _Hit(place.start, match.end(), f"ANSI{bodies} {match['number'].upper()}{match['parts']}{year}", "standard")


_CSA = re.compile(
    r"[ \-](?P<number>[A-Z]{1,4}[0-9]{1,4}(?:\.[0-9]{1,2})?)(?: {0,2}(?:No\.? ?)(?P<part>[0-9]{1,6}(?:[.\-](?!(?:19|20)?[0-9]{2}$)[0-9]{1,3}){0,3}))?"
    r"(?: ?[:\-] ?(?P<year>[0-9]{2}|" + YEAR + r"))?(?![A-Za-z0-9])",
    re.IGNORECASE,
)


def _csa(place: _Place) -> _Hit | None:
    start, end = place.start, place.end
    if place.word.upper() == "CAN":
        joined = re.compile(r" ?/ ?(?P<body>CSA|ULC|UL|CGSB)(?=[ \-])", re.IGNORECASE).match(place.text, end)
        if joined is None:
            return None
        if joined["body"].upper() == "UL":
            hit = _ul(_Place(place.text, joined.start("body"), joined.end("body"), place.is_whole))
            return None if hit is None else _Hit(start, hit.end, hit.canonical, hit.kind)
        end = joined.end("body")
    body = re.search(r"(CSA|ULC|CGSB)$", place.text[start:end], re.IGNORECASE)
    match = _CSA.match(place.text, end)
    if body is None or match is None:
        return None
    part = f" No. {match['part']}" if match["part"] else ""
    year = f":{match['year'][-2:]}" if match["year"] else ""
    return _Hit(start, match.end(), f"{body[1].upper()} {match['number'].upper()}{part}{year}", "standard")


_GOST = re.compile(
    r"(?P<russian> ?[RР](?=[ 0-9]))?(?: (?P<adopts>ISO/IEC|ИСО/МЭК|ISO|IEC|EN|ИСО|МЭК|ЕН|CISPR)(?: ?/ ?(?P<type>TS|TR|ТС|ТО))?)? ?"
    r"(?P<number>[0-9]{1,6}(?:\.[0-9]{1,4}){0,3}(?:-(?!(?:19|20)[0-9]{2}(?![0-9]))[0-9]{1,3}(?=-)){0,3}) ?- ?(?P<year>(?:19|20)?[0-9]{2})(?![0-9A-Za-z])"
    r"|(?P<russian2> ?[RР](?=[ 0-9]))? ?(?P<bare>[0-9]{2,6}(?:\.[0-9]{1,4}){0,3})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_LATIN = {"ИСО/МЭК": "ISO/IEC", "ИСО": "ISO", "МЭК": "IEC", "ЕН": "EN"}


def _gost(place: _Place) -> _Hit | None:
    match = _GOST.match(place.text, place.end)
    if match is None:
        return None
    russian = " R" if match["russian"] or match["russian2"] else ""
    if match["bare"]:
        return _Hit(place.start, match.end(), f"GOST{russian} {match['bare']}", "standard")
    adopts = (match["adopts"] or "").upper()
    year = (
        match["year"]
        if len(match["year"]) == 4
        else f"19{match['year']}"
        if int(match["year"]) > 30
        else f"20{match['year']}"
    )
    body = f" {_LATIN.get(adopts, adopts)}" if adopts else ""
    return _Hit(place.start, match.end(), f"GOST{russian}{body} {match['number']}-{year}", "standard")


_SIMPLE: dict[str, tuple[re.Pattern[str], str, str]] = {}


def _simple_forms(*forms: tuple[str, str, str, str]) -> None:
    for words, pattern, form, kind in forms:
        for word in words.split():
            _SIMPLE[word] = (re.compile(pattern, re.IGNORECASE), form, kind)


# word that begins it, pattern from the word's start, canonical form from its groups (letters in upper case), kind
_simple_forms(
    ("nfpa", rf"NFPA[ \-]?(?P<a>[0-9]{{1,4}}[A-Z]?)(?:[\-:](?P<y>{YEAR}))?{_END}", "NFPA {a}", "standard"),
    ("sae", rf"SAE[ \-]?(?P<a>(?:J|AS|AMS|ARP) ?[0-9]{{1,5}}(?:[/\-][0-9]{{1,2}})?)(?:[_\-](?P<y>{YEAR})[0-9]{{0,2}})?{_END}", "SAE {a}", "standard"),
    ("asme", rf"ASME[ \-](?P<a>[A-Z]{{1,3}}[0-9]{{1,3}}(?:\.[0-9]{{1,3}})?)(?:-(?P<y>{YEAR}))?{_END}", "ASME {a}", "standard"),
    ("nsf", rf"NSF(?: ?/ ?ANSI)?(?: ?/ ?CAN)?[ \-](?P<a>[0-9]{{1,3}})(?:[\-:](?P<y>{YEAR}))?{_END}", "NSF {a}", "standard"),
    ("nema", rf"NEMA[ \-](?P<a>[A-Z]{{2,4}}[ \-]?[0-9]{{1,4}})(?:-(?P<y>{YEAR}))?{_END}", "NEMA {a}", "standard"),
    ("oiml", rf"OIML[ \-](?P<a>[RDGB] ?[0-9]{{1,3}}(?:-[0-9])?)(?::(?P<y>{YEAR}))?{_END}", "OIML {a}", "standard"),
    ("fmvss", rf"FMVSS[ \-]?(?:No\.? ?)?(?P<a>[0-9]{{3}}[A-Z]?){_END}", "FMVSS {a}", "standard"),
    ("cxs cxg cxc cac codex", r"(?:CXS|CXG|CXC|CODEX ?STAN|CAC ?/ ?(?:GL|RCP|MRL))[ \-](?P<a>[0-9]{1,4}[A-Z]?)-(?P<y>" + YEAR + r")(?![A-Za-z0-9])", "CODEX {a}", "standard"),
    ("nom", rf"NOM-(?P<a>[0-9]{{3}}-[A-Z][A-Z0-9]{{2,6}}[0-9]?(?:/[A-Z0-9\-]{{1,12}}?)?)-(?P<y>{YEAR}){_END}", "NOM {a}", "standard"),
    ("nmx", rf"NMX-(?P<a>[A-Z]{{1,3}}-[A-Z0-9/\-]{{1,30}}?)-(?P<y>{YEAR}){_END}", "NMX {a}", "standard"),
    ("is", rf"IS[ :\-]?(?P<a>[0-9]{{2,6}}(?: ?\(Part ?[0-9]{{1,3}}(?: ?/ ?Sec(?:tion)? ?[0-9]{{1,3}})?\))?) ?: ?(?P<y>{YEAR}){_END}", "IS {a}", "standard"),
    ("qcvn tcvn", rf"QCVN[ \-]?(?P<a>[0-9]{{1,3}}(?:-[0-9]{{1,2}})?) ?: ?(?P<y>{YEAR})(?:/[A-ZĐ]{{2,10}})?{_END}", "QCVN {a}", "standard"),
    ("un unece ece", rf"(?:UN(?:[/ ]?ECE)?|UNECE|ECE)[ \-](?:Regulation (?:No\.? ?)?|Reg\.? ?(?:No\.? ?)?|R\.? ?)(?P<a>[0-9]{{1,3}}){_END}", "UN R{a}", "standard"),
    ("tr тр", r"(?:TR ?(?:CU|TS|EAEU|EAC)|ТР ?(?:ТС|ЕАЭС)) ?(?P<a>[0-9]{3}/[0-9]{4})(?![A-Za-z0-9])", "TR CU {a}", "standard"),
    ("fsa", rf"FSA-(?P<a>(?:PRIN|AA|FAFA)-[0-9]{{1,3}}-{YEAR})(?P<b>-update-[0-9]{{1,2}})?{_END}", "FSA-{a}{b}", "fsa"),
    ("sor dors", rf"(?:SOR|DORS) ?[/\-] ?(?P<a>(?:{YEAR}|[4-9][0-9])-[0-9]{{1,4}}){_END}", "SOR/{a}", "law"),
    ("bgbl", rf"BGBl\.? ?(?P<y>{YEAR}) ?(?P<b>I{{1,2}}) ?Nr\.? ?(?P<a>[0-9]{{1,4}}){_END}", "BGBl. {y} {b} Nr. {a}", "law"),
    ("uksi", rf"uksi/(?P<a>{YEAR}/[0-9]{{1,4}}){_END}", "SI {a}", "law"),
    ("wt", r"WT ?/ ?(?P<a>DS ?[0-9]{1,3}(?:/[A-Z0-9]{1,4}){0,3})(?![A-Za-z0-9])", "WT/{a}", "wto"),
    ("import", r"Import Alert (?:No\.? |# ?)?(?P<a>[0-9]{2}-[0-9]{2,3})(?![A-Za-z0-9])", "Import Alert {a}", "fda"),
    ("pha", rf"PHA-(?P<a>[0-9]{{8}}-[0-9]{{2}}){_END}", "PHA-{a}", "fsis"),
    ("mda", rf"MDA/(?P<a>{YEAR}/[0-9]{{3}}R?){_END}", "MDA/{a}", "mhra"),
)  # fmt: skip


def _simple(place: _Place) -> _Hit | None:
    pattern, form, kind = _SIMPLE[place.word.lower()]
    match = pattern.match(place.text, place.start)
    if match is None or (place.word.lower() == "is" and not place.word.isupper()):
        return None
    groups = {name: re.sub(r" ?([/\-]) ?", r"\1", value or "") for name, value in match.groupdict().items()}
    groups |= {name: value.upper() for name, value in groups.items() if name == "a"}
    if "y" in groups and "{y}" not in form and groups["y"]:
        form += ":{y}" if form[:2] in ("IS", "QC", "OI") else "-{y}"
    return _Hit(place.start, match.end(), form.format(**{"b": "", **groups}), kind)


_IS_STANDARD = re.compile(
    r"(?:GB|DB[0-9]|[TQ]/|ISO|IEC|IWA|EN |prEN|FprEN|ASTM|UL |ANSI|CSA|ULC|CGSB|GOST|JIS|KS |NFPA|SAE|ASME|NSF|NEMA|OIML|CODEX|NOM |NMX |IS |QCVN|"
    + "|".join(rf"{word}(?:/[TZ])? " for word in _INDUSTRIES)
    + "|"
    + "|".join(rf"{re.escape(word)}[ /]" for word in _BODY_WORDS)
    + ")"
)
_STANDARD_AMENDMENT = re.compile(r"(?:[+/](?:A|AC|Amd|Cor|Add|Suppl|XG)(?: ?[0-9]{1,2})?(?:[:\-][0-9]{4})?)$")
_STANDARD_YEAR = re.compile(r"(?::[0-9]{2,4}|-(?:19|20)[0-9]{2}|(?<=[A-Z0-9])-[0-9]{2}[a-z]?(?=$)|\([0-9]{4}\))$")


def _standard_rungs(canonical: str) -> list[str]:
    """Without amendments, year and parts, one after the other; then the same for the standard that is adopted."""
    rungs = [canonical]
    form = canonical
    while match := _STANDARD_AMENDMENT.search(form):
        amended = match.group()
        form = form[: match.start()]
        if ":" in amended:
            rungs.append(form + amended.partition(":")[0])  # 'EN 13250:2014+A1' is asked for without the year of A1
        rungs.append(form)
    two_digits = form.startswith(("ASTM", "CSA", "ULC", "CGSB"))
    while (match := _STANDARD_YEAR.search(form)) and (
        two_digits or not re.fullmatch(r"-[0-9]{2}[a-z]?", match.group())
    ):
        form = form[: match.start()]
        rungs.append(form)
    prefix, _, number = form.rpartition(" ")
    while match := re.search(r"[.\-][A-Z]{0,2}[0-9]{1,4}[A-Z]?$", number):
        number = number[: match.start()]
        rungs.append(f"{prefix} {number}")
    for adopted in _adopted(canonical):
        rungs += _standard_rungs(adopted)
    return rungs


def _adopted(canonical: str) -> Iterator[str]:
    """'BS EN ISO 12100:2010' -> 'EN ISO 12100:2010'; 'ISO/IEC 17025:2017' -> 'ISO 17025:2017', as people type it."""
    if match := re.match(
        r"(?:JIS [A-Z]|KS [A-Z]|GOST(?: R)?|[^ ]+) (?=(?:EN|prEN|ISO|IEC|HD|CISPR|CEN|CLC)[ /])", canonical
    ):
        yield canonical[match.end() :]
    elif match := re.match(
        r"(?:ISO/IEC/IEEE|ISO/IEC|ISO|IEC|CEN|CLC)(?:/| )(?:TS|TR|PAS|DIS|FDIS|IEEE|CIE|IDF|SAE|ASTM)(?:/[A-Z]+)? ",
        canonical,
    ):
        yield f"{canonical.partition('/')[0].partition(' ')[0]} {canonical[match.end() :]}"
    elif match := re.match(r"ISO/IEC(?:/IEEE)? (?=[0-9G])", canonical):
        yield f"ISO {canonical[match.end() :]}"
        yield f"IEC {canonical[match.end() :]}"


# --- acts ----------------------------------------------------------------------------------------------------------------------------

_COMMUNITY = "EU|UE|EC|CE|EG|EEC|CEE|EWG|EEG|EURATOM|CFSP|PESC|GASP|JHA|JAI|JI"
_ACT_WORDS = (
    "regulation regulations directive directives decision decisions recommendation règlement règlements reglement directive décision décisions recommandation"
    " verordnung verordnungen richtlinie richtlinien beschluss entscheidung empfehlung reglamento reglamentos directiva directivas decisión decisiones recomendación"
    " regolamento direttiva decisione verordening richtlijn förordning direktiv rozporządzenie dyrektywa regulamento diretiva decisão"
).split()
_NUMBER_SIGN = r"(?:(?:No|Nr|Nos|num|nr)\.? ?|N ?[°ºo]\.? ?|n\. ?[°º] ?|№ ?)"
_ACT = re.compile(
    rf"(?:(?P<word>{'|'.join(sorted(set(_ACT_WORDS), key=len, reverse=True))}) {{0,2}})?"
    rf"(?:(?P<open>\()?(?P<community>{_COMMUNITY})(?:, ?Euratom)?\)? {{0,2}}[/:\-]? {{0,2}})?"
    rf"(?P<sign>{_NUMBER_SIGN})?(?P<first>[0-9]{{1,4}}) ?/ ?(?P<second>[0-9]{{1,4}})"
    rf"(?: ?/ ?(?P<suffix>{_COMMUNITY}))?(?![0-9A-Za-z]|/[0-9A-Za-z])",
    re.IGNORECASE,
)
_ACT_CONTEXT = re.compile(r"(?:欧盟|欧洲联盟|欧委会|欧共体)[^0-9,.;。，；\n]{0,14}$")
COMMON_NUMBERS_FROM = 2015  # since then regulations, directives and decisions share one series, year first


def _act(place: _Place) -> _Hit | None:
    start = place.start - 1 if place.behind(1) == "(" and place.word.upper() in _COMMUNITY.split("|") else place.start
    if start < place.start and not re.match(r" ?\)", place.text[place.end : place.end + 2]):
        start = place.start  # '(see EU 2024/903)'
    match = _ACT.match(place.text, start)
    if match is None:
        return None
    named = match["community"] or match["suffix"]
    if not named and not match["word"]:
        return None
    return _act_hit(place, match, start)


def _act_number(place: _Place) -> _Hit | None:
    """Read an act that begins with its number: '2009/48/EC', and '2024/903' after 欧盟."""
    match = _ACT.match(place.text, place.start)
    if match is None or not (match["suffix"] or _ACT_CONTEXT.search(place.behind(24))):
        return None
    return _act_hit(place, match, place.start)


def _act_hit(place: _Place, match: re.Match[str], start: int) -> _Hit | None:
    first, second = int(match["first"]), int(match["second"])
    form = _act_form(
        first, second, match["first"], match["second"], has_sign=bool(match["sign"]), has_suffix=bool(match["suffix"])
    )
    if form is None:
        return None
    if not match["suffix"] and not match["open"] and not match["word"] and not place.is_whole:
        # 'EU 2024/2025 season', 'CE 12/24 V'
        if (match["community"] or "EU").upper() not in ("EU", "EC", "EEC", "UE"):
            return None
        if second in (first + 1, (first + 1) % 100) and first > 1900:
            return None
    return _Hit(start, match.end(), form, "eu_act")


def _act_form(first: int, second: int, one: str, other: str, *, has_sign: bool, has_suffix: bool) -> str | None:
    """'EU year/number' for directives, decisions and everything since 2015, 'EU number/year' for older regulations."""
    starts_with_year = len(one) == 4 and 1950 <= first <= 2049
    ends_with_year = len(other) == 4 and 1950 <= second <= 2049
    if has_suffix:
        if starts_with_year:
            return f"EU {first}/{second}"
        if ends_with_year:  # 'Decision No 768/2008/EC' is CELEX 32008D0768
            return f"EU {second}/{first}"
        return f"EU 19{one}/{second}" if len(one) == 2 and first >= 50 else None
    if starts_with_year and first >= COMMON_NUMBERS_FROM and not has_sign:
        return f"EU {first}/{second}"
    if ends_with_year:
        return f"EU {first}/{second}"
    if starts_with_year:
        return f"EU {first}/{second}"  # 'Directive 2009/48'
    if len(other) == 2 and 50 <= second <= 99 and has_sign:
        return f"EU {first}/19{other}"  # '(EEC) No 2658/87'
    return f"EU 19{one}/{second}" if len(one) == 2 and 50 <= first <= 99 else None


_CELEX = re.compile(
    r"(?:CELEX {0,2}(?:No\.?|number|编号)? {0,2}[:：]? {0,2})?(?P<sector>[0-9CE])(?P<year>(?:19[5-9]|20[0-4])[0-9])(?P<type>[A-Z]{1,2})(?P<number>[0-9]{4})"
    r"(?P<corrigendum>R?\([0-9]{2}\))?(?:-(?P<day>[0-9]{8}))?(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_PROPOSALS = {"PC": "COM", "DC": "COM", "SC": "SWD", "JC": "JOIN"}


def _celex(place: _Place) -> _Hit | None:
    match = _CELEX.match(place.text, place.start)
    if match is None:
        return None
    sector, year, kind, number = (
        match["sector"].upper(),
        int(match["year"]),
        match["type"].upper(),
        int(match["number"]),
    )
    day = f"-{match['day']}" if match["day"] else ""
    corrigendum = re.search(r"[0-9]{2}", match["corrigendum"] or "")
    more = f"{day}{f' R({corrigendum.group()})' if corrigendum else ''}"
    if sector in "03" and kind in ("R", "L", "D", "H"):
        old_regulation = kind == "R" and year < COMMON_NUMBERS_FROM
        form = f"EU {number}/{year}{more}" if old_regulation else f"EU {year}/{number}{more}"
    elif sector == "5" and kind in _PROPOSALS:
        form = f"{_PROPOSALS[kind]}({year}) {number}"
    else:
        form = f"CELEX {sector}{year}{kind}{match['number']}{more}"
    return _Hit(place.start, match.end(), form, "eu_act")


_PROPOSAL = re.compile(
    r"(?P<body>COM|SWD|SEC|JOIN|C) ?\( ?(?P<year>(?:19|20)[0-9]{2}) ?\) ?/? ?(?P<number>[0-9]{1,5})(?: ?/? ?(?:final|fin\.?|endg\.?|definitivo)(?:/[0-9])?)?(?![A-Za-z0-9])"
    r"|(?P<slashed>COM|SWD|JOIN)/(?P<year2>(?:19|20)[0-9]{2})/(?P<number2>[0-9]{1,5})(?:/(?:final|FINAL))?(?![A-Za-z0-9])",
    re.IGNORECASE,
)


def _proposal(place: _Place) -> _Hit | None:
    match = _PROPOSAL.match(place.text, place.start)
    if match is None:
        return None
    body = (match["body"] or match["slashed"]).upper()
    form = f"{body}({match['year'] or match['year2']}) {int(match['number'] or match['number2'])}"
    return _Hit(place.start, match.end(), form, "eu_act")


_JOURNAL = re.compile(
    r"(?:OJ|JO|ABl\.?|DO|GU) ?(?:EU |UE |CE |EG )?(?:no\.? ?|n° ?|Nr\.? ?)?(?P<series>[LC]) ?,?(?: ?(?P<issue>[0-9]{1,4})[A-Z]?[ ,]{1,2}(?:of |du |vom |de |del )?[0-9]{1,2}[./][0-9]{1,2}[./](?P<year>(?:19|20)[0-9]{2})"
    r"(?:,? ?(?:p|S|pág|s)\.? ?(?P<page>[0-9]{1,4}))?|(?: {0,2}(?P<act_year>20[0-9]{2})/(?P<act>[0-9]{1,5})))(?![0-9A-Za-z])",
    re.IGNORECASE,
)


def _journal(place: _Place) -> _Hit | None:
    match = _JOURNAL.match(place.text, place.start)
    if match is None:
        return None
    series = match["series"].upper()
    if match["act"]:  # since October 2023 an issue holds one act and has its number
        form, kind = (
            (f"EU {match['act_year']}/{int(match['act'])}", "eu_act")
            if series == "L"
            else (f"OJ C {match['act_year']}/{int(match['act'])}", "oj")
        )
    else:
        form, kind = (
            f"OJ {series} {int(match['issue'])}/{match['year']}{' p.' + match['page'] if match['page'] else ''}",
            "oj",
        )
    return _Hit(place.start, match.end(), form, kind)


_ELI = re.compile(
    r"eli/(?P<type>reg|dir|dec|reco)(?:_impl|_del|_framw)?/(?P<year>(?:19|20)[0-9]{2})/(?P<number>[0-9]{1,5})(?:/oj)?(?![0-9A-Za-z])"
)
_ISSUE = re.compile(r"L_(?P<year>20[0-9]{2})(?P<number>[0-9]{5})(?![0-9A-Za-z])")


def _eli(place: _Place) -> _Hit | None:
    match = _ELI.match(place.text, place.start) or _ISSUE.match(place.text, place.start)
    if match is None:
        return None
    year, number = int(match["year"]), int(match["number"])
    old_regulation = match.groupdict().get("type") == "reg" and year < COMMON_NUMBERS_FROM
    return _Hit(place.start, match.end(), f"EU {number}/{year}" if old_regulation else f"EU {year}/{number}", "eu_act")


_FEDERAL = re.compile(
    r"(?P<title>[0-9]{1,2}) ?(?P<body>C\.? ?F\.? ?R\.?|U\.? ?S\.? ?C\.?|F\.? ?R\.?|Fed\. ?Reg\.) ?"
    r"(?P<word>(?:parts?|pts?\.?|sections?|secs?\.?|§{1,2}|chapters?|ch\.?) ?)?"
    r"(?P<number>[0-9]{1,3}(?:,[0-9]{3}(?![0-9]))|[0-9]{1,6}[a-z]{0,2}(?![A-Za-z]))(?:\.(?P<section>[0-9]{1,5}[a-z]?)(?![A-Za-z0-9]))?"
    r"(?P<paragraphs>(?: ?\([a-z0-9]{1,4}\)){0,5})",
    re.IGNORECASE,
)
_CFR_LIST = re.compile(r"(?: ?,? ?(?:and|or|through|to)|,|;| ?-| ?和| ?、) ?(?:part |§ ?)?$", re.IGNORECASE)


def _federal(place: _Place) -> _Hit | None:
    """Read '16 CFR part 1501', '15 U.S.C. 2056', '89 FR 2530'."""
    match = _FEDERAL.match(place.text, place.start)
    if match is None or not 1 <= int(match["title"]):
        return None
    body = re.sub(r"[. ]", "", match["body"]).upper().replace("FEDREG", "FR")
    title, number = int(match["title"]), match["number"].replace(",", "").lower()
    if body == "FR":
        if (
            title < 40
            or match["section"]
            or match["word"]
            or not number.isdecimal()
            or (match["body"].islower() and not place.is_whole)
        ):
            return None  # '10 fr 20': volumes of this century are 65 and up
        return _Hit(place.start, match.end("number"), f"{title} FR {int(number)}", "federal_register")
    if "," in match["number"] or (body == "CFR" and title > 50) or (body == "USC" and title > 54):
        return None
    section = f".{match['section'].lower()}" if match["section"] else ""
    paragraphs = re.sub(r" ", "", match["paragraphs"] or "").lower()
    return _Hit(
        place.start, match.end(), f"{title} {body} {number}{section}{paragraphs}", "cfr" if body == "CFR" else "usc"
    )


def _federal_list(place: _Place) -> _Hit | None:
    """'10 CFR parts 429 and 430': the second number has its title before it."""
    before = place.before
    if before is None or before.kind != "cfr" or not _CFR_LIST.fullmatch(place.text[before.end : place.start]):
        return None
    match = re.compile(
        r"(?P<number>[0-9]{1,4})(?:\.(?P<section>[0-9]{1,5}))?(?![0-9A-Za-z]|\.[0-9]| (?:CFR|U\.?S\.?C))"
    ).match(place.text, place.start)
    is_list = re.search(r"parts|§§|sections", place.text[before.start : before.end], re.IGNORECASE)
    if match is None or not (is_list or match["section"] or _is_list_part(place, before)):
        return None
    title = before.canonical.partition(" ")[0]
    section = f".{match['section']}" if match["section"] else ""
    return _Hit(place.start, match.end(), f"{title} CFR {match['number']}{section}", "cfr")


def _is_list_part(place: _Place, before: _Hit) -> bool:
    return before.start == before.end - len(before.canonical.rpartition(" ")[2])  # itself the second of a list


def _section_rungs(canonical: str) -> list[str]:
    rungs = [canonical]
    form = canonical
    while match := re.search(r"(?:\([a-z0-9]+\)|\.[0-9]+[a-z]?)$", form):
        form = form[: match.start()]
        rungs.append(form)
    return rungs


_REGISTER_NUMBER = re.compile(r"(?P<number>(?:199[4-9]|20[0-4][0-9])-[0-9]{5})(?![0-9A-Za-z]|-[0-9A-Za-z])")
_REGISTER_OLD = re.compile(
    r"(?:FR Doc\.? ?(?:No\.? ?)?)(?P<number>(?:[ECR][0-9]{1,2}-)?(?:(?:19|20)[0-9]{2}|[0-9]{2})-[0-9]{4,5}|E[0-9]{1,2}-[0-9]{4,5})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_REGISTER_CORRECTION = re.compile(r"[CR][0-9]-(?:20[0-4][0-9])-[0-9]{5}(?![0-9A-Za-z]|-[0-9])")
_REGISTER_BEFORE = re.compile(r"FR Doc\.? ?(?:No\.? ?)?$", re.IGNORECASE)


def _register(place: _Place) -> _Hit | None:
    match = _REGISTER_NUMBER.match(place.text, place.start)
    if match is None:
        return None
    before = _REGISTER_BEFORE.search(place.text[max(0, place.start - 14) : place.start])
    start = place.start - len(before.group()) if before else place.start
    return _Hit(start, match.end(), match["number"], "federal_register")


def _register_word(place: _Place) -> _Hit | None:
    match = _REGISTER_OLD.match(place.text, place.start) or _REGISTER_CORRECTION.match(place.text, place.start)
    if match is None:
        return None
    number = match["number"] if "number" in match.groupdict() else match.group()
    return _Hit(place.start, match.end(), number.upper(), "federal_register")


_DOCKET = re.compile(
    rf"(?P<number>[A-Z]{{2,6}}(?:-[A-Z0-9]{{1,8}}){{0,3}}-{YEAR}(?:-[A-Z]{{1,4}})?-[0-9]{{4,5}}(?:-[0-9]{{4}})?){_END}",
    re.IGNORECASE,
)


def _docket(place: _Place) -> _Hit | None:
    match = _DOCKET.match(place.text, place.start)
    return None if match is None else _Hit(place.start, match.end(), match["number"].upper(), "docket")


_STATUTORY = re.compile(
    rf"S\.? ?I\.? ?(?:No\.? ?)?(?P<number>{YEAR}/[0-9]{{1,4}}){_END}|SI/(?P<canada>(?:{YEAR}|[4-9][0-9])-[0-9]{{1,4}}){_END}"
)


def _statutory(place: _Place) -> _Hit | None:
    match = _STATUTORY.match(place.text, place.start)
    if match is None:
        return None
    return _Hit(
        place.start, match.end(), f"SI {match['number']}" if match["number"] else f"SI/{match['canada']}", "law"
    )


_JAPANESE_ACT = re.compile(
    r"(?P<era>明治|大正|昭和|平成|令和)(?P<year>[0-9〇零一二三四五六七八九十百元]{1,4})年(?P<kind>[\u4e00-\u9fff・]{0,14}?(?:法律|政令|省令|府令|規則|告示|勅令|条約))第(?P<number>[0-9〇零一二三四五六七八九十百千]{1,8})号"
)


def _japanese_act(place: _Place) -> _Hit | None:
    match = _JAPANESE_ACT.match(place.text, place.start)
    if match is None or match["era"] not in ERAS:
        return None
    try:
        year, number = han_number(match["year"]), han_number(match["number"])
    except ValueError:
        return None
    return _Hit(place.start, match.end(), f"{match['era']}{year}年{match['kind']}第{number}号", "law")


_LAW_ID = re.compile(
    r"(?:[1-5][0-9]{2}(?:AC|CO|DF|IO|CT)[0-9]{10}|[1-5][0-9]{2}M[0-9]{11})(?![0-9A-Za-z])|[CF](?:19|20)[0-9]{2}[AL][0-9]{5}(?![0-9A-Za-z])"
)


def _law_id(place: _Place) -> _Hit | None:
    match = _LAW_ID.match(place.text, place.start)
    return None if match is None else _Hit(place.start, match.end(), match.group(), "law")


_ISSUERS = {
    "海关总署": "海关总署", "国家市场监督管理总局": "市场监管总局", "市场监督管理总局": "市场监管总局", "市场监管总局": "市场监管总局", "商务部": "商务部", "农业农村部": "农业农村部", "生态环境部": "生态环境部",
    "国家卫生健康委员会": "国家卫生健康委", "国家卫生健康委": "国家卫生健康委", "国家卫健委": "国家卫生健康委", "工业和信息化部": "工业和信息化部", "工信部": "工业和信息化部", "国家药品监督管理局": "国家药监局", "国家药监局": "国家药监局",
    "国家认证认可监督管理委员会": "国家认监委", "国家认监委": "国家认监委", "认监委": "国家认监委", "国家质量监督检验检疫总局": "质检总局", "质检总局": "质检总局", "国家标准化管理委员会": "国家标准委", "国家标准委": "国家标准委",
}  # fmt: skip
_ISSUER_BEFORE = re.compile(
    rf"(?P<issuer>{'|'.join(sorted(_ISSUERS, key=len, reverse=True))})(?P<kind>公告|令|通告)?[ \[(]?$"
)
_ANNOUNCEMENT = re.compile(r"(?P<year>20[0-9]{2})(?:年|[\])]) ?第? ?(?P<number>[0-9]{1,4}) ?号(?P<kind>公告|令|通告)?")


def _announcement(place: _Place) -> _Hit | None:
    match = _ANNOUNCEMENT.match(place.text, place.start)
    issuer = _ISSUER_BEFORE.search(place.behind(18)) if match else None
    if match is None or issuer is None:
        return None
    kind = match["kind"] or issuer["kind"]
    if kind is None:
        return None
    form = f"{_ISSUERS[issuer['issuer']]}{kind}{match['year']}年第{int(match['number'])}号"
    return _Hit(place.start - len(issuer.group()), match.end(), form, "announcement")


# --- notifications and recalls -------------------------------------------------------------------------------------------------------

_SYMBOL = re.compile(
    r"(?:G ?[/\- ] ?)?(?P<area>TBT|SPS) ?[/\- ] ?N ?[/\- ] ?(?P<member>[A-Z]{2,4})(?![A-Za-z])(?: ?[/\- ] ?(?P<number>[0-9]{1,5})(?![0-9A-Za-z]))?"
    r"(?P<suffixes>(?: ?[/\- ] ?(?:Add|Rev|Corr|Suppl)[. ]{0,2}[0-9]{1,3}(?![0-9A-Za-z])){0,6})",
    re.IGNORECASE,
)
_DOCUMENT = re.compile(
    r"G ?/ ?(?P<area>TBT|SPS|AG|LIC|SG|ADP|SCM|IP|STR|MA|CTG|L|C|W)(?P<more>(?: ?/ ?(?:[A-Z]{1,6}\.?(?:[0-9]{1,2})?|[0-9]{1,5}(?:\.[0-9]{1,4})?|Notif\.?[0-9]{2})){1,5})"
    r"(?P<suffixes>(?: ?/ ?(?:Add|Rev|Corr|Suppl)[. ]{0,2}[0-9]{1,3}(?![0-9A-Za-z])){0,6})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_SUFFIX = re.compile(r"(Add|Rev|Corr|Suppl)[. ]{0,2}([0-9]{1,3})", re.IGNORECASE)


def _symbol(place: _Place) -> _Hit | None:
    match = _SYMBOL.match(place.text, place.start)
    if match and (match["number"] or place.is_whole or place.text[match.start() : match.end()].count("/") >= 2):
        number = f"/{int(match['number'])}" if match["number"] else ""
        suffixes = _suffixes(match["suffixes"]) if number else ""
        end = match.end() if number else match.end("member")
        return _Hit(place.start, end, f"G/{match['area'].upper()}/N/{match['member'].upper()}{number}{suffixes}", "wto")
    match = _DOCUMENT.match(place.text, place.start)
    if match is None or not re.search(r"[0-9]", match["more"]):
        return None
    more = re.sub(" ", "", match["more"]).upper().replace("NOTIF", "Notif")
    return _Hit(place.start, match.end(), f"G/{match['area'].upper()}{more}{_suffixes(match['suffixes'])}", "wto")


def _suffixes(printed: str) -> str:
    return "".join(f"/{kind.capitalize()}.{int(number)}" for kind, number in _SUFFIX.findall(printed or ""))


def _wto_rungs(canonical: str) -> list[str]:
    rungs = [canonical]
    form = canonical
    while match := re.search(r"/(?:Add|Rev|Corr|Suppl)\.[0-9]+$", form):
        form = form[: match.start()]
        rungs.append(form)
    if match := re.fullmatch(r"(G/(?:TBT|SPS)/N/[A-Z]{2,4})/[0-9]+", form):
        rungs.append(match[1])
    return rungs


_CASE = re.compile(
    r"(?P<type>A ?1[0-9]|SR|OR|EM|INFO) ?[/ \-] ?(?P<number>[0-9]{4,5}) ?[/ \-] ?(?P<year>[0-9]{2})(?![0-9A-Za-z/\-])",
    re.IGNORECASE,
)
_CASE_BARE = re.compile(r"(?P<number>[0-9]{4}) ?/ ?(?P<year>0[3-9]|1[0-9])(?![0-9A-Za-z]|/[0-9])")
_CASE_CONTEXT = re.compile(
    r"(?:RAPEX|Safety ?Gate|alerts?|notifications?|case|reference)[ :#(,]{0,3}(?:numbers?|nos?\.?|nr\.?|and|,)?[ :#(,]{0,3}$",
    re.IGNORECASE,
)


def _case(place: _Place) -> _Hit | None:
    match = _CASE.match(place.text, place.start)
    if match is None:
        return None
    if not place.is_whole and "/" not in match.group()[len(match["type"]) + 1 :]:
        return None
    form = f"{match['type'].upper().replace(' ', '')}/{_case_number(match['number'], match['year'])}/{match['year']}"
    return _Hit(place.start, match.end(), form, "safety_gate")


def _case_number(number: str, year: str) -> str:
    """Four digits until 2013, five since: A12/1187/13 and A12/01187/13 are one case."""
    return f"{int(number):0{4 if int(year) <= 13 else 5}d}"


def _case_number_only(place: _Place) -> _Hit | None:
    match = _CASE_BARE.match(place.text, place.start)
    if match is None or not (
        place.is_whole
        or _CASE_CONTEXT.search(place.behind(30))
        or (place.before and place.before.kind == "safety_gate" and place.start - place.before.end < 8)
    ):
        return None
    return _Hit(place.start, match.end(), f"{match['number']}/{match['year']}", "safety_gate")


_RASFF = re.compile(r"(?P<number>(?:19[89]|20[0-4])[0-9]\.[0-9]{3,5})(?![0-9A-Za-z]|\.[0-9])")
_RASFF_CONTEXT = re.compile(
    r"(?:(?P<tight>(?<![A-Za-z])RASFF)|notification|reference)(?: (?:notification|reference|number|no\.?|ref\.?)){0,3}[ :#(]{0,3}$",
    re.IGNORECASE,
)
_NOT_A_NUMBER = re.compile(
    r"(?:[$€£¥₩]|(?<![A-Za-z])(?:v|ver|version|release|USD|EUR|RMB|CNY|GBP|Rs)\.?) ?$", re.IGNORECASE
)
_UNIT_BEHIND = re.compile(
    r" ?(?:%|‰|°|(?:[kmcµ]?(?:g|m|l|V|W|Hz|A|Pa)|USD|EUR|CNY|RMB|euros?|dollars?|yuan|million|billion|元|美元|万|千|公斤|毫米)(?![A-Za-z]))",
    re.IGNORECASE,
)


def _rasff(place: _Place) -> _Hit | None:
    match = _RASFF.match(place.text, place.start)
    if match is None:
        return None
    context = _RASFF_CONTEXT.search(place.behind(40))
    if not place.is_whole and context is None:
        if (
            len(match["number"]) != 9
            or _NOT_A_NUMBER.search(place.behind(10))
            or _UNIT_BEHIND.match(place.text, match.end())
        ):
            return None
    return _Hit(_tight_start(place, context), match.end(), match["number"], "rasff")


_FDA = re.compile(
    r"(?P<type>[FHZDBVN]) ?- ?(?P<number>[0-9]{3,4}) ?- ?(?P<year>(?:19|20)[0-9]{2}|[0-9]{1,2})(?![0-9A-Za-z]|-[0-9])",
    re.IGNORECASE,
)
_FDA_LOOSE = re.compile(
    r"(?P<type>[FHZDBVN])[ \-]?(?P<number>[0-9]{3,4})[ \-](?P<year>(?:19|20)[0-9]{2})$", re.IGNORECASE
)


def _fda(place: _Place) -> _Hit | None:
    match = _FDA.match(place.text, place.start) or (
        _FDA_LOOSE.match(place.text, place.start) if place.is_whole else None
    )
    if match is None or (len(match["year"]) < 4 and not re.search(r"recall|FDA", place.behind(40), re.IGNORECASE)):
        return None
    return _Hit(place.start, match.end(), f"{match['type'].upper()}-{match['number']}-{match['year']}", "fda")


_CPSC = re.compile(r"(?P<year>[0-9]{2})-?(?P<number>[0-9]{3})(?![0-9A-Za-z]|-[0-9A-Za-z])")
_CPSC_CONTEXT = re.compile(
    r"(?:(?P<tight>(?<![A-Za-z])(?:U\.?S\.? ?)?CPSC)(?: (?:recall|release|alert|press release)){0,2}(?: ?(?:no\.?|numbers?|#|编号|召回))?|recall ?(?:no\.?|numbers?|#|alert)|(?<![A-Za-z])release ?(?:no\.?|numbers?|#))[ :#(]{0,3}$",
    re.IGNORECASE,
)


def _cpsc(place: _Place) -> _Hit | None:
    match = _CPSC.match(place.text, place.start)
    if match is None:
        return None
    context = _CPSC_CONTEXT.search(place.behind(40))
    if context is None and not (place.is_whole and "-" in match.group()):
        return None
    return _Hit(_tight_start(place, context), match.end(), f"CPSC {match['year']}-{match['number']}", "cpsc")


_FSIS = re.compile(r"(?P<number>[0-9]{3}-(?:19|20)[0-9]{2})(?P<expansion>-EXP)?(?![0-9A-Za-z]|-[0-9A-Za-z])")
_FSIS_CONTEXT = re.compile(
    r"(?:(?P<tight>(?<![A-Za-z])FSIS)(?:[ \-](?:recall|RC|release|alert|召回)){0,2}(?: ?(?:no\.?|numbers?|#))?|recall(?: (?:no\.?|numbers?|release|case))?)[ :#(\-]{0,3}$",
    re.IGNORECASE,
)


def _fsis(place: _Place) -> _Hit | None:
    match = _FSIS.match(place.text, place.start)
    if match is None:
        return None
    context = _FSIS_CONTEXT.search(place.behind(40))
    if context is None and not place.is_whole:
        return None
    return _Hit(_tight_start(place, context), match.end(), f"FSIS {match['number']}{match['expansion'] or ''}", "fsis")


_CAMPAIGN = re.compile(
    r"(?P<year>[0-9]{2})(?P<dash>-)?(?P<type>[VETC])-?(?P<number>[0-9]{3})(?P<zeros>000)?(?![0-9A-Za-z]|-[0-9])",
    re.IGNORECASE,
)
_CAMPAIGN_CONTEXT = re.compile(
    r"(?:(?P<tight>(?<![A-Za-z])NHTSA)(?: (?:campaign|recall|safety recall|number|no\.?|id|#)){0,3}|campaign(?: (?:number|no\.?|id|#))?|recall(?: (?:number|no\.?|id|#))?)[ :#(]{0,3}$",
    re.IGNORECASE,
)


def _campaign(place: _Place) -> _Hit | None:
    match = _CAMPAIGN.match(place.text, place.start)
    if match is None:
        return None
    context = _CAMPAIGN_CONTEXT.search(place.behind(40))
    if context is None and not place.is_whole and not match["zeros"]:  # '20V-314' may be a power tool
        return None
    return _Hit(
        _tight_start(place, context),
        match.end(),
        f"{match['year']}{match['type'].upper()}{match['number']}000",
        "nhtsa",
    )


_FICHE = re.compile(r"20[0-4][0-9]-(?:0[1-9]|1[0-2])-[0-9]{4}(?![0-9A-Za-z]|-[0-9])")


def _fiche(place: _Place) -> _Hit | None:
    match = _FICHE.match(place.text, place.start)
    return None if match is None else _Hit(place.start, match.end(), match.group(), "rappelconso")


def _tight_start(place: _Place, context: re.Match[str] | None) -> int:
    """Where the reference begins: with the designation right before the number ('HS 8517'), not with other context."""
    if context is None or not context.groupdict().get("tight"):
        return place.start
    return place.start - (len(context.string) - context.start("tight"))


# --- codes of goods ------------------------------------------------------------------------------------------------------------------

# Headings in each chapter of the Harmonized System: the number of the last one. 12.34 is no heading, so that '1234.56' is no code.
_LAST_HEADING = dict(
    enumerate(
        (6, 10, 10, 10, 11, 4, 14, 14, 10, 8, 9, 14, 2, 4, 22, 5, 4, 6, 5, 9, 6, 9, 9, 4, 30, 21, 16, 53, 42, 6, 5, 15, 7, 7, 7, 6, 7, 27, 26, 17, 15, 6, 4, 21, 4, 2, 7, 23, 11)
        + (7, 13, 12, 11, 8, 16, 9, 5, 11, 11, 6, 17, 17, 10, 6, 7, 3, 4, 15, 14, 20, 18, 29, 26, 19, 8, 16, 0, 6, 7, 7, 13, 15, 11, 87, 49, 9, 16, 7, 8, 33, 14, 9, 7, 6, 8, 20, 6),
        start=1,
    )
)  # fmt: skip
_HS_CONTEXT = re.compile(
    r"(?:(?P<tight>(?<![A-Za-z])(?:HS|HTS|HTSUS|HTSUSA|NCM|AHTN|(?:CN|TARIC|ТН ВЭД)(?= codes?)|H\.S\.))(?:[ \-]?(?:codes?|numbers?|nos?\.?|headings?|subheadings?|编码|码|号))?(?:\(s\))?"
    r"|(?:tariff (?:items?|codes?|headings?|subheadings?|lines?|numbers?)|customs codes?|(?<![A-Za-z])subheadings?|(?<![A-Za-z])headings?(?: nos?\.?)?)|(?:海关|商品|税则|税目)(?:编码|编号|号列|代码|税号)?|税号|HS ?编码)[ :#(为]{0,3}$",
    re.IGNORECASE,
)
_HS_NUMBER = re.compile(
    r"[0-9]{2}(?:\.?[0-9]{2}(?:[. ]?[0-9]{2}(?:[. ]?[0-9]{2}(?:[. ]?[0-9]{2})?)?)?)?(?![0-9]|[.][0-9]|[A-Za-z])"
)
_HS_DOTTED = re.compile(r"[0-9]{4}\.[0-9]{2}(?:\.[0-9]{2}(?:\.?[0-9]{2})?|\.[0-9]{4})?(?![0-9A-Za-z]|[.,][0-9])")
_LIST_GAP = re.compile(r"(?: ?[,;、，/] ?(?:and |or |ex )?| (?:and|or|to) | ?[和及与] ?| - )$", re.IGNORECASE)


def _hs(place: _Place) -> _Hit | None:
    context = _HS_CONTEXT.search(place.behind(40))
    follows = (
        place.before is not None
        and place.before.kind == "hs"
        and _LIST_GAP.fullmatch(place.text[place.before.end : place.start])
    )
    if context or follows:
        match = _HS_NUMBER.match(place.text, place.start)
        digits = codes.hs_code(match.group()) if match else None
        is_tight = bool(context and context.groupdict().get("tight")) or place.is_whole
        if match is None or digits is None or not _is_heading(digits) or (len(digits) < 4 and not is_tight):
            return None
        return _Hit(_tight_start(place, context), match.end(), f"HS {digits}", "hs")
    match = _HS_DOTTED.match(place.text, place.start)
    if match is None or not _is_heading(match.group()):
        return None
    if _NOT_A_NUMBER.search(place.behind(10)) or _UNIT_BEHIND.match(place.text, match.end()):
        return None
    return _Hit(place.start, match.end(), f"HS {match.group().replace('.', '')}", "hs")


def _is_heading(digits: str) -> bool:
    chapter = int(digits[:2])
    if chapter in (98, 99):
        return True  # national use
    return chapter in _LAST_HEADING and (len(digits) < 4 or 1 <= int(digits[2:4]) <= _LAST_HEADING[chapter])


_ICS_CONTEXT = re.compile(
    r"(?:(?P<tight>(?<![A-Za-z])ICS)(?: ?(?:codes?|分类号?|号|分类|numbers?|nos?\.?))?(?:\(s\))?|国际标准分类号?)[ :#(]{0,3}$",
    re.IGNORECASE,
)
_ICS_NUMBER = re.compile(r"[0-9]{2}(?:\.[0-9]{3}(?:\.[0-9]{2})?)?(?![0-9A-Za-z]|[.,][0-9])")


def _ics(place: _Place) -> _Hit | None:
    match = _ICS_NUMBER.match(place.text, place.start)
    code = codes.ics_code(match.group()) if match else None
    if match is None or code is None:
        return None
    context = _ICS_CONTEXT.search(place.behind(30))
    follows = (
        place.before is not None
        and place.before.kind == "ics"
        and _LIST_GAP.fullmatch(place.text[place.before.end : place.start])
    )
    if not context and not follows and not (len(code) == 6 and place.is_whole):
        if len(code) < 9 or _NOT_A_NUMBER.search(place.behind(10)) or _UNIT_BEHIND.match(place.text, match.end()):
            return None
    return _Hit(_tight_start(place, context), match.end(), f"ICS {code}", "ics")


_CAS_CONTEXT = re.compile(
    r"(?P<tight>(?<![A-Za-z])CAS)(?: ?(?:RN|registry|numbers?|nos?\.?|nr\.?|n°|编号|号|登记号)){0,2}[ :#(]{0,3}$",
    re.IGNORECASE,
)
_CAS_NUMBER = re.compile(r"[1-9][0-9]{1,6}-[0-9]{2}-[0-9](?![0-9A-Za-z]|-[0-9])")


def _cas(place: _Place) -> _Hit | None:
    match = _CAS_NUMBER.match(place.text, place.start)
    number = codes.cas(match.group()) if match else None
    if match is None or number is None:
        return None
    context = _CAS_CONTEXT.search(place.behind(30))
    if context is None and re.match(r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-", number) and not place.is_whole:
        return None  # '2024-05-1' is a day
    return _Hit(_tight_start(place, context), match.end(), f"CAS {number}", "cas")


_GTIN_CONTEXT = re.compile(
    r"(?:(?P<tight>(?<![A-Za-z])(?:UPC|EAN|GTIN|JAN)s?)(?:[ \-]?(?:A|8|12|13|14)(?![0-9A-Za-z]))?|bar ?codes?|条形?码|商品条码|code[ \-]barres|strichcode|código de barras)"
    r"(?: ?(?:codes?|numbers?|nos?\.?|#|编号))?(?:\(s\))?[ :#(]{0,3}(?:is |are |of |为)?$",
    re.IGNORECASE,
)
_GTIN_NUMBER = re.compile(r"[0-9](?:[ \-]?[0-9]){7,13}(?![0-9A-Za-z]|[\-][0-9]|[.,][0-9])")
# Ranges that GS1 has given to its members; a 13-digit number outside is a telephone number or a time stamp.
_GS1_PREFIXES = (
    (0, 19),
    (30, 39),
    (60, 139),
    (300, 383),
    (385, 385),
    (387, 389),
    (400, 440),
    (450, 471),
    (474, 489),
    (490, 499),
    (500, 509),
    (520, 521),
)
_GS1_MORE = (
    (528, 531),
    (535, 535),
    (539, 549),
    (560, 560),
    (569, 579),
    (590, 590),
    (594, 594),
    (599, 609),
    (611, 630),
    (640, 649),
    (690, 699),
    (700, 709),
)
_GS1_LAST = (
    (729, 731),
    (740, 746),
    (750, 750),
    (754, 755),
    (759, 771),
    (773, 773),
    (775, 775),
    (777, 780),
    (784, 784),
    (786, 786),
    (789, 850),
    (858, 860),
    (865, 865),
    (867, 888),
    (890, 890),
    (893, 893),
    (896, 896),
    (899, 919),
    (930, 949),
    (955, 955),
    (958, 958),
    (977, 979),
)


def _gtin(place: _Place) -> _Hit | None:
    match = _GTIN_NUMBER.match(place.text, place.start)
    if match is None:
        return None
    context = _GTIN_CONTEXT.search(place.behind(40))
    follows = (
        place.before is not None
        and place.before.kind == "gtin"
        and _LIST_GAP.fullmatch(place.text[place.before.end : place.start])
    )
    number = codes.gtin(match.group())
    if number is None:
        return None
    if not context and not follows and not place.is_whole:
        if not match.group().isdecimal() or len(match.group()) not in (13, 14) or not _is_gs1(number):
            return None
    return _Hit(_tight_start(place, context), match.end(), f"GTIN {number}", "gtin")


def _is_gs1(gtin: str) -> bool:
    prefix = int(gtin[1:4])
    return any(first <= prefix <= last for first, last in (*_GS1_PREFIXES, *_GS1_MORE, *_GS1_LAST))


# --- who reads what ------------------------------------------------------------------------------------------------------------------

_CHINESE_CODES = {"GB", "GBZ", "GBJ", "GJB", *_INDUSTRIES} - {"DB"}
_AGENCIES = (
    "fda epa cpsc nhtsa fcc fsis aphis eere osha faa usda ttb fws noaa cms dot uscg phmsa fmcsa bis doe ams uspto uscbp"
)


def _table() -> dict[str, tuple[_Reader, ...]]:
    readers: dict[str, list[_Reader]] = {}

    def add(words: Iterable[str], *those: _Reader) -> None:
        for word in words:
            readers.setdefault(word.lower(), []).extend(those)

    add(_CHINESE_CODES, _chinese)
    add((f"{code}T" for code in _CHINESE_CODES), _chinese)
    add(("DB",), _local)
    add(("T", "Q"), _group)
    add(("GOST", "ГОСТ"), _gost)
    add((word for word in _BODY_WORDS if word not in ("GOST", "CLC", "R", "GUIDE", "NP", "WD", "CD", "DIS")), _stacked)
    add(_GLUED_STACKS, _stacked)
    add(
        ("JIS", "KS", *(f"{body}{chr(letter)}" for body in ("JIS", "KS") for letter in range(ord("A"), ord("Z") + 1))),
        _lettered,
    )
    add(("ASTM",), _astm)
    add(("UL",), _ul)
    add(("ANSI",), _ansi)
    add(("CSA", "CAN"), _csa)
    add(_SIMPLE, _simple)
    add(("G", "TBT", "SPS"), _symbol)
    add(("A", "SR", "OR", "EM", "INFO"), _case)
    add("FHZDBVN", _fda)
    add(_AGENCIES.split(), _docket)
    add((*_COMMUNITY.split("|"), *_ACT_WORDS), _act)
    add(("CELEX",), _celex)
    add(("COM", "SWD", "SEC", "JOIN", "C"), _proposal)
    add(("OJ", "JO", "ABL", "DO", "GU"), _journal)
    add(("eli", "L"), _eli)
    add(("FR", "C", "R"), _register_word)
    add(("S", "SI"), _statutory)
    add(("C", "F"), _law_id)
    add(ERAS, _japanese_act)
    return {word: tuple(those) for word, those in readers.items()}


_READERS = _table()
_NUMBER_READERS: dict[str, tuple[_Reader, ...]] = {
    "-": (_register, _cas, _fiche, _fsis, _cpsc, _gtin, _campaign),
    "/": (_act_number, _case_number_only, _hs),
    ".": (_ics, _hs, _rasff, _federal_list),
    " ": (_federal, _gtin, _hs, _ics, _cpsc, _federal_list),
    "年": (_announcement,),
    "A": (_federal, _campaign, _celex, _law_id),
    "": (_gtin, _hs, _ics, _cpsc, _federal_list, _announcement),
}
