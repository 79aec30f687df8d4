"""`EnhancedAgent`: asks for runs, follows them to their end and says how they came out, one or a thousand at a time."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, Unpack

from pydantic import SecretStr

from contexten.agents.prompts import with_context
from contexten.agents.recording import Recording
from contexten.agents.statistics import RunStatistics
from contexten.client import Agent, AsyncCodegenClient
from contexten.client.completing import completed
from contexten.errors import ApiError, ContextenError, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from contexten.agents.collector import MetricsCollector
    from contexten.agents.outcome import RunOutcome
    from contexten.client.runs import RunOptions
    from contexten.client.task import AgentTask
    from contexten.protocol import AgentRun

Org = int | str | None

MAX_CONCURRENT = 20
MAX_CREATING = 8
"""Creations that a batch has on the way at a time: more only wait for each other in the pool and the server."""


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
        client_options = _client_options(max_retries, options)
        super().__init__(token, org_id, base_url, **client_options)
        self._address = (SecretStr(token) if isinstance(token, str) else token, org_id, base_url, client_options)
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
        return self._followed(prompt, lambda: self.run(with_context(prompt, context), **options), wait)

    def run_batch(
        self,
        prompts: Sequence[str],
        max_concurrent: int = MAX_CONCURRENT,
        context: Mapping[str, Any] | None = None,
        **options: Unpack[RunOptions],
    ) -> list[RunOutcome]:
        """Do many runs, so many at a time, over a handful of connections.

        While the server is down, what is left of the batch waits for it, as often as a request may be repeated.

        Args:
            prompts: what to do, one run for each.
            max_concurrent: runs that may be under way at a time, at least 1.
            context: facts to send along with each.
            options: what may be said about each run.

        Returns:
            One outcome for each prompt, in the order of the prompts; what went wrong with one is in its `error`.
        """
        return completed(self._batch(prompts, max_concurrent, context, options))

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

    def _followed(self, prompt: str, start: Callable[[], AgentTask], wait: float | None) -> RunOutcome:
        with Recording(self.statistics, self.name, prompt) as recording:
            task = start()
            recording.created(task.run)
            task.wait(wait)
            return recording.ended(task.status, task.result)


class AsyncEnhancedAgent:
    """The twin of `EnhancedAgent` for asyncio; an asynchronous context manager."""

    name = "enhanced"

    def __init__(
        self,
        token: str | SecretStr | None = None,
        org_id: Org = None,
        base_url: str | None = None,
        max_retries: int = 3,
        *,
        metrics_collector: MetricsCollector | None = None,
        **options: Any,
    ) -> None:
        client_options = _client_options(max_retries, options)
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
        with Recording(self.statistics, self.name, prompt) as recording:
            task = await self.api_client.run(with_context(prompt, context), **options)
            recording.created(task.run)
            await task.wait(wait)
            return recording.ended(task.status, task.result)

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
        options.setdefault("retry", replace(self.api_client.policy.retry, waits_for_breaker=True))
        room, door = asyncio.Semaphore(max_concurrent), asyncio.Semaphore(MAX_CREATING)

        async def create(prompt: str) -> AgentRun:
            async with door:
                return await self.api_client.create_agent_run(with_context(prompt, context), **options)

        async with AsyncExitStack() as stack:
            with suppress(ApiError):  # the first creation meets it too, and its outcome carries it
                await stack.enter_async_context(self.api_client.listening())
            group = await stack.enter_async_context(asyncio.TaskGroup())
            tasks = [group.create_task(self._one_of_many(prompt, create, room)) for prompt in prompts]
        return [task.result() for task in tasks]

    async def aclose(self) -> None:
        """Close all connections."""
        await self.api_client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _one_of_many(
        self, prompt: str, create: Callable[[str], Awaitable[AgentRun]], room: asyncio.Semaphore
    ) -> RunOutcome:
        async with room:
            recording = Recording(self.statistics, self.name, prompt)
            try:
                with recording:
                    run = await create(prompt)
                    recording.created(run)
                    end = await self.api_client.end_of(run)
                    return recording.ended(end.status, end.result)
            except ContextenError:
                if recording.outcome is None:
                    raise
                return recording.outcome


def _client_options(max_retries: int, options: dict[str, Any]) -> dict[str, Any]:
    """A policy says itself how often to retry."""
    return options if options.get("policy") is not None else {"max_retries": max_retries, **options}
