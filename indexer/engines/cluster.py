"""What every index of ours on an Elasticsearch cluster has in common: its alias, its writing, its rebuilding, its patience.

    <prefix>-<kind>              the alias that is searched; moved in one step
    <prefix>-<kind>-<word>       one index, made from the template <prefix>-<kind>
        <record id>              what is kept of a record; its version is the number of the change it came with
        #position                the follower's position, written after the documents were acknowledged and are visible
        #rebuild                 until when somebody builds a successor of this index

A batch may be sent again, in whole or in part, as often as it takes: a document has one id, and the older version loses.
A writer sends documents and position to the index whose position it has read last. So a follower that does not know of
a swap yet writes into the index that is about to go, and takes up its work at the position of the new one.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, ClassVar, Self, TypeVar

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

from indexer.engines.base import EngineBusyError, EngineDownError
from library.settings import ElasticSettings

logger = logging.getLogger(__name__)
T = TypeVar("T")
Json = dict[str, Any]

READING_S = 3.0  # whoever reads is told soon; one answer may take timeout_s
WRITING_S = 60.0  # a batch is tried for so long before the follower is told
BULK_BYTES = 5 * 1024 * 1024
REST_S = 5.0  # after it was down, the cluster is not asked for so long, and readers are told at once
LEASE_S = 120.0  # a rebuild that shows no sign of life for so long is dead
ID_BYTES_MAX = 512

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


class ClusterIndex:
    """One alias, the index behind it, and the position of its follower.

    Any number of processes on any number of machines may search and write. Every call may raise EngineDownError.
    Opening does not ask the cluster anything, so that the pages start without it.
    """

    KIND: ClassVar[str]  # what the index holds, as the alias says it
    BULK_DOCUMENTS: ClassVar[int] = 500  # in one request
    MARK: ClassVar[str]  # the field beside the position that says what the documents were made with

    def __init__(self, settings: ElasticSettings, *, _index: str | None = None) -> None:
        self._settings = settings
        self._alias = f"{settings.prefix}-{self.KIND}"
        self._client = _client(settings)
        self._successor = _index  # a successor's own; otherwise the alias decides
        self._lease: Lease | None = None
        self._written: str | None = None  # the index whose position was read last
        self._rest: tuple[float, EngineDownError] | None = None

    def _properties(self) -> Json:
        """The fields of a document, strictly: what else is sent is refused."""
        raise NotImplementedError

    def _mark(self) -> str:
        """What documents are made with today."""
        raise NotImplementedError

    def _is_todays(self, name: str) -> bool:
        """Whether an index may be read and written; another is replaced by the next writer."""
        return True

    @property
    def _patient(self) -> Elasticsearch:
        """For what may take its time: no reader waits."""
        return self._client.options(request_timeout=WRITING_S)

    # Writing

    def _commit(self, documents: Mapping[str, Json], gone: Iterable[str], position: int) -> None:
        """Put a document for each record id, take out those gone, and then note the position."""
        index = self._successor or self._written or self._asked(self._current, READING_S) or self._start()
        self._written = index
        version = {"_index": index, "version": position, "version_type": "external_gte"}
        removed = {_document_id(record_id): {"_op_type": "delete"} for record_id in gone}
        put = {
            _document_id(record_id): {"_op_type": "index", "_source": documents[record_id]} for record_id in documents
        }
        waiting = {name: {"_id": name, **action, **version} for name, action in (removed | put).items()}
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
            self._patient,
            list(waiting.values()),
            chunk_size=self.BULK_DOCUMENTS,
            max_chunk_bytes=BULK_BYTES,
            raise_on_error=False,
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
        note = {"position": position, self.MARK: self._mark()}
        try:
            self._patient.index(index=index, id=POSITION, document=note, version=position, version_type="external_gte")
        except ConflictError:  # another follower is further
            logger.info("the index %s is beyond change %d already", index, position)

    def _start(self) -> str:
        """Make an empty index and let it be searched, unless another process is faster."""

        def start() -> str:
            name, before = self._new_name(), self._aliased()
            if before is None:
                self._create(name, aliases={self._alias: {"is_write_index": True}})
            elif self._is_todays(before):
                return before
            else:
                self._create(name)
                # in one step, and only if nobody has done the same meanwhile
                self._point_to(name, {"remove": {"index": before, "alias": self._alias, "must_exist": True}})
                self._patient.indices.delete(index=before, ignore_unavailable=True)
            return name

        try:
            return self._asked(start, WRITING_S)
        except EngineDownError:
            if faster := self._asked(self._current, READING_S):
                return faster
            raise

    def _point_to(self, name: str, remove: Json) -> None:
        add = {"add": {"index": name, "alias": self._alias, "is_write_index": True}}
        self._patient.indices.update_aliases(actions=[remove, add])

    def _create(self, name: str, aliases: Json | None = None) -> None:
        self._patient.indices.put_index_template(name=self._alias, **self._template())
        try:
            self._patient.indices.create(index=name, aliases=aliases)
        except BadRequestError as error:  # a try before this one was heard, and its answer lost
            if error.error != "resource_already_exists_exception":
                raise

    def _template(self) -> Json:
        return {
            "index_patterns": [self._alias, f"{self._alias}-*"],
            "priority": 500,
            "allow_auto_create": False,  # or a late batch would bring back the index that a swap has deleted
            "template": {
                "settings": {
                    "number_of_shards": self._settings.shards,
                    "number_of_replicas": self._settings.replicas,
                    "refresh_interval": "30s",  # a batch is made visible when it is whole
                },
                "mappings": {
                    "dynamic": "strict",
                    # of records nothing is kept but what is searched: the store is the truth
                    "_source": {"includes": list(note_properties(self.MARK))},
                    "properties": self._properties(),
                },
            },
        }

    def _new_name(self) -> str:
        return f"{self._alias}-{secrets.token_hex(6)}"

    def _current(self) -> str | None:
        """The index behind the alias; None before the first of today's make."""
        name = self._aliased()
        return name if name and self._is_todays(name) else None

    def _aliased(self) -> str | None:
        """The index behind the alias, whatever its make."""
        try:
            found = self._client.indices.get_alias(name=self._alias)
        except NotFoundError:
            return None
        writable = [name for name, said in found.items() if said["aliases"][self._alias].get("is_write_index")]
        return str((writable or list(found))[0])

    # Rebuilding

    def successor(self) -> Self:
        current = self._asked(self._current, READING_S) or self._start()
        name = self._new_name()
        engine = type(self)(self._settings, _index=name)
        engine._lease = Lease(current, owner=name)
        engine._hold()
        self._asked(lambda: self._sweep(current), WRITING_S)
        self._asked(lambda: self._create(name), WRITING_S)
        return engine

    def promote(self, successor: Self) -> None:
        name = successor._successor
        if name is None or successor._alias != self._alias:
            raise ValueError("only a successor of the same place can be promoted")
        successor._hold()
        self._asked(lambda: self._refresh(name), WRITING_S)
        everything: Json = {"remove": {"index": f"{self._alias}-*", "alias": self._alias}}
        self._asked(lambda: self._point_to(name, everything), WRITING_S)
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

    def health(self) -> str:
        """Say how the cluster is, in a sentence."""

        def read() -> str:
            said = self._client.cluster.health()
            return (
                f"Elasticsearch is {said['status']}: {said['number_of_nodes']} nodes, "
                f"{said['active_shards']} shards in use, {said['unassigned_shards']} missing"
            )

        return self._asked(read, READING_S)

    @property
    def _searched(self) -> str:
        """The name that searches go to."""
        return self._successor or self._alias

    def _answered(self, ask: Callable[[], T], *, nothing: T) -> T:
        """Search for somebody who waits: told soon, and at once while the cluster rests. nothing: where there is no index."""
        if self._rest and time.monotonic() < self._rest[0]:
            raise EngineDownError(str(self._rest[1]), self._rest[1].retry_at)

        def asked() -> T:
            try:
                return ask()
            except NotFoundError as error:
                if self._current() is None:  # before the first batch
                    return nothing
                raise AnswerError("the index was replaced meanwhile") from error

        try:
            answer = self._asked(asked, READING_S)
        except EngineDownError as error:
            if not isinstance(error.__cause__, BadRequestError):  # one query's fault, and no reason to turn others away
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


def note_properties(mark: str) -> Json:
    """The fields of the documents that are no records'. mark: the field that says what those were made with."""
    silent: Json = {"index": False, "doc_values": False}
    return {
        "position": {"type": "long", **silent},
        mark: {"type": "keyword", **silent},
        "until": {"type": "long", **silent},
        "owner": {"type": "keyword", **silent},
    }


def _document_id(record_id: str) -> str:
    return record_id if len(record_id.encode()) <= ID_BYTES_MAX else f"#{blake2b(record_id.encode()).hexdigest()}"
