"""The tables. One schema for SQLite and PostgreSQL."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

SCHEMA_VERSION = 1

TABLES = MetaData()

META = Table(
    "meta",
    TABLES,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""`schema_version`."""

CAMPAIGNS = Table(
    "campaigns",
    TABLES,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("file_hash", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("n_events", BigInteger, nullable=False),
    Column("head", Text, nullable=False),
    Column("last_event_at", Double, nullable=False),
    Column("token", BigInteger, nullable=False),
    Index("campaigns_by_name", "name", "created_at"),
)
"""`n_events` and `head` end the chain; `token` is the newest lease's. Every append changes this row
under the condition that both are still what the writer believes: that is the fence."""

EVENTS = Table(
    "events",
    TABLES,
    Column("campaign", Text, ForeignKey("campaigns.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("wall", Double, nullable=False),
    Column("event", Text, nullable=False),
    Column("hash", Text, nullable=False),
    sqlite_with_rowid=False,
)

LEASES = Table(
    "leases",
    TABLES,
    Column("campaign", Text, ForeignKey("campaigns.id"), primary_key=True),
    Column("token", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("boot", Text, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("started", Text, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("stop_socket", Text, nullable=False),
)

INBOX = Table(
    "inbox",
    TABLES,
    # SQLite counts up only an INTEGER key
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    Column("campaign", Text, ForeignKey("campaigns.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", Double, nullable=False),
    Column("answer", Text),
    Column("answered_at", Double),
    Index("inbox_by_campaign", "campaign", "answer"),
    sqlite_autoincrement=True,
)
"""Ids are never used again: events name them."""

ARTIFACTS = Table(
    "artifacts",
    TABLES,
    Column("campaign", Text, ForeignKey("campaigns.id"), primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("stored_at", Double, nullable=False),
    Column("content", LargeBinary),
    Index("artifacts_by_sha256", "sha256"),
)
"""`content` is null when it lies in a file beside the store."""
