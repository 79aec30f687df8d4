"""Finding an installed program and its version by looking at its files: nothing is started, so it can be asked often."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_VERSION = re.compile(r"\d+\.\d+\.\d+[\w.+-]*")
_ABOVE = 4
"""Folders above a program in which its package may be described."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A program that is there."""

    path: str
    version: str
    """Empty when its files do not tell."""


def find_installed(program: str, package: str) -> Installed | None:
    """The program that the user's shell would run; None when there is none.

    Args:
        program: its name on the PATH.
        package: its name in the npm registry.
    """
    path = shutil.which(program)
    if path is None:
        return None
    try:
        real = Path(path).resolve()
        changed = real.stat().st_mtime_ns
    except (OSError, RuntimeError):  # gone meanwhile; a link to itself
        return None
    return Installed(path, _version_of(real, package, changed))


@lru_cache(maxsize=16)
def _version_of(real: Path, package: str, changed: int) -> str:
    """The version in a program's own path, as native installations and Homebrew have it, or in its npm package."""
    del changed  # a part of what is remembered: an update in place counts
    for part in reversed(real.parts):
        if _VERSION.fullmatch(part):
            return part
    for folder in real.parents[:_ABOVE]:
        for described in (folder / "package.json", folder / "node_modules" / package / "package.json"):
            if version := _described(described, package):
                return version
    return ""


def _described(file: Path, package: str) -> str | None:
    try:
        data = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    is_it = isinstance(data, dict) and data.get("name") == package and isinstance(data.get("version"), str)
    return str(data["version"])[:40] if is_it else None
