"""The second engine: an Elasticsearch cluster, for a library that has outgrown one machine.

    <prefix>-records             the alias that is searched; moved in one step
    <prefix>-records-<word>      one index, made from the template <prefix>-records
        <record id>              one entry; its version is the number of the change it came with
        #position                the follower's position, written after the entries were acknowledged and are visible
        #rebuild                 until when somebody builds a successor of this index

Fields hold our tokens, joined by blanks and cut at blanks: Elasticsearch analyses nothing, and never parses a query. A
field of words is kept twice, once with every token for terms, once with the primary ones in order for phrases.

A batch may be sent again, in whole or in part, as often as it takes: an entry has one id, and the older version loses.
A writer sends entries and position to the index whose position it has read last. So a follower that does not know of
a swap yet writes into the index that is about to go, and takes up its work at the position of the new one.
"""

from __future__ import annotations

import base64
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, TypeVar

import orjson
from elasticsearch import (
    ApiError,
    BadRequestError,
    ConflictError,
    ConnectionTimeout,
    Elasticsearch,
    NotFoundError,
    SSLError,
    TransportError,
    UnsupportedProductError,
    helpers,
)
from elasticsearch import ConnectionError as UnreachableError

from indexer.analysis import fingerprint
from indexer.engines.base import EngineBusyError, EngineDownError, Hits, Sort
from indexer.entry import BREAK, DATES, EXACT, FACETS, NO_WORDS, Entry
from indexer.query import LEAVES_MAX, All, And, Filter, Not, Or, Phrase, Query, QueryError, Range, Term, leaves
from library.settings import ElasticSettings

logger = logging.getLogger(__name__)
T = TypeVar("T")
Json = dict[str, Any]

SEARCHED = ("title", "product", "brand", "company", "reference")  # fields that a query may name
EVERYTHING = "all"
FACET_VALUES_MAX = 100
FACET_VALUES_OF_A_SHARD = 5_000  # counts are exact while a field has no more values than this

WINDOW = 10_000  # from + size; what lies behind is walked to at a point in time
POINT_KEPT = "2m"
POINTS_MAX = 8  # exports at once that are not walked through from the start for every page

READING_S = 3.0  # whoever reads is told soon; one answer may take timeout_s
WRITING_S = 60.0  # a batch is tried for so long before the follower is told
BULK_BYTES = 5 * 1024 * 1024
REST_S = 5.0  # after it was down, the cluster is not asked for so long, and readers are told at once
LEASE_S = 120.0  # a rebuild that shows no sign of life for so long is dead

TOKEN_LENGTH_MAX = 100  # the whitespace analyzer cuts at 255 UTF-16 units
VALUE_BYTES_MAX = 8_000  # Lucene refuses a keyword of more than 32,766 bytes
ID_BYTES_MAX = 512
# A longer query is ordered by day: Elasticsearch refuses some thousand conditions, 8,192 on a node of 512 MB and two cores
SCORED_MAX = 2_500
QUERY_DEPTH_MAX = 10  # Elasticsearch refuses queries nested deeper than 30

TITLE_BOOST = 1.5
NAME_BOOST = 1.0
REFERENCE_SCORE = 20.0  # above any sum of words: who types a number wants that document first
EXACT_REFERENCE_SCORE = 20.0
CODE_SCORE = 4.0  # a code counts like one good word: 'choking' as hazard, where the notice does not print the word
SYNONYM_SHARE = 0.1
RECENCY_SHARE = 0.15  # a notice of 2030 scores a tenth above the same of 2000
RECENCY_FROM, RECENCY_TO = 730_000, 741_000  # 1999-09 and 2029-10 as ordinals

POSITION, REBUILD = "#position", "#rebuild"  # no record's id: those hold a colon
ENTRY = {"exists": {"field": "id"}}


PASSING = frozenset({408, 429, 502, 503, 504})  # overloaded, or a shard without a copy just now


