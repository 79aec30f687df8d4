"""The checks of what a caller gives, before anybody is asked for anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contexten.client.calls.runs import written
from contexten.errors import UsageError


def validate_prompt(prompt: str) -> str:
    """A prompt that says something, without blanks around it.

    Raises:
        UsageError: it is empty, or no text.
    """
    return written(prompt).strip()


def validate_context(context: Mapping[str, Any] | None) -> dict[str, Any]:
    """Facts by name; none for None.

    Raises:
        UsageError: they are no mapping, or a name is no text.
    """
    if context is None:
        return {}
    if not isinstance(context, Mapping):
        raise UsageError(f"The context is a {type(context).__name__}: it must be facts by name, such as a dict.")
    strange = next((name for name in context if not isinstance(name, str) or not name.strip()), None)
    if strange is not None:
        raise UsageError(f"The context has a fact named {strange!r}: names must be text.")
    return dict(context)
