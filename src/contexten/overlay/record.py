"""The package's RECORD file: kept true, so that an uninstall takes what we added along with everything else.

Edits work on lines and leave every other byte as it is; taking our lines out again gives back the same file.
Source: Binary distribution format, "The .dist-info directory" (packaging.python.org).
"""

from __future__ import annotations

import base64
import csv
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def line(path: str, data: bytes) -> bytes:
    """The entry of a file, without line ending."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(data)}".encode()


def entries(record: bytes) -> dict[str, tuple[str, str]]:
    """Hash and size of each file, as written, by its path with forward slashes."""
    rows = (_row(written) for written in record.splitlines())
    return {_slashed(row[0]): (row[1], row[2]) for row in rows if len(row) == 3}  # noqa: PLR2004 - path, hash, size


def matches(record: bytes, path: str, data: bytes) -> bool:
    """Whether a file has the content that RECORD says it has."""
    written = line(path, data).decode().rsplit(",", 2)
    return entries(record).get(path) == (written[1], written[2])


def entry(record: bytes, path: str) -> bytes | None:
    """The entry of a file as it is written, without line ending."""
    return next((old.rstrip(b"\r\n") for old in record.splitlines() if _path(old) == path), None)


def with_entries(record: bytes, wanted: Mapping[str, bytes]) -> bytes:
    """RECORD, which must end in a line ending, with these entries replaced or added at its end."""
    newline = b"\r\n" if b"\r\n" in record else b"\n"
    lines, missing = [], dict(wanted)
    for old in record.splitlines(keepends=True):
        ending = old[len(old.rstrip(b"\r\n")) :]
        new = missing.pop(_path(old), None)
        lines.append(old if new is None else new + ending)
    return b"".join([*lines, *(new + newline for new in missing.values())])


def without_files(record: bytes, paths: Collection[str]) -> bytes:
    """RECORD without the entries of these files."""
    return b"".join(old for old in record.splitlines(keepends=True) if _path(old) not in paths)


def _path(written: bytes) -> str:
    row = _row(written)
    return _slashed(row[0]) if row else ""


def _row(written: bytes) -> list[str]:
    """The fields of a line; none when it is not one that an installer writes."""
    try:
        return next(csv.reader([written.decode("utf-8", "replace").rstrip("\r\n")]), [])
    except csv.Error:
        return []


def _slashed(path: str) -> str:
    return path.replace("\\", "/")
