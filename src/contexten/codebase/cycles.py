"""Circles in a graph: Tarjan's strongly connected components."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def cycles(graph: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Groups of nodes that reach each other, each sorted, the largest first."""
    found = [sorted(group) for group in _components(graph) if len(group) > 1 or group[0] in graph[group[0]]]
    return sorted(found, key=lambda group: (-len(group), group))


def _components(graph: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    waiting: set[str] = set()
    for start in sorted(graph):
        if start in number:
            continue
        work: list[tuple[str, Iterator[str]]] = [(start, iter(graph[start]))]
        number[start] = lowest[start] = len(number)
        stack.append(start)
        waiting.add(start)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in number:
                    number[target] = lowest[target] = len(number)
                    stack.append(target)
                    waiting.add(target)
                    work.append((target, iter(graph.get(target, ()))))
                    break
                if target in waiting:
                    lowest[node] = min(lowest[node], number[target])
            else:
                work.pop()
                if work:
                    lowest[work[-1][0]] = min(lowest[work[-1][0]], lowest[node])
                if lowest[node] == number[node]:
                    group = stack[stack.index(node) :]
                    del stack[stack.index(node) :]
                    waiting.difference_update(group)
                    yield group
