"""Names and what they stand for while one Python file is read: scopes, their bindings, the uses waiting in them."""

from __future__ import annotations

from functools import lru_cache

from contexten.codebase.record import UNKNOWN

FINAL = "@^#%?"
"""First characters of roots that need no scope to be understood."""
_MAX_STEPS = 8
_MAX_CHAIN = 160

Uses = dict[str, list[int]]


class Scope:
    """A module, class, function or comprehension: what it binds and what it uses."""

    __slots__ = (
        "bindings",
        "class_index",
        "direct",
        "globals",
        "is_class",
        "owner",
        "parent",
        "returns",
        "typed",
        "uses",
    )

    def __init__(self, parent: Scope | None, owner: int, *, is_class: bool = False, class_index: int = -1) -> None:
        self.parent = parent
        self.owner = owner
        self.is_class = is_class
        self.class_index = class_index
        self.bindings: dict[str, str] = {}
        self.direct: set[str] = set()
        self.globals: set[str] = set()
        self.uses: Uses = {}
        self.typed: list[tuple[int, str]] = []
        self.returns: list[str] = []

    def bind(self, name: str, chain: str = UNKNOWN, *, direct: bool = False) -> None:
        """Note that the scope binds a name; `direct` when the name is the thing itself (an import, a definition)."""
        known = self.bindings.get(name)
        self.bindings[name] = chain if known is None or known == chain else UNKNOWN
        if direct and known is None:
            self.direct.add(name)
        elif not direct:
            self.direct.discard(name)

    def outer(self) -> Scope | None:
        """The scope in which a name that is free here is looked up."""
        scope = self.parent
        while scope is not None and scope.is_class:
            scope = scope.parent
        return scope

    def expand(self, chain: str) -> str:
        """A chain with the local names at its root replaced by what they stand for."""
        for _step in range(_MAX_STEPS):
            root, rest = split_root(chain)
            if root[0] in FINAL:
                return shorten(chain)
            if root == "super" and rest.startswith("()") and self.class_index >= 0:
                return f"^{self.class_index}{rest[2:]}"
            if self.parent is None or root in self.globals or root not in self.bindings:
                return chain
            if self.is_class:
                return f"@{self.owner}.{chain}"
            value = self.bindings[root]
            if split_root(value)[0] == root:
                return unknown(rest)
            chain = unknown(rest) if value == UNKNOWN else value + rest
        return unknown(chain)

    def close(self, final: Uses) -> None:
        """Settle what the scope binds itself and hand the rest on: settled uses to `final`, free ones outwards."""
        outer = self.parent if self.owner == (self.parent.owner if self.parent else -2) else self.outer()
        outer = outer or self
        bindings = self.bindings
        for chain, places in self.uses.items():
            root = split_root(chain)[0]
            if root not in bindings and root[0] not in FINAL and root != "super":  # most uses: nothing of ours
                merge(outer.uses, chain, places)
            elif root == chain and root in bindings and root not in self.globals and not self.is_class:
                if root in self.direct:
                    merge(final, bindings[root], places)
            else:
                expanded = self.expand(chain)
                merge(final if expanded[0] in FINAL else outer.uses, expanded, places)
        outer.typed.extend((index, self.expand(chain)) for index, chain in self.typed)


@lru_cache(maxsize=16384)
def split_root(chain: str) -> tuple[str, str]:
    """A chain's root and its steps."""
    dot, call = chain.find("."), chain.find("(")
    cut = min(dot, call) if dot >= 0 and call >= 0 else max(dot, call)
    return (chain, "") if cut < 0 else (chain[:cut], chain[cut:])


def unknown(steps: str) -> str:
    """The chain of steps taken from something unknown: only the last attribute says anything."""
    _head, dot, last = steps.rpartition(".")
    return f"{UNKNOWN}.{last}" if dot else UNKNOWN


def shorten(chain: str) -> str:
    """The chain, or its last attribute when it is too long to mean anything or starts from something unknown."""
    return unknown(chain) if chain[0] == UNKNOWN or len(chain) > _MAX_CHAIN else chain


def merge(uses: Uses, chain: str, places: list[int]) -> None:
    """Add places to a chain's uses."""
    if chain == UNKNOWN:
        return
    known = uses.get(chain)
    if known is None:
        uses[chain] = places
    else:
        known.extend(places)
