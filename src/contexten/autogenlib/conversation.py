"""One generation: a run on the server is asked, its answer checked, and what is wrong told to it, a few times at most."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contexten.autogenlib.answer import AnswerError, module_of
from contexten.errors import ApiError, GenerationError, PolicyError, RequestTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from contexten.client import AsyncAgentTask, AsyncCodegenClient
    from contexten.client.runs import RunOptions

    Check = Callable[[str], Sequence[str]]
    Told = Callable[[dict[str, Any]], None]

READS_ONLY = "analyst"
"""The engine that writes no code."""
_LONGEST = 500


@dataclass(slots=True)
class Facts:
    """What became of the run, also when no code did."""

    run_id: int | None = None
    org_id: int | None = None
    model: str | None = None
    engine: str | None = None
    attempts: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0

    def take(self, task: AsyncAgentTask) -> None:
        """Read what the server says of the run; a hosted Codegen says less."""
        run = task.run
        self.run_id, self.org_id = run.id, run.organization_id
        self.model = getattr(run, "model", None) or self.model
        self.engine = getattr(run, "engine", None) or self.engine
        self.input_tokens = getattr(run, "input_tokens", 0)
        self.output_tokens = getattr(run, "output_tokens", 0)
        self.cost_usd = getattr(run, "cost_usd", 0.0)


class Conversation:
    """Asks for code until it passes.

    Args:
        client: to the server.
        options: of the run.
        check: says what is wrong with code; it may take its time.
        repair: the prompt for an answer with something wrong.
        max_attempts: how often it is asked for in all.
        told: called with what happens.
    """

    def __init__(  # noqa: PLR0913 - the parts of a conversation, each by name
        self,
        client: AsyncCodegenClient,
        options: RunOptions,
        *,
        check: Check,
        repair: Callable[[Sequence[str]], str],
        max_attempts: int,
        told: Told | None = None,
    ) -> None:
        self._client, self._options, self._check, self._repair = client, options, check, repair
        self._max_attempts, self._told = max_attempts, told
        self.facts = Facts()

    async def code_for(self, prompt: str, timeout: float) -> str:  # noqa: ASYNC109 - of the whole conversation
        """Code that passes.

        Raises:
            GenerationError: the run failed, or took too long.
            PolicyError: no answer was one that the gate lets in.
            ApiError: the server could not be asked.
        """
        task: AsyncAgentTask | None = None
        try:
            async with asyncio.timeout(timeout):
                task = await self._client.run(prompt, **self._options)
                return await self._asked(task)
        except BaseException as error:
            if task is not None and not task.is_terminal:
                await stop(task)
            if isinstance(error, TimeoutError) and not isinstance(error, RequestTimeoutError):
                raise GenerationError(
                    f"The code was not there after {timeout:g} s; run {self.facts.run_id} is stopped."
                ) from error
            raise
        finally:
            if task is not None:
                self.facts.take(task)

    async def _asked(self, task: AsyncAgentTask) -> str:
        reasons: Sequence[str] = []
        for attempt in range(1, self._max_attempts + 1):
            self.facts.attempts = attempt
            self.facts.take(task)
            if self.facts.engine == READS_ONLY:
                raise GenerationError(_NO_WRITER)
            self._tell("asked", attempt=attempt, run_id=task.id)
            await self._followed(task)
            code, reasons = await self._judged(task)
            if not reasons:
                return code
            self._tell("refused", attempt=attempt, reasons=list(reasons))
            if attempt < self._max_attempts:
                await task.resume(self._repair(reasons))
        raise PolicyError(f"Run {task.id} gave no code that can be used, asked {self._max_attempts} times:", reasons)

    async def _judged(self, task: AsyncAgentTask) -> tuple[str, Sequence[str]]:
        check_end(task)
        try:
            code = module_of(task.result)
            return code, await asyncio.to_thread(self._check, code)
        except AnswerError as error:
            return "", [str(error)]

    async def _followed(self, task: AsyncAgentTask) -> None:
        if self._told is None:
            await task.wait()
            await task.refresh()  # what it cost is known when it has ended
            return
        async for entry in task.stream():
            self._tell("progress", message_type=entry.message_type, content=entry.thought or entry.observation or "")

    def _tell(self, kind: str, **facts: Any) -> None:
        if self._told is not None:
            self._told({"type": kind, **facts})


async def stop(task: AsyncAgentTask) -> None:
    """Cancel a run, also while the caller is being cancelled: nobody waits for it, and it would cost."""
    with suppress(ApiError, TimeoutError):
        async with asyncio.timeout(5):
            await task.cancel()


def check_end(task: AsyncAgentTask) -> None:
    """Be sure that a run has done what was asked.

    Raises:
        GenerationError: it ended in another way.
    """
    if not task.is_successful:
        raise GenerationError(f"Run {task.id} ended as {task.status}: {_short(task.result)}")


_NO_WRITER = (
    "The server would have the engine analyst write the code, which only reads. Set CONTEXTEN_AUTOGEN_ENGINE=model, and "
    "CONTEXTEN_MODEL where the server is started."
)


def _short(text: str | None) -> str:
    line = " ".join((text or "it says nothing").split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
