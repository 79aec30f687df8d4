"""`contexten overlay`: events, metrics and health for programs that use the official `codegen` package."""

from __future__ import annotations

from typing import Annotated

import typer

from contexten._plain import clean
from contexten.cli.output import say
from contexten.cli.words import Json, application

app = application(
    "Instrument an installed codegen package; every change can be taken back.", "contexten overlay status"
)

Python = Annotated[
    str | None, typer.Option(help="Interpreter whose environment has codegen; this one when absent.", metavar="PATH")
]
Target = Annotated[
    str | None, typer.Option(help="Folder: site-packages, an environment, or the package.", metavar="FOLDER")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the changes and make none.")]
Force = Annotated[bool, typer.Option("--force", help="Go on although somebody edited files.")]


@app.command(epilog="Example: contexten overlay apply --python .venv/bin/python")
def apply(
    *, python: Python = None, target: Target = None, dry_run: DryRun = False, force: Force = False, json: Json = False
) -> int:
    """Put the overlay into effect. Edits of agent.py are kept with --force."""
    return _change("apply", python, target, json=json, dry_run=dry_run, force=force)


@app.command(epilog="Example: contexten overlay revert --dry-run")
def revert(
    *, python: Python = None, target: Target = None, dry_run: DryRun = False, force: Force = False, json: Json = False
) -> int:
    """Give the package back as it was, byte for byte. Edits are lost with --force."""
    return _change("revert", python, target, json=json, dry_run=dry_run, force=force)


@app.command(epilog="Example: contexten overlay status --json")
def status(*, python: Python = None, target: Target = None, json: Json = False) -> int:
    """Tell where the package stands and what to do next."""
    from contexten.overlay.report import show_status

    return show_status(_say, python=python, target=target, as_json=json)


@app.command(epilog="Example: contexten overlay verify")
def verify(*, python: Python = None, target: Target = None, json: Json = False) -> int:
    """Prove that the overlay is whole and changes nothing else."""
    from contexten.overlay.report import show_checks

    return show_checks(_say, python=python, target=target, as_json=json)


@app.command(
    epilog="Example: contexten overlay run --python .venv/bin/python script.py --its-option",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
def run(
    words: Annotated[
        list[str], typer.Argument(help="Script, or -m and a module; then its arguments.", metavar="SCRIPT")
    ],
    *,
    python: Python = None,
) -> int:
    """Run one program with the overlay in effect; nothing is written."""
    from contexten.overlay.launcher import run

    return run(words, python)


def _change(verb: str, python: str | None, target: str | None, *, json: bool, **choices: bool) -> int:
    from contexten.overlay.report import change

    return change(verb, _say, python=python, target=target, as_json=json, **choices)


def _say(text: str) -> None:
    say(clean(text))
