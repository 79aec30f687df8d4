"""The few forms that answers are written in: code, places, bounded lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LIST_LENGTH = 25
LINE_LENGTH = 160


def code(text: str) -> str:
    """Text as inline code, on one line, whatever backquotes it holds."""
    line = shorten(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def block(text: str, language: str = "") -> str:
    """Text as a block of code, whatever backquotes it holds."""
    fence = "`" * max(3, max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def shorten(text: str, length: int = LINE_LENGTH) -> str:
    """Text on one line of at most `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def bullets(items: Sequence[str], *, limit: int = LIST_LENGTH, indent: str = "") -> str:
    """A list of at most `limit` items, with the number of those left out."""
    shown = [f"{indent}- {item}" for item in items[:limit]]
    if len(items) > limit:
        shown.append(f"{indent}- … and {len(items) - limit} more")
    return "\n".join(shown)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 file`, `2 files`, `3 classes`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {plural or (noun + 'es' if noun.endswith(('s', 'ch', 'sh', 'x')) else noun + 's')}"


def joined(words: Sequence[str], word: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {word} {words[-1]}" if words else ""


def few(items: Sequence[str], limit: int = 8) -> str:
    """`a, b and c`, or `a, b, c and 4 more` when there are more than `limit`."""
    return joined(items) if len(items) <= limit else f"{', '.join(items[:limit])} and {len(items) - limit} more"
