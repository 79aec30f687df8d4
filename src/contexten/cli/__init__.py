"""The `contexten` program: one file per noun, each loaded only when its command is the one that was called."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program.

    Args:
        arguments: command-line arguments without the program's name; those of the process when absent.

    Returns:
        The exit code: 0 done, 1 failed, 2 wrong use, 130 interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = words[:1] == ["--debug"]
    words = words[1:] if debug else words
    if not words or words[0] in {"-h", "--help"}:
        return _overview()
    try:
        from contexten.cli import interrupts

        interrupts.keep()
        if words[0] == "up":
            _stop_at_once()
        from contexten.cli.call import call

        code = call(words, debug=debug)
    except KeyboardInterrupt:  # pressed while the program was still loading
        code = 130
    if arguments is None and "contexten.server.serve" in sys.modules:
        leave(code)
    return code


def _stop_at_once() -> None:
    """Until a server has something to close, stopping it is to end. An exception might fall where Python drops it."""
    import os
    import signal

    def stop(*_: object) -> None:
        os._exit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def leave(code: int) -> NoReturn:
    """End the process in which a server was: nobody waits for a thread of an engine that still computes."""
    import atexit
    import os

    atexit._run_exitfuncs()  # noqa: SLF001 - what a normal end does, without its wait for the threads of executors
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _overview() -> int:
    from contexten.cli.nouns import fitted, overview
    from contexten.cli.output import columns, say

    width = columns(sys.stdout)
    say(fitted(overview(), width) if width else overview())
    return 0
