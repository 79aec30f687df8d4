"""What ruff calls an error in generated code, where ruff is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

ERRORS = "E9,F63,F7,F82,F811,PLE"
"""Rules of code that is wrong, whatever a project's style is."""
_SECONDS = 20.0


def errors_in(code: str) -> list[str]:
    """What is wrong with code, each with its line; nothing where there is no ruff."""
    program = _ruff()
    if program is None:
        return []
    command = [
        program,
        "check",
        "--isolated",
        "--no-cache",
        "--quiet",
        "--select",
        ERRORS,
        "--output-format",
        "json",
        "-",
    ]
    try:
        done = subprocess.run(  # noqa: S603 - a program by its full path; the code goes to its standard input
            command, input=code, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        found = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return []
    return [f"line {each['location']['row']}: {each['message']} ({each['code']})" for each in found]


def _ruff() -> str | None:
    beside = Path(sys.executable).with_name("ruff")
    return str(beside) if beside.is_file() else shutil.which("ruff")