class AnswerError(ValueError):
    """An answer that is not all of one; another try may bring the rest."""


class RefusedError(ValueError):
    """Documents that were sent and not taken. items: what the answer says of each."""

    def __init__(self, items: Sequence[Json], of: int) -> None:
        first = items[0].get("error") or {}
        reason = f"{first.get('type')}: {first.get('reason')}" if isinstance(first, dict) else str(first)
        super().__init__(
            f"{len(items):,} of {of:,} documents were refused, the first with {items[0]['status']} {reason}"
        )
        self.may_pass = all(item["status"] in PASSING for item in items)
        self.is_index_gone = isinstance(first, dict) and first.get("type") == "index_not_found_exception"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to build a successor of an index. owner: a word of its own for every rebuild."""

    index: str
    owner: str


@dataclass(frozen=True, slots=True)
class Point:
    """How far a point in time has been walked. at: hits passed; after: the sort values of the last."""

    id: str
    at: int
    after: list[Any] | None


class ElasticEngine:
    """A cluster as an engine. Any number of processes on any number of machines may search and write.

    Every call may raise EngineDownError. Opening does not ask the cluster anything, so that the pages start without it.
    """

    def __init__(self, settings: ElasticSettings, *, _index: str | None = None) -> None:
        self._settings = settings
        self._alias = f"{settings.prefix}-records"
        self._client = _client(settings)
        self._successor = _index  # a successor's own; otherwise the alias decides
        self._lease: Lease | None = None
        self._written: str | None = None  # the index whose position was read last
        self._points: OrderedDict[bytes, Point] = OrderedDict()
        self._points_lock = threading.Lock()
        self._rest: tuple[float, EngineDownError] | None = None

    @property
    def _patient(self) -> Elasticsearch:
        """For what may take its time: no reader waits."""
        return self._client.options(request_timeout=WRITING_S)

    # Writing

    def write(self, entries: Iterable[Entry], position: int) -> None:
        actions = {}
        for entry in entries:  # all of them before the first is sent: the source may fail in the middle
            document_id = _document_id(entry.id)
            actions[document_id] = {"_op_type": "index", "_id": document_id, "_source": _document(entry)}
        self._commit(actions, position)

    def remove(self, ids: Iterable[str], position: int) -> None:
        removed = map(_document_id, ids)
        self._commit({gone: {"_op_type": "delete", "_id": gone} for gone in removed}, position)

    def _commit(self, actions: Mapping[str, Json], position: int) -> None:
        index = self._successor or self._written or self._asked(self._current, READING_S) or self._start()
        self._written = index
        version = {"_index": index, "version": position, "version_type": "external_gte"}
        waiting = {document_id: action | version for document_id, action in actions.items()}
        try:
            self._hold()
            self._asked(lambda: self._send(waiting), WRITING_S)
            if not self._successor:
                self._asked(lambda: self._refresh(index), WRITING_S)
            self._asked(lambda: self._note(index, position), WRITING_S)
        except EngineDownError as error:
            self._written = None  # the position is read again before the next batch, wherever the alias points then
            cause = error.__cause__
            if isinstance(cause, NotFoundError) or (isinstance(cause, RefusedError) and cause.is_index_gone):
                sentence = "the index was replaced while a batch was written; the follower goes on in the new one"
                raise EngineDownError(sentence, _now()) from error
            raise

    def _send(self, waiting: dict[str, Json]) -> None:
        """Send what is still waiting, and take out what was acknowledged. Raises RefusedError for what was not."""
        sent, refused = len(waiting), []
        outcomes = helpers.streaming_bulk(
            self._patient, list(waiting.values()), max_chunk_bytes=BULK_BYTES, raise_on_error=False
        )
        for _, outcome in outcomes:
            ((operation, item),) = outcome.items()
            # 409: the index holds a newer version; 404: what is to be removed is not there
            if (
                item["status"] < 300
                or item["status"] == 409
                or (operation, item.get("result")) == ("delete", "not_found")
            ):
                waiting.pop(item["_id"], None)
            else:
                refused.append(item)
        if refused:
            raise RefusedError(refused, sent)
        if waiting:
            raise AnswerError(f"the answer is silent about {len(waiting):,} of {sent:,} documents")

    def _refresh(self, index: str) -> None:
        shards = self._patient.indices.refresh(index=index)["_shards"]
        if shards["failed"]:
            raise AnswerError(f"{shards['failed']} of {shards['total']} shards could not be refreshed")

    def _note(self, index: str, position: int) -> None:
        note = {"position": position, "tokens": f"{fingerprint()} {FIELDS}"}
        try:
            self._patient.index(index=index, id=POSITION, document=note, version=position, version_type="external_gte")
        except ConflictError:  # another follower is further
            logger.info("the index %s is beyond change %d already", index, position)

    def _start(self) -> str:
        """Make the first index, unless another process is faster."""

        def start() -> str:
            self._create(name := self._new_name(), aliases={self._alias: {"is_write_index": True}})
            return name

        try:
            return self._asked(start, WRITING_S)
        except EngineDownError:
            if faster := self._asked(self._current, READING_S):
                return faster
            raise

    def _create(self, name: str, aliases: Json | None = None) -> None:
        self._patient.indices.put_index_template(name=self._alias, **_template(self._alias, self._settings))
        try:
            self._patient.indices.create(index=name, aliases=aliases)
        except BadRequestError as error:  # a try before this one was heard, and its answer lost
            if error.error != "resource_already_exists_exception":
                raise

    def _new_name(self) -> str:
        return f"{self._alias}-{secrets.token_hex(6)}"

    def _current(self) -> str | None:
        """The index behind the alias; None before the first."""
        try:
            found = self._client.indices.get_alias(name=self._alias)
        except NotFoundError:
            return None
        writable = [name for name, said in found.items() if said["aliases"][self._alias].get("is_write_index")]
        return str((writable or list(found))[0])

    # Rebuilding

    def successor(self) -> ElasticEngine:
        current = self._asked(self._current, READING_S) or self._start()
        name = self._new_name()
        engine = ElasticEngine(self._settings, _index=name)
        engine._lease = Lease(current, owner=name)
        engine._hold()
        self._asked(lambda: self._sweep(current), WRITING_S)
        self._asked(lambda: self._create(name), WRITING_S)
        return engine

    def promote(self, successor: ElasticEngine) -> None:
        name = successor._successor
        if name is None or successor._alias != self._alias:
            raise ValueError("only a successor of the same place can be promoted")
        successor._hold()
        self._asked(lambda: self._refresh(name), WRITING_S)
        swap: list[Json] = [
            {"remove": {"index": f"{self._alias}-*", "alias": self._alias}},
            {"add": {"index": name, "alias": self._alias, "is_write_index": True}},
        ]
        self._asked(lambda: self._patient.indices.update_aliases(actions=swap), WRITING_S)
        self._written = None
        successor._successor = successor._lease = None  # the lease goes with the index it stands in
        try:
            self._asked(lambda: self._sweep(name), WRITING_S)
        except EngineDownError as error:  # the swap is done; the next rebuild sweeps
            logger.warning("the index that was replaced could not be deleted: %s", error)
        successor.close()

    def _sweep(self, current: str) -> None:
        """Delete every index of ours but the current one; the caller holds the lease."""
        names = self._patient.indices.get(index=f"{self._alias}-*", expand_wildcards="all", features="aliases")
        if gone := [name for name in names if name != current]:
            self._patient.indices.delete(index=gone, ignore_unavailable=True)

    def _hold(self) -> None:
        """Take a rebuild's lease, or hold it for longer. Raises EngineBusyError while it is another's."""
        if self._lease:
            lease = self._lease
            self._asked(lambda: self._take(lease), WRITING_S)

    def _take(self, lease: Lease) -> None:
        known: Json = {"op_type": "create"}
        try:
            found = self._client.get(index=lease.index, id=REBUILD)
            until = datetime.fromtimestamp(found["_source"]["until"], UTC)
            if found["_source"]["owner"] != lease.owner and until > _now():
                raise EngineBusyError(f"an index is being rebuilt; if that has died, try again at {until:%H:%M:%S} UTC")
            known = {"if_seq_no": found["_seq_no"], "if_primary_term": found["_primary_term"]}
        except NotFoundError as error:
            if not _is_missing_document(error):
                raise
        held = {"until": int(time.time() + LEASE_S), "owner": lease.owner}
        try:
            self._patient.index(index=lease.index, id=REBUILD, document=held, **known)
        except ConflictError as error:
            raise EngineBusyError("another rebuild was faster") from error

    def close(self) -> None:
        if self._successor:
            try:
                self._patient.indices.delete(index=self._successor, ignore_unavailable=True)
                if self._lease:
                    self._client.delete(index=self._lease.index, id=REBUILD)
            except (ApiError, TransportError) as error:
                logger.warning("the unfinished index %s is left to the next rebuild: %s", self._successor, error)
        self._client.close()

    # Reading

    def position(self) -> int:
        return int(self._noted().get("position", 0))

    def is_stale(self) -> bool:
        noted = self._noted()
        return bool(noted) and noted.get("tokens") != f"{fingerprint()} {FIELDS}"

    def _noted(self) -> Json:
        def read() -> tuple[str | None, Json]:
            index = self._successor or self._current()
            if index is None:
                return None, {}
            try:
                return index, dict(self._client.get(index=index, id=POSITION)["_source"])
            except NotFoundError as error:
                if _is_missing_document(error):
                    return index, {}
                raise AnswerError("the index was replaced meanwhile") from error

        self._written, noted = self._asked(read, READING_S)
        return noted

    def count(self) -> int:
        return self.search(All(), 0, 0).total

    def health(self) -> str:
        """Say how the cluster is, in a sentence."""

        def read() -> str:
            said = self._client.cluster.health()
            return (
                f"Elasticsearch is {said['status']}: {said['number_of_nodes']} nodes, "
                f"{said['active_shards']} shards in use, {said['unassigned_shards']} missing"
            )

        return self._asked(read, READING_S)

    def search(
        self, query: Query, first: int, count: int, sort: Sort = "relevance", facets: Sequence[str] = ()
    ) -> Hits:
        if unknown := set(facets) - set(FACETS):
            raise ValueError(f"unknown facets {sorted(unknown)}")
        if self._rest and time.monotonic() < self._rest[0]:
            raise EngineDownError(str(self._rest[1]), self._rest[1].retry_at)
        if sort == "relevance" and not any(isinstance(leaf, Term | Phrase) for leaf in leaves(query)):
            sort = "newest"  # filters do not score
        body = _body(query, sort, facets)
        # the same query asks the same copies, whose statistics differ from the others' by what they have not merged yet
        key = blake2b(orjson.dumps(body), digest_size=12).digest()

        def ask() -> Hits:
            try:
                if first + count > WINDOW:
                    return self._hits_beyond(body, key, first, count, facets)
                place = {"index": self._successor or self._alias, "preference": key.hex()}
                return _hits(body, self._found(**body, **place, from_=first, size=count), facets)
            except NotFoundError as error:
                if self._current() is None:  # before the first batch
                    return Hits(0, (), dict.fromkeys(facets, ()))
                raise AnswerError("the index was replaced meanwhile") from error

        try:
            answer = self._asked(ask, READING_S)
        except EngineDownError as error:
            if isinstance(error.__cause__, BadRequestError):  # one query's fault, and no reason to turn others away
                if "too many" in str(error):
                    raise QueryError("many", 1, count=LEAVES_MAX) from error
                raise
            self._rest = time.monotonic() + REST_S, error
            raise
        self._rest = None
        return answer

    def _found(self, **asked: Any) -> Json:
        """Search, and get everything or an error: some shards' answers would be hits that are silently missing."""
        found = self._client.search(**asked, allow_partial_search_results=False, search_type="dfs_query_then_fetch")
        if found["timed_out"] or found["_shards"]["failed"]:
            raise AnswerError("some shards did not answer")
        return dict(found)

    def _hits_beyond(self, body: Json, key: bytes, first: int, count: int, facets: Sequence[str]) -> Hits:
        """Walk to hits behind the window, from where the page before ended if that was kept."""
        with self._points_lock:
            point = self._points.pop(key, None)
        if point is None or point.at != first:
            self._close_point(point)
            opened = self._client.open_point_in_time(
                index=self._successor or self._alias, preference=key.hex(), keep_alive=POINT_KEPT
            )
            point = Point(opened["id"], 0, None)
        plain = {name: value for name, value in body.items() if name not in ("aggs", "track_total_hits")}
        while point.at < first:
            step = min(WINDOW, first - point.at)
            point, passed = self._step(point, plain | {"track_total_hits": False}, step)
            if len(passed["hits"]["hits"]) < step:
                break
        point, found = self._step(point, body, min(count, WINDOW))
        answer = _hits(body, found, facets)
        hits = answer.hits
        while len(hits) < count and point.at < answer.total:
            point, more = self._step(point, plain | {"track_total_hits": False}, min(count - len(hits), WINDOW))
            hits += _hits(body, more, ()).hits
        with self._points_lock:
            self._points[key] = point
            oldest = self._points.popitem(last=False)[1] if len(self._points) > POINTS_MAX else None
        self._close_point(oldest)
        return Hits(answer.total, hits, answer.facets)

    def _step(self, point: Point, body: Json, count: int) -> tuple[Point, Json]:
        after = {"search_after": point.after} if point.after else {}
        found = self._found(**body, **after, size=count, pit={"id": point.id, "keep_alive": POINT_KEPT})
        rows = found["hits"]["hits"]
        return Point(found["pit_id"], point.at + len(rows), rows[-1]["sort"] if rows else point.after), found

    def _close_point(self, point: Point | None) -> None:
        if point is None:
            return
        try:
            self._client.close_point_in_time(id=point.id)
        except (ApiError, TransportError) as error:  # it closes by itself
            logger.debug("a point in time is left to run out: %s", error)

    # Trying again

    def _asked(self, call: Callable[[], T], within_s: float) -> T:
        """Call until there is a whole answer; what may pass is waited for, longer each time, until the time is over."""
        deadline = time.monotonic() + within_s
        pause_s = 0.1
        while True:
            try:
                return call()
            except (ApiError, TransportError, AnswerError, RefusedError, LookupError, TypeError) as error:
                if not _may_pass(error) or time.monotonic() + pause_s > deadline:
                    retry_at = _now() + timedelta(seconds=REST_S)
                    raise EngineDownError(_sentence(error, self._settings), retry_at) from error
                logger.debug("asking Elasticsearch again in %.1f s: %s", pause_s, error)
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, 3.0)


