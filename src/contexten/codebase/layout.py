"""The text of a context: files in the order of their best definition, inside them the order of the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.codebase.excerpts import heading_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contexten.codebase.context import ContextItem
    from contexten.codebase.questions import Questions

INDENT = "    "


def laid_out(questions: Questions, items: Iterable[ContextItem]) -> str:
    """Definitions as text, grouped by file and class."""
    files: dict[str, list[ContextItem]] = {}
    for item in items:
        files.setdefault(item.symbol.path, []).append(item)
    ordered = sorted(files, key=lambda path: (-max(each.score for each in files[path]), path))
    return "\n\n".join(_file(questions, path, files[path]) for path in ordered)


def _file(questions: Questions, path: str, items: Sequence[ContextItem]) -> str:
    unit = questions.snapshot.unit(path)
    lines = [f"# {path}"]
    shown: set[int] = set()
    before = None
    for item in sorted(items, key=lambda each: (each.symbol.line, each.symbol.column)):
        parent = unit.symbol(item.symbol.index).parent if unit else -1
        apart = before is not None and ("body" in (item.form, before) or item.symbol.kind == "class")
        if parent >= 0 and parent not in shown and (around := questions.snapshot.symbol(path, parent)):
            lines.extend(["", heading_line(around)] if before is not None else [heading_line(around)])
            apart = False
        lines.extend([""] if apart else [])
        lines.extend(item.text.splitlines() if item.form == "body" else [(INDENT if parent >= 0 else "") + item.text])
        shown.update((parent, item.symbol.index))
        before = item.form
    return "\n".join(lines)
