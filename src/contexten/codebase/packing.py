"""Pack the definitions that matter for a task into a budget: the best whole, then signatures, then bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from contexten.codebase.context import ContextItem, Form, RelevantContext, characters_in, tokens_of
from contexten.codebase.evidence import Scored
from contexten.codebase.excerpts import body, heading_line, signature_line
from contexten.codebase.layout import INDENT, laid_out
from contexten.codebase.relevance import rank_symbols

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contexten.codebase.lexicon import Place
    from contexten.codebase.model import Symbol
    from contexten.codebase.questions import Questions

_LEADING = 3
"""How many of the best may be shown whole before anything else is looked at."""
_LEADING_SHARE, _BODY_SHARE = 0.25, 0.4
"""Share of the budget that one leading body may take, and any other."""
_LEAST_SCORE, _BODY_SCORE = 0.05, 0.3
_MEMBER_SHARE = 0.5
"""What a method has of the score of a class that is too long to be shown whole."""
_SHORT_CLASS_LINES = 30
_LEAST_LINE = 24
"""Characters that no signature does without."""


class _Plan(NamedTuple):
    """How a budget is shared out."""

    leading_score: float
    """What the best must have to be shown whole first."""
    signatures: float
    """Share of the budget that may be taken before other bodies have their turn."""


_SEARCHING = _Plan(leading_score=0.6, signatures=0.5)
"""Nobody said where the code goes: the places where it may go are wanted whole."""
_WRITING = _Plan(leading_score=0.95, signatures=0.85)
"""The caller knows its place, and has to know what it can use there: as many signatures as possible."""


def relevant_context(
    questions: Questions, prompt: str, caller: Symbol | str | None, budget_tokens: int
) -> RelevantContext:
    """The definitions that matter for a prompt, packed into a budget."""
    ranked = [each for each in rank_symbols(questions, prompt, caller) if each.score >= _LEAST_SCORE]
    packer = _Packer(questions, characters_in(budget_tokens))
    packer.pack(ranked, _SEARCHING if caller is None else _WRITING)
    items = packer.items.values()
    text = laid_out(questions, [each for each in items if not packer.covered(each.symbol)])
    ordered = sorted(items, key=lambda each: (-each.score, each.symbol.path, each.symbol.line, each.symbol.index))
    return RelevantContext(prompt, budget_tokens, tuple(ordered), text)


class _Packer:
    """Fills a budget, counted in characters as an upper bound of what `laid_out` will write."""

    def __init__(self, questions: Questions, room: int) -> None:
        self.questions = questions
        self.room = room
        self.spent = 0
        self.items: dict[Place, ContextItem] = {}
        self.costs: dict[Place, int] = {}
        self.headings: set[Place] = set()
        self.whole: dict[str, list[range]] = {}
        """By file the lines of what is shown whole."""

    def pack(self, ranked: list[Scored], plan: _Plan) -> None:
        ranked = self.implementations(ranked)
        leading = [each for each in ranked[:_LEADING] if each.score >= plan.leading_score]
        self.signatures(leading, self.room)
        self.bodies(leading, _LEADING_SHARE)
        self.signatures(ranked, int(self.room * plan.signatures))
        self.bodies([each for each in ranked if each.score >= _BODY_SCORE], _BODY_SHARE)
        self.signatures(ranked, self.room)

    def signatures(self, ranked: Iterable[Scored], limit: int) -> None:
        for each in ranked:
            if limit - self.spent < _LEAST_LINE:
                return
            symbol = self.symbol(each.place) if each.place not in self.items else None
            if symbol is None or self.is_inner(symbol):
                continue
            line = self.questions.line(symbol.path, symbol.line)
            item = _item(symbol, each, "signature", signature_line(symbol, line))
            cost, heading = (0, 0) if self.covered(symbol) else (_cost(item), self.heading_cost(symbol))
            if self.spent + cost + heading <= limit:
                self.spent += heading
                self.take(each.place, item, cost)

    def bodies(self, ranked: Iterable[Scored], share: float) -> None:
        for each in ranked:
            symbol = self.symbol(each.place) if each.place in self.items else None
            if symbol is None or self.covered(symbol):
                continue
            if symbol.kind == "class" and symbol.end_line - symbol.line >= _SHORT_CLASS_LINES:
                self.signatures(self.methods(symbol, each), min(self.room, self.spent + int(self.room * share)))
            elif symbol.kind in ("class", "function", "method"):
                self.take_whole(symbol, each, int(self.room * share))

    def take_whole(self, symbol: Symbol, scored: Scored, limit: int) -> None:
        item = _item(symbol, scored, "body", body(symbol, self.questions.lines(symbol.path)))
        cost, instead = _cost(item), self.costs[scored.place]
        if cost <= limit and self.spent - instead + cost <= self.room:
            self.spent -= instead
            self.take(scored.place, item, cost)
            self.whole.setdefault(symbol.path, []).append(range(symbol.line + 1, symbol.end_line + 1))
            self.refund(symbol.path)

    def methods(self, symbol: Symbol, scored: Scored) -> list[Scored]:
        """The methods of a class that is too long to be shown whole."""
        methods = (each for each in self.questions.members(symbol) if each.kind == "method")
        score = round(scored.score * _MEMBER_SHARE, 6)
        return [Scored((each.path, each.index), score, f"member of {symbol.name}") for each in methods]

    def implementations(self, ranked: Iterable[Scored]) -> list[Scored]:
        """The same with one definition for all overloads of a function, where the best of them stands."""
        found: dict[Place, Scored] = {}
        for each in ranked:
            unit = self.questions.snapshot.unit(each.place[0])
            place = (each.place[0], unit.implementation(each.place[1])) if unit else each.place
            found.setdefault(place, each._replace(place=place))
        return list(found.values())

    def take(self, place: Place, item: ContextItem, cost: int) -> None:
        self.items[place] = item
        self.costs[place] = cost
        self.spent += cost
        self.headings.update(((item.symbol.path, -1), (item.symbol.path, self.parent(item.symbol))))

    def refund(self, path: str) -> None:
        """What now stands in the text of another costs nothing of its own."""
        for place, item in self.items.items():
            if place[0] == path and self.costs[place] and self.covered(item.symbol):
                self.spent -= self.costs[place]
                self.costs[place] = 0

    def symbol(self, place: Place) -> Symbol | None:
        return self.questions.snapshot.symbol(*place)

    def covered(self, symbol: Symbol) -> bool:
        """Whether a definition stands in the text of another."""
        return any(symbol.line in lines for lines in self.whole.get(symbol.path, ()))

    def is_inner(self, symbol: Symbol) -> bool:
        """Whether a definition stands in a function, where no other code can use it."""
        unit = self.questions.snapshot.unit(symbol.path)
        parent = self.parent(symbol)
        return parent >= 0 and unit is not None and unit.symbol(parent).kind != "class"

    def parent(self, symbol: Symbol) -> int:
        unit = self.questions.snapshot.unit(symbol.path)
        return unit.symbol(symbol.index).parent if unit and symbol.index >= 0 else -1

    def heading_cost(self, symbol: Symbol) -> int:
        """Characters of the lines that a first definition of a file, and a first member of a class, bring along."""
        cost = 0 if (symbol.path, -1) in self.headings else len(f"\n\n# {symbol.path}\n")
        place = symbol.path, self.parent(symbol)
        if place[1] >= 0 and place not in self.headings and place not in self.items and (around := self.symbol(place)):
            cost += len(heading_line(around)) + 2
        return cost


def _item(symbol: Symbol, scored: Scored, form: Form, text: str) -> ContextItem:
    return ContextItem(symbol, scored.score, scored.reason, form, text, tokens_of(text))


def _cost(item: ContextItem) -> int:
    """Characters of an item's lines, with their indentation and the empty lines around a body."""
    if item.form == "body":
        return len(item.text) + 3
    return len(item.text) + len(INDENT) + 1 + (item.symbol.kind == "class")
