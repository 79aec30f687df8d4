"""The `contexten` program: one file per noun, each loaded only when its command is the one that was called."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

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
        from contexten.cli.call import call

        return call(words, debug=debug)
    except KeyboardInterrupt:  # pressed while the program was still loading
        return 130


def _overview() -> int:
    from contexten.cli.nouns import overview
    from contexten.cli.output import say

    say(overview())
    return 0
