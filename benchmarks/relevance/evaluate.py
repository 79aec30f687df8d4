"""How much of what a function needs is in the context that is picked for writing it.

For functions of open projects the body is taken out, the context is asked for with the signature and the docstring as
the prompt, and the definitions that the real body uses are looked for in it. Plain text search and files in their
order, cut at the same length, stand beside it.

Usage: python benchmarks/relevance/evaluate.py [--functions 30] [--tune]
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING

from contexten.codebase import Codebase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from contexten.codebase import RelevantContext, Symbol

PROJECTS = {"flask": "flask==3.1.1", "rich": "rich==14.0.0", "starlette": "starlette==0.46.2"}
TUNING = {"django": "django==5.2.1", "click": "click==8.2.1"}
"""Projects that the weights were chosen on; they are not part of the evaluation."""
BUDGETS = (2000, 8000)
SEED = 7
CHARACTERS_PER_TOKEN = 4
LEAST_USES, LEAST_LINES = 3, 6

Place = tuple[str, int]


@dataclass(frozen=True)
class Case:
    """A function to be written, and what its real body uses."""

    symbol: Symbol
    wanted: frozenset[Place]

    @property
    def prompt(self) -> str:
        """What a person would ask for."""
        return f"Write the body of {self.symbol.signature}. {self.symbol.docstring}".strip()


def install(requirement: str, folder: Path) -> None:
    """Fetch a release from the package registry, as copies: links into uv's cache must not be edited."""
    command = ["uv", "pip", "install", "-q", "--no-deps", "--link-mode", "copy", "--target", folder]
    command += ["--python", sys.executable, requirement]
    subprocess.run(command, check=True)


def cases(codebase: Codebase, count: int) -> list[Case]:
    """A sample of functions that use several definitions of the project."""
    found = []
    for file in codebase.files:
        for symbol in codebase.symbols_in(file.path):
            if symbol.kind in ("function", "method") and symbol.end_line - symbol.line >= LEAST_LINES:
                wanted = uses(codebase, symbol)
                if len(wanted) >= LEAST_USES:
                    found.append(Case(symbol, frozenset(wanted)))
    return random.Random(SEED).sample(found, min(count, len(found)))  # noqa: S311 - a sample, not a secret


def uses(codebase: Codebase, symbol: Symbol) -> set[Place]:
    """Where the definitions stand that a function uses."""
    targets = (each.target for each in codebase.questions.uses_in(symbol))
    places = {(each.path, each.line) for each in targets if each is not None and each.kind != "module"}
    return {place for place in places if place[0] != symbol.path or not symbol.line <= place[1] <= symbol.end_line}


def hide(root: Path, symbol: Symbol) -> str:
    """Take the body of a function out of its file; gives back the text before."""
    path = root / symbol.path
    text = path.read_text("utf-8")
    lines = text.splitlines(keepends=True)
    head = symbol.line
    while not lines[head - 1].split("#")[0].rstrip().endswith(":"):
        head += 1
    indent = re.match(r"\s*", lines[symbol.line - 1])
    margin = (indent[0] if indent else "") + "    "
    docstring = f"{margin}{symbol.docstring!r}\n" if symbol.docstring else ""
    lines[head : symbol.end_line] = [docstring, f"{margin}...\n", *["\n"] * (symbol.end_line - head - 2)]
    path.write_text("".join(lines), "utf-8")
    return text


def shown_in(context: RelevantContext) -> set[Place]:
    """The lines of definitions that a context shows."""
    shown: set[Place] = set()
    for item in context.items:
        symbol = item.symbol
        overloads = symbol.origin.named(symbol.qualified_name) if symbol.origin else []
        shown.update((each.path, each.line) for each in (symbol, *overloads) if each.path == symbol.path)
        if item.form == "body":
            shown.update((symbol.path, line) for line in range(symbol.line, symbol.end_line + 1))
    return shown


