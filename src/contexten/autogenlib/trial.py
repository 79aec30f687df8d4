"""Trying new code in a process of its own, with limits and without the environment's secrets: it is imported, its doctests run.

Where bubblewrap works the process is in its sandbox: no network, nothing of the machine to read but programs, the packages of this
interpreter and the project's modules without what is hidden beside them, nothing to write but its own folder. Elsewhere it can read and write what the user can. The
gate has read the code before.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.client.completing import completed
from contexten.codebase.hidden import is_hidden

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contexten.engines.sandbox import Sandbox

SECONDS = 30.0
_LONGEST = 2000
_READ = 100_000
"""Bytes that are read of what it says, the last ones."""
_KEPT = ("LANG", "LC_ALL", "SYSTEMROOT", "TZ")
_LAUNCH = Path(__file__).with_name("launch.py")


def failures_of(  # noqa: PLR0913 - what it may see and take, each by name
    code: str,
    module: str,
    paths: Sequence[Path],
    seconds: float = SECONDS,
    *,
    walls: bool = True,
    hidden: Sequence[Path] = (),
) -> str | None:
    """What went wrong when code was imported and its doctests were run; None when nothing did.

    Args:
        code: a module that the gate has let through.
        module: its name.
        paths: folders that it imports the project's own modules from.
        seconds: that it may take.
        walls: whether it is tried in bubblewrap, where that works.
        hidden: folders that it does not see there, wherever they are.
    """
    with tempfile.TemporaryDirectory(prefix="contexten-trial-") as folder:
        file = Path(folder) / f"{module.rpartition('.')[2]}.py"
        file.write_text(code, "utf-8")
        said = Path(folder) / "said"  # a file, so that its size is limited too
        sandbox, home = _sandbox(paths, hidden, walls=walls)
        with said.open("w+b") as output:  # read from here: what the code may put in its place is not opened
            done = completed(
                sandbox.run(
                    [sys.executable, "-I", "-B", str(_LAUNCH), str(said), str(file), *(str(path) for path in paths)],
                    root=Path(folder),
                    timeout=seconds,
                    max_output=_LONGEST,
                    env={**{name: os.environ[name] for name in _KEPT if name in os.environ}, "HOME": home or folder},
                )
            )
            output.seek(-min(_READ, os.fstat(output.fileno()).st_size), os.SEEK_END)
            text = (output.read().decode("utf-8", "replace") + done.output).replace(folder, "").strip()
    if done.timed_out:
        return f"It did not end within {seconds:g} s when it was imported and its doctests were run."
    if done.exit_code == 0:
        return None
    return f"It failed when it was imported and its doctests were run: {text[-_LONGEST:] or done.exit_code}"


def _sandbox(paths: Sequence[Path], hidden: Sequence[Path], *, walls: bool) -> tuple[Sandbox, str | None]:
    """Where it is tried, and its home folder there; none of its own outside of bubblewrap."""
    from contexten.engines import bubblewrap
    from contexten.engines.sandbox import Sandbox

    if not walls or not bubblewrap.availability().ready:
        return Sandbox("none"), None
    readable = _readable(paths)
    return Sandbox(readable=readable, hidden=[*hidden, *_private(paths, readable)]), bubblewrap.HOME


def _readable(paths: Sequence[Path]) -> list[Path]:
    """This interpreter with its packages, and the project's modules; never all of the user's home."""
    home = Path.home().resolve()
    packages = [Path(entry) for entry in sys.path if Path(entry).is_absolute()]
    wanted = [Path(sys.base_prefix), Path(sys.prefix), _LAUNCH.parent, *packages, *paths]
    folders = dict.fromkeys(path.resolve() for path in wanted if path.is_dir())
    return [folder for folder in folders if not home.is_relative_to(folder)]


def _private(paths: Sequence[Path], readable: Sequence[Path]) -> list[Path]:
    """What in the project is its owner's own, such as `.env`: what fails goes back to a model, with what it printed."""
    found = (entry.resolve() for path in paths if path.is_dir() for entry in path.iterdir() if is_hidden(entry.name))
    return [entry for entry in found if entry.exists() and not any(folder.is_relative_to(entry) for folder in readable)]
