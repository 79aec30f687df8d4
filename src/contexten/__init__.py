"""The open home for coding agents: run them, watch them, build on them.

Importing the package loads nothing heavy; each public name is fetched from its room when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten._version import __version__

if TYPE_CHECKING:
    from contexten.client import Agent, AgentTask, AsyncAgentTask, AsyncCodegenClient, CodegenClient
    from contexten.errors import ContextenError
    from contexten.protocol import LogEntry, RunStatus

_ROOMS = {
    "Agent": "contexten.client",
    "AgentTask": "contexten.client",
    "AsyncAgentTask": "contexten.client",
    "AsyncCodegenClient": "contexten.client",
    "CodegenClient": "contexten.client",
    "ContextenError": "contexten.errors",
    "LogEntry": "contexten.protocol",
    "RunStatus": "contexten.protocol",
}

__all__ = [
    "Agent",
    "AgentTask",
    "AsyncAgentTask",
    "AsyncCodegenClient",
    "CodegenClient",
    "ContextenError",
    "LogEntry",
    "RunStatus",
    "__version__",
]


def __getattr__(name: str) -> object:
    """Fetch a public name from its room (PEP 562)."""
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_ROOMS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
