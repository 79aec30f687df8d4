"""Read one file into an encoded record."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, NamedTuple

from contexten.codebase.languages import PYTHON, language_of
from contexten.codebase.record import Record, encode
from contexten.codebase.scan import scan_python

if TYPE_CHECKING:
    from collections.abc import Callable

_ATTEMPTS = 3


class Content(NamedTuple):
    """A file's bytes and whether they were read in one piece."""

    data: bytes
    steady: bool
    """False when the file was being changed all the while."""


def read_content(path: str) -> Content:
    """The bytes of a file; read again when it changes meanwhile. Raises OSError."""
    data = b""
    for _attempt in range(_ATTEMPTS):
        with open(path, "rb") as file:  # noqa: PTH123 - thousands of files: the plain call is measurably faster
            before = os.fstat(file.fileno())
            data = file.read()
            after = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns) and len(data) == after.st_size:
            return Content(data, steady=True)
    return Content(data, steady=False)


def digest_of(data: bytes) -> bytes:
    """What identifies a content."""
    return hashlib.blake2b(data, digest_size=16).digest()


def scan(path: str, data: bytes) -> bytes:
    """The encoded record of a file's content."""
    language = language_of(path) or ""
    if language == PYTHON:
        return encode(scan_python(data))
    return encode(_scanner()(language, data))


def _scanner() -> Callable[[str, bytes], Record]:
    return lambda language, data: Record(language, data.count(b"\n") + (bool(data) and not data.endswith(b"\n")))
