"""Says why a run that is followed does not go on, such as a full disk or a server that is down, and what to do."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING, Self

from contexten._plain import one_line
from contexten.cli.output import note
from contexten.errors import ApiError, CircuitOpenError, ServerError, StatusError

if TYPE_CHECKING:
    from contexten.client import CodegenClient

_PAUSE_SECONDS = 2.0
_END_SECONDS = 1.0


class Waiting:
    """Asks the server every other second what keeps its runs from going on, and notes each answer once.

    Args:
        client: of the server that does the run.
    """

    def __init__(self, client: CodegenClient) -> None:
        self._client = client
        self._over = Event()
        self._told: str | None = None
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(_END_SECONDS)

    def _watch(self) -> None:
        while not self._over.wait(_PAUSE_SECONDS):
            try:
                self._tell(self._client.health().get("problem"))
            except CircuitOpenError:  # not even asked, for a reason that was told
                continue
            except ApiError as error:
                if isinstance(error, StatusError) and not isinstance(error, ServerError):
                    return  # another kind of server, which cannot say
                self._tell(error.message)

    def _tell(self, problem: str | None) -> None:
        if problem != self._told and not self._over.is_set():
            self._told = problem
            note(f"  {'waiting':<10}{one_line(problem or 'The server goes on.')}")
