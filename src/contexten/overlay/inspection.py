"""What is checked before anything is changed: version, structure, signatures, RECORD, permission."""

from __future__ import annotations

import ast
import os
import re
from typing import TYPE_CHECKING

from contexten.errors import PackageNotWritableError, PackageStructureError
from contexten.overlay import record
from contexten.overlay.files import read

if TYPE_CHECKING:
    from pathlib import Path

    from contexten.overlay.target import Target

OLDEST, BEFORE = (0, 54), (0, 58)
_RANGE = "codegen>=0.54,<0.58"

_SIGNATURES = {
    "Agent": {"__init__": ["self", "token", "org_id"], "run": ["self", "prompt"], "get_status": ["self"]},
    "AgentTask": {"__init__": ["self", "task_data", "api_client", "org_id"], "refresh": ["self"]},
}


def check_version(target: Target) -> None:
    """Refuse a version that the overlay was not made for.

    Raises:
        PackageStructureError: it is older or newer.
    """
    numbers = re.match(r"(\d+)\.(\d+)", target.version)
    known = numbers is not None and OLDEST <= (int(numbers[1]), int(numbers[2])) < BEFORE
    if not known:
        raise PackageStructureError(
            f"Package structure invalid: the overlay knows codegen 0.54 to 0.57, and {target.version or 'no version'} is "
            f'installed. Install one of these: pip install "{_RANGE}"'
        )


def check_structure(target: Target, source: bytes | None) -> None:
    """Refuse a package whose classes are not those that the hooks were written for.

    Args:
        target: the package.
        source: the text of `agents/agent.py` as its makers wrote it; None when it is missing.

    Raises:
        PackageStructureError: a file, class, method or argument is missing.
    """
    if source is None:
        raise _invalid(target, f"{target.agent} is missing")
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise _invalid(target, f"{target.agent} is not Python ({error})") from error
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    for name, methods in _SIGNATURES.items():
        if name not in classes:
            raise _invalid(target, f"{target.agent} has no class {name}")
        _check_class(target, classes[name], methods)


def check_record(target: Target) -> bytes:
    """The content of RECORD.

    Raises:
        PackageStructureError: it is missing, cut short, or does not list the file that is to be changed.
    """
    content = read(target.record) if target.record else None
    if not content:
        raise _invalid(target, "its RECORD is missing, so an uninstall could not remove the overlay")
    if not content.endswith(b"\n") or target.name_in_record(target.agent) not in record.entries(content):
        raise _invalid(target, f"{target.record} does not list {target.name_in_record(target.agent)}")
    return content


def check_writable(target: Target) -> None:
    """Refuse folders in which this user may not make and replace files.

    Raises:
        PackageNotWritableError: one of them is such a folder.
    """
    for folder in changed_folders(target):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PackageNotWritableError(
                f"Package not writable: {folder}. Use a virtual environment of your own, install codegen for this user "
                "(pip install --user codegen), or instrument single programs: contexten overlay run SCRIPT"
            )


def changed_folders(target: Target) -> list[Path]:
    """The folders in which files are made, replaced or removed, as far as they exist."""
    folders = (target.package, target.agent.parent, target.payload, target.metadata)
    return [folder for folder in folders if folder is not None and folder.is_dir()]


def _check_class(target: Target, found: ast.ClassDef, methods: dict[str, list[str]]) -> None:
    defined = {node.name: node for node in found.body if isinstance(node, ast.FunctionDef)}
    for name, arguments in methods.items():
        where = f"{found.name}.{name}"
        if name not in defined:
            raise _invalid(target, f"there is no {where}")
        has = [argument.arg for argument in defined[name].args.args]
        if has[: len(arguments)] != arguments:
            raise _invalid(target, f"{where} takes ({', '.join(has)}) instead of ({', '.join(arguments)}, …)")


def _invalid(target: Target, reason: str) -> PackageStructureError:
    again = f'pip install --force-reinstall --no-deps "codegen=={target.version}"'
    return PackageStructureError(f"Package structure invalid: {reason}. Install the package anew: {again}")
