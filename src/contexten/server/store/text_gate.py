"""The one gate for text on its way into the database.

PostgreSQL refuses NUL characters, and a lone surrogate cannot be sent to any client as UTF-8. Both become U+FFFD, on
both databases alike, so that what was written is what is read. Numbers that JSON does not know become null.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from contexten.errors import UsageError

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT = "\ufffd"
_SUSPECT = re.compile(r"\\u0000|[\ud800-\udfff]")


def clean_text(text: str) -> str:
    """`text` with each character that cannot be stored replaced by U+FFFD."""
    if text.isascii() and "\x00" not in text:
        return text
    return _UNSTORABLE.sub(_REPLACEMENT, text)


def to_json(value: Any) -> str:
    """`value` as JSON that both databases store and every client can read; things JSON lacks become their `str`.

    Raises:
        UsageError: it is nested too deeply, or in itself.
    """
    try:
        return _to_json(value)
    except RecursionError:
        raise UsageError("The JSON value is nested too deeply to be kept.") from None


def _to_json(value: Any) -> str:
    try:
        text = _dump(value)
    except ValueError:
        return _dump(_clean(value))
    return _dump(_clean(value)) if _SUSPECT.search(text) else text


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {clean_text(str(name)): _clean(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    if value is None or isinstance(value, int):
        return value
    return clean_text(str(value))
