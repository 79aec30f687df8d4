"""Finding the server that a command talks to: the one that the environment names, the local one, or one of our own.

The local one is the process that holds the data folder, wherever the credentials file says that it was: another program
may listen there by now. When there is none, one is started inside this process for as long as the command takes, on the
same data.
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from contexten.cli.progress import Progress
from contexten.client import CodegenClient
from contexten.client.address import Address, normalize_base_url
from contexten.client.holder import Holder
from contexten.client.local import LocalCredentials
from contexten.errors import ConnectError, DataDirectoryInUseError
from contexten.settings import ClientSettings, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOOK_SECONDS = 2.0
"""For somebody who may listen at an address."""
HOLDER_SECONDS = 30.0
"""For the process that holds the data: it is there, however busy the machine is."""
_START_SECONDS = 20.0
_PAUSE_SECONDS = 0.05
_VERSION = "Contexten-Version"


@dataclass(frozen=True, slots=True)
class Connection:
    """A client, and what is known of its server."""

    client: CodegenClient
    local: bool = False
    """Whether it holds this machine's data, so that it sees the same folders."""
    embedded: bool = False
    """Whether it ends with this process."""


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


def local_address() -> Address:
    """Where the local server is up or, when it is not, was, and its token.

    Raises:
        ConnectError: no server was ever started on this data, or somebody else's listens at its address.
    """
    folder = ClientSettings().data_dir
    local, holder = LocalCredentials.read(folder), Holder.current(folder)
    if local and holder and holder.stays:
        return Address(holder.base_url, SecretStr(local.token), local.organization_id, local=True)
    if local is None or local.base_url is None:
        raise ConnectError(f"no server was started yet with the data in {folder}. Start it: contexten up")
    if answers(local.base_url):
        raise ConnectError(
            f"at {local.base_url} is a server of other data than {folder}, which the token is not for. "
            "Start your own: contexten up --port 0"
        )
    return Address(local.base_url, SecretStr(local.token), local.organization_id, local=True)


def holder_answers(holder: Holder) -> bool:
    """Whether the process that holds the data answers; given time, as it may only be slow."""
    return answers(holder.base_url, HOLDER_SECONDS)


def answers(base_url: str, seconds: float = _LOOK_SECONDS) -> bool:
    """Whether a Contexten server answers at an address. Asked without a token: something else may listen there."""
    try:
        with urllib.request.urlopen(f"{base_url}/health", timeout=seconds) as answer:  # noqa: S310 (http of ours)
            return _VERSION in answer.headers
    except urllib.error.HTTPError as error:
        return _VERSION in error.headers
    except (OSError, ValueError):
        return False


def _connection(stack: ExitStack, *, start: bool, patient: bool) -> Connection:
    settings = ClientSettings()
    local, holder = LocalCredentials.read(settings.data_dir), Holder.current(settings.data_dir)
    ours = {one.base_url for one in (local, holder) if one}
    if settings.base_url and normalize_base_url(settings.base_url) not in ours:
        return Connection(stack.enter_context(CodegenClient()))
    if holder and holder.stays and (client := _holder(settings, holder)):
        return Connection(stack.enter_context(client), local=True)
    if not start:
        raise ConnectError("no server is running here. Start it: contexten up")
    return _embedded(stack, settings, patient=patient)


def _embedded(stack: ExitStack, client_settings: ClientSettings, *, patient: bool) -> Connection:
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
                holder = Holder.current(settings.data_dir)
                passing = patient and not (holder and holder.stays)
                if holder and not passing and (client := _holder(client_settings, holder)):
                    return Connection(stack.enter_context(client), local=True)
                if not passing and time.monotonic() > deadline:
                    raise
                progress.update(f"waiting for pid {error.pid}, which uses the same data")
                _wait_while_held(settings.data_dir)


def _started(stack: ExitStack, settings: ServerSettings) -> Connection:
    from contexten.server.serve import Embedded

    server = stack.enter_context(Embedded(settings))
    client = CodegenClient(token=server.token, org_id=server.organization_id, base_url=server.base_url)
    return Connection(stack.enter_context(client), local=True, embedded=True)


def _holder(settings: ClientSettings, holder: Holder) -> CodegenClient | None:
    """A client of the process that holds the data, as soon as that one answers."""
    local = LocalCredentials.read(settings.data_dir)
    if local is None or not holder_answers(holder):
        return None
    if settings.base_url is None:
        return CodegenClient()  # which looks for it again when it comes back at another address
    if settings.api_token is not None:
        return CodegenClient(base_url=holder.base_url)
    return CodegenClient(token=local.token, org_id=settings.org_id or local.organization_id, base_url=holder.base_url)


def _wait_while_held(data_dir: Path) -> None:
    """Wait a second, or until the note of who holds the data is gone."""
    ends = time.monotonic() + 1
    while Holder.read(data_dir) is not None and time.monotonic() < ends:
        time.sleep(_PAUSE_SECONDS)
