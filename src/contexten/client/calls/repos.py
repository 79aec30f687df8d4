"""Requests about repositories and how their checks are treated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contexten.client.calls.call import Call, get, given, post, reader, segment
from contexten.protocol import (
    CheckSuiteSettings,
    CheckSuiteSettingsRequest,
    EditPullRequestInput,
    EditPullRequestResponse,
    LocalRepository,
    NewRepository,
    Page,
    Repository,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_REPOS = "/v1/organizations/{org}/repos"
_CHECKS = f"{_REPOS}/check-suite-settings"
_LOCAL = frozenset({"path"})


def _read_repo(data: Any) -> Repository:
    return (LocalRepository if isinstance(data, dict) and data.keys() >= _LOCAL else Repository).model_validate(data)


def _read_repos(data: Any) -> Page[Repository]:
    page = Page[Any].model_validate(data)
    return Page[Repository].model_construct(**{**dict(page), "items": [_read_repo(item) for item in page.items]})


def repos(*, skip: int = 0, limit: int = 100) -> Call[Page[Repository]]:
    """The repositories of an organization."""
    return Call("GET", _REPOS, _read_repos, {"skip": skip, "limit": limit})


def add(location: str, name: str | None = None) -> Call[LocalRepository]:
    """Register a folder of the server's machine, or a git address to clone."""
    return post(_REPOS, LocalRepository, given(NewRepository, location=location, name=name))


def remove(repo_id: int) -> Call[Any]:
    """Forget a repository; its files stay."""
    return Call("DELETE", f"{_REPOS}/{segment(repo_id)}", reader(Any))


def checks(repo_id: int) -> Call[CheckSuiteSettings]:
    """How a repository's failing checks are treated."""
    return get(_CHECKS, CheckSuiteSettings, repo_id=repo_id)


def set_checks(repo_id: int, changes: Mapping[str, Any]) -> Call[dict[str, Any]]:
    """Change it; what is not given stays."""
    body = given(CheckSuiteSettingsRequest, **changes).model_dump(mode="json", exclude_unset=True)
    return Call("PUT", _CHECKS, reader(dict[str, Any]), {"repo_id": repo_id}, body)


def edit_pull_request(pr_id: int, state: str, repo_id: int | None = None) -> Call[EditPullRequestResponse]:
    """Put a pull request into a state: open, closed, draft or ready_for_review."""
    repo = "" if repo_id is None else f"/repos/{segment(repo_id)}"
    body = given(EditPullRequestInput, state=state).model_dump(mode="json")
    path = f"/v1/organizations/{{org}}{repo}/prs/{segment(pr_id)}"
    return Call("PATCH", path, reader(EditPullRequestResponse), body=body)
