"""Read many files at once, in processes of their own: a parser holds the interpreter, and may fall over a hostile file.

The processes are started as plain programs rather than forked or spawned: forking a process with threads may hang, and
spawning runs the caller's main module again.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import deque
from typing import IO, TYPE_CHECKING

from contexten.codebase.read import Reading, read_file
from contexten.codebase.worker import HEAD, READY, unpacked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SMALL_BYTES = 384 * 1024
"""Work below this is done faster than a process starts."""
_BATCH_BYTES = 192 * 1024
_FILE_COST = 512
"""What opening a file costs, in bytes of reading."""
_MOST_PROCESSES = 8
_BOOT = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from contexten.codebase.worker import main; main(sys.argv[2])"
_CRASHED = "the parser fell over it"


def read_files(root: str, sizes: Mapping[str, int], processes: int | None = None) -> dict[str, Reading]:
    """Read files below a folder.

    Args:
        root: the folder.
        sizes: the files' paths and lengths in bytes.
        processes: how many at a time; by default as many as there are cores to run on.
    """
    count = processes if processes is not None else min(_cores(), _MOST_PROCESSES)
    count = min(count, 1 + sum(sizes.values()) // _SMALL_BYTES)
    if sum(sizes.values()) < _SMALL_BYTES or count < 1:
        return {path: read_file(root, path) for path in sizes}
    return _Team(root, _batches(sizes)).run(count)


def _batches(sizes: Mapping[str, int]) -> list[list[str]]:
    """The files in batches of about equal work, the big ones first so that no process ends long after the others."""
    batches: list[list[str]] = []
    room = 0
    for path in sorted(sizes, key=lambda each: (-sizes[each], each)):
        if room <= 0:
            batches.append([])
            room = _BATCH_BYTES
        batches[-1].append(path)
        room -= sizes[path] + _FILE_COST
    return batches


class _Team:
    """Some processes that share a pile of batches."""

    def __init__(self, root: str, batches: Sequence[list[str]]) -> None:
        self._root = root
        self._pile = deque(batches)
        self._done: dict[str, Reading] = {}
        self._suspects: set[str] = set()
        self._errors: list[BaseException] = []

    def run(self, count: int) -> dict[str, Reading]:
        threads = [threading.Thread(target=self._drain, name=f"codebase-{each}", daemon=True) for each in range(count)]
        for each in threads:
            each.start()
        try:
            for each in threads:
                each.join()
        finally:
            self._pile.clear()
        if self._errors:
            raise self._errors[0]
        return self._done

    def _drain(self) -> None:
        try:
            while self._pile:
                self._serve()
        except BaseException as error:  # noqa: BLE001 - raised again by run(), in the caller's thread
            self._errors.append(error)

    def _serve(self) -> None:
        """Work through the pile with one process until the pile is empty or the process ends."""
        process = _start(self._root)
        if process is None:
            self._by_hand()
            return
        with process:
            try:
                while (batch := self._next()) is not None:
                    if not self._ask(process, batch):
                        return
            finally:
                process.kill()

    def _ask(self, process: subprocess.Popen[bytes], batch: list[str]) -> bool:
        assert process.stdin is not None  # noqa: S101 - for the type checker: both are pipes
        assert process.stdout is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(batch).encode() + b"\n")
            process.stdin.flush()
        for number, path in enumerate(batch):
            answer = _answer(process.stdout)
            if answer is None:
                self._fell(path, batch[number + 1 :])
                return False
            self._done[path] = answer
        return True

    def _fell(self, path: str, rest: list[str]) -> None:
        """The process ended at a file: another one tries it alone, and when that ends too, it is the file's fault."""
        if path in self._suspects:
            self._done[path] = Reading(error=_CRASHED)
        else:
            self._suspects.add(path)
            self._pile.append([path])
        if rest:
            self._pile.append(rest)

    def _by_hand(self) -> None:
        while (batch := self._next()) is not None:
            for path in batch:
                self._done[path] = read_file(self._root, path)

    def _next(self) -> list[str] | None:
        try:
            return self._pile.popleft()
        except IndexError:
            return None


def _start(root: str) -> subprocess.Popen[bytes] | None:
    """A process that is ready to read, or None when this program cannot start another Python."""
    if not sys.executable:
        return None
    command = [sys.executable, "-I", "-S", "-X", "utf8", "-c", _BOOT, json.dumps(sys.path), root]
    try:
        process = subprocess.Popen(  # noqa: S603 - this very interpreter, with our own module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError:
        return None
    if process.stdout is not None and process.stdout.read(len(READY)) == READY:
        return process
    process.kill()
    process.communicate()
    return None


def _answer(pipe: IO[bytes]) -> Reading | None:
    head = pipe.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    _number, digest, state, length = HEAD.unpack(head)
    body = pipe.read(length)
    return unpacked(digest, state, body) if len(body) == length else None


def _cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
