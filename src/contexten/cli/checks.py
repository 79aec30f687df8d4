"""The checks of `contexten doctor`, each with the next step when something is not as it should be."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sqlite3
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from contexten.cli.installed import installation
from contexten.client.holder import Holder
from contexten.client.local import FILE_NAME, LocalCredentials
from contexten.errors import ContextenError
from contexten.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SQLITE = (3, 35)
_PYTHON = (3, 11)
_FREE_MEGABYTES = 200
_PROGRAM_SECONDS = 10
_EXTRAS = {"languages": "tree_sitter", "model": "pydantic_ai", "redis": "redis", "otel": "opentelemetry.sdk"}


@dataclass(frozen=True, slots=True)
class Check:
    """What was found about one thing: `ok`, a `note` (something optional is missing) or `broken`."""

    name: str
    state: Literal["ok", "note", "broken"]
    detail: str
    next_step: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The check as JSON."""
        return asdict(self)


def run_checks() -> Iterator[Check]:
    """Do every check, the basic ones first."""
    settings = ServerSettings()
    yield python()
    yield sqlite()
    yield data_folder(settings.data_dir)
    yield credentials(settings.data_dir)
    yield server(settings)
    yield program("git", ["--version"], "cloning repositories needs it: apt-get install git")
    yield sandbox(settings)
    yield from engines(settings)
    yield extras()


def python() -> Check:
    """The interpreter."""
    version = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info >= _PYTHON:
        return Check("python", "ok", version)
    return Check("python", "broken", version, "Contexten needs Python 3.11 or newer")


def sqlite() -> Check:
    """The database that is used when no other is named."""
    connection = sqlite3.connect(":memory:")
    options = {row[0] for row in connection.execute("pragma compile_options")}
    connection.close()
    if sqlite3.sqlite_version_info < _SQLITE:
        return Check("sqlite", "broken", sqlite3.sqlite_version, "use a Python built with SQLite 3.35 or newer")
    if "ENABLE_FTS5" not in options:
        return Check("sqlite", "broken", f"{sqlite3.sqlite_version} without FTS5", "use a Python whose SQLite has FTS5")
    return Check("sqlite", "ok", f"{sqlite3.sqlite_version} with full-text search")


def data_folder(folder: Path) -> Check:
    """The folder of the database."""
    if not folder.exists():
        return _future_folder(folder)
    if not folder.is_dir():
        return Check("data", "broken", f"{folder} is not a folder", "set CONTEXTEN_DATA_DIR to a folder of yours")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Check("data", "broken", f"{folder} cannot be written", f"chmod u+rwx {folder}")
    free = shutil.disk_usage(folder).free // 2**20
    if free < _FREE_MEGABYTES:
        return Check("data", "broken", f"{folder} has {free} MB left", "make room, or set CONTEXTEN_DATA_DIR")
    if folder.stat().st_mode & 0o077:
        return Check("data", "note", f"{folder} can be read by others", f"chmod 700 {folder}")
    return Check("data", "ok", f"{folder} ({free // 1024} GB free)")


def _future_folder(folder: Path) -> Check:
    parent = next(parent for parent in folder.parents if parent.exists())
    if os.access(parent, os.W_OK | os.X_OK):
        return Check("data", "ok", f"{folder} (made at the first start)")
    return Check("data", "broken", f"{parent} cannot be written", "set CONTEXTEN_DATA_DIR to a folder of yours")


def credentials(folder: Path) -> Check:
    """The file with the local token."""
    path = folder / FILE_NAME
    try:
        local = LocalCredentials.read(folder)
    except ContextenError as error:
        return Check("token", "broken", str(error), f"rm {path}; contexten up")
    if local is None:
        return Check("token", "ok", "none yet (made at the first start)")
    if path.stat().st_mode & 0o077:
        return Check("token", "broken", f"{path} can be read by others", f"chmod 600 {path}")
    return Check("token", "ok", f"organization {local.organization_id}, {path}")


def server(settings: ServerSettings) -> Check:
    """Whether the server of the data folder is up, and if not, whether one could be."""
    from contexten.cli.connect import answers, holder_answers
    from contexten.server.services import configured_url

    holder = Holder.current(settings.data_dir)
    if holder and holder_answers(holder):
        return Check("server", "ok", f"up at {holder.base_url}")
    if _taken(settings.host, settings.port):
        other = "another Contexten server, with other data" if answers(configured_url(settings)) else "another program"
        step = f"contexten up --port {settings.port + 1}"
        return Check("server", "note", f"not up, and port {settings.port} is taken by {other}", step)
    return Check("server", "note", f"not up; port {settings.port} is free", "contexten up")


def program(name: str, arguments: list[str], step: str) -> Check:
    """A program that optional parts run."""
    path = shutil.which(name)
    if path is None:
        return Check(name, "note", "not installed", step)
    try:
        done = subprocess.run(  # noqa: S603 (a program of PATH with our arguments)
            [path, *arguments], capture_output=True, text=True, timeout=_PROGRAM_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(name, "note", f"{path} does not run: {error}", step)
    said = (done.stdout or done.stderr).strip().partition("\n")[0]
    return Check(name, "note" if done.returncode else "ok", said or path, step if done.returncode else None)


def sandbox(settings: ServerSettings) -> Check:
    """Where commands of a model run, and whether the system lets it work."""
    from contexten.engines.sandbox import Sandbox

    found = Sandbox.of(settings).availability()
    if settings.sandbox == "none":
        return Check("sandbox", "note", found.detail, "unset CONTEXTEN_SANDBOX")
    if found.ready:
        return Check("sandbox", "ok", found.detail)
    return Check("sandbox", "note", "not ready, so models run no commands", found.detail)


def engines(settings: ServerSettings) -> Iterator[Check]:
    """The engines that would do runs."""
    from contexten.engines import default_engines

    for engine in default_engines(settings):
        found = engine.availability()
        default = engine.name == settings.default_engine
        if found.ready:
            yield Check(engine.name, "ok", f"engine ready {found.detail}".rstrip())
        else:
            objection = getattr(engine, "objection", None)
            model = settings.model if getattr(engine, "uses_default_model", True) else None
            step = objection(model) if objection else found.detail
            yield Check(engine.name, "broken" if default else "note", f"engine {found.detail or 'not ready'}", step)


def extras() -> Check:
    """Optional parts of the package."""
    missing = [name for name, module in _EXTRAS.items() if not _importable(module)]
    if not missing:
        return Check("extras", "ok", ", ".join(_EXTRAS))
    return Check("extras", "note", f"not installed: {', '.join(missing)}", installation(missing))


def _importable(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _taken(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(1)
        return port != 0 and probe.connect_ex((host, port)) == 0
