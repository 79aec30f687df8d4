"""Running one program with the overlay in effect and nothing written to the package: an import hook does it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.errors import CodegenNotFoundError, UsageError
from contexten.overlay import contents
from contexten.overlay.target import PACKAGE, interpreter_in

if TYPE_CHECKING:
    from collections.abc import Sequence


def run(words: Sequence[str], python: str | os.PathLike[str] | None = None) -> int:
    """Run a program in an interpreter that has `codegen`.

    On POSIX the program takes this process's place, so signals and the exit code are its own.

    Args:
        words: a script and its arguments, or `-m`, a module and its arguments.
        python: the interpreter; this one, or that of the activated environment, when absent.

    Returns:
        The program's exit code.

    Raises:
        CodegenNotFoundError: neither environment has the package.
        UsageError: the script or the interpreter does not exist.
    """
    _check(words)
    command = [str(python or _interpreter()), *_bootstrap(), *words]
    try:
        if sys.platform == "win32":
            return subprocess.run(command, check=False).returncode  # noqa: S603 - the program that the user named
        sys.stdout.flush()
        os.execvp(command[0], command)  # noqa: S606 - the program that the user named
    except FileNotFoundError:
        raise UsageError(f"there is no interpreter {command[0]}. Give its path: --python .venv/bin/python") from None


def _check(words: Sequence[str]) -> None:
    if not words:
        raise UsageError("no program was named: contexten overlay run SCRIPT [ARGUMENTS]")
    if words[0] == "-m":
        if len(words) == 1:
            raise UsageError("no module was named: contexten overlay run -m MODULE [ARGUMENTS]")
    elif not Path(words[0]).exists():
        raise UsageError(f"there is no script {words[0]}.")


def _bootstrap() -> list[str]:
    sources = {name.removesuffix(".py"): str(path) for name, path in contents.sources().items()}
    return [str(Path(__file__).with_name("bootstrap.py")), json.dumps(sources)]


def _interpreter() -> str:
    if find_spec(PACKAGE) is not None:
        return sys.executable
    activated = os.environ.get("VIRTUAL_ENV")
    python = interpreter_in(Path(activated)) if activated else None
    if python is None:
        raise CodegenNotFoundError(
            "Codegen package not found in this environment. Name the interpreter that has it: --python .venv/bin/python"
        )
    return str(python)
