"""Doing runs: what an engine is, and the engines that come with Contexten."""

from contexten.engines.base import (
    Availability,
    Engine,
    Engines,
    Exchange,
    Journal,
    Outcome,
    Task,
    Usage,
)

__all__ = ["Availability", "Engine", "Engines", "Exchange", "Journal", "Outcome", "Task", "Usage"]
