"""Parcel stops: which orders the warehouse was told to hold back, and each word of it with what became of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "parcel_stop",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("order_key", sa.String(length=200), nullable=False),
        sa.Column("order_id", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=60), nullable=False),
        sa.Column("token", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_parcel_stop_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parcel_stop")),
        sa.UniqueConstraint("token", name=op.f("uq_parcel_stop_token")),
    )
    op.create_index(op.f("ix_parcel_stop_account_order_key"), "parcel_stop", ["account", "order_key"], unique=False)
    op.create_index(op.f("ix_parcel_stop_case_id"), "parcel_stop", ["case_id"], unique=False)
    op.create_table(
        "parcel_word",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("stop_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("step", sa.String(length=10), nullable=False),
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["stop_id"], ["parcel_stop.id"], name=op.f("fk_parcel_word_stop_id_parcel_stop")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parcel_word")),
        sa.UniqueConstraint("stop_id", "step", "way", name=op.f("uq_parcel_word_stop_id_step_way")),
    )
    op.create_index(op.f("ix_parcel_word_account_state"), "parcel_word", ["account", "state"], unique=False)
