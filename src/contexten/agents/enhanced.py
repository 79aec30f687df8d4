"""`EnhancedAgent`: asks for runs, follows them to their end and says how they came out, one or a thousand at a time."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack, suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

from contexten.agents.outcome import RunOutcome, TraceStep
from contexten.agents.prompts import with_context
from contexten.agents.statistics import RunStatistics
from contexten.client import Agent, AsyncCodegenClient
from contexten.errors import ApiError, ContextenError, UsageError
from contexten.telemetry import names, tracing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Mapping, Sequence

    from contexten.agents.collector import MetricsCollector
    from contexten.client.runs import RunOptions
    from contexten.client.task import AgentTask
    from contexten.protocol import AgentRun

T = TypeVar("T")
Org = int | str | None

MAX_CONCURRENT = 20
MAX_CREATING = 8
"""Creations that a batch has on the way at a time: more only wait for each other in the pool and the server."""


class _Recording:
    """One run being followed: its trace, its span's attributes, its outcome."""

    def __init__(self, prompt: str) -> None:
        self.prompt = prompt
        self.run: AgentRun | None = None
        self._started = monotonic()
        self._trace: list[TraceStep] = []
        self.note("asked")

    def note(self, what: str) -> None:
        self._trace.append(TraceStep(monotonic() - self._started, what))

    def created(self, run: AgentRun) -> None:
        self.run = run
        self.note("created")

    def outcome(
        self, status: str | None = None, result: str | None = None, error: ContextenError | None = None
    ) -> RunOutcome:
        self.note("error" if error else str(status))
        run = self.run
        return RunOutcome(
            prompt=self.prompt,
            run_id=run.id if run else None,
            status=status if status is not None else (run.status if run else None),
            result=result,
            web_url=run.web_url if run else None,
            seconds=monotonic() - self._started,
            error=error,
            trace=tuple(self._trace),
        )


class EnhancedAgent(Agent):
    """An `Agent` that follows its runs. Requests are repeated by the client's policy, and only there.

    Args:
        token: bearer token; else CODEGEN_API_TOKEN or CODEGEN_TOKEN, else the local server's.
        org_id: organization; else CODEGEN_ORG_ID, else the token's own.
        base_url: address of the server; else CODEGEN_BASE_URL, else the local server's.
        max_retries: repetitions of a request after answers that may pass, and as many after broken connections.
        metrics_collector: where figures go; the process's registry when absent.
        options: everything else that `CodegenClient` takes, such as `policy`, `timeout` and `middleware`.
    """

    name = "enhanced"
    """What metrics and spans call this kind of agent."""

    def __init__(
        self,
        token: str | None = None,
        org_id: Org = None,
        base_url: str | None = None,
        max_retries: int = 3,
        *,
        metrics_collector: MetricsCollector | None = None,
        **options: Any,
    ) -> None:
        client_options = {**options} if "policy" in options else {"max_retries": max_retries, **options}
        super().__init__(token, org_id, base_url, **client_options)
        self._address = (token, org_id, base_url, client_options)
        self.statistics = RunStatistics(metrics_collector)

    def run_with_retry(
        self,
        prompt: str,
        context: Mapping[str, Any] | None = None,
        *,
        wait: float | None = None,
        **options: Unpack[RunOptions],
    ) -> RunOutcome:
        """Start a run and follow it to its end.

        Args:
            prompt: what to do.
            context: facts to send along, such as `{"language": "python"}`.
            wait: seconds to follow it at most; the run goes on after that.
            options: what may be said about a run, such as `engine`, `repo_id` and `model`.

        Raises:
            UsageError: the prompt is empty; nothing was sent.
            ApiError: the server could not be asked, after all repetitions.
            RequestTimeoutError: the run has not ended within `wait`.
        """
        return self._follow_one(prompt, with_context(prompt, context), wait, options)

    def run_batch(
        self,
        prompts: Sequence[str],
        max_concurrent: int = MAX_CONCURRENT,
        context: Mapping[str, Any] | None = None,
        **options: Unpack[RunOptions],
    ) -> list[RunOutcome]:
        """Do many runs, so many at a time, over a handful of connections.

        Args:
            prompts: what to do, one run for each.
            max_concurrent: runs that may be under way at a time, at least 1.
            context: facts to send along with each.
            options: what may be said about each run.

        Returns:
            One outcome for each prompt, in the order of the prompts; what went wrong with one is in its `error`.
        """
        return _completed(self._batch(prompts, max_concurrent, context, options))

    async def _batch(
        self, prompts: Sequence[str], max_concurrent: int, context: Mapping[str, Any] | None, options: RunOptions
    ) -> list[RunOutcome]:
        token, org_id, base_url, client_options = self._address
        agent = AsyncEnhancedAgent(
            token, org_id, base_url, metrics_collector=self.statistics.collector, **client_options
        )
        agent.statistics = self.statistics
        async with agent:
            return await agent.run_batch(prompts, max_concurrent, context, **options)

    def close(self) -> None:
        """Close all connections."""
        self.api_client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _follow_one(
        self, prompt: str, sent: str, wait: float | None, options: RunOptions, earlier: AgentTask | None = None
    ) -> RunOutcome:
        recording = _Recording(prompt)
        self.statistics.asked(self.name)
        with tracing.invoke_agent(self.name, remote=True) as span:
            try:
                task = self.run(sent, **options) if earlier is None else earlier.resume(sent)
                recording.created(task.run)
                span.set_attribute(names.CONVERSATION, str(task.id))
                task.wait(wait)
                outcome = recording.outcome(task.status, task.result)
            except ContextenError as error:
                self.statistics.ended(self.name, recording.outcome(error=error))
                raise
        self.statistics.ended(self.name, outcome)
        return outcome


