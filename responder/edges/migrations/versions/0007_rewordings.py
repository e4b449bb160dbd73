"""What staff changed in the words of drafts, without whom it was about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "rewording",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("template", sa.String(length=200), nullable=False),
        sa.Column("buyer", sa.String(length=320), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gone_key", sa.String(length=40), nullable=False),
        sa.Column("came_key", sa.String(length=40), nullable=False),
        sa.Column("gone", sa.Text(), nullable=False),
        sa.Column("came", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["draft.id"], name=op.f("fk_rewording_draft_id_draft")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rewording")),
    )
    op.create_index(op.f("ix_rewording_draft_id"), "rewording", ["draft_id"], unique=False)
    op.create_index(op.f("ix_rewording_at"), "rewording", ["at"], unique=False)
