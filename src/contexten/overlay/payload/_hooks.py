"""The hooks: what happens before and after the methods of `Agent` and `AgentTask`, and the methods that are added."""

from __future__ import annotations

import functools
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from . import _bridge, events, metrics
from ._guard import guarded
from ._tasks import FAILED, TIMED_OUT, is_over, start, state_of
from ._watch import watch
from .events import EventType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextvars import Token

    from .events import Handler

    Listeners = tuple[list[Handler], tuple[Handler, ...]]

COUNTERS = ("agents_created", "tasks_run", "tasks_finished", "task_errors", "task_timeouts", "overlay_faults")

_CALLBACKS = "_contexten_callbacks"

_extra: ContextVar[tuple[Handler, ...]] = ContextVar("contexten_run_callbacks", default=())
_running: ContextVar[Listeners | None] = ContextVar("contexten_running", default=None)


def patch(agent_class: type[Any], task_class: type[Any]) -> bool:
    """Patch both classes in place; False when that was done before."""
    if hasattr(agent_class, "get_contexten_metrics"):
        return False
    changed: dict[tuple[type[Any], str], Any] = {
        (agent_class, "__init__"): _after(agent_class.__init__, _agent_created),
        (agent_class, "run"): _around_run(agent_class.run),
        (task_class, "__init__"): _after(task_class.__init__, _task_made),
        (task_class, "refresh"): _after(task_class.refresh, _seen),
    }
    for name in ADDED:
        changed[agent_class, name] = vars(EnhancedAgent)[name]
    for (owner, name), method in changed.items():
        setattr(owner, name, method)
    return True


class EnhancedAgent:
    """The methods that every `Agent` gains."""

    run: Callable[..., Any]

    def get_contexten_metrics(self) -> dict[str, Any]:
        """The process's metrics: `uptime_seconds`, `counters` (`agents_created`, `tasks_run`, …), `gauges`, `timers`."""
        return get_metrics()

    def add_callback(self, callback: Handler) -> None:
        """Call `callback` with a dictionary for every later event of this agent and of its tasks.

        Raises:
            TypeError: the callback cannot be called.
        """
        _callbacks(self).append(_checked(callback))

    def run_enhanced(
        self,
        prompt: str,
        *,
        wait: bool = False,
        timeout: float | None = None,
        poll: float = 2.0,
        callbacks: Iterable[Handler] = (),
        **kwargs: Any,
    ) -> Any:
        """Run a prompt and watch the task, so that its events come without a call of `refresh()`.

        Args:
            prompt: as for `run`.
            wait: whether to return only when the task has ended. Otherwise a background thread watches it for as
                long as the program holds it.
            timeout: seconds after which watching ends with the event `task_timeout`; no limit when None. The run
                itself goes on.
            poll: seconds between two looks at the task.
            callbacks: called with a dictionary for every event of this task.
            kwargs: further arguments of `run`.

        Returns:
            The task, as `run` returns it.

        Raises:
            TimeoutError: `wait` is set and the time is over; its attribute `task` is the task.
            TypeError: a callback cannot be called.
            ValueError: `timeout` or `poll` is not above 0.
        """
        for name, value in (("timeout", timeout), ("poll", poll)):
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be > 0 seconds, got {value!r}")
        token = _extra.set(tuple(map(_checked, callbacks)))
        try:
            task = self.run(prompt, **kwargs)
        finally:
            _extra.reset(token)
        if wait:
            _wait(task, poll, timeout)
        else:
            guarded(watch, task, poll, timeout, timed_out)
        return task


def get_metrics() -> dict[str, Any]:
    """The process's metrics; the overlay's own counters are there from the beginning."""
    for name in COUNTERS:
        metrics.increment(name, 0)
    return metrics.get_metrics()


ADDED = ("get_contexten_metrics", "add_callback", "run_enhanced")


def timed_out(task: Any) -> None:
    """Report that nobody waits for the task any longer; once."""
    state = state_of(task)
    if state.time_out():
        metrics.increment("task_timeouts")
        _tell(EventType.TASK_TIMEOUT, state.callbacks, _task_data(task) | {"duration": state.age()})


