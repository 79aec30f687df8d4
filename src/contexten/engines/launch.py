"""A program that limits itself, binds its life to its parent's, and becomes another program.

It is run by its path, in an interpreter of its own, before each command of a sandbox: the limits hold from the first
instruction, and the server's own process, which has threads, runs no code between fork and exec.

    python -I -S launch.py '{"parent": 4121, "limits": {"NOFILE": 1024}, "cgroups": []}' PROGRAM ARGUMENTS...
"""

import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
"""Source: include/uapi/linux/prctl.h."""


def main() -> None:
    """Become the program."""
    wanted = json.loads(sys.argv[1])
    _die_with(wanted["parent"])
    for folder in wanted["cgroups"]:
        Path(folder, "cgroup.procs").write_text(str(os.getpid()), "ascii")
    for name, most in wanted["limits"].items():
        _limit(getattr(resource, f"RLIMIT_{name}"), most)
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - a program and its arguments: no shell reads them


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before that
        os._exit(1)


def _limit(which: int, most: int) -> None:
    _, hard = resource.getrlimit(which)
    allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(which, (allowed, allowed))


main()
