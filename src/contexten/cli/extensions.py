"""`contexten extensions`: what installed packages offer, and what of it cannot be loaded."""

from __future__ import annotations

import logging

import typer

from contexten._plain import clean, one_line
from contexten.cli.output import emit, note, say, table
from contexten.cli.words import Json, application

app = application()


@app.command(epilog="Example: contexten extensions")
def extensions(*, json: Json = False) -> None:
    """List the extensions of installed packages, load each, and say what is wrong with those that cannot be.

    The exit code is 1 when there are some.
    """
    from contexten.extensions import GROUP, registry

    logging.getLogger(GROUP).disabled = True  # the same is told below
    names, loaded = registry.names(), registry.load()
    problems = registry.problems()
    found = [{"name": name, "package": registry.package_of(name), "loaded": name in loaded} for name in names]
    if json:
        emit({"extensions": found, "problems": problems})
    else:
        rows = [(str(each["name"]), str(each["package"]), "ok" if each["loaded"] else "broken") for each in found]
        if rows:
            table(("NAME", "PACKAGE", "STATE"), rows)
        else:
            note(f"No installed package offers an extension: an entry point of the group {GROUP}.")
        for problem in problems.values():
            say(clean(one_line(problem)))
    raise typer.Exit(1 if problems else 0)
