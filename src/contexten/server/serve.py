"""Running the server: in the foreground until it is told to stop, or in a thread of another program."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

import uvicorn

from contexten.errors import StoreUnavailableError
from contexten.protocol import EngineInfo, LocalRepository, Window
from contexten.server.app import create_app
from contexten.server.credentials import read_credentials
from contexten.server.home import FIRST_ORGANIZATION
from contexten.server.ports import bind, url_of
from contexten.settings import DEFAULT_HOST

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path
    from types import FrameType, TracebackType
    from typing import Self

    from contexten.engines import Engines
    from contexten.server.app import Front
    from contexten.server.metrics_port import MetricsPort
    from contexten.server.services import Services
    from contexten.settings import ServerSettings

KEEP_ALIVE_SECONDS = 75
"""How long an idle connection is kept: longer than clients wait between two polls."""
DRAIN_SECONDS = 5
"""How long requests in flight may take after the server was told to stop."""
BALANCERS_SECONDS = 10
"""How long those who spread requests over several servers may take to see that one is going, when there is time for it."""
_INTERRUPTED = 130

_LOG = logging.getLogger("contexten.server")


@dataclass(frozen=True, slots=True)
class Started:
    """A server that answers requests."""

    base_url: str
    data_dir: Path
    database: str
    """`sqlite` or `postgresql`."""
    runs: int
    """Runs of the first organization."""
    repo: LocalRepository | None
    """Repository of runs that name none."""
    engines: list[EngineInfo]
    organization_id: int
    token: str | None = field(repr=False)
    """The token in the data folder's credentials file, when there is one."""
    sign_in: str | None = field(default=None, repr=False)
    """A link that signs a browser in, once, as the owner of that token; None when nothing is there to sign in to."""
    metrics_url: str | None = None
    """Where the figures for Prometheus are, when they have a port of their own."""


