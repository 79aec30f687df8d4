"""`python -m contexten.overlay`: the overlay's commands with the standard library alone, for a bare interpreter."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from contexten.errors import ContextenError, UsageError
from contexten.overlay import report
from contexten.overlay.launcher import run

if TYPE_CHECKING:
    from collections.abc import Sequence

VERBS = ("apply", "status", "verify", "revert", "run")

_HELP = {
    "apply": "put the overlay into effect",
    "status": "tell where the package stands",
    "verify": "prove that the overlay is whole",
    "revert": "give the package back as it was",
    "run": "run one program with the overlay: run [--python PATH] SCRIPT|-m MODULE [ARGUMENTS]",
}


def main(words: Sequence[str]) -> int:
    """Do one command and return its exit code: 0 done, 1 failed, 2 wrong use."""
    try:
        return _run(words[1:]) if words[:1] == ["run"] else _perform(_parser().parse_args(words))
    except ContextenError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2 if isinstance(error, UsageError) else 1


def _perform(options: argparse.Namespace) -> int:
    place = {"python": options.python, "target": options.target, "as_json": options.json}
    if options.verb in {"apply", "revert"}:
        return report.change(options.verb, _say, **place, dry_run=options.dry_run, force=options.force)
    show = report.show_status if options.verb == "status" else report.show_checks
    return show(_say, **place)


def _run(words: Sequence[str]) -> int:
    """Everything after the program's name belongs to the program, so only the beginning is ours to read."""
    first, _, value = (words[0] if words else "").partition("=")
    if first != "--python":
        return run(words)
    return run(words[1:], value) if value else run(words[2:], "".join(words[1:2]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="contexten overlay", description="Instrument an installed codegen package.")
    commands = parser.add_subparsers(dest="verb", required=True, metavar="|".join(VERBS))
    for verb in VERBS:
        command = commands.add_parser(verb, help=_HELP[verb])
        command.add_argument("--python", help="interpreter whose environment has codegen")
        command.add_argument("--target", help="site-packages, an environment, or the package's folder")
        command.add_argument("--json", action="store_true", help="write JSON")
        if verb in {"apply", "revert"}:
            command.add_argument("--dry-run", action="store_true", help="show the changes and make none")
            command.add_argument("--force", action="store_true", help="go on although files were edited")
    return parser


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
