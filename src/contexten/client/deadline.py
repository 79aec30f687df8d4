"""An end for blocking network calls, however little a server sends at a time.

The HTTP library limits each read by itself; a server that drips a byte now and then would keep a thread for hours.
Here a thread says until when its calls may take; `network` cuts every step on a connection to what is left.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx2

if TYPE_CHECKING:
    from collections.abc import Iterator

_thread = threading.local()


@contextmanager
def ending_at(moment: float | None) -> Iterator[None]:
    """Let this thread's network calls end at a moment of `time.monotonic`; None leaves them as they are."""
    before, _thread.ends = end(), moment
    try:
        yield
    finally:
        _thread.ends = before


def end() -> float | None:
    """The moment that this thread has set; None when there is none."""
    ends: float | None = getattr(_thread, "ends", None)
    return ends


class Body(httpx2.SyncByteStream):
    """An answer's body that must be there by a moment; None waits as long as the client's own limits allow."""

    def __init__(self, body: Any, ends: float | None) -> None:
        self._body, self._ends = body, ends

    def __iter__(self) -> Iterator[bytes]:
        chunks = iter(self._body)
        while True:
            with ending_at(self._ends):
                chunk = next(chunks, None)
            if chunk is None:
                return
            yield chunk

    def close(self) -> None:
        """Give the connection back, or up."""
        self._body.close()
