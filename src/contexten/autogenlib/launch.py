"""The program that tries generated code: limits itself, imports the file, runs its doctests. Standard library alone.

python -I -B launch.py FILE-FOR-OUTPUT FILE FOLDER...
"""

from __future__ import annotations

import contextlib
import os
import sys

CPU_SECONDS = 20
MEMORY = 2 * 2**30
FILE_SIZE = 16 * 2**20
OPEN_FILES = 256


def limit() -> None:
    """Take from this process what it needs for nothing good."""
    import resource

    for kind, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, FILE_SIZE),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # the system knows better
            resource.setrlimit(kind, (most, most))


def speak_into(path: str) -> None:
    """Let everything that is said go into a file, whose size is limited."""
    output = os.open(path, os.O_WRONLY | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)


def main(path: str, folders: list[str]) -> int:
    """Import the file and run its doctests; 1 when one fails."""
    import doctest
    import importlib.util
    from pathlib import Path

    sys.path[:0] = folders
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    if spec is None or spec.loader is None:
        return 1
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return 1 if doctest.testmod(module).failed else 0


if __name__ == "__main__":
    with contextlib.suppress(ImportError):  # no such limits on this system
        limit()
    speak_into(sys.argv[1])
    sys.exit(main(sys.argv[2], sys.argv[3:]))
