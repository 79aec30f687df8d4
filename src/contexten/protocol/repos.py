"""Repositories: the code that runs work on."""

from __future__ import annotations

from pydantic import Field

from contexten.protocol.model import Input, Model


class Repository(Model):
    """A repository (`RepoResponse`)."""

    id: int
    name: str
    full_name: str
    description: str | None
    github_id: str
    organization_id: int
    visibility: str | None
    archived: bool | None
    setup_status: str
    language: str | None


class LocalRepository(Repository):
    """A repository with where it lies. Ours; the official clients ignore the rest."""

    path: str
    """Folder on the server's machine."""
    url: str | None = None
    """Git address that it was cloned from, without credentials."""


class NewRepository(Input):
    """A repository to register: a folder of the server's machine, or a git address to clone."""

    location: str = Field(min_length=1, max_length=4096, description="Absolute path or git URL")
    name: str | None = Field(None, min_length=1, max_length=200)


class CheckSuiteSettings(Model):
    """How failing checks of a repository are treated (`CheckSuiteSettingsResponse`)."""

    check_retry_count: int
    ignored_checks: list[str]
    check_retry_counts: dict[str, int]
    custom_prompts: dict[str, str]
    high_priority_apps: list[str]
    available_check_suite_names: list[str]


class CheckSuiteSettingsRequest(Input):
    """Changes to a repository's check settings; fields left out stay as they are."""

    check_retry_count: int | None = Field(None, ge=0, le=10)
    ignored_checks: list[str] | None = None
    check_retry_counts: dict[str, int] | None = None
    custom_prompts: dict[str, str] | None = None
    high_priority_apps: list[str] | None = None
