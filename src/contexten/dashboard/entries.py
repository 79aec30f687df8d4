"""Log entries as rows of a page: a short text first, all of it when it is unfolded."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from contexten._plain import clean, one_line
from contexten.dashboard.markup import markdown
from contexten.protocol import MessageType

if TYPE_CHECKING:
    from contexten.protocol import LogEntry

PREVIEW = 600
"""Characters of an entry that are shown before it is unfolded."""
LONGEST = 200_000
"""Characters of one part of an entry that a page shows at all."""
_HEAD = 160
_KINDS: dict[str, tuple[str, str]] = {
    MessageType.PLAN_EVALUATION: ("plan", "plan"),
    MessageType.FINAL_ANSWER: ("answer", "answer"),
    MessageType.ERROR: ("error", "error"),
    MessageType.PR_CREATION_FAILED: ("error", "error"),
    MessageType.USER_MESSAGE: ("you", "you"),
    MessageType.USER_GITHUB_ISSUE_COMMENT: ("you", "comment"),
}


@dataclass(frozen=True)
class Row:
    """An entry as it is shown."""

    position: int
    kind: str
    """plan, answer, error, you, tool or other: how it looks."""
    label: str
    text: str
    """What it says, cut to a preview."""
    html: str = ""
    """An answer, from Markdown; safe."""
    moment: str = ""
    """ISO 8601, UTC."""
    folds: bool = False
    """Whether there is more than is shown."""
    is_open: bool = False
    full: str = ""
    given: str = ""
    """What the tool was asked; filled in when it is unfolded."""
    said: str = ""
    """What the tool answered; filled in when it is unfolded."""


def row_of(position: int, entry: LogEntry) -> Row:
    """The row that shows an entry, folded."""
    kind, label = _kind(entry)
    text = clean(_text(entry)).strip()
    html = markdown(text) if kind == "answer" else ""
    short = "" if html else _shortened(text)
    parts = (entry.tool_input, entry.tool_output, entry.observation if entry.thought else None)
    return Row(
        position=position,
        kind=kind,
        label=label,
        text=short,
        html=html,
        moment=entry.created_at or "",
        folds=bool(kind != "answer" and (short != text or any(parts))),
    )


def unfolded(row: Row, entry: LogEntry) -> Row:
    """The row with everything that its entry has."""
    observed = entry.observation if entry.thought or not isinstance(entry.observation, str) else None
    said = "\n".join(part for part in (shown(entry.tool_output), shown(observed)) if part)
    text = clean(_text(entry)).strip()
    return replace(
        row,
        is_open=True,
        full="" if text == row.text else _limited(text),
        given=_limited(shown(entry.tool_input)),
        said="" if said.strip() == text else _limited(said),
    )


def folded(row: Row) -> Row:
    """The row without what unfolding added."""
    return replace(row, is_open=False, full="", given="", said="")


def shown(value: Any) -> str:
    """JSON for people: one `name: value` a line, texts as they are, the rest as JSON."""
    if value is None or value in ({}, ""):
        return ""
    if isinstance(value, str):
        return clean(value)
    if not isinstance(value, dict):
        return clean(json.dumps(value, ensure_ascii=False, indent=2))
    return "\n".join(f"{clean(str(name))}: {_value(part)}" for name, part in value.items())


def _value(part: Any) -> str:
    if isinstance(part, str):
        text = clean(part)
        return "\n" + "\n".join(f"    {line}" for line in text.split("\n")) if "\n" in text else text
    return clean(json.dumps(part, ensure_ascii=False, indent=2))


def _kind(entry: LogEntry) -> tuple[str, str]:
    known = _KINDS.get(entry.message_type or "")
    if known is not None:
        return known
    if entry.tool_name:
        return "tool", one_line(entry.tool_name, 40)
    return "other", one_line((entry.message_type or "entry").lower().replace("_", " "), 40)


def _text(entry: LogEntry) -> str:
    """What an entry says to people: the thought, or else the observation; an answer is all of what was observed."""
    observed = entry.observation if isinstance(entry.observation, str) else ""
    said = (observed, entry.thought) if entry.message_type == MessageType.FINAL_ANSWER else (entry.thought, observed)
    for text in said:
        if text:
            return text
    return one_line(shown(entry.observation or entry.tool_input), _HEAD)


def _shortened(text: str) -> str:
    return text if len(text) <= PREVIEW else text[:PREVIEW].rstrip() + "…"


def _limited(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}\n… {len(text) - LONGEST:,} more characters: contexten runs logs --json has them all"
