"""What `contexten up` shows when the server is ready: where it is and what it has."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from contexten._version import __version__
from contexten.cli.output import clean, emit_line, home_relative, one_line, say, styled
from contexten.cli.progress import Progress
from contexten.errors import CodebaseError

if TYPE_CHECKING:
    from contexten.protocol import EngineInfo
    from contexten.server.serve import Started

_DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_STOP = "(Ctrl-C stops it; runs in flight continue at the next start)"


def announce(started: Started, cache: Path) -> None:
    """Show the banner, and read the repository for it, without keeping the server waiting.

    Args:
        started: the server.
        cache: folder in which the index of the repository is kept.
    """
    Thread(target=_show, args=(started, cache), daemon=True).start()


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
        }
    )


def _show(started: Started, cache: Path) -> None:
    say(
        f"  {styled(f'contexten {__version__}', 'bold')}   {styled(started.base_url, 'cyan')}        {styled(_STOP, 'dim')}"
    )
    runs = "1 run" if started.runs == 1 else f"{started.runs} runs"
    _line("data", f"{home_relative(str(started.data_dir)):<37}{_DATABASES[started.database]} · {runs}")
    if started.repo is not None:
        _line("repo", f"{home_relative(started.repo.path)}  {_contents(Path(started.repo.path), cache)}")
    _line("engines", " · ".join(_engine(engine) for engine in started.engines))


def _line(name: str, text: str) -> None:
    say(f"  {styled(f'{name:<10}', 'dim')}{clean(text)}")


def _engine(engine: EngineInfo) -> str:
    detail = one_line(engine.detail, 60)
    if engine.ready:
        return f"{engine.name} ready{f' ({detail})' if detail else ''}"
    return f"{engine.name} {detail or 'not ready'}"


def _contents(path: Path, cache: Path) -> str:
    """The branch and the size of a repository, in parentheses; the engine that reads code keeps what is read here."""
    from contexten.engines.analyst import codebase_for
    from contexten.engines.facts import branch_of

    began = time.perf_counter()
    try:
        with Progress(f"indexing {home_relative(str(path))}"):
            count = len(codebase_for(path, cache).files)
    except CodebaseError as error:
        return f"({error})"
    files = "1 file" if count == 1 else f"{count} files"
    facts = [branch_of(path), f"{files} indexed in {time.perf_counter() - began:.1f} s"]
    return f"({', '.join(fact for fact in facts if fact)})"
