"""Instruments an installed `codegen` package, safely and reversibly: events, metrics, health and callbacks.

Standard library and the lowest floor of the house only: the overlay can be applied by an interpreter that has nothing
else installed.
"""

from __future__ import annotations

from contexten.overlay.installer import Outcome, Step, apply, revert
from contexten.overlay.launcher import run
from contexten.overlay.status import State, Status, status
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
