"""Import of modules that are generated: looking for one, and loading it, never asks a model; wanting a name of one may."""

from __future__ import annotations

import sys
import threading
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from contexten.autogenlib.asking import Asked, asked_by, importer
from contexten.autogenlib.moving import shifted
from contexten.autogenlib.project import Project
from contexten.autogenlib.request import CallerContext, is_module, is_public
from contexten.autogenlib.usages import uses_in
from contexten.errors import ContextenError, GenerationError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from importlib.abc import Loader

    from pydantic import SecretStr

    from contexten.autogenlib.config import AutogenConfig

_CALLER = 2
"""Frames from `asked_by` to whoever takes an attribute."""


class GeneratedModule(ModuleType):
    """A module whose names are generated when a statement wants them."""

    def __getattr__(self, name: str) -> Any:
        loader = self.__dict__.get("__loader__")
        asked = asked_by(name, _CALLER) if is_public(name) and isinstance(loader, GeneratedLoader) else None
        if asked is None or not isinstance(loader, GeneratedLoader) or not loader.define(self, name, asked):
            raise AttributeError(f"module {self.__name__!r} has no {name!r} yet: from {self.__name__} import {name}")
        return self.__dict__[name]


class GeneratedLoader:
    """Loads one generated module. Its base is no `importlib.abc.Loader`: importing that takes longer than all of this."""

    def __init__(self, finder: GeneratedFinder, root: str, module: str) -> None:
        self._finder, self._root, self.module = finder, root, module
        self._lines: list[str] = []
        self._changing = threading.RLock()

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """A module that is empty so far."""
        return GeneratedModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Execute what is locked; nothing is asked for."""
        project = self._finder.project(importer())
        source = project.source(self.module)
        if source is not None:
            self._take(module, source, project)

    def get_source(self, _fullname: str) -> str | None:
        """The source as it was executed."""
        return "\n".join(self._lines) + "\n" if self._lines else None

    def is_package(self, _fullname: str) -> bool:
        """A generated module may have others below it."""
        return True

    def define(self, module: GeneratedModule, name: str, asked: Asked) -> bool:
        """Give a module what a statement wants of it; False when the name is a module below it."""
        project = self._finder.project(asked.file)
        if asked.by_import and self._is_below(project, name, asked.file):
            return False
        wanted = [each for each in asked.names if is_public(each) and each not in module.__dict__]
        names = [each for each in wanted if each == name or not self._is_below(project, each, asked.file)]
        with self._changing:
            if name not in module.__dict__:
                source = self._defined(project, names, self._caller(asked.file, names))
                self._take(module, source, project)
        return name in module.__dict__

    def _defined(self, project: Project, names: Sequence[str], caller: CallerContext) -> str:
        try:
            return project.define(self.module, names, caller)
        except ContextenError as error:  # what went on inside would hide from a person the line that imports
            if isinstance(error, ImportError):
                raise error.with_traceback(None) from None
            wanted = f"{self.module}:{','.join(names)}"
            raise GenerationError(f"{wanted} could not be asked for: {error}") from None

    def _take(self, module: ModuleType, source: str, project: Project) -> None:
        """Execute what of a source is not executed yet; what was before stays the same object."""
        path = str(project.lock.source_path(self.module))
        module.__file__ = path
        if module.__spec__ is not None:
            module.__spec__.origin = path
        lines = source.rstrip("\n").split("\n")
        exec(shifted(module.__dict__, self._lines, lines, path), module.__dict__)  # noqa: S102 - it has passed the gate
        self._lines = lines

    def _is_below(self, project: Project, name: str, file: str) -> bool:
        """Whether a name that is imported from this module is a module of its own."""
        below = f"{self.module}.{name}"
        if f"{self._root}.{below}" in sys.modules or any(
            f"{each}.".startswith(f"{below}.") for each in project.lock.modules()
        ):
            return True
        uses = uses_in(_text(file), self._finder.spellings(self.module), name)
        return uses.attributes_only and name.islower()

    def _caller(self, file: str, names: Sequence[str]) -> CallerContext:
        text = _text(file)
        spellings = self._finder.spellings(self.module)
        uses = [use for name in names for use in uses_in(text, spellings, name).expressions]
        return CallerContext(file if text else "", "\n".join(uses), text)


class GeneratedFinder:
    """Finds generated modules below packages such as `contexten.autogen`. The last to be asked: real modules win."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._config: AutogenConfig | None = None
        self._project: Project | None = None
        self.org_id: int | str | None = None
        self.token: SecretStr | str | None = None
        self.packages: set[str] = set()
        """Packages below which modules are generated."""

    def configure(self, config: AutogenConfig | None) -> None:
        """How code is generated from now on; None for what the settings say."""
        with self._lock:
            self._config, self._project = config, None

    def act_for(self, org_id: int | str | None, token: SecretStr | str | None) -> None:
        """Who asks from now on; None for what the settings say."""
        with self._lock:
            self.org_id, self.token, self._project = org_id, token, None

    @property
    def config(self) -> AutogenConfig:
        """How code is generated."""
        from contexten.autogenlib.config import AutogenConfig

        return self._config or AutogenConfig()

    def project(self, file: str | os.PathLike[str]) -> Project:
        """The project of this process: that of the first file that wanted something, unless it is configured."""
        with self._lock:
            if self._project is None:
                known = bool(file) and Path(file).is_file()
                self._project = Project(file if known else None, self._config, org_id=self.org_id, token=self.token)
            return self._project

    def spellings(self, module: str) -> set[str]:
        """The names under which one module can be imported."""
        return {f"{package}.{module}" for package in self.packages}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module that could be generated; nobody is asked for anything."""
        del path, target
        root = next((each for each in self.packages if fullname.startswith(f"{each}.")), None)
        module = fullname[len(root) + 1 :] if root else ""
        if root is None or not is_module(module):
            return None
        spec = ModuleSpec(fullname, cast("Loader", GeneratedLoader(self, root, module)), is_package=True)
        spec.submodule_search_locations = []
        return spec


finder = GeneratedFinder()
"""The process's own."""


def install(package: str) -> None:
    """Let modules below a package be generated."""
    finder.packages.add(package)
    if finder not in sys.meta_path:
        sys.meta_path.append(finder)


def uninstall(package: str) -> None:
    """Undo `install`; what was imported stays."""
    finder.packages.discard(package)
    if not finder.packages and finder in sys.meta_path:
        sys.meta_path.remove(finder)


def _text(file: str) -> str:
    import linecache

    return "".join(linecache.getlines(file))
