"""One answer of a model, as the loop sees it and as the log keeps it: what it said, and which tools it calls."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from contexten.protocol import MessageType, NewLogEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_ai.messages import ModelResponse, ModelResponsePart

    from contexten.protocol import LogEntry

MOST_CALLS = 20
"""Calls of one answer that are done; a model that makes more is told."""
LARGEST_CALLS = 150_000
"""Characters of the arguments of one answer's calls, so that one log entry holds them all."""
LONGEST_THOUGHT = 20_000
"""Characters of what a model says that the log keeps."""
_ODD = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that the model wants to use."""

    id: str
    tool: str
    arguments: dict[str, Any] | None
    """None when they were no JSON object, or too large to be kept."""


@dataclass(frozen=True, slots=True)
class Said:
    """One answer of a model."""

    message: ModelResponse = field(repr=False)
    """The answer in the form in which its provider wants to see it again."""
    text: str
    calls: tuple[Call, ...]
    used: Mapping[str, Any]
    """`input_tokens`, `output_tokens`, `cache_read_tokens`, and `cost_usd`, which is None when it is not known."""
    ended: str | None = None
    """Why the model stopped: `stop`, `tool_call`, `length`, `content_filter`, `error`."""
    dropped: int = 0
    """Calls beyond the most that are done."""
    remembered: bool = False
    """Whether an earlier attempt of the turn got it."""

    def entry(self) -> NewLogEntry:
        """What the log keeps of it."""
        calls = [{"id": call.id, "tool": call.tool, "arguments": call.arguments} for call in self.calls]
        kept = {"calls": calls, "used": dict(self.used), "ended": self.ended, "dropped": self.dropped}
        thought = self.text[:LONGEST_THOUGHT] or None
        return NewLogEntry(message_type=MessageType.PLAN_EVALUATION, thought=thought, observation=kept)


def heard(message: ModelResponse) -> Said:
    """What a provider answered, without what is too much of it."""
    from pydantic_ai.messages import TextPart, ToolCallPart

    calls: list[Call] = []
    parts: list[ModelResponsePart] = []
    dropped, room = 0, LARGEST_CALLS
    for part in message.parts:
        if isinstance(part, TextPart):
            parts.append(replace(part, content=sendable(part.content)))
        elif not isinstance(part, ToolCallPart):
            parts.append(part)
        elif len(calls) == MOST_CALLS:
            dropped += 1
        else:
            made: Any = part  # its kinds differ in the types of their fields only
            arguments, size = _arguments(made.args, room)
            room -= size
            call = Call(part.tool_call_id, _ODD.sub("_", part.tool_name)[:_LONGEST_NAME] or "_", arguments)
            calls.append(call)
            parts.append(replace(made, tool_name=call.tool, args=arguments or {}))
    text = "\n\n".join(part.content for part in parts if isinstance(part, TextPart)).strip()
    return Said(
        replace(message, parts=parts), text, tuple(calls), _used(message), message.finish_reason, dropped=dropped
    )


def remembered(entry: LogEntry | None) -> Said | None:
    """What an earlier attempt of the turn heard; None when it wrote nothing down."""
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart

    if entry is None or not isinstance(entry.observation, dict):
        return None
    kept = entry.observation
    calls = tuple(Call(**call) for call in kept["calls"])
    parts: list[ModelResponsePart] = [TextPart(entry.thought)] if entry.thought else []
    parts += [ToolCallPart(call.tool, call.arguments or {}, call.id) for call in calls]
    text = entry.thought or ""
    return Said(ModelResponse(parts), text, calls, kept["used"], kept["ended"], kept["dropped"], remembered=True)


def sendable(text: str) -> str:
    """The text without what no UTF-8 can hold: halves of characters, such as come from names of files."""
    return text.encode("utf-8", "replace").decode()


def _arguments(given: str | dict[str, Any] | None, room: int) -> tuple[dict[str, Any] | None, int]:
    """The arguments of a call and their size; None and nothing when they are no JSON object, or larger than the room."""
    try:
        value = json.loads(given) if isinstance(given, str) and given.strip() else given or {}
        written = sendable(json.dumps(value, ensure_ascii=False))
        value, size = json.loads(written), len(written)
    except (ValueError, RecursionError):
        return None, 0
    return (value, size) if isinstance(value, dict) and size <= room else (None, 0)


def _used(message: ModelResponse) -> dict[str, Any]:
    usage = message.usage
    return {
        "input_tokens": max(usage.input_tokens, 0),
        "output_tokens": max(usage.output_tokens, 0),
        "cache_read_tokens": max(usage.cache_read_tokens, 0),
        "cost_usd": _price(message),
    }


def _price(message: ModelResponse) -> float | None:
    """In US dollars, by the price list that comes with genai-prices; None for a model that is not in it."""
    if message.usage.cost is not None:
        return float(message.usage.cost)
    if not message.model_name:
        return None
    try:
        return float(message.cost().total_price)
    except (LookupError, ValueError, ArithmeticError):
        return None