def _wait(task: Any, poll: float, timeout: float | None) -> None:
    deadline = None if timeout is None else time.monotonic() + timeout
    while not is_over(task.status):
        left = poll if deadline is None else min(poll, deadline - time.monotonic())
        if left <= 0:
            guarded(timed_out, task)
            late = TimeoutError(f"run {task.id} is {task.status} after {timeout:g} s and goes on: {task.web_url}")
            late.task = task  # type: ignore[attr-defined]  # the caller may want to go on with it
            raise late
        time.sleep(left)
        task.refresh()


def _after(original: Callable[..., Any], hook: Callable[[Any], object]) -> Callable[..., Any]:
    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        guarded(hook, self)
        return result

    return method


def _around_run(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        token = guarded(_starting, self, args, kwargs)
        try:
            task = original(self, *args, **kwargs)
        except Exception as error:
            guarded(_refused, self, error)
            raise
        finally:
            guarded(_over, token, started)
        return task

    return run


def _agent_created(agent: Any) -> None:
    metrics.increment("agents_created")
    _tell(EventType.AGENT_CREATED, (_callbacks(agent), ()), {"org_id": getattr(agent, "org_id", None)})


def _starting(agent: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Token[Listeners | None]:
    listeners = (_callbacks(agent), _extra.get())
    token = _running.set(listeners)
    prompt = args[0] if args else kwargs.get("prompt")
    data = {"org_id": getattr(agent, "org_id", None), "prompt_length": len(prompt) if isinstance(prompt, str) else None}
    guarded(_tell, EventType.TASK_STARTING, listeners, data)
    return token


def _over(token: Token[Listeners | None] | None, started: float) -> None:
    metrics.observe("agent_run", time.perf_counter() - started)
    if token is not None:
        _running.reset(token)


def _refused(agent: Any, error: Exception) -> None:
    metrics.increment("task_errors")
    data = {"org_id": getattr(agent, "org_id", None), "error": str(error), "error_type": type(error).__name__}
    _tell(EventType.TASK_ERROR, (_callbacks(agent), _extra.get()), data)


def _task_made(task: Any) -> None:
    listeners = _running.get()
    if listeners is None:
        state_of(task)
        return
    start(task, listeners)
    metrics.increment("tasks_run")
    _tell(EventType.TASK_CREATED, listeners, _task_data(task))
    _seen(task)


def _seen(task: Any) -> None:
    state = state_of(task)
    move = state.move(task.status)
    if move is None:
        return
    data = _task_data(task)
    if move.old:
        _tell(EventType.TASK_STATUS_CHANGED, state.callbacks, data | {"old_status": move.old})
    if move.ended:
        _ended(state, data | {"duration": state.age()})


def _ended(state: Any, data: dict[str, Any]) -> None:
    metrics.increment("tasks_finished")
    metrics.observe("task_duration", data["duration"])
    if state.status in FAILED:
        metrics.increment("task_errors")
        _tell(EventType.TASK_ERROR, state.callbacks, data | {"error": f"the run ended as {data['status']}"})
    if state.status in TIMED_OUT and not state.timed_out:
        metrics.increment("task_timeouts")
        _tell(EventType.TASK_TIMEOUT, state.callbacks, data)
    _tell(EventType.TASK_FINISHED, state.callbacks, data)


def _task_data(task: Any) -> dict[str, Any]:
    names = ("org_id", "status", "web_url")
    return {"task_id": getattr(task, "id", None)} | {name: getattr(task, name, None) for name in names}


def _checked(callback: Handler) -> Handler:
    if not callable(callback):
        raise TypeError(f"a callback must be callable, got {callback!r}")
    return callback


def _callbacks(agent: Any) -> list[Handler]:
    callbacks: list[Handler] = vars(agent).setdefault(_CALLBACKS, [])
    return callbacks


def _tell(event_type: EventType, listeners: Listeners, data: dict[str, Any]) -> None:
    _bridge.connect()
    events.emit(event_type, **data)
    callbacks = (*listeners[0], *listeners[1])
    if callbacks:
        events.bus.deliver(callbacks, event_type, data)
