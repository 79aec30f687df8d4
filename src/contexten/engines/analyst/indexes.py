"""The code indexes that runs share: one per folder, built once however many ask at the same time, and kept fresh."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contexten.codebase import Codebase
from contexten.codebase.codebase import USER_CACHE
from contexten.engines.workspace import closed_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAX_KEPT = 6
"""Indexes that are kept; the one not asked for longest is dropped first."""
_SPECIAL = re.compile(r"([\\*?\[\]!# ])")
_ESCAPED = r"\\\1"


@dataclass(slots=True)
class _Kept:
    """One folder's index and the work under way on it."""

    codebase: Codebase | None = None
    waiting: Future[Codebase] | None = None
    """What those who ask now will get: a look at the folder that has not begun yet."""
    busy: threading.Lock = field(default_factory=threading.Lock)


class Indexes:
    """Indexes by folder. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Path, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, folder: Path, cache: Path | None = None) -> Codebase:
        """The index of a folder as it is now. Blocks until it is built, or brought up to date.

        Callers that come while a look at the folder is under way share the next one, so that each sees every change that
        was made before it asked.

        Args:
            folder: what to read.
            cache: folder in which a new index is kept for the next start; the user's cache folder by default.

        Raises:
            CodebaseError: there is no such folder.
            EngineError: it is closed.
        """
        kept, future, mine = self._join(folder.resolve())
        if mine:
            self._work(folder.resolve(), kept, future, cache)
        return future.result()

    def start(
        self, folder: Path, submit: Callable[[Callable[[], None]], object], cache: Path | None = None
    ) -> Future[Codebase]:
        """The same without blocking: what has to be done is handed to `submit`, at most once for all who wait."""
        kept, future, mine = self._join(folder.resolve())
        if mine:
            submit(lambda: self._work(folder.resolve(), kept, future, cache))
        return future

    def _join(self, folder: Path) -> tuple[_Kept, Future[Codebase], bool]:
        with self._lock:
            kept = self._kept.setdefault(folder, _Kept())
            self._kept.move_to_end(folder)
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
            if kept.waiting is not None:
                return kept, kept.waiting, False
            kept.waiting = Future()
            return kept, kept.waiting, True

    def _work(self, folder: Path, kept: _Kept, future: Future[Codebase], cache: Path | None) -> None:
        with kept.busy:
            with self._lock:
                kept.waiting = None  # whoever asks from here on may have changed a file: they get the next look
            try:
                codebase = kept.codebase
                if codebase is None:
                    codebase = kept.codebase = _read(folder, cache)
                else:
                    codebase.refresh()
            except BaseException as error:  # noqa: BLE001 (whoever waits gets it)
                future.set_exception(error)
            else:
                future.set_result(codebase)


def _read(folder: Path, cache: Path | None) -> Codebase:
    closed = [f"/{_SPECIAL.sub(_ESCAPED, path)}/" for path in closed_in(folder)]
    return Codebase.from_path(folder, exclude=closed, cache=USER_CACHE if cache is None else cache)


_INDEXES = Indexes()


def codebase_for(folder: Path, cache: Path | None = None) -> Codebase:
    """The index of a folder that the runs of this process share, brought up to date. Blocking; from any thread.

    Args:
        folder: what to read.
        cache: folder in which a new index is kept for the next start; the user's cache folder by default.

    Raises:
        CodebaseError: there is no such folder.
        EngineError: it is closed.
    """
    return _INDEXES.get(folder, cache)


def shared() -> Indexes:
    """The indexes that the runs of this process share."""
    return _INDEXES