def _may_pass(error: Exception) -> bool:
    match error:
        case SSLError() | UnsupportedProductError():
            return False
        case UnreachableError() | ConnectionTimeout() | AnswerError():
            return True
        case RefusedError():
            return error.may_pass
        case ApiError():
            return error.status_code in PASSING
        case _:
            return False


def _sentence(error: Exception, settings: ElasticSettings) -> str:
    """Say to whoever runs the machine what is wrong, and what may help."""
    where = f"Elasticsearch at {', '.join(settings.hosts)}"
    match error:
        case SSLError():
            return f"{where} shows a certificate that is not trusted; elastic.ca_certs names the file to trust: {error.message}"
        case ConnectionTimeout():
            return f"{where} takes too long to answer: {error.message}"
        case UnreachableError():
            return f"{where} cannot be reached: {error.message}"
        case UnsupportedProductError():
            return f"what answers is not {where}"
        case ApiError(status_code=401):
            return f"{where} refuses our {'key' if settings.api_key else 'name and password'}: {error.message}"
        case ApiError(message="cluster_block_exception"):
            return f"{where} is read-only or has no master; is a disk full? {_reason(error)}"
        case ApiError(status_code=429):
            return f"{where} has more to do than it can: {_reason(error)}"
        case ApiError(status_code=503):
            return f"{where} is red: a part of the index has no copy in use: {_reason(error)}"
        case ApiError():
            return f"{where} answered {error.status_code}: {_reason(error)}"
        case AnswerError() | RefusedError():
            return f"{where} did not do all that was asked: {error}"
        case _:  # a proxy's page, or a field that is not there
            return f"{where} gave an answer that is none: {type(error).__name__} {error}"


