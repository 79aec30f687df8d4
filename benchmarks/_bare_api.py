"""A server that speaks the API and does nothing: `python _bare_api.py PORT SECONDS`, each run ends after so many seconds."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request


class Api:
    """The API and nothing behind it: a run ends so many seconds after it was created."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.created: dict[int, float] = {}
        self.ends: list[str] = []
        self.changed = asyncio.Condition()
        self.tasks: set[asyncio.Task[None]] = set()

    def view(self, run_id: int) -> dict[str, Any]:
        """A run as it stands."""
        ended = time.monotonic() - self.created[run_id] >= self.seconds
        status, result = ("COMPLETE", self.moment(run_id)) if ended else ("RUNNING", None)
        return {"id": run_id, "organization_id": 1, "status": status, "result": result, "github_pull_requests": []}

    def moment(self, run_id: int) -> str:
        """When a run ends, on the machine's monotonic clock: its result."""
        return repr(self.created[run_id] + self.seconds)

    async def end(self, run_id: int) -> None:
        """Tell the event stream of a run's end when it is time."""
        await asyncio.sleep(self.seconds)
        async with self.changed:
            told = {"event": "status", "id": len(self.ends) + 1, "agent_run_id": run_id, "turn": 1, "created_at": ""}
            told |= {"status": "COMPLETE", "result": self.moment(run_id)}
            self.ends.append(f"event: status\nid: {told['id']}\ndata: {json.dumps(told)}\n\n")
            self.changed.notify_all()

    async def create(self, _request: Request) -> Response:
        """POST agent/run."""
        run_id = len(self.created) + 1
        self.created[run_id] = time.monotonic()
        self.tasks.add(asyncio.create_task(self.end(run_id)))
        return JSONResponse(self.view(run_id))

    async def show(self, request: Request) -> Response:
        """GET agent/run/{id}."""
        return JSONResponse(self.view(request.path_params["id"]))

    async def page(self, request: Request) -> Response:
        """GET agent/runs."""
        skip, limit = int(request.query_params["skip"]), int(request.query_params["limit"])
        items = [self.view(run_id) for run_id in sorted(self.created, reverse=True)[skip : skip + limit]]
        return JSONResponse({"items": items, "total": len(self.created), "page": 1, "size": limit, "pages": 1})

    async def events(self, _request: Request) -> Response:
        """GET events."""
        return StreamingResponse(self.told(), media_type="text/event-stream")

    async def told(self) -> AsyncIterator[str]:
        """Every end from now on."""
        seen = len(self.ends)
        yield f"event: open\nid: {seen}\ndata: {{}}\n\n"
        while True:
            async with self.changed:
                while len(self.ends) == seen:
                    await self.changed.wait()
            new, seen = self.ends[seen:], len(self.ends)
            yield "".join(new)

    async def health(self, _request: Request) -> Response:
        """GET /health."""
        return JSONResponse({"status": "ok"})

    def app(self) -> Starlette:
        """The application."""
        prefix = "/v1/organizations/1"
        return Starlette(
            routes=[
                Route("/health", self.health),
                Route(f"{prefix}/agent/run", self.create, methods=["POST"]),
                Route(f"{prefix}/agent/run/{{id:int}}", self.show),
                Route(f"{prefix}/agent/runs", self.page),
                Route(f"{prefix}/events", self.events),
            ]
        )


def serve(port: int, seconds: float) -> None:
    """Serve the API, with the header by which a client knows that there are event streams."""
    threading.Thread(target=ended_with_parent, args=(os.getppid(),), daemon=True).start()
    uvicorn.run(
        Api(seconds).app(),
        host="127.0.0.1",
        port=port,
        headers=[("contexten-version", "benchmark")],
        log_level="error",
        access_log=False,
        lifespan="off",
        backlog=4096,
    )


def ended_with_parent(parent: int) -> None:
    """Leave no server behind when the benchmark is stopped."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if __name__ == "__main__":
    serve(int(sys.argv[1]), float(sys.argv[2]))
