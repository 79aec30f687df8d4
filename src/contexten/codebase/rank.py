"""Which files matter most: PageRank over the graph of imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DAMPING = 0.85
_TOLERANCE = 1e-9
_MAX_ROUNDS = 200
_DIGITS = 9


def page_rank(graph: Mapping[str, Sequence[str]]) -> list[tuple[str, float]]:
    """The nodes of a graph by PageRank, the highest first; equal ones by name. The scores add up to 1."""
    if not graph:
        return []
    scores = _iterate(sorted(graph), graph)
    return sorted(
        ((node, round(score, _DIGITS)) for node, score in scores.items()), key=lambda each: (-each[1], each[0])
    )


def _iterate(nodes: Sequence[str], graph: Mapping[str, Sequence[str]]) -> dict[str, float]:
    count = len(nodes)
    scores = dict.fromkeys(nodes, 1 / count)
    for _round in range(_MAX_ROUNDS):
        idle = sum(scores[node] for node in nodes if not graph[node])
        fresh = dict.fromkeys(nodes, (1 - _DAMPING + _DAMPING * idle) / count)
        for node in nodes:
            share = _DAMPING * scores[node] / len(graph[node]) if graph[node] else 0.0
            for target in graph[node]:
                fresh[target] += share
        moved = sum(abs(fresh[node] - scores[node]) for node in nodes)
        scores = fresh
        if moved < _TOLERANCE:
            break
    return scores
