"""Find text in the files of the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.engines.analyst.markdown import bullets, code, counted
from contexten.engines.analyst.step import Finding

if TYPE_CHECKING:
    from contexten.codebase import TextMatch
    from contexten.engines.analyst.repository import Repository

MAX_MATCHES = 2000
_KEPT = 200
_SHOWN = 40


def find_text(
    repository: Repository, needle: str, scope: str | None = None, *, regex: bool = False, what: str = ""
) -> Finding:
    """Lines that hold a text, upper and lower case alike; only those under `scope` when it is given."""
    matches = in_scope(repository.search_text(needle, limit=MAX_MATCHES, regex=regex, ignore_case=not regex), scope)
    named = f"{what[:1].upper()}{what[1:]}" if what else code(needle)
    where = f" in `{scope}`" if scope else ""
    if not matches:
        said = f"No {what} is found" if what else f"{named} is not found"
        return Finding("none", f"{said}{where} in any file that I can read as text.", {"text": needle, "count": 0})
    files = len({match.path for match in matches})
    bound = " or more" if len(matches) == MAX_MATCHES else ""
    line = f"{len(matches)}{bound} in {counted(files, 'file')}"
    items = [f"`{match.path}:{match.line}`: {code(match.text.strip())}" for match in matches]
    head = f"{named} is found in {counted(len(matches), 'line')}{bound} in {counted(files, 'file')}{where}:"
    data = {
        "text": needle,
        "count": len(matches),
        "places": [f"{match.path}:{match.line}" for match in matches[:_KEPT]],
    }
    return Finding(line, f"{head}\n\n{bullets(items, limit=_SHOWN)}", data)


def in_scope(matches: list[TextMatch], scope: str | None) -> list[TextMatch]:
    """The matches in a file or folder."""
    if not scope:
        return matches
    wanted = scope.removeprefix("./").rstrip("/")
    return [
        each
        for each in matches
        if each.path == wanted or each.path.startswith(wanted + "/") or f"/{wanted}" in f"/{each.path}"
    ]
