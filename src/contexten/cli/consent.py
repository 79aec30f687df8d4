"""Asking before something is done that cannot be undone; never in a pipe, where nobody could answer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from contexten.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


def agreed(question: str, deed: str, show: Callable[[], None] | None = None, *, json: bool = False) -> bool:
    """The answer to a question with yes or no.

    Args:
        question: what is asked on a terminal.
        deed: what is asked about, as the beginning of a sentence.
        show: shows what it is about before it is asked.
        json: whether standard output is for a program.

    Raises:
        UsageError: nobody can be asked.
    """
    if json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        where = "with --json" if json else "in a pipe"
        raise UsageError(f"{deed} needs your word, and nobody can be asked {where}. Say it with --yes")
    if show is not None:
        show()
    return typer.confirm(question)
