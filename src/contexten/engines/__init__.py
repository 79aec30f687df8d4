"""Doing runs: what an engine is, and the engines that come with Contexten."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from contexten.settings import ServerSettings

__all__ = ["Availability", "Engine", "Engines", "Exchange", "Journal", "Outcome", "Task", "Usage", "default_engines"]


def default_engines(settings: ServerSettings) -> Engines:
    """The engines that come with Contexten, set up as the settings say."""
    from contexten.engines.analyst import AnalystEngine

    engines = Engines([AnalystEngine(cache=settings.cache_dir, engines=lambda: engines)])
    return engines
