"""Codegen agents and generated code as one: generate with the codebase as context, and ask an agent where that fails.

Second names over rooms that exist without them: `autogenlib`, `codebase`, `cache`, `client`, `resilience`, `telemetry`. They are
fetched when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten._lazy import fetching

if TYPE_CHECKING:
    from contexten.errors import GenerationError
    from contexten.extensions.codegen.adapters.autogenlib_adapter import AutogenlibAdapter
    from contexten.extensions.codegen.adapters.codegen_adapter import CodegenAdapter
    from contexten.extensions.codegen.autogenlib.cache_manager import IntegratedCacheManager
    from contexten.extensions.codegen.autogenlib.context_injector import ContextInjector, EnhancedPrompt
    from contexten.extensions.codegen.autogenlib.enhanced_generator import EnhancedAutogenGenerator
    from contexten.extensions.codegen.autogenlib.error_handler import EnhancedErrorHandler
    from contexten.extensions.codegen.config import CodegenAutogenConfig
    from contexten.extensions.codegen.integration import CodegenAutogenIntegration
    from contexten.extensions.codegen.utils.performance import PerformanceMonitor
    from contexten.extensions.codegen.utils.validation import validate_context, validate_prompt

_HOMES = {
    "AutogenlibAdapter": ".adapters.autogenlib_adapter",
    "CodegenAdapter": ".adapters.codegen_adapter",
    "CodegenAutogenConfig": ".config",
    "CodegenAutogenIntegration": ".integration",
    "ContextInjector": ".autogenlib.context_injector",
    "EnhancedAutogenGenerator": ".autogenlib.enhanced_generator",
    "EnhancedErrorHandler": ".autogenlib.error_handler",
    "EnhancedPrompt": ".autogenlib.context_injector",
    "GenerationError": "contexten.errors",
    "IntegratedCacheManager": ".autogenlib.cache_manager",
    "PerformanceMonitor": ".utils.performance",
    "validate_context": ".utils.validation",
    "validate_prompt": ".utils.validation",
}

__all__ = [
    "AutogenlibAdapter",
    "CodegenAdapter",
    "CodegenAutogenConfig",
    "CodegenAutogenIntegration",
    "ContextInjector",
    "EnhancedAutogenGenerator",
    "EnhancedErrorHandler",
    "EnhancedPrompt",
    "GenerationError",
    "IntegratedCacheManager",
    "PerformanceMonitor",
    "validate_context",
    "validate_prompt",
]

__getattr__ = fetching(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)
