"""How a turn ends: raised wherever it is found out, caught by the loop alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contexten.protocol import RunStatus


class Ended(Exception):  # noqa: N818 - it is no error: the end of a run that went well comes this way too
    """A turn has ended.

    Args:
        status: how.
        text: the answer, or what happened and what to do next.
        resumable: whether saying something more to the run takes it further.
    """

    def __init__(self, status: RunStatus, text: str, *, resumable: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.resumable = resumable
