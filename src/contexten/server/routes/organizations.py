"""Organizations: those that the token can see, and making another one."""

from fastapi import APIRouter

from contexten.protocol import CreatedOrganization, NewOrganization, Organization, Page
from contexten.server.auth import AdminRoute, Caller, GatedRoute, Running
from contexten.server.home import FIRST_ORGANIZATION
from contexten.server.paging import Paged
from contexten.server.problems import Refusal
from contexten.server.routes.shapes import problems

router = APIRouter(route_class=GatedRoute, tags=["organizations"])
admin = APIRouter(route_class=AdminRoute, tags=["organizations"])


@router.get("/v1/organizations", summary="List organizations", responses=problems())
async def list_organizations(window: Paged, caller: Caller, services: Running) -> Page[Organization]:
    """The organizations that the token can see."""
    return window.page_of(*await services.store.people.organizations(caller, window))


@admin.post("/v1/organizations", summary="Create an organization", responses=problems(body=True))
async def create_organization(body: NewOrganization, caller: Caller, services: Running) -> CreatedOrganization:
    """Make an organization with an admin token of its own, shown only here. For admins of the first organization."""
    if caller.organization_id != FIRST_ORGANIZATION:
        raise Refusal(403, f"Only admins of organization {FIRST_ORGANIZATION} make organizations.")
    made, secret = await services.store.people.create_organization(body.name, caller.user_id)
    return CreatedOrganization(id=made.id, name=made.name, settings=made.settings, token=secret)
