"""Reading a workflow's document, and everything that must hold before it is started."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from contexten.errors import UsageError, WorkflowError
from contexten.protocol.workflows import MOST_TASKS, WorkflowDefinition
from contexten.workflows.graph import ancestors, find_cycle
from contexten.workflows.prompts import used_by
from contexten.workflows.roles import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from contexten.protocol.workflows import WorkflowTask


def read_definition(document: Any, *, any_role: bool = False) -> WorkflowDefinition:
    """A workflow out of its document, decoded from JSON; a definition is given back as it is.

    Args:
        document: what was read.
        any_role: whether roles that are not known are let in, because somebody will bring them.

    Raises:
        WorkflowError: it cannot be run; the problems name the task and what to do.
    """
    try:
        definition = WorkflowDefinition.model_validate(document)
    except ValidationError as error:
        raise WorkflowError([_shape(document, each) for each in error.errors(include_url=False)]) from None
    if problems := list(_problems(definition, any_role=any_role)):
        raise WorkflowError(problems)
    return definition


def with_inputs(definition: WorkflowDefinition, given: Mapping[str, str]) -> WorkflowDefinition:
    """The workflow with texts for its inputs.

    Raises:
        WorkflowError: it has no input of that name.
    """
    unknown = [name for name in given if name not in definition.inputs]
    if unknown:
        known = ", ".join(definition.inputs) or "none"
        raise WorkflowError([f"There is no input {name!r}. Inputs of this workflow: {known}." for name in unknown])
    return definition.model_copy(update={"inputs": {**definition.inputs, **given}})


def check_inputs(definition: WorkflowDefinition) -> None:
    """Raise the inputs that still have no text.

    Raises:
        WorkflowError: there are some.
    """
    missing = [name for name, text in definition.inputs.items() if text is None]
    if missing:
        raise WorkflowError([f"The input {name!r} has no text. Give it: --set {name}=…" for name in missing])


def with_defaults(definition: WorkflowDefinition, **values: Any) -> WorkflowDefinition:
    """The workflow with an engine, a model or a repository for the tasks that name none; None changes nothing."""
    given = {name: value for name, value in values.items() if value is not None}
    tasks = [
        task.model_copy(update={name: value for name, value in given.items() if getattr(task, name) is None})
        for task in definition.tasks
    ]
    return definition.model_copy(update={"tasks": tuple(tasks)})


def _problems(definition: WorkflowDefinition, *, any_role: bool) -> Iterator[str]:
    tasks = definition.tasks
    if not tasks:
        yield "The workflow has no tasks. Add one: an id, a role and a prompt."
    if len(tasks) > MOST_TASKS:
        yield f"The workflow has {len(tasks)} tasks; at most {MOST_TASKS} are allowed. Split it into several."
    ids = [task.id for task in tasks]
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        yield f"Task {name!r} is there {ids.count(name)} times. Give each task an id of its own."
    graph = {task.id: task.dependencies for task in tasks}
    cycle = find_cycle(graph)
    if cycle:
        yield f"Task {cycle[0]!r} waits for itself: {' → '.join(cycle)}. Take one of these dependencies away."
    for task in tasks:
        if not any_role:
            yield from _of_role(task, definition)
        yield from _of_task(task, definition, ancestors(graph, task.id))


def _of_role(task: WorkflowTask, definition: WorkflowDefinition) -> Iterator[str]:
    roles = [*ROLES, *definition.roles]
    if task.role not in roles:
        yield f"Task {task.id!r} has the role {task.role!r}, which is not known. {_hint(task.role, roles)}"


def _of_task(task: WorkflowTask, definition: WorkflowDefinition, before: set[str]) -> Iterator[str]:
    ids = [other.id for other in definition.tasks]
    for name in task.dependencies:
        if name not in ids:
            yield f"Task {task.id!r} depends on {name!r}, which is no task. {_hint(name, ids)}"
    if not task.prompt.strip():
        yield f"The prompt of task {task.id!r} is empty. Say what it shall do."
    elif task.template:
        yield from _of_template(task, definition, before)


def _of_template(task: WorkflowTask, definition: WorkflowDefinition, before: set[str]) -> Iterator[str]:
    try:
        used = used_by(task.prompt)
    except UsageError as error:
        yield f"The prompt of task {task.id!r} cannot be used: {error}."
        return
    for name in sorted(used.results - before):
        there = any(name == other.id for other in definition.tasks)
        step = f"Add {name!r} to its dependencies" if there else "There is no such task"
        yield f"The prompt of task {task.id!r} uses results.{name}, which it does not wait for. {step}."
    for name in sorted(used.inputs - definition.inputs.keys()):
        yield f'The prompt of task {task.id!r} uses inputs.{name}, which is no input. Add it: "inputs": {{"{name}": …}}.'


def _hint(name: str, known: Iterable[str]) -> str:
    known = list(dict.fromkeys(known))
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known[:10])}."


def _shape(document: Any, error: Mapping[str, Any]) -> str:
    """One violation of the document's form, with the task's id where it is about one."""
    place = list(error["loc"])
    of_task = len(place) > 1 and place[0] == "tasks" and isinstance(place[1], int)
    where = "The workflow"
    if of_task:
        tasks = document.get("tasks") if isinstance(document, dict) else None
        task = tasks[place[1]] if isinstance(tasks, list | tuple) and place[1] < len(tasks) else None
        name = task.get("id") if isinstance(task, dict) else getattr(task, "id", None)
        where = f"Task {name!r}" if isinstance(name, str) else f"Task number {place[1] + 1}"
        place = place[2:]
    field = ".".join(str(part) for part in place)
    if error["type"] == "extra_forbidden":
        return f"{where} has a field {field!r}, which is not known. Take it away, or correct its name."
    if error["type"] == "missing":
        return f"{where} has no {field!r}. Add it."
    return f"{where}: {f'{field} ' if field else ''}cannot be {_brief(error['input'])}: {error['msg']}."


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"  # noqa: PLR2004 - enough to recognise it by
