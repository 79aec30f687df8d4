"""`contexten doctor`: what on this machine works, what does not, and what to do about it."""

from __future__ import annotations

import typer

from contexten._plain import clean
from contexten.cli.errors import DONE, FAILED
from contexten.cli.output import emit, room, say, styled, wrapped
from contexten.cli.words import Json, application

app = application()

_BEFORE = 22
_MARKS = {"ok": ("ok", "green"), "note": ("note", "yellow"), "broken": ("broken", "red")}


@app.command(epilog="Example: contexten doctor")
def doctor(*, json: Json = False) -> None:
    """Check what Contexten needs. Exits with 1 when something needed is broken."""
    from contexten.cli.checks import Check, run_checks

    found: list[Check] = []
    for check in run_checks():
        found.append(check)
        if not json:
            _show(check.state, check.name, check.detail, check.next_step)
    broken = any(check.state == "broken" for check in found)
    if json:
        emit({"ok": not broken, "checks": [check.as_dict() for check in found]})
    raise typer.Exit(FAILED if broken else DONE)


def _show(state: str, name: str, detail: str, next_step: str | None) -> None:
    word, style = _MARKS[state]
    first, *more = wrapped(clean(detail), room(_BEFORE))
    say(f"  {styled(f'{word:<8}', style)}{name:<12}{first}")
    if next_step:
        begin, *rest = wrapped(clean(next_step), room(_BEFORE + 2))
        more += [f"→ {begin}", *(f"  {line}" for line in rest)]
    for line in more:
        say(f"{'':<{_BEFORE}}{line}")