class AsyncEnhancedAgent:
    """The twin of `EnhancedAgent` for asyncio; an asynchronous context manager."""

    name = "enhanced"

    def __init__(
        self,
        token: str | None = None,
        org_id: Org = None,
        base_url: str | None = None,
        max_retries: int = 3,
        *,
        metrics_collector: MetricsCollector | None = None,
        **options: Any,
    ) -> None:
        client_options = {**options} if "policy" in options else {"max_retries": max_retries, **options}
        self.api_client = AsyncCodegenClient(token, org_id, base_url, **client_options)
        self.statistics = RunStatistics(metrics_collector)

    async def run_with_retry(
        self,
        prompt: str,
        context: Mapping[str, Any] | None = None,
        *,
        wait: float | None = None,
        **options: Unpack[RunOptions],
    ) -> RunOutcome:
        """Start a run and follow it to its end; see `EnhancedAgent.run_with_retry`."""
        recording = _Recording(prompt)
        self.statistics.asked(self.name)
        with tracing.invoke_agent(self.name, remote=True) as span:
            try:
                task = await self.api_client.run(with_context(prompt, context), **options)
                recording.created(task.run)
                span.set_attribute(names.CONVERSATION, str(task.id))
                await task.wait(wait)
                outcome = recording.outcome(task.status, task.result)
            except ContextenError as error:
                self.statistics.ended(self.name, recording.outcome(error=error))
                raise
        self.statistics.ended(self.name, outcome)
        return outcome

    async def run_batch(
        self,
        prompts: Sequence[str],
        max_concurrent: int = MAX_CONCURRENT,
        context: Mapping[str, Any] | None = None,
        **options: Unpack[RunOptions],
    ) -> list[RunOutcome]:
        """Do many runs, so many at a time; see `EnhancedAgent.run_batch`."""
        if max_concurrent < 1:
            raise UsageError(f"max_concurrent must be >= 1, got {max_concurrent}")
        room, door = asyncio.Semaphore(max_concurrent), asyncio.Semaphore(MAX_CREATING)

        async def create(prompt: str) -> AgentRun:
            async with door:
                return await self.api_client.create_agent_run(with_context(prompt, context), **options)

        async def one(prompt: str) -> RunOutcome:
            async with room:
                return await self._one_of_many(prompt, create(prompt))

        async with AsyncExitStack() as stack:
            with suppress(ApiError):  # the first creation meets it too, and its outcome carries it
                await stack.enter_async_context(self.api_client.listening())
            group = await stack.enter_async_context(asyncio.TaskGroup())
            tasks = [group.create_task(one(prompt)) for prompt in prompts]
        return [task.result() for task in tasks]

    async def aclose(self) -> None:
        """Close all connections."""
        await self.api_client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _one_of_many(self, prompt: str, creation: Awaitable[AgentRun]) -> RunOutcome:
        recording = _Recording(prompt)
        self.statistics.asked(self.name)
        try:
            with tracing.invoke_agent(self.name, remote=True) as span:
                run = await creation
                recording.created(run)
                span.set_attribute(names.CONVERSATION, str(run.id))
                end = await self.api_client.end_of(run)
                outcome = recording.outcome(end.status, end.result)
        except ContextenError as error:
            outcome = recording.outcome(error=error)
        self.statistics.ended(self.name, outcome)
        return outcome


def _completed(work: Coroutine[Any, Any, T]) -> T:
    """Run asynchronous work from a synchronous caller, also from one that a running event loop called."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    results: list[T] = []
    errors: list[BaseException] = []

    def elsewhere() -> None:
        try:
            results.append(asyncio.run(work))
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=elsewhere, name="contexten-batch")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
