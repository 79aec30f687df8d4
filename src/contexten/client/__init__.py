"""Talking to a server that speaks the Codegen API: synchronous and asynchronous twins over shared requests.

The names are fetched when they are first used: the server reads `contexten.client.local` without loading HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten._lazy import fetching

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

__getattr__ = fetching(__name__, _HOMES)
