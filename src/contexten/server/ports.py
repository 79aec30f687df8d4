"""The socket that the server listens on, and who has the port when it is taken."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.client.holder import Holder
from contexten.errors import DataDirectoryInUseError, SettingsError
from contexten.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contexten.settings import ServerSettings

STUCK_SECONDS = 60.0
"""How long a client may take no byte of what is sent to it."""
_LISTENING = "0A"
"""State of a listening socket in /proc/net/tcp. Source: include/net/tcp_states.h."""


def bind(settings: ServerSettings, *, option: str = "port") -> socket.socket:
    """A socket bound to the address in the settings; port 0 takes any free one.

    Args:
        settings: host and port, and whether other machines may connect.
        option: the option of `contexten up` that chooses another port.

    Raises:
        SettingsError: the address is open to other machines without leave, is not this machine's, or is taken.
        DataDirectoryInUseError: it is taken by the server that holds the same data folder.
    """
    if not settings.allow_remote and not is_loopback(settings.host):
        raise SettingsError(
            f"{settings.host} can be reached from other machines. Allow that with --allow-remote "
            "(or CONTEXTEN_ALLOW_REMOTE=true), or bind 127.0.0.1."
        )
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SettingsError(f"The host {settings.host!r} cannot be bound: {error}.") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _let_go_of_the_stuck(listener)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise _taken(settings, error, option) from error
    return listener


def _let_go_of_the_stuck(listener: socket.socket) -> None:
    """Have the system end a connection whose client takes nothing, with all that waits for it.

    The connections that come in inherit it. Elsewhere than on Linux such a client keeps its connection.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(STUCK_SECONDS * 1000))


def url_of(listener: socket.socket) -> str:
    """The address that a bound socket is reached at from this machine."""
    address: tuple[str, int] = listener.getsockname()[:2]
    port = address[1]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address[0], address[0])  # noqa: S104 - compared with, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _taken(settings: ServerSettings, error: OSError, option: str) -> SettingsError | DataDirectoryInUseError:
    pid = pid_listening(settings.port)
    holder = Holder.read(settings.data_dir)
    if holder is not None and holder.pid == pid:
        message = (
            f"port {settings.port} is taken by pid {pid} ({holder.command}, same data). "
            f"It is already running: {holder.base_url}"
        )
        return DataDirectoryInUseError(message, pid=pid, base_url=holder.base_url)
    if pid is not None:
        reason = f"port {settings.port} is taken by pid {pid} ({_command_of(pid)})"
    else:
        reason = f"{settings.host}:{settings.port} cannot be bound: {error.strerror or error}"
    variable = f"CONTEXTEN_{option.upper().replace('-', '_')}"
    return SettingsError(f"{reason}. Choose another port with {variable} or --{option}; 0 takes any free one.")


def pid_listening(port: int) -> int | None:
    """The process that listens on a port of this machine; None when that cannot be told (not Linux, another user)."""
    wanted = {f"socket:[{inode}]" for inode in _inodes(port)}
    if not wanted:
        return None
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            names = {str(entry.readlink()) for entry in folder.iterdir()}
        except OSError:
            continue
        if wanted & names:
            return int(folder.parent.name)
    return None


def _inodes(port: int) -> Iterator[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]


def _command_of(pid: int) -> str:
    """A process's program and its first word, as far as the system tells; a script counts as the program."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return "another program"
    script = Path(words[0]).name.startswith("python") and words[1:2] and not words[1].startswith("-")
    program, *rest = words[1:] if script else words
    return " ".join([Path(program).name, *rest[:1]]).strip() or "another program"
