"""Prompts with what an agent knows beside them: facts given by the caller, and what was said before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from contexten.client.calls.runs import written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CHARACTERS_PER_TOKEN = 4
"""A common estimate for English and code; a budget is a bound, not a bill."""


class Said(NamedTuple):
    """One exchange of a conversation."""

    prompt: str
    result: str


def with_context(prompt: str, context: Mapping[str, Any] | None) -> str:
    """The prompt followed by facts, one a line; values that are not text are written as JSON where they can be.

    Raises:
        UsageError: the prompt is empty: facts alone ask for nothing.
    """
    written(prompt)
    if not context:
        return prompt
    return f"{prompt}\n\nContext:\n{as_facts(context)}"


def as_facts(context: Mapping[str, Any]) -> str:
    """Facts, one a line; values that are not text are written as JSON where they can be."""
    return "\n".join(f"- {name}: {_shown(value)}" for name, value in context.items())


def with_history(prompt: str, history: Sequence[Said], budget_tokens: int) -> str:
    """The prompt preceded by the newest exchanges that fit a budget, oldest of them first."""
    kept = trimmed(history, budget_tokens)
    if not kept:
        return prompt
    before = "\n\n".join(f"User: {said.prompt}\nAgent: {said.result}" for said in kept)
    return f"The conversation so far:\n\n{before}\n\nNow:\n{prompt}"


def trimmed(history: Sequence[Said], budget_tokens: int) -> list[Said]:
    """The newest exchanges whose text fits a budget of tokens; the newest that is too long alone is cut short."""
    left = budget_tokens * CHARACTERS_PER_TOKEN
    kept: list[Said] = []
    for said in reversed(history):
        length = len(said.prompt) + len(said.result)
        if length > left:
            break
        kept.append(said)
        left -= length
    if kept or not history:
        return kept[::-1]
    newest = history[-1]
    prompt = newest.prompt[:left]
    result = newest.result[: left - len(prompt)]
    return [Said(prompt, result)] if result else []


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, default=str, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return str(value)