def _reason(error: ApiError) -> str:
    said = error.body.get("error") if isinstance(error.body, dict) else None
    if not isinstance(said, dict):
        return error.message
    cause = (said.get("root_cause") or [said])[0]
    return f"{cause.get('type')}: {cause.get('reason')}"


def _is_missing_document(error: NotFoundError) -> bool:
    """Whether the index is there, and only the document is not."""
    return isinstance(error.body, dict) and error.body.get("found") is False


def _now() -> datetime:
    return datetime.now(UTC)


def _client(settings: ElasticSettings) -> Elasticsearch:
    logging.getLogger("elastic_transport").setLevel(
        logging.ERROR
    )  # a line for every request; what fails we say ourselves
    known: Json = {}
    if settings.api_key:
        known["api_key"] = settings.api_key
    elif settings.password:
        known["basic_auth"] = (settings.user, settings.password)
    if any(host.startswith("https:") for host in settings.hosts):
        known |= {"verify_certs": settings.verify, "ssl_show_warn": False}
        if settings.ca_certs and settings.verify:
            known["ca_certs"] = settings.ca_certs
    return Elasticsearch(
        list(settings.hosts),
        request_timeout=settings.timeout_s,
        max_retries=len(settings.hosts) - 1,  # on to the next node; waiting and trying again is _asked()'s
        retry_on_timeout=True,
        retry_on_status=(),
        **known,
    )


