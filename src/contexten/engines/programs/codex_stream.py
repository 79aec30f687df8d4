"""What the events of `codex exec --json` tell.

Source: the Codex documentation, "Non-interactive mode", and `codex-rs/exec/src/exec_events.rs`; compared with 0.169.0.
The last message of a turn is its answer; each one before it is a step on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contexten.engines.base import Usage
from contexten.engines.programs.stream import (
    Began,
    Ended,
    Told,
    count_in,
    objects_in,
    text_in,
    thought,
    tool_call,
)
from contexten.protocol import MessageType, NewLogEntry, RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LOST = "no rollout found"
_NOT_SAID = frozenset({"id", "type", "status", "aggregated_output", "result", "error"})
"""What of an item is not what its tool was given."""


class CodexReader:
    """Understands one turn of Codex."""

    def __init__(self) -> None:
        self._held = ""
        self._error = ""
        self._begun: dict[str, dict[str, Any]] = {}

    def take(self, message: Mapping[str, Any]) -> Iterator[Told]:
        """What an event tells."""
        kind, item = message.get("type"), message.get("item")
        if kind == "thread.started" and (session := text_in(message, "thread_id")):
            yield Began(session)
        elif kind == "item.completed" and isinstance(item, dict):
            self._begun.pop(text_in(item, "id"), None)
            yield from self._item(item)
        elif kind in {"item.started", "item.updated"} and isinstance(item, dict):
            self._begun[text_in(item, "id")] = item
        elif kind == "error":
            yield from self._complaint(text_in(message, "message"))
        elif kind in {"turn.completed", "turn.failed"}:
            yield from self._end(message, failed=kind == "turn.failed")

    def rest(self) -> Iterator[NewLogEntry]:
        """The message that was held back, and what was begun."""
        yield from self._let_go()
        for item in self._begun.values():
            if text_in(item, "type") not in {"agent_message", "reasoning", "todo_list"}:
                yield _call(item, None)
        self._begun.clear()

    def failure(self, said: str) -> Ended | None:
        """A lost session, or the last error that it told of, when that is all there is."""
        if _LOST in said:
            return Ended(RunStatus.FAILED, said, lost=True)
        return Ended(RunStatus.FAILED, self._error) if self._error else None

    def _let_go(self) -> Iterator[NewLogEntry]:
        if self._held:
            yield thought(self._held)
        self._held = ""

    def _complaint(self, text: str) -> Iterator[Told]:
        """An error that it may still overcome; one that is told again and again is told once."""
        if text and text != self._error:
            yield from self._let_go()
            yield thought(text)
        self._error = text

    def _item(self, item: dict[str, Any]) -> Iterator[Told]:
        yield from self._let_go()
        kind, text = text_in(item, "type"), text_in(item, "text").strip()
        if kind == "agent_message":
            self._held = text
        elif kind == "reasoning":
            yield from [thought(text)] if text else []
        elif kind == "error":
            yield from [thought(warning)] if (warning := text_in(item, "message").strip()) else []
        elif kind == "todo_list":
            yield _plan(item)
        elif kind:
            yield _call(item, _observed(item))

    def _end(self, message: Mapping[str, Any], *, failed: bool) -> Iterator[Told]:
        if failed:
            text, status = text_in(message, "error", "message") or self._error, RunStatus.FAILED
        else:
            text, status = self._held, RunStatus.COMPLETE
            self._held = ""
        yield from self.rest()
        usage = Usage(count_in(message, "usage", "input_tokens"), count_in(message, "usage", "output_tokens"))
        yield Ended(status, text or "Codex ended without an answer.", usage)


def _plan(item: Mapping[str, Any]) -> NewLogEntry:
    """Its list of things to do, as it stands in the end."""
    steps = objects_in(item.get("items"))
    lines = [f"{'[x]' if step.get('completed') is True else '[ ]'} {text_in(step, 'text')}" for step in steps]
    return NewLogEntry(message_type=MessageType.PLAN_EVALUATION, thought="\n".join(lines) or "No plan.")


def _call(item: Mapping[str, Any], observed: str | None) -> NewLogEntry:
    """An item that stands for the call of a tool: a command, a change of files, a search, a tool of an MCP server."""
    kind = text_in(item, "type")
    name = text_in(item, "tool") or {"command_execution": "command", "file_change": "edit"}.get(kind, kind)
    given = {key: value for key, value in item.items() if key not in _NOT_SAID and value is not None}
    code = given.pop("exit_code", None)
    failed = True if item.get("status") in {"failed", "declined"} else None
    return tool_call(name, given, observed, exit_code=code if isinstance(code, int) else None, is_error=failed)


def _observed(item: Mapping[str, Any]) -> str:
    """What came of a call, as text."""
    blocks = objects_in(item["result"].get("content")) if isinstance(item.get("result"), dict) else []
    said = "\n".join(text_in(block, "text") for block in blocks).strip()
    changed = ", ".join(f"{text_in(each, 'kind')} {text_in(each, 'path')}" for each in objects_in(item.get("changes")))
    error = text_in(item, "error", "message")
    return text_in(item, "aggregated_output") or said or changed or error or text_in(item, "status") or "done"
