"""Whether the packages of the extra `dashboard` are there."""

from __future__ import annotations

from importlib.util import find_spec

NEEDED = ("reflex", "wsproto")


def is_installed() -> bool:
    """Whether they are there. Imports none of them."""
    return all(find_spec(name) is not None for name in NEEDED)
