"""Workflows, and which run does which of their tasks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _workflows()
    _workflow_runs()


def _workflows() -> None:
    op.create_table(
        "workflows",
        sa.Column("id", _ID, nullable=False),
        sa.Column(
            "organization_id",
            _ID,
            sa.ForeignKey("organizations.id", name="fk_workflows_organization_id"),
            nullable=False,
        ),
        sa.Column("user_id", _ID, sa.ForeignKey("users.id", name="fk_workflows_user_id"), nullable=False),
        sa.Column("definition_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("states", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("wake_at", sa.BigInteger),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("request_digest", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_workflows"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_workflows_organization_id_id", "workflows", ["organization_id", "id"])
    op.create_index(
        "uq_workflows_idempotency_key",
        "workflows",
        ["organization_id", "user_id", "idempotency_key"],
        unique=True,
        sqlite_where=sa.text("idempotency_key IS NOT NULL"),
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_index(
        "ix_workflows_wake_at",
        "workflows",
        ["wake_at"],
        sqlite_where=sa.text("wake_at IS NOT NULL"),
        postgresql_where=sa.text("wake_at IS NOT NULL"),
    )


def _workflow_runs() -> None:
    op.create_table(
        "workflow_runs",
        sa.Column(
            "workflow_id", _ID, sa.ForeignKey("workflows.id", name="fk_workflow_runs_workflow_id"), nullable=False
        ),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("run_id", _ID, sa.ForeignKey("runs.id", name="fk_workflow_runs_run_id")),
        sa.Column("refusal", sa.Text),
        sa.Column("noted_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("workflow_id", "task", "attempt", name="pk_workflow_runs"),
    )
    op.create_index("ix_workflow_runs_run_id", "workflow_runs", ["run_id"])
    op.create_index(
        "ix_workflow_runs_open",
        "workflow_runs",
        ["workflow_id"],
        sqlite_where=sa.text("noted_at IS NULL"),
        postgresql_where=sa.text("noted_at IS NULL"),
    )
