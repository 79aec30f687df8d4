"""The table of commands: what there is, in the order in which it is shown, and which module has it.

Nothing is imported to show it, which is why `contexten --help` is quick.
"""

from __future__ import annotations

from typing import NamedTuple

from contexten._version import __version__


class Noun(NamedTuple):
    """A command of the first level."""

    module: str
    """Module with the Typer application `app`."""
    help: str
    """One line, at most 64 characters."""


NOUNS = {
    "up": Noun("contexten.cli.up", "Start the server for this machine."),
    "run": Noun("contexten.cli.run", "Run a prompt and follow it live."),
    "runs": Noun("contexten.cli.runs", "List, show, follow, resume, cancel and search runs."),
    "workflows": Noun("contexten.cli.workflows", "Run graphs of tasks that survive restarts."),
    "repos": Noun("contexten.cli.repos", "Register the repositories that runs work on."),
    "code": Noun("contexten.cli.code", "Ask about the code in a folder."),
    "mcp": Noun("contexten.cli.mcp", "Serve runs and code to editors and agents (MCP)."),
    "autogen": Noun("contexten.cli.autogen", "Look after code that is generated at import."),
    "dashboard": Noun("contexten.cli.dashboard", "Open the dashboard, signed in."),
    "extensions": Noun("contexten.cli.extensions", "List the extensions of installed packages."),
    "org": Noun("contexten.cli.org", "List and create organizations."),
    "token": Noun("contexten.cli.token", "Create, list and revoke access tokens."),
    "env": Noun("contexten.cli.env", "Point the official Codegen clients at this server."),
    "overlay": Noun("contexten.cli.overlay", "Instrument an installed codegen package, reversibly."),
    "doctor": Noun("contexten.cli.doctor", "Check this machine and say what to do next."),
    "version": Noun("contexten.cli.version", "Show the version."),
}

_OVERVIEW = """\
contexten {version}: run, watch and build on coding agents, on your own machine.

Usage: contexten [--debug] COMMAND [ARGUMENTS]

Commands:
{commands}

Options:
  --debug    Show the traceback of an error (or set CONTEXTEN_DEBUG=1).
  --version  Show the version.
  --help     Show this text; after a command, that command's.

Start here:
  contexten up
  contexten run "Give me an overview of this project"

Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted."""


def overview() -> str:
    """The text of `contexten --help`."""
    rows = "\n".join(f"  {name:<11}{noun.help}" for name, noun in NOUNS.items())
    return _OVERVIEW.format(version=__version__, commands=rows)


def fitted(text: str, width: int) -> str:
    """The overview in lines of at most `width` characters; what belongs to a name stays in its column."""
    from textwrap import wrap

    lines = []
    for line in text.split("\n"):
        column = line.rfind("  ") + 2 if line.startswith("  ") and "  " in line.strip() else 0
        lines += wrap(line, width, subsequent_indent=" " * column, break_long_words=False, break_on_hyphens=False) or [
            ""
        ]
    return "\n".join(lines)