# Entries and their fields ---------------------------------------------------------------------------------------------


def _properties() -> Json:
    words: Json = {"type": "text", "analyzer": "whitespace", "index_options": "freqs"}
    run: Json = {"type": "text", "analyzer": "whitespace", "index_options": "positions", "norms": False}
    silent: Json = {"index": False, "doc_values": False}
    return {
        "id": {"type": "keyword"},
        "names": words,
        **dict.fromkeys((EVERYTHING, *SEARCHED), words),
        **{f"{name}_run": run for name in (EVERYTHING, *SEARCHED)},
        **{name: {"type": "keyword"} for name in FACETS},
        **{name: {"type": "integer"} for name in DATES},
        "recency": {"type": "float", "index": False},
        "position": {"type": "long", **silent},
        "tokens": {"type": "keyword", **silent},
        "until": {"type": "long", **silent},
        "owner": {"type": "keyword", **silent},
    }


# an index with other fields than today's is searched, and must be built anew before it is written
FIELDS = blake2b(orjson.dumps(_properties()), digest_size=3).hexdigest()


def _template(alias: str, settings: ElasticSettings) -> Json:
    return {
        "index_patterns": [alias, f"{alias}-*"],
        "priority": 500,
        "allow_auto_create": False,  # or a late batch would bring back the index that a swap has deleted
        "template": {
            "settings": {
                "number_of_shards": settings.shards,
                "number_of_replicas": settings.replicas,
                "refresh_interval": "30s",  # a batch is made visible when it is whole
            },
            "mappings": {
                "dynamic": "strict",
                # of entries nothing is kept but what is searched: the store is the truth
                "_source": {"includes": ["position", "tokens", "until", "owner"]},
                "properties": _properties(),
            },
        },
    }


