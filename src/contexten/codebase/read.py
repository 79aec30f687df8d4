"""Read one file into an encoded record."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from typing import NamedTuple

from contexten.codebase import tags
from contexten.codebase.languages import MAX_BYTES, PYTHON, TOO_LONG, language_of
from contexten.codebase.record import Record, encode
from contexten.codebase.scan import scan_python

_ATTEMPTS = 3
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
"""Without waiting: a pipe that has taken a file's place has nobody at its other end."""


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
    """The encoded record of a file's content; a fault of ours is the problem of that one file."""
    language = language_of(path) or ""
    try:
        return encode(scan_python(content) if language == PYTHON else tags.scan_tags(language, content))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one file, the others are wanted
        return encode(Record(language, content.count(b"\n"), problem=f"it cannot be read: {error!r}"))


def digest_of(path: str, content: bytes) -> bytes:
    """What identifies a content in the language of a path, and whether that language's definitions can be read."""
    language = language_of(path) or ""
    readable = language == PYTHON or tags.available()
    return hashlib.blake2b(content, digest_size=16, person=f"{language}{readable:d}".encode()).digest()


def _content(path: str) -> tuple[bytes, bool]:
    """The bytes of a file, and whether nobody wrote into it meanwhile."""
    data = b""
    for _attempt in range(_ATTEMPTS):
        file = os.open(path, _FLAGS)
        try:
            before = os.fstat(file)
            _check(before)
            data = _bytes(file, before.st_size)
            after = os.fstat(file)
        finally:
            os.close(file)
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns) and len(data) == after.st_size:
            return data, True
    return data, False


def _check(status: os.stat_result) -> None:
    """Look again at what has been opened: something else may have taken the file's place since it was found."""
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    if status.st_size > MAX_BYTES:
        raise OSError(errno.EFBIG, TOO_LONG)


def _bytes(file: int, size: int) -> bytes:
    data = os.read(file, size + 1)
    while 0 < len(data) < size and (more := os.read(file, size - len(data))):
        data += more
    return data
