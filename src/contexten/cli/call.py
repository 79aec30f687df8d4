"""Calling one command: find its module, parse, run, and turn every way of ending into an exit code."""

from __future__ import annotations

import os
from importlib import import_module
from itertools import takewhile
from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup

from contexten.cli.errors import INTERRUPTED, WRONG_USE, explain, facts
from contexten.cli.nouns import NOUNS
from contexten.cli.output import fail, settle_streams

if TYPE_CHECKING:
    from collections.abc import Sequence


def call(words: Sequence[str], *, debug: bool = False) -> int:
    """Do the command that `words` begin with and return its exit code."""
    settle_streams()
    name, *rest = words
    if name == "--version":
        name = "version"
    as_json = "--json" in takewhile("--".__ne__, rest)
    if name not in NOUNS:
        return fail(_unknown(name), WRONG_USE, json={"type": "UsageError"} if as_json else None)
    try:
        return _invoke(name, rest)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if debug or os.environ.get("CONTEXTEN_DEBUG"):
            raise
        return fail(*explain(error, f"contexten {name}"), json=facts(error) if as_json else None)


def _invoke(name: str, rest: list[str]) -> int:
    app: typer.Typer = import_module(NOUNS[name].module).app
    command = typer.main.get_command(app)
    shows_help = isinstance(command, TyperGroup) and not command.invoke_without_command
    words = rest or (["--help"] if shows_help else [])
    return command.main(args=words, prog_name=f"contexten {name}", standalone_mode=False) or 0


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, [noun for noun in NOUNS if noun[0] == name[:1]], n=1)
    hint = f"Did you mean: contexten {near[0]}" if near else "The commands: contexten --help"
    kind = "option" if name.startswith("-") else "command"
    return f"there is no {kind} {name!r}. {hint}"
