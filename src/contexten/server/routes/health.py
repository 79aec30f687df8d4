"""Whether the server works, and which engines it has."""

from typing import Any

from fastapi import APIRouter

from contexten._version import __version__
from contexten.protocol import EngineInfo
from contexten.server.auth import GatedRoute, Running
from contexten.server.routes.shapes import problems

router = APIRouter(route_class=GatedRoute, tags=["ours"])
open_router = APIRouter(tags=["ours"])


@open_router.get(
    "/health", summary="Is the server well?", responses={key: problems()[key] for key in (400, 403, 500, 503)}
)
async def get_health(services: Running) -> dict[str, Any]:
    """Needs no token. 503 when the store cannot be used. `problem` says what keeps runs from going on, or is null.

    `configuration` says what a run that names nothing gets: its engine, whether that can work, and whether a model is set.
    """
    active = await services.store.runs.active()
    engines = {engine.name: engine.availability().ready for engine in services.engines}
    default = services.settings.default_engine
    return {
        "status": "ok",
        "version": __version__,
        "database": "sqlite" if services.store.is_sqlite else "postgresql",
        "engines": engines,
        "configuration": {
            "engine": default,
            "ready": engines[default],
            "model": services.settings.model is not None,
        },
        "runs_active": active,
        "problem": services.queue.problem,
    }


@router.get("/v1/engines", summary="List engines", responses=problems())
async def list_engines(services: Running) -> list[EngineInfo]:
    """The engines of this server, and what each needs to work."""
    return services.engine_infos()
