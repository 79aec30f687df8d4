"""From where a project's own modules are imported, and what they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_NO_MODULES = {"setup", "conftest", "noxfile"}


def import_folders(root: Path) -> list[Path]:
    """The folders in which a project's top-level modules are."""
    return [folder for folder in (root / "src", root) if folder.is_dir()]


def top_modules(root: Path) -> frozenset[str]:
    """The modules and packages that a project has at its top."""
    found = (path for folder in import_folders(root) for path in folder.iterdir() if path.stem.isidentifier())
    return frozenset(path.stem for path in found if _is_module(path))


def _is_module(path: Path) -> bool:
    if path.suffix == ".py":
        return path.stem not in _NO_MODULES
    return path.is_dir() and (path / "__init__.py").is_file()
