"""A project's generated modules: what is locked is used, what is missing is asked for when the mode allows it."""

from __future__ import annotations

import logging
import threading
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.autogenlib.answer import AnswerError
from contexten.autogenlib.config import LOCK, AutogenConfig, Manifest
from contexten.autogenlib.lockfile import Lock
from contexten.autogenlib.policy import Policy
from contexten.autogenlib.request import CallerContext, GenerationRequest
from contexten.autogenlib.roots import top_modules
from contexten.errors import AutogenError, GenerationError, NotLockedError, PolicyError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from pydantic import SecretStr

    from contexten.autogenlib.config import Mode
    from contexten.autogenlib.generator import AutogenClient
    from contexten.autogenlib.request import GeneratedCode
    from contexten.autogenlib.stubs import Stubs

_LOG = logging.getLogger("contexten.autogenlib")


class Project:
    """The generated modules of one project. For threads: a name is asked for once.

    Args:
        start: a file or folder in the project, when the configuration names none.
        config: how code is generated.
        org_id: organization of what is asked; else as for every client.
        token: bearer token; else as for every client.
    """

    def __init__(
        self,
        start: str | os.PathLike[str] | None = None,
        config: AutogenConfig | None = None,
        *,
        org_id: int | str | None = None,
        token: str | SecretStr | None = None,
    ) -> None:
        self._org_id, self._token = org_id, token
        self.config = config or AutogenConfig()
        self.root = self.config.root(start or Path.cwd())
        self.lock = Lock(self.root, self.config.folder, lambda: self.config.settings.cache_dir / "autogen-locks")
        self._turns: dict[str, threading.RLock] = {}
        self._guard = threading.Lock()
        self._told: set[str] = set()

    @property
    def mode(self) -> Mode:
        """Whether what is missing is asked for."""
        return self.config.current_mode

    def source(self, module: str) -> str | None:
        """A locked module's source, checked by the gate; None when the lock does not have it.

        Raises:
            NotLockedError: the mode is off.
            PolicyError: the gate refuses the source.
            AutogenError: the lock, or the source that it has, cannot be read.
        """
        if self.mode == "off":
            raise NotLockedError(f"Generated code is switched off, so {module} is not there. Unset CONTEXTEN_AUTOGEN.")
        source = self.lock.source(module)
        if source is None:
            return None
        if reasons := self.refusals(module, source):
            raise PolicyError(f"{self._shown(module)} is not imported, the gate refuses it:", [*reasons, _HINT])
        if self.lock.drifted(module) and module not in self._told:
            self._told.add(module)
            _LOG.info("%s was changed by hand since it was generated; it is used as it is.", self._shown(module))
        return source

    def refusals(self, module: str, source: str) -> list[str]:
        """Why the gate refuses a locked module's source: what a person may have written into it counts as well."""
        locked = self.lock.modules().get(module)
        names = [*locked.names] if locked else []
        return self.policy.refusals(source, names)

    def define(self, module: str, names: Sequence[str], caller: CallerContext) -> str:
        """Add names to a module, by asking for them when they are missing; the module's whole source then.

        Raises:
            NotLockedError: they are missing and the mode forbids to ask.
            AutogenError: they could not be had.
            ApiError: the server could not be asked.
        """
        with self._turn(module):
            wanted = tuple(dict.fromkeys(names))
            present = self.source(module)
            if present is not None and self.lock.has(module, wanted):
                return present
            missing = tuple(name for name in wanted if not self.lock.has(module, (name,)))
            if self.mode != "generate":
                raise NotLockedError(_refusal(module, missing))
            self.ask(GenerationRequest(module, missing[0], caller, missing[1:], present or ""))
            return self.source(module) or ""

    def ask(self, request: GenerationRequest) -> GeneratedCode:
        """Ask for code and lock it.

        Raises:
            AutogenError: there is none that can be used.
            ApiError: the server could not be asked.
        """
        made = self.client.generate(request)
        try:
            self.lock.add(request.module_path, made)
        except AnswerError as error:
            raise GenerationError(f"{request.title} does not fit what the module has by now: {error}") from error
        self.stubs.follow()
        return made

    @cached_property
    def stubs(self) -> Stubs:
        """What type checkers are told of the modules."""
        from contexten.autogenlib.stubs import Stubs

        return Stubs(self.lock)

    @cached_property
    def client(self) -> AutogenClient:
        """What asks."""
        from dataclasses import replace

        from contexten.autogenlib.generator import AutogenClient

        return AutogenClient(self._org_id, self._token, replace(self.config, codebase_path=self.root))

    @cached_property
    def policy(self) -> Policy:
        """What is let in."""
        manifest = Manifest.of(self.root)
        allow = frozenset({*self.config.allow, *manifest.allow})
        return Policy(allow, top_modules(self.root), manifest.dependencies)

    def problems(self, module: str) -> list[str]:
        """What is wrong with a locked module: its source is gone, the gate refuses it, it was changed by hand."""
        try:
            source = self.lock.source(module) or ""
        except AutogenError as error:
            return [str(error)]
        changed = f"{self._shown(module)} was changed by hand; when that is meant: contexten autogen check --accept"
        return [*self.refusals(module, source), *([changed] if self.lock.drifted(module) else [])]

    def forget(self, modules: Sequence[str]) -> list[str]:
        """Take modules out of the lock with their sources, and every answer out of the cache; those that were there."""
        self.client.cache_manager.cache.clear()
        gone = [module for module in modules if self.lock.remove(module)]
        self.stubs.follow()
        return gone

    def _turn(self, module: str) -> threading.RLock:
        with self._guard:
            return self._turns.setdefault(module, threading.RLock())

    def _shown(self, module: str) -> str:
        return self.lock.source_path(module).relative_to(self.root).as_posix()


_HINT = 'Correct the source, or allow it by name: allow = ["…"] in [tool.contexten.autogen] of pyproject.toml.'


def _refusal(module: str, names: Sequence[str]) -> str:
    wanted = f"{module}:{','.join(names)}"
    return (
        f"{wanted} is not in {LOCK}, and CONTEXTEN_AUTOGEN forbids to ask for it. Where it may be asked for, run: "
        f"contexten autogen generate {wanted}   and commit {LOCK} with the sources."
    )
