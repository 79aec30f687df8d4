"""Instruments an installed `codegen` package, safely and reversibly: events, metrics, health and callbacks.

Standard library and the lowest floor of the house only: the overlay can be applied by an interpreter that has nothing
else installed. Names are fetched when first used, because the bridge is imported by programs that need none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten._lazy import fetching

if TYPE_CHECKING:
    from contexten.overlay.installer import Outcome, Step, apply, revert
    from contexten.overlay.launcher import run
    from contexten.overlay.state import State, Status, status
    from contexten.overlay.target import Target, find
    from contexten.overlay.verification import Check, verify

__all__ = [
    "Check",
    "Outcome",
    "State",
    "Status",
    "Step",
    "Target",
    "apply",
    "find",
    "revert",
    "run",
    "status",
    "verify",
]

_FILES = {
    **dict.fromkeys(("Outcome", "Step", "apply", "revert"), ".installer"),
    "run": ".launcher",
    **dict.fromkeys(("State", "Status", "status"), ".state"),
    **dict.fromkeys(("Target", "find"), ".target"),
    **dict.fromkeys(("Check", "verify"), ".verification"),
}

__getattr__ = fetching(__name__, _FILES)
