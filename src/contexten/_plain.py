"""Text from outside, such as a prompt or what a tool said, as it may be shown."""

from __future__ import annotations

import re

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """The text without control characters other than newline and tab."""
    return CONTROL.sub("", text)


def one_line(text: str, limit: int = 0) -> str:
    """The text on one line, cut to `limit` characters when that is not 0."""
    line = " ".join(clean(text).split())
    return line if not limit or len(line) <= limit else line[: limit - 1].rstrip() + "…"