def _document_id(record_id: str) -> str:
    return record_id if len(record_id.encode()) <= ID_BYTES_MAX else f"#{blake2b(record_id.encode()).hexdigest()}"


def _document(entry: Entry) -> Json:
    names = [value for name in ("product", "brand", "company") for value in entry.words.get(name, NO_WORDS).every]
    day = entry.dates.get("published", RECENCY_FROM)
    age = min(max(day - RECENCY_FROM, 0), RECENCY_TO - RECENCY_FROM) / (RECENCY_TO - RECENCY_FROM)
    document: Json = {
        "id": entry.id,
        EVERYTHING: " ".join(_joined(found.every) for found in entry.words.values()),
        f"{EVERYTHING}_run": f" {BREAK} ".join(_joined(found.run) for found in entry.words.values()),
        "names": _joined(names),
        "recency": 1 + RECENCY_SHARE * age,
    }
    for name in SEARCHED:
        if found := entry.words.get(name):
            document[name] = _joined(found.every)
            document[f"{name}_run"] = _joined(found.run)
    document |= {name: [_facet(value) for value in entry.facets[name]] for name in FACETS if name in entry.facets}
    document |= {name: entry.dates[name] for name in DATES if name in entry.dates}
    return document


def _joined(values: Iterable[str]) -> str:
    return " ".join(map(_token, values))


