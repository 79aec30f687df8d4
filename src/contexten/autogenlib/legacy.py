"""`import autogenlib` for programs that are written for the package of that name: theirs keeps working, on this one.

Nothing called `autogenlib` is installed at the top: a program that wants it from here says so once, before it imports it.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from types import ModuleType
from typing import Any

from contexten._version import __version__
from contexten.autogenlib import explaining
from contexten.autogenlib.finder import finder, install, uninstall
from contexten.errors import UsageError

NAME = "autogenlib"


class LegacyAdapter:
    """Puts a module `autogenlib` in place, with the functions of the package of that name."""

    def install(self, *, replace_loaded: bool = False) -> ModuleType:
        """Put it in place; the module.

        Args:
            replace_loaded: whether to take the place of the other package when that is imported already.

        Raises:
            UsageError: it is.
        """
        with _INSTALLING:
            loaded = sys.modules.get(NAME)
            if isinstance(loaded, _Legacy):
                return loaded
            if loaded is not None and not replace_loaded:
                raise UsageError(
                    f"Another package {NAME} is imported already ({getattr(loaded, '__file__', None)}). Install this one "
                    "before that is imported, or say replace_loaded=True."
                )
            for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
                del sys.modules[name]
            install(NAME)
            sys.modules[NAME] = module = _Legacy(self)
            return module

    def uninstall(self) -> None:
        """Take it away again, with what was imported from it."""
        with _INSTALLING:
            if isinstance(sys.modules.get(NAME), _Legacy):
                uninstall(NAME)
                for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
                    del sys.modules[name]

    def init(
        self,
        desc: str | None = None,
        enable_exception_handler: bool | None = None,
        enable_caching: bool | None = None,
        **config: Any,
    ) -> None:
        """Say what the code is for; may be said again at any time, and holds from then on.

        Args:
            desc: a description, in a person's words.
            enable_exception_handler: whether uncaught errors are explained.
            enable_caching: whether answers are used again.
            config: anything else of `AutogenConfig`.
        """
        said: dict[str, Any] = dict(config)
        if desc is not None:
            said["description"] = desc
        if enable_caching is not None:
            said["caching"] = enable_caching
        finder.configure(replace(finder.config, **said))
        if enable_exception_handler is not None:
            self.set_exception_handler(enable_exception_handler)

    def set_caching(self, enabled: bool = True) -> None:
        """Whether answers are used again."""
        self.init(enable_caching=enabled)

    def set_exception_handler(self, enabled: bool = True) -> None:
        """Whether uncaught errors are explained: one question for each, none for an interrupt."""
        if enabled:
            explaining.install()
        else:
            explaining.uninstall()

    def setup_exception_handler(self) -> None:
        """Explain uncaught errors."""
        self.set_exception_handler(enabled=True)


class _Legacy(ModuleType):
    """The module `autogenlib`."""

    def __init__(self, adapter: LegacyAdapter) -> None:
        super().__init__(NAME, "Modules that are generated when they are imported, by Contexten.")
        from importlib.machinery import ModuleSpec

        self.__path__ = []
        self.__package__ = NAME
        self.__spec__ = ModuleSpec(NAME, None, is_package=True)
        self.__spec__.submodule_search_locations = self.__path__
        self.__version__ = __version__
        self.init = adapter.init
        self.set_caching = adapter.set_caching
        self.set_exception_handler = adapter.set_exception_handler
        self.setup_exception_handler = adapter.setup_exception_handler
        self.__all__ = ["init", "set_caching", "set_exception_handler", "setup_exception_handler"]


_INSTALLING = threading.Lock()
