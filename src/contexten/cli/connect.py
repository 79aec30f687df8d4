"""Finding the server that a command talks to: the one that the environment names, the local one, or one of our own.

When no local server is up, one is started inside this process for as long as the command takes, on the same data.
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contexten.cli.progress import Progress
from contexten.client import CodegenClient
from contexten.client.address import normalize_base_url
from contexten.client.local import LocalCredentials
from contexten.errors import ConnectError, DataDirectoryInUseError
from contexten.settings import ClientSettings, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOOK_SECONDS = 2.0
_START_SECONDS = 20.0
_PAUSE_SECONDS = 0.05
_VERSION = "Contexten-Version"


@dataclass(frozen=True, slots=True)
class Connection:
    """A client, and whether the server it talks to ends with this process."""

    client: CodegenClient
    embedded: bool = False


@contextmanager
def connected(*, start: bool = True, patient: bool = False) -> Iterator[Connection]:
    """A connection for one command.

    Args:
        start: whether a server may be started in this process when no local one is up.
        patient: whether to wait until another command that started one for itself has ended.

    Raises:
        ConnectError: no local server is up and none may be started.
        UsageError: another server is named but no token for it.
    """
    with ExitStack() as stack:
        yield _connection(stack, start=start, patient=patient)


def local_credentials() -> LocalCredentials:
    """The local server's address and token.

    Raises:
        ConnectError: no server was ever started on this data.
    """
    folder = ClientSettings().data_dir
    local = LocalCredentials.read(folder)
    if local is None:
        raise ConnectError(f"no server was started yet with the data in {folder}. Start it: contexten up")
    return local


def answers(base_url: str) -> bool:
    """Whether a Contexten server answers at an address. Asked without a token: something else may listen there."""
    try:
        with urllib.request.urlopen(f"{base_url}/health", timeout=_LOOK_SECONDS) as answer:  # noqa: S310 (http of ours)
            return _VERSION in answer.headers
    except urllib.error.HTTPError as error:
        return _VERSION in error.headers
    except (OSError, ValueError):
        return False


def _connection(stack: ExitStack, *, start: bool, patient: bool) -> Connection:
    settings = ClientSettings()
    local = LocalCredentials.read(settings.data_dir)
    if settings.base_url and not (local and normalize_base_url(settings.base_url) == local.base_url):
        return Connection(stack.enter_context(CodegenClient()))
    if local and answers(local.base_url):
        return Connection(stack.enter_context(CodegenClient(base_url=local.base_url)))
    if not start:
        raise ConnectError("no server is running here. Start it: contexten up")
    return _embedded(stack, patient=patient)


def _embedded(stack: ExitStack, *, patient: bool) -> Connection:
    """A connection to a server of our own, or to the one that holds the data now."""
    from contexten.cli.logs import show_logs

    settings = ServerSettings()
    show_logs(settings)
    deadline = time.monotonic() + _START_SECONDS
    with Progress("starting a server for this command") as progress:
        while True:
            try:
                return _started(stack, settings)
            except DataDirectoryInUseError as error:
                # The server inside another command ends with that command: a run on it would be cut short.
                passing = patient and not _stays(settings.data_dir)
                if not passing and (client := _holder(error, settings.data_dir)):
                    return Connection(stack.enter_context(client))
                if not passing and time.monotonic() > deadline:
                    raise
                progress.update(f"waiting for pid {error.pid}, which uses the same data")
                _wait_while_held(settings.data_dir)


def _started(stack: ExitStack, settings: ServerSettings) -> Connection:
    from contexten.server.serve import Embedded

    server = stack.enter_context(Embedded(settings))
    client = CodegenClient(token=server.token, org_id=server.organization_id, base_url=server.base_url)
    return Connection(stack.enter_context(client), embedded=True)


def _holder(error: DataDirectoryInUseError, data_dir: Path) -> CodegenClient | None:
    """A client of the process that holds the data, as soon as that one answers."""
    local = LocalCredentials.read(data_dir)
    if local is None or error.base_url is None or not answers(error.base_url):
        return None
    return CodegenClient(token=local.token, org_id=local.organization_id, base_url=error.base_url)


def _stays(data_dir: Path) -> bool:
    """Whether the server that holds the data is one that was started to stay."""
    from contexten.server.lock import Holder

    holder = Holder.read(data_dir)
    return holder is not None and holder.command.endswith(" up")


def _wait_while_held(data_dir: Path) -> None:
    """Wait a second, or until the note of who holds the data is gone."""
    from contexten.server.lock import Holder

    ends = time.monotonic() + 1
    while Holder.read(data_dir) is not None and time.monotonic() < ends:
        time.sleep(_PAUSE_SECONDS)
