"""What the shop wants buyers to be told: one row for each order and matter, ever."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "owed",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("order_key", sa.String(length=200), nullable=False),
        sa.Column("matter", sa.String(length=30), nullable=False),
        sa.Column("order_id", sa.String(length=200), nullable=False),
        sa.Column("wish", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(length=30), nullable=False),
        sa.Column("batch", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("why", sa.JSON(), nullable=True),
        sa.Column("case_id", sa.String(length=40), nullable=True),
        sa.Column("wished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_owed_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_owed")),
        sa.UniqueConstraint("order_key", "matter", name=op.f("uq_owed_order_key_matter")),
    )
    op.create_index(op.f("ix_owed_account_state"), "owed", ["account", "state"], unique=False)
    op.create_index(op.f("ix_owed_batch"), "owed", ["batch"], unique=False)
    op.create_index(op.f("ix_owed_case_id"), "owed", ["case_id"], unique=False)
