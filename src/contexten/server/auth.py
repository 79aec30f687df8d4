"""The gate to the API: every route of `GatedRoute` needs a token, before anything of the request's body is read.

Order of the checks: token (401), organization of the path (404, the same whether absent or someone else's), role (403),
request limit (429), body. A route can ask for more than its method needs; only `LoopbackRoute`, for figures that
everybody on the machine may see, asks for less.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.routing import APIRoute

from contexten.protocol import Role
from contexten.server.bodies import PLAIN_BYTES, BoundedRequest
from contexten.server.limits import Limit, limit_of
from contexten.server.problems import Refusal, invalid
from contexten.server.services import Services
from contexten.server.store.records import Identity
from contexten.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.responses import Response

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="contexten"'}
_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/=-]{1,200}) *", re.IGNORECASE)
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_RANK = {Role.READ_ONLY: 0, Role.MEMBER: 1, Role.ADMIN: 2}
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class GatedRoute(APIRoute):
    """A route that only a token of the right organization and role gets to. Reading needs any role, writing a member."""

    needs: Role = Role.READ_ONLY
    writes = True
    """Whether a method such as POST writes by itself."""
    takes_images = False

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler behind the gate."""
        handle = super().get_route_handler()
        method = min(self.methods or {"GET"})
        reads = method in _READING or not self.writes
        needs = self.needs if reads else max(self.needs, Role.MEMBER, key=_RANK.__getitem__)
        limit = limit_of(method, self.path)
        takes_body = self.body_field is not None

        async def gated(request: Request) -> Response:
            settings = services_of(request).settings
            most = settings.max_body_bytes if self.takes_images else min(settings.max_body_bytes, PLAIN_BYTES)
            bounded = BoundedRequest(request.scope, request.receive, most)
            await _admit(bounded, needs, limit)
            if takes_body:
                bounded.check_type()
            return await handle(bounded)

        return gated


class ImagesRoute(GatedRoute):
    """A route whose body may be as large as the settings say, because images come in it."""

    takes_images = True


class EnvelopeRoute(GatedRoute):
    """A route whose body says what is wanted: the role for that is asked for when it is done."""

    writes = False


class OwnRoute(GatedRoute):
    """A route that changes nothing but what is the caller's own: any role may use it."""

    writes = False


class AdminRoute(GatedRoute):
    """A route for admins."""

    needs = Role.ADMIN


class LoopbackRoute(GatedRoute):
    """A route that needs no token when this machine asks a server that no other can reach, and any token otherwise."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, with the gate before it unless the request stays on this machine."""
        gated, bare = super().get_route_handler(), APIRoute.get_route_handler(self)

        async def handle(request: Request) -> Response:
            return await (bare if _stays_here(request) else gated)(request)

        return handle


def _stays_here(request: Request) -> bool:
    """Whether the server is bound, published and addressed under loopback names alone.

    A proxy on this machine asks from here for the whole world: it shows by the name in the Host header, or, when it
    writes a Host header of its own, by the public address in the settings.
    """
    settings = services_of(request).settings
    names = [settings.host, request.url.hostname]
    if settings.public_url is not None:
        names.append(urlsplit(settings.public_url).hostname)
    return all(is_loopback(name or "") for name in names)


async def _admit(request: Request, needs: Role, limit: Limit) -> None:
    services = services_of(request)
    identity = await services.store.people.identify(secret_of(request))
    if identity is None:
        raise Refusal(401, "The token is not known to this server or was revoked.", headers=_CHALLENGE)
    _check_organization(request.path_params.get("org_id"), identity)
    if _RANK[identity.role] < _RANK[needs]:
        raise Refusal(403, f"This token has the role {identity.role}; this needs {needs}.")
    services.limits.take(identity.token_id, limit)
    request.state.identity = identity


def secret_of(request: Request) -> str:
    """The bearer token of a request.

    Raises:
        Refusal: 401: there is none, or it is not a token.
    """
    match = _BEARER.fullmatch(request.headers.get("authorization", ""))
    if match is None:
        raise Refusal(401, "Send a token: Authorization: Bearer TOKEN.", headers=_CHALLENGE)
    return match[1]


def _check_organization(org_id: str | None, identity: Identity) -> None:
    """Only plain digits get through: the route would also read `2.0` or `+2` as a number."""
    if org_id is not None:
        if not _INTEGER.fullmatch(org_id):
            raise invalid("not the id of an organization", "path", "org_id")
        check_organization(int(org_id), identity)


def check_organization(org_id: int, identity: Identity) -> None:
    """Refuse another organization than the token's with 404, in the same words as one that does not exist."""
    if org_id != identity.organization_id:
        raise Refusal(404, f"There is no organization {org_id} that this token can see.")


def services_of(request: Request) -> Services:
    """What the application runs on."""
    return cast("Services", request.app.state.services)


def _caller(request: Request) -> Identity:
    return cast("Identity", request.state.identity)


Caller = Annotated[Identity, Depends(_caller)]
Running = Annotated[Services, Depends(services_of)]
