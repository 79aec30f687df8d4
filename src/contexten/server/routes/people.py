"""People: who the token acts for, and the users of the organization."""

from fastapi import APIRouter

from contexten.protocol import Page, User
from contexten.server.auth import Caller, GatedRoute, Running
from contexten.server.paging import Paged
from contexten.server.routes.shapes import AnyId, OrgId, problems

router = APIRouter(route_class=GatedRoute, tags=["users"])


@router.get("/v1/users/me", summary="Who am I?", responses=problems())
async def get_me(caller: Caller, services: Running) -> User:
    """The user that the token acts for."""
    return await services.store.people.user(caller.organization_id, caller.user_id)


@router.get("/v1/organizations/{org_id}/users", summary="List users", responses=problems())
async def list_users(org_id: OrgId, window: Paged, services: Running) -> Page[User]:
    """The users of the organization."""
    return window.page_of(*await services.store.people.users(org_id, window))


@router.get("/v1/organizations/{org_id}/users/{user_id}", summary="Read a user", responses=problems())
async def get_user(org_id: OrgId, user_id: AnyId, services: Running) -> User:
    """One user of the organization."""
    return await services.store.people.user(org_id, user_id)
