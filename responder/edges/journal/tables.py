"""The journal's tables for SQLAlchemy Core. Their history is in `migrations/`; the two must agree (tested)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

IN_ONE_QUERY = 500
"""Values in one IN list; SQLite takes 32,766 in a statement, older ones 999."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Utc(TypeDecorator[datetime]):
    """An aware UTC datetime, also on databases that keep no zone (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone never enters the journal")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


cursor = Table(
    "cursor",
    metadata,
    Column("account", String(100), primary_key=True),
    Column("mailbox", String(500), primary_key=True),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("last_uid", BigInteger, nullable=False),
    Column("started_at", Utc, nullable=False),
)

mail = Table(
    "mail",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("account", String(100), nullable=False),
    Column("mailbox", String(500), nullable=False),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("uid", BigInteger, nullable=False),
    Column("message_id", String(260)),
    Column("content_sha256", String(64), nullable=False, default=""),
    Column("sender", String(320), nullable=False, default=""),
    Column("arrived_at", Utc, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False, default=1),
    Column("action", String(10)),
    Column("situation", String(60)),
    Column("rule", String(200)),
    Column("language", String(5)),
    Column("channel", String(60)),
    Column("order_id", String(200)),
    Column("reasons", JSON),
    Column("case_id", String(40), ForeignKey("case.id")),
    Column("answered", Boolean, nullable=False, default=False),
    Column("seen_at", Utc, nullable=False),
    UniqueConstraint("account", "mailbox", "uidvalidity", "uid"),
    Index(None, "account", "content_sha256"),
    Index(None, "account", "message_id"),
    Index(None, "case_id"),
    Index(None, "account", "state"),
)

case = Table(
    "case",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("account", String(100), nullable=False),
    Column("state", String(10), nullable=False),
    Column("outcome", String(30)),
    Column("buyer", String(320), nullable=False),
    Column("channel", String(60), nullable=False),
    Column("order_id", String(200)),
    Column("language", String(5), nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("deadline_at", Utc),
    Column("closed_at", Utc),
    Column("look_at", Utc),
    Column("looked_at", Utc),
    Index(None, "account", "buyer", "state"),
    Index(None, "account", "state"),
    Index(None, "account", "look_at"),
)

case_key = Table(
    "case_key",
    metadata,
    Column("account", String(100), primary_key=True),
    Column("key", String(300), primary_key=True),
    Column("case_id", String(40), ForeignKey("case.id"), nullable=False),
)

draft = Table(
    "draft",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("case_id", String(40), ForeignKey("case.id"), nullable=False),
    Column("account", String(100), nullable=False),
    Column("state", String(20), nullable=False),
    Column("message_id", String(260), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("mailbox", String(500)),
    Column("uidvalidity", BigInteger),
    Column("uid", BigInteger),
    Column("touched", Boolean, nullable=False, default=False),
    Column("template", String(200), nullable=False),
    Column("situation", String(60), nullable=False),
    Column("order_id", String(200)),
    Column("channel", String(60), nullable=False),
    Column("facts", JSON, nullable=False),
    Column("valid_until", Utc),
    Column("sender", String(320), nullable=False),
    Column("recipient_name", Text, nullable=False),
    Column("recipient", String(320), nullable=False),
    Column("in_reply_to", String(260)),
    Column("references", JSON, nullable=False),
    Column("answers", JSON, nullable=False),
    Column("approved_mailbox", String(500)),
    Column("approved_uidvalidity", BigInteger),
    Column("approved_uid", BigInteger),
    Column("approved_raw_sha256", String(64)),
    Column("approved_text_sha256", String(64)),
    Column("approved_at", Utc),
    Column("outgoing_id", String(260)),
    Column("outgoing_raw", LargeBinary),
    Column("told", JSON, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("not_before", Utc),
    Column("first_attempt_at", Utc),
    Column("uncertain_since", Utc),
    Column("gone_since", Utc),
    Column("lease_token", String(40)),
    Column("lease_until", Utc),
    Column("created_at", Utc, nullable=False),
    Column("sent_at", Utc),
    Column("ended_at", Utc),
    Column("copied", Boolean, nullable=False, default=False),
    Column("marked", Boolean, nullable=False, default=False),
    Column("removed", Boolean, nullable=False, default=False),
    UniqueConstraint("message_id"),
    UniqueConstraint("outgoing_id"),
    Index(None, "account", "state"),
    Index(None, "case_id"),
    Index(None, "account", "recipient", "created_at"),
)

note = Table(
    "note",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("account", String(100), nullable=False),
    Column("key", String(200), nullable=False),
    Column("message_id", String(260), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("state", String(10), nullable=False),
    Column("created_at", Utc, nullable=False),
    UniqueConstraint("account", "key"),
    Index(None, "account", "state"),
)

lookup = Table(
    "lookup",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("account", String(100), nullable=False),
    Column("sender", String(320), nullable=False),
    Column("at", Utc, nullable=False),
    Column("failed", Integer, nullable=False),
    Index(None, "account", "sender", "at"),
)

owed = Table(
    "owed",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("account", String(100), nullable=False),
    Column("order_key", String(200), nullable=False),
    Column("matter", String(30), nullable=False),
    Column("order_id", String(200), nullable=False),
    Column("wish", JSON, nullable=False),
    Column("source", String(30), nullable=False),
    Column("batch", String(40), nullable=False),
    Column("state", String(10), nullable=False),
    Column("why", JSON),
    Column("case_id", String(40), ForeignKey("case.id")),
    Column("wished_at", Utc, nullable=False),
    Column("done_at", Utc),
    UniqueConstraint("order_key", "matter"),
    Index(None, "account", "state"),
    Index(None, "batch"),
    Index(None, "case_id"),
)

parcel_stop = Table(
    "parcel_stop",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("account", String(100), nullable=False),
    Column("case_id", String(40), ForeignKey("case.id"), nullable=False),
    Column("order_key", String(200), nullable=False),
    Column("order_id", String(200), nullable=False),
    Column("channel", String(60), nullable=False),
    Column("token", String(40), nullable=False),
    Column("state", String(10), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("ended_at", Utc),
    UniqueConstraint("token"),
    Index(None, "account", "order_key"),
    Index(None, "case_id"),
)

parcel_word = Table(
    "parcel_word",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("stop_id", Integer, ForeignKey("parcel_stop.id"), nullable=False),
    Column("account", String(100), nullable=False),
    Column("step", String(10), nullable=False),
    Column("way", String(10), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Utc),
    Column("begun_at", Utc),
    Column("created_at", Utc, nullable=False),
    UniqueConstraint("stop_id", "step", "way"),
    Index(None, "account", "state"),
)

perk = Table(
    "perk",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("account", String(100), nullable=False),
    Column("order_key", String(200), nullable=False),
    Column("buyer", String(320), nullable=False),
    Column("name", String(60), nullable=False),
    Column("at", Utc, nullable=False),
    UniqueConstraint("order_key"),
    Index(None, "buyer", "at"),
    Index(None, "name", "at"),
)

phone_call = Table(
    "phone_call",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("account", String(100), nullable=False),
    Column("order_key", String(200), nullable=False),
    Column("order_id", String(200), nullable=False),
    Column("matter", String(40), nullable=False),
    Column("case_id", String(40), ForeignKey("case.id"), nullable=False),
    Column("why", JSON, nullable=False),
    Column("asked_at", Utc, nullable=False),
    Column("done_at", Utc),
    UniqueConstraint("order_key", "matter"),
    Index(None, "account", "asked_at"),
    Index(None, "case_id"),
)

rewording = Table(
    "rewording",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("draft_id", Integer, ForeignKey("draft.id"), nullable=False),
    Column("template", String(200), nullable=False),
    Column("buyer", String(320), nullable=False),
    Column("at", Utc, nullable=False),
    Column("gone_key", String(40), nullable=False),
    Column("came_key", String(40), nullable=False),
    Column("gone", Text, nullable=False),
    Column("came", Text, nullable=False),
    Index(None, "draft_id"),
    Index(None, "at"),
)

auto_reply = Table(
    "auto_reply",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("account", String(100), nullable=False),
    Column("mail_id", Integer, ForeignKey("mail.id"), nullable=False),
    Column("case_id", String(40), ForeignKey("case.id"), nullable=False),
    Column("sender", String(320), nullable=False),
    Column("message_id", String(260), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("valid_until", Utc),
    Column("state", String(10), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("begun_at", Utc),
    Column("ended_at", Utc),
    UniqueConstraint("case_id"),
    UniqueConstraint("message_id"),
    Index(None, "account", "sender", "created_at"),
    Index(None, "account", "state"),
)

event = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Utc, nullable=False),
    Column("account", String(100), nullable=False),
    Column("case_id", String(40)),
    Column("kind", String(60), nullable=False),
    Column("detail", JSON, nullable=False),
    Index(None, "kind", "at"),
)

fact = Table(
    "fact",
    metadata,
    Column("account", String(100), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("value", JSON, nullable=False),
)
