"""What of a codebase a prompt needs, as items with their reasons and as text to paste."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from contexten.codebase.model import Symbol

Form = Literal["signature", "body"]
_CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class ContextItem:
    """A definition in a context."""

    symbol: Symbol
    score: float
    """How much it matters, from 0 to 1."""
    reason: str
    form: Form
    """signature (for a variable its line) or body."""
    text: str
    tokens: int
    """Estimated at four characters each."""


@dataclass(frozen=True, slots=True)
class RelevantContext:
    """What to put into a prompt, the most relevant first; `str()` of it is the text, grouped by file."""

    prompt: str
    budget_tokens: int
    items: tuple[ContextItem, ...]
    text: str = field(repr=False)

    def __str__(self) -> str:
        return self.text

    @property
    def tokens(self) -> int:
        """Estimated length of the text."""
        return tokens_of(self.text)

    def as_data(self) -> dict[str, Any]:
        """The same as plain data."""
        items = [
            {
                "name": each.symbol.qualified_name,
                "kind": each.symbol.kind,
                "location": each.symbol.location,
                "score": each.score,
                "reason": each.reason,
                "form": each.form,
                "text": each.text,
            }
            for each in self.items
        ]
        return {
            "prompt": self.prompt,
            "budget_tokens": self.budget_tokens,
            "tokens": self.tokens,
            "items": items,
            "text": self.text,
        }


def tokens_of(text: str) -> int:
    """How many tokens a text is about."""
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


def characters_in(tokens: int) -> int:
    """How long a text of so many tokens may be."""
    return tokens * _CHARACTERS_PER_TOKEN
