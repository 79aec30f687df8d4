"""Where commands of a model run: in bubblewrap, with nothing of the machine but its programs and the run's own copy.

A command sees an empty environment but for a short list, programs and libraries read-only, empty `/tmp` and home folders, its own
processes and no network. It can write only to its root and to what is gone when it ends. Time, output, processes, memory, open files,
the size of a file and of all of the root are limited, and nothing of it outlives its end or the server.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from contexten.engines import bubblewrap, cgroups
from contexten.engines.base import Availability
from contexten.engines.disk import until_full
from contexten.engines.git import unstoppable
from contexten.engines.output import Output
from contexten.errors import EngineUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from contexten.settings import ServerSettings

Mode = Literal["bubblewrap", "none"]

MAX_PROCESSES = 256
"""Processes and threads that a command may have at a time."""
MAX_MEMORY = 4 * 1024**3
"""Bytes of memory; of each process, and of all together where the system can count that."""
MAX_FILE_SIZE = 1024**3
"""Bytes of a file that a command writes."""
MAX_OPEN_FILES = 4096
"""Of each process."""

_LAUNCH = Path(__file__).with_name("launch.py")
_LAST_WORDS_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended."""

    exit_code: int
    """As a shell has it: 128 and the signal's number when a signal ended it."""
    output: str
    """Both streams as they were written; cut in the middle when too long, with a note."""
    timed_out: bool
    """Whether it was killed because its time was up."""
    seconds: float
    """How long it took."""
    full: str = ""
    """Why it was killed because of what it wrote to the disk; empty when it was not."""


class Sandbox:
    """Runs commands that nobody has looked at.

    Args:
        mode: `bubblewrap`; or `none`, the user's own choice to run commands without any protection of what they may read.
        hidden: folders that no command sees wherever they are, such as the server's data folder.
        readable: folders that commands may read beside the system's programs, such as a toolchain in the home folder.
    """

    def __init__(
        self, mode: Mode = "bubblewrap", *, hidden: Sequence[Path] = (), readable: Sequence[Path] = ()
    ) -> None:
        self._mode = mode
        self._hidden = tuple(hidden)
        self._readable = tuple(readable)

    @classmethod
    def of(cls, settings: ServerSettings) -> Sandbox:
        """The sandbox of a server."""
        return cls(settings.sandbox, hidden=[settings.data_dir, settings.cache_dir], readable=settings.sandbox_read)

    def availability(self) -> Availability:
        """Whether commands can run here; what is missing and what to do about it."""
        if self._mode == "none":
            return Availability(True, "none: commands of a model read and do all that this user can")
        return bubblewrap.availability()

    async def run(  # noqa: PLR0913 - what a command needs
        self,
        command: Sequence[str] | str,
        *,
        root: Path,
        timeout: float,  # noqa: ASYNC109 - what is stopped then is the command, which then has an outcome
        max_output: int,
        env: Mapping[str, str] | None = None,
        network: bool = False,
        on_output: Callable[[str], None] | None = None,
    ) -> Finished:
        """Run a command in a folder and wait for its end; when cancelled, nothing of it is left.

        Args:
            command: a program and its arguments, or a line for `sh`.
            root: the folder that it works in and may change.
            timeout: seconds until it is killed, with everything that it started.
            max_output: characters of output that are kept.
            env: variables beside the usual ones; the command can read them.
            network: whether it may talk to the network, this machine's own ports included.
            on_output: told each piece of output as it comes.

        Raises:
            EngineUnavailableError: there is no sandbox here.
        """
        state = await asyncio.to_thread(self.availability)
        if not state.ready:
            raise EngineUnavailableError(state.detail)
        words = ["/bin/sh", "-c", command] if isinstance(command, str) else list(command)
        if self._mode == "bubblewrap":
            words = [*self._walls(root, network=network), "--", *words]
        output = Output(max_output, on_output)
        with ExitStack() as stack:
            launched = await unstoppable(asyncio.to_thread(self._launched, words, stack))
            try:
                return await _run(launched, root, {**self._environment(), **(env or {})}, timeout, output)
            finally:
                await unstoppable(asyncio.to_thread(stack.close))

    def _walls(self, root: Path, *, network: bool) -> list[str]:
        return bubblewrap.walls(root, hidden=self._hidden, readable=self._readable, network=network)

    def _launched(self, words: Sequence[str], stack: ExitStack) -> list[str]:
        """A command line with its limits before it."""
        groups = [] if self._mode == "none" else stack.enter_context(cgroups.group(MAX_PROCESSES, MAX_MEMORY))
        wanted = {"parent": os.getpid(), "limits": _limits(), "cgroups": [str(folder) for folder in groups]}
        return [sys.executable, "-I", "-S", str(_LAUNCH), json.dumps(wanted), *words]

    def _environment(self) -> dict[str, str]:
        inside = self._mode == "bubblewrap"
        return {
            "PATH": bubblewrap.path(self._readable) if inside else os.environ.get("PATH", bubblewrap.PATH),
            "HOME": bubblewrap.HOME if inside else str(Path.home()),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
        }


