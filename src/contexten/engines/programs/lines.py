"""JSON objects, one per line, out of a stream of bytes of which nothing can be expected."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 16 * 1024 * 1024
"""Bytes of one line; a longer one is left out."""
DEEPEST = 60
"""Levels of one object; a deeper one is left out."""
_KEPT = 2000


class JsonLines:
    """Takes bytes as they come and gives back the objects that are complete.

    Args:
        longest: bytes of a line that is taken.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._line = bytearray()
        self._skipping = False
        self.left_out = 0
        """Lines that were too long or too deep."""
        self.other = ""
        """The newest lines that were no JSON objects: what a program says when it fails early."""

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """The objects that are complete with this data."""
        *ended, begun = data.split(b"\n")
        for part in ended:
            self._add(part)
            yield from self._take()
        self._add(begun)

    def end(self) -> Iterator[dict[str, Any]]:
        """The object of a last line that was not ended."""
        yield from self._take()

    def _add(self, part: bytes) -> None:
        if self._skipping or len(self._line) + len(part) > self._longest:
            self._skipping = True
            self._line.clear()
        else:
            self._line += part

    def _take(self) -> Iterator[dict[str, Any]]:
        line, too_long = bytes(self._line), self._skipping
        self._line.clear()
        self._skipping = False
        if too_long:
            self.left_out += 1
            return
        text = line.decode(errors="replace").strip()
        if not text:
            return
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):  # also numbers that Python does not read
            value = None
        if not isinstance(value, dict):
            self.other = f"{self.other}\n{text}".strip()[-_KEPT:]
        elif _is_deeper(value, DEEPEST):
            self.left_out += 1
        else:
            yield value


def _is_deeper(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return False
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in value)
