"""What the shop's policy has granted: no order gets something twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "perk",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("order_key", sa.String(length=200), nullable=False),
        sa.Column("buyer", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_perk")),
        sa.UniqueConstraint("order_key", name=op.f("uq_perk_order_key")),
    )
    op.create_index(op.f("ix_perk_buyer_at"), "perk", ["buyer", "at"], unique=False)
    op.create_index(op.f("ix_perk_name_at"), "perk", ["name", "at"], unique=False)
