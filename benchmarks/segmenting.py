"""The fast segmenter against jieba: that its words are jieba's own, over megabytes of text, and how much faster it is.

The text holds every word of jieba's dictionary that is all Han, in an order of chance, as sentences of 5 to 40 words, and
one character in a hundred is any of those jieba knows: so each word meets neighbours it could be cut wrong with. Cutting
without overlap, for search, and for search with offsets are compared run by run; our own dictionary is added to both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import jieba

from benchmarks.figure import Figure, cpu_seconds
from indexer.analysis import DICTIONARY, HAN, HAN_RUN_MAX, MARKS, FastJieba, Jieba, Segmenter, own_words

BYTES, BYTES_QUICK = 6_000_000, 60_000


def figures(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Runs that are cut differently, and the pace of both."""
    runs = list(sentences(BYTES_QUICK if quick else BYTES))
    reference, fast = Jieba(), FastJieba()
    for word, frequency in own_words(DICTIONARY):
        reference.add(word, frequency)
        fast.add(word, frequency)
    size = sum(len(run.encode("utf-8")) for run in runs) / 1e6
    alone = [word for run in runs for word, *_ in reference.search(run)]
    yield Figure(
        name="segmenting_runs_cut_differently_from_jieba",
        value=len(list(cut_differently(reference, fast, runs))) + (_in_passages(fast, runs) != alone),
        at_most=0,
        details=f"plain,search,offsets,passages runs={len(runs)}",
        n=f"{size:.2f}_MB",
    )
    jieba_s, fast_s = (cpu_seconds(lambda: [one.search(run) for run in runs]) for one in (reference, fast))  # noqa: B023
    yield Figure(
        name="segmenting_pace_to_jieba",
        value=jieba_s / fast_s,
        details=f"rjieba={size / fast_s:.2f}_MB/s jieba={size / jieba_s:.2f}_MB/s",
        n=f"{size:.2f}_MB",
    )


def _in_passages(segmenter: Segmenter, runs: Sequence[str]) -> list[str]:
    """The words of passages, which hold a run before each of the marks."""
    passages = [
        "".join(run + mark for run, mark in zip(runs[first : first + len(MARKS)], MARKS, strict=False))
        for first in range(0, len(runs), len(MARKS))
    ]
    return [word for word in segmenter.words(passages) if word not in MARKS]


def cut_differently(reference: Segmenter, other: Segmenter, runs: Sequence[str]) -> Iterator[str]:
    """The runs of Han that one segmenter cuts differently from another, in any of the three ways we cut."""
    for run in runs:
        places = list(map(tuple, reference.search(run)))
        if (
            list(map(tuple, other.search(run))) != places
            or list(other.words([run])) != [word for word, *_ in places]
            or list(other.plain(run)) != list(reference.plain(run))
        ):
            yield run


def sentences(size: int) -> Iterator[str]:
    """Runs of Han of about so many bytes in all; from 5 MB on every word of jieba's dictionary is among them."""
    dice = Random(7)
    with jieba.get_dict_file() as lines:
        known = [word for line in lines if re.fullmatch(f"[{HAN}]+", word := line.decode("utf-8").split()[0])]
    first, last = map(ord, HAN.split("-"))
    written = 0
    while True:
        dice.shuffle(known)
        place = 0
        while place < len(known):
            words = known[place : place + dice.randint(5, 40)]
            place += len(words)
            strange = (chr(dice.randint(first, last)) if dice.random() < 0.02 else "" for _ in words)
            run = "".join(map("".join, zip(words, strange, strict=True)))[:HAN_RUN_MAX]
            yield run
            written += len(run) * 3
            if written >= size:
                return
