"""Patterns as in `.gitignore`, with the meaning that git gives them (gitignore(5))."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_WILDCARD = re.compile(r"\\(.)|\*\*/|/\*\*$|\*+|\?|\[([!^]?)(\]?[^\]]*)\]|(.)", re.DOTALL)
_TRAILING_SPACES = re.compile(r"(?<!\\) +$")


class Patterns:
    """The patterns of one file or list; the last one that matches decides.

    Args:
        lines: one pattern each; empty lines and comments are skipped.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        rules = [rule for line in lines if (rule := _rule(line))]
        self._wanted = [wanted for _regex, wanted in reversed(rules)]
        self._regex = re.compile("|".join(f"({regex})" for regex, _wanted in reversed(rules)), re.DOTALL)

    def __bool__(self) -> bool:
        return bool(self._wanted)

    def verdict(self, path: str) -> bool | None:
        """Whether a path is matched (True), matched by a pattern after `!` (False) or not mentioned (None).

        Args:
            path: relative to where the patterns stand; a folder's ends with `/`. What a pattern says of a folder is not
                said of the files in it: who goes through a folder asks for it first.
        """
        found = self._regex.fullmatch(path) if self._wanted else None
        return self._wanted[found.lastindex - 1] if found and found.lastindex else None

    def covers(self, path: str) -> bool:
        """Whether a file or one of the folders that it lies in is matched."""
        steps = [index + 1 for index, each in enumerate(path) if each == "/"]
        return any(self.verdict(path[:step]) for step in (*steps, len(path)))


def _rule(line: str) -> tuple[str, bool] | None:
    """A pattern as a regular expression for whole paths, and whether it matches or takes back."""
    text = _TRAILING_SPACES.sub("", line.rstrip("\r\n"))
    wanted = not text.startswith("!")
    text = text if wanted else text[1:]
    if not text.strip("/") or text.startswith("#") or re.search(r"(?<!\\)(?:\\\\)*\\$", text):
        return None
    folder = text.endswith("/")
    text = text.rstrip("/") if folder else text
    anywhere = "" if "/" in text else "(?:.*/)?"
    return f"{anywhere}{_WILDCARD.sub(_translated, text.removeprefix('/'))}{'/' if folder else '/?'}", wanted


def _translated(found: re.Match[str]) -> str:
    escaped, negated, characters, plain = found.groups()
    if escaped or plain:
        return re.escape(escaped or plain)
    if characters:
        inside = re.sub(r"([\[&~|])|\\(?![\w\]\\-])", r"\\\1", characters) if characters else ""
        return f"(?!/)[{'^' if negated else ''}{inside}]"
    begins_a_name = found.string[found.start() - 1 : found.start()] in ("", "/")
    some = "(?=[^/])[^/]*" if begins_a_name else "[^/]*"
    return {"**/": "(?:.*/)?", "/**": "/.+", "?": "[^/]"}.get(found[0], some)
