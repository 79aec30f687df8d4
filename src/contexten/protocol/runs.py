"""Runs: a prompt goes in, log entries come out, a result ends it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from contexten.protocol.logs import LogEntry
from contexten.protocol.model import Id, Input, Model
from contexten.protocol.status import is_successful, is_terminal


class SourceType(StrEnum):
    """Where a run came from (`ApiAgentRunSourceType`)."""

    LOCAL = "LOCAL"
    SLACK = "SLACK"
    GITHUB = "GITHUB"
    GITHUB_CHECK_SUITE = "GITHUB_CHECK_SUITE"
    GITHUB_PR_REVIEW = "GITHUB_PR_REVIEW"
    LINEAR = "LINEAR"
    API = "API"
    CHAT = "CHAT"
    JIRA = "JIRA"
    CLICKUP = "CLICKUP"
    MONDAY = "MONDAY"
    SETUP_COMMANDS = "SETUP_COMMANDS"


class PullRequest(Model):
    """A pull request that a run opened (`GithubPullRequestResponse`)."""

    id: int
    created_at: str
    title: str | None = None
    url: str | None = None
    head_branch_name: str | None = None


class _RunFields(Model):
    id: int
    organization_id: int
    status: str | None = None
    """One of `RunStatus`, or a value that this version does not know."""
    created_at: str | None = None
    """ISO 8601, UTC."""
    web_url: str | None = None
    result: str | None = None
    metadata: dict[str, Any] | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether the run has ended."""
        return is_terminal(self.status)

    @property
    def is_successful(self) -> bool:
        """Whether the run ended with what was asked."""
        return is_successful(self.status)


class AgentRun(_RunFields):
    """A run (`AgentRunResponse`)."""

    summary: str | None = None
    source_type: str | None = None
    """One of `SourceType`."""
    github_pull_requests: list[PullRequest] | None = None


class AgentRunDetail(AgentRun):
    """A run with what this server knows beyond the API description; the official clients ignore the rest."""

    prompt: str
    """What was asked in the newest turn."""
    engine: str
    model: str | None = None
    repo_id: int | None = None
    user_id: int | None = None
    turn: int = 1
    """Number of the newest turn, from 1; each resume adds one."""
    log_count: int = 0
    started_at: str | None = None
    """ISO 8601, UTC: when an engine took up the newest turn."""
    finished_at: str | None = None
    """ISO 8601, UTC: when the newest turn ended."""
    input_tokens: int = 0
    """Tokens that models read, in all turns."""
    output_tokens: int = 0
    """Tokens that models wrote, in all turns."""
    cost_usd: float = 0.0
    """What all turns cost, as far as prices are known."""
    banned: bool = False
    """Whether the run was taken off its pull request: it is not resumed until it is unbanned."""


class AgentRunWithLogs(_RunFields):
    """A run with a page of its log (`AgentRunWithLogsResponse`)."""

    logs: list[LogEntry]
    total_logs: int | None = None
    page: int | None = None
    size: int | None = None
    pages: int | None = None


class CreateAgentRunInput(Input):
    """What to run. Fields after `agent_type` are ours: an official server ignores them."""

    prompt: str
    images: list[str] | None = Field(default=None, description="Base64-encoded data URIs of images for the agent")
    metadata: dict[str, Any] | None = Field(default=None, description="Any JSON object, kept with the run")
    repo_id: Id | None = Field(default=None, description="Repository to work on; the first one when absent")
    model: str | None = Field(default=None, description="Model to use, as provider:name")
    agent_type: Literal["codegen", "claude_code"] | None = Field(default=None, description="Kind of agent")
    engine: str | None = Field(default=None, description="Engine to use; the server's default when absent")
    timeout: float | None = Field(
        default=None, gt=0, description="Seconds the run may take; the server's limit when absent"
    )


class NextPrompt(Input):
    """What to say next to a run that the address names. Ours."""

    prompt: str
    images: list[str] | None = Field(default=None, description="Base64-encoded data URIs of images for the agent")


class ResumeAgentRunInput(NextPrompt):
    """What to say next to a run that has ended."""

    agent_run_id: Id


class StopAgentRunInput(Input):
    """Which run to stop, ban, unban or remove from its pull request."""

    agent_run_id: Id
    before_card_order_id: str | None = Field(default=None, description="Board order key of the card before this one")
    after_card_order_id: str | None = Field(default=None, description="Board order key of the card after this one")


class NewestRun(Model):
    """The newest run of a user, in short. Ours."""

    id: int
    status: str
    result: str | None
    web_url: str


class NoRun(Model):
    """What is said instead, while there is none. Ours."""

    message: str


class SearchHit(Model):
    """A run whose prompt, result or log contains what was searched."""

    run: AgentRunDetail
    where: Literal["prompt", "result", "log"]
    snippet: str
    """The text around the first match, at most 200 characters."""
    event_id: int | None = None
    """The log entry's id in the event stream, when the match is in a log."""


class SearchResults(Model):
    """A page of search hits, newest first; `next_cursor` fetches the next, null at the end."""

    items: list[SearchHit]
    next_cursor: str | None = None
