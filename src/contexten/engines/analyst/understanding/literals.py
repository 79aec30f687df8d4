"""What a prompt names literally: code in backquotes, quoted text, paths and identifiers.

Each is taken out of the sentence and replaced by a mark, so that the words around it can be read without tripping over
the dots, slashes and verbs inside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from typing import Literal as OneOf

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = OneOf["code", "text", "path", "name"]

MAX_LITERALS = 40
MAX_WORDS = 100
"""Capitalised words that are looked up in the code."""
_MARK = re.compile(r"⟦(\d+)⟧")
_EXTENSIONS = (
    "py|pyi|pyx|ipynb|js|jsx|mjs|cjs|ts|tsx|vue|go|rs|java|kt|c|h|cc|cpp|hpp|cs|rb|php|swift|scala|sh|bash|sql|lua|ex|exs|"
    "dart|md|rst|txt|toml|cfg|ini|yaml|yml|json|lock|html|css|scss|xml|proto|graphql|env|tf|dockerfile"
)
_FENCE = re.compile(r"```[\w+-]*\n(?P<fence>.*?)(?:```|\Z)", re.DOTALL)
_LITERAL = re.compile(
    rf"""
      `(?P<code>[^`\n]{{1,300}})`
    | (?<![\w'"])(?:"(?P<double>[^"\n]{{1,300}})"|“(?P<curly>[^”\n]{{1,300}})”|'(?P<single>[^'\n]{{1,300}})'(?!\w))
    | (?<![\w./@-])(?P<path>
          (?:\.{{0,2}}/)?[\w.@+-]+(?:/[\w.@+-]+)+/?(?:::?[\w.]+)*
        | /?[\w-][\w.-]*\.(?:{_EXTENSIONS})\b(?:::?[\w.]+)*
        | (?:Makefile|Dockerfile|Procfile|LICENSE)\b
        | (?:[\w-]+/)+(?=[\s?,;]|$)
      )
    | (?<![\w.])(?P<name>
          [A-Za-z_]\w*(?:(?:\.|::)[A-Za-z_]\w*)+(?:\(\))?
        | [A-Za-z_]\w*\((?:[^()\n]{{0,80}})\)
        | _*[A-Za-z0-9]+_\w*
        | __?[A-Za-z]\w*
        | [A-Z]+[a-z0-9]+[A-Z]\w*
        | [a-z][a-z0-9]*[A-Z]\w*
        | [A-Z]{{2,}}[a-z]+\w*
      )
    | (?<=[\w,]\s)(?P<word>[A-Z]\w+)\b
    """,
    re.VERBOSE,
)
_NOT_NAMES = frozenset({
    "e.g", "i.e", "and/or", "either/or", "he/she", "his/her", "yes/no", "n/a", "i/o", "input/output", "read/write",
    "true/false", "client/server", "on/off",
    "javascript", "typescript", "github", "gitlab", "postgresql", "mysql", "sqlite", "mongodb", "openai", "vscode",
    "ipython", "macos", "ios", "graphql", "fastapi", "oauth", "apis", "urls", "ids", "prs", "todos", "fixmes", "json.", "node.js",
})  # fmt: skip
_ABBREVIATIONS = re.compile(r"[A-Z][A-Z\d]*(?:/[A-Z\d.]+)+")
"""`HTTP/2`, `TCP/IP`, `GET/POST`: no paths."""


@dataclass(frozen=True, slots=True)
class Literal:
    """Something that the prompt names literally."""

    text: str
    kind: Kind
    """`code` was in backquotes, `text` in quotation marks; `path` and `name` look like one."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A prompt whose literals are replaced by marks."""

    text: str
    literals: tuple[Literal, ...]

    def in_clause(self, clause: str) -> list[Literal]:
        """The literals whose marks a part of the text holds, in its order."""
        return [self.literals[int(number)] for number in _MARK.findall(clause)]

    def restore(self, clause: str) -> str:
        """A part of the text with its marks turned back into what they stand for."""
        return _MARK.sub(lambda mark: self.literals[int(mark[1])].text, clause)


def mark(prompt: str, is_name: Callable[[str], bool]) -> Marked:
    """Replace the literals of a prompt by marks such as `⟦0⟧`. Code between fences is left out.

    Args:
        prompt: the text.
        is_name: tells of a capitalised word within a sentence whether it is a name in the code.
    """
    literals: list[Literal] = []
    is_name_once = lru_cache(maxsize=None)(is_name)

    def replace(match: re.Match[str]) -> str:
        if len(literals) >= MAX_LITERALS:
            return match[0]
        literal = word(match[0]) if match["word"] else _literal(match)
        if literal is None:
            return match[0]
        literals.append(literal)
        return f"⟦{len(literals) - 1}⟧"

    def word(text: str) -> Literal | None:
        known = is_name_once.cache_info().misses < MAX_WORDS and is_name_once(text)
        return Literal(text, "name") if known else None

    plain = _FENCE.sub("\n", prompt.replace("⟦", "[").replace("⟧", "]"))
    return Marked(_LITERAL.sub(replace, plain), tuple(literals))


def without_marks(clause: str) -> str:
    """A part of a marked text without its marks."""
    return _MARK.sub(" ", clause)


def _literal(match: re.Match[str]) -> Literal | None:
    text = match[0]
    if match["code"]:
        return Literal(match["code"].strip(), "code")
    if quoted := match["double"] or match["curly"] or match["single"]:
        return Literal(quoted, "text")
    if text.lower().strip("./") in _NOT_NAMES or _ABBREVIATIONS.fullmatch(text.rstrip(".")):
        return None
    if match["path"]:
        return Literal(text.rstrip("."), "path")
    return Literal(text.partition("(")[0], "name")
