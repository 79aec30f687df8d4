"""The application: routes, gates and the services behind them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from contexten._version import __version__
from contexten.server import description, docs, problems
from contexten.server.context import RequestContext
from contexten.server.guard import Guard
from contexten.server.routes import ROUTERS
from contexten.server.services import configured_url, running_services
from contexten.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from starlette.types import ASGIApp

    from contexten.engines import Engines
    from contexten.server.services import Services

    Front = Callable[[Services], AbstractAsyncContextManager[ASGIApp]]


def create_app(
    settings: ServerSettings | None = None,
    *,
    engines: Engines | None = None,
    base_url: str | None = None,
    passing: bool = False,
    front: Front | None = None,
) -> FastAPI:
    """The server as an ASGI application. It opens its data when it starts and closes it when it stops.

    Args:
        settings: read from the environment when absent.
        engines: those that come with Contexten when absent.
        base_url: where it serves, when that is not what the settings say (such as port 0).
        passing: whether that address is gone soon, so that clients must not be told to come back to it.
        front: opens what answers at every address that is not of the API, such as the dashboard.
    """
    settings = settings or ServerSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        chosen = engines or _default_engines(settings)
        here = base_url or configured_url(settings)
        async with running_services(settings, chosen, here, passing=passing) as services:
            app.state.services = services
            async with _front_of(app, front, services):
                yield

    app = FastAPI(
        title="Contexten",
        version=__version__,
        summary=description.SUMMARY,
        description=description.TEXT,
        openapi_tags=description.TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
        strict_content_type=False,
        generate_unique_id_function=description.operation_id,
        lifespan=lifespan,
    )
    for router in ROUTERS:
        app.include_router(router)
    docs.install(app, home=front is None)
    description.install(app)
    problems.install(app)
    _add_gates(app, settings)
    return app


@asynccontextmanager
async def _front_of(app: FastAPI, front: Front | None, services: Services) -> AsyncIterator[None]:
    app.state.front = None
    if front is None:
        yield
    else:
        async with front(services) as app.state.front:
            app.router.default = app.state.front
            yield


def _default_engines(settings: ServerSettings) -> Engines:
    from contexten.engines import default_engines

    return default_engines(settings)


def _add_gates(app: FastAPI, settings: ServerSettings) -> None:
    """The middleware; the one added last is the outermost."""
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.allowed_origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "X-Request-ID"],
            expose_headers=["X-Request-ID", "Contexten-Version", "Retry-After"],
        )
    app.add_middleware(Guard, settings=settings)
    app.add_middleware(RequestContext)
