"""The registry: names with what stands behind them, loaded from installed packages when it is first asked for."""

from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING, Any

from contexten.errors import ExtensionError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contexten.extensions.installed import Offer

GROUP = "contexten.extensions"
"""Entry points of this group are extensions."""
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_LOG = logging.getLogger("contexten.extensions")


class ExtensionRegistry:
    """Extensions by name. What a program registers wins over what a package offers. For threads.

    Args:
        group: of the entry points by which packages offer extensions.
    """

    def __init__(self, group: str = GROUP) -> None:
        self._group = group
        self._lock = threading.Lock()
        self._registered: dict[str, Any] = {}
        self._loaded: dict[str, Any] = {}
        self._offers: Mapping[str, Offer] | None = None
        self._problems: dict[str, str] = {}

    def register_extension(self, name: str, extension: Any, *, replace: bool = False) -> None:
        """Take an extension in; the same one again changes nothing.

        Args:
            name: letters, digits, `.`, `_` and `-`.
            extension: any object.
            replace: whether to take the place of another one of that name.

        Raises:
            UsageError: the name cannot be one, or another extension has it.
        """
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise UsageError(f"An extension's name has letters, digits, ., _ and - alone, got {name!r}.")
        if extension is None:
            raise UsageError(f"The extension {name} is None: there is nothing to register.")
        with self._lock:
            there = self._registered.get(name)
            if there is not None and there is not extension and not replace:
                raise UsageError(f"Another extension is registered as {name}: say replace=True to take its place.")
            self._registered[name] = extension

    def unregister_extension(self, name: str) -> bool:
        """Forget what was registered under a name; False when nothing was."""
        with self._lock:
            return self._registered.pop(name, None) is not None

    def get_extension(self, name: str) -> Any:
        """The extension of a name; a package's is imported when it is first asked for.

        Raises:
            ExtensionError: there is none, or its package cannot be loaded.
        """
        with self._lock:
            known = self._registered.get(name, self._loaded.get(name))
        if known is not None:
            return known
        offer = self._offered().get(name)
        if offer is None:
            raise ExtensionError(self._problems.get(name) or self._missing(name))
        return self._load(offer)

    def names(self) -> list[str]:
        """The names of all extensions, of those too that are not loaded yet. Nothing is imported."""
        return sorted({*self._registered, *self._offered()})

    def load(self) -> dict[str, Any]:
        """All extensions by name. One that cannot be loaded is left out, told to the log once, and in `problems`."""
        found = {}
        for name in self.names():
            try:
                found[name] = self.get_extension(name)
            except ExtensionError as error:
                _LOG.debug("%s", error)
        return found

    def problems(self) -> dict[str, str]:
        """What is wrong with extensions that could not be loaded so far, by name or package."""
        self._offered()
        with self._lock:
            return dict(self._problems)

    def package_of(self, name: str) -> str | None:
        """The installed package that an extension comes from, with its version; None for one of the program's own."""
        offer = self._offered().get(name)
        return None if offer is None or name in self._registered else offer.package

    def _load(self, offer: Offer) -> Any:
        try:
            extension = offer.load()
        except ExtensionError as error:
            self._report(offer.name, str(error))
            raise
        with self._lock:
            self._problems.pop(offer.name, None)
            return self._loaded.setdefault(offer.name, extension)

    def _offered(self) -> Mapping[str, Offer]:
        """What packages offer; looked up once."""
        if self._offers is None:
            from contexten.extensions.installed import offers_of

            offers, problems = offers_of(self._group)
            for name, problem in problems.items():
                self._report(name, problem)
            self._offers = offers
        return self._offers

    def _report(self, name: str, problem: str) -> None:
        with self._lock:
            known = self._problems.get(name)
            self._problems[name] = problem
        if known != problem:
            _LOG.warning("%s It is left out.", problem)

    def _missing(self, name: str) -> str:
        known = ", ".join(self.names()) or "none"
        return f"There is no extension {name!r}. Those there are: {known}. Install its package, or register it."
