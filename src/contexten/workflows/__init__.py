"""Graphs of runs: a workflow is a document, one scheduler interprets it, in a program or in the server.

The names are fetched when they are first used: the server needs the scheduler, and no client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten._lazy import fetching

if TYPE_CHECKING:
    from contexten.protocol.workflows import TaskStatus, WorkflowDefinition, WorkflowStatus, WorkflowTask
    from contexten.workflows.builder import WorkflowBuilder
    from contexten.workflows.definition import read_definition
    from contexten.workflows.orchestrator import AsyncWorkflowOrchestrator, WorkflowOrchestrator
    from contexten.workflows.roles import AgentRole
    from contexten.workflows.templates import WorkflowTemplates

_HOMES = {
    "AgentRole": "contexten.workflows.roles",
    "AsyncWorkflowOrchestrator": "contexten.workflows.orchestrator",
    "TaskStatus": "contexten.protocol.workflows",
    "WorkflowBuilder": "contexten.workflows.builder",
    "WorkflowDefinition": "contexten.protocol.workflows",
    "WorkflowOrchestrator": "contexten.workflows.orchestrator",
    "WorkflowStatus": "contexten.protocol.workflows",
    "WorkflowTask": "contexten.protocol.workflows",
    "WorkflowTemplates": "contexten.workflows.templates",
    "read_definition": "contexten.workflows.definition",
}

__all__ = [
    "AgentRole",
    "AsyncWorkflowOrchestrator",
    "TaskStatus",
    "WorkflowBuilder",
    "WorkflowDefinition",
    "WorkflowOrchestrator",
    "WorkflowStatus",
    "WorkflowTask",
    "WorkflowTemplates",
    "read_definition",
]

__getattr__ = fetching(__name__, _HOMES)
