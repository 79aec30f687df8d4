"""Code written at import: generated with the codebase as context, checked by a gate, locked, and committed with the project.

The names are fetched when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten._lazy import fetching

if TYPE_CHECKING:
    from contexten.autogenlib.batch import BatchGenerator, StreamingGenerator
    from contexten.autogenlib.bridge import ContextenBridge, ContextenRequest, ContextenResponse
    from contexten.autogenlib.caching import CacheConfig, CacheManager
    from contexten.autogenlib.config import AutogenConfig
    from contexten.autogenlib.context import CodebaseContext, ContextEngine
    from contexten.autogenlib.generator import AutogenClient
    from contexten.autogenlib.legacy import LegacyAdapter
    from contexten.autogenlib.monitoring import HealthChecker, PerformanceMonitor
    from contexten.autogenlib.policy import Policy
    from contexten.autogenlib.project import Project
    from contexten.autogenlib.prompts import PromptEnhancer, TemplateManager
    from contexten.autogenlib.request import CallerContext, GeneratedCode, GenerationRequest
    from contexten.autogenlib.usage import TimeRange, UsageReport, UsageTracker

_HOMES = {
    "AutogenClient": ".generator",
    "AutogenConfig": ".config",
    "BatchGenerator": ".batch",
    "CacheConfig": ".caching",
    "CacheManager": ".caching",
    "CallerContext": ".request",
    "CodebaseContext": ".context",
    "ContextEngine": ".context",
    "ContextenBridge": ".bridge",
    "ContextenRequest": ".bridge",
    "ContextenResponse": ".bridge",
    "GeneratedCode": ".request",
    "GenerationRequest": ".request",
    "HealthChecker": ".monitoring",
    "LegacyAdapter": ".legacy",
    "PerformanceMonitor": ".monitoring",
    "Policy": ".policy",
    "Project": ".project",
    "PromptEnhancer": ".prompts",
    "StreamingGenerator": ".batch",
    "TemplateManager": ".prompts",
    "TimeRange": ".usage",
    "UsageReport": ".usage",
    "UsageTracker": ".usage",
}

__all__ = [
    "AutogenClient",
    "AutogenConfig",
    "BatchGenerator",
    "CacheConfig",
    "CacheManager",
    "CallerContext",
    "CodebaseContext",
    "ContextEngine",
    "ContextenBridge",
    "ContextenRequest",
    "ContextenResponse",
    "GeneratedCode",
    "GenerationRequest",
    "HealthChecker",
    "LegacyAdapter",
    "PerformanceMonitor",
    "Policy",
    "Project",
    "PromptEnhancer",
    "StreamingGenerator",
    "TemplateManager",
    "TimeRange",
    "UsageReport",
    "UsageTracker",
]

__getattr__ = fetching(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)
