"""tokens(): the only place where text becomes words, for the index and for queries alike.

References are cut out first and kept whole. What is left is scanned once: Han by jieba, kana and Hangul as pairs of
characters, everything else as folded words and their stems. Tokens stand at positions; one token of a position is
*primary* (a Han character, a stem, a pair, a whole reference), and phrases run over the primary ones. The others
(the word as written, jieba's words, wider forms of a reference, a model number without its separators) are stacked
on top and are met by single terms.

Positions count Han characters, not jieba's words: `"安全气囊"` meets the same characters whether the surrounding
sentence was cut 安全/气囊 or 安全气囊.
"""

from __future__ import annotations

import re
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import opencc
import Stemmer

from library.vocabulary.folding import CharacterFold
from library.vocabulary.references import find_references, ladder

DICTIONARY = Path(__file__).parents[1] / "config" / "vocabulary" / "jieba.txt"
SCHEME = (
    "5"  # raise it with any change that changes tokens or the dates of an entry: an index built before must be rebuilt
)
HAN_RUN_MAX = 256  # jieba is linear only without its hidden Markov model, and even so one run is bounded
STEM_MARK = "~"
SHORT_TEXT = 80  # characters; labels, places and firms come again and again
WHOLE_MAX = 100  # a longer run of letters and digits is no model number
STEMMED = {
    "en": "english",
    "fr": "french",
    "de": "german",
    "es": "spanish",
    "it": "italian",
    "pt": "portuguese",
    "nl": "dutch",
    "ru": "russian",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One value and where it stands in the original text: text[start:end]; several tokens may share a position."""

    value: str
    start: int
    end: int
    position: int
    primary: bool = True


def tokens(text: str, language: str) -> list[Token]:
    """Cut a text into tokens, ordered by position, the primary token of a position first.

    language: ISO 639-1, chooses the stemmer; texts in a language without one are stemmed as English.

    >>> [token.value for token in tokens("玩具 Toys", "en")]
    ['玩', '玩具', '具', 'toy', 'toys']
    """
    found: list[Token] = []
    position = 0
    for spots in _spots(text, language):
        for start, end, values in spots:
            found.append(Token(values[0], start, end, position))
            found.extend(Token(value, start, start + width, position, False) for value, width in values[1:])
            position += 1
    return found


def words(text: str, language: str) -> tuple[list[str], list[str]]:
    """Return the values of tokens(text, language) without offsets: all of them in any order, the primary ones in theirs."""
    if len(text) <= SHORT_TEXT:
        every, primary = _words_of_short(text, language if language in STEMMED else "en")
        return list(every), list(primary)
    return _words(_scan(text, SCAN_PASSAGES), language)


@lru_cache(maxsize=100_000)
def _words_of_short(text: str, language: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    every, primary = _words(_scan_of_short(text), language)  # the term bank reads a word in several languages in turn
    return tuple(every), tuple(primary)


def readings(text: str) -> list[tuple[list[str], list[str]]]:
    """Return words(text, language) for every language with a stemmer, since nobody says what language a query is in."""
    found = scan(text)
    return [_words(found, language) for language in STEMMED]


def _words(found: Iterable[Run], language: str) -> tuple[list[str], list[str]]:
    """found: runs, or passages of Han. The marks inside a passage part words for the segmenter as for us."""
    every: list[str] = []
    primary: list[str] = []
    runs: list[str] = []
    for _, _, printed, kind in found:
        if kind == "han":
            characters = [*_BETWEEN_RUNS.sub("", printed)]  # made once for both
            primary += characters
            every += characters
            runs.append(printed)
        elif kind == "latin":
            more_every, more_primary = _latin_values(printed, language)
            every += more_every
            primary += more_primary
        elif kind == "reference":
            rungs = _reference_values(printed)
            primary.append(rungs[0])
            every += rungs
        else:
            pairs = _pairs(printed)
            primary += pairs
            every += pairs
    if runs:
        every += [word for word in segmenter().words(runs) if len(word) > 1]
    return every, primary


# One scan of a text ---------------------------------------------------------------------------------------------------

HAN = "\u4e00-\u9fd5"  # what jieba knows; rarer Han stand alone
RARE_HAN = "\u3005-\u3007\u3400-\u4dbf\u9fd6-\u9fff\uf900-\ufaff\U00020000-\U000323af"
KANA = "\u3041-\u3096\u3099-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
HANGUL = "\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\uac00-\ud7ff"
ALNUM = f"(?:[^\\W_{HAN}{RARE_HAN}{KANA}{HANGUL}]|[\u0300-\u036f\u00ad])"
LETTERS = f"(?:[^\\W\\d_{HAN}{RARE_HAN}{KANA}{HANGUL}]|[\u0300-\u036f\u00ad])"
# A chunk is what people write without a blank: 'short-circuit', 'AB-1234/5', 'O157:H7', "l'eau", '2.4GHz'.
MARKS = ' ,;:!?()。、《》“”"\n'  # what stands between the runs of a Chinese sentence, folded
_NOT_HAN = (
    f"|(?P<latin>{ALNUM}{{1,64}}(?:(?:[-‐‑–/._+&'’:·]|(?<=\\d),(?=\\d)){ALNUM}{{1,64}}){{0,15}})"
    f"|(?P<rare>[{RARE_HAN}])|(?P<kana>[{KANA}]+)|(?P<hangul>[{HANGUL}]+)"
)
_HAN_RUN = f"[{HAN}]{{1,{HAN_RUN_MAX}}}+"
SCAN = re.compile(f"(?P<han>{_HAN_RUN}){_NOT_HAN}")
# whole passages instead of their runs, a twentieth as many, for who needs no offsets
SCAN_PASSAGES = re.compile(f"(?P<han>{_HAN_RUN}(?:[{MARKS}]++{_HAN_RUN})*+){_NOT_HAN}")
_BETWEEN_RUNS = re.compile(f"[{MARKS}]+")
PART = re.compile(f"(?P<number>\\d+(?:[.,]\\d+)*)|(?P<letters>{LETTERS}+)(?:['’][sS](?!{LETTERS}))?")

WTO_SERIES = re.compile(r"G/[A-Z]{2,6}/N(?![A-Z])")

Spot = tuple[int, int, tuple[str, *tuple[tuple[str, int], ...]]]  # start, end, (primary value, (stacked value, width)…)


Run = tuple[int, int, str, str]  # start, end, folded run, kind of run


def scan(text: str) -> Sequence[Run]:
    """Return the runs of a text in order; for a reference the folded run is its canonical form."""
    return _scan_of_short(text) if len(text) <= SHORT_TEXT else _scan(text)


@lru_cache(maxsize=1_000)
def _scan_of_short(text: str) -> tuple[Run, ...]:
    """Kept, because one search scans what was typed five times."""
    return tuple(_scan(text))


def _scan(text: str, pattern: re.Pattern[str] = SCAN) -> list[Run]:
    folded = fold_characters(text)
    found: list[Run] = []
    done = 0
    for reference in find_references(text):
        found += _scan_between(folded, done, reference.start, pattern)
        found.append((reference.start, reference.end, reference.canonical, "reference"))
        done = reference.end
    return found + _scan_between(folded, done, len(text), pattern)


def _scan_between(folded: str, start: int, end: int, pattern: re.Pattern[str]) -> list[Run]:
    return [
        (match.start(), match.end(), match[0], match.lastgroup or "") for match in pattern.finditer(folded, start, end)
    ]


def _spots(text: str, language: str) -> Iterator[list[Spot]]:
    for start, end, printed, kind in scan(text):
        match kind:
            case "latin":
                yield [(start + begin, start + stop, values) for begin, stop, values in _latin(printed, language)]
            case "han":
                yield _han_spots(printed, start)
            case "reference":
                first, *wider = _reference_values(printed)
                yield [(start, end, (first, *((value, end - start) for value in wider)))]
            case _:
                width = min(2, end - start)
                yield [(start + at, start + at + width, (pair,)) for at, pair in enumerate(_pairs(printed))]


def _han_spots(run: str, start: int) -> list[Spot]:
    stacked: dict[int, list[tuple[str, int]]] = {}
    for word, begin, end in cut(run):
        if end - begin > 1:
            stacked.setdefault(begin, []).append((word, end - begin))
    return [
        (start + index, start + index + 1, (character, *stacked.get(index, ()))) for index, character in enumerate(run)
    ]


def _pairs(run: str) -> list[str]:
    return [run[index : index + 2] for index in range(len(run) - 1)] or [run]


@lru_cache(maxsize=50_000)
def _reference_values(canonical: str) -> tuple[str, ...]:
    """The canonical form and its wider ones as token values; engines that cut at blanks must not cut here."""
    rungs = [canonical, *ladder(canonical)]
    if series := WTO_SERIES.match(canonical):  # a member's symbol is also one of all the symbols of its series
        rungs.append(series[0])
    return tuple(dict.fromkeys(reference_value(rung) for rung in rungs))


def series_of(printed: str) -> str | None:
    """Return the series that 'G/TBT/N' or 'g-tbt-n' names, in canonical form; a series is no reference of its own."""
    folded = re.sub("[-‐‑–._]", "/", fold_characters(printed)).upper().rstrip("/")
    return folded if WTO_SERIES.fullmatch(folded) else None


def reference_value(canonical: str) -> str:
    """Return the token value of a reference in canonical form: 'GB/T 1.1-2020' -> 'GB/T_1.1-2020'."""
    return canonical.replace(" ", "_")


# Words of alphabets ---------------------------------------------------------------------------------------------------

# letters that Unicode does not take apart into a base and a mark
LETTER_FOLDS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})


def _latin(chunk: str, language: str) -> tuple[Spot, ...]:
    """Cut one chunk into numbers and words; a chunk with digits is stacked whole, without its separators, as well."""
    spots: list[Spot] = []
    for match in PART.finditer(chunk):
        start, end = match.span()
        if number := match["number"]:
            spots.append((start, end, (_number(number),)))
        else:
            exact, stem = fold(match["letters"]), stemmed(match["letters"], language)
            if exact:
                stacked = ((exact, end - start),) if exact != stem else ()
                spots.append((start, end, (stem, *stacked)))
    if len(spots) > 1 and any(character.isdigit() for character in chunk):
        whole = "".join(fold(part) for part in re.findall(f"{ALNUM}+", chunk))
        start, end, values = spots[0]
        if len(whole) <= WHOLE_MAX:
            spots[0] = (start, end, (*values, (whole, len(chunk) - start)))
    return tuple(spots)


@lru_cache(maxsize=200_000)
def _latin_values(chunk: str, language: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    spots = _latin(chunk, language)
    every = tuple(value for _, _, values in spots for value in (values[0], *(stacked for stacked, _ in values[1:])))
    return every, tuple(values[0] for _, _, values in spots)


def _number(printed: str) -> str:
    """'1,234' and '1234' meet, and so do '0,5' and '0.5'."""
    return re.sub(r",(?=\d{3}(?!\d))", "", printed).replace(",", ".")


@lru_cache(maxsize=200_000)
def fold(word: str) -> str:
    """Return a word without case, accents and compatibility forms: 'ÉTOUFFEMENT' -> 'etouffement'."""
    decomposed = unicodedata.normalize("NFKD", word.casefold().replace("\u00ad", ""))
    return "".join(character for character in decomposed if not unicodedata.combining(character)).translate(
        LETTER_FOLDS
    )


@lru_cache(maxsize=200_000)
def stemmed(word: str, language: str) -> str:
    """Return the folded stem of a word; stems of other languages than English carry the language's name.

    The stemmer sees the accents, because French and German endings need them. The name keeps stems apart that look
    like another language's words: Spanish cuts 'China' to 'chin'.
    """
    plain = unicodedata.normalize("NFKC", word.casefold().replace("\u00ad", ""))
    if language not in STEMMED or language == "en":
        return fold(_stemmer("en").stemWord(plain))
    return f"{language}{STEM_MARK}{fold(_stemmer(language).stemWord(plain))}"


def shown(value: str) -> str:
    """Return a token value as people read it: 'fr~jouet' -> 'jouet', 'GB/T_1.1-2020' -> 'GB/T 1.1-2020'."""
    return value.rpartition(STEM_MARK)[2].replace("_", " ")


@cache
def _stemmer(language: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(STEMMED[language], 0)


# Characters that mean the same ----------------------------------------------------------------------------------------


def fold_characters(text: str) -> str:
    """Fold full-width forms, radicals and Traditional characters; one character stays one, so offsets stay true.

    >>> fold_characters("ＧＢ 標準")
    'GB 标准'
    """
    return text if text.isascii() else _character_fold()(text)


@cache
def _character_fold() -> CharacterFold:
    folds: dict[int, str] = {}
    simplify, modernise = opencc.OpenCC("t2s"), opencc.OpenCC("jp2t")
    for code in range(0x80, 0xFFFF):
        if 0xAC00 <= code <= 0xDFFF:  # Hangul are composed already, surrogates are no characters
            continue
        character = chr(code)
        compatible = unicodedata.normalize("NFKC", character)
        plain = compatible if len(compatible) == 1 else character
        if "\u2e80" <= plain <= "\u9fff":
            plain = RADICALS.get(plain, plain)
            simple = simplify.convert(plain)
            if simple == plain and not _is_modern_chinese(plain):
                simple = simplify.convert(modernise.convert(plain))  # 経 is Japanese only: 經, 经
            plain = simple if len(simple) == 1 else plain
        if plain != character:
            folds[code] = plain
    return CharacterFold(folds)


# Radicals Supplement characters that Unicode does not map but PDF extraction prints for these common ones
RADICALS = dict(zip("⻔⻓⻅⻋⻚⻛⻜⻢⻥⻦⻩⻬⻮⻰⺠⻄⻆⻉⻘", "门长见车页风飞马鱼鸟黄齐齿龙民西角贝青", strict=True))


def _is_modern_chinese(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


# Chinese --------------------------------------------------------------------------------------------------------------


class Segmenter(Protocol):
    """What jieba and rjieba have in common."""

    def search(self, run: str) -> Sequence[tuple[str, int, int]]:
        """Words and their parts with offsets."""
        ...

    def words(self, runs: Sequence[str]) -> Sequence[str]:
        """The words of search(run) of one run after the other; what stands between runs may be among them."""
        ...

    def plain(self, run: str) -> Sequence[str]:
        """Words without overlap."""
        ...

    def add(self, word: str, frequency: int) -> None:
        """Make a word known."""
        ...


class Jieba:
    """The reference: jieba in search mode, without the hidden Markov model (quadratic on 的的的…)."""

    def __init__(self) -> None:
        import jieba  # 0.8 s to load; only where the fast twin is missing or differs

        # jieba trusts a marshal cache in the shared temporary folder, where anybody can plant one
        with tempfile.TemporaryDirectory(prefix="ttm-jieba-") as private:
            self._tokenizer = jieba.Tokenizer()
            self._tokenizer.tmp_dir = private
            self._tokenizer.cache_file = "dictionary.cache"
            self._tokenizer.initialize()

    def search(self, run: str) -> Sequence[tuple[str, int, int]]:
        return list(self._tokenizer.tokenize(run, mode="search", HMM=False))

    def words(self, runs: Sequence[str]) -> Sequence[str]:
        return [word for run in runs for word in self._tokenizer.cut_for_search(run, HMM=False)]

    def plain(self, run: str) -> Sequence[str]:
        return list(self._tokenizer.cut(run, HMM=False))

    def add(self, word: str, frequency: int) -> None:
        self._tokenizer.add_word(word, frequency)


class FastJieba:
    """The same words twenty times faster, on pure Han runs."""

    def __init__(self) -> None:
        import rjieba

        self._jieba = rjieba.Jieba()

    def search(self, run: str) -> Sequence[tuple[str, int, int]]:
        found: list[tuple[str, int, int]] = self._jieba.tokenize(run, "search", False)
        return found

    def words(self, runs: Sequence[str]) -> Sequence[str]:
        found: list[str] = self._jieba.cut_for_search("\n".join(runs), False)  # a call costs as much as ten words
        return found

    def plain(self, run: str) -> Sequence[str]:
        found: list[str] = self._jieba.cut(run, False)
        return found

    def add(self, word: str, frequency: int) -> None:
        self._jieba.add_word(word, frequency, None)


# jieba's own answers; where the fast twin gives others it is not used
PROOF = (
    ("中华人民共和国标准化法实施条例", "中华/华人/人民/共和/共和国/中华人民共和国/标准/标准化/法/实施/条例"),
    ("儿童玩具存在窒息危险应当召回", "儿童/玩具/儿童玩具/存在/窒息/危险/应当/召回"),
    ("消费品安全技术规范强制性国家标准", "消费/消费品/安全/技术/规范/技术规范/强制/强制性/国家/标准/国家标准"),
    ("充电宝电池过热起火爆炸风险", "充电/宝/电池/过热/起火/爆炸/风险"),
    ("进出口商品检验检疫总局公告", "进出/出口/进出口/商品/品检/检验/商品检验/检疫/总局/公告"),
    ("婴幼儿配方乳粉阪崎肠杆菌超标", "婴幼/幼儿/婴幼儿/配方/乳粉/阪/崎/肠/杆菌/超标"),
    ("电磁兼容性试验方法和限值", "电磁/兼容/电磁兼容/性/试验/方法/和/限值"),
    ("研究生命的起源", "研究/生命/的/起源"),
    ("结婚的和尚未结婚的", "结婚/的/和/尚未/结婚/的"),
    ("南京市长江大桥", "南京/京市/南京市/长江/大桥/长江大桥"),
    ("欧盟非食品类产品快速预警系统", "欧盟/非/食品/品类/食品类/产品/快速/预警/系统/预警系统"),
    ("家用和类似用途电器的安全通用要求", "家用/和/类似/用途/电器/的/安全/通用/要求"),
    ("化妆品中铅汞砷镉的测定", "化妆/化妆品/中/铅汞/砷/镉/的/测定"),
    ("不合格食品未准入境信息", "不/合格/食品/未准/入境/信息"),
    ("技术性贸易壁垒协定通报评议期", "技术/技术性/贸易/壁垒/贸易壁垒/协定/通报/评议/期"),
    ("的的的的的的", "的/的/的/的/的/的"),
    ("镕喆堃", "镕/喆/堃"),
    ("工信处女干事每月经过下属科室", "工信处/干事/女干事/每月/经过/下属/科室"),
    ("农药残留最大限量黄曲霉毒素", "农药/残留/最大/限量/曲霉/黄曲霉/毒素"),
    ("机动车运行安全技术条件", "机动/动车/机动车/运行/安全/技术/条件"),
)


def cut(run: str) -> Sequence[tuple[str, int, int]]:
    """Return jieba's words of a run of Han characters, with the shorter words inside them, and their offsets."""
    return segmenter().search(run)


def cut_plain(run: str) -> Sequence[str]:
    """Return jieba's words of a run of Han characters, none overlapping."""
    return [
        word
        for start in range(0, len(run), HAN_RUN_MAX)
        for word in segmenter().plain(run[start : start + HAN_RUN_MAX])
    ]


@cache
def segmenter() -> Segmenter:
    """The fast segmenter if it reproduces jieba's answers, else jieba; our own dictionary is added to either."""
    chosen = _proven() or Jieba()
    for word, frequency in own_words(DICTIONARY):
        chosen.add(word, frequency)
    return chosen


def _proven() -> Segmenter | None:
    try:
        fast = FastJieba()
    except ImportError:
        return None
    is_same = all(
        "/".join(words) == answer
        for run, answer in PROOF
        for words in ([word for word, _, _ in fast.search(run)], fast.words([run]))
    )
    return fast if is_same else None


def own_words(path: Path) -> list[tuple[str, int]]:
    """Read a dictionary in jieba's format, 'word frequency tag' a line; only pure Han words can ever match."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        word, *rest = line.split("#")[0].split() or [""]
        word = fold_characters(word)
        if re.fullmatch(f"[{HAN}]+", word):
            found.append((word, int(rest[0]) if rest and rest[0].isdigit() else 1000))
    return found


@cache
def fingerprint() -> str:
    """Name everything that decides tokens; an index built under another name must be rebuilt."""
    parts = [SCHEME, version("jieba"), version("PyStemmer"), version("opencc"), *map(str, own_words(DICTIONARY))]
    return sha256("\n".join(parts).encode()).hexdigest()[:16]
