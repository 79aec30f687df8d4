"""One run being followed: its span, its trace, its outcome, and what the agent's statistics learn of it."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from contextvars import copy_context
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from contexten.agents.outcome import RunOutcome, TraceStep
from contexten.errors import ContextenError
from contexten.telemetry import names

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from opentelemetry.trace import Span

    from contexten.agents.statistics import RunStatistics
    from contexten.protocol import AgentRun


class Recording:
    """A context manager around the following of one run.

    A run that is no longer followed before it ended, because the caller left or was interrupted, has no outcome.

    Args:
        statistics: told when the run is asked for and how it came out.
        agent: what metrics and spans call the kind of agent.
        prompt: as the caller gave it.
        apart: keep the span out of the caller's context: a generator's body is left and entered again at any time.
    """

    def __init__(self, statistics: RunStatistics, agent: str, prompt: str, *, apart: bool = False) -> None:
        self._statistics, self._agent, self._prompt = statistics, agent, prompt
        self._within: Callable[..., Any] = copy_context().run if apart else _here
        self._spanned = _spanned(agent)
        self._started = monotonic()
        self._trace: list[TraceStep] = []
        self.run: AgentRun | None = None
        """The run as it was created or resumed."""
        self.outcome: RunOutcome | None = None
        """How it came out; None while nobody knows."""

    @property
    def seconds(self) -> float:
        """Since the run was asked for."""
        return monotonic() - self._started

    def __enter__(self) -> Self:
        self._statistics.asked(self._agent)
        self._span = self._within(self._spanned.__enter__)
        self._note("asked")
        return self

    def created(self, run: AgentRun) -> None:
        """The server has taken the run."""
        self.run = run
        self._note("created")
        if self._span is not None:
            self._span.set_attribute(names.CONVERSATION, str(run.id))

    def ended(self, status: str | None, result: str | None) -> RunOutcome:
        """The run has ended."""
        self._note(str(status))
        self.outcome = self._outcome(status, result, None)
        return self.outcome

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        left = kind is not None and issubclass(kind, GeneratorExit)
        self._within(self._spanned.__exit__, *((None, None, None) if left else (kind, error, trace)))
        if self.outcome is None and isinstance(error, ContextenError):
            self._note("error")
            self.outcome = self._outcome(self.run.status if self.run else None, None, error)
        if self.outcome is None:
            self._statistics.left()
        else:
            self._statistics.ended(self._agent, self.outcome)

    def _note(self, what: str) -> None:
        self._trace.append(TraceStep(self.seconds, what))

    def _outcome(self, status: str | None, result: str | None, error: ContextenError | None) -> RunOutcome:
        return RunOutcome(
            prompt=self._prompt,
            run_id=self.run.id if self.run else None,
            status=status,
            result=result,
            web_url=self.run.web_url if self.run else None,
            seconds=self.seconds,
            error=error,
            trace=tuple(self._trace),
        )


def _spanned(agent: str) -> AbstractContextManager[Span | None]:
    """The run's span; none where nobody can have set up tracing, because nobody has loaded it."""
    if "opentelemetry.trace" not in sys.modules and "OTEL_PYTHON_TRACER_PROVIDER" not in os.environ:
        return nullcontext()
    from contexten.telemetry import tracing

    return tracing.invoke_agent(agent, remote=True)


def _here(step: Callable[..., Any], *arguments: Any) -> Any:
    return step(*arguments)
