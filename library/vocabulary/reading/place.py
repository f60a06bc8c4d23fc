"""Place and Hit: what a reader of references is given and what it answers; words of the grammar."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Any, NamedTuple

from library.vocabulary.lexicon import FOLDER

WORDS: dict[str, Any] = tomllib.loads((FOLDER / "references.toml").read_text(encoding="utf-8"))

SHORT_CHARACTERS = 80  # a longer text is prose
YEAR = r"(?:19[4-9]|20[0-4])[0-9]"
CONTEXT_CHARACTERS = 40
END = r"(?![A-Za-z0-9])"
LIST_GAP = re.compile(r"(?: ?[,;、，/] ?(?:and |or |ex )?| (?:and|or|to) | ?[和及与] ?| - )$", re.IGNORECASE)
NOT_A_NUMBER = re.compile(
    r"(?:[$€£¥₩]|(?<![A-Za-z])(?:v|ver|version|release|USD|EUR|RMB|CNY|GBP|Rs)\.?"
    r"|(?<![A-Za-z])(?:price|cost|total|sum|prix|preis|precio)|价格?|售价|单价|[共合总]计|金额|总额)[ :]{0,2}(?:is |of |为)?$",
    re.IGNORECASE,
)
SERIAL_BEFORE = re.compile(
    r"(?:(?<![A-Za-z])(?:S/?N|P/?N|serial|lots?|batch|orders?|invoice|model|item|part)(?: ?(?:no\.?|numbers?|#))?"
    r"|批号|批次|订单号?|发票号码?|序列号|型号|货号|零件号|合同号)[ :#(]{0,3}$",
    re.IGNORECASE,
)
UNIT_BEHIND = re.compile(
    r" ?(?:[%‰°€$£¥₩]|(?:[kmcµ]?(?:g|m|l|V|W|Hz|A|Pa)|USD|EUR|CNY|RMB|euros?|dollars?|yuan|million|billion"
    r"|points?|tonn?es|tons|litres|liters|pounds|lbs|oz|kWh|hours|metres|meters|pieces|units)(?![A-Za-z])"
    r"|[万千元亿吨升件点]|美元|公斤|毫米)",
    re.IGNORECASE,
)
COUNTED_BEHIND = re.compile(
    r" ?(?:people|persons|pages?|days?|weeks?|months?|years?|countries|cases?|words|items|children|times|toys|products"
    r"|samples|models?|pairs|sets|boxes|comments|members|notifications|pcs|personnes|pays|países|personas)(?![a-z])"
    r"| ?[个個件种種项項条條批次份款年月日天人台套只页頁篇余多家起部名岁版]",
    re.IGNORECASE,
)


class Hit(NamedTuple):
    """A reference in the folded text: text[start:end], its canonical form, and the kind of grammar that read it."""

    start: int
    end: int
    canonical: str
    kind: str


class Place(NamedTuple):
    """Where a reader stands: text[start:end] is the word that called it.

    is_whole: the text is nothing but one reference, so what a sentence must make plain may be short.
    before: the reference read last, which a list may continue.
    is_short: the text is no longer than a query, where numbers are typed without their separators.
    """

    text: str
    start: int
    end: int
    word: str
    is_whole: bool = False
    before: Hit | None = None
    is_short: bool = False

    def behind(self, length: int) -> str:
        """The characters before the word, at most so many."""
        return self.text[max(0, self.start - length) : self.start]

    def context(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What the words right before a number say it is; a look at one character spares most searches."""
        at = self.start - 1
        while at >= 0 and self.text[at] in " :#(-" and self.start - at < 5:
            at -= 1
        if at >= 0 and self.text[at].isdecimal() and "-" in self.text[max(0, at - 2) : at]:
            at -= 3 if self.text[at - 1].isdecimal() else 2  # 'EAN-13: '
        if at < 0 or not (self.text[at].isalpha() or self.text[at] in ".)"):
            return None
        return pattern.search(self.behind(CONTEXT_CHARACTERS))

    def continues(self, kind: str) -> bool:
        """Whether the word follows a reference of a kind in a list: 'HS 8517, 8518'."""
        before = self.before
        return (
            before is not None
            and before.kind == kind
            and LIST_GAP.match(self.text[before.end : self.start]) is not None
        )

    def is_counted(self, end: int) -> bool:
        """Whether a unit or a counted thing stands behind a number that ends there: '2208 pages', '2208件'."""
        return bool(UNIT_BEHIND.match(self.text, end) or COUNTED_BEHIND.match(self.text, end))


Reader = Callable[[Place], Hit | None]


def words(name: str) -> list[str]:
    """A list of words of the grammar, by its name in references.toml."""
    return str(WORDS[name]).split()


def tight_start(place: Place, context: re.Match[str] | None) -> int:
    """Where the reference begins: with the designation right before the number ('HS 8517'), not with other context."""
    if context is None or not context.groupdict().get("tight"):
        return place.start
    return place.start - (len(context.string) - context.start("tight"))
