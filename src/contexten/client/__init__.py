"""Talking to a server that speaks the Codegen API: synchronous and asynchronous twins over shared requests.

The names are fetched when they are first used: the server reads `contexten.client.local` without loading HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contexten.client.agent import Agent
    from contexten.client.codegen import AsyncCodegenClient, CodegenClient
    from contexten.client.local import LocalCredentials
    from contexten.client.task import AgentTask, AsyncAgentTask

_HOMES = {
    "Agent": "contexten.client.agent",
    "AgentTask": "contexten.client.task",
    "AsyncAgentTask": "contexten.client.task",
    "AsyncCodegenClient": "contexten.client.codegen",
    "CodegenClient": "contexten.client.codegen",
    "LocalCredentials": "contexten.client.local",
}

__all__ = ["Agent", "AgentTask", "AsyncAgentTask", "AsyncCodegenClient", "CodegenClient", "LocalCredentials"]


def __getattr__(name: str) -> object:
    """Fetch a public name from its file (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
