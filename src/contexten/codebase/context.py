"""Pack the definitions that matter for a task into a budget: signatures first, bodies where there is room."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from contexten.codebase.relevance import rank_symbols

if TYPE_CHECKING:
    from contexten.codebase.model import Symbol
    from contexten.codebase.questions import Questions
    from contexten.codebase.relevance import Scored

Form = Literal["signature", "outline", "body"]
_CHARACTERS_PER_TOKEN = 4
_SIGNATURE_SHARE = 0.7
"""Share of the budget that signatures may take before bodies have had their turn."""
_BODY_SHARE = 0.4
"""Share of the budget that one body may take."""
_LEAST_SCORE, _BODY_SCORE = 0.05, 0.3
_SHORT_CLASS_LINES = 30
_MAX_ABOUT = 100
_MAX_DECORATOR, _MAX_DECORATOR_LINES = 30, 40


@dataclass(frozen=True, slots=True)
class ContextItem:
    """A definition in a context."""

    symbol: Symbol
    score: float
    """How much it matters, from 0 to 1."""
    reason: str
    form: Form
    """signature, outline (a class with the signatures of its methods) or body."""
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


def relevant_context(
    questions: Questions, prompt: str, caller: Symbol | str | None, budget_tokens: int
) -> RelevantContext:
    """The definitions that matter for a prompt, packed into a budget."""
    return _Packer(questions, budget_tokens).pack(prompt, rank_symbols(questions, prompt, caller))


def tokens_of(text: str) -> int:
    """How many tokens a text is about."""
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


class _Packer:
    """Fills a budget, counted in characters as an upper bound of what `render` will write."""

    def __init__(self, questions: Questions, budget: int) -> None:
        self.questions = questions
        self.budget = budget
        self.room = budget * _CHARACTERS_PER_TOKEN
        self.costs: dict[tuple[str, int], int] = {}
        self.overhead = 0
        """Characters of the headings."""
        self.items: dict[tuple[str, int], ContextItem] = {}
        self.headings: set[tuple[str, int]] = set()

    def pack(self, prompt: str, ranked: list[Scored]) -> RelevantContext:
        ranked = [each for each in ranked if each.score >= _LEAST_SCORE]
        self.signatures(ranked, int(self.room * _SIGNATURE_SHARE))
        self.bodies()
        self.signatures(ranked, self.room)
        items = tuple(sorted(self.items.values(), key=lambda each: (-each.score, each.symbol.path, each.symbol.line)))
        return RelevantContext(prompt, self.budget, items, self.render())

    def signatures(self, ranked: list[Scored], limit: int) -> None:
        for each in ranked:
            if each.place in self.items:
                continue
            symbol = self.questions.snapshot.symbol(*each.place)
            if symbol is None or self.covered(symbol) or self.is_inner(symbol):
                continue
            text = self.signature(symbol)
            item = ContextItem(symbol, each.score, each.reason, "signature", text, tokens_of(text))
            heading = self.heading_cost(symbol)
            if self.spent() + self.cost(item) + heading <= limit:
                self.overhead += heading
                self.take(item)

    def bodies(self) -> None:
        for item in sorted(self.items.values(), key=lambda each: (-each.score, each.symbol.path, each.symbol.line)):
            symbol = item.symbol
            if item.score < _BODY_SCORE or symbol.kind not in ("function", "method", "class") or self.covered(symbol):
                continue
            form, text = self.full(symbol)
            full = ContextItem(symbol, item.score, item.reason, form, text, tokens_of(text))
            cost = self.cost(full)
            if self.spent() - self.cost(item) + cost <= self.room and cost <= self.room * _BODY_SHARE:
                self.take(full)
                self.refund()

    def spent(self) -> int:
        """Characters taken so far."""
        return self.overhead + sum(self.costs.values())

    def cost(self, item: ContextItem) -> int:
        """Characters of an item's lines, with their indentation and the empty lines around a body."""
        lines = item.text.count("\n") + 1
        indent = 4 if self.parent(item.symbol) >= 0 and item.form != "body" else 0
        return len(item.text) + lines * indent + 1 + (2 if item.form == "body" else 0)

    def take(self, item: ContextItem) -> None:
        symbol = item.symbol
        self.items[symbol.path, symbol.index] = item
        self.costs[symbol.path, symbol.index] = self.cost(item)
        self.headings.add((symbol.path, -1))
        if (parent := self.parent(symbol)) >= 0:
            self.headings.add((symbol.path, parent))

    def refund(self) -> None:
        """What now stands in the text of another costs nothing of its own."""
        for key, item in self.items.items():
            if self.costs[key] and self.covered(item.symbol):
                self.costs[key] = 0

    def covered(self, symbol: Symbol) -> bool:
        """Whether a definition already stands in the text of another."""
        parent = self.parent(symbol)
        while parent >= 0:
            item = self.items.get((symbol.path, parent))
            if item is not None and (item.form == "body" or (item.form == "outline" and symbol.kind == "method")):
                return True
            around = self.questions.snapshot.unit(symbol.path)
            parent = around.symbol(parent).parent if around else -1
        return False

    def is_inner(self, symbol: Symbol) -> bool:
        """Whether a definition stands in a function, where no other code can use it."""
        unit = self.questions.snapshot.unit(symbol.path)
        parent = self.parent(symbol)
        return parent >= 0 and unit is not None and unit.symbol(parent).kind != "class"

    def parent(self, symbol: Symbol) -> int:
        unit = self.questions.snapshot.unit(symbol.path)
        return unit.symbol(symbol.index).parent if unit and symbol.index >= 0 else -1

    def heading_cost(self, symbol: Symbol) -> int:
        cost = 0 if (symbol.path, -1) in self.headings else len(f"\n\n# {symbol.path}\n")
        parent = self.parent(symbol)
        if parent >= 0 and (symbol.path, parent) not in self.headings and (symbol.path, parent) not in self.items:
            cost += len(self.heading(symbol.path, parent)) + 1
        return cost

    def heading(self, path: str, index: int) -> str:
        symbol = self.questions.snapshot.symbol(path, index)
        return f"{symbol.signature or symbol.name}:  # line {symbol.line}" if symbol else ""

    def signature(self, symbol: Symbol) -> str:
        title = symbol.signature or self.questions.line(symbol.path, symbol.line)
        title = "".join(f"@{each} " for each in symbol.decorators if len(each) <= _MAX_DECORATOR) + title
        about = " ".join(symbol.docstring.partition("\n\n")[0].split())
        about = f"{about[:_MAX_ABOUT]}…" if len(about) > _MAX_ABOUT else about
        return f"{title}  # line {symbol.line}{f': {about}' if about else ''}"

    def full(self, symbol: Symbol) -> tuple[Form, str]:
        if symbol.kind == "class" and symbol.end_line - symbol.line >= _SHORT_CLASS_LINES:
            methods = [each for each in self.questions.members(symbol) if each.kind == "method"]
            return "outline", "\n".join([self.signature(symbol), *(f"    {self.signature(each)}" for each in methods)])
        lines = self.questions.lines(symbol.path)
        return "body", "\n".join(lines[_first_line(symbol, lines) - 1 : symbol.end_line])

    def render(self) -> str:
        """The text: files in the order of their best item, inside them the order of the source."""
        best: dict[str, float] = {}
        for item in self.items.values():
            best[item.symbol.path] = max(item.score, best.get(item.symbol.path, 0.0))
        parts = [self.render_file(path) for path in sorted(best, key=lambda each: (-best[each], each))]
        return "\n\n".join(parts)

    def render_file(self, path: str) -> str:
        items = [each for each in self.items.values() if each.symbol.path == path and not self.covered(each.symbol)]
        lines = [f"# {path}"]
        parents: set[int] = set()
        open_form: Form = "signature"
        for item in sorted(items, key=lambda each: (each.symbol.line, each.symbol.column)):
            parent = self.parent(item.symbol)
            if parent >= 0 and parent not in parents and (path, parent) not in self.items:
                lines.append(self.heading(path, parent))
            elif "body" in (item.form, open_form):
                lines.append("")
            open_form = item.form
            parents.update((parent, item.symbol.index))
            indent = "    " if parent >= 0 and item.form != "body" else ""
            lines.extend(indent + line for line in item.text.splitlines())
        return "\n".join(lines)


def _first_line(symbol: Symbol, lines: list[str]) -> int:
    """The line of the first decorator, or that of the definition."""
    left, line = len(symbol.decorators), symbol.line
    for number in range(symbol.line - 1, max(symbol.line - _MAX_DECORATOR_LINES, 0), -1):
        if left and number <= len(lines) and lines[number - 1].lstrip().startswith("@"):
            left, line = left - 1, number
    return line
