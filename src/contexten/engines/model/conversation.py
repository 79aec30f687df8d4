"""What the model is told: who it is, the task, what it said and what its tools answered, one after the other."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jinja2 import Environment
    from pydantic_ai.messages import ModelMessage, ModelRequestPart, UserContent

    from contexten.engines.base import Exchange, Task
    from contexten.engines.changes import FileChange
    from contexten.engines.model.said import Call, Said
    from contexten.engines.model.tools import Result

_LONGEST_RESULT = 20_000
"""Characters of an earlier turn's answer."""
_MOST_CHANGED = 100
"""Files that are named as changed."""
_NEWEST = 4
"""Messages that are never shortened."""
_SHORT = 400
"""Characters of an answer of a tool that are not worth leaving out."""


class Conversation:
    """The messages of one turn, oldest first; earlier turns of the run before them.

    Args:
        task: what is asked.
        context: what of the code matters for it.
        changed: files that earlier turns changed.
    """

    def __init__(self, task: Task, context: str, changed: Sequence[FileChange] = ()) -> None:
        self.messages: list[ModelMessage] = [*_earlier(task.history), _asked(task, context, changed)]

    def add(self, said: Said) -> None:
        """The model said something; an empty answer is no message that a provider takes back."""
        if said.message.parts:
            self.messages.append(said.message)

    def answer(self, results: Iterable[tuple[Call, Result]], note: str = "") -> None:
        """Tools answered; a note of ours may follow."""
        from pydantic_ai.messages import ModelRequest, ToolReturnPart, UserPromptPart

        parts: list[ModelRequestPart] = [
            ToolReturnPart(call.tool, result.text, call.id, outcome="success" if result.ok else "failed")
            for call, result in results
        ]
        self.messages.append(ModelRequest([*parts, UserPromptPart(note)] if note else parts))

    def shorten(self) -> bool:
        """Leave out the older half of what tools answered, to make room; False when nothing is left to leave out."""
        long = [
            (at, number)
            for at, message in enumerate(self.messages[:-_NEWEST])
            for number, part in enumerate(message.parts)
            if part.part_kind == "tool-return" and len(str(part.content)) > _SHORT
        ]
        for at, number in long[: -(-len(long) // 2)]:
            self._leave_out(at, number)
        return bool(long)

    def _leave_out(self, at: int, number: int) -> None:
        message: Any = self.messages[at]
        parts = list(message.parts)
        size = len(str(parts[number].content))
        said = f"[left out to make room: {size} characters. Call the tool again if you need them.]"
        parts[number] = replace(parts[number], content=said)
        self.messages[at] = replace(message, parts=parts)


def instructions(*, can_run: bool) -> str:
    """What the model is told about itself, its tools and what is expected of it."""
    return _environment().get_template("instructions.jinja").render(can_run=can_run)


def _earlier(history: tuple[Exchange, ...]) -> Iterable[ModelMessage]:
    from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, UserPromptPart

    for turn in history:
        result = (turn.result or "")[:_LONGEST_RESULT]
        yield ModelRequest([UserPromptPart(turn.prompt)])
        yield ModelResponse([TextPart(f"{result}\n\n[this turn ended as {turn.status}]".strip())])


def _asked(task: Task, context: str, changed: Sequence[FileChange]) -> ModelMessage:
    from pydantic_ai.messages import BinaryContent, ModelRequest, UserPromptPart

    mode = task.metadata.get("mode")
    template = _environment().get_template("task.jinja")
    text = template.render(
        task=task,
        context=context,
        mode=mode if isinstance(mode, str) else None,
        changed=changed[:_MOST_CHANGED],
        more=len(changed[_MOST_CHANGED:]),
    )
    content: list[UserContent] = [text, *map(BinaryContent.from_data_uri, task.images)]
    return ModelRequest([UserPromptPart(content if task.images else text)])


@cache
def _environment() -> Environment:
    """The templates. They are sandboxed although they are ours: what they are filled with is not."""
    from jinja2 import PackageLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(
        loader=PackageLoader("contexten.engines.model"),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
