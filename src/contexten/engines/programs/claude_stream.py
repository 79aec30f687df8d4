"""What the messages of `claude --output-format stream-json` tell.

Source: the Claude Code documentation, "Run Claude Code programmatically" and the SDK's message types; compared with 2.1.197.
A text is held back until the next message: the last one is the answer and not a step on the way.
"""

from __future__ import annotations

import math
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
from contexten.protocol import RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contexten.protocol import NewLogEntry

_ENDS = {"error_max_turns": RunStatus.MAX_ITERATIONS_REACHED, "error_max_budget_usd": RunStatus.OUT_OF_TOKENS}
_LOST = "No conversation found"


class ClaudeReader:
    """Understands one turn of Claude Code."""

    def __init__(self) -> None:
        self._held = ""
        self._calls: dict[str, tuple[str, dict[str, Any]]] = {}

    def take(self, message: Mapping[str, Any]) -> Iterator[Told]:
        """What a message tells."""
        kind = message.get("type")
        if kind == "system":
            yield from self._system(message)
        elif kind == "assistant":
            yield from self._assistant(message)
        elif kind == "user":
            yield from self._results(message)
        elif kind == "result":
            yield from self._end(message)

    def rest(self) -> Iterator[NewLogEntry]:
        """The text that was held back, and the calls that nothing came of."""
        yield from self._let_go()
        for name, given in self._calls.values():
            yield tool_call(name, given, None)
        self._calls.clear()

    def failure(self, said: str) -> Ended | None:
        """A lost session, when that is what it said."""
        return Ended(RunStatus.FAILED, said, lost=True) if _LOST in said else None

    def _let_go(self) -> Iterator[NewLogEntry]:
        if self._held:
            yield thought(self._held)
        self._held = ""

    @staticmethod
    def _system(message: Mapping[str, Any]) -> Iterator[Told]:
        subtype = message.get("subtype")
        if subtype == "init" and (session := text_in(message, "session_id")):
            yield Began(session, text_in(message, "model"))
        elif subtype == "api_retry":
            yield thought(f"The model's server did not answer; attempt {count_in(message, 'attempt')} failed.")

    def _assistant(self, message: Mapping[str, Any]) -> Iterator[Told]:
        yield from self._let_go()
        inside = message.get("parent_tool_use_id") is not None
        for block in _blocks(message):
            kind = block.get("type")
            if kind == "thinking" and (text := text_in(block, "thinking").strip()):
                yield thought(text)
            elif kind == "text" and (text := text_in(block, "text").strip()):
                yield from self._let_go()
                if inside:  # what a subagent says is not the answer
                    yield thought(text)
                else:
                    self._held = text
            elif kind == "tool_use":
                yield from self._let_go()
                given = block.get("input")
                called = text_in(block, "name") or "tool", given if isinstance(given, dict) else {}
                self._calls[text_in(block, "id")] = called

    def _results(self, message: Mapping[str, Any]) -> Iterator[Told]:
        yield from self._let_go()
        for block in _blocks(message):
            if block.get("type") == "tool_result":
                name, given = self._calls.pop(text_in(block, "tool_use_id"), ("tool", {}))
                failed = True if block.get("is_error") is True else None
                yield tool_call(name, given, _result_text(block.get("content")), is_error=failed)

    def _end(self, message: Mapping[str, Any]) -> Iterator[Told]:
        subtype = text_in(message, "subtype")
        text = text_in(message, "result").strip() or "\n".join(_errors(message)) or self._held
        if self._held == text:
            self._held = ""
        yield from self.rest()
        failed = subtype != "success" or message.get("is_error") is True
        status = _ENDS.get(subtype, RunStatus.FAILED) if failed else RunStatus.COMPLETE
        text = text or f"Claude Code ended without an answer ({subtype or 'no reason given'})."
        yield Ended(status, text, _usage(message), lost=failed and _LOST in text)


def _blocks(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    inner = message.get("message")
    content = inner.get("content") if isinstance(inner, dict) else None
    return [{"type": "text", "text": content}] if isinstance(content, str) else objects_in(content)


def _errors(message: Mapping[str, Any]) -> list[str]:
    errors = message.get("errors")
    return [each for each in errors if isinstance(each, str)] if isinstance(errors, list) else []


def _result_text(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = [text_in(block, "text") or f"({text_in(block, 'type') or 'something'})" for block in objects_in(content)]
    return "\n".join(parts)


def _usage(message: Mapping[str, Any]) -> Usage:
    """What the turn consumed: tokens written to and read from the cache are input too."""
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    cost = message.get("total_cost_usd")
    is_amount = isinstance(cost, int | float) and math.isfinite(cost) and cost >= 0
    return Usage(
        input_tokens=sum(count_in(message, "usage", name) for name in names),
        output_tokens=count_in(message, "usage", "output_tokens"),
        cost_usd=float(cost) if is_amount and cost is not None else 0.0,
    )
