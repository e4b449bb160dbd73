"""When a case is to be looked at next, and the receipts that leave by themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("case", sa.Column("look_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("case", sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_case_account_look_at"), "case", ["account", "look_at"], unique=False)
    # What was open before there were clocks is looked at when its answer is due.
    case = sa.table("case", sa.column("state"), sa.column("deadline_at"), sa.column("look_at"))
    op.execute(case.update().where(case.c.state == "open").values(look_at=case.c.deadline_at))
    op.create_table(
        "auto_reply",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("mail_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("sender", sa.String(length=320), nullable=False),
        sa.Column("message_id", sa.String(length=260), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_auto_reply_case_id")),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], name=op.f("fk_auto_reply_mail_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auto_reply")),
        sa.UniqueConstraint("case_id", name=op.f("uq_auto_reply_case_id")),
        sa.UniqueConstraint("message_id", name=op.f("uq_auto_reply_message_id")),
    )
    op.create_index(
        op.f("ix_auto_reply_account_sender_created_at"),
        "auto_reply",
        ["account", "sender", "created_at"],
        unique=False,
    )
    op.create_index(op.f("ix_auto_reply_account_state"), "auto_reply", ["account", "state"], unique=False)
