"""A project, a real server, and an engine on it that writes code as its script says."""

import os
import re
import subprocess
import sys
import threading

import pytest

from contexten.autogenlib import AutogenConfig
from contexten.engines import Availability, Outcome, Usage
from contexten.engines.analyst import AnalystEngine
from contexten.engines.model import ModelEngine
from contexten.engines.model.limits import Limits
from contexten.engines.sandbox import Sandbox
from contexten.protocol import NewLogEntry, RunStatus
from running_server import running

CODE = {
    "generate_token": '''\
import secrets


def generate_token(length: int = 32) -> str:
    """A random token of so many characters."""
    return secrets.token_hex(length)[:length]
''',
    "check_token": '''\
import string


def check_token(token: str) -> bool:
    """Whether a text could be a token.

    >>> check_token("abc1")
    True
    """
    return bool(token) and set(token) <= set(string.hexdigits)
''',
    "parse": "def parse(text: str) -> dict[str, str]:\n    return dict(line.split('=', 1) for line in text.splitlines())\n",
    "Form": 'class Form:\n    """A form."""\n\n    def __init__(self, name: str) -> None:\n        self.name = name\n',
    "later": "async def later(value: int) -> int:\n    return value\n",
}


class Coder:
    """Writes what is wanted: from the script in order while it lasts, else the code of each name."""

    name = "coder"
    concurrency = None

    def __init__(self):
        self.script = []
        self.prompts = []
        self.held = None
        self.begun = threading.Event()
        self.cancelled = threading.Event()

    def availability(self):
        return Availability(ready=True, detail="1")

    async def run(self, task, journal):
        import asyncio

        self.prompts.append(task.prompt)
        self.begun.set()
        try:
            await journal.add(NewLogEntry(message_type="ACTION", thought="writing"), key="write")
            while self.held is not None and not self.held.is_set():  # noqa: ASYNC110 - it is set from another thread
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        answer = self.script.pop(0) if self.script else self.written((task.history[0] if task.history else task).prompt)
        if isinstance(answer, RunStatus):
            return Outcome(answer, "no luck")
        return Outcome(RunStatus.COMPLETE, answer, usage=Usage(1000, 100, 0.01))

    def written(self, prompt):
        wanted = re.search(r"for the module `[\w.]+`: (.*)\.$", prompt, re.MULTILINE)
        names = re.findall(r'"(\w+)"', wanted[1]) if wanted else ["check_token"]
        unknown = "def {0}(*args, **kwargs):\n    return {0!r}\n"
        return (
            "Here it is.\n```python\n" + "\n\n".join(CODE.get(name) or unknown.format(name) for name in names) + "```\n"
        )


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server for the tests of a file, with the engine `coder`."""
    coder = Coder()
    folder = tmp_path_factory.mktemp("server")
    (folder / "notes.py").write_text("X = 1\n")
    model = ModelEngine(None, folder / "data" / "checkouts", Sandbox(), Limits(retries=2, request_seconds=30))
    chosen = [coder, model, AnalystEngine(cache=folder / "index")]
    with running(folder, more_engines=chosen, CONTEXTEN_MAX_PROMPT_BYTES=200_000) as place:
        place.coder = coder
        yield place


@pytest.fixture
def coder(server):
    server.coder.__init__()
    return server.coder


@pytest.fixture
def project(tmp_path, server, coder, monkeypatch):
    """A project of its own folder, and the environment of programs that use the server."""
    for name in [name for name in os.environ if name.startswith(("CONTEXTEN_", "CODEGEN_"))]:
        monkeypatch.delenv(name)
    made = Project(tmp_path / "shop", server, coder)
    for name, value in made.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(made.root)
    return made


class Project:
    def __init__(self, root, server, coder):
        self.root, self.coder = root, coder
        self.home = root.parent / "home"
        self.home.mkdir()
        root.mkdir()
        self.write("pyproject.toml", '[project]\nname = "shop"\ndependencies = ["rich>=1"]\n')
        self.write("shop/__init__.py", "")
        self.write(
            "shop/codes.py",
            'def is_code(text: str) -> bool:\n    """Whether a text is a code."""\n    return text.isalnum()\n',
        )
        self.variables = {
            "CODEGEN_API_TOKEN": server.admin.token,
            "CODEGEN_ORG_ID": str(server.admin.org),
            "CODEGEN_BASE_URL": server.admin.base_url,
            "CONTEXTEN_AUTOGEN_ENGINE": "coder",
            "CONTEXTEN_DATA_DIR": str(self.home / "data"),
            "CONTEXTEN_CACHE_DIR": str(self.home / "cache"),
        }

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def read(self, path):
        return (self.root / path).read_text()

    def start(self, text, path="program.py", **variables):
        """Start a program of the project."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), **self.variables, **variables}
        return subprocess.Popen(
            [sys.executable, "-W", "error", self.write(path, text)],
            env=environment, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __call__(self, text, path="program.py", **variables):
        """Run a program of the project; what it printed."""
        process = self.start(text, path, **variables)
        out, self.complaints = process.communicate(timeout=120)
        self.code = process.returncode
        return out.strip()

    def config(self, **more):
        return AutogenConfig(codebase_path=self.root, **more)

    @property
    def asked(self):
        """How often the engine was asked."""
        return len(self.coder.prompts)
