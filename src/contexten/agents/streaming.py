"""`ObservableStreamingAgent`: a run as a stream of chunks, each with what happened and how far the run is."""

from __future__ import annotations

from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict, Unpack

from contexten.agents.enhanced import AsyncEnhancedAgent, EnhancedAgent
from contexten.agents.progress import DONE, Progress
from contexten.agents.prompts import with_context
from contexten.agents.recording import Recording
from contexten.protocol import LogEvent, MessageType, is_terminal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Mapping

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
        with Recording(self.statistics, self.name, prompt, apart=True) as recording:
            task = self.run(with_context(prompt, context), **options)
            chunks = _Chunks(recording, task.run)
            yield chunks.created()
            events: Any = task.events()
            with closing(events):
                for event in filter(chunks.concern, events):
                    yield chunks.of(event)
                    if chunks.ended:
                        return
            task.refresh()
            yield chunks.complete(task.status, task.result)


class AsyncObservableStreamingAgent(AsyncEnhancedAgent):
    """The twin of `ObservableStreamingAgent` for asyncio."""

    name = "streaming"

    async def run_streaming(
        self, prompt: str, context: Mapping[str, Any] | None = None, **options: Unpack[RunOptions]
    ) -> AsyncGenerator[Chunk]:
        """Start a run and yield what happens to it; see `ObservableStreamingAgent.run_streaming`."""
        with Recording(self.statistics, self.name, prompt, apart=True) as recording:
            task = await self.api_client.run(with_context(prompt, context), **options)
            chunks = _Chunks(recording, task.run)
            yield chunks.created()
            async with aclosing(task.events()) as events:
                async for event in events:
                    if chunks.concern(event):
                        yield chunks.of(event)
                    if chunks.ended:
                        return
            await task.refresh()
            yield chunks.complete(task.status, task.result)


class _Chunks:
    """Makes the chunks of one run."""

    def __init__(self, recording: Recording, run: AgentRun) -> None:
        recording.created(run)
        self._recording, self._run, self._status = recording, run, run.status
        self._progress = Progress()

    @property
    def ended(self) -> bool:
        return self._recording.outcome is not None

    def concern(self, event: RunEvent) -> bool:
        """Whether an event is of the turn that was asked for; one asked for again by its key may have had others."""
        return event.turn >= int(self._run.get("turn", 1))

    def created(self) -> Chunk:
        first = self._chunk("created", f"Run {self._run.id} is created.")
        first["web_url"] = self._run.web_url
        return first

    def of(self, event: RunEvent) -> Chunk:
        self._progress.take(event)
        if isinstance(event, LogEvent):
            chunk = self._chunk(_TYPES.get(event.entry.message_type or "", "message"), _line(event.entry))
            chunk["entry"] = event.entry
            return chunk
        if is_terminal(event.status):
            return self.complete(event.status, event.result)
        self._status = event.status
        return self._chunk("status", event.status)

    def complete(self, status: str | None, result: str | None) -> Chunk:
        self._progress.percent = DONE
        self._status = status
        last = self._chunk("complete", result or "")
        last["ok"] = self._recording.ended(status, result).ok
        return last

    def _chunk(self, kind: Any, content: str) -> Chunk:
        chunk = Chunk(
            type=kind,
            progress=self._progress.percent,
            content=content,
            run_id=self._run.id,
            seconds=self._recording.seconds,
        )
        if self._status is not None:
            chunk["status"] = self._status
        return chunk


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
