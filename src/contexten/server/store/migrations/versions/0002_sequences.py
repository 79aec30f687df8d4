"""The largest ids that were ever given out, kept when the runs that had them are deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table; it stays empty until a run is deleted."""
    op.create_table(
        "sequences",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("newest", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_sequences"),
    )
