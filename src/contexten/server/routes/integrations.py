"""Integrations: what this server is connected to, truthfully."""

from fastapi import APIRouter

from contexten.protocol import IntegrationStatus, OrganizationIntegrations, Window
from contexten.server.auth import GatedRoute, Running
from contexten.server.routes.shapes import OrgId, problems

router = APIRouter(route_class=GatedRoute, tags=["integrations"])
HOSTED = (
    "github", "slack", "linear", "notion", "figma", "clickup", "jira", "sentry", "monday", "circleci", "postgresql",
)  # fmt: skip
"""Those that the documentation names. None can be connected to a server of one's own."""


@router.get("/v1/organizations/{org_id}/integrations", summary="List integrations", responses=problems())
async def list_integrations(org_id: OrgId, services: Running) -> OrganizationIntegrations:
    """Local repositories are the one integration of this server; those of the hosted service are inactive."""
    organization = await services.store.people.organization(org_id)
    _, repositories = await services.store.repos.list(org_id, Window(limit=1))
    local = IntegrationStatus(
        integration_type="local", active=repositories > 0, metadata={"repositories": repositories}
    )
    hosted = [IntegrationStatus(integration_type=name, active=False) for name in HOSTED]
    return OrganizationIntegrations(
        organization_id=org_id,
        organization_name=organization.name,
        integrations=[local, *hosted],
        total_active_integrations=int(local.active),
    )
