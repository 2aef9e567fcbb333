"""The ledger's tables: what people and programs ask about, in a form that any SQL tool reads.

Times are int64 µs UTC. `sequence` is the journal's record that a row was made from; rows with one can be rebuilt from
the journal. Hashes and 64-bit keys are stored as signed integers. Texts that hold JSON end with `_json`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)  # fmt: skip

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("shop", String(128), nullable=False),
    Column("event_id", String(200), nullable=False),
    Column("event_type", String(64), nullable=False),
    Column("subject", String(200)),
    Column("at", BigInteger, nullable=False),
    Column("decided_at", BigInteger, nullable=False),
    Column("action", String(32), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("abuse_type", String(32)),
    Column("risk", Float, nullable=False),
    Column("level", String(16), nullable=False),
    Column("policy_version", String(64), nullable=False),
    Column("reasons_json", Text, nullable=False),
    Column("body", LargeBinary),
    Column("order_id", String(200)),
    Column("risks_json", Text),
    Column("scored_by", String(64)),
    Column("suspicion", Float),
    Index(None, "shop", "decided_at"),
    Index(None, "shop", "event_id"),
    Index(
        "ix_decisions_shop_order_id",
        "shop",
        "order_id",
        sqlite_where=text("order_id IS NOT NULL"),
        postgresql_where=text("order_id IS NOT NULL"),
    ),
    Index(
        "ix_decisions_suspected_orders",
        "decided_at",
        "shop",
        "subject",
        "order_id",
        "suspicion",
        sqlite_where=text("suspicion IS NOT NULL"),
        postgresql_where=text("suspicion IS NOT NULL"),
    ),
    Index(None, "shop", "subject", "decided_at"),
)
"""One row a decision. `mode`: enforce or shadow. `body`: the whole decision as its writer encoded it. `risks_json`:
risk in [0, 1] of each abuse type above zero; NULL in rows of earlier versions. `scored_by`: version of the learned
fusion, "" without one. `suspicion`: of the subject by this event, in [0, 1]; NULL where there is none."""

joined = Table(
    "joined",
    metadata,
    Column("decision_id", String(64), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("shop", String(128), nullable=False),
    Column("event_id", String(200), nullable=False),
    Column("event_type", String(64), nullable=False),
    Column("decided_at", BigInteger, nullable=False),
    Column("joined_sequence", BigInteger),
    Column("at", BigInteger),
    Column("detector", String(64)),
    Column("version", String(64)),
    Column("abuse_type", String(32)),
    Column("score", Float),
    Column("signal", Float),
    Column("risk", Float),
    Column("level", String(16)),
    Column("intended", String(32)),
    Column("is_raised", Boolean),
    Column("causes_json", Text),
    Index(None, "joined_sequence", "sequence"),
)
"""One row a decision about a text: what the text said later. `joined_sequence` is NULL as long as nothing was said."""

applied = Table(
    "applied",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("decision_id", String(64), nullable=False, index=True),
    Column("shop", String(128), nullable=False),
    Column("action", String(32), nullable=False),
    Column("by", String(200)),
    Column("is_override", Boolean, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("note", Text),
)
"""What the shop really did with a decision."""

labels = Table(
    "labels",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("shop", String(128), nullable=False),
    Column("subject_type", String(32), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("abuse_type", String(32)),
    Column("value", Float, nullable=False),
    Column("source", String(64), nullable=False),
    Column("disposition", String(64)),
    Column("observed_at", BigInteger, nullable=False),
    Column("matures_at", BigInteger, nullable=False),
    Column("weight", Float, nullable=False),
    Column("withdrawn_at", BigInteger),
    Column("by", String(200)),
    Index(None, "shop", "subject_type", "subject"),
    Index(None, "shop", "matures_at"),
)
"""What turned out to be true of a subject (an event, a decision, an account); withdrawn ones stay, with their time."""

lists = Table(
    "lists",
    metadata,
    Column("shop", String(128), primary_key=True),
    Column("list", String(16), primary_key=True),
    Column("entity", String(32), primary_key=True),
    Column("value", String(200), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("author", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Index(None, "shop", "added_at"),
)
"""Entries in force: list is allow, deny or watch; value is the entity's token, never a raw personal value."""

audit = Table(
    "audit",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("shop", String(128), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(64), nullable=False),
    Column("object", String(200), nullable=False),
    Column("detail_json", Text, nullable=False),
    Index(None, "shop", "at"),
)
"""Who changed or read what."""

personal_audit = Table(
    "personal_audit",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("shop", String(128), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subjects_json", Text, nullable=False),
    Column("detail_json", Text, nullable=False),
    Index(None, "shop", "at"),
)
"""Who exported or erased whose data; written by the commands themselves, so nothing can rebuild it."""

timeline = Table(
    "timeline",
    metadata,
    Column("entity", String(32), primary_key=True),
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", String(200), nullable=False),
    Column("event_type", String(64), nullable=False),
    Column("decision_id", String(64)),
    sqlite_with_rowid=False,
)
"""What an entity took part in, newest last; `key` is the event's 64-bit key of the entity."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("shop", String(128), nullable=False),
    Column("name", String(200), nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("scopes", String(200), nullable=False),
    Column("requests_per_second", Float),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
)
"""Keys of callers. The one table of this ledger that no journal can rebuild: back it up, or issue keys anew."""

replies = Table(
    "replies",
    metadata,
    Column("key", String(300), primary_key=True),
    Column("sequence", BigInteger),
    Column("body_hash", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("reply", LargeBinary, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)
"""First replies by idempotency key; `key` begins with the shop and the caller."""

projections = Table(
    "projections",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)
"""How far the journal has been read into this database: `sequence` is the next record to read."""

PROJECTED = (decisions, joined, applied, labels, lists, audit, timeline, replies)
"""Tables that a rebuild empties and fills again from the journal."""
