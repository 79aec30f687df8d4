"""Languages by file suffix, and which files are worth reading."""

from __future__ import annotations

MAX_BYTES = 8 * 1024 * 1024
TOO_LONG = f"longer than {MAX_BYTES // 2**20} MB"
"""What is said of files over that length: they are not read."""
PYTHON = "python"
LANGUAGES = {
    ".py": PYTHON,
    ".pyi": PYTHON,
    ".pyw": PYTHON,
    ".js": "javascript",
    ".jsx": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".ts": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".tsx": "tsx",
    ".java": "java",
    ".go": "go",
    ".rs": "rust",
    ".c": "c",
    ".h": "c",
    ".cc": "cpp",
    ".cpp": "cpp",
    ".cxx": "cpp",
    ".hh": "cpp",
    ".hpp": "cpp",
    ".hxx": "cpp",
}
"""Languages whose definitions are read."""
FAMILIES = {"typescript": "javascript", "tsx": "javascript", "cpp": "c"}
"""Languages whose files use each other's definitions, under the name of one of them."""


def language_of(path: str) -> str | None:
    """The language of a file by its suffix, or None when its definitions are not read."""
    dot = path.rfind(".")
    return LANGUAGES.get(path[dot:].lower()) if dot >= 0 else None
