"""What speaks for each definition, weighed and put in order.

Every piece of evidence for a definition has a weight between 0 and 1 and a reason. Pieces add up like independent
chances: the score is 1 less the product of what each leaves open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contexten.codebase.lexicon import Place


class Scored(NamedTuple):
    """A definition, how much it matters (0 to 1) and why."""

    place: Place
    score: float
    reason: str


class Evidence:
    """What speaks for each definition."""

    def __init__(self) -> None:
        self._found: dict[Place, dict[str, float]] = {}

    def add(self, place: Place, weight: float, reason: str) -> None:
        """Note a reason; the same reason counts once, with its greatest weight."""
        reasons = self._found.setdefault(place, {})
        reasons[reason] = max(weight, reasons.get(reason, 0.0))

    def __contains__(self, place: object) -> bool:
        return place in self._found

    def __iter__(self) -> Iterator[Place]:
        return iter(sorted(self._found))

    def ranked(self) -> list[Scored]:
        """Every definition, what matters most first; equal ones by place."""
        return in_order(self._scored(place) for place in self._found)

    def _scored(self, place: Place) -> Scored:
        reasons = sorted(self._found[place].items(), key=lambda each: (-each[1], each[0]))
        left = 1.0
        for _reason, weight in reasons:
            left *= 1.0 - weight
        return Scored(place, round(1.0 - left, 6), "; ".join(reason for reason, weight in reasons[:2] if weight))


def in_order(found: Iterable[Scored]) -> list[Scored]:
    """What matters most first; equal ones by place."""
    return sorted(found, key=lambda each: (-each.score, each.place))