def serve(
    settings: ServerSettings,
    on_ready: Callable[[Started], None] | None = None,
    on_stop: Callable[[list[int]], None] | None = None,
    *,
    engines: Engines | None = None,
    front: Front | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, then finish what is in flight and return. A second SIGINT does not wait.

    Where the settings give time to drain, the first signal only begins that, and a second one ends it.

    Args:
        settings: what to serve, and where.
        on_ready: called once, when the server answers.
        on_stop: called once, when a server that answered begins to stop, with the runs that go on at the next start.
        engines: those that come with Contexten when absent.
        front: opens what answers at every address that is not of the API, such as the dashboard.

    Raises:
        SettingsError: a setting cannot work, such as a port that is taken.
        DataDirectoryInUseError: another process serves the same data.
        StoreUnavailableError: the database is out of reach.
    """
    server = _Server(settings, engines, on_ready, on_stop, front=front)
    with server.capture_signals(), asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(server.work())


class Embedded:
    """A server in a thread of this program, on a free port of the loopback interface. Used as a context manager.

    The credentials file keeps the address that it has: this one is gone soon. Other programs find it by the note beside
    the folder's lock.

    Args:
        settings: what to serve; its host and port are not bound.
        engines: those that come with Contexten when absent.
        front: opens what answers at every address that is not of the API, such as the dashboard.

    Raises:
        DataDirectoryInUseError: on entering: another process serves the same data.
    """

    base_url: str
    token: str
    organization_id: int

    def __init__(self, settings: ServerSettings, *, engines: Engines | None = None, front: Front | None = None) -> None:
        self._settings = settings
        self._engines = engines
        self._front = front
        self._ready = threading.Event()
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        self._server = _Server(self._settings, self._engines, self._note, front=self._front, passing=True)
        self._thread = threading.Thread(target=self._run, name="contexten server", daemon=True)
        self._thread.start()
        try:
            self._ready.wait()
        except BaseException:  # such as Ctrl-C: what was begun is closed
            self._server.should_exit = True
            self._thread.join()
            raise
        if self._error is not None:
            self._thread.join()
            raise self._error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        if self._error is not None and error is None:
            raise self._error

    def _note(self, started: Started) -> None:
        self.base_url, self.organization_id = started.base_url, started.organization_id
        self.token = started.token or ""
        self._ready.set()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=self._server.config.get_loop_factory()) as runner:
                runner.run(self._server.work())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that started this one
            self._error = error
        finally:
            self._ready.set()


class _Server(uvicorn.Server):
    """Uvicorn with the application's start and stop around it, so that what goes wrong there reaches the caller."""

    def __init__(  # noqa: PLR0913 - what `serve` is given
        self,
        settings: ServerSettings,
        engines: Engines | None,
        on_ready: Callable[[Started], None] | None,
        on_stop: Callable[[list[int]], None] | None = None,
        *,
        front: Front | None = None,
        passing: bool = False,
    ) -> None:
        self._settings = settings
        bound = settings.model_copy(update={"host": DEFAULT_HOST, "port": 0}) if passing else settings
        self._listener: socket.socket = bind(bound)
        try:
            self._metrics = None if settings.metrics_port is None or passing else _metrics_port(settings)
        except BaseException:
            self._listener.close()
            raise
        self._told = False
        self._draining: asyncio.Task[None] | None = None
        here = url_of(self._listener)
        self._app = create_app(settings, engines=engines, base_url=here, passing=passing, front=front)
        self._on_ready, self._on_stop = on_ready, on_stop
        super().__init__(
            uvicorn.Config(
                self._app,
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                ws="none" if front is None or find_spec("wsproto") is None else upgraded,
                timeout_graceful_shutdown=DRAIN_SECONDS,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
            )
        )

    async def work(self) -> None:
        """Open the data, serve, close the data. What was opened half would be closed with noise, so it is opened whole."""
        try:
            async with self._app.router.lifespan_context(self._app), self._metrics_served():
                if not self.should_exit:
                    await self.serve([self._listener])
        finally:
            self._listener.close()
            if self._metrics is not None:
                self._metrics.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then say so."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self._on_ready is not None:
            self._on_ready(await self._started())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the event streams, which would go on for ever, then wait for the other requests."""
        self._services.readiness.going = True
        if self._draining is not None:
            self._draining.cancel()
        if self._on_stop is not None:
            self._on_stop(await self._left())
        self._services.hub.close()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGINT and SIGTERM. Unlike the base, does not raise them again: there is data to close first."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a second SIGINT ends an opening that takes long, which leaves nothing half done behind."""
        if self.should_exit and sig == signal.SIGINT and not self.started:
            os._exit(_INTERRUPTED)
        if self.started and self._settings.drain and not self._told and not self.should_exit:
            self._told = True
            self._loop.call_soon_threadsafe(self._begin_to_drain)
            return
        super().handle_exit(sig, frame)

    def _begin_to_drain(self) -> None:
        self._draining = self._loop.create_task(self._drain())

    async def _drain(self) -> None:
        """Take up nothing new, give what is under way time to end and others time to see it, then stop."""
        services, seconds = self._services, self._settings.drain
        services.readiness.going = True
        _LOG.warning("Told to stop: runs under way get %g s to end. Another signal does not wait for them.", seconds)
        seen = asyncio.create_task(asyncio.sleep(min(seconds, BALANCERS_SECONDS)))
        await services.queue.drain(seconds)
        await seen
        self.should_exit = True

    @asynccontextmanager
    async def _metrics_served(self) -> AsyncIterator[None]:
        if self._metrics is None:
            yield
        else:
            async with self._metrics.serving(self._services):
                yield

    async def _left(self) -> list[int]:
        """The runs that have not ended; none where other workers go on with them."""
        store = self._services.store
        if not store.is_sqlite:
            return []
        try:
            return sorted({run_id for run_id, *_ in await store.runs.unfinished()})
        except StoreUnavailableError:  # stopping is what helps then
            return []

    @property
    def _services(self) -> Services:
        services: Services = self._app.state.services
        return services

    async def _started(self) -> Started:
        services = self._services
        credentials = read_credentials(self._settings.data_dir)
        owner = credentials.organization_id if credentials else FIRST_ORGANIZATION
        _, runs = await services.store.runs.list(owner, Window(limit=1))
        return Started(
            base_url=services.base_url,
            data_dir=self._settings.data_dir,
            database="sqlite" if services.store.is_sqlite else "postgresql",
            runs=runs,
            repo=await services.home.repository_of(owner),
            engines=services.engine_infos(),
            organization_id=owner,
            token=credentials.token if credentials else None,
            sign_in=await self._sign_in_link(credentials.token) if credentials else None,
            metrics_url=self._metrics.url if self._metrics else None,
        )

    async def _sign_in_link(self, token: str) -> str | None:
        """A link for the person who started the server, when there is something to sign in to."""
        if self._app.state.front is None:
            return None
        identity = await self._services.store.people.identify(token)
        return (await self._services.sign_in_link(identity.token_id)).url if identity else None


def _upgraded(**given: Any) -> asyncio.Protocol:
    from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

    return WSProtocol(**given)


upgraded = cast("type[asyncio.Protocol]", _upgraded)
"""What serves a connection that a page keeps; loaded when the first one is opened."""


def _metrics_port(settings: ServerSettings) -> MetricsPort:
    from contexten.server.metrics_port import MetricsPort

    return MetricsPort(settings)
