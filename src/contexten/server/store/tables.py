"""The tables, as the newest migration leaves them. The search index has its own file, `search_index.py`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from contexten.server.store.columns import CleanText, Identifier, Json, Moment

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

organizations = Table(
    "organizations",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("name", CleanText, nullable=False),
    Column("settings", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("login", CleanText, nullable=False),
    Column("email", CleanText),
    Column("full_name", CleanText),
    Column("created_at", Moment, nullable=False),
)

memberships = Table(
    "memberships",
    metadata,
    Column("organization_id", Identifier, ForeignKey("organizations.id"), nullable=False),
    Column("user_id", Identifier, ForeignKey("users.id"), nullable=False),
    Column("role", CleanText, nullable=False),
    PrimaryKeyConstraint("organization_id", "user_id"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("organization_id", Identifier, ForeignKey("organizations.id"), nullable=False, index=True),
    Column("user_id", Identifier, ForeignKey("users.id"), nullable=False),
    Column("name", CleanText, nullable=False),
    Column("role", CleanText, nullable=False),
    Column("digest", CleanText, nullable=False, unique=True),
    Column("prefix", CleanText, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
    Column("expires_at", Moment),
    Column("made_by", Identifier),
)

sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("digest", CleanText, primary_key=True),
    Column("made_by", Identifier, ForeignKey("tokens.id"), nullable=False),
    Column("expires_at", Moment, nullable=False),
)

repos = Table(
    "repos",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("organization_id", Identifier, ForeignKey("organizations.id"), nullable=False),
    Column("name", CleanText, nullable=False),
    Column("path", CleanText, nullable=False),
    Column("url", CleanText),
    Column("description", CleanText),
    Column("language", CleanText),
    Column("created_at", Moment, nullable=False),
    Column("removed_at", Moment),
    UniqueConstraint("organization_id", "path"),
)

checks = Table(
    "checks",
    metadata,
    Column("repo_id", Identifier, ForeignKey("repos.id"), primary_key=True, autoincrement=False),
    Column("settings", Json, nullable=False),
)

# A row is rewritten with each batch of log entries, so everything long lives in `turns`.
runs = Table(
    "runs",
    metadata,
    Column("id", Identifier, primary_key=True, autoincrement=False),
    Column("organization_id", Identifier, ForeignKey("organizations.id"), nullable=False),
    Column("user_id", Identifier, ForeignKey("users.id"), nullable=False),
    Column("repo_id", Identifier, ForeignKey("repos.id")),
    Column("source_type", CleanText, nullable=False),
    Column("engine", CleanText, nullable=False),
    Column("model", CleanText),
    Column("reported", Boolean, nullable=False),
    Column("banned", Boolean, nullable=False),
    Column("status", CleanText, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("log_count", Integer, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cost_usd", Float, nullable=False),
    Column("idempotency_key", CleanText),
    Column("request_digest", CleanText),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Index(None, "organization_id", "id"),
    Index(None, "organization_id", "user_id", "id"),
    Index(None, "organization_id", "source_type", "id"),
    Index(None, "organization_id", "user_id", "source_type", "id"),
    Index(None, "organization_id", "status", "id"),
    Index(None, "organization_id", "engine", "id"),
    postgresql_with={"fillfactor": 70},
)
Index(
    "uq_runs_idempotency_key",
    runs.c.organization_id,
    runs.c.user_id,
    runs.c.idempotency_key,
    unique=True,
    sqlite_where=text("idempotency_key IS NOT NULL"),
    postgresql_where=text("idempotency_key IS NOT NULL"),
)
Index(
    "ix_runs_unfinished",
    runs.c.id,
    sqlite_where=text("finished_at IS NULL"),
    postgresql_where=text("finished_at IS NULL"),
)

turns = Table(
    "turns",
    metadata,
    Column("run_id", Identifier, ForeignKey("runs.id"), nullable=False),
    Column("turn", Integer, nullable=False),
    Column("status", CleanText, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("put_back", Integer, nullable=False, server_default="0"),
    Column("timeout", Float),
    Column("created_at", Moment, nullable=False),
    Column("queued_at", Moment),
    Column("prompt", CleanText, nullable=False),
    Column("images", Json, nullable=False),
    Column("metadata", Json, nullable=False),
    Column("summary", CleanText),
    Column("result", CleanText),
    PrimaryKeyConstraint("run_id", "turn"),
)
Index(
    "ix_turns_unqueued",
    turns.c.run_id,
    turns.c.turn,
    sqlite_where=text("queued_at IS NULL"),
    postgresql_where=text("queued_at IS NULL"),
)

# Log entries have a position and a body; changes of status have a status and perhaps a result as body.
events = Table(
    "events",
    metadata,
    Column("id", Identifier, primary_key=True, autoincrement=False),
    Column("organization_id", Identifier, nullable=False),
    Column("run_id", Identifier, ForeignKey("runs.id"), nullable=False),
    Column("turn", Integer, nullable=False),
    Column("position", Integer),
    Column("key", CleanText),
    Column("status", CleanText),
    Column("created_at", Moment, nullable=False),
    Column("body", Text),
    Index(None, "organization_id", "id"),
    Index(None, "run_id", "id"),
)
Index(
    "uq_events_position",
    events.c.run_id,
    events.c.position,
    unique=True,
    sqlite_where=text("position IS NOT NULL"),
    postgresql_where=text("position IS NOT NULL"),
)
Index(
    "uq_events_key",
    events.c.run_id,
    events.c.turn,
    events.c.key,
    unique=True,
    sqlite_where=text("key IS NOT NULL"),
    postgresql_where=text("key IS NOT NULL"),
)

# Events that belong to no run's log; their ids are of the one sequence of `events`.
notices = Table(
    "notices",
    metadata,
    Column("id", Identifier, primary_key=True, autoincrement=False),
    Column("organization_id", Identifier, nullable=False),
    Column("subject_id", Identifier, nullable=False),
    Column("kind", CleanText, nullable=False),
    Column("created_at", Moment, nullable=False, index=True),
    Column("body", Text, nullable=False),
    Index(None, "organization_id", "id"),
)

# How many runs there are in each block of run ids; user 0 and source '' stand for all of them.
run_buckets = Table(
    "run_buckets",
    metadata,
    Column("organization_id", Identifier, nullable=False),
    Column("user_id", Identifier, nullable=False),
    Column("source_type", CleanText, nullable=False),
    Column("width", Integer, nullable=False),
    Column("bucket", Identifier, nullable=False),
    Column("runs", BigInteger, nullable=False),
    PrimaryKeyConstraint("organization_id", "user_id", "source_type", "width", "bucket"),
    sqlite_with_rowid=False,
    postgresql_with={"fillfactor": 50},
)

# The largest ids at the last deletion: ids are not given out again.
sequences = Table(
    "sequences",
    metadata,
    Column("name", CleanText, primary_key=True),
    Column("newest", Identifier, nullable=False),
)

# What a run changed since it began, after its newest turn.
diffs = Table(
    "diffs",
    metadata,
    Column("run_id", Identifier, ForeignKey("runs.id"), primary_key=True, autoincrement=False),
    Column("turn", Integer, nullable=False),
    Column("branch", CleanText, nullable=False),
    Column("patch", CleanText, nullable=False),
    Column("files", Json, nullable=False),
    Column("insertions", Integer, nullable=False),
    Column("deletions", Integer, nullable=False),
    Column("truncated", Boolean, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("organization_id", Identifier, ForeignKey("organizations.id"), nullable=False),
    Column("session_id", CleanText, nullable=False),
    Column("run_id", Identifier, ForeignKey("runs.id"), nullable=False),
    PrimaryKeyConstraint("organization_id", "session_id"),
)

workers = Table(
    "workers",
    metadata,
    Column("worker_id", CleanText, primary_key=True),
    Column("beat_at", Moment, nullable=False),
)

workflows = Table(
    "workflows",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("organization_id", Identifier, ForeignKey("organizations.id"), nullable=False),
    Column("user_id", Identifier, ForeignKey("users.id"), nullable=False),
    Column("definition_id", CleanText, nullable=False),
    Column("name", CleanText, nullable=False),
    Column("definition", Json, nullable=False),
    Column("states", Json, nullable=False),
    Column("status", CleanText, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("wake_at", Moment),
    Column("idempotency_key", CleanText),
    Column("request_digest", CleanText),
    Column("created_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Index(None, "organization_id", "id"),
    sqlite_autoincrement=True,  # runs name their workflow: an id that was deleted is not given out again
)
Index(
    "uq_workflows_idempotency_key",
    workflows.c.organization_id,
    workflows.c.user_id,
    workflows.c.idempotency_key,
    unique=True,
    sqlite_where=text("idempotency_key IS NOT NULL"),
    postgresql_where=text("idempotency_key IS NOT NULL"),
)
Index(
    "ix_workflows_wake_at",
    workflows.c.wake_at,
    sqlite_where=text("wake_at IS NOT NULL"),
    postgresql_where=text("wake_at IS NOT NULL"),
)

# One attempt at a task of a workflow. Without a run when none could be made, or when it was deleted.
workflow_runs = Table(
    "workflow_runs",
    metadata,
    Column("workflow_id", Identifier, ForeignKey("workflows.id"), nullable=False),
    Column("task", CleanText, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("run_id", Identifier, ForeignKey("runs.id")),
    Column("refusal", CleanText),
    Column("noted_at", Moment),
    PrimaryKeyConstraint("workflow_id", "task", "attempt"),
    Index(None, "run_id"),
)
Index(
    "ix_workflow_runs_open",
    workflow_runs.c.workflow_id,
    sqlite_where=text("noted_at IS NULL"),
    postgresql_where=text("noted_at IS NULL"),
)
