"""Notices that the queue's own SQLite file cannot be written, while DBOS's threads try again and again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy import event

from contexten.errors import StoreUnavailableError
from contexten.server.store.faults import fault

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.engine import ExceptionContext

_LATELY = 3.0
"""Seconds after which a fault counts as over: threads that meet it try again every second."""


class Faults:
    """What an engine met lately that makes its file unavailable."""

    def __init__(self) -> None:
        self._last: tuple[float, StoreUnavailableError] | None = None

    def watch(self, engine: Engine) -> None:
        """Notice the faults of an engine from now on."""
        event.listen(engine, "handle_error", self._note)

    def check(self) -> None:
        """Raise what was met lately.

        Raises:
            StoreUnavailableError: the file is full or locked, or its disk failed.
        """
        if self._last is not None and time.monotonic() - self._last[0] < _LATELY:
            raise self._last[1].with_traceback(None)

    def _note(self, context: ExceptionContext) -> None:
        error = fault(context.sqlalchemy_exception) if context.sqlalchemy_exception else None
        if isinstance(error, StoreUnavailableError):
            self._last = time.monotonic(), error
