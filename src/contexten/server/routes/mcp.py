"""Tools for other agents over streamable HTTP: the Model Context Protocol, one request at a time.

No session is kept, so any worker answers any request. A tool asks this server's own API with the caller's token, so that
what the token may do, see and how often is decided where it always is.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contexten.client import AsyncCodegenClient
from contexten.client.address import parse_org_id
from contexten.errors import MissingExtraError
from contexten.mcp import Access, mcp_server
from contexten.server.auth import EnvelopeRoute, secret_of, services_of
from contexten.server.bodies import PLAIN_BYTES
from contexten.server.problems import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mcp.server.lowlevel import Server
    from starlette.types import Receive, Scope, Send

    from contexten.server.services import Services

router = APIRouter(route_class=EnvelopeRoute)


class Conversation(Response):
    """An answer that the protocol's own library writes."""

    def __init__(self, server: Server[Any]) -> None:
        super().__init__()
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request (ASGI); what was begun for it ends with it."""
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        manager = StreamableHTTPSessionManager(self._server, stateless=True, max_request_body_size=PLAIN_BYTES)
        async with manager.run():
            await manager.handle_request(scope, receive, send)


@router.post("/mcp", include_in_schema=False)
async def talk(request: Request) -> Response:
    """A message of the protocol."""
    del request  # the gate has looked at it; the library reads it
    try:
        return Conversation(await asyncio.to_thread(_server))
    except MissingExtraError as error:
        raise Refusal(501, str(error)) from error


@cache
def _server() -> Server[Any]:
    """Slow at the first time: it imports the library, which says at each request that it begins and ends one."""
    logging.getLogger("mcp").setLevel(logging.WARNING)
    return mcp_server(_access)


@asynccontextmanager
async def _access(context: Any) -> AsyncIterator[Access]:
    """What the caller's token reaches. The official command line's servers are told the organization and the repository."""
    request: Request = context.request
    services, identity = services_of(request), request.state.identity
    named = request.headers.get("x-organization-id")
    organization = parse_org_id(named) if named else identity.organization_id
    repository = request.headers.get("x-repo-id", "")

    async def home() -> int | None:
        if repository.isascii() and repository.isdigit():
            return int(repository)
        found = await services.home.repository_of(identity.organization_id)
        return found.id if found else None

    async with AsyncCodegenClient(secret_of(request), organization, _here(request, services)) as client:
        yield Access(client, home, local=True, cache=services.settings.cache_dir)


def _here(request: Request, services: Services) -> str:
    """This process's own address: the one at which the request came in."""
    host, port = request.scope.get("server") or (None, None)
    if host is None or port is None:
        return services.base_url
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
