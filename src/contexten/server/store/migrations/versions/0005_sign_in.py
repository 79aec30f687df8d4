"""Signing in at the dashboard: links that work once, and tokens that expire."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table, and the columns of tokens that are sessions."""
    op.add_column("tokens", sa.Column("expires_at", sa.BigInteger))
    op.add_column("tokens", sa.Column("made_by", _ID))
    op.create_table(
        "sign_in_links",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("made_by", _ID, sa.ForeignKey("tokens.id", name="fk_sign_in_links_made_by"), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_sign_in_links"),
    )
