"""What those ask who start, stop and balance this process: is it alive, and may requests be sent to it?"""

from typing import Any

from fastapi import APIRouter

from contexten.server.auth import Running
from contexten.server.problems import Refusal
from contexten.server.routes.shapes import problems

router = APIRouter(tags=["ours"])
_ANSWERS: dict[int | str, dict[str, Any]] = {key: problems()[key] for key in (400, 403, 500, 503)}


@router.get("/livez", summary="Is this process alive?", responses=_ANSWERS)
async def get_liveness(services: Running) -> dict[str, str]:
    """Needs no token and no database. 503 when only a new start helps: another process works under this one's name."""
    if services.queue.lost:
        raise Refusal(503, services.queue.lost)
    return {"status": "ok"}


@router.get("/readyz", summary="May requests be sent to this process?", responses=_ANSWERS)
async def get_readiness(services: Running) -> dict[str, str]:
    """Needs no token. 503 while the database does not answer, and from when the process was told to stop."""
    problem = await services.readiness.problem()
    if problem is not None:
        raise Refusal(503, problem, headers={"Retry-After": "1"})
    return {"status": "ok"}
