"""The analyst's loop: understand, plan, take the steps, answer."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from contexten._version import __version__
from contexten.engines.analyst.answer import answered, needs_a_model
from contexten.engines.analyst.understanding.intents import Intent
from contexten.engines.base import Availability, Outcome, without_mode
from contexten.errors import CodebaseError, EngineError
from contexten.protocol import MessageType, NewLogEntry, RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from contexten.engines.analyst.repository import Repository
    from contexten.engines.analyst.step import Finding, Step
    from contexten.engines.analyst.understanding.clause import Question
    from contexten.engines.base import Engine, Journal, Task
    from contexten.protocol import LogEntry

T = TypeVar("T")

_THREADS = 4


class AnalystEngine:
    """Answers questions about a repository from its source. Needs no model, no key and no network; changes nothing in it.

    Args:
        cache: folder in which code indexes are kept for the next start; the user's cache folder by default.
        engines: gives all engines of the place it works in, so that a request it cannot do can name who can.
    """

    name = "analyst"
    concurrency: int | None = None
    uses_model = False

    def __init__(self, cache: Path | None = None, engines: Callable[[], Iterable[Engine]] = tuple) -> None:
        self._cache = cache
        self._engines = engines
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="analyst")

    def availability(self) -> Availability:
        """It can always work."""
        return Availability(ready=True, detail=__version__)

    async def run(self, task: Task, journal: Journal) -> Outcome:
        """Answer the prompt. Steps that an earlier attempt of the turn finished are taken over from its journal.

        A question that finds nothing is answered so, and is COMPLETE; a request to change or run code is FAILED.

        Raises:
            EngineError: the repository's folder cannot be read.
        """
        before = await journal.entries()
        repository = await self._repository(task)
        questions, steps = await self._plan(task, repository, journal, before)
        findings = await self._take(steps, repository, journal, before)
        outcome = self._outcome(questions, steps, findings)
        await journal.add(
            NewLogEntry(message_type=MessageType.FINAL_ANSWER, thought=outcome.summary, observation=outcome.result),
            key="answer",
        )
        return outcome

    async def _repository(self, task: Task) -> Repository:
        from contexten.engines.analyst.indexes import shared
        from contexten.engines.analyst.repository import Repository

        try:
            future = shared().start(task.workspace, self._threads.submit, self._cache)
            codebase = await asyncio.shield(asyncio.wrap_future(future))
        except (CodebaseError, OSError) as error:
            raise EngineError(f"The repository {task.repo_name} cannot be read: {error}") from error
        return Repository(task.workspace, task.repo_name, codebase)

    async def _plan(
        self, task: Task, repository: Repository, journal: Journal, before: Mapping[str, LogEntry]
    ) -> tuple[list[Question], list[Step]]:
        from contexten.engines.analyst.plan import in_words, make_plan
        from contexten.engines.analyst.step import STEPS
        from contexten.engines.analyst.understanding.prompt import understand

        asked = without_mode(task)
        questions = await self._in_thread(understand, asked.prompt, repository, asked.history)
        if written := _written(before.get("plan")):
            return questions, STEPS.validate_python(written["steps"])
        steps = await self._in_thread(make_plan, questions)
        plan = {"steps": STEPS.dump_python(steps, mode="json")}
        await journal.add(
            NewLogEntry(message_type=MessageType.PLAN_EVALUATION, thought=in_words(steps), observation=plan), key="plan"
        )
        return questions, steps

    async def _take(
        self, steps: list[Step], repository: Repository, journal: Journal, before: Mapping[str, LogEntry]
    ) -> list[Finding | None]:
        """The findings of the steps; None for a step whose subject was not found."""
        findings: list[Finding | None] = []
        missing: set[str] = set()
        for number, step in enumerate(steps, 1):
            if step.about in missing:
                findings.append(None)
                continue
            key = f"step-{number}"
            finding = _finding(before.get(key)) or await self._step(step, repository, journal, key)
            if not finding.found and "name" in step.input:
                missing.add(step.input["name"])
            findings.append(finding)
        return findings

    async def _step(self, step: Step, repository: Repository, journal: Journal, key: str) -> Finding:
        from contexten.engines.analyst.step import Finding
        from contexten.engines.analyst.tools import TOOLS

        try:
            finding: Finding = await self._in_thread(TOOLS[step.tool], repository, **step.input)
        except (
            CodebaseError,
            OSError,
        ) as error:  # a file that went away meanwhile: the other steps still tell something
            finding = Finding(f"failed: {error}", f"The step *{step.title}* failed: {error}", found=False)
        await journal.add(
            NewLogEntry(
                message_type=MessageType.ACTION,
                thought=f"{step.title[:1].upper()}{step.title[1:]}.",
                tool_name=step.tool,
                tool_input=step.input,
                tool_output={**finding.data, "found": finding.found, "answer": finding.answer},
                observation=finding.line,
            ),
            key=key,
        )
        return finding

    def _outcome(self, questions: list[Question], steps: list[Step], findings: list[Finding | None]) -> Outcome:
        if any(question.intent is Intent.WRITE for question in questions):
            others = (engine for engine in self._engines() if engine.name != self.name)
            text, summary = needs_a_model(questions, steps, findings, others)
            return Outcome(RunStatus.FAILED, text, summary)
        text, summary = answered(questions, steps, findings)
        return Outcome(RunStatus.COMPLETE, text, summary)

    async def _in_thread(self, work: Callable[..., T], *arguments: Any, **named: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(*arguments, **named))


def _written(entry: LogEntry | None) -> dict[str, Any] | None:
    """What an earlier attempt wrote as its plan."""
    return entry.observation if entry is not None and isinstance(entry.observation, dict) else None


def _finding(entry: LogEntry | None) -> Finding | None:
    """What an earlier attempt found in a step."""
    from contexten.engines.analyst.step import Finding

    if entry is None or entry.tool_output is None:
        return None
    data = dict(entry.tool_output)
    found, answer = bool(data.pop("found", True)), str(data.pop("answer", ""))
    return Finding(str(entry.observation or ""), answer, data, found)