def _token(value: str) -> str:
    """A token value as it stands in the index: whole between blanks, and never so long that it is cut."""
    if len(value) <= TOKEN_LENGTH_MAX and value.isprintable() and " " not in value:
        return value
    return f"#{blake2b(value.encode(), digest_size=20).hexdigest()}"


def _facet(value: str) -> str:
    is_short = len(value.encode()) <= VALUE_BYTES_MAX
    return value if is_short else f"#{blake2b(value.encode(), digest_size=20).hexdigest()}"


# Queries --------------------------------------------------------------------------------------------------------------


def _body(query: Query, sort: Sort, facets: Sequence[str]) -> Json:
    selected: Json = {"bool": {"filter": [ENTRY, _selection(query)]}}
    order: list[Json] = [{"published": {"order": "desc", "missing": "_last"}}, {"id": "asc"}]
    if sort == "oldest":
        order[0] = {"published": {"order": "asc", "missing": "_last"}}
    if sort == "relevance":
        order.insert(0, {"_score": "desc"})
        scoring = _scoring(query)
        selected["bool"]["should"] = scoring if _clauses(scoring) <= SCORED_MAX else []
        recent = {"field": "recency", "missing": 1}
        selected = {"function_score": {"query": selected, "field_value_factor": recent, "boost_mode": "multiply"}}
    body: Json = {"query": selected, "sort": order, "source": False, "track_total_hits": True}
    if facets:
        counted = {"size": FACET_VALUES_MAX, "shard_size": FACET_VALUES_OF_A_SHARD}
        body["aggs"] = {name: {"terms": {"field": name, **counted}} for name in facets}
    return body


def _hits(body: Json, found: Json, facets: Sequence[str]) -> Hits:
    rows = found["hits"]["hits"]
    place = len(body["sort"]) - 1  # of the id among the sort values; at a point in time one more follows
    total = found["hits"].get("total", {}).get("value", 0)
    counted = {
        name: tuple((str(bucket["key"]), int(bucket["doc_count"])) for bucket in found["aggregations"][name]["buckets"])
        for name in facets
    }
    return Hits(total, tuple((str(row["sort"][place]), float(row["_score"] or 0.0)) for row in rows), counted)


