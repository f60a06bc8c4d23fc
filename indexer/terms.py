"""The term bank: tables of concepts in config/vocabulary/terms/, one file a field of the trade, one line a concept.

    code             zh          en                    fr       de         ...
    hazard:choking   窒息|噎住   choking|choke         ...

'|' separates the words for one concept, the usual one first. `code` says which hazard, category or measure the
concept is, or is empty. A word with '!' behind it means something else where it is stemmed or stands in another language:
French 'pain!' is searched for in French texts only, and nobody who types 'pain' is taken to mean bread; English
'grounding!' is searched for and looked up as it is written, because its stem is that of ground beef.

`read_rows` is how search reads the tables; `problems` is what staff are told before an edit is saved.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from indexer.analysis import fold, words
from indexer.query import STOP_WORDS
from library.vocabulary import categories, hazards, measures

FOLDER = Path(__file__).parents[1] / "config" / "vocabulary" / "terms"
EVERYDAY = FOLDER.parent / "everyday_words.txt"
LANGUAGES = ("zh", "en", "fr", "de", "es", "ja", "ko")
COLUMNS = ("code", *LANGUAGES)
OWN_LANGUAGE_ONLY = "!"
VOCABULARIES = {"hazard": hazards, "category": categories, "measure": measures}


class TableError(ValueError):
    """A table that cannot be read. str() names the file and the line."""


@dataclass(frozen=True, slots=True)
class Row:
    """One concept as it stands in a table. words: as typed by people; own: those marked with '!', by language."""

    file: str
    line: int
    codes: tuple[tuple[str, str], ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call the row when they speak of it: its usual English word, or the first there is."""
        listed = (
            *self.listed("en"),
            *self.listed("zh"),
            *(word for language in LANGUAGES for word in self.listed(language)),
        )
        return next(iter(listed), "an empty row")

    def listed(self, language: str) -> tuple[str, ...]:
        """All words of a language, the marked ones last."""
        return (*self.words.get(language, ()), *self.own.get(language, ()))


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong with a table, and where. str() is a line for the terminal."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


# Reading --------------------------------------------------------------------------------------------------------------


def table_files(path: Path) -> list[Path]:
    """The tables of a bank: the file itself, or the *.tsv files of a folder."""
    return sorted(path.glob("*.tsv")) if path.is_dir() else [path]


def read_rows(path: Path = FOLDER) -> list[Row]:
    """Read a table or a folder of them. Raises TableError for the first line that is no row."""
    return [row for file in table_files(path) for row in _rows(file)]


def _rows(file: Path) -> Iterator[Row]:
    lines = _lines(file)
    if not lines:
        return
    number, header = lines[0]
    columns = header.split("\t")
    if unknown := [name for name in columns if name not in COLUMNS]:
        raise TableError(f"{file.name}: row {number} names columns that are none: {', '.join(map(repr, unknown))}")
    for number, line in lines[1:]:
        cells = [_unquoted(cell) for cell in line.split("\t")]
        if len(cells) != len(columns):
            raise TableError(
                f"{file.name}: row {number} ({cells[0]!r}) has {len(cells)} columns and must have {len(columns)}"
            )
        yield row_of(file.name, number, dict(zip(columns, cells, strict=True)))


def _unquoted(cell: str) -> str:
    """A spreadsheet puts a cell with a comma into quotation marks."""
    is_quoted = len(cell) > 1 and cell[0] == cell[-1] == '"'
    return cell[1:-1].replace('""', '"') if is_quoted else cell


def _lines(file: Path) -> list[tuple[int, str]]:
    """The lines that hold something, with their numbers. A spreadsheet may write a byte order mark."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(f"{file.name}: not in UTF-8 (byte {error.start}); save it as 'Unicode (UTF-8)'") from error
    found = enumerate(re.split("\r?\n", text), start=1)
    return [(number, line) for number, line in found if line.strip() and not line.startswith("#")]


def row_of(file: str, line: int, cells: Mapping[str, str]) -> Row:
    """Take a row's cells apart."""
    listed = {language: _parts(cells.get(language, "")) for language in LANGUAGES}
    own = {
        language: tuple(word[:-1].strip() for word in found if word.endswith(OWN_LANGUAGE_ONLY))
        for language, found in listed.items()
    }
    plain = {
        language: tuple(word for word in found if not word.endswith(OWN_LANGUAGE_ONLY))
        for language, found in listed.items()
    }
    codes = tuple((name, code) for name, _, code in (part.partition(":") for part in cells.get("code", "").split()))
    return Row(
        file,
        line,
        codes,
        {language: found for language, found in plain.items() if found},
        {language: found for language, found in own.items() if found},
    )


