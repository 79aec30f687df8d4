"""The open home for coding agents: run them, watch them, build on them.

Importing the package loads nothing heavy; each public name is fetched from its room when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten._lazy import fetching
from contexten._version import __version__

if TYPE_CHECKING:
    from contexten.agents import (
        AsyncEnhancedAgent,
        AsyncObservableStreamingAgent,
        ContextualAgent,
        EnhancedAgent,
        MetricsCollector,
        ObservableStreamingAgent,
        RealTimeMonitor,
        RunOutcome,
    )
    from contexten.client import Agent, AgentTask, AsyncAgentTask, AsyncCodegenClient, CodegenClient
    from contexten.errors import ContextenError
    from contexten.protocol import LogEntry, RunStatus
    from contexten.workflows import (
        AgentRole,
        AsyncWorkflowOrchestrator,
        WorkflowBuilder,
        WorkflowDefinition,
        WorkflowOrchestrator,
        WorkflowTemplates,
    )

_ROOMS = {
    "Agent": "contexten.client",
    "AgentRole": "contexten.workflows",
    "AgentTask": "contexten.client",
    "AsyncAgentTask": "contexten.client",
    "AsyncCodegenClient": "contexten.client",
    "AsyncEnhancedAgent": "contexten.agents",
    "AsyncObservableStreamingAgent": "contexten.agents",
    "AsyncWorkflowOrchestrator": "contexten.workflows",
    "CodegenClient": "contexten.client",
    "ContextenError": "contexten.errors",
    "ContextualAgent": "contexten.agents",
    "EnhancedAgent": "contexten.agents",
    "LogEntry": "contexten.protocol",
    "MetricsCollector": "contexten.agents",
    "ObservableStreamingAgent": "contexten.agents",
    "RealTimeMonitor": "contexten.agents",
    "RunOutcome": "contexten.agents",
    "RunStatus": "contexten.protocol",
    "WorkflowBuilder": "contexten.workflows",
    "WorkflowDefinition": "contexten.workflows",
    "WorkflowOrchestrator": "contexten.workflows",
    "WorkflowTemplates": "contexten.workflows",
}

__all__ = [
    "Agent",
    "AgentRole",
    "AgentTask",
    "AsyncAgentTask",
    "AsyncCodegenClient",
    "AsyncEnhancedAgent",
    "AsyncObservableStreamingAgent",
    "AsyncWorkflowOrchestrator",
    "CodegenClient",
    "ContextenError",
    "ContextualAgent",
    "EnhancedAgent",
    "LogEntry",
    "MetricsCollector",
    "ObservableStreamingAgent",
    "RealTimeMonitor",
    "RunOutcome",
    "RunStatus",
    "WorkflowBuilder",
    "WorkflowDefinition",
    "WorkflowOrchestrator",
    "WorkflowTemplates",
    "__version__",
]

__getattr__ = fetching(__name__, _ROOMS)


def __dir__() -> list[str]:
    return sorted(__all__)
