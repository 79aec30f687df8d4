"""What a path tells of a file: whether it is a test, and which language it is written in."""

from __future__ import annotations

import re

_TESTS = re.compile(
    r"(?:^|/)(?:tests?|testing|spec|__tests__)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.\w+$|\.(?:test|spec)\.\w+$"
)
_NAMES = {
    "python": "Python", "javascript": "JavaScript", "typescript": "TypeScript", "tsx": "TypeScript", "java": "Java",
    "go": "Go", "rust": "Rust", "c": "C", "cpp": "C++",
}  # fmt: skip
_NOT_INDEXED = {
    "kt": "Kotlin", "cs": "C#", "rb": "Ruby", "php": "PHP", "swift": "Swift", "scala": "Scala", "lua": "Lua", "ex": "Elixir",
    "exs": "Elixir", "dart": "Dart", "vue": "Vue", "sh": "Shell", "sql": "SQL", "pl": "Perl", "r": "R", "jl": "Julia",
    "hs": "Haskell", "clj": "Clojure", "m": "Objective-C",
}  # fmt: skip


def is_test(path: str) -> bool:
    """Whether a path is that of a test, or of something that only tests use."""
    return bool(_TESTS.search(path))


def language_name(language: str) -> str:
    """A language of the index, as people write it."""
    return _NAMES.get(language, language)


def language_not_indexed(path: str) -> str:
    """The language of a source file whose definitions the index cannot read; empty for any other file."""
    return _NOT_INDEXED.get(path.rpartition("/")[2].rpartition(".")[2].lower(), "") if "." in path else ""
