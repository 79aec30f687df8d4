"""Read one file into an encoded record."""

from __future__ import annotations

import hashlib
import os
from typing import NamedTuple

from contexten.codebase import tags
from contexten.codebase.languages import PYTHON, language_of
from contexten.codebase.record import encode
from contexten.codebase.scan import scan_python

_ATTEMPTS = 3


class Reading(NamedTuple):
    """What came of reading a file: a record, or an error."""

    digest: bytes = b""
    """What identifies the content, together with its language."""
    data: bytes = b""
    """The encoded record; empty when only the content was asked for."""
    steady: bool = True
    """False when the file was being changed all the while."""
    error: str = ""


def read_file(root: str, path: str) -> Reading:
    """Read a file and what it says."""
    try:
        content, steady = _content(f"{root}/{path}")
    except OSError as error:
        return Reading(error=error.strerror or str(error))
    return Reading(digest_of(path, content), scan(path, content), steady)


def read_digest(root: str, path: str) -> Reading:
    """Read a file only to tell whether its content is known."""
    try:
        content, steady = _content(f"{root}/{path}")
    except OSError as error:
        return Reading(error=error.strerror or str(error))
    return Reading(digest_of(path, content), b"", steady)


def scan(path: str, content: bytes) -> bytes:
    """The encoded record of a file's content."""
    language = language_of(path) or ""
    if language == PYTHON:
        return encode(scan_python(content))
    return encode(tags.scan_tags(language, content))


def digest_of(path: str, content: bytes) -> bytes:
    """What identifies a content in the language of a path, and whether that language's definitions can be read."""
    language = language_of(path) or ""
    readable = language == PYTHON or tags.available()
    return hashlib.blake2b(content, digest_size=16, person=f"{language}{readable:d}".encode()).digest()


def _content(path: str) -> tuple[bytes, bool]:
    data = b""
    for _attempt in range(_ATTEMPTS):
        with open(path, "rb") as file:  # noqa: PTH123 - thousands of files: the plain call is measurably faster
            before = os.fstat(file.fileno())
            data = file.read()
            after = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns) and len(data) == after.st_size:
            return data, True
    return data, False
