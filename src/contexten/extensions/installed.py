"""What installed packages offer: entry points of packages in the interpreter's own folders, never of the current folder.

A package's metadata counts when it lies where packages are installed, and its module is imported only when that is where it would
come from: a file of the same name in the folder where a program was started takes nobody's place.
"""

from __future__ import annotations

import json
import site
import sysconfig
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from contexten.errors import ExtensionError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.machinery import ModuleSpec


@dataclass(frozen=True, slots=True)
class Offer:
    """An extension that a package offers and nobody has loaded yet."""

    name: str
    package: str
    """Name and version."""
    entry: metadata.EntryPoint
    folders: tuple[Path, ...]
    """Where the package's modules may come from."""

    def load(self) -> Any:
        """Import it.

        Raises:
            ExtensionError: it cannot be imported, or something else would be.
        """
        try:
            self._check()
            extension = self.entry.load()
        except ExtensionError:
            raise
        except (Exception, SystemExit) as error:
            raise ExtensionError(
                f"The extension {self.name} of {self.package} cannot be loaded: {type(error).__name__}: {error}."
            ) from error
        if extension is None:
            raise ExtensionError(f"The extension {self.name} of {self.package} is None ({self.entry.value}).")
        return extension

    def _check(self) -> None:
        """Look where each part of the module's name would be imported from, the outermost first."""
        parts = self.entry.module.split(".")
        for count in range(1, len(parts) + 1):
            name = ".".join(parts[:count])
            spec = find_spec(name)
            if spec is None:
                raise ExtensionError(f"The extension {self.name} of {self.package} has no module {name}.")
            strange = next((place for place in _places(spec) if not self._owns(place)), None)
            if strange is not None:
                raise ExtensionError(
                    f"The extension {self.name} is of {self.package}, but {name} would be imported from {strange}."
                )

    def _owns(self, place: Path) -> bool:
        return any(place.is_relative_to(folder) for folder in self.folders)


def offers_of(group: str) -> tuple[dict[str, Offer], dict[str, str]]:
    """What the installed packages offer by name, and what is wrong with some, by name or folder."""
    found: dict[str, list[Offer]] = {}
    problems: dict[str, str] = {}
    seen: set[str] = set()
    for package in metadata.distributions(path=[str(folder) for folder in installed_folders()]):
        try:
            entries = [each for each in package.entry_points if each.group == group]
            name = package.metadata["Name"].lower().replace("_", "-") if entries else ""
            offers = [Offer(each.name, f"{name} {package.version}", each, _folders(package)) for each in entries]
        except Exception as error:  # noqa: BLE001 - somebody else's broken file must not hide the other packages
            place = str(package.locate_file(""))
            problems[place] = f"A package in {place} has metadata that cannot be read: {error!r}."
            continue
        for offer in (
            offers if name not in seen else ()
        ):  # a second copy of a package, behind the first, is not imported
            found.setdefault(offer.name, []).append(offer)
        seen.update({name} if name else ())
    for name, offers in found.items():
        if len(offers) > 1:
            packages = ", ".join(sorted(each.package for each in offers))
            problems[name] = f"Several packages offer the extension {name}: {packages}. Remove all but one."
    return {name: offers[0] for name, offers in found.items() if name not in problems}, problems


def installed_folders() -> list[Path]:
    """The folders in which this interpreter's packages are installed, in the order in which it looks."""
    named = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()]
    if site.ENABLE_USER_SITE:
        named.append(site.getusersitepackages())
    return [folder for folder in dict.fromkeys(Path(name).resolve() for name in named) if folder.is_dir()]


def _folders(package: metadata.Distribution) -> tuple[Path, ...]:
    return tuple(folder.resolve() for folder in (Path(str(package.locate_file(""))), *_editable(package)))


def _editable(package: metadata.Distribution) -> Iterator[Path]:
    """The folder of the sources of a package that is installed to be edited (PEP 610)."""
    said = json.loads(package.read_text("direct_url.json") or "{}")
    url = urlsplit(said.get("url", ""))
    if said.get("dir_info", {}).get("editable") and url.scheme == "file":
        yield Path(url2pathname(url.path))


def _places(spec: ModuleSpec) -> Iterator[Path]:
    """The files, or for a package without one the folders, that a module would be made of."""
    if spec.origin is not None:
        yield Path(spec.origin).resolve()
    else:
        yield from (Path(folder).resolve() for folder in spec.submodule_search_locations or ())
