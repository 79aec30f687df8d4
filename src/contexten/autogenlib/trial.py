"""Trying new code in a process of its own, with limits and without the environment's secrets: it is imported, its doctests run.

The process is no sandbox: it can read and write what the user can. The gate has read the code before.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS = 30.0
_LONGEST = 2000
_KEPT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TZ")
_LAUNCH = Path(__file__).with_name("launch.py")


def failures_of(
    code: str, module: str, paths: Sequence[str | os.PathLike[str]], seconds: float = SECONDS
) -> str | None:
    """What went wrong when code was imported and its doctests were run; None when nothing did.

    Args:
        code: a module that the gate has let through.
        module: its name.
        paths: folders that it imports the project's own modules from.
        seconds: that it may take.
    """
    with tempfile.TemporaryDirectory(prefix="contexten-trial-") as folder:
        file = Path(folder) / f"{module.rpartition('.')[2]}.py"
        file.write_text(code, "utf-8")
        command = [sys.executable, "-I", "-B", str(_LAUNCH), str(file), *(os.fspath(path) for path in paths)]
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        said = Path(folder) / "said"  # a file, so that its size is limited too
        with said.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own launcher, which limits itself before it loads the code
                command, env={**environment, "HOME": folder}, cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            return f"It did not end within {seconds:g} s when it was imported and its doctests were run."
        finally:
            _end(process)
        text = said.read_text("utf-8", "replace").replace(folder, "").strip()
    if process.returncode == 0:
        return None
    return f"It failed when it was imported and its doctests were run: {text[-_LONGEST:] or process.returncode}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the process with all that it started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        process.kill()
    process.wait()
