"""Where the `contexten` package is installed beside `codegen`, what happens here is passed on to it as well."""

from __future__ import annotations

import os

from . import events, metrics
from ._guard import guarded

SWITCH = "CONTEXTEN_OVERLAY_BRIDGE"

_tried: list[bool] = []


def connect() -> None:
    """Connect at the first event; `CONTEXTEN_OVERLAY_BRIDGE=0` leaves it."""
    if not _tried:
        _tried.append(True)
        if os.environ.get(SWITCH) != "0":
            guarded(_connect)


def _connect() -> None:
    from importlib.util import find_spec

    if find_spec("contexten") is None:
        return
    try:
        from contexten.overlay.bridge import receive
    except ImportError:
        return  # another package of that name, or one that is too old
    receive(events.bus, metrics.registry)
