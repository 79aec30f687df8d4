"""The Reflex app in this process: imported when a page is first looked at, in a thread, and stopped with the server."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reflex.app import App
    from starlette.applications import Starlette
    from starlette.types import Receive, Scope, Send

    from contexten.dashboard.hosting.bundle import Bundle

_LOG = logging.getLogger("contexten.dashboard")


class Live:
    """The part of the dashboard that answers events.

    Args:
        bundle: the built pages that it belongs to.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._stop = asyncio.Event()
        self._asgi: asyncio.Future[Starlette] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run())

    async def socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the connection of a page, as soon as the app is there.

        Raises:
            Exception: whatever kept the app from starting.
        """
        asgi = await asyncio.shield(self._asgi)
        await asgi(scope, receive, send)

    @property
    def failed(self) -> bool:
        """Whether it could not start."""
        return self._asgi.done() and self._asgi.exception() is not None

    async def aclose(self) -> None:
        """Stop: what its pages do in the background ends."""
        self._stop.set()
        await self._task

    async def _run(self) -> None:
        try:
            app, asgi = await asyncio.to_thread(_load, self._bundle)
            with app.set_contexts():
                async with asgi.router.lifespan_context(asgi):
                    self._asgi.set_result(asgi)
                    await self._stop.wait()
        except Exception as error:  # noqa: BLE001 - the server goes on without the dashboard, and the log says why
            _LOG.exception("the dashboard did not start, or did not stop")
            if not self._asgi.done():
                self._asgi.set_exception(error)
                self._asgi.exception()  # seen: nobody has to wait for it


@cache
def _load(bundle: Bundle) -> tuple[App, Starlette]:
    """Import the pages and build the application that serves their events.

    Once in a process: Reflex keeps states and pages in the modules that define them.
    """
    from contexten.dashboard.hosting.apart import set_apart

    set_apart()
    from contexten.dashboard.app import app

    with _environment(bundle):
        return app, cast("Starlette", app())


@contextmanager
def _environment(bundle: Bundle) -> Iterator[None]:
    """What Reflex reads from the environment while it builds its application: nothing is compiled, nothing written."""
    values = {
        "REFLEX_WEB_WORKDIR": str(bundle.folder),
        "__REFLEX_SKIP_COMPILE": "true",
        "REFLEX_ENV_MODE": "prod",
        "REFLEX_TELEMETRY_ENABLED": "false",
    }
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
