"""What a run changed in its copy of the repository."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "diffs",
        sa.Column("run_id", _ID, sa.ForeignKey("runs.id", name="fk_diffs_run_id"), nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("branch", sa.Text, nullable=False),
        sa.Column("patch", sa.Text, nullable=False),
        sa.Column("files", sa.Text, nullable=False),
        sa.Column("insertions", sa.Integer, nullable=False),
        sa.Column("deletions", sa.Integer, nullable=False),
        sa.Column("truncated", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_diffs"),
    )