def _parts(cell: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in cell.split("|") if word.strip())


def cells_of(row: Row) -> dict[str, str]:
    """The row as its table holds it."""
    marked = {
        language: tuple(f"{word}{OWN_LANGUAGE_ONLY}" for word in row.own.get(language, ())) for language in LANGUAGES
    }
    return {"code": " ".join(f"{name}:{code}" for name, code in row.codes)} | {
        language: "|".join((*row.words.get(language, ()), *marked[language])) for language in LANGUAGES
    }


def sort_key(row: Row) -> tuple[str, str]:
    """Rows stand in the order of their usual English word."""
    return row.name.casefold(), row.name


def sorted_table(file: Path) -> str:
    """The text of a table with its rows in order, comments in front. Raises TableError."""
    comments = [line for line in file.read_text(encoding="utf-8-sig").splitlines() if line.startswith("#")]
    rows = sorted(_rows(file), key=sort_key)
    lines = ["\t".join(cells_of(row)[column] for column in COLUMNS) for row in rows]
    return "\n".join([*comments, "\t".join(COLUMNS), *lines]) + "\n"


# Checking -------------------------------------------------------------------------------------------------------------

SPACED = ("en", "fr", "de", "es")
SCRIPTS = {  # what at least one word of a cell must be written in
    "zh": ("Chinese", re.compile("[\u3400-\u9fff]")),
    "ja": ("Japanese", re.compile("[\u3040-\u30ff\u4e00-\u9fff]")),
    "ko": ("Korean", re.compile("[\uac00-\ud7af]")),
}
FOREIGN_SCRIPT = {  # what no word of a cell may be written in
    "zh": ("Japanese or Korean", re.compile("[\u3041-\u3096\u30a1-\u30fa\uac00-\ud7af]")),
    "ko": ("Chinese or Japanese", re.compile("[\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff]")),
    "ja": ("Korean", re.compile("[\uac00-\ud7af]")),
} | {
    language: ("Chinese, Japanese or Korean", re.compile("[\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7af]"))
    for language in SPACED
}


def problems(files: Sequence[Path], beside: Iterable[Row] = ()) -> list[Problem]:
    """Say what is wrong with tables. beside: the rows of the bank that stay as they are."""
    found: list[Problem] = []
    rows: list[Row] = []
    for file in files:
        try:
            own = list(_rows(file))
        except TableError as error:
            line = re.search(r"row (\d+)", str(error))
            found.append(Problem(file.name, int(line[1]) if line else 1, str(error).partition(": ")[2]))
            continue
        found += _order_problems(own)
        found += (Problem(row.file, row.line, message) for row in own for message in _row_problems(row))
        rows += own
    found += _shared_problems(rows, list(beside))
    return sorted(set(found))


def _row_problems(row: Row) -> Iterator[str]:
    for name, code in row.codes:
        if name not in VOCABULARIES:
            yield f"{name}:{code}: a code begins with {', '.join(f'{known}:' for known in VOCABULARIES)}"
        elif code not in VOCABULARIES[name].all_codes():
            yield f"{name}:{code}: there is no such {name}"
    for language in LANGUAGES:
        listed = row.listed(language)
        if not listed:
            yield f"{row.name!r} has no word in {language}"
        twice = {word for word in listed if [fold(other) for other in listed].count(fold(word)) > 1}
        for word in sorted(twice):
            yield f"{language} {word!r} stands twice in its cell"
        script, letters = SCRIPTS.get(language, ("", re.compile("")))
        if listed and not any(word.isascii() or letters.search(word) for word in listed):
            yield f"{language} {listed[0]!r} is not {script}"
        for word in listed:
            if FOREIGN_SCRIPT[language][1].search(word):
                yield f"{language} {word!r} is {FOREIGN_SCRIPT[language][0]}: is it in the wrong column?"
            if not words(word, language)[1]:
                yield f"{language} {word!r} holds no word"
        for word in row.words.get(language, ()):
            if said := _too_common(word, language, row):
                yield f"{language} {word!r} {said}"
        for word in row.own.get(language, ()):
            if language in SPACED and len(words(word, "en")[1]) != 1:
                yield f"{language} {word!r} is marked '!', which is for single words"


