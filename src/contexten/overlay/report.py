"""What the overlay's commands say, to people and to programs."""

from __future__ import annotations

import difflib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from contexten.overlay import files
from contexten.overlay.installer import apply, revert
from contexten.overlay.state import State, status
from contexten.overlay.target import find
from contexten.overlay.verification import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contexten.overlay.installer import Outcome, Step
    from contexten.overlay.state import Status
    from contexten.overlay.verification import Check

_DONE = {"apply": "applied to", "revert": "taken out of"}
_NOTHING = {"apply": "the overlay is applied already to", "revert": "there is nothing to take out of"}


def show_status(say: Callable[[str], object], *, python: str | None, target: str | None, as_json: bool) -> int:
    """Tell where the package stands; 0 whenever that could be told."""
    found = status(find(python, target))
    say(_json(asdict(found)) if as_json else "\n".join(_status_lines(found)))
    return 0


def show_checks(say: Callable[[str], object], *, python: str | None, target: str | None, as_json: bool) -> int:
    """Tell what holds and what does not; 0 when all holds."""
    package = find(python, target)
    checks = verify(package)
    passed = all(check.passed for check in checks)
    document = {"passed": passed, "checks": [check._asdict() for check in checks]}
    say(_json(document) if as_json else "\n".join(map(_check_line, checks)))
    if not (passed or as_json):
        say("\n".join(f"next: {command}" for command in status(package).next))
    return 0 if passed else 1


def change(  # noqa: PLR0913 - the choices of one command line
    verb: str,
    say: Callable[[str], object],
    *,
    python: str | None,
    target: str | None,
    as_json: bool,
    dry_run: bool,
    force: bool,
) -> int:
    """Apply or revert and tell what was done, or would be."""
    do = {"apply": apply, "revert": revert}[verb]
    outcome = do(find(python, target), force=force, dry_run=dry_run)
    if as_json:
        say(_json(_document(outcome)))
    elif dry_run:
        say("\n".join(_dry(outcome)) or "nothing would change")
    else:
        said = (_DONE if outcome.changed else _NOTHING)[verb]
        now = outcome.status
        say(f"{said} codegen {now.codegen}: {now.package}".replace("codegen : ", ""))
        say("\n".join(f"next: {command}" for command in now.next))
    return 0


def _diff(step: Step) -> list[str]:
    old, new = (_lines(data) for data in (files.read(step.path) or b"", step.data or b""))
    name = str(step.path)
    return [line.rstrip("\r\n") for line in difflib.unified_diff(old, new, name, name, n=2)]


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "replace").splitlines(keepends=True)


def _document(outcome: Outcome) -> dict[str, Any]:
    last = {step.path: step for step in outcome.steps}
    steps = [{"action": _action(step), "path": str(step.path)} for step in last.values()]
    diff = [] if outcome.changed else [line for step in last.values() for line in _diff(step)]
    return {
        "changed": outcome.changed,
        "before": outcome.before,
        "steps": steps,
        "diff": diff,
        **asdict(outcome.status),
    }


def _dry(outcome: Outcome) -> Iterator[str]:
    for step in {step.path: step for step in outcome.steps}.values():
        new_file = step.data is not None and not step.path.exists()
        if new_file or step.data is None:
            size = f"  ({len(step.data)} bytes)" if step.data is not None else ""
            yield f"{_action(step):<8}{step.path}{size}"
        else:
            yield from _diff(step)


def _action(step: Step) -> str:
    return "remove" if step.data is None else "write"


def _status_lines(found: Status) -> Iterator[str]:
    yield f"{found.state}: {found.meaning}"
    yield f"  package  {found.package}"
    if found.codegen:
        yield f"  codegen  {found.codegen}"
    if found.applied_by and found.state is not State.ABSENT:
        yield f"  overlay  contexten {found.applied_by}"
    yield from (f"  problem  {problem}" for problem in found.problems)
    yield from (f"  next     {command}" for command in found.next)


def _check_line(check: Check) -> str:
    return f"{'ok    ' if check.passed else 'FAILED'}  {check.name}  ({check.detail})"


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, default=str)
