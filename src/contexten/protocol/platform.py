"""The rest of the API description: integrations, rules, pull requests, set-up commands, providers, sandboxes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from contexten.protocol.model import Id, Input, Model


class IntegrationStatus(Model):
    """Whether one integration is connected."""

    integration_type: str
    active: bool
    token_id: int | None = None
    installation_id: int | None = None
    metadata: dict[str, Any] | None = None


class OrganizationIntegrations(Model):
    """All integrations of an organization (`OrganizationIntegrationsResponse`)."""

    organization_id: int
    organization_name: str
    integrations: list[IntegrationStatus]
    total_active_integrations: int


class CliRules(Model):
    """Rules that command-line agents follow (`CLIRulesResponse`)."""

    organization_rules: str | None
    user_custom_prompt: str | None


class EditPullRequestInput(Input):
    """The state to put a pull request in (`EditPRInput`)."""

    state: Literal["open", "closed", "draft", "ready_for_review"]


class EditPullRequestResponse(Model):
    """What became of it (`EditPRResponse`)."""

    success: bool
    url: str | None = None
    number: int | None = None
    title: str | None = None
    state: str | None = None
    error: str | None = None


class GenerateSetupCommandsInput(Input):
    """The repository to find set-up commands for."""

    repo_id: Id
    prompt: str | None = None
    trigger_source: str = "setup-commands"


class SetupCommands(Model):
    """The run that looks for them (`SetupCommandsResponse`)."""

    agent_run_id: int
    status: str
    url: str


class OAuthProvider(Model):
    """A provider of tools that needs a sign-in (`OAuthProviderResponse`)."""

    id: int
    name: str
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    default_scopes: list[str] | None
    is_mcp: bool
    meta: dict[str, Any] | None = None


class AnalyzeLogs(Model):
    """The run that analyses a sandbox's log (`AnalyzeLogsResponse`)."""

    agent_run_id: int
    status: str
    message: str


class GenerateTokenRequest(Input):
    """The organization to connect a Slack account to."""

    org_id: Id


class GenerateTokenResponse(Model):
    """A token to send to the Slack bot."""

    token: str
    message: str
    expires_in_minutes: int


class ClaudeCodeSession(Input):
    """A Claude Code session that the official command line reports."""

    session_id: str = Field(min_length=1, max_length=200)


class ClaudeCodeSessionCreated(Model):
    """The run that shows the session."""

    agent_run_id: int
    session_id: str


class ClaudeCodeLog(Input):
    """One line of a session's log, in the session's own form."""

    log: dict[str, Any]


class ClaudeCodeStatus(Input):
    """The session's new status."""

    status: str = Field(min_length=1, max_length=64)


class EngineInfo(Model):
    """An engine of this server and whether it can work now. Ours."""

    name: str
    ready: bool
    detail: str
    """Version when ready, else what it needs and how to set it."""
    default: bool = False


class Problem(Model):
    """The body of every error answer."""

    message: str
    """What happened, with the value and the next step."""
    detail: str | list[dict[str, Any]]
    """The same for clients that read `detail`; for 422 a list of `{loc, msg, type}`."""
    status_code: int
    request_id: str
