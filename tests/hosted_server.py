"""A server with only the documented hosted API: no event streams, no idempotency, nothing of ours."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

TOKEN = "hosted-token"
ORG = 323


@dataclass
class HostedRun:
    id: int
    prompt: str
    metadata: dict[str, Any] | None
    script: list[str]
    """What the run does at each look at it: an entry's text, or a status after `!`."""
    status: str = "ACTIVE"
    result: str | None = None
    logs: list[dict[str, Any]] = field(default_factory=list)

    def step(self) -> None:
        if not self.script:
            return
        doing = self.script.pop(0)
        if doing.startswith("!"):
            self.status = doing[1:]
            self.result = f"answer to {self.prompt}" if self.status.upper().startswith("COMPLETE") else None
        elif doing:
            entry = {"agent_run_id": self.id, "created_at": "2026-01-01T00:00:00Z", "message_type": "ACTION"}
            self.logs.append(entry | {"thought": doing})


class Hosted:
    """The state of the server; `app` serves it."""

    def __init__(self) -> None:
        self.runs: dict[int, HostedRun] = {}
        self.script = ["one", "two", "", "three", "!COMPLETE"]
        self.organizations_list = [ORG]
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        prefix = f"/v1/organizations/{ORG}"
        self.app = Starlette(
            routes=[
                Route(f"{prefix}/agent/run", self.create, methods=["POST"]),
                Route(f"{prefix}/agent/run/resume", self.resume, methods=["POST"]),
                Route(f"{prefix}/agent/run/{{id:int}}", self.show),
                Route(f"{prefix}/agent/runs", self.list),
                Route(f"/v1/alpha/organizations/{ORG}/agent/run/{{id:int}}/logs", self.logs),
                Route(f"/v1/beta/organizations/{ORG}/agent/run/stop", self.stop, methods=["POST"]),
                Route("/v1/organizations", self.organizations),
                Route("/v1/users/me", self.me),
            ],
            exception_handlers={404: self.missing, 405: self.missing},
        )

    async def missing(self, request, _error):
        self.note(request)
        return self.problem(404, "Not Found")

    def note(self, request) -> None:
        self.requests.append((request.method, request.url.path, dict(request.headers)))

    def problem(self, status: int, message: str) -> JSONResponse:
        return JSONResponse({"message": message, "status_code": status}, status)

    def allowed(self, request) -> bool:
        self.note(request)
        return request.headers.get("authorization") == f"Bearer {TOKEN}"

    def view(self, run: HostedRun) -> dict[str, Any]:
        return {
            "id": run.id,
            "organization_id": ORG,
            "status": run.status,
            "created_at": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
            "web_url": f"https://hosted.example/runs/{run.id}",
            "result": run.result,
            "summary": None,
            "source_type": "API",
            "github_pull_requests": [],
            "metadata": run.metadata,
        }

    async def create(self, request):
        if not self.allowed(request):
            return self.problem(401, "Invalid token")
        body = json.loads(await request.body())
        with self._lock:
            run = HostedRun(next(self._ids), body["prompt"], body.get("metadata"), list(self.script))
            self.runs[run.id] = run
        return JSONResponse(self.view(run))

    async def resume(self, request):
        if not self.allowed(request):
            return self.problem(401, "Invalid token")
        body = json.loads(await request.body())
        run = self.runs[body["agent_run_id"]]
        run.prompt, run.status, run.result, run.script = body["prompt"], "ACTIVE", None, ["again", "!completed"]
        return JSONResponse(self.view(run))

    async def stop(self, request):
        self.note(request)
        run = self.runs[json.loads(await request.body())["agent_run_id"]]
        run.status, run.script = "CANCELLED", []
        return JSONResponse(self.view(run))

    async def show(self, request):
        if not self.allowed(request):
            return self.problem(401, "Invalid token")
        run = self.runs.get(request.path_params["id"])
        if run is None:
            return self.problem(404, "Agent run not found")
        run.step()
        return JSONResponse(self.view(run))

    async def logs(self, request):
        if not self.allowed(request):
            return self.problem(401, "Invalid token")
        run = self.runs[request.path_params["id"]]
        run.step()
        skip, limit = int(request.query_params["skip"]), int(request.query_params["limit"])
        page = run.logs[skip : skip + limit]
        if request.query_params.get("reverse") == "true":
            page = run.logs[::-1][skip : skip + limit]
        return JSONResponse(self.view(run) | {"logs": page, "total_logs": len(run.logs)})

    async def list(self, request):
        if not self.allowed(request):
            return self.problem(401, "Invalid token")
        skip, limit = int(request.query_params["skip"]), int(request.query_params["limit"])
        newest = sorted(self.runs.values(), key=lambda run: -run.id)
        shown = newest[skip : skip + limit]
        for run in shown:
            run.step()
        items = [self.view(run) for run in shown]
        return JSONResponse({"items": items, "total": len(newest), "page": 1, "size": limit, "pages": 1})

    async def organizations(self, request):
        if not self.allowed(request):
            return self.problem(401, "Invalid token")
        settings = {"enable_pr_creation": True, "enable_rules_detection": True}
        items = [{"id": each, "name": f"org {each}", "settings": settings} for each in self.organizations_list]
        return JSONResponse({"items": items, "total": len(items), "page": 1, "size": 100, "pages": 1})

    async def me(self, request):
        if not self.allowed(request):
            return self.problem(401, "Invalid token")
        return JSONResponse({"id": 1, "github_user_id": "1", "github_username": "dev", "role": "ADMIN"})


@contextlib.contextmanager
def served(app, **options):
    """An ASGI application on a free port of loopback; its address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    options = {"lifespan": "off", "log_level": "warning", "ws": "none", "timeout_graceful_shutdown": 1} | options
    server = uvicorn.Server(uvicorn.Config(app, **options))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(150)
        listener.close()
        assert not thread.is_alive()


def http_date(seconds: float) -> str:
    return formatdate(seconds, usegmt=True)
