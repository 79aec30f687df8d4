"""One turn with a coding agent: it is started, its session is noted, and what it tells goes to the journal."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from contexten.engines.base import Usage
from contexten.engines.programs.process import running
from contexten.engines.programs.prompts import prompt_for
from contexten.engines.programs.stream import Began, Ended, count_in, text_in
from contexten.errors import EngineError
from contexten.protocol import MessageType, NewLogEntry, RunStatus

if TYPE_CHECKING:
    from contexten.engines.base import Journal, Task
    from contexten.engines.programs.engine import ProgramEngine
    from contexten.engines.programs.process import Running
    from contexten.engines.programs.stream import Reader, Told

_SESSION, _ANSWER = "session", "answer"
_SESSION_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{7,99}")
_BACKTRACE = re.compile(r"\n\s*Stack backtrace:.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a program is asked to do."""

    program: str
    folder: Path
    """The run's own copy of the repository."""
    prompt: str
    images: tuple[str, ...] = ()
    """Data URIs."""
    session: str | None = None
    """The session to go on with."""
    model: str | None = None
    scratch: Path = field(default_factory=Path)
    """A folder for files that go to the program; gone when it has ended."""


class Conversation:
    """A turn with a program.

    Args:
        engine: who knows the program.
        program: its path.
        task: the turn.
        journal: the turn's log.
    """

    def __init__(self, engine: ProgramEngine, program: str, task: Task, journal: Journal) -> None:
        self._engine = engine
        self._program = program
        self._task = task
        self._journal = journal
        self._written = 0
        self._session_total = Usage()

    async def hold(self, folder: Path) -> Ended:
        """Let the program work in a folder until it has ended the turn.

        It goes on with the session of an earlier turn or attempt; when that is lost, it begins a new one and is told what
        was before.
        """
        session = text_in(await self._noted(_SESSION), "session") or None
        ended = await self._ask(folder, session)
        if ended.lost and session is not None:
            session, ended = None, await self._ask(folder, None)
        self._session_total = ended.usage
        return await self._of_this_turn(ended) if session is not None and self._engine.counts_sessions else ended

    async def answer(self, text: str, summary: str) -> None:
        """Write the answer."""
        total = {"input_tokens": self._session_total.input_tokens, "output_tokens": self._session_total.output_tokens}
        entry = NewLogEntry(
            message_type=MessageType.FINAL_ANSWER,
            thought=summary,
            observation=text,
            tool_output={"session": total} if self._engine.counts_sessions else None,
        )
        await self._journal.add(entry, key=_ANSWER)

    async def _ask(self, folder: Path, session: str | None) -> Ended:
        interrupted = session is not None and _SESSION in await self._journal.entries()
        prompt = prompt_for(self._task, resumed=session is not None, interrupted=interrupted)
        with TemporaryDirectory(prefix="contexten-") as scratch:
            model = self._engine.model_of(self._task)
            turn = Turn(self._program, folder, prompt, self._task.images, session, model, Path(scratch))
            try:
                async with running(self._engine.command(turn)) as process:
                    return await self._listen(process, self._engine.reader())
            except OSError as error:
                raise EngineError(f"{self._engine.program} cannot be started: {error}") from error

    async def _listen(self, process: Running, reader: Reader) -> Ended:
        ended: Ended | None = None
        try:
            async with asyncio.timeout(None) as patience, aclosing(process.messages()) as messages:
                async for message in messages:
                    for told in reader.take(message):
                        if isinstance(told, Ended):
                            ended = told
                            patience.reschedule(asyncio.get_running_loop().time() + self._engine.leaves_within)
                        else:
                            await self._write(told)
        except TimeoutError:
            if ended is None:
                raise
        for entry in reader.rest():
            await self._write(entry)
        return ended or await self._silent_end(process, reader)

    async def _silent_end(self, process: Running, reader: Reader) -> Ended:
        code, said = await process.ended()
        if (known := reader.failure(said)) is not None:
            return known
        how, why = f"{self._engine.program} ended without a result (exit code {code})", _BACKTRACE.sub("", said)
        return Ended(RunStatus.FAILED, f"{how}: {why}" if why else f"{how}, and without a word.")

    async def _write(self, told: Told) -> None:
        if isinstance(told, Began):
            if _SESSION_ID.fullmatch(told.session):
                await self._journal.add(_session_entry(told, self._engine.program), key=_SESSION)
        elif isinstance(told, NewLogEntry):
            self._written += 1
            await self._journal.add(told, key=f"{self._task.attempt}-{self._written}")

    async def _of_this_turn(self, ended: Ended) -> Ended:
        """The end of a turn with the usage of that turn only."""
        before = await self._noted(_ANSWER)
        spent = Usage(
            max(0, ended.usage.input_tokens - count_in(before, "session", "input_tokens")),
            max(0, ended.usage.output_tokens - count_in(before, "session", "output_tokens")),
        )
        return replace(ended, usage=spent)

    async def _noted(self, key: str) -> object:
        entry = await self._journal.last(key)
        return entry.tool_output if entry is not None else None


def _session_entry(began: Began, program: str) -> NewLogEntry:
    parts = [program, began.model, f"session {began.session}"]
    return NewLogEntry(
        message_type=MessageType.AGENT_RUN_LINK,
        thought=" · ".join(part for part in parts if part),
        tool_output={"session": began.session},
    )
