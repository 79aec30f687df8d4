"""Figures about this process's runs, for Prometheus."""

from fastapi import APIRouter, Response

from contexten.server.auth import LoopbackRoute, Running
from contexten.server.routes.shapes import problems
from contexten.server.services import Services
from contexten.telemetry.prometheus import CONTENT_TYPE, exposition
from contexten.telemetry.runs import run_metrics

router = APIRouter(route_class=LoopbackRoute, tags=["ours"])


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **problems()},
)
async def get_metrics(services: Running) -> Response:
    """Counts, durations and costs of runs in Prometheus's text format. Open to this machine alone; else any token."""
    return await figures(services)


async def figures(services: Services) -> Response:
    """The same, for whoever was let in. While the database does not answer, it has what this process knows by itself."""
    ready = await services.readiness.problem() is None
    run_metrics.ready(ready)
    if ready:
        waiting = await services.store.runs.waiting()
        for engine in services.engines:
            run_metrics.waiting(engine.name, waiting.get(engine.name, 0))
    return Response(exposition(), media_type=CONTENT_TYPE)
