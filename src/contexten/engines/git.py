"""Running git so that it never asks, never runs what a repository or a template brings along, and always ends."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from contexten.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from pathlib import Path

T = TypeVar("T")

READ_SECONDS = 20.0
_CHILDREN_SECONDS = 2.0
_KEPT_MESSAGE = 4096
_FOREIGN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "GIT_PREFIX")
_CAREFUL = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "init.templateDir="),
    *("-c", "log.showSignature=false"),
    *("-c", "submodule.recurse=false"),
    *("-c", "protocol.ext.allow=never"),
    *("-c", "advice.detachedHead=false"),
    *("-c", "gc.auto=0"),
)
_CREDENTIALS = re.compile(r"(?<=//)[^/@\s]+@")


async def transfer(*arguments: str, protocols: str, seconds: float) -> None:
    """Run a git command that talks to another repository.

    Args:
        arguments: the git command line after `git`.
        protocols: what it may speak, joined by colons, as in `GIT_ALLOW_PROTOCOL`.
        seconds: after this time its whole process group is killed.

    Raises:
        EngineError: git is not installed, took too long, or failed; with git's own last words, without credentials.
    """
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            _program(),
            *_CAREFUL,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(protocols),
            start_new_session=True,
        )
    )
    try:
        process = await unstoppable(starting)
        async with asyncio.timeout(seconds):
            said = await _last_words(process)
            code = await process.wait()
    except TimeoutError:
        raise EngineError(f"git {arguments[0]} took longer than {seconds:.0f} s and was stopped.") from None
    finally:
        if not starting.exception():
            await unstoppable(_end(starting.result()))
    if code:
        raise EngineError(f"git {arguments[0]} failed: {without_credentials(said) or f'exit code {code}'}")


def read(folder: Path, *arguments: str) -> str:
    """What a git command that only reads prints about the repository at `folder`; blocking.

    Raises:
        EngineError: git is not installed, took too long, or failed (for example: not a repository).
    """
    return read_bytes(folder, *arguments).decode(errors="replace")


def read_bytes(folder: Path, *arguments: str, seconds: float = READ_SECONDS) -> bytes:
    """The same, byte for byte."""
    return _run("-C", str(folder), *arguments, environment=_environment("none"), seconds=seconds)


def own(
    git_dir: Path,
    *arguments: str,
    work_tree: Path | None = None,
    given: bytes = b"",
    seconds: float = READ_SECONDS,
) -> bytes:
    """What a git command prints about a database of the server's own, which nothing else can write; blocking.

    Configuration and attributes of the machine and of its user are not heard.

    Args:
        git_dir: the database's folder.
        arguments: the git command line after `git`.
        work_tree: the folder that the database is about.
        given: what the command reads.
        seconds: after this time it is killed.

    Raises:
        EngineError: git is not installed, took too long, or failed.
    """
    places = [f"--git-dir={git_dir}"]
    if work_tree is not None:
        places += ["-C", str(work_tree), f"--work-tree={work_tree}"]
    return _run(*places, *arguments, environment=_bare_environment(), given=given, seconds=seconds)


def _run(*arguments: str, environment: Mapping[str, str], seconds: float, given: bytes = b"") -> bytes:
    command = next(each for each in arguments[1:] if not each.startswith(("-", "/")))
    try:
        done = subprocess.run(  # noqa: S603 (the program is git, the arguments are ours)
            [_program(), "--no-pager", *_CAREFUL, *arguments],
            capture_output=True,
            input=given,
            timeout=seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EngineError(f"git {command} took longer than {seconds:.0f} s and was stopped.") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace")[-_KEPT_MESSAGE:].strip()
        raise EngineError(f"git {command} failed: {without_credentials(said)}")
    return done.stdout


async def unstoppable(work: Coroutine[Any, Any, T] | asyncio.Future[T]) -> T:
    """The result of what has to be done to its end; a cancellation that comes meanwhile is raised after it."""
    future = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from (None if future.cancelled() else future.exception())
    return future.result()


def without_credentials(text: str) -> str:
    """The text with user names and passwords cut out of the addresses in it."""
    return _CREDENTIALS.sub("", text)


def _program() -> str:
    program = shutil.which("git")
    if program is None:
        raise EngineError(
            "git is not installed, or not on the PATH. Install it, or give a folder instead of an address."
        )
    return program


def _environment(protocols: str) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    return kept | {
        "GIT_ALLOW_PROTOCOL": protocols,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "GCM_INTERACTIVE": "never",
        "GIT_SSH_COMMAND": f"{os.environ.get('GIT_SSH_COMMAND', 'ssh')} -oBatchMode=yes",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "LC_ALL": "C",
    }


def _bare_environment() -> Mapping[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_LITERAL_PATHSPECS": "1",
        "LC_ALL": "C",
    }


async def _last_words(process: asyncio.subprocess.Process) -> str:
    said = b""
    while process.stderr is not None and (more := await process.stderr.read(_KEPT_MESSAGE)):
        said = (said + more)[-_KEPT_MESSAGE:]
    return said.decode(errors="replace").strip()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill what is left of the process's group, and wait until all of it is gone."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    if process.stderr is not None:
        with suppress(TimeoutError):  # its children have the pipe too, and so may what they have set loose
            await asyncio.wait_for(process.stderr.read(), _CHILDREN_SECONDS)
