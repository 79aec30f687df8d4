"""Log entries: what a run says while it works."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from contexten.protocol.model import Model


class MessageType(StrEnum):
    """What a log entry is about. Values not listed here pass through as plain strings."""

    ACTION = "ACTION"
    """A tool was called."""
    PLAN_EVALUATION = "PLAN_EVALUATION"
    """A plan, or a judgement of one."""
    FINAL_ANSWER = "FINAL_ANSWER"
    ERROR = "ERROR"
    USER_MESSAGE = "USER_MESSAGE"
    USER_GITHUB_ISSUE_COMMENT = "USER_GITHUB_ISSUE_COMMENT"
    INITIAL_PR_GENERATION = "INITIAL_PR_GENERATION"
    DETECT_PR_ERRORS = "DETECT_PR_ERRORS"
    FIX_PR_ERRORS = "FIX_PR_ERRORS"
    PR_CREATION_FAILED = "PR_CREATION_FAILED"
    PR_EVALUATION = "PR_EVALUATION"
    COMMIT_EVALUATION = "COMMIT_EVALUATION"
    AGENT_RUN_LINK = "AGENT_RUN_LINK"


class LogEntry(Model):
    """One log entry of a run (`AgentRunLogResponse` in the API description)."""

    agent_run_id: int
    created_at: str | None = None
    """ISO 8601, UTC."""
    tool_name: str | None = None
    message_type: str | None = None
    """One of `MessageType`, or a value that this version does not know."""
    thought: str | None = None
    observation: dict[str, Any] | str | None = None
    tool_input: dict[str, Any] | None = None
    tool_output: dict[str, Any] | None = None


class NewLogEntry(Model):
    """A log entry as an engine writes it; the store adds the run and the time."""

    message_type: str
    thought: str | None = None
    tool_name: str | None = None
    observation: dict[str, Any] | str | None = None
    tool_input: dict[str, Any] | None = None
    tool_output: dict[str, Any] | None = None
    created_at: str | None = Field(default=None)
    """ISO 8601, UTC; the time of writing when absent."""
