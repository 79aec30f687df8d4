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
    from contexten.engines.claude_code import ClaudeCodeEngine
    from contexten.engines.codex import CodexEngine
    from contexten.engines.remote import RemoteEngine

    engines = Engines(
        [
            AnalystEngine(cache=settings.cache_dir, engines=lambda: engines),
            _model(settings),
            ClaudeCodeEngine(settings.data_dir, settings.program_permissions),
            CodexEngine(settings.data_dir, settings.program_permissions),
            RemoteEngine(settings),
        ]
    )
    return engines


def _model(settings: ServerSettings) -> Engine:
    from contexten.engines.model import ModelEngine
    from contexten.engines.model.limits import Limits
    from contexten.engines.sandbox import Sandbox
    from contexten.engines.workspace import CHECKOUTS

    limits = Limits(
        settings.model_max_requests,
        settings.model_max_tokens,
        settings.model_max_cost,
        settings.model_command_timeout,
        settings.model_request_timeout,
        settings.model_retries,
    )
    return ModelEngine(settings.model, settings.data_dir / CHECKOUTS, Sandbox.of(settings), limits)
