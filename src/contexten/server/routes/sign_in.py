"""Links that sign a browser in at the dashboard."""

from fastapi import APIRouter

from contexten.protocol import SignInLink
from contexten.server.auth import Caller, OwnRoute, Running
from contexten.server.routes.shapes import OrgId, problems

router = APIRouter(route_class=OwnRoute, tags=["tokens"])


@router.post("/v1/organizations/{org_id}/sign-in-links", summary="Make a sign-in link", responses=problems())
async def create_sign_in_link(org_id: OrgId, caller: Caller, services: Running) -> SignInLink:  # noqa: ARG001 - the gate reads the path
    """A link to the dashboard that signs one browser in, once, with the role of the token that asks for it."""
    return await services.sign_in_link(caller.token_id)
