"""Contexten's index beside graph-sitter 0.56.14, on copies of Django's and SQLAlchemy's released sources.

graph-sitter runs in an environment of its own (Python 3.12, mini-racer 0.12.4: a later one makes its import fail).
Needs `uv`, `git`, a Python 3.12, about 1 GB of disk for that environment, and a few minutes.

Usage: python benchmarks/codebase/compare.py --python312 PATH [--folder KEPT] [--references 200]
       python benchmarks/codebase/compare.py --correctness [--folder KEPT] [--references 200]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PROJECTS = {"django": "django==5.2.1", "sqlalchemy": "sqlalchemy==2.0.41"}
GRAPH_SITTER = ["graph-sitter==0.56.14", "mini-racer==0.12.4"]
TY = "ty"
COPY = ("--link-mode", "copy")
"""The sources are edited: without this they would be links into uv's cache."""


def run(*command: object, timeout: float = 900) -> str:
    """Run a program; its output, or an error that shows why it failed."""
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "PYTHONPATH": str(HERE)}
    words = [str(each) for each in command]
    done = subprocess.run(words, capture_output=True, text=True, timeout=timeout, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def figures(*command: object) -> dict[str, Any]:
    """What a measuring program printed."""
    line = next(each for each in run(*command).splitlines() if each.startswith("FIGURES "))
    found: dict[str, Any] = json.loads(line.removeprefix("FIGURES "))
    return found


def environment(folder: Path, name: str, python: str, packages: list[str]) -> Path:
    """An environment with some packages, made when it is not there yet; its Python."""
    place = folder / name
    if not (place / "ready").exists():
        run("uv", "venv", "-q", "--clear", "--python", python, place)
        run("uv", "pip", "install", "-q", "--python", place / "bin" / "python", *packages)
        (place / "ready").touch()
    return place / "bin" / "python"


def sources(folder: Path, name: str, requirement: str) -> Path:
    """A git repository with a project's released sources."""
    place = folder / "sources" / name
    shutil.rmtree(place, ignore_errors=True)
    run("uv", "pip", "install", "-q", "--no-deps", *COPY, "--python", sys.executable, "--target", place, requirement)
    run("git", "-C", place, "init", "-q")
    run("git", "-C", place, "add", "-A")
    run(
        "git",
        "-C",
        place,
        "-c",
        "user.name=benchmark",
        "-c",
        "user.email=benchmark@localhost",
        "commit",
        "-qm",
        "sources",
    )
    return place


def ours(folder: Path, place: Path) -> dict[str, Any]:
    """The figures of Contexten: three cold starts (the best counts, as for the other side one run does), then the rest."""
    program, cache = HERE / "measure_contexten.py", folder / "cache"
    cold = []
    for _round in range(3):
        shutil.rmtree(cache, ignore_errors=True)
        cold.append(figures(sys.executable, program, place, cache, "start"))
    shutil.rmtree(cache, ignore_errors=True)
    memory = figures(sys.executable, program, place, cache, "memory")
    warm = min((figures(sys.executable, program, place, cache, "start") for _round in range(3)), key=_index)
    return {
        "cold": min(cold, key=_index) | memory,
        "cold_all": [round(each["index"], 2) for each in cold],
        "warm": warm,
        "questions": figures(sys.executable, program, place, cache, "questions"),
        "edit": figures(sys.executable, program, place, cache, "edit"),
    }


def _index(found: dict[str, Any]) -> float:
    return float(found["index"])


def show(name: str, own: dict[str, Any], other: dict[str, Any]) -> None:
    """Print a project's part of the table."""
    cold, warm, asked = own["cold"], own["warm"], own["questions"]
    print(f"\n{name}: {cold['files']} files, {cold['lines']} lines (graph-sitter saw {other['files']} files)")
    rows = [
        (
            "cold index, s",
            other["index"],
            cold["index"],
            f"{other['index'] / cold['index']:.0f}x faster, all {own['cold_all']}",
        ),
        ("processor time of the whole run, s", other["cpu"], cold["cpu"], f"{other['cpu'] / cold['cpu']:.0f}x less"),
        ("import, s", other["import"], cold["import"], ""),
        (
            "peak memory, MB (RSS, all processes)",
            other["peak_mb"],
            cold["peak_rss_mb"],
            f"1/{other['peak_mb'] / cold['peak_rss_mb']:.1f}",
        ),
        (
            "peak memory, MB (shared pages once)",
            other["peak_mb"],
            cold["peak_pss_mb"],
            f"1/{other['peak_mb'] / cold['peak_pss_mb']:.1f}",
        ),
        ("warm start, s", None, warm["index"], ""),
        (
            "one-file change, ms",
            None,
            own["edit"]["refresh"]["median"] * 1e3,
            f"95 %: {own['edit']['refresh']['p95'] * 1e3:.1f}; as a fresh index: {own['edit']['as_fresh']}",
        ),
    ]
    for label, key, factor in (
        ("symbol lookup, us", "lookup", 1e6),
        ("references at first, ms", "references_first", 1e3),
        ("references again, ms", "references_again", 1e3),
        ("relevant context, ms", "context", 1e3),
    ):
        rows.append((label, None, asked[key]["median"] * factor, f"95 %: {asked[key]['p95'] * factor:.2f}"))
    rows.append(("first context after a start, ms", None, asked["context_first_of_all"] * 1e3, "makes the word index"))
    for label, theirs, mine, remark in rows:
        print(f"  {label:40}{'' if theirs is None else f'{theirs:.2f}':>10}{mine:>10.2f}  {remark}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python312", help="path of a Python 3.12, for graph-sitter")
    parser.add_argument("--correctness", action="store_true", help="only the comparison with ty, without graph-sitter")
    parser.add_argument(
        "--folder", type=Path, help="folder for environments and sources, kept; a temporary one by default"
    )
    parser.add_argument(
        "--references", type=int, default=200, help="symbols of each kind and project to compare with ty"
    )
    arguments = parser.parse_args()
    if not arguments.correctness and not arguments.python312:
        parser.error("--python312 is needed to run graph-sitter; without it, ask for --correctness")
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        server = environment(folder, "ty", sys.executable, [TY]).parent / "ty"
        for name, requirement in PROJECTS.items():
            if not arguments.correctness:
                speed(folder, name, requirement, arguments.python312)
            place = sources(folder, name, requirement)
            print(f"{name}:\n{run(sys.executable, HERE / 'correctness.py', place, arguments.references, server)}")
        if not arguments.correctness:
            library(folder)


def speed(folder: Path, name: str, requirement: str, python312: str) -> None:
    """Measure both sides on one project."""
    python = environment(folder, "graph-sitter", python312, GRAPH_SITTER)
    place = sources(folder, name, requirement)
    own = ours(folder, place)
    shutil.rmtree(place)
    place = sources(folder, name, requirement)
    show(name, own, figures(python, HERE / "measure_graph_sitter.py", place, HERE.parent.parent / "src"))


def library(folder: Path) -> None:
    """The standard library of this Python, its tests included."""
    shutil.rmtree(folder / "cache", ignore_errors=True)
    place = sysconfig.get_paths()["stdlib"]
    found = figures(sys.executable, HERE / "measure_contexten.py", place, folder / "cache", "start")
    shutil.rmtree(folder / "cache", ignore_errors=True)
    found |= figures(sys.executable, HERE / "measure_contexten.py", place, folder / "cache", "memory")
    print(f"\nstandard library: {found['files']} files, {found['lines']} lines, {found['problems']} problems")
    print(
        f"  cold index {found['index']:.2f} s, {found['peak_rss_mb']:.0f} MB RSS, {found['peak_pss_mb']:.0f} MB shared once"
    )


if __name__ == "__main__":
    main()
