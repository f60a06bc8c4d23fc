"""The tables of the store, for SQLite and PostgreSQL alike.

Times are TEXT, UTC, ISO 8601 with microseconds and 'Z', so that they sort as they are. Days are TEXT
'YYYY-MM-DD'. JSON is TEXT. Truth values are INTEGER 0 or 1.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Serial = BigInteger().with_variant(Integer, "sqlite")


def _text(name: str, *, default: str | None = None, null: bool = False, key: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null, server_default=default, primary_key=key)


def _number(name: str, *, default: str | None = None, null: bool = False, key: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null, server_default=default, primary_key=key)


def _serial(name: str) -> Column[int]:
    return Column(name, Serial, primary_key=True, autoincrement=True)


# One row per run of a source. counts: pages by outcome, drafts, records, ... live: asked the publisher itself.
run = Table(
    "run",
    metadata,
    _serial("id"),
    _text("source"),
    _text("started_at"),
    _text("ended_at", null=True),
    _text("verdict", null=True),
    _text("reason", default=""),
    _text("counts", default="{}"),
    _text("origin"),
    _number("live", default="0"),
    _number("process", default="0"),
    Index(None, "source", "id"),
)

# The page index: one row per archived answer. url_key: method, URL and request body in one digest.
# digest: sha256 of the decoded body, hex; payload_digest: sha1 of the body as sent, base32, as WARC files have it.
page = Table(
    "page",
    metadata,
    _serial("id"),
    _text("source"),
    _text("url"),
    _text("url_key"),
    _text("kind"),
    _number("status"),
    _text("content_type", default=""),
    _text("fetched_at"),
    _text("warc"),
    _number("warc_offset"),
    _number("warc_length"),
    _text("digest"),
    _text("payload_digest"),
    _number("size"),
    _text("encoding", default=""),
    _text("evidence", default=""),
    _text("outcome"),
    _text("reason", default=""),
    _number("drafts", default="0"),
    _text("unread", default="[]"),
    _number("run_id", default="0"),
    UniqueConstraint("warc", "warc_offset"),
    Index(None, "source", "url_key", "id"),
    Index(None, "source", "payload_digest"),
    Index(None, "run_id"),
)

# What stands at an address, as of the last page that was read there: validators are kept only then.
# page_id: that page; seen_at: when it was last seen there, read or unchanged; follows: the pages it leads to.
address = Table(
    "address",
    metadata,
    _text("url_key", key=True),
    _text("source"),
    _text("url"),
    _text("kind"),
    _number("page_id"),
    _text("digest"),
    _text("etag", default=""),
    _text("last_modified", default=""),
    _text("follows", default="[]"),
    _text("seen_at"),
    _text("read_at"),
    Index(None, "source"),
)

# The newest version of each record. absent_since: the first good complete run that did not show it.
record = Table(
    "record",
    metadata,
    _text("id", key=True),
    _text("source"),
    _text("kind"),
    _number("version"),
    _text("hash"),
    _text("payload"),
    _text("published", null=True),
    _text("first_seen"),
    _text("absent_since", null=True),
    Index(None, "source"),
)

# What each side of a record last said: 'weekly' and 'notification', 'en' and 'fr'; remarks are parts 'remark:<page>'.
part = Table(
    "part",
    metadata,
    _text("record_id", key=True),
    _text("part", key=True),
    _text("payload"),
    _text("hash"),
    _text("fetched_at"),
    _number("page_id"),
    _text("url_key"),
    Index(None, "url_key"),
)

version = Table(
    "version",
    metadata,
    _text("record_id", key=True),
    _number("version", key=True),
    _text("payload"),
    _text("diff", default="{}"),
    _text("action"),
    _text("origin"),
    _text("at"),
    _number("page_id"),
)

# The change log that followers read. The number is taken under the locked head row.
change = Table(
    "change",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _text("record_id"),
    _number("version"),
    _text("action"),
    _text("origin"),
    _text("at"),
)

head = Table("head", metadata, _number("id", key=True), _number("seq"))

follower = Table("follower", metadata, _text("name", key=True), _number("position"), _text("at"))

lease = Table("lease", metadata, _text("name", key=True), _text("owner"), _text("until"))

# Quarantine: what could not become a record, with its reason. Rows close when a later reading succeeds.
problem = Table(
    "problem",
    metadata,
    _serial("id"),
    _text("source"),
    _number("page_id"),
    _text("key", default=""),
    _text("reason"),
    _text("draft", default="{}"),
    _text("at"),
    _text("closed_at", null=True),
    UniqueConstraint("page_id", "key", "reason"),
    Index(None, "source", "closed_at"),
)

# The run ledger of the schedule: one row per source and due time; a round that has no row was missed.
round_ = Table(
    "round",
    metadata,
    _text("source", key=True),
    _text("due_at", key=True),
    _text("started_at", null=True),
    _text("ended_at", null=True),
    _number("exit_code", null=True),
)

# References: a record's own numbers (own=1) and those it mentions (own=0), in canonical form.
reference = Table(
    "reference",
    metadata,
    _text("record_id", key=True),
    _text("canonical", key=True),
    _number("own", key=True),
    Index(None, "canonical", "own"),
)

# What is offered to whoever types, under every key by which it may be typed; keys sort by their code points, so that a
# prefix is a range. kind: reference, name or word; seen: how many records had it when they came.
suggestion = Table(
    "suggestion",
    metadata,
    Column("key", Text().with_variant(Text(collation="C"), "postgresql"), primary_key=True),
    _text("shown", key=True),
    _text("kind"),
    _number("seen"),
    Index(None, "kind", "seen"),
)

# A saved query with an address. actions: comma-separated; after_change: it hears of changes with higher numbers.
# quiet: '22:00-07:00' on the clock of its zone, when nothing is sent; nothing_too: a digest goes out without news as well;
# days_before: how long before a deadline it is told; by_mail: 0 where only feeds and hook tell it; hook: a web address told
# as well; hook_secret: what signs its calls, '' for a key derived from our own; name: of the reviewed file it stands in;
# checks: JSON, what it must select and must not; revision: counts its changes; confirmed_at: when the reader agreed;
# expires_at: when it ends unless the reader keeps it, null for never; expiry_told: the reader knows.
watch = Table(
    "watch",
    metadata,
    _text("id", key=True),
    _text("title"),
    _text("query"),
    _text("recipient"),
    _text("cadence"),
    _text("language"),
    _text("zone"),
    _text("actions"),
    _text("quiet", default=""),
    _number("nothing_too", default="0"),
    _number("days_before", default="7"),
    _text("hook", default=""),
    _text("hook_secret", default=""),
    _number("by_mail", default="1"),
    _text("name", default=""),
    _text("checks", default="{}"),
    _number("revision", default="1"),
    _number("after_change"),
    _text("created_at"),
    _text("confirmed_at", null=True),
    _text("expires_at", null=True),
    _number("expiry_told", default="0"),
    _text("ended_at", null=True),
    _text("ended_why", default=""),
    Index(None, "ended_at"),
    Index(None, "recipient"),
)

# One watch told of one version of one record. reasons: JSON list of [clause, field, [words]]; late: read long after it
# was fetched; state: due, planned, sent, failed, given_up or cancelled. channel: mail, hook or feed. about: '' for what the
# version brought, 'comments_until:2026-03-10' for a day that comes near; such a delivery is of no version, 0.
delivery = Table(
    "delivery",
    metadata,
    _serial("id"),
    _text("watch_id"),
    _text("record_id"),
    _number("version"),
    _text("channel"),
    _text("recipient"),
    _text("action"),
    _text("about", default=""),
    _text("reasons"),
    _number("late", default="0"),
    _text("state"),
    _text("due_at"),
    _text("created_at"),
    _number("mail_id", null=True),
    _number("call_id", null=True),
    UniqueConstraint("watch_id", "record_id", "version", "channel", "recipient", "about"),
    Index(None, "state", "due_at"),
    Index(None, "mail_id"),
    Index(None, "call_id"),
    Index(None, "record_id"),
    Index(None, "watch_id", "due_at"),
)

# One comparison of the ledger with what it should hold, over the changes from one number to another.
# pairs: watch and version held against each other by matches(); surplus: deliveries that should not be there.
sweep = Table(
    "sweep",
    metadata,
    _serial("id"),
    _text("at"),
    _number("after_change"),
    _number("upto_change"),
    _number("watches"),
    _number("versions"),
    _number("pairs"),
    _number("missing"),
    _number("surplus"),
    _number("repaired"),
    _number("unmatched"),
    _number("seconds"),
    _text("details", default="[]"),
)

# One synthetic recall on its way from a practice publisher into the operator's mailbox. verdict: running, arrived, late or
# failed; seen_by: how the mail was found; told: by which second channel the operator was told that it is missing.
canary = Table(
    "canary",
    metadata,
    _serial("id"),
    _text("key"),
    _text("started_at"),
    _text("arrived_at", null=True),
    _text("verdict"),
    _text("reason", default=""),
    _text("seen_by", default=""),
    _text("told", default=""),
)

# A call of a watch's web address; content: the frozen body. States and retries as for mail.
call = Table(
    "call",
    metadata,
    _serial("id"),
    _text("watch_id"),
    _text("occasion"),
    _text("address"),
    Column("content", LargeBinary, nullable=False),
    _text("state"),
    _number("attempts", default="0"),
    _text("next_at"),
    _text("created_at"),
    _text("sent_at", null=True),
    _text("last_error", default=""),
    UniqueConstraint("watch_id", "occasion"),
    Index(None, "state", "next_at"),
)

# A mail whose bytes are frozen before the socket opens. occasion: what it is about, unique per recipient; state: planned,
# sending, sent, failed, given_up or cancelled; in_doubt: how often it was sent without hearing the answer.
mail = Table(
    "mail",
    metadata,
    _serial("id"),
    _text("message_id"),
    _text("recipient"),
    _text("occasion"),
    _text("subject"),
    Column("content", LargeBinary, nullable=False),
    _text("state"),
    _number("attempts", default="0"),
    _number("in_doubt", default="0"),
    _text("next_at"),
    _text("created_at"),
    _text("sent_at", null=True),
    _text("last_error", default=""),
    UniqueConstraint("recipient", "occasion"),
    UniqueConstraint("message_id"),
    Index(None, "state", "next_at"),
)
