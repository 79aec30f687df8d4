"""What `contexten up` shows when the server is ready: where it is and what it has."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from platform import node
from threading import Thread
from typing import TYPE_CHECKING

from contexten._plain import clean, one_line
from contexten._version import __version__
from contexten.cli.output import (
    columns,
    counted,
    emit_line,
    home_relative,
    is_terminal,
    note,
    room,
    say,
    styled,
    wrapped,
)
from contexten.cli.progress import Progress
from contexten.errors import CodebaseError
from contexten.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contexten.protocol import EngineInfo
    from contexten.server.serve import Started
    from contexten.settings import ServerSettings

_DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_STOP = "(Ctrl-C stops it; runs in flight continue at the next start)"
_OPEN = "none: commands of a model read and do all that you can. Unset CONTEXTEN_SANDBOX to change that"
_NAMED = 5
_ALL_ADDRESSES = {"0.0.0.0", "::"}  # noqa: S104 - compared with, not bound


class Banner:
    """What a person at a terminal is told about a server that starts, and about its stop."""

    def __init__(self, settings: ServerSettings) -> None:
        self._host, self._cache = settings.host, settings.cache_dir
        self._unguarded = _OPEN if settings.sandbox == "none" else ""
        self._progress: Progress | None = None

    def show(self, started: Started) -> None:
        """Show the banner, and read the repository for it, without keeping the server waiting."""
        Thread(target=self._show, args=(started,), daemon=True).start()

    def stop(self, runs: Sequence[int]) -> None:
        """Tell the person who pressed Ctrl-C that it was heard, and what becomes of the runs that have not ended."""
        if self._progress is not None:
            self._progress.close()
        if is_terminal(sys.stderr):
            note(f"\nstopping{_later(runs)}")

    def _show(self, started: Started) -> None:
        _head(started.base_url)
        if not is_loopback(self._host):
            _line("open to", _reach(self._host, started.base_url))
        if started.metrics_url is not None:
            _line("metrics", started.metrics_url)
        _line(
            "data",
            f"{home_relative(str(started.data_dir)):<37}{_DATABASES[started.database]} · {counted(started.runs, 'run')}",
        )
        if started.repo is not None:
            _line("repo", f"{home_relative(started.repo.path)}  {self._contents(Path(started.repo.path))}")
        if self._unguarded:
            _line("sandbox", self._unguarded)
        _line("engines", " · ".join(_engine(engine) for engine in started.engines))
        _line("open", _entry(started))

    def _contents(self, path: Path) -> str:
        """The branch and the size of a repository, in parentheses; the engine that reads code keeps what is read here."""
        from contexten.engines.analyst import codebase_for
        from contexten.engines.facts import branch_of

        began = time.perf_counter()
        try:
            with Progress(f"indexing {home_relative(str(path))}") as self._progress:
                count = len(codebase_for(path, self._cache).files)
        except CodebaseError as error:
            return f"({error})"
        facts = [branch_of(path), f"{counted(count, 'file')} indexed in {time.perf_counter() - began:.1f} s"]
        return f"({', '.join(fact for fact in facts if fact)})"


def _entry(started: Started) -> str:
    """How to get to the dashboard. Only a terminal is shown a link that signs in: elsewhere a log would keep it."""
    from contexten.dashboard.hosting.installed import is_installed

    if not is_installed():
        return "the dashboard needs: python3 -m pip install 'contexten[dashboard]'"
    if started.sign_in is None or not is_terminal(sys.stdout):
        return "the dashboard: contexten dashboard --open"
    return f"{started.sign_in}  one-time sign-in"


def announce_json(started: Started) -> None:
    """Say in one line of JSON that the server is ready. The token is not in it."""
    emit_line(
        {
            "version": __version__,
            "base_url": started.base_url,
            "data_dir": str(started.data_dir),
            "database": started.database,
            "runs": started.runs,
            "repo": started.repo,
            "engines": started.engines,
            "organization_id": started.organization_id,
            "metrics_url": started.metrics_url,
        }
    )


def _later(runs: Sequence[int]) -> str:
    if not runs:
        return ""
    if len(runs) == 1:
        return f"; run {runs[0]} goes on at the next start"
    more = f" and {len(runs) - _NAMED} more" if len(runs) > _NAMED else ""
    return f"; runs {', '.join(map(str, runs[:_NAMED]))}{more} go on at the next start"


def _head(address: str) -> None:
    """Name and address, and how to stop: below them where the terminal is too narrow for one line."""
    head = f"  {styled(f'contexten {__version__}', 'bold')}   {styled(address, 'cyan')}"
    needed = len(f"  contexten {__version__}   {address}        {_STOP}")
    fits = not (width := columns(sys.stdout)) or needed <= width
    if fits:
        say(f"{head}        {styled(_STOP, 'dim')}")
    else:
        say(head)
        say("\n".join(f"  {styled(line, 'dim')}" for line in wrapped(_STOP, room(2))))


def _reach(host: str, base_url: str) -> str:
    """Who else may come, and what they need."""
    where = node() if host in _ALL_ADDRESSES else host
    return (
        f"other machines too, at http://{where}:{base_url.rpartition(':')[2]}, unencrypted. "
        "Each caller needs a token: contexten token create NAME"
    )


def _line(name: str, text: str) -> None:
    first, *more = wrapped(clean(text), room(12))
    say(f"  {styled(f'{name:<10}', 'dim')}{first}")
    for line in more:
        say(f"{'':<12}{line}")


def _engine(engine: EngineInfo) -> str:
    detail = one_line(engine.detail, 60)
    if engine.ready:
        return f"{engine.name} ready{f' ({detail})' if detail else ''}"
    return f"{engine.name} {detail or 'not ready'}"
