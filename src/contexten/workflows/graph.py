"""Questions about a graph, given as what each node depends on. Names that are no node are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Graph = Mapping[str, Sequence[str]]


def in_order(graph: Graph) -> list[str]:
    """Every node after those that it depends on; otherwise in the order of the graph. Nodes on a cycle are left out."""
    ordered: dict[str, None] = {}
    left = dict.fromkeys(graph)
    while left:
        ready = [node for node in left if all(other in ordered for other in graph[node] if other in graph)]
        if not ready:
            break
        for node in ready:
            ordered[node] = None
            del left[node]
    return list(ordered)


def find_cycle(graph: Graph) -> list[str]:
    """A way from a node over what it depends on back to itself; empty when there is none."""
    stuck = dict.fromkeys(graph)
    for node in in_order(graph):
        del stuck[node]
    if not stuck:
        return []
    way = [next(iter(stuck))]
    while way[-1] not in way[:-1]:
        way.append(next(other for other in graph[way[-1]] if other in stuck))
    return way[way.index(way[-1]) :]


def ancestors(graph: Graph, node: str) -> set[str]:
    """All nodes that must come before one. The graph has no cycle."""
    found: set[str] = set()
    waiting = list(graph.get(node, ()))
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += graph.get(one, ())
    return found


def descendants(graph: Graph, node: str) -> set[str]:
    """All nodes that come after one because they depend on it. The graph has no cycle."""
    return {other for other in graph if node in ancestors(graph, other)}
