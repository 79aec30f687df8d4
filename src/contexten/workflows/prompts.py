"""What a task's run is asked: its role, its prompt with results and inputs filled in, and what was found before.

Prompts are templates of Jinja, of which only what cannot run away is let in: values, a few filters, conditions, and one
loop over the results. What a value says is never read as a template.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from contexten.errors import UsageError
from contexten.workflows.roles import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jinja2 import nodes
    from jinja2.sandbox import SandboxedEnvironment

    from contexten.protocol.workflows import WorkflowDefinition, WorkflowTask

LONGEST_RESULT = 40_000
"""Characters of one result that a prompt takes; what is longer is cut, and says so."""
_FILTERS = frozenset({"capitalize", "default", "length", "lower", "title", "trim", "truncate", "upper", "wordcount"})
_NODES = frozenset({
    "Template", "Output", "TemplateData", "Name", "Getattr", "Getitem", "Const", "Filter", "Keyword", "If", "CondExpr",
    "Compare", "Operand", "And", "Or", "Not", "For", "Tuple",
})  # fmt: skip
_WRITE = 'Write {{ results.ID }} or {{ inputs.NAME }}, or "template": false when braces are to stay as they are'
_LOOP = "{% for name, text in results | dictsort %}"


class Used(NamedTuple):
    """What a prompt's template uses."""

    results: frozenset[str]
    inputs: frozenset[str]
    all_results: bool
    """Whether it loops over the results."""


def prompt_of(
    definition: WorkflowDefinition, task: WorkflowTask, results: Mapping[str, str], *, plain: bool = False
) -> str:
    """What the run of a task is asked.

    Args:
        definition: the workflow.
        task: one of its tasks.
        results: what the tasks before it said, by id.
        plain: whether it is for an engine that reads a prompt word by word, without a model: then only the task's own
            words count, not its role and not what was found before, unless the prompt itself quotes that.

    Raises:
        UsageError: the template cannot be used.
    """
    known = {name: _shortened(text) for name, text in results.items()}
    used = used_by(task.prompt) if task.template else Used(frozenset(), frozenset(), all_results=False)
    body = _filled(task, definition.inputs, known) if task.template else task.prompt
    if plain:
        return body
    parts = [role_prompt(definition, task.role), body]
    if not used.results and not used.all_results:
        parts += _found_before(definition, task, known)
    return "\n\n".join(part.strip() for part in parts if part.strip())


def role_prompt(definition: WorkflowDefinition, role: str) -> str:
    """What a role is told ahead of its prompts."""
    if role in definition.roles:
        return definition.roles[role]
    return ROLES[role](role).get_system_prompt() if role in ROLES else ""


@lru_cache(maxsize=64)
def used_by(prompt: str) -> Used:
    """What a prompt's template uses.

    Raises:
        UsageError: it cannot be read, or has something that prompts may not have; the message says what to write.
    """
    from jinja2 import TemplateSyntaxError

    reading = _Reading()
    try:
        reading.read(_environment().parse(prompt))
    except TemplateSyntaxError as error:
        raise UsageError(f"its template cannot be read (line {error.lineno}: {error.message})") from None
    except RecursionError:
        raise UsageError("its template is nested too deeply") from None
    return Used(frozenset(reading.results), frozenset(reading.inputs), reading.loops)


class _Reading:
    """One walk over a template, which stops at the first thing that is not allowed."""

    def __init__(self) -> None:
        self.results: set[str] = set()
        self.inputs: set[str] = set()
        self.loops = False
        self._local: set[str] = set()

    def read(self, node: nodes.Node) -> None:
        kind = type(node).__name__
        if kind not in _NODES:
            raise UsageError(f"its template has a {kind.lower()}, which prompts may not have")
        special = getattr(self, f"_{kind.lower()}", None)
        for child in node.iter_child_nodes() if special is None else special(node):
            self.read(child)

    def _getattr(self, node: nodes.Getattr) -> Iterator[nodes.Node]:
        return self._value(node.node, node.attr)

    def _getitem(self, node: nodes.Getitem) -> Iterator[nodes.Node]:
        return self._value(node.node, getattr(node.arg, "value", None))

    def _value(self, of: nodes.Node, name: object) -> Iterator[nodes.Node]:
        kinds = {"results": self.results, "inputs": self.inputs}
        place = kinds.get(getattr(of, "name", ""))
        if place is None or not isinstance(name, str):
            raise UsageError(f"its template takes a value of {getattr(of, 'name', 'something else')!r}. {_WRITE}")
        place.add(name)
        return iter(())

    def _name(self, node: nodes.Name) -> Iterator[nodes.Node]:
        if node.name not in self._local:
            raise UsageError(f"its template has {node.name!r}, which is nothing here. {_WRITE}")
        return iter(())

    def _filter(self, node: nodes.Filter) -> Iterator[nodes.Node]:
        if node.name not in _FILTERS:
            raise UsageError(f"its template has the filter {node.name!r}. There are: {', '.join(sorted(_FILTERS))}")
        return node.iter_child_nodes()

    def _for(self, node: nodes.For) -> Iterator[nodes.Node]:
        targets = [getattr(item, "name", "") for item in getattr(node.target, "items", ())]
        over = node.iter
        sorted_results = getattr(over, "name", "") == "dictsort" and getattr(over, "node", None)
        if self.loops or len(targets) != 2 or getattr(sorted_results, "name", "") != "results":  # noqa: PLR2004 - name and text
            raise UsageError(f"its template may have one loop, and that is {_LOOP}")
        self.loops = True
        self._local.update(targets)
        return iter([*node.body, *node.else_, *([node.test] if node.test else [])])


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Values(ImmutableSandboxedEnvironment):
        """`results.items` is the result of the task `items`, not a method."""

        def getattr(self, obj: Any, attribute: str) -> Any:
            return self.getitem(obj, attribute)

    environment = Values(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, trim_blocks=True)
    environment.globals.clear()
    return environment


def _filled(task: WorkflowTask, inputs: Mapping[str, str | None], results: Mapping[str, str]) -> str:
    from jinja2 import TemplateError

    used_by(task.prompt)  # the gate: a document may come from a database that somebody else wrote to
    values = {name: text or "" for name, text in inputs.items()}
    try:
        return _environment().from_string(task.prompt).render(results=dict(results), inputs=values)
    except (TemplateError, TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"The prompt of task {task.id!r} cannot be filled in: {error}.") from None


def _found_before(definition: WorkflowDefinition, task: WorkflowTask, results: Mapping[str, str]) -> Iterator[str]:
    titles = {each.id: each.title for each in definition.tasks}
    found = [(titles[name], results[name]) for name in task.dependencies if results.get(name)]
    if found:
        yield "What the tasks before this one found:"
    for title, text in found:
        yield f"### {title}\n\n{text}"


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_RESULT:
        return text
    return f"{text[:LONGEST_RESULT]}\n… [the first {LONGEST_RESULT} of {len(text)} characters]"
