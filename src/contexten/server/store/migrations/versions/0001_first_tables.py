"""The first tables, and the search index of each database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make every table."""
    _people()
    _repos()
    _runs()
    _turns()
    _events()
    _search_index()


def _people() -> None:
    op.create_table(
        "organizations",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organizations"),
    )
    op.create_table(
        "users",
        sa.Column("id", _ID, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("full_name", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
    )
    op.create_table(
        "memberships",
        sa.Column(
            "organization_id",
            _ID,
            sa.ForeignKey("organizations.id", name="fk_memberships_organization_id"),
            nullable=False,
        ),
        sa.Column("user_id", _ID, sa.ForeignKey("users.id", name="fk_memberships_user_id"), nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "user_id", name="pk_memberships"),
    )
    op.create_table(
        "tokens",
        sa.Column("id", _ID, nullable=False),
        sa.Column(
            "organization_id", _ID, sa.ForeignKey("organizations.id", name="fk_tokens_organization_id"), nullable=False
        ),
        sa.Column("user_id", _ID, sa.ForeignKey("users.id", name="fk_tokens_user_id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_used_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
    )
    op.create_index("ix_tokens_organization_id", "tokens", ["organization_id"])
    op.create_table(
        "workers",
        sa.Column("worker_id", sa.Text, nullable=False),
        sa.Column("beat_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("worker_id", name="pk_workers"),
    )


def _repos() -> None:
    op.create_table(
        "repos",
        sa.Column("id", _ID, nullable=False),
        sa.Column(
            "organization_id", _ID, sa.ForeignKey("organizations.id", name="fk_repos_organization_id"), nullable=False
        ),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("url", sa.Text),
        sa.Column("description", sa.Text),
        sa.Column("language", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("removed_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_repos"),
        sa.UniqueConstraint("organization_id", "path", name="uq_repos_organization_id_path"),
    )
    op.create_table(
        "checks",
        sa.Column(
            "repo_id", _ID, sa.ForeignKey("repos.id", name="fk_checks_repo_id"), autoincrement=False, nullable=False
        ),
        sa.Column("settings", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("repo_id", name="pk_checks"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column(
            "organization_id", _ID, sa.ForeignKey("organizations.id", name="fk_runs_organization_id"), nullable=False
        ),
        sa.Column("user_id", _ID, sa.ForeignKey("users.id", name="fk_runs_user_id"), nullable=False),
        sa.Column("repo_id", _ID, sa.ForeignKey("repos.id", name="fk_runs_repo_id")),
        sa.Column("source_type", sa.Text, nullable=False),
        sa.Column("engine", sa.Text, nullable=False),
        sa.Column("model", sa.Text),
        sa.Column("reported", sa.Boolean, nullable=False),
        sa.Column("banned", sa.Boolean, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("log_count", sa.Integer, nullable=False),
        sa.Column("input_tokens", sa.BigInteger, nullable=False),
        sa.Column("output_tokens", sa.BigInteger, nullable=False),
        sa.Column("cost_usd", sa.Float, nullable=False),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("request_digest", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("finished_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index("ix_runs_organization_id_id", "runs", ["organization_id", "id"])
    op.create_index("ix_runs_organization_id_source_type_id", "runs", ["organization_id", "source_type", "id"])
    op.create_index("ix_runs_organization_id_user_id_id", "runs", ["organization_id", "user_id", "id"])
    op.create_index(
        "ix_runs_organization_id_user_id_source_type_id", "runs", ["organization_id", "user_id", "source_type", "id"]
    )
    op.create_index(
        "ix_runs_unfinished",
        "runs",
        ["id"],
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_index(
        "uq_runs_idempotency_key",
        "runs",
        ["organization_id", "user_id", "idempotency_key"],
        unique=True,
        sqlite_where=sa.text("idempotency_key IS NOT NULL"),
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_table(
        "run_buckets",
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("source_type", sa.Text, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("bucket", _ID, nullable=False),
        sa.Column("runs", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "user_id", "source_type", "width", "bucket", name="pk_run_buckets"),
        sqlite_with_rowid=False,
        postgresql_with={"fillfactor": 50},
    )


def _turns() -> None:
    op.create_table(
        "turns",
        sa.Column("run_id", _ID, sa.ForeignKey("runs.id", name="fk_turns_run_id"), nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("put_back", sa.Integer, nullable=False, server_default="0"),
        sa.Column("timeout", sa.Float),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("queued_at", sa.BigInteger),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("images", sa.Text, nullable=False),
        sa.Column("metadata", sa.Text, nullable=False),
        sa.Column("summary", sa.Text),
        sa.Column("result", sa.Text),
        sa.PrimaryKeyConstraint("run_id", "turn", name="pk_turns"),
    )
    op.create_index(
        "ix_turns_unqueued",
        "turns",
        ["run_id", "turn"],
        sqlite_where=sa.text("queued_at IS NULL"),
        postgresql_where=sa.text("queued_at IS NULL"),
    )
    op.create_table(
        "sessions",
        sa.Column(
            "organization_id",
            _ID,
            sa.ForeignKey("organizations.id", name="fk_sessions_organization_id"),
            nullable=False,
        ),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("run_id", _ID, sa.ForeignKey("runs.id", name="fk_sessions_run_id"), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "session_id", name="pk_sessions"),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("organization_id", _ID, nullable=False),
        sa.Column("run_id", _ID, sa.ForeignKey("runs.id", name="fk_events_run_id"), nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer),
        sa.Column("key", sa.Text),
        sa.Column("status", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_organization_id_id", "events", ["organization_id", "id"])
    op.create_index("ix_events_run_id_id", "events", ["run_id", "id"])
    op.create_index(
        "uq_events_key",
        "events",
        ["run_id", "turn", "key"],
        unique=True,
        sqlite_where=sa.text("key IS NOT NULL"),
        postgresql_where=sa.text("key IS NOT NULL"),
    )
    op.create_index(
        "uq_events_position",
        "events",
        ["run_id", "position"],
        unique=True,
        sqlite_where=sa.text("position IS NOT NULL"),
        postgresql_where=sa.text("position IS NOT NULL"),
    )


def _search_index() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE event_words USING fts5(scope, words, content='', columnsize=0, "
            "tokenize='unicode61 remove_diacritics 0')"
        )
        return
    op.execute("CREATE TABLE event_words (event_id BIGINT PRIMARY KEY, words tsvector NOT NULL)")
    op.execute("CREATE INDEX ix_event_words_words ON event_words USING gin (words)")
