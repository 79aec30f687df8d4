"""What only the hosted service can do: pull requests on its host, Slack, OAuth, sandboxes. Here each says so."""

from typing import Annotated, NoReturn

from fastapi import APIRouter, Query

from contexten.protocol import (
    AnalyzeLogs,
    EditPullRequestInput,
    EditPullRequestResponse,
    GenerateTokenRequest,
    GenerateTokenResponse,
    OAuthProvider,
)
from contexten.server.auth import Caller, GatedRoute, check_organization
from contexten.server.problems import Refusal
from contexten.server.routes.shapes import AnyId, OrgId, problems

router = APIRouter(route_class=GatedRoute)
OrgQuery = Annotated[int, Query(ge=-(2**63), le=2**63 - 1, description="The organization that the token belongs to.")]


def _not_here(what: str, instead: str) -> NoReturn:
    raise Refusal(501, f"{what} needs the hosted service; this is a server of one's own. {instead}")


@router.patch(
    "/v1/organizations/{org_id}/prs/{pr_id}",
    tags=["pull-requests"],
    summary="Edit a pull request",
    responses=problems(501, body=True),
)
async def edit_pull_request(org_id: OrgId, pr_id: AnyId, body: EditPullRequestInput) -> EditPullRequestResponse:
    """Not possible here: runs work on folders of this machine, and no pull request host is connected. Answers 501."""
    del org_id, body
    _not_here(f"Editing pull request {pr_id}", "Edit it where it lives, for example with: gh pr.")


@router.patch(
    "/v1/organizations/{org_id}/repos/{repo_id}/prs/{pr_id}",
    tags=["pull-requests"],
    summary="Edit a pull request of a repository",
    responses=problems(501, body=True),
)
async def edit_repository_pull_request(
    org_id: OrgId, repo_id: AnyId, pr_id: AnyId, body: EditPullRequestInput
) -> EditPullRequestResponse:
    """Not possible here: runs work on folders of this machine, and no pull request host is connected. Answers 501."""
    del org_id, repo_id, body
    _not_here(f"Editing pull request {pr_id}", "Edit it where it lives, for example with: gh pr.")


@router.get("/v1/mcp-providers", tags=["organizations"], summary="List providers of tools", responses=problems())
async def list_providers() -> list[OAuthProvider]:
    """Providers of tools that need a sign-in. There are none on one's own machine."""
    return []


@router.get("/v1/oauth/tokens/status", tags=["organizations"], summary="List connected providers", responses=problems())
async def list_connected(org_id: OrgQuery, caller: Caller) -> list[str]:
    """Names of the providers that are connected. There are none on one's own machine."""
    check_organization(org_id, caller)
    return []


@router.post(
    "/v1/oauth/tokens/revoke", tags=["organizations"], summary="Disconnect a provider", responses=problems(501)
)
async def disconnect(
    provider: Annotated[str, Query(min_length=1, max_length=200)], org_id: OrgQuery, caller: Caller
) -> dict[str, str]:
    """Not possible here: no provider is ever connected. Answers 501."""
    check_organization(org_id, caller)
    _not_here(f"Disconnecting {provider!r}", "No provider is connected here, so nothing has to be revoked.")


@router.post(
    "/v1/organizations/{org_id}/sandbox/{sandbox_id}/analyze-logs",
    tags=["sandbox"],
    summary="Analyse a sandbox's log",
    responses=problems(501),
)
async def analyze_sandbox(org_id: OrgId, sandbox_id: AnyId) -> AnalyzeLogs:
    """Not possible here: there are no hosted sandboxes. Answers 501."""
    del org_id
    _not_here(f"Sandbox {sandbox_id}", "Create a run whose prompt has the log instead.")


@router.post(
    "/v1/slack-connect/generate-token",
    tags=["slack-connect"],
    summary="Connect a Slack account",
    responses=problems(501, body=True),
)
async def connect_slack(body: GenerateTokenRequest, caller: Caller) -> GenerateTokenResponse:
    """Not possible here: there is no Slack bot. Answers 501."""
    check_organization(body.org_id, caller)
    _not_here("Connecting Slack", "There is no bot here to connect to.")
