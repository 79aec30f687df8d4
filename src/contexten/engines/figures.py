"""A run that changed code, in one line of figures: files and lines, its tests, its cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contexten.engines.base import Usage
    from contexten.engines.changes import Changes

_CENT = 0.01
_MINUS = "\u2212"


def figures(changes: Changes | None, usage: Usage, *, tests: str | None = None, priced: bool = True) -> str:
    """What a run changed, how its tests ended and what it cost.

    Args:
        changes: against where it began; None when that is not known.
        usage: what it consumed.
        tests: how the tests that it ran last ended, such as `12 passed`.
        priced: whether the price of all that it consumed is known.
    """
    parts = [changed(changes) if changes is not None else "", f"tests {tests}" if tests else "", cost(usage, priced)]
    return " · ".join(part for part in parts if part)


def changed(changes: Changes) -> str:
    """How much was changed: files, lines added, lines removed."""
    count = len(changes.files)
    if not count:
        return "no changes"
    return f"{count} {'file' if count == 1 else 'files'}, +{changes.insertions} {_MINUS}{changes.deletions}"


def cost(usage: Usage, priced: bool = True) -> str:
    """What was paid, or how much was consumed when its price is not known; empty when nothing was."""
    tokens = usage.input_tokens + usage.output_tokens
    if usage.cost_usd:
        amount = f"${usage.cost_usd:.2f}" if usage.cost_usd >= _CENT else f"${usage.cost_usd:.4f}"
        return amount if priced else f"{amount} and more, price partly unknown"
    return f"{tokens:,} tokens, price unknown" if tokens else ""
