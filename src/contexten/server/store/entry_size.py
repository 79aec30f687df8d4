"""The largest log entry that is kept. What is longer is cut, and says so: a page of a log holds a hundred entries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contexten.protocol import NewLogEntry

LARGEST_ENTRY = 256 * 1024
"""Characters of a log entry, over all its fields."""
_LEAST = 10_000
"""What each field may keep however long the others are."""


def fitted(entry: NewLogEntry) -> NewLogEntry:
    """The entry, with its longest fields cut when it is too large."""
    fields = entry.model_dump(exclude_none=True, exclude={"created_at"})
    texts = {name: value if isinstance(value, str) else _written(value) for name, value in fields.items()}
    excess = sum(map(len, texts.values())) - LARGEST_ENTRY
    short: dict[str, Any] = {}
    for name in sorted(texts, key=lambda name: len(texts[name]), reverse=True):
        kept = max(len(texts[name]) - excess, _LEAST)
        if excess > 0 and kept < len(texts[name]):
            short[name] = _cut(texts[name], kept, text=isinstance(fields[name], str))
            excess -= len(texts[name]) - kept
    return entry.model_copy(update=short)


def cut_text(text: str, most: int = LARGEST_ENTRY) -> str:
    """The beginning of a text that is too long, with a note."""
    return text if len(text) <= most else f"{text[:most]}\n… [{_note(text, most)}]"


def _cut(written: str, kept: int, *, text: bool) -> str | dict[str, str]:
    return cut_text(written, kept) if text else {"cut": _note(written, kept), "beginning": written[:kept]}


def _note(text: str, kept: int) -> str:
    return f"cut: {len(text)} characters were too many to keep, these are the first {kept}"


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
