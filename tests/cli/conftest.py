"""The installed program, run as a person runs it: in processes of their own, with a home of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cli.warm_program import WarmProgram, warm_program
from engines.programs.fake_agents import is_alive

PROGRAM = Path(sys.executable).with_name("contexten")
DEADLINE = 150.0

REFUNDS = '''"""Refunds."""


def refund_order(order_id: int) -> bool:
    """Give the money of an order back."""
    return order_id > 0
'''
CHECKOUT = '''"""Checkout."""

from shop.refunds import refund_order


def cancel(order_id: int) -> bool:
    """Cancel an order and give its money back."""
    return refund_order(order_id)
'''


@dataclass
class Machine:
    """A home folder with a project in it, and the program on it."""

    home: Path
    warm: WarmProgram
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def project(self) -> Path:
        return self.home / "src" / "shop"

    @property
    def data(self) -> Path:
        return self.home / "data" / "contexten"

    @property
    def environment(self) -> dict[str, str]:
        folders = {f"XDG_{name}_HOME": str(self.home / name.lower()) for name in ("DATA", "CACHE", "CONFIG", "STATE")}
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            **folders,
            **self.extra,
        }

    def __call__(self, *words, cwd=None, input=""):  # noqa: A002 - as `subprocess.run` calls it
        """Run the program to its end."""
        given = {"cwd": cwd or self.project, "env": self.environment, "timeout": DEADLINE, "input": input}
        if all(name.startswith(("CODEGEN_", "CONTEXTEN_")) for name in self.extra):
            return self.warm(words, **given)
        return subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=False, **given)

    def json(self, *words, code=0):
        """What the program writes with `--json`."""
        done = self(*words, "--json")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    @property
    def program(self) -> Path:
        return PROGRAM

    def start(self, *words, **options):
        """Start the program and leave it running."""
        given = {"cwd": self.project, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        return subprocess.Popen([PROGRAM, *words], env=self.environment, text=True, **(given | options))

    @contextmanager
    def up(self, *words):
        """A server for as long as the block takes; gives what its ready line says."""
        with self.start("up", "--port", "0", "--json", *words) as process:
            try:
                line = process.stdout.readline()
                assert line, process.stderr.read()
                yield json.loads(line)
            finally:
                self.interrupt(process)

    @staticmethod
    def interrupt(process):
        """Press Ctrl-C and give back what the program still writes, and its exit code."""
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=DEADLINE)
        return out, err, process.returncode

    @staticmethod
    def until(condition, what):
        """Wait for a condition and give back what it found."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            if found := condition():
                return found
            time.sleep(0.02)
        raise AssertionError(f"waited in vain: {what}")


def new_machine(home, warm):
    shop = home / "src" / "shop" / "shop"
    shop.mkdir(parents=True)
    (shop / "__init__.py").write_text('"""A shop."""\n')
    (shop / "refunds.py").write_text(REFUNDS)
    (shop / "checkout.py").write_text(CHECKOUT)
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", shop.parent], check=True)
    return Machine(home, warm)


@pytest.fixture(scope="session")
def warm(tmp_path_factory):
    """The program without the time that it takes to load."""
    with warm_program(Machine(tmp_path_factory.mktemp("warm"), None).environment) as program:
        yield program


@pytest.fixture
def machine(tmp_path, warm):
    """A machine on which nothing runs."""
    return new_machine(tmp_path, warm)


class HeldGit:
    """A git that takes as long as it may to read the history, which an engine that reads it waits for on a thread."""

    QUESTION = "What changed recently? What changed in shop/refunds.py? What changed in shop/checkout.py?"

    def __init__(self, folder):
        folder.mkdir()
        self.path = f"{folder}{os.pathsep}{os.environ['PATH']}"
        self._begun, self._over = folder / "begun", folder / "over"
        program = folder / "git"
        program.write_text(
            f'#!/bin/sh\ncase " $* " in *" log "*) echo $$ > {self._begun}\n'
            f'while ! [ -e {self._over} ]; do sleep 0.1; done;; esac\nexec {shutil.which("git")} "$@"\n'
        )
        program.chmod(0o755)

    @property
    def is_waited_for(self):
        return self._begun.exists() and is_alive(self._begun.read_text().strip() or "none")

    def let_go(self):
        self._over.touch()


@pytest.fixture
def held_git(tmp_path):
    held = HeldGit(tmp_path / "held")
    yield held
    held.let_go()


@pytest.fixture(scope="module")
def live(tmp_path_factory, warm):
    """A machine on which a server is up; shared by the tests of a file."""
    machine = new_machine(tmp_path_factory.mktemp("live"), warm)
    with machine.up() as ready:
        machine.base_url = ready["base_url"]
        machine.ready = ready
        yield machine
