"""What a tier keeps: a value as bytes, JSON or raw and never a pickle, with the moment at which it is over."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from typing import Any

from contexten.errors import UsageError

NEVER = math.inf
_JSON, _RAW = b"j", b"b"
_HEAD = struct.Struct(">d")


@dataclass(frozen=True, slots=True)
class Entry:
    """A value on its way between tiers."""

    data: bytes
    """The value, encoded."""
    expires_at: float = NEVER
    """Seconds since the epoch; `NEVER` for a value that does not get old."""

    def packed(self) -> bytes:
        """Both in one, for stores that keep bytes alone."""
        return _HEAD.pack(self.expires_at) + self.data

    @classmethod
    def unpacked(cls, packed: bytes) -> Entry | None:
        """What was packed; None for bytes that nobody here has packed."""
        data = packed[_HEAD.size :]
        return cls(data, _HEAD.unpack_from(packed)[0]) if is_sound(data) else None


def encoded(value: Any) -> bytes:
    """A value as bytes.

    Raises:
        UsageError: it is neither bytes nor JSON that comes back as it was.
    """
    if isinstance(value, bytes):
        return _RAW + value
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
        same = json.loads(text) == value
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"A cache keeps bytes or JSON, and this {type(value).__name__} is neither: {error}."
        ) from error
    if not same:
        raise UsageError(
            f"This {type(value).__name__} would come back from JSON as something else: give lists for tuples."
        )
    return _JSON + text.encode("ascii")


def decoded(data: bytes) -> Any:
    """The value that was encoded; a new one each time, so nobody changes another's.

    Raises:
        ValueError: it was not.
    """
    if data[:1] == _RAW:
        return data[1:]
    return json.loads(data[1:])


def is_sound(data: bytes) -> bool:
    """Whether bytes from a store that others write to are an encoded value."""
    try:
        decoded(data)
    except (ValueError, RecursionError):
        return False
    return data[:1] in (_JSON, _RAW)
