"""Tokens: list, create, revoke. For admins of the organization."""

from fastapi import APIRouter

from contexten.protocol import CreatedToken, NewToken, Token
from contexten.server.auth import AdminRoute, Caller, Running
from contexten.server.routes.shapes import AnyId, OrgId, problems

router = APIRouter(route_class=AdminRoute, tags=["tokens"])
_TOKENS = "/v1/organizations/{org_id}/tokens"


@router.get(_TOKENS, summary="List tokens", responses=problems())
async def list_tokens(org_id: OrgId, services: Running) -> list[Token]:
    """The organization's tokens, without their secrets."""
    return await services.store.people.tokens(org_id)


@router.post(_TOKENS, summary="Create a token", responses=problems(body=True))
async def create_token(org_id: OrgId, body: NewToken, caller: Caller, services: Running) -> CreatedToken:
    """A token that acts for the caller's user. Its secret is shown only here."""
    return await services.store.people.create_token(org_id, caller.user_id, body.name, body.role)


@router.delete(_TOKENS + "/{token_id}", summary="Revoke a token", responses=problems(409))
async def revoke_token(org_id: OrgId, token_id: AnyId, services: Running) -> Token:
    """The token stops working at once. The organization's last admin token cannot be revoked."""
    return await services.store.people.revoke_token(org_id, token_id)
