"""Running a coding agent: what it is given, what it says line by line, how it ends, and that nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contexten.engines.git import unstoppable
from contexten.engines.programs.lines import JsonLines
from contexten.engines.programs.supervisor import GRACE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_CHUNK = 64 * 1024
_KEPT = 2000
_PATIENCE = GRACE + 1.5
"""Seconds after which a supervisor that was told to end is killed with what it supervises."""
_OURS = ("CONTEXTEN_", "CODEGEN_")
_NESTED = frozenset({"CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SESSION_ID"})
"""Tells Claude Code that it runs inside of another one, which it is not part of."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program with everything that it is given."""

    arguments: Sequence[str]
    """The program and its arguments."""
    folder: Path
    """Where it works."""
    given: bytes = b""
    """What it reads."""
    environment: Mapping[str, str] | None = None
    """More variables, beside the user's own."""


def user_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of this process without the server's own: its settings, tokens and the address of its database."""
    found = os.environ if environment is None else environment
    return {name: value for name, value in found.items() if not name.startswith(_OURS) and name not in _NESTED}


class Running:
    """A program that was started."""

    def __init__(self, process: asyncio.subprocess.Process, given: bytes) -> None:
        self._process = process
        self._lines = JsonLines()
        self._feeding = asyncio.create_task(_feed(process, given))
        self._listening = asyncio.create_task(_listen(process))

    async def messages(self) -> AsyncGenerator[dict[str, Any]]:
        """The objects that it writes to its standard output, as they come."""
        output = self._process.stdout
        while output is not None and (data := await output.read(_CHUNK)):
            for message in self._lines.feed(data):
                yield message
        for message in self._lines.end():
            yield message

    async def ended(self) -> tuple[int, str]:
        """Its exit code, as a shell gives it, and what else it said, shortened in the middle."""
        code = await self._process.wait()
        return code, await self._listening or self._lines.other

    async def end(self) -> None:
        """End it if it runs, with all that it has started."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), _PATIENCE)
            except TimeoutError:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                await self._process.wait()
        for task in (self._feeding, self._listening):
            task.cancel()
        await asyncio.gather(self._feeding, self._listening, return_exceptions=True)


@asynccontextmanager
async def running(command: Command) -> AsyncIterator[Running]:
    """Run a program for as long as the block lasts.

    Raises:
        OSError: the folder is gone, or the system starts no more processes.
    """
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(_SUPERVISOR), str(os.getpid())),
            *command.arguments,
            cwd=command.folder,
            env=user_environment() | dict(command.environment or {}),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    )
    program: Running | None = None
    try:
        program = Running(await unstoppable(starting), command.given)
        yield program
    finally:
        if program is None and starting.done() and not starting.cancelled() and starting.exception() is None:
            program = Running(starting.result(), b"")
        if program is not None:
            await unstoppable(program.end())


async def _feed(process: asyncio.subprocess.Process, given: bytes) -> None:
    """Give a program its input; one that does not want it has ended, or will say so."""
    if (stdin := process.stdin) is None:
        return
    with suppress(BrokenPipeError, ConnectionResetError):
        stdin.write(given)
        await stdin.drain()
    with suppress(BrokenPipeError, ConnectionResetError):
        stdin.close()
        await stdin.wait_closed()


async def _listen(process: asyncio.subprocess.Process) -> str:
    """What a program writes to its standard error: the beginning and the end of it."""
    begin = end = b""
    while process.stderr is not None and (data := await process.stderr.read(_CHUNK)):
        room = _KEPT - len(begin)
        begin, end = begin + data[:room], (end + data[room:])[-_KEPT:]
    gap = b"\n...\n" if len(end) == _KEPT else b""
    return (begin + gap + end).decode(errors="replace").strip()
