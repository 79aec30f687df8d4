"""The tool that runs a command, such as the tests: in the sandbox, and nowhere else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import Field

from contexten.engines.model.tools.tool import LONGEST_ANSWER, Arguments, Result, ToolError

if TYPE_CHECKING:
    from contexten.engines.model.tools.tool import Place
    from contexten.engines.sandbox import Finished

_LINE = 80
_ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1"}
"""What a run changes is what it means to change, and not what its tests leave behind."""
_TAIL, _LONGEST_LINE = 8_000, 300
"""Where reports are looked for: characters at the end of the output, and in a line of it."""
_SUMMARIES = (
    re.compile(
        r"^=* ?(\d+ (?:failed|passed|error|skipped|xfailed|xpassed|deselected).*) in [\d.]+", re.MULTILINE
    ),  # pytest
    re.compile(r"^Tests:\s+(.*?)(?:, \d+ total)?$", re.MULTILINE),  # jest
    re.compile(r"^test result: \w+\. (\d+ passed; \d+ failed)", re.MULTILINE),  # cargo
)
_COUNTED = re.compile(r"(\d+) (failed|passed|errors?)")
_UNITTEST = re.compile(r"^Ran (\d+) tests? in .*\n+(OK|FAILED)", re.MULTILINE)


class Run(Arguments):
    """Run a shell command in the repository, for example its tests.

    There is no network, and only the repository can be written. What it prints is cut in the middle when it is long.
    """

    command: str = Field(min_length=1, max_length=20_000, description="The command line, as for sh -c.")
    seconds: float = Field(120, gt=0, description="It is stopped after so many seconds.")


async def run(place: Place, wanted: Run) -> Result:
    """Run a command in the sandbox."""
    if place.sandbox is None:
        raise ToolError("Commands cannot be run here: there is no sandbox.")
    seconds = min(wanted.seconds, place.command_seconds)
    done = await place.sandbox.run(
        wanted.command, root=place.root, timeout=seconds, max_output=LONGEST_ANSWER, env=_ENVIRONMENT
    )
    tests = tests_in(done.output)
    place.tests = tests or place.tests
    ended = _ended(done, seconds)
    shown = wanted.command.partition("\n")[0]
    shown = shown if len(shown) <= _LINE else f"{shown[:_LINE]}…"
    return Result(
        f"[{ended}]\n{done.output}",
        f"{shown} → {tests or ended}",
        ok=not done.timed_out and not done.full and done.exit_code == 0,
        data={"exit_code": done.exit_code, "seconds": round(done.seconds, 3), "tests": tests},
    )


def _ended(done: Finished, seconds: float) -> str:
    if done.full:
        return f"stopped: {done.full}. Delete what is not needed"
    return f"stopped after {seconds:g} s" if done.timed_out else f"exit {done.exit_code}"


def tests_in(output: str) -> str | None:
    """How the tests ended whose report a command printed, such as `2 failed, 12 passed`; None when there is none."""
    tail = "\n".join(line for line in output[-_TAIL:].splitlines() if len(line) <= _LONGEST_LINE)
    for pattern in _SUMMARIES:
        if found := pattern.findall(tail):
            counts = [f"{count} {what}" for count, what in _COUNTED.findall(found[-1]) if count != "0"]
            return ", ".join(counts) or None
    if found := _UNITTEST.findall(tail):
        return f"{found[-1][0]} {'passed' if found[-1][1] == 'OK' else 'run, some failed'}"
    return None
