"""The first journal: cursors, mails, cases, drafts, notes, events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "case",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("outcome", sa.String(length=30), nullable=True),
        sa.Column("buyer", sa.String(length=320), nullable=False),
        sa.Column("channel", sa.String(length=60), nullable=False),
        sa.Column("order_id", sa.String(length=200), nullable=True),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case")),
    )
    op.create_index(op.f("ix_case_account_buyer_state"), "case", ["account", "buyer", "state"], unique=False)
    op.create_index(op.f("ix_case_account_state"), "case", ["account", "state"], unique=False)
    op.create_table(
        "cursor",
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("mailbox", sa.String(length=500), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("last_uid", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account", "mailbox", name=op.f("pk_cursor")),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index(op.f("ix_event_kind_at"), "event", ["kind", "at"], unique=False)
    op.create_table(
        "fact",
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("account", "name", name=op.f("pk_fact")),
    )
    op.create_table(
        "note",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("message_id", sa.String(length=260), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
        sa.UniqueConstraint("account", "key", name=op.f("uq_note_account_key")),
    )
    op.create_index(op.f("ix_note_account_state"), "note", ["account", "state"], unique=False)
    op.create_table(
        "case_key",
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_case_key_case_id")),
        sa.PrimaryKeyConstraint("account", "key", name=op.f("pk_case_key")),
    )
    op.create_table(
        "draft",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("message_id", sa.String(length=260), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("mailbox", sa.String(length=500), nullable=True),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=True),
        sa.Column("uid", sa.BigInteger(), nullable=True),
        sa.Column("touched", sa.Boolean(), nullable=False),
        sa.Column("template", sa.String(length=200), nullable=False),
        sa.Column("situation", sa.String(length=60), nullable=False),
        sa.Column("order_id", sa.String(length=200), nullable=True),
        sa.Column("channel", sa.String(length=60), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sender", sa.String(length=320), nullable=False),
        sa.Column("recipient_name", sa.Text(), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("in_reply_to", sa.String(length=260), nullable=True),
        sa.Column("references", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("approved_mailbox", sa.String(length=500), nullable=True),
        sa.Column("approved_uidvalidity", sa.BigInteger(), nullable=True),
        sa.Column("approved_uid", sa.BigInteger(), nullable=True),
        sa.Column("approved_raw_sha256", sa.String(length=64), nullable=True),
        sa.Column("approved_text_sha256", sa.String(length=64), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outgoing_id", sa.String(length=260), nullable=True),
        sa.Column("outgoing_raw", sa.LargeBinary(), nullable=True),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uncertain_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.String(length=40), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("copied", sa.Boolean(), nullable=False),
        sa.Column("marked", sa.Boolean(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_draft_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
        sa.UniqueConstraint("message_id", name=op.f("uq_draft_message_id")),
        sa.UniqueConstraint("outgoing_id", name=op.f("uq_draft_outgoing_id")),
    )
    op.create_index(
        op.f("ix_draft_account_recipient_created_at"), "draft", ["account", "recipient", "created_at"], unique=False
    )
    op.create_index(op.f("ix_draft_account_state"), "draft", ["account", "state"], unique=False)
    op.create_index(op.f("ix_draft_case_id"), "draft", ["case_id"], unique=False)
    op.create_table(
        "mail",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("mailbox", sa.String(length=500), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.String(length=260), nullable=True),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("sender", sa.String(length=320), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=True),
        sa.Column("situation", sa.String(length=60), nullable=True),
        sa.Column("rule", sa.String(length=200), nullable=True),
        sa.Column("language", sa.String(length=5), nullable=True),
        sa.Column("channel", sa.String(length=60), nullable=True),
        sa.Column("order_id", sa.String(length=200), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=True),
        sa.Column("case_id", sa.String(length=40), nullable=True),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_mail_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint(
            "account", "mailbox", "uidvalidity", "uid", name=op.f("uq_mail_account_mailbox_uidvalidity_uid")
        ),
    )
    op.create_index(op.f("ix_mail_account_content_sha256"), "mail", ["account", "content_sha256"], unique=False)
    op.create_index(op.f("ix_mail_account_message_id"), "mail", ["account", "message_id"], unique=False)
    op.create_index(op.f("ix_mail_account_state"), "mail", ["account", "state"], unique=False)
    op.create_index(op.f("ix_mail_case_id"), "mail", ["case_id"], unique=False)
