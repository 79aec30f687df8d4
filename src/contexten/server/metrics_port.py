"""A port of its own for `/metrics`, so that a Prometheus needs no token and the API's address does not have the figures."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI

from contexten.server import problems
from contexten.server.context import RequestContext
from contexten.server.guard import Guard
from contexten.server.ports import bind, url_of
from contexten.server.routes.metrics import figures

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from fastapi import Response

    from contexten.server.services import Services
    from contexten.settings import ServerSettings

DRAIN_SECONDS = 1


class MetricsPort:
    """Answers `/metrics` to everybody who reaches it, and nothing else.

    It listens on loopback unless the settings name another address and allow other machines to connect.

    Args:
        settings: where to listen, and the names that it answers to.

    Raises:
        SettingsError: the address is open to other machines without leave, is not this machine's, or is taken.
    """

    def __init__(self, settings: ServerSettings) -> None:
        there = {"host": settings.metrics_host, "port": settings.metrics_port}
        self._settings = settings.model_copy(update=there)
        self._listener = bind(self._settings, option="metrics-port")

    @property
    def url(self) -> str:
        """Where the figures are, for this machine."""
        return f"{url_of(self._listener)}/metrics"

    @asynccontextmanager
    async def serving(self, services: Services) -> AsyncIterator[None]:
        """Answer while the body runs."""
        server = _Server(_application(self._settings, services))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve([self._listener]))
            try:
                yield
            finally:
                server.should_exit = True

    def close(self) -> None:
        """Let go of the port."""
        self._listener.close()


def _application(settings: ServerSettings, services: Services) -> FastAPI:
    app = FastAPI(openapi_url=None, redirect_slashes=False)

    @app.get("/metrics")
    async def get_metrics() -> Response:
        return await figures(services)

    problems.install(app)
    app.add_middleware(Guard, settings=settings)
    app.add_middleware(RequestContext)
    return app


class _Server(uvicorn.Server):
    """Uvicorn beside another that hears the signals."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                ws="none",
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Hear none."""
        yield
