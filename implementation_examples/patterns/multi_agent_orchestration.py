"""A graph of tasks, each with a role. Run it against a server: `contexten up`, then this file.

Reads CODEGEN_TOKEN, CODEGEN_ORG_ID, CODEGEN_BASE_URL and LOG_LEVEL; with none of them set it finds the local server.
"""

from __future__ import annotations

import os
import sys

from contexten.errors import ContextenError
from contexten.telemetry.logs import configure_logging
from contexten.workflows import (
    AgentRole,
    AsyncWorkflowOrchestrator,
    WorkflowBuilder,
    WorkflowDefinition,
    WorkflowOrchestrator,
    WorkflowTask,
    WorkflowTemplates,
)

__all__ = [
    "AgentRole",
    "AsyncWorkflowOrchestrator",
    "WorkflowBuilder",
    "WorkflowDefinition",
    "WorkflowOrchestrator",
    "WorkflowTask",
    "WorkflowTemplates",
]


class Newcomer(AgentRole):
    """A role of one's own."""

    def get_system_prompt(self) -> str:
        """What is said ahead of each prompt, to engines that have a model."""
        return "You explain a repository to somebody who sees it for the first time."


def main() -> int:
    """Get to know a repository: three questions at once, and one that waits for them. Needs no model."""
    configure_logging(os.environ.get("LOG_LEVEL", "WARNING"))
    workflow = (
        WorkflowBuilder("newcomer", "Get to know a repository")
        .add_task("overview", "Overview", "newcomer", "Give me an overview")
        .add_task("entry_points", "Entry points", "newcomer", "What are the entry points?")
        .add_task("tests", "Tests", "testing", "Where are the tests?", retry={"attempts": 2})
        .add_task("size", "Size", "newcomer", "How many files are there?", dependencies=["overview", "tests"])
        .build()
    )
    orchestrator = WorkflowOrchestrator()
    orchestrator.agents["newcomer"] = Newcomer("Newcomer")
    result = orchestrator.execute_workflow(workflow)
    for name, task in result["tasks"].items():
        first = (task["result"] or task["reason"] or "").strip().split("\n", 1)[0]
        print(f"{name}: run {task['run_id']} {task['status']}\n  {first}")  # noqa: T201 - a program
    summary = result["summary"]
    print(f"Workflow completed: {summary['success_rate']:.1f}% success rate in {summary['seconds']:.1f} s")  # noqa: T201 - a program
    return 0 if result["workflow"]["status"] == "COMPLETE" else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ContextenError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