def _selection(query: Query, depth: int = 0) -> Json:
    """What matches() says, and no score."""
    if depth == QUERY_DEPTH_MAX:  # the depth of what is wrapped is counted from 1 again
        return {"wrapper": {"query": base64.b64encode(orjson.dumps(_selection(query))).decode()}}
    match query:
        case Term(values=values, field=field):
            return {"terms": {field or EVERYTHING: [_token(value) for value in values]}}
        case Phrase(runs=runs, field=field):
            return _any([_run(field or EVERYTHING, run) for run in runs])
        case Filter("id", value):
            return {"term": {"id": value}}
        case Filter(field, value):
            return {"term": {field: _facet(value)}}
        case Range(field, low, high):
            bounds = {name: bound for name, bound in (("gte", low), ("lte", high)) if bound is not None}
            return {"range": {field: bounds}} if bounds else {"exists": {"field": field}}
        case And(parts):
            return {"bool": {"filter": [_selection(part, depth + 1) for part in parts]}}
        case Or(parts, least=least):
            return _any([_selection(part, depth + 1) for part in parts], least)
        case Not(part):
            return {"bool": {"must_not": [_selection(part, depth + 1)]}}
        case All():
            return {"match_all": {}}


def _scoring(query: Query) -> list[Json]:
    """Clauses whose scores are added up. They select nothing; what is under a Not, and a filter, adds nothing."""
    match query:
        case Term(values=values, field=field):
            boosts = [] if field else _term_boosts(values, is_reference=query.is_reference)
            return [*_terms(field or EVERYTHING, values), *boosts]
        case Phrase(runs=runs, field=field):
            boosts = [] if field else [_run("title", run, TITLE_BOOST) for run in runs]
            return [*(_run(field or EVERYTHING, run) for run in runs), *boosts]
        case Or(parts, text) if text:  # one word and what it was widened to: the best of them counts
            return [{"dis_max": {"queries": [_meaning(part) for part in parts], "tie_breaker": SYNONYM_SHARE}}]
        case And(parts) | Or(parts):
            return [clause for part in parts for clause in _scoring(part)]
        case _:
            return []


def _meaning(query: Query) -> Json:
    """One meaning of a word, which counts where all of it is met."""
    if isinstance(query, Filter):
        return {"constant_score": {"filter": _selection(query), "boost": CODE_SCORE}}
    return {"bool": {"filter": [_selection(query)], "should": _scoring(query)}}


def _term_boosts(values: Sequence[str], *, is_reference: bool) -> list[Json]:
    if is_reference:
        exact = [EXACT + value for value in values]
        return [
            {"constant_score": {"filter": _selection(Term("", wanted, "reference")), "boost": score}}
            for wanted, score in ((tuple(values), REFERENCE_SCORE), (tuple(exact), EXACT_REFERENCE_SCORE))
        ]
    return [*_terms("title", values, TITLE_BOOST), *_terms("names", values, NAME_BOOST)]


def _terms(field: str, values: Sequence[str], boost: float = 1.0) -> list[Json]:
    return [{"term": {field: {"value": _token(value), "boost": boost}}} for value in values]


def _run(field: str, run: Sequence[str], boost: float = 1.0) -> Json:
    return {"match_phrase": {f"{field}_run": {"query": _joined(run), "analyzer": "whitespace", "boost": boost}}}


def _clauses(query: Any) -> int:
    """How many conditions Lucene will count."""
    match query:
        case {"term": _} | {"terms": _}:
            return 1
        case {"match_phrase": run}:
            return sum(len(said["query"].split()) for said in run.values())
        case dict():
            return sum(map(_clauses, query.values()))
        case list():
            return sum(map(_clauses, query))
        case _:
            return 0


def _any(queries: Sequence[Json], least: int = 1) -> Json:
    return {"bool": {"should": queries, "minimum_should_match": least}} if queries else {"match_none": {}}
