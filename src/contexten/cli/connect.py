"""Finding the server that a command talks to: the one that the environment names, the local one, or one of our own.

When no local server is up, one is started inside this process for as long as the command takes, on the same data.
"""

from __future__ import annotations

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

_LOOK_SECONDS = 2.0
_VERSION = "Contexten-Version"


@dataclass(frozen=True, slots=True)
class Connection:
    """A client, and whether the server it talks to ends with this process."""

    client: CodegenClient
    embedded: bool = False


@contextmanager
def connected(*, start: bool = True) -> Iterator[Connection]:
    """A connection for one command.

    Args:
        start: whether a server may be started in this process when no local one is up.

    Raises:
        ConnectError: no local server is up and none may be started.
        UsageError: another server is named but no token for it.
    """
    with ExitStack() as stack:
        yield _connection(stack, start=start)


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


def _connection(stack: ExitStack, *, start: bool) -> Connection:
    settings = ClientSettings()
    local = LocalCredentials.read(settings.data_dir)
    if settings.base_url and not (local and normalize_base_url(settings.base_url) == local.base_url):
        return Connection(stack.enter_context(CodegenClient()))
    if local and answers(local.base_url):
        return Connection(stack.enter_context(CodegenClient(base_url=local.base_url)))
    if not start:
        raise ConnectError("no server is running here. Start it: contexten up")
    return _embedded(stack)


def _embedded(stack: ExitStack) -> Connection:
    from contexten.server.serve import Embedded

    try:
        with Progress("starting a server for this command"):
            server = stack.enter_context(Embedded(ServerSettings()))
    except DataDirectoryInUseError as error:
        if error.base_url is None:
            raise
        return Connection(stack.enter_context(CodegenClient(base_url=error.base_url)))
    client = CodegenClient(token=server.token, org_id=server.organization_id, base_url=server.base_url)
    return Connection(stack.enter_context(client), embedded=True)
