"""What of a run has arrived at a watcher: each event once and in order. No input or output here."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError
from typing_extensions import override

from contexten.client.base import PAGE
from contexten.protocol import LiveEvent, LogEvent, PartialEvent, StatusEvent, is_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from httpx2 import ServerSentEvent

    from contexten.errors import ApiError
    from contexten.protocol import AgentRunWithLogs, RunEvent
    from contexten.resilience import Retry

_FIRST_PAUSE, _LONGEST_PAUSE, _SLOWER = 1.0, 5.0, 1.5
_EVENT: TypeAdapter[LiveEvent] = TypeAdapter(LiveEvent)
_KINDS = frozenset({"log", "status", "deleted", "workflow"})


class Seen:
    """What of a stream has arrived: each event once, in order.

    Args:
        after: id of the last event that is known already.
        endless: whether the stream is of an organization, which does not end.
        on_open: called each time the stream is open, with whether events may have been missed before.
        on_lost: called each time it broke and is opened again after a while, with what broke it.
        on_partial: given text that the run is still saying, all of it so far; the next entry takes its place.
        retry: how long it is waited for a server that is down; None for as long as usual.
    """

    def __init__(  # noqa: PLR0913 - what a watcher may want to know
        self,
        after: int | None = None,
        *,
        endless: bool = False,
        on_open: Callable[..., None] | None = None,
        on_lost: Callable[[ApiError], None] | None = None,
        on_partial: Callable[[str], None] | None = None,
        retry: Retry | None = None,
    ) -> None:
        self.after, self.retry = after, retry
        self._endless, self._on_open, self._on_lost, self._on_partial = endless, on_open, on_lost, on_partial
        self._status: str | None = None
        self._arrived = 0
        self._over = False

    @property
    def ended(self) -> bool:
        """Whether a stream that ended here has told everything."""
        return not self._endless and is_terminal(self._status)

    def opened(self) -> None:
        """A stream was opened; nothing of it has arrived."""
        self._arrived = 0
        if self._on_open is not None:
            self._on_open(gap=self.after is None)

    def lost(self, error: ApiError) -> None:
        """The stream broke; it is going to be opened again."""
        if self._on_lost is not None:
            self._on_lost(error)

    def silent_end(self) -> bool:
        """Whether the run was known to be over before this stream was opened, and nothing more came."""
        return self._over and not self._arrived

    def told(self, status: str | None) -> None:
        """The run's status was asked for, because a stream ended without telling it."""
        self._over = is_terminal(status)

    @property
    def headers(self) -> dict[str, str]:
        """What to send to get the events after those that have arrived."""
        resumed = {} if self.after is None else {"Last-Event-ID": str(self.after)}
        return {"Accept": "text/event-stream", "Cache-Control": "no-store", **resumed}

    def take(self, sent: ServerSentEvent) -> LiveEvent | None:
        """The event that was sent; None when it is not for us, known already, or was cut."""
        if sent.event not in _KINDS:
            self._open(sent)
            self._show(sent)
            return None
        try:
            event = _EVENT.validate_json(sent.data)
        except ValidationError:
            return None
        if self.after is not None and event.id <= self.after:
            return None
        self.after = event.id
        self._arrived += 1
        if isinstance(event, StatusEvent):
            self._status = event.status
        return event

    @property
    def query(self) -> str:
        """What to ask of a run's stream: text that is still being said comes only to who wants it."""
        return "" if self._on_partial is None else "?kinds=log&kinds=status&kinds=partial"

    def _show(self, sent: ServerSentEvent) -> None:
        if sent.event == "partial" and self._on_partial is not None:
            with suppress(ValidationError):
                self._on_partial(PartialEvent.model_validate_json(sent.data).text)

    def _open(self, sent: ServerSentEvent) -> None:
        """An organization's stream says first after which event it starts."""
        if sent.event == "open" and self._endless and self.after is None and sent.id.isdigit() and sent.data:
            self.after = int(sent.id)
            if self._on_open is not None:
                self._on_open(gap=True)


class Looks(Seen):
    """Of an organization's stream, the moments at which one workflow is to be looked at: its events, and each opening."""

    def __init__(self, workflow_id: int) -> None:
        super().__init__(endless=True)
        self._workflow_id = workflow_id

    @override
    def take(self, sent: ServerSentEvent) -> Any:
        event = super().take(sent)
        return sent.event == "open" or getattr(event, "workflow_id", None) == self._workflow_id or None


class Pace:
    """Pauses between questions: always the same, or from one second slowly up to five."""

    def __init__(self, fixed: float | None = None) -> None:
        self._fixed = fixed
        self._pause = 0.0

    def next(self, left: float | None = None) -> float:
        """Seconds until the next question, at most those that are left."""
        self._pause = self._fixed or min(_LONGEST_PAUSE, self._pause * _SLOWER or _FIRST_PAUSE)
        return self._pause if left is None else min(left, self._pause)

    def restart(self) -> None:
        """Begin with one second again: something happened."""
        self._pause = 0.0


class Polled:
    """What of a run's log has been fetched from a server without event streams."""

    def __init__(self, skip: int = 0) -> None:
        self.skip = skip
        self._pace = Pace()
        self._at_once = False
        self._status: str | None = None
        self._quiet = False

    @property
    def ended(self) -> bool:
        """Whether the run has ended and everything of its log has been fetched."""
        return self._quiet and is_terminal(self._status)

    @property
    def pause(self) -> float:
        """Seconds until the next page is worth asking for."""
        return 0.0 if self._at_once else self._pace.next()

    def take(self, page: AgentRunWithLogs) -> list[RunEvent]:
        """The events that a page of the log makes; an id here is a place in the log."""
        events: list[RunEvent] = [
            LogEvent(id=place, agent_run_id=page.id, turn=1, position=place, entry=entry)
            for place, entry in enumerate(page.logs, start=self.skip)
        ]
        self.skip += len(page.logs)
        # Entries may be written between the last page and the run's end: an ended run is asked until it is quiet.
        self._quiet = not page.logs
        if page.status != self._status and (self._quiet or not is_terminal(page.status)):
            self._status = page.status
            events.append(self._status_event(page))
        self._at_once = len(page.logs) >= PAGE or is_terminal(page.status)
        if page.logs:
            self._pace.restart()
        return events

    def _status_event(self, page: AgentRunWithLogs) -> StatusEvent:
        return StatusEvent(
            id=self.skip,
            agent_run_id=page.id,
            turn=1,
            status=str(page.status),
            result=page.result if is_terminal(page.status) else None,
            created_at=page.created_at or "",
        )