async def _run(words: Sequence[str], root: Path, env: Mapping[str, str], seconds: float, output: Output) -> Finished:
    began = time.monotonic()
    timed_out, full = False, ""
    read_end, write_end = os.pipe()
    reading = asyncio.create_task(output.take(read_end))
    starting = asyncio.ensure_future(_start(words, root, env, write_end))
    try:
        process = await unstoppable(starting)
        async with asyncio.timeout(seconds):
            full = await _end_or_full(process, root)
    except TimeoutError:
        timed_out = True
    finally:
        await unstoppable(_end(starting, reading))
    if not reading.cancelled() and (error := reading.exception()) is not None:
        raise error
    code = starting.result().returncode or 0
    return Finished(code if code >= 0 else 128 - code, output.text(), timed_out, time.monotonic() - began, full)


async def _end_or_full(process: asyncio.subprocess.Process, root: Path) -> str:
    """Wait for a program's end, or until it has filled the folder or its disk; why then, and empty at its end."""
    ended = asyncio.ensure_future(process.wait())
    filling = asyncio.ensure_future(until_full(root))
    both: set[asyncio.Future[Any]] = {ended, filling}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        return "" if ended.done() else filling.result()
    finally:
        for each in both:
            each.cancel()
        await asyncio.wait(both)


async def _start(
    words: Sequence[str], root: Path, env: Mapping[str, str], write_end: int
) -> asyncio.subprocess.Process:
    """Start a program that writes into a pipe of ours: one of asyncio's would keep the wait for its end going."""
    try:
        return await asyncio.create_subprocess_exec(
            *words,
            cwd=root,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=write_end,
            stderr=write_end,
            start_new_session=True,
        )
    finally:
        os.close(write_end)


async def _end(starting: asyncio.Future[asyncio.subprocess.Process], reading: asyncio.Task[None]) -> None:
    """Kill what is left, and wait until all of it is gone: then nobody holds the pipe any more."""
    if not starting.exception():
        process = starting.result()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    await asyncio.wait([reading], timeout=_LAST_WORDS_SECONDS)
    reading.cancel()
    await asyncio.wait([reading])


def _limits() -> dict[str, int]:
    limits = {"CORE": 0, "NOFILE": MAX_OPEN_FILES, "FSIZE": MAX_FILE_SIZE}
    if sys.platform == "linux":
        limits["DATA"] = MAX_MEMORY
        if os.geteuid():  # root is exempt: it has a group of its own instead
            limits["NPROC"] = _tasks_of_this_user() + MAX_PROCESSES
    return limits


def _tasks_of_this_user() -> int:
    """How many threads this user has: the system counts them all against the limit."""
    mine = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if folder.stat().st_uid == os.getuid():
                mine += len(list((folder / "task").iterdir()))
    return mine
