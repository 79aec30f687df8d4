"""Finding the `codegen` package: in this environment, in another interpreter's, or in a folder that was named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, TypeVar

from contexten.errors import CodegenNotFoundError, PackageStructureError, UsageError
from contexten.overlay.files import read

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGE = "codegen"
BACKUP_SUFFIX = ".original"
_PROBE = "import json, sys; print(json.dumps([p for p in sys.path if p]))"
_PROBE_SECONDS = 60
_INSTALL = "Install it: pip install codegen (it needs Python 3.12 or 3.13)."

AnyPath = TypeVar("AnyPath", bound=PurePath)


@dataclass(frozen=True)
class Target:
    """An installed `codegen`, or what an uninstall has left of one.

    Args:
        site_packages: the folder that it is installed in.
        metadata: its `.dist-info` folder; None when only leftovers are there.
        version: its version; empty without metadata.
        python: an interpreter that imports it, when one is known.
    """

    site_packages: Path
    metadata: Path | None
    version: str
    python: Path | None = None

    @property
    def package(self) -> Path:
        """The package's folder."""
        return self.site_packages / PACKAGE

    @property
    def agent(self) -> Path:
        """The one file of the package that the overlay changes."""
        return self.package / "agents" / "agent.py"

    @property
    def backup(self) -> Path:
        """The copy of that file from before."""
        return self.agent.with_name(self.agent.name + BACKUP_SUFFIX)

    @property
    def payload(self) -> Path:
        """The folder that the overlay adds."""
        return self.package / "contexten"

    @property
    def record(self) -> Path | None:
        """The installer's list of the package's files."""
        return self.metadata / "RECORD" if self.metadata else None

    def name_in_record(self, path: Path) -> str:
        """How RECORD calls a file of the package."""
        return path.relative_to(self.site_packages).as_posix()


def find(python: str | os.PathLike[str] | None = None, target: str | os.PathLike[str] | None = None) -> Target:
    """The package in the environment of an interpreter, in a folder, or in this environment, in this order.

    Args:
        python: an interpreter.
        target: a folder: `site-packages`, an environment, or the package itself.

    Raises:
        CodegenNotFoundError: it is not there.
        PackageStructureError: it is there in a form that cannot be changed: zipped, or installed from its sources.
        UsageError: the interpreter or the folder does not exist, or both were given.
    """
    if python and target:
        raise UsageError("--python and --target were both given: name one of them.")
    if target:
        return _in_folders(_folders(Path(target)), str(target), None)
    if python:
        return _in_folders(_paths_of(str(python)), str(python), _absolute(str(python)))
    return _around()


def _around() -> Target:
    """This interpreter's package, else that of the activated environment."""
    here = Path(sys.executable)
    try:
        return _in_folders([Path(entry) for entry in sys.path if entry], str(here), here)
    except CodegenNotFoundError:
        activated = os.environ.get("VIRTUAL_ENV")
        if not activated or Path(activated).resolve() == Path(sys.prefix).resolve():
            raise
        return _in_folders(_folders(Path(activated)), activated, interpreter_in(Path(activated)))


def environment_folders(root: AnyPath) -> list[AnyPath]:
    """Where an environment may have its packages, by the layouts of Windows and of other systems."""
    return [root / "Lib" / "site-packages", root / "site-packages", root]


def interpreter_in(root: Path) -> Path | None:
    """The interpreter of an environment."""
    candidates = (root / "bin" / "python", root / "Scripts" / "python.exe", root / "python.exe")
    return next((path for path in candidates if path.is_file()), None)


def _folders(named: Path) -> list[Path]:
    folder = Path(os.path.abspath(named.expanduser()))  # noqa: PTH100 - `resolve` would follow an environment's links
    if not folder.exists():
        raise UsageError(f"there is no folder {folder}. Name site-packages, an environment, or the package's folder.")
    if folder.name == PACKAGE and (folder / "agents").is_dir():
        return [folder.parent]
    return [*sorted(folder.glob("lib*/python3*/site-packages")), *environment_folders(folder)]


def _paths_of(python: str) -> list[Path]:
    command = [python, "-c", _PROBE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True)  # noqa: S603 - the user named the interpreter
        entries = json.loads(done.stdout)
    except FileNotFoundError:
        raise UsageError(f"there is no interpreter {python}. Give its path: --python .venv/bin/python") from None
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise UsageError(f"{python} does not answer as a Python interpreter ({error}).") from error
    return [Path(entry) for entry in entries]


def _absolute(python: str) -> Path:
    import shutil

    return Path(os.path.abspath(shutil.which(python) or python))  # noqa: PTH100 - a link is the environment's own name


def _in_folders(folders: Iterable[Path], where: str, python: Path | None) -> Target:
    leftovers = None
    for folder in dict.fromkeys(folders):
        if folder.is_file():
            _refuse_zip(folder)
            continue
        if metadata := _metadata(folder):
            return _checked(Target(folder, metadata, _version(metadata), python))
        if (folder / PACKAGE / "agents" / "agent.py").is_file():
            raise PackageStructureError(
                f"Package structure invalid: {folder / PACKAGE} has no metadata ({PACKAGE}-….dist-info), so no "
                f"installer can update or remove it. {_INSTALL}"
            )
        if leftovers is None and _is_ours(folder / PACKAGE):
            leftovers = Target(folder, None, "", python)
    if leftovers:
        return leftovers
    raise CodegenNotFoundError(
        f"Codegen package not found in {where}. {_INSTALL} For another environment: --python PATH or --target FOLDER."
    )


def _metadata(folder: Path) -> Path | None:
    found = sorted(folder.glob(f"{PACKAGE}-[0-9]*.dist-info"))
    return next((path for path in found if (path / "METADATA").is_file()), None)


def _version(metadata: Path) -> str:
    headers = HeaderParser().parsestr((metadata / "METADATA").read_text("utf-8", "replace"))
    return headers.get("Version", "").strip()


def _checked(target: Target) -> Target:
    """Refuse a package that is somebody's source tree."""
    assert target.metadata is not None  # noqa: S101 - the caller has just found it
    if _is_editable(target.metadata / "direct_url.json"):
        raise PackageStructureError(
            "Package structure invalid: codegen is installed as editable, so a change would go into its sources. "
            "Instrument single programs instead: contexten overlay run SCRIPT"
        )
    return target


def _is_editable(origin: Path) -> bool:
    """What an installer wrote down of where the package is from (PEP 610)."""
    try:
        facts = json.loads(read(origin) or b"{}")
        return bool(facts.get("dir_info", {}).get("editable"))
    except (ValueError, AttributeError, RecursionError) as error:
        raise PackageStructureError(
            f"Package structure invalid: {origin} cannot be understood, so codegen may be a source tree. {_INSTALL}"
        ) from error


def _refuse_zip(archive: Path) -> None:
    if _is_zipped(archive):
        raise PackageStructureError(
            f"Package structure invalid: codegen is inside the archive {archive}. {_INSTALL} "
            "Or instrument single programs: contexten overlay run SCRIPT"
        )


def _is_zipped(archive: Path) -> bool:
    try:
        with zipfile.ZipFile(archive) as opened:
            return f"{PACKAGE}/agents/agent.py" in opened.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def _is_ours(package: Path) -> bool:
    ours = ("contexten/manifest.json", "contexten/integration.py", f"agents/agent.py{BACKUP_SUFFIX}")
    return any((package / name).is_file() for name in ours)
