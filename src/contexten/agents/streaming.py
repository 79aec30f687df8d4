"""`ObservableStreamingAgent`: a run as a stream of chunks, each with what happened and how far the run is."""

from __future__ import annotations

from contextlib import aclosing, closing
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict, Unpack

from contexten.agents.enhanced import AsyncEnhancedAgent, EnhancedAgent
from contexten.agents.outcome import RunOutcome
from contexten.agents.progress import Progress
from contexten.agents.prompts import with_context
from contexten.errors import ContextenError
from contexten.protocol import LogEvent, MessageType, is_successful, is_terminal
from contexten.telemetry import names, tracing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterator, Mapping

    from contexten.client.runs import RunOptions
    from contexten.protocol import AgentRun, LogEntry, RunEvent


class Chunk(TypedDict):
    """A piece of a run's stream."""

    type: Literal["created", "status", "plan", "action", "message", "answer", "error", "complete"]
    """`complete` is always the last one, however the run ended: see `ok` and `status`."""
    progress: float
    """Percent done, 0 to 100; see `Progress`."""
    content: str
    """What happened, in a line or, in `answer` and `complete`, the answer in Markdown."""
    run_id: int
    seconds: float
    """Since the run was asked for."""
    status: NotRequired[str]
    entry: NotRequired[LogEntry]
    """The log entry behind the chunk."""
    ok: NotRequired[bool]
    """With `complete`: whether the run ended with what was asked."""
    web_url: NotRequired[str | None]


class ObservableStreamingAgent(EnhancedAgent):
    """An `EnhancedAgent` whose runs are watched while they happen."""

    name = "streaming"

    def run_streaming(
        self, prompt: str, context: Mapping[str, Any] | None = None, **options: Unpack[RunOptions]
    ) -> Generator[Chunk]:
        """Start a run and yield what happens to it, live, ending with a chunk of type `complete`.

        Leaving the loop early stops the watching, not the run.

        Raises:
            UsageError: the prompt is empty; nothing was sent.
            ApiError: the server could not be asked, after all repetitions.
        """
        watched = _Watched(self, prompt)
        with tracing.invoke_agent(self.name, remote=True) as span, watched:
            task = self.run(with_context(prompt, context), **options)
            span.set_attribute(names.CONVERSATION, str(task.id))
            yield watched.created(task.run)
            events: Any = task.events()
            with closing(events):
                for event in events:
                    yield from watched.chunks(event)
            if not watched.ended:
                task.refresh()
                yield watched.complete(task.status, task.result)


class AsyncObservableStreamingAgent(AsyncEnhancedAgent):
    """The twin of `ObservableStreamingAgent` for asyncio."""

    name = "streaming"

    async def run_streaming(
        self, prompt: str, context: Mapping[str, Any] | None = None, **options: Unpack[RunOptions]
    ) -> AsyncGenerator[Chunk]:
        """Start a run and yield what happens to it; see `ObservableStreamingAgent.run_streaming`."""
        watched = _Watched(self, prompt)
        with tracing.invoke_agent(self.name, remote=True) as span, watched:
            task = await self.api_client.run(with_context(prompt, context), **options)
            span.set_attribute(names.CONVERSATION, str(task.id))
            yield watched.created(task.run)
            async with aclosing(task.events()) as events:
                async for event in events:
                    for chunk in watched.chunks(event):
                        yield chunk
            if not watched.ended:
                await task.refresh()
                yield watched.complete(task.status, task.result)


class _Watched:
    """One run being streamed: makes its chunks, and tells the agent's statistics how it came out."""

    def __init__(self, agent: EnhancedAgent | AsyncEnhancedAgent, prompt: str) -> None:
        self._agent, self._prompt = agent, prompt
        self._started = monotonic()
        self._progress = Progress()
        self._run: AgentRun | None = None
        self._status: str | None = None
        self._result: str | None = None
        self.ended = False

    def __enter__(self) -> None:
        self._agent.statistics.asked(self._agent.name)

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        self._agent.statistics.ended(self._agent.name, self._outcome(error))

    def created(self, run: AgentRun) -> Chunk:
        self._run, self._status = run, run.status
        first = self._chunk("created", f"Run {run.id} is created.")
        first["web_url"] = run.web_url
        return first

    def chunks(self, event: RunEvent) -> Iterator[Chunk]:
        self._progress.take(event)
        if isinstance(event, LogEvent):
            yield self._entry(event.entry)
        elif is_terminal(event.status):
            yield self.complete(event.status, event.result)
        else:
            self._status = event.status
            yield self._chunk("status", event.status)

    def complete(self, status: str | None, result: str | None) -> Chunk:
        self.ended = True
        self._progress.percent = 100.0
        self._status, self._result = status, result
        last = self._chunk("complete", result or "")
        last["ok"] = is_successful(status)
        return last

    def _entry(self, entry: LogEntry) -> Chunk:
        chunk = self._chunk(_TYPES.get(entry.message_type or "", "message"), _line(entry))
        chunk["entry"] = entry
        return chunk

    def _chunk(self, kind: Any, content: str) -> Chunk:
        run_id = self._run.id if self._run else 0
        chunk = Chunk(
            type=kind,
            progress=self._progress.percent,
            content=content,
            run_id=run_id,
            seconds=monotonic() - self._started,
        )
        if self._status is not None:
            chunk["status"] = self._status
        return chunk

    def _outcome(self, error: BaseException | None) -> RunOutcome:
        return RunOutcome(
            prompt=self._prompt,
            run_id=self._run.id if self._run else None,
            status=self._status,
            result=self._result,
            web_url=self._run.web_url if self._run else None,
            seconds=monotonic() - self._started,
            error=error if isinstance(error, ContextenError) else None,
        )


_TYPES: dict[str, str] = {
    MessageType.PLAN_EVALUATION: "plan",
    MessageType.ACTION: "action",
    MessageType.FINAL_ANSWER: "answer",
    MessageType.ERROR: "error",
}


def _line(entry: LogEntry) -> str:
    observed = entry.observation if isinstance(entry.observation, str) else None
    if entry.message_type == MessageType.ACTION:
        return ": ".join(part for part in (entry.tool_name, observed or entry.thought) if part)
    return observed or entry.thought or entry.tool_name or ""
