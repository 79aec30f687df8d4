"""Definitions and uses in languages other than Python."""

from __future__ import annotations

from contexten.codebase.record import Record


def scan_tags(language: str, content: bytes) -> Record:
    """What is defined and used in a file."""
    return Record(language, content.count(b"\n") + (bool(content) and not content.endswith(b"\n")))
