"""The build that the first visit begins where no pages are built yet, such as in a clone of the repository."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from typing import TYPE_CHECKING

from contexten.dashboard.hosting import plain
from contexten.dashboard.hosting.bundle import SOURCES, fingerprint

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from contexten.dashboard.hosting.bundle import Bundle

_TAIL_LINES = 15


class Building:
    """At most one build, in a process of its own; one that failed is not tried again with the same sources.

    Args:
        bundle: the pages to build.
        cache: folder for what makes the next build fast; the user's when absent.
    """

    def __init__(self, bundle: Bundle, cache: Path | None) -> None:
        self._bundle = bundle
        self._cache = cache
        self._task: asyncio.Task[None] | None = None
        self._lines: deque[str] = deque(maxlen=_TAIL_LINES)
        self._failed: str | None = None
        """The sources with which it failed."""

    async def done(self) -> bool:
        """Whether the pages are there; when they are not, they are being built from now on."""
        if self._task is not None and not self._task.done():
            return False
        if await asyncio.to_thread(lambda: self._bundle.state) == "ready":
            return True
        sources = await asyncio.to_thread(fingerprint, SOURCES)
        if self._failed != sources:
            self._failed = None
            self._task = asyncio.create_task(self._build(sources))
        return False

    def answer(self, request: Request) -> Response:
        """How far it is, or why it failed."""
        if self._failed:
            return plain.not_built(request, "\n".join(self._lines))
        return plain.building(request, self._lines[-1] if self._lines else "")

    async def aclose(self) -> None:
        """Stop it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _build(self, sources: str) -> None:
        self._lines.clear()
        words = [] if self._cache is None else [str(self._cache)]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "contexten.dashboard.hosting.build",
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            assert process.stdout is not None  # noqa: S101 - asked for above; tells the type checker
            async for line in process.stdout:
                self._lines.append(line.decode("utf-8", "replace").strip(" ─\n"))
            if await process.wait():
                self._failed = sources
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
