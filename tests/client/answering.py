"""A server that answers every request as the API description says, and keeps what was asked."""

from __future__ import annotations

import json

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

RUN = {"id": 7, "organization_id": 323, "status": "ACTIVE"}
ANSWERS = {
    "mcp-providers": [
        {
            "id": 1,
            "name": "linear",
            "issuer": "i",
            "authorization_endpoint": "a",
            "token_endpoint": "t",
            "default_scopes": None,
            "is_mcp": True,
        }
    ],
    "status": [{"provider": "linear"}],
    "revoke": {},
    "generate-token": {"token": "t", "message": "m", "expires_in_minutes": 10},
    "generate": {"agent_run_id": 7, "status": "ACTIVE", "url": "u"},
    "analyze-logs": {"agent_run_id": 7, "status": "ACTIVE", "message": "m"},
    "prs": {"success": True, "number": 12},
    "ban": {},
    "unban": {},
    "remove-from-pr": {},
}


class Answering:
    """The state of the server; `app` serves it."""

    def __init__(self):
        self.asked = []
        self.app = Starlette(routes=[Route("/{path:path}", self.answer, methods=["GET", "POST", "PATCH"])])

    async def answer(self, request):
        body = await request.body()
        query = f"?{request.url.query}" if request.url.query else ""
        self.asked.append((request.method, request.url.path + query, json.loads(body) if body else None))
        parts = request.url.path.split("/")
        return JSONResponse(next(ANSWERS[part] for part in reversed(parts) if part in ANSWERS))
