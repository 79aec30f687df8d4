"""Repositories: the folders that runs work on, and how their failing checks are treated."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query

from contexten.engines.cloning import clone
from contexten.engines.facts import describe
from contexten.engines.locations import is_local, name_of, validate_location
from contexten.engines.workspace import CLONES
from contexten.errors import EngineError
from contexten.protocol import (
    CheckSuiteSettings,
    CheckSuiteSettingsRequest,
    LocalRepository,
    NewRepository,
    Page,
)
from contexten.server.auth import AdminRoute, GatedRoute, Running
from contexten.server.home import FIRST_ORGANIZATION
from contexten.server.paging import Paged
from contexten.server.problems import Refusal, invalid
from contexten.server.routes.shapes import AnyId, OrgId, problems
from contexten.server.services import Services

router = APIRouter(route_class=GatedRoute, tags=["repositories"])
admin = APIRouter(route_class=AdminRoute, tags=["repositories"])
_REPOS = "/v1/organizations/{org_id}/repos"
_CHECKS = _REPOS + "/check-suite-settings"
RepoQuery = Annotated[int, Query(ge=-(2**63), le=2**63 - 1, description="The repository.")]


@router.get(_REPOS, summary="List repositories", responses=problems())
@router.get(
    "/v1/organizations/{org_id}/repositories",
    summary="List repositories (address of the official command line)",
    responses=problems(),
)
async def list_repositories(org_id: OrgId, window: Paged, services: Running) -> Page[LocalRepository]:
    """The organization's repositories."""
    return window.page_of(*await services.store.repos.list(org_id, window))


@admin.post(_REPOS, summary="Add a repository", responses=problems(body=True))
async def add_repository(org_id: OrgId, body: NewRepository, services: Running) -> LocalRepository:
    """Register a folder of the server's machine, or clone a git address into the server's data folder.

    The same folder or address twice is the same repository. For admins: whoever adds a folder can have it read. Folders,
    and `file://` addresses, are for those of organization 1, whose machine it is.
    """
    if org_id != FIRST_ORGANIZATION and is_local(body.location):
        raise Refusal(
            403,
            f"Folders of the server's machine are for organization {FIRST_ORGANIZATION}. "
            "Give a git address: https://host/path, ssh://host/path or git@host:path.",
        )
    location = validate_location(body.location)
    if isinstance(location, Path):
        return await _add(services, org_id, location, body.name)
    url = location.rstrip("/")
    known = await services.store.repos.find(org_id, url=url)
    try:
        folder = await clone(url, services.settings.data_dir / CLONES, whose=org_id)
    except EngineError as error:
        raise invalid(str(error), "body", "location") from error
    return known or await _add(services, org_id, folder, body.name or name_of(url), url)


@admin.delete(_REPOS + "/{repo_id}", summary="Remove a repository", responses=problems())
async def remove_repository(org_id: OrgId, repo_id: AnyId, services: Running) -> LocalRepository:
    """Forget a repository. Its folder and its runs stay."""
    repository = await services.store.repos.get(org_id, repo_id)
    await services.store.repos.remove(org_id, repo_id)
    return repository


@router.get(_CHECKS, summary="Read check settings", responses=problems())
async def get_check_settings(org_id: OrgId, repo_id: RepoQuery, services: Running) -> CheckSuiteSettings:
    """How failing checks of the repository are treated. No check suites run here, so none are listed as available."""
    return await services.store.checks.get(org_id, repo_id)


@router.put(_CHECKS, summary="Change check settings", responses=problems(body=True))
async def update_check_settings(
    org_id: OrgId, repo_id: RepoQuery, body: CheckSuiteSettingsRequest, services: Running
) -> dict[str, Any]:
    """Change the fields that are given; answers the settings as they are then."""
    await services.store.checks.update(org_id, repo_id, body)
    return (await services.store.checks.get(org_id, repo_id)).model_dump()


async def _add(
    services: Services, org_id: int, folder: Path, name: str | None, url: str | None = None
) -> LocalRepository:
    facts = await asyncio.to_thread(describe, folder)
    return await services.store.repos.add(
        org_id, path=str(folder), name=name or facts.name, url=url, language=facts.language
    )
