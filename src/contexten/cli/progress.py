"""A moving line that says what is being waited for; only on a terminal, gone before anything else is written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

from contexten._plain import one_line
from contexten.cli.output import is_terminal, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rich.status import Status


class Progress:
    """Shows `text` beside a spinner until it is closed. In a pipe it shows nothing.

    Args:
        text: what is being waited for.
    """

    def __init__(self, text: str) -> None:
        self._text = one_line(text)
        self._status: Status | None = None

    def __enter__(self) -> Self:
        if is_terminal(sys.stdout):
            from rich.console import Console
            from rich.text import Text

            self._status = Console().status(Text(self._text, style="dim"))
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the line away; from any thread."""
        if self._status is not None:
            self._status.stop()

    def update(self, text: str) -> None:
        """Say what is being waited for now."""
        if self._status is not None:
            from rich.text import Text

            self._status.update(Text(one_line(text, 60), style="dim"))

    def on_text(self, shown: Callable[[str], str]) -> Callable[[str], None] | None:
        """What takes texts and shows something of them; None where nothing is shown."""
        return None if self._status is None else lambda text: self.update(shown(text))

    def say(self, lines: Iterable[str]) -> None:
        """Write lines of result above the moving one."""
        text = "\n".join(lines)
        if not text:
            return
        if self._status is not None:
            self._status.stop()
        say(text)
        if self._status is not None:
            self._status.start()
