"""Requests about the rest of the platform: integrations, rules, engines, health, Claude Code sessions, set-up."""

from __future__ import annotations

from typing import Any

from contexten.client.calls.call import Call, Repeat, get, given, post, segment
from contexten.protocol import (
    AnalyzeLogs,
    ClaudeCodeLog,
    ClaudeCodeSession,
    ClaudeCodeSessionCreated,
    ClaudeCodeStatus,
    CliRules,
    EngineInfo,
    GenerateSetupCommandsInput,
    GenerateTokenRequest,
    GenerateTokenResponse,
    OAuthProvider,
    OrganizationIntegrations,
    SetupCommands,
)

_ORG = "/v1/organizations/{org}"
_CLAUDE = f"{_ORG}/claude_code/session"


def health() -> Call[dict[str, Any]]:
    """Whether the server is well."""
    return get("/health", dict[str, Any])


def engines() -> Call[list[EngineInfo]]:
    """The engines of the server."""
    return get("/v1/engines", list[EngineInfo])


def integrations() -> Call[OrganizationIntegrations]:
    """The integrations of an organization."""
    return get(f"{_ORG}/integrations", OrganizationIntegrations)


def rules() -> Call[CliRules]:
    """The rules that command-line agents follow."""
    return get(f"{_ORG}/cli/rules", CliRules)


def setup_commands(repo_id: int, prompt: str | None = None) -> Call[SetupCommands]:
    """Start a run that finds out how a repository is set up."""
    body = given(GenerateSetupCommandsInput, repo_id=repo_id, prompt=prompt)
    return post(f"{_ORG}/setup-commands/generate", SetupCommands, body)


def create_session(session_id: str) -> Call[ClaudeCodeSessionCreated]:
    """Report a Claude Code session; the same one again is the same run."""
    return post(_CLAUDE, ClaudeCodeSessionCreated, given(ClaudeCodeSession, session_id=session_id))


def log_session(session_id: str, log: dict[str, Any]) -> Call[Any]:
    """Report one line of a session's log."""
    return post(f"{_CLAUDE}/{segment(session_id)}/log", Any, given(ClaudeCodeLog, log=log))


def set_session_status(session_id: str, status: str) -> Call[Any]:
    """Report a session's status."""
    path = f"{_CLAUDE}/{segment(session_id)}/status"
    return post(path, Any, given(ClaudeCodeStatus, status=status), repeat=Repeat.ALWAYS)


def analyze_sandbox(sandbox_id: int) -> Call[AnalyzeLogs]:
    """Start a run that analyses a sandbox's log."""
    return post(f"{_ORG}/sandbox/{segment(sandbox_id)}/analyze-logs", AnalyzeLogs)


def mcp_providers() -> Call[list[OAuthProvider]]:
    """Providers of tools that need a sign-in."""
    return get("/v1/mcp-providers", list[OAuthProvider])


def oauth_status(org_id: int) -> Call[Any]:
    """Which of them are signed in."""
    return get("/v1/oauth/tokens/status", Any, org_id=org_id)


def revoke_oauth(provider: str, org_id: int) -> Call[Any]:
    """Sign out of one of them."""
    return post("/v1/oauth/tokens/revoke", Any, repeat=Repeat.ALWAYS, provider=provider, org_id=org_id)


def slack_token(org_id: int) -> Call[GenerateTokenResponse]:
    """A token to send to the Slack bot."""
    return post("/v1/slack-connect/generate-token", GenerateTokenResponse, given(GenerateTokenRequest, org_id=org_id))