def by_search(codebase: Codebase, case: Case, budget: int) -> set[Place]:
    """Lines that hold the most words of the prompt, with two lines around each."""
    words = {word.lower() for word in re.findall(r"[A-Za-z]{3,}", case.prompt)}
    hits: Counter[Place] = Counter()
    for file in codebase.files:
        for number, line in enumerate(codebase.source(file.path).lower().splitlines(), 1):
            hits[file.path, number] = sum(word in line for word in words)
    shown: set[Place] = set()
    room = budget * CHARACTERS_PER_TOKEN
    for (path, number), count in sorted(hits.items(), key=lambda hit: (-hit[1], hit[0])):
        around = [(path, each) for each in range(number - 2, number + 3) if (path, each) not in shown]
        text = codebase.source(path, number - 2, number + 2)
        room -= len(text) * len(around) // 5
        if not count or room < 0:
            break
        shown.update(around)
    return shown


def in_order(codebase: Codebase, case: Case, budget: int, *, own_first: bool) -> set[Place]:
    """Whole files by path, the file of the function first or not."""
    paths = [each.path for each in codebase.files]
    if own_first:
        paths.sort(key=lambda path: path != case.symbol.path)
    shown: set[Place] = set()
    room = budget * CHARACTERS_PER_TOKEN
    for path in paths:
        for number, line in enumerate(codebase.source(path).splitlines(), 1):
            room -= len(line) + 1
            if room < 0:
                return shown
            shown.add((path, number))
    return shown


def evaluate(codebase: Codebase, case: Case, times: list[float]) -> dict[tuple[str, int], float]:
    """The share of what is wanted that each way shows, by way and budget."""
    shares = {}
    caller = f"{case.symbol.path}:{case.symbol.line}"
    for budget in BUDGETS:
        start = time.perf_counter()
        context = codebase.relevant_context(case.prompt, caller, budget)
        times.append(time.perf_counter() - start)
        assert context.tokens <= budget
        ways: dict[str, Callable[[], Iterable[Place]]] = {
            "relevant_context": lambda context=context: shown_in(context),
            "text search": lambda budget=budget: by_search(codebase, case, budget),
            "own file, then file order": lambda budget=budget: in_order(codebase, case, budget, own_first=True),
            "file order": lambda budget=budget: in_order(codebase, case, budget, own_first=False),
        }
        for name, way in ways.items():
            shares[name, budget] = len(case.wanted & set(way())) / len(case.wanted)
    return shares


def run(projects: dict[str, str], count: int) -> None:
    """Print the table."""
    table: dict[str, dict[tuple[str, int], list[float]]] = defaultdict(lambda: defaultdict(list))
    times: list[float] = []
    for name, requirement in projects.items():
        with tempfile.TemporaryDirectory() as folder:
            install(requirement, Path(folder))
            codebase = Codebase.from_path(folder, include=["*.py"], cache=None)
            for case in cases(codebase, count):
                before = hide(codebase.root, case.symbol)
                codebase.refresh()
                for key, share in evaluate(codebase, case, times).items():
                    table[name][key].append(share)
                    table["all"][key].append(share)
                (codebase.root / case.symbol.path).write_text(before, "utf-8")
                codebase.refresh()
    report(table, times)


def report(table: dict[str, dict[tuple[str, int], list[float]]], times: list[float]) -> None:
    """Print what was found."""
    print(f"{'project':12}{'functions':>10}{'budget':>8}  share of the used definitions that is shown")
    for name, shares in table.items():
        for budget in BUDGETS:
            cells = [f"{way} {mean(found):.3f}" for (way, size), found in shares.items() if size == budget]
            count = len(next(iter(shares.values())))
            print(f"{name:12}{count:>10}{budget:>8}  {' · '.join(cells)}")
    ordered = sorted(times)
    print(
        f"relevant_context: median {median(times) * 1e3:.1f} ms, 95 % {ordered[int(len(ordered) * 0.95)] * 1e3:.1f} ms"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--functions", type=int, default=30, help="of each project")
    parser.add_argument("--tune", action="store_true", help="the projects that the weights were chosen on")
    arguments = parser.parse_args()
    run(TUNING if arguments.tune else PROJECTS, arguments.functions)
