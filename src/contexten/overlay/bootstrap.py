"""Runs inside the target's interpreter: `python bootstrap.py SOURCES SCRIPT …`; standard library only.

Serves `codegen.contexten` from our own files and instruments `codegen.agents.agent` right after its import. A fault of
ours is told on standard error and the program runs on without the overlay.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.abc import Loader
    from types import ModuleType

INSTRUMENTED = "codegen.agents.agent"
ADDED = "codegen.contexten"


class _Unwritten(SourceFileLoader):
    """Loads a source file and leaves no bytecode beside it."""

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Write nothing."""


class Finder:
    """Finds our modules under the package's name, and watches for the module to instrument."""

    def __init__(self, sources: dict[str, str]) -> None:
        self._sources = sources

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        """The specification of a module that is ours to serve or to watch, else None."""
        if name == ADDED:
            return self._ours(name, "__init__")
        if name.startswith(f"{ADDED}."):
            return self._ours(name, name.removeprefix(f"{ADDED}."))
        if name == INSTRUMENTED:
            return _watched(self._theirs(name, path, target))
        return None

    def _ours(self, name: str, key: str) -> ModuleSpec | None:
        file = self._sources.get(key)
        if file is None:
            return None
        inside: list[str] | None = [] if key == "__init__" else None
        return spec_from_file_location(name, file, loader=_Unwritten(name, file), submodule_search_locations=inside)

    def _theirs(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        others = (finder for finder in sys.meta_path if finder is not self)
        return next((spec for finder in others if (spec := finder.find_spec(name, path, target))), None)


def _watched(spec: ModuleSpec | None) -> ModuleSpec | None:
    if spec is not None and spec.loader is not None:
        try:
            _instrument_after(spec.loader)
        except Exception as error:  # noqa: BLE001 - the user's program must run whatever happens to the overlay
            _tell(error)
    return spec


def _instrument_after(loader: Loader) -> None:
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        execute(module)
        if module.__name__ == INSTRUMENTED:
            _instrument(module)

    loader.exec_module = exec_module  # type: ignore[method-assign]  # this one loader, before its module is executed


def _instrument(module: ModuleType) -> None:
    try:
        from importlib import import_module

        import_module(f"{ADDED}.integration").instrument(module.Agent, module.AgentTask)
    except Exception as error:  # noqa: BLE001 - the user's program must run whatever happens to the overlay
        _tell(error)


def _tell(error: Exception) -> None:
    sys.stderr.write(f"contexten overlay: not in effect ({type(error).__name__}: {error})\n")


def main() -> None:
    """Put the hook in place, then run the script or module as Python would."""
    _, sources, *words = sys.argv
    sys.meta_path.insert(0, Finder(json.loads(sources)))
    if words[0] == "-m":
        _put_first(os.getcwd())  # noqa: PTH109 - what Python itself puts there
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        _put_first(os.path.dirname(os.path.realpath(words[0])))  # noqa: PTH120 - what Python itself puts there
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")


def _put_first(folder: str) -> None:
    """Put the program's folder where ours is; with `-P` or PYTHONSAFEPATH neither of them is there."""
    if not sys.flags.safe_path:
        sys.path[0] = folder


if __name__ == "__main__":
    main()
