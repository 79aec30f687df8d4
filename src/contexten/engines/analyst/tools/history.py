"""What changed, by git's own log; nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.engines import git
from contexten.engines.analyst.markdown import bullets, counted, few, shorten
from contexten.engines.analyst.step import Finding
from contexten.errors import EngineError

if TYPE_CHECKING:
    from contexten.engines.analyst.repository import Repository

MAX_COMMITS = 15
_FORMAT = "--format=%x1e%h%x1f%ad%x1f%an%x1f%s"
_DEFINITION_LINES = 3000


def changes(repository: Repository, name: str | None = None) -> Finding:
    """The newest commits, of everything or of one file, folder or definition."""
    try:
        if name:
            return _changes_of(repository, name)
        found = _log(repository, "--stat=200", "--stat-count=6")
    except EngineError as error:
        said = f"I cannot read the history: {error}"
        if "not a git repository" in said:
            said = f"`{repository.name}` is not a git repository, so it has no history to read."
        return Finding("no history", said, {"commits": []})
    return _answer(found, "The newest commits:" if len(found) > 1 else "The only commit:")


def _changes_of(repository: Repository, name: str) -> Finding:
    found = repository.find(name)
    if found.symbols:
        symbol = found.symbols[0]
        commits = _log(repository, f"-L{symbol.line},{max(symbol.end_line, symbol.line)}:{symbol.path}", "--no-patch")
        return _answer(commits, f"Commits that changed `{symbol.name}` (`{symbol.location}`), newest first:")
    paths = [file.path for file in found.files] or [found.folder or name]
    commits = _log(repository, "--stat=200", "--stat-count=6", "--", *paths)
    return _answer(commits, f"The newest commits that changed `{paths[0]}`:")


def _log(repository: Repository, *arguments: str) -> list[tuple[str, str, str, str, str]]:
    """Hash, date, author, subject and changed files of commits."""
    limits = (
        "log",
        f"--max-count={MAX_COMMITS}",
        "--date=short",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        _FORMAT,
    )
    text = git.read(repository.workspace, *limits, *arguments)
    rows = []
    for record in text.split("\x1e")[1:]:
        head, _, rest = record.partition("\n")
        commit, date, author, subject = head.split("\x1f", 3)
        files = [f"`{line.partition('|')[0].strip()}`" for line in rest.splitlines() if "|" in line]
        rows.append((commit, date, author, subject, few(files, 4)))
    return rows


def _answer(commits: list[tuple[str, str, str, str, str]], head: str) -> Finding:
    if not commits:
        return Finding("no commits", "No commits are found for it.", {"commits": []})
    items = [
        f"`{commit}` {date} {author}: {shorten(subject, 120)}{f' ({files})' if files else ''}"
        for commit, date, author, subject, files in commits
    ]
    note = f"\n\nOnly the newest {MAX_COMMITS} are listed." if len(commits) == MAX_COMMITS else ""
    data = {"commits": [{"commit": c, "date": d, "author": a, "subject": s} for c, d, a, s, _ in commits]}
    return Finding(
        f"{counted(len(commits), 'commit')}, newest {commits[0][1]}", f"{head}\n\n{bullets(items)}{note}", data
    )
