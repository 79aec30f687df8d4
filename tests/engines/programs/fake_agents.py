"""Coding agents that a test writes: real programs on the PATH, which say what the real ones are documented to say."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from contexten.engines.claude_code import ClaudeCodeEngine
from contexten.engines.codex import CodexEngine
from shop_project import Journal, task

HEAD = """\
#!{python}
import json, os, signal, subprocess, sys, time
from pathlib import Path

place = Path({place!r})
given = sys.stdin.buffer.read()
with (place / "calls.jsonl").open("a") as calls:
    calls.write(json.dumps({{"arguments": sys.argv[1:], "folder": os.getcwd(), "given": given.decode(),
                            "environment": dict(os.environ), "pid": os.getpid()}}) + "\\n")

def say(message):
    print(message if isinstance(message, str) else json.dumps(message), flush=True)

def wait_for(name):
    while not (place / name).exists():
        time.sleep(0.02)

"""


class Turns(Journal):
    """The journal of a run with several turns."""

    def __init__(self):
        super().__init__()
        self.earlier = []
        self.over = False

    def next_turn(self):
        self.earlier.append(self.written)
        self.written = {}

    async def last(self, key):
        found = [turn[key] for turn in [*self.earlier, self.written] if key in turn]
        return found[-1] if found else None


class Agents:
    """Programs of the test's making, and the engines that drive them."""

    def __init__(self, place: Path, repository: Path):
        self.place, self.repository = place, repository
        self.bin = place / "bin"
        self.bin.mkdir()
        self.data = place / "data"
        self.journal = Turns()

    def install(self, name, body):
        program = self.bin / name
        program.write_text(HEAD.format(python=sys.executable, place=str(self.place)) + body)
        program.chmod(0o755)

    def claude(self, body, permissions="edits"):
        self.install("claude", body)
        return ClaudeCodeEngine(self.data, permissions)

    def codex(self, body, permissions="edits"):
        self.install("codex", body)
        return CodexEngine(self.data, permissions)

    def task(self, prompt="Change it", **more):
        return task(self.repository, prompt, **more)

    @property
    def calls(self):
        file = self.place / "calls.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    async def called(self, times=1):
        await until(lambda: len(self.calls) >= times)
        return self.calls[-1]

    def open_gate(self, name="gate"):
        (self.place / name).touch()


async def until(holds, seconds=150):
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.02)


def is_alive(pid):
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
