"""Events that belong to no run's log, and lists of the runs of one status or engine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table and the indexes; a development version made one of these before."""
    op.create_table(
        "notices",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("subject_id", _ID, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
    )
    op.create_index("ix_notices_organization_id_id", "notices", ["organization_id", "id"])
    op.create_index("ix_notices_created_at", "notices", ["created_at"])
    for name in ("status", "engine"):
        columns = ["organization_id", name, "id"]
        op.create_index(f"ix_runs_organization_id_{name}_id", "runs", columns, if_not_exists=True)
