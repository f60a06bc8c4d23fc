"""Which encoding a body is in, decided by evidence; the decision is stored beside the page.

Labels lie: a gb2312 label stands on GB18030 text (镕 is printed and gb2312 lacks it), shift_jis on
cp932 (①, 髙), euc-kr on cp949. So a label only names a family, and the bytes decide.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from functools import lru_cache

from charset_normalizer import from_bytes
from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding

# w3lib knows the web's supersets (gb2312 -> gb18030, shift_jis -> cp932, iso8859-1 -> cp1252); these it leaves as labelled.
WIDER = {
    "euc_kr": "cp949",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "ascii": "utf-8",
}


EAST_ASIAN = ["gb18030", "big5hkscs", "cp932", "euc_jp", "cp949"]
SAMPLE_BYTES = 200_000
PROOF_BYTES = 60  # some thirty characters
CLEARLY = 0.1  # of charset_normalizer's measure of mess; with less, right labels of short Japanese texts were overruled
ASCII = bytes(range(128))


class UndecidableEncoding(ValueError):
    """No encoding fits the bytes well enough to trust the text."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """The encoding of a body and why: 'bom', 'utf-8', 'header', 'meta', 'statistics' or 'none fits'."""

    encoding: str
    evidence: str

    def text(self, body: bytes) -> str:
        """Decode a body. Raises UndecidableEncoding if nothing was decided."""
        if not self.encoding:
            raise UndecidableEncoding("no encoding fits the bytes; they are kept as they came")
        return body.decode(self.encoding)


@lru_cache(maxsize=64)
def decide(body: bytes, content_type: str = "") -> Decoding:
    """Choose an encoding: byte order mark, valid UTF-8, then the labels' families, then statistics.

    Valid UTF-8 with any non-ASCII character goes before a label: a text in another encoding passes as
    UTF-8 by chance only when it is a few bytes long, and wrong labels are common.
    """
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if body.startswith(mark) and _fits(body, encoding):
            return Decoding(encoding, "bom")
    labels = (
        ("header", _wider(http_content_type_encoding(content_type))),
        ("meta", _wider(html_body_declared_encoding(body))),
    )
    stateful = next((label for _, label in labels if label in ("iso2022_jp", "hz", "utf-7")), None)
    if stateful is None and _fits(body, "utf-8"):
        return Decoding("utf-8", "utf-8")
    for evidence, label in labels:
        # utf-8 was tried
        if label and label != "utf-8" and _fits(body, label):
            if (better := _better_fit(body, label)) is None:
                return Decoding(label, evidence)
            if better:
                return Decoding(better, "statistics")
    best = from_bytes(body[:SAMPLE_BYTES]).best()
    guess = _wider(best.encoding) if best is not None else None
    if guess and _fits(body, guess):
        return Decoding(guess, "statistics")
    return Decoding("", "none fits")


def _better_fit(body: bytes, label: str) -> str | None:
    """What the statistics say against a label whose encoding fits the bytes: another encoding, '' for 'not this one'.

    None: nothing is said against it. Nearly any bytes fit a single-byte encoding or GB18030, and a few characters prove
    nothing, so a short text keeps an East Asian label.
    """
    sample = body[:SAMPLE_BYTES]
    if _is_single_byte(label):
        return None if from_bytes(sample, cp_isolation=[label]).best() is not None else ""
    if label not in EAST_ASIAN or len(sample.translate(None, ASCII)) < PROOF_BYTES:
        return None
    mess = {match.encoding: match.chaos for match in from_bytes(sample, cp_isolation=EAST_ASIAN)}
    best = min(mess, key=lambda encoding: mess[encoding], default=label)
    is_clear = best != label and mess.get(label, 1.0) - mess[best] > CLEARLY and _fits(body, best)
    return best if is_clear else None


def _wider(label: str | None) -> str | None:
    """The Python name of the encoding that texts under a label are really written in; None for a label nobody knows."""
    if not label:
        return None
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return None
    return WIDER.get(name, name)


def _is_single_byte(encoding: str) -> bool:
    return encoding.startswith(("cp125", "iso8859", "koi8", "mac", "latin"))


def _fits(body: bytes, encoding: str) -> bool:
    try:
        body.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return False
    return True
