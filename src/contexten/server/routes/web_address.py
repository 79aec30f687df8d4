"""A run's web address: the run as JSON for a program, and the dashboard's page for a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request

from contexten.protocol import AgentRunDetail  # noqa: TC001 - FastAPI reads the annotations
from contexten.server.auth import Caller, GatedRoute, Running
from contexten.server.routes.shapes import RunId, problems
from contexten.server.views import run_view

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class PageRoute(GatedRoute):
    """A route whose address is a page too: for a browser, which sends no token."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Any]]:
        """The route's handler, unless a browser asks and there are pages."""
        gated = super().get_route_handler()

        async def handle(request: Request) -> Any:
            front = request.app.state.front
            return front if front and _is_browser(request) else await gated(request)

        return handle


def _is_browser(request: Request) -> bool:
    return "authorization" not in request.headers and "text/html" in request.headers.get("accept", "")


router = APIRouter(route_class=PageRoute)


@router.get("/runs/{agent_run_id}", tags=["ours"], summary="Read a run by its web address", responses=problems())
async def show_run(agent_run_id: RunId, caller: Caller, services: Running) -> AgentRunDetail:
    """What a run's `web_url` answers to a program: the run, when it is of the token's organization."""
    return run_view(services, await services.store.runs.get(caller.organization_id, agent_run_id))
