"""Score search against labelled queries: nDCG@10 and recall@50, as means over all, by type and by language.

A line of the file is one query: {"id", "q", "lang", "type", "sources", "relevant": {record id: 2 | 1}, "judged"}.
Hits of sources that were not judged for a query are dropped. What the library lacks is left out of the answers,
and a query is left out if none of grade 2 remains. Recall counts only queries whose answers are all listed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from statistics import mean
from typing import Any

NDCG_AT, RECALL_AT = 10, 50
ASKED = 400  # hits asked for before those of other sources are dropped
WORST = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One query's score. recall is None where some of its answers may be missing from the list."""

    id: str
    text: str
    language: str
    type: str
    ndcg: float
    recall: float | None


def evaluate(
    queries: Iterable[Mapping[str, Any]],
    known: Callable[[Collection[str]], set[str]],
    ask: Callable[[str, int], Sequence[str]],
) -> dict[str, Any]:
    """Score queries. known: which of some record ids the library holds; ask: ids of the best hits for a text, best first."""
    scores, left_out = [], 0
    for query in queries:
        held = known(query["relevant"].keys())
        relevant = {record_id: grade for record_id, grade in query["relevant"].items() if record_id in held}
        if 2 not in relevant.values():
            left_out += 1
            continue
        hits = [hit for hit in ask(query["q"], ASKED) if hit.split(":", 1)[0] in query["sources"]]
        judged = query.get("judged", "all") == "all"
        scores.append(
            Score(
                id=query["id"],
                text=query["q"],
                language=query["lang"],
                type=query["type"],
                ndcg=ndcg(hits, relevant),
                recall=recall(hits, relevant) if judged else None,
            )
        )
    worst = sorted(scores, key=lambda score: (score.ndcg, score.id))[:WORST]
    return {
        "all": _means(scores) | {"left_out": left_out},
        "by_type": _grouped(scores, lambda score: score.type),
        "by_lang": _grouped(scores, lambda score: score.language),
        "worst": [{"id": one.id, "q": one.text, "type": one.type, "ndcg@10": round(one.ndcg, 3)} for one in worst],
    }


def ndcg(hits: Sequence[str], relevant: Mapping[str, int]) -> float:
    """Normalised discounted cumulative gain of the first NDCG_AT hits, the gain being the grade.

    >>> ndcg(["a", "b"], {"a": 2})
    1.0
    """
    gained = sum(relevant.get(hit, 0) / log2(place + 2) for place, hit in enumerate(hits[:NDCG_AT]))
    best = sorted(relevant.values(), reverse=True)[:NDCG_AT]
    return gained / sum(grade / log2(place + 2) for place, grade in enumerate(best))


def recall(hits: Sequence[str], relevant: Mapping[str, int]) -> float:
    """The share of the relevant records among the first RECALL_AT hits; more than RECALL_AT cannot be among them."""
    return len(set(hits[:RECALL_AT]) & relevant.keys()) / min(RECALL_AT, len(relevant))


def _means(scores: Sequence[Score]) -> dict[str, Any]:
    recalls = [score.recall for score in scores if score.recall is not None]
    return {
        f"ndcg@{NDCG_AT}": round(mean(score.ndcg for score in scores), 4) if scores else None,
        f"recall@{RECALL_AT}": round(mean(recalls), 4) if recalls else None,
        "queries": len(scores),
    }


def _grouped(scores: Sequence[Score], key: Callable[[Score], str]) -> dict[str, Any]:
    groups: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        groups[key(score)].append(score)
    return {name: _means(group) for name, group in sorted(groups.items())}
