"""Repositories, their checks and their pull requests, in both twins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contexten.client.base import AsyncCalls, Calls
from contexten.client.calls import repos

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from contexten.protocol import (
        CheckSuiteSettings,
        CheckSuiteSettingsRequest,
        EditPullRequestResponse,
        LocalRepository,
        Page,
        Repository,
    )

Org = int | str | None


def _repos(skip: int, limit: int) -> Any:
    return repos.repos(skip=skip, limit=limit)


class RepositoryCalls(Calls):
    """Requests about repositories."""

    def list_repositories(self, *, skip: int = 0, limit: int = 100, org_id: Org = None) -> Page[Repository]:
        """A page of the organization's repositories."""
        return self._send(repos.repos(skip=skip, limit=limit), org_id)

    def iter_repositories(self, *, org_id: Org = None) -> Iterator[Repository]:
        """All repositories of the organization."""
        return self._pages(_repos, org_id)

    def add_repository(self, location: str, name: str | None = None, *, org_id: Org = None) -> LocalRepository:
        """Register a folder of the server's machine, or a git address to clone."""
        return self._send(repos.add(location, name), org_id)

    def remove_repository(self, repo_id: int, *, org_id: Org = None) -> None:
        """Forget a repository; its files stay."""
        self._send(repos.remove(repo_id), org_id)

    def get_check_suite_settings(self, repo_id: int, *, org_id: Org = None) -> CheckSuiteSettings:
        """How a repository's failing checks are treated."""
        return self._send(repos.checks(repo_id), org_id)

    def update_check_suite_settings(
        self, repo_id: int, changes: CheckSuiteSettingsRequest | Mapping[str, Any], *, org_id: Org = None
    ) -> dict[str, Any]:
        """Change how a repository's failing checks are treated; what is not given stays. Returns the server's answer."""
        return self._send(repos.set_checks(repo_id, dict(changes)), org_id)

    def edit_pull_request(
        self, pr_id: int, state: str, *, repo_id: int | None = None, org_id: Org = None
    ) -> EditPullRequestResponse:
        """Put a pull request into a state: open, closed, draft or ready_for_review."""
        return self._send(repos.edit_pull_request(pr_id, state, repo_id), org_id)


class AsyncRepositoryCalls(AsyncCalls):
    """The twin of `RepositoryCalls`."""

    async def list_repositories(self, *, skip: int = 0, limit: int = 100, org_id: Org = None) -> Page[Repository]:
        """A page of the organization's repositories."""
        return await self._send(repos.repos(skip=skip, limit=limit), org_id)

    def iter_repositories(self, *, org_id: Org = None) -> AsyncIterator[Repository]:
        """All repositories of the organization."""
        return self._pages(_repos, org_id)

    async def add_repository(self, location: str, name: str | None = None, *, org_id: Org = None) -> LocalRepository:
        """Register a folder of the server's machine, or a git address to clone."""
        return await self._send(repos.add(location, name), org_id)

    async def remove_repository(self, repo_id: int, *, org_id: Org = None) -> None:
        """Forget a repository; its files stay."""
        await self._send(repos.remove(repo_id), org_id)

    async def get_check_suite_settings(self, repo_id: int, *, org_id: Org = None) -> CheckSuiteSettings:
        """How a repository's failing checks are treated."""
        return await self._send(repos.checks(repo_id), org_id)

    async def update_check_suite_settings(
        self, repo_id: int, changes: CheckSuiteSettingsRequest | Mapping[str, Any], *, org_id: Org = None
    ) -> dict[str, Any]:
        """Change how a repository's failing checks are treated; what is not given stays. Returns the server's answer."""
        return await self._send(repos.set_checks(repo_id, dict(changes)), org_id)

    async def edit_pull_request(
        self, pr_id: int, state: str, *, repo_id: int | None = None, org_id: Org = None
    ) -> EditPullRequestResponse:
        """Put a pull request into a state: open, closed, draft or ready_for_review."""
        return await self._send(repos.edit_pull_request(pr_id, state, repo_id), org_id)
