"""Which file an import means: dotted module names of a folder's Python files, and how they are looked up."""

from __future__ import annotations

import posixpath
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SOURCE_FOLDERS = ("src", "lib", "python")


class Modules:
    """The Python modules among some files."""

    def __init__(self, paths: Iterable[str]) -> None:
        python = sorted(path for path in paths if path.endswith((".py", ".pyi")))
        packages = {posixpath.dirname(path) for path in python if _stem(path) == "__init__"}
        self.names: dict[str, str] = {}
        self.roots: dict[str, str] = {}
        self.files: dict[str, list[str]] = {}
        for path in python:
            self._add(path, packages)

    def _add(self, path: str, packages: set[str]) -> None:
        root = _root_of(path, packages)
        self.roots[path] = root
        self.names[path] = name = _dotted(path, root)
        others = {_dotted(path, folder) for folder in ("", *_SOURCE_FOLDERS) if _within(path, folder)}
        for each in sorted({name, *others} - {""}):
            self.files.setdefault(each, []).append(path)

    def find(self, name: str, importer: str) -> str | None:
        """The file that `import name` means in the file `importer`; stubs give way to sources."""
        candidates = self.files.get(name)
        if not candidates:
            return None
        if name.partition(".")[0] in sys.stdlib_module_names:
            candidates = [each for each in candidates if self._shadows(each, name, importer)]
        return min(candidates, key=lambda path: self._distance(path, importer), default=None)

    def relative(self, module: str, level: int, importer: str) -> str:
        """The dotted path in the folder that a relative import means; empty when it leaves the folder."""
        folder = posixpath.dirname(importer)
        for _step in range(level - 1):
            if not folder:
                return ""
            folder = posixpath.dirname(folder)
        return posixpath.join(folder, module.replace(".", "/")) if module else folder

    def at(self, place: str) -> str | None:
        """The file that holds the module at a folder path without suffix."""
        inside = f"{place}/__init__" if place else "__init__"
        return next((p for stem in (inside, place) for s in (".py", ".pyi") if (p := stem + s) in self.names), None)

    def _shadows(self, path: str, name: str, importer: str) -> bool:
        """Whether a module with a name of the standard library is meant: only beside the importing file or at the top."""
        root = path.removesuffix(".py").removesuffix("/__init__").removesuffix(name.replace(".", "/"))
        return root == "" or (root.rstrip("/") == self.roots.get(importer) and root.rstrip("/") != "")

    def _distance(self, path: str, importer: str) -> tuple[bool, int, int, str]:
        common = len(posixpath.commonprefix([posixpath.dirname(path) + "/", posixpath.dirname(importer) + "/"]))
        return path.endswith(".pyi"), -common, path.count("/"), path


def _stem(path: str) -> str:
    return posixpath.splitext(posixpath.basename(path))[0]


def _root_of(path: str, packages: set[str]) -> str:
    folder = posixpath.dirname(path)
    while folder in packages and folder:
        folder = posixpath.dirname(folder)
    return folder


def _within(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _dotted(path: str, root: str) -> str:
    inner = path[len(root) + 1 :] if root else path
    return posixpath.splitext(inner)[0].removesuffix("__init__").rstrip("/").replace("/", ".")
