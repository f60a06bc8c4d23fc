"""Sentence vectors in an index of their own beside that of the words, <prefix>-meaning.

An index carries the recipe of its vectors in its name: vectors of another recipe are neither read nor added to, and the
next writer begins an index anew.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING

import orjson

from indexer.engines.cluster import ENTRY, ClusterIndex, Json, note_properties
from indexer.meaning import DIMENSIONS, REACH, RECIPE

if TYPE_CHECKING:
    from indexer.meaning import Vectors

NEAREST_MAX = 10_000  # Elasticsearch follows no more candidates in the graph, and gives no more hits
RECIPE_WORD = blake2b(RECIPE.encode(), digest_size=4).hexdigest()


class ElasticVectors(ClusterIndex):
    """Vectors in a cluster, as `indexer.meaning.VectorStore` asks for them. Every call may raise EngineDownError.

    They are kept as they come, a byte a number, so cosines are those of the vectors in files. `replace` raises
    EngineBusyError while another rebuild runs.
    """

    KIND, MARK = "meaning", "recipe"
    BULK_DOCUMENTS = 100  # each is joined to the graph before the answer, and a busy node may merge graphs meanwhile

    def _properties(self) -> Json:
        graph = {"type": "hnsw", "m": 16, "ef_construction": 100}
        vector: Json = {"type": "dense_vector", "dims": DIMENSIONS, "element_type": "byte", "similarity": "cosine"}
        vector |= {"index": True, "index_options": graph}
        return {"id": {"type": "keyword"}, "vector": vector, **note_properties(self.MARK)}

    def _mark(self) -> str:
        return RECIPE

    def _new_name(self) -> str:
        return f"{self._alias}-{RECIPE_WORD}-{secrets.token_hex(6)}"

    def _is_todays(self, name: str) -> bool:
        return name.startswith(f"{self._alias}-{RECIPE_WORD}-")

    # Writing

    def put(self, ids: Sequence[str], vectors: Vectors, gone: Collection[str], position: int) -> None:
        rows = zip(ids, vectors.tolist(), strict=True)
        self._commit({record_id: {"id": record_id, "vector": row} for record_id, row in rows}, gone, position)

    def replace(self, batches: Iterable[tuple[Sequence[str], Vectors]], position: int) -> None:
        successor = self.successor()
        try:
            for ids, vectors in batches:
                successor.put(ids, vectors, (), position)
            successor._commit({}, (), position)  # a library without records has a position, too
            self.promote(successor)
        finally:
            successor.close()

    # Reading

    def count(self) -> int:
        asked: Json = {"query": ENTRY, "size": 1, "source": False, "track_total_hits": True}

        def ask() -> int:
            hits = self._found(index=self._searched, **asked)["hits"]
            return int(hits["total"]["value"]) if self._are_todays(hits) else 0

        return self._answered(ask, nothing=0)

    def nearest(self, vector: Vectors, count: int, among: Collection[str] | None) -> list[tuple[str, float]]:
        if count <= 0:
            return []
        asked = vector[0].tolist()
        if among is None:
            found = self._near(asked, count, ())
        else:  # as many candidates as there are ids: then each is compared, and no graph is walked
            names = iter(dict.fromkeys(among))
            found = []
            while part := tuple(islice(names, NEAREST_MAX)):
                found += self._near(asked, count, part)
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:count]

    def _near(self, vector: Sequence[int], count: int, among: Sequence[str]) -> list[tuple[str, float]]:
        """The nearest as (id, cosine). among: no others than these; all where it is empty."""
        wanted = min(2 * count, NEAREST_MAX)  # those of one cosine at the end are put in order by their ids
        known: Json = {
            "field": "vector",
            "query_vector": vector,
            "k": wanted,
            "num_candidates": min(max(wanted, REACH, len(among)), NEAREST_MAX),
        }
        if among:
            known["filter"] = {"terms": {"id": among}}
        asked: Json = {"query": {"knn": known}, "size": wanted, "source": False, "track_total_hits": False}
        asked["sort"] = [{"_score": "desc"}, {"id": "asc"}]
        # the same question asks the same copies, whose graphs differ from the others'
        key = blake2b(orjson.dumps(known), digest_size=12).hexdigest()

        def ask() -> list[tuple[str, float]]:
            hits = self._found(index=self._searched, preference=key, **asked)["hits"]
            if not self._are_todays(hits):
                return []
            return [(str(row["sort"][1]), round(2 * row["_score"] - 1, 6)) for row in hits["hits"]]

        return self._answered(ask, nothing=[])

    def _are_todays(self, hits: Json) -> bool:
        return all(self._is_todays(row["_index"]) for row in hits["hits"])
