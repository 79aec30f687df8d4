"""Telling of references: a few line by line, many by file; calls before annotations, tests last."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from contexten.engines.analyst.descriptions import full_name
from contexten.engines.analyst.markdown import bullets, code, counted, few, joined
from contexten.engines.analyst.paths import is_test

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contexten.codebase import Reference

LISTED = 25
"""References that are listed line by line; more are told by file."""
_KEPT = 100
_LINES = 10
_KINDS = {
    "call": "call", "base": "base class", "decorator": "decorator", "read": "read", "write": "assignment",
    "annotation": "annotation", "export": "export", "import": "import",
}  # fmt: skip
"""What each kind is called, those that tell most first."""
_ORDER = {kind: place for place, kind in enumerate(_KINDS)}
_QUIET = ("annotation", "export", "import")
"""Kinds that name a thing without doing anything with it."""


def listed(found: Sequence[Reference], limit: int = LISTED) -> str:
    """References as a list: each with its line when there are at most `limit`, else those that do something, or files."""
    with_kind = any(ref.kind != "call" for ref in found)
    telling = [ref for ref in found if ref.kind not in _QUIET]
    if len(found) <= limit:
        return bullets([item(ref, with_kind=with_kind) for ref in in_order(found)])
    if not 0 < len(telling) <= limit or len(telling) == len(found):
        return bullets(_by_file(found))
    others = [ref for ref in found if ref.kind in _QUIET]
    return f"{bullets([item(ref, with_kind=True) for ref in in_order(telling)])}\n\nBy file, the others:\n\n{bullets(_by_file(others))}"


def item(reference: Reference, *, with_kind: bool = True) -> str:
    """A reference in one line."""
    where = f" in `{full_name(reference.symbol)}`" if reference.symbol else ""
    kind = f" {_KINDS.get(reference.kind, reference.kind)}" if with_kind else ""
    doubt = " ?" if with_kind and not reference.certain else ""
    return f"`{reference.location}`{doubt}{kind}{where}: {code(reference.text.strip())}"


def in_order(found: Iterable[Reference]) -> list[Reference]:
    """Those in tests last; of the others calls first."""
    return sorted(found, key=lambda ref: (is_test(ref.path), _ORDER.get(ref.kind, 0), ref.path, ref.line, ref.column))


def counted_places(found: Sequence[Reference]) -> str:
    """`4 places in 3 files, 1 of them in tests`."""
    tests = sum(is_test(reference.path) for reference in found)
    files = len({reference.path for reference in found})
    note = f", {tests} of them in tests" if 0 < tests < len(found) else ", all in tests" if tests else ""
    return f"{counted(len(found), 'place')} in {counted(files, 'file')}{note}"


def counted_kinds(found: Iterable[Reference]) -> str:
    """`130 annotations, 7 imports and 1 read`."""
    kinds = Counter(ref.kind for ref in found)
    return joined([counted(number, _KINDS.get(kind, kind)) for kind, number in kinds.most_common()])


def tally(found: Sequence[Reference]) -> str:
    """`4 in 3 files`, or `none`."""
    return f"{len(found)} in {counted(len({reference.path for reference in found}), 'file')}" if found else "none"


def as_data(found: Sequence[Reference]) -> dict[str, Any]:
    """Their number, and the first of them as data."""
    kept = [
        {
            "path": ref.path,
            "line": ref.line,
            "kind": ref.kind,
            "text": ref.text.strip()[:300],
            "in": ref.symbol.qualified_name if ref.symbol else None,
            "certain": ref.certain,
        }
        for ref in found[:_KEPT]
    ]
    return {"count": len(found), "references": kept}


def _by_file(found: Iterable[Reference]) -> list[str]:
    """Each file with the number of references of each kind in it; files that do most with the thing first."""
    by_path: dict[str, list[Reference]] = {}
    for ref in sorted(found, key=lambda ref: ref.line):
        by_path.setdefault(ref.path, []).append(ref)
    ordered = sorted(by_path.items(), key=lambda each: (is_test(each[0]), _weight(each[1]), each[0]))
    return [f"`{path}`: {counted_kinds(refs)}, {_lines(refs)}" for path, refs in ordered]


def _weight(found: Sequence[Reference]) -> tuple[int, int]:
    return -sum(ref.kind not in _QUIET for ref in found), -len(found)


def _lines(found: Iterable[Reference]) -> str:
    lines = [str(line) for line in dict.fromkeys(ref.line for ref in found)]
    return f"{'line' if len(lines) == 1 else 'lines'} {few(lines, _LINES)}"