def _order_problems(rows: Sequence[Row]) -> Iterator[Problem]:
    for before, row in zip(rows, rows[1:], strict=False):
        if sort_key(row) < sort_key(before):
            yield Problem(
                row.file,
                row.line,
                f"{row.name!r} stands behind {before.name!r}; rows are sorted by their first English word (ttm terms sort)",
            )


def _too_common(word: str, language: str, row: Row) -> str | None:
    """Why a single word is a trap: what it is searched by means something else in English, or stands in every text."""
    run = words(word, "en")[1]
    if len(run) != 1 or not run[0].isascii() or not run[0].isalpha():
        return None
    written, stem = fold(word), run[0]
    if written in STOP_WORDS or stem in STOP_WORDS:
        return f"is searched as {stem!r}, which every text holds"
    if language == "en":
        base = written.removesuffix("s")
        is_inflected = not {written, base} & everyday_words() and stem in everyday_stems()
        others = [other for other in row.words.get("en", ()) if other != word and words(other, "en")[1] == run]
        if is_inflected and not any(fold(other).removesuffix("s") in everyday_words() for other in others):
            return f"is searched as {stem!r}, which is an everyday word: mark it '!', or use a phrase"
        return None
    is_english_too = any(words(other, "en")[1] == run for other in row.listed("en"))
    if (written in everyday_words() or stem in everyday_stems()) and not is_english_too:
        return f"is searched as {stem!r}, which is an everyday word of English: mark it '!', or use another"
    return None


@cache
def everyday_words() -> frozenset[str]:
    """English words that mean too many things to stand for one concept of the trade."""
    lines = EVERYDAY.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@cache
def everyday_stems() -> frozenset[str]:
    return frozenset(value for word in everyday_words() for value in words(word, "en")[1])


Place = tuple[str, int, Row]  # language, place of the word in its cell, row


def _shared_problems(rows: Sequence[Row], beside: Sequence[Row]) -> Iterator[Problem]:
    """Words that name two concepts. The usual word of one may stand behind another's: then it names the first."""
    ours = {id(row) for row in rows}
    for (language, _), places in _by_word([*rows, *beside]).items():
        concepts = {id(row): row for _, _, row in places}
        if len(concepts) < 2 or sum(place == 0 for _, place, _ in places) == 1:
            continue
        for _, place, row in places:
            if id(row) in ours:
                others = [other for other in concepts.values() if other is not row]
                where = ", ".join(f"{other.name!r} ({other.file}:{other.line})" for other in others)
                word = row.words[language][place]
                yield Problem(
                    row.file, row.line, f"{language} {word!r} names {where} too: leave it to one, or mark it '!'"
                )
    yield from _look_alikes(rows, beside)


def _by_word(rows: Iterable[Row]) -> dict[tuple[str, tuple[str, ...]], list[Place]]:
    found: dict[tuple[str, tuple[str, ...]], list[Place]] = defaultdict(list)
    for row in rows:
        for language, listed in row.words.items():
            for place, word in enumerate(listed):
                if run := tuple(words(word, language)[1]):
                    found[language, run].append((language, place, row))
    return found


def _look_alikes(rows: Sequence[Row], beside: Sequence[Row]) -> Iterator[Problem]:
    """Words that are, in the index, the usual Chinese or English word of another concept: German 'Gift', Japanese 人参."""
    usual: dict[tuple[str, ...], tuple[str, Row]] = {}
    for row in (*beside, *rows):
        for language in ("zh", "en"):
            for word in row.words.get(language, ())[:1]:
                usual[tuple(words(word, "en")[1])] = language, row
    for row in rows:
        for language, listed in row.words.items():
            for word in listed:
                met = usual.get(tuple(words(word, "en")[1]))
                if met is None or met[1] is row or met[0] == language:
                    continue
                other = met[1]
                where = f"{other.name!r} ({other.file}:{other.line})"
                said = f"{language} {word!r} is {met[0]} for {where}: mark it '!', or use another"
                yield Problem(row.file, row.line, said)
