"""The rest of the platform, in both twins: health, engines, integrations, rules, sessions, set-up, sign-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contexten.client.base import AsyncCalls, Calls
from contexten.client.calls import platform

if TYPE_CHECKING:
    from contexten.protocol import (
        AnalyzeLogs,
        ClaudeCodeSessionCreated,
        CliRules,
        EngineInfo,
        GenerateTokenResponse,
        OAuthProvider,
        OrganizationIntegrations,
        SetupCommands,
    )

Org = int | str | None


class PlatformCalls(Calls):
    """Requests about the rest of the platform."""

    def health(self) -> dict[str, Any]:
        """Whether the server is well, its version and its engines."""
        return self._send(platform.health())

    def list_engines(self) -> list[EngineInfo]:
        """The engines of the server and whether they can work now."""
        return self._send(platform.engines())

    def get_integrations(self, *, org_id: Org = None) -> OrganizationIntegrations:
        """The integrations of the organization."""
        return self._send(platform.integrations(), org_id)

    def get_cli_rules(self, *, org_id: Org = None) -> CliRules:
        """The rules that command-line agents follow."""
        return self._send(platform.rules(), org_id)

    def generate_setup_commands(self, repo_id: int, prompt: str | None = None, *, org_id: Org = None) -> SetupCommands:
        """Start a run that finds out how a repository is set up."""
        return self._send(platform.setup_commands(repo_id, prompt), org_id)

    def create_claude_code_session(self, session_id: str, *, org_id: Org = None) -> ClaudeCodeSessionCreated:
        """Report a Claude Code session; the answer names the run that shows it."""
        return self._send(platform.create_session(session_id), org_id)

    def log_claude_code_session(self, session_id: str, log: dict[str, Any], *, org_id: Org = None) -> None:
        """Report one line of a session's log."""
        self._send(platform.log_session(session_id, log), org_id)

    def set_claude_code_session_status(self, session_id: str, status: str, *, org_id: Org = None) -> None:
        """Report a session's status."""
        self._send(platform.set_session_status(session_id, status), org_id)

    def analyze_sandbox_logs(self, sandbox_id: int, *, org_id: Org = None) -> AnalyzeLogs:
        """Start a run that analyses a sandbox's log."""
        return self._send(platform.analyze_sandbox(sandbox_id), org_id)

    def list_mcp_providers(self) -> list[OAuthProvider]:
        """Providers of tools that need a sign-in."""
        return self._send(platform.mcp_providers())

    def get_oauth_status(self, *, org_id: Org = None) -> Any:
        """Which providers the organization is signed in to."""
        return self._send(platform.oauth_status(self._connection.organization(org_id)))

    def revoke_oauth(self, provider: str, *, org_id: Org = None) -> None:
        """Sign the organization out of a provider."""
        self._send(platform.revoke_oauth(provider, self._connection.organization(org_id)))

    def generate_slack_token(self, *, org_id: Org = None) -> GenerateTokenResponse:
        """A token to send to the Slack bot."""
        return self._send(platform.slack_token(self._connection.organization(org_id)))


class AsyncPlatformCalls(AsyncCalls):
    """The twin of `PlatformCalls`."""

    async def health(self) -> dict[str, Any]:
        """Whether the server is well, its version and its engines."""
        return await self._send(platform.health())

    async def list_engines(self) -> list[EngineInfo]:
        """The engines of the server and whether they can work now."""
        return await self._send(platform.engines())

    async def get_integrations(self, *, org_id: Org = None) -> OrganizationIntegrations:
        """The integrations of the organization."""
        return await self._send(platform.integrations(), org_id)

    async def get_cli_rules(self, *, org_id: Org = None) -> CliRules:
        """The rules that command-line agents follow."""
        return await self._send(platform.rules(), org_id)

    async def generate_setup_commands(
        self, repo_id: int, prompt: str | None = None, *, org_id: Org = None
    ) -> SetupCommands:
        """Start a run that finds out how a repository is set up."""
        return await self._send(platform.setup_commands(repo_id, prompt), org_id)

    async def create_claude_code_session(self, session_id: str, *, org_id: Org = None) -> ClaudeCodeSessionCreated:
        """Report a Claude Code session; the answer names the run that shows it."""
        return await self._send(platform.create_session(session_id), org_id)

    async def log_claude_code_session(self, session_id: str, log: dict[str, Any], *, org_id: Org = None) -> None:
        """Report one line of a session's log."""
        await self._send(platform.log_session(session_id, log), org_id)

    async def set_claude_code_session_status(self, session_id: str, status: str, *, org_id: Org = None) -> None:
        """Report a session's status."""
        await self._send(platform.set_session_status(session_id, status), org_id)

    async def analyze_sandbox_logs(self, sandbox_id: int, *, org_id: Org = None) -> AnalyzeLogs:
        """Start a run that analyses a sandbox's log."""
        return await self._send(platform.analyze_sandbox(sandbox_id), org_id)

    async def list_mcp_providers(self) -> list[OAuthProvider]:
        """Providers of tools that need a sign-in."""
        return await self._send(platform.mcp_providers())

    async def get_oauth_status(self, *, org_id: Org = None) -> Any:
        """Which providers the organization is signed in to."""
        return await self._send(platform.oauth_status(await self._connection.organization(org_id)))

    async def revoke_oauth(self, provider: str, *, org_id: Org = None) -> None:
        """Sign the organization out of a provider."""
        await self._send(platform.revoke_oauth(provider, await self._connection.organization(org_id)))

    async def generate_slack_token(self, *, org_id: Org = None) -> GenerateTokenResponse:
        """A token to send to the Slack bot."""
        return await self._send(platform.slack_token(await self._connection.organization(org_id)))
