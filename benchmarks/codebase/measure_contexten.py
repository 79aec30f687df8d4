"""Index a folder with Contexten and print what it took: in a process of its own, as the other side is measured.

Usage: measure_contexten.py FOLDER CACHE start|memory|questions|edit
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

    from contexten.codebase import Codebase

SEED = 3


class Peak:
    """The most memory that this process and its children took together, in MB; a context manager."""

    def __init__(self) -> None:
        self.rss = 0.0
        self.pss = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        own = psutil.Process()
        while True:
            rss = pss = 0
            for each in (own, *own.children(recursive=True)):
                try:
                    full = each.memory_full_info()
                except psutil.Error:
                    continue
                rss, pss = rss + full.rss, pss + full.pss
            self.rss, self.pss = max(self.rss, rss / 2**20), max(self.pss, pss / 2**20)
            if self._stop.wait(0.02):
                return


def start(folder: str, cache: str) -> dict[str, Any]:
    """How long it takes from nothing, or from what is kept on disk, to an index."""
    begun = time.perf_counter()
    from contexten.codebase import Codebase

    imported = time.perf_counter()
    codebase = Codebase.from_path(folder, include=["*.py"], exclude=["site-packages/"], cache=cache)
    ready = time.perf_counter()
    times = os.times()
    files = codebase.files
    return {
        "import": imported - begun,
        "index": ready - imported,
        "cpu": times.user + times.system + times.children_user + times.children_system,
        "files": len(files),
        "lines": sum(each.lines for each in files),
        "problems": len(codebase.problems),
    }


def memory(folder: str, cache: str) -> dict[str, Any]:
    """How much memory a start takes; not timed, because looking at memory takes longer than indexing."""
    from contexten.codebase import Codebase

    with Peak() as peak:
        codebase = Codebase.from_path(folder, include=["*.py"], exclude=["site-packages/"], cache=cache)
    assert codebase.files
    return {"peak_rss_mb": peak.rss, "peak_pss_mb": peak.pss}


def questions(folder: str, cache: str) -> dict[str, Any]:
    """How long questions take, for a sample of symbols: at first, and when asked again."""
    from contexten.codebase import Codebase

    codebase = Codebase.from_path(folder, include=["*.py"], cache=cache)
    chosen = random.Random(SEED)  # noqa: S311 - a sample, not a secret
    names = chosen.sample(sorted(codebase.questions.snapshot.defined), 1000)
    symbols = [codebase.symbols(name)[0] for name in names]
    prompts = [f"change how {name.replace('_', ' ')} works" for name in names[:40]]
    begun = time.perf_counter()
    codebase.relevant_context("get ready")
    first = time.perf_counter() - begun
    return {
        "lookup": _times(codebase.symbols, names),
        "references_first": _times(codebase.references, symbols),
        "references_again": _times(codebase.references, symbols),
        "context_first_of_all": first,
        "context": _times(lambda each: codebase.relevant_context(each, None, 8000), prompts),
    }


def edit(folder: str, cache: str) -> dict[str, Any]:
    """How long it takes from a changed file to a correct index, and whether it equals a fresh one."""
    from contexten.codebase import Codebase

    codebase = Codebase.from_path(folder, include=["*.py"], cache=cache)
    paths = [each.path for each in codebase.files if 2000 < each.size < 40_000]
    times = []
    for path in random.Random(SEED).sample(paths, 15):  # noqa: S311 - a sample, not a secret
        file = Path(folder, path)
        file.write_bytes(file.read_bytes() + b"\n\ndef a_new_function():\n    return a_new_function\n")
        begun = time.perf_counter()
        changes = codebase.refresh()
        times.append(time.perf_counter() - begun)
        assert changes.changed == (path,)
    assert len(codebase.symbols("a_new_function")) == 15
    return {
        "refresh": _summary(times),
        "as_fresh": _same(codebase, Codebase.from_path(folder, include=["*.py"], cache=None)),
    }


def _same(one: Codebase, other: Codebase) -> bool:
    names = random.Random(SEED).sample(sorted(one.questions.snapshot.defined), 300)  # noqa: S311 - a sample
    return one.rank() == other.rank() and all(
        [one.references(each) for each in one.symbols(name)] == [other.references(each) for each in other.symbols(name)]
        for name in names
    )


def _times(question: Callable[[Any], object], values: list[Any]) -> dict[str, float]:
    found = []
    for value in values:
        begun = time.perf_counter()
        question(value)
        found.append(time.perf_counter() - begun)
    return _summary(found)


def _summary(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {"median": statistics.median(ordered), "p95": ordered[int(len(ordered) * 0.95)]}


if __name__ == "__main__":
    what = {"start": start, "memory": memory, "questions": questions, "edit": edit}[sys.argv[3]]
    print("FIGURES " + json.dumps(what(sys.argv[1], sys.argv[2])))
