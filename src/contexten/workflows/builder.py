"""Building a workflow in a program, task by task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from contexten.workflows.definition import read_definition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contexten.protocol.workflows import WorkflowDefinition


class WorkflowBuilder:
    """Collects tasks; `build` gives the workflow, checked.

    Args:
        workflow_id: what programs call it.
        name: what people call it.
        description: what it is for.
    """

    def __init__(self, workflow_id: str, name: str, description: str = "") -> None:
        self._document: dict[str, Any] = {"id": workflow_id, "name": name, "description": description}
        self._tasks: list[dict[str, Any]] = []
        self._roles: dict[str, str] = {}
        self._inputs: dict[str, str | None] = {}
        self._limits: dict[str, Any] = {}

    def add_task(
        self,
        task_id: str,
        name: str,
        role: str,
        prompt: str,
        dependencies: Sequence[str] = (),
        **more: Any,
    ) -> Self:
        """Add a task.

        Args:
            task_id: what other tasks call it.
            name: what people call it.
            role: who does it, such as `code_generation`, or a role of your own.
            prompt: what to do; `{{ results.ID }}` and `{{ inputs.NAME }}` are filled in. Text that somebody else wrote
                belongs into an input, where braces mean nothing.
            dependencies: ids of tasks that must have ended before.
            more: `retry={"attempts": 3, "backoff": 5}`, `timeout`, `on_failure="continue"`, `approval=True`, `engine`,
                `model`, `repo_id`, `template=False`.
        """
        task = {"id": task_id, "name": name, "role": role, "prompt": prompt, "dependencies": list(dependencies)}
        self._tasks.append(task | more)
        return self

    def add_role(self, name: str, system_prompt: str) -> Self:
        """Add a role of your own: what it is told ahead of its prompts."""
        self._roles[name] = system_prompt
        return self

    def add_input(self, name: str, text: str | None = None) -> Self:
        """Add a text that prompts use as `{{ inputs.NAME }}`; None for one that is given at the start."""
        self._inputs[name] = text
        return self

    def limit(self, *, max_concurrent: int | None = None, max_cost_usd: float | None = None) -> Self:
        """Limit how many tasks are under way at a time, and what may be spent before no more are begun."""
        self._limits = {"max_concurrent": max_concurrent, "max_cost_usd": max_cost_usd}
        return self

    def build(self) -> WorkflowDefinition:
        """The workflow. Whether its roles are known is looked at when it is started: an orchestrator may bring some.

        Raises:
            WorkflowError: it cannot be run; the problems name the task and what to do.
        """
        collected = {"tasks": self._tasks, "roles": self._roles, "inputs": self._inputs, "limits": self._limits}
        return read_definition(self._document | collected, any_role=True)
