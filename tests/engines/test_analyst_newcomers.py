"""What a developer asks on the first day: plain words that are no names, whole-repository questions, and what cannot be told."""

import sys

import pytest

from contexten.codebase import tags
from contexten.engines import Availability, Engines, Outcome, Task
from contexten.engines import Journal as WritesLog
from contexten.engines.analyst import AnalystEngine
from contexten.protocol import RunStatus
from shop_project import Journal, make_project, task

pytestmark = pytest.mark.anyio

WEB = {
    "README.rst": "Web\n===\n\nA small framework that hands requests to endpoints.\n\nInstall it\n----------\n\npip install web\n",
    "CHANGELOG.md": "# Changes\n\n## 1.0\n\nFirst.\n",
    "web/__init__.py": "from web.routing import Router as Router\n",
    "web/routing.py": '''\
"""Chooses what answers."""

from web.status import BAD_GATEWAY


class Route:
    """A path and its endpoint."""

    def __init__(self, path: str, endpoint) -> None:
        self.path = path
        self.endpoint = endpoint

    def matches(self, request) -> bool:
        return request.path == self.path


class Router:
    """Hands a request to the endpoint of the first route that matches."""

    def __init__(self, routes: list[Route]) -> None:
        self.routes = routes

    def dispatch(self, request):
        for route in self.routes:
            if route.matches(request):
                return route.endpoint(request)
        return BAD_GATEWAY

    def _forgotten(self) -> None:
        """Nobody asks for it."""


def _leftover() -> int:
    return 1
''',
    "web/status.py": "BAD_REQUEST = 400\nBAD_GATEWAY = 502\nWS_BAD_GATEWAY = 1014\n",
    "web/sessions.py": '''\
"""Signed cookies."""

from web.signing import BadSignature, unsign

MAX_ATTEMPTS = 3


def load(cookie: str, attempts: int = MAX_ATTEMPTS) -> str:
    try:
        return unsign(cookie)
    except BadSignature:
        return ""
''',
    "web/signing.py": '''\
"""Signs text."""


class BadSignature(ValueError):
    pass


def unsign(text: str) -> str:
    if "." not in text:
        raise BadSignature
    return text.rpartition(".")[0]
''',
    "web/context.py": '"""What a command knows."""\n\n\ndef context() -> dict:\n    return {}\n',
    "pyproject.toml": '[project]\nname = "web"\nrequires-python = ">=3.11"\ndependencies = ["httpx>=0.27"]\n',
    "web/extra/server.py": '''\
from typing import Protocol

import httpx


class Readable(Protocol):
    def read(self) -> str: ...


async def serve(source: Readable, extra: str = "") -> None:
    """Answer with what can be read."""
    httpx.post("/", content=source.read() + extra)
''',
    "web/extra/__init__.py": '"""More."""\n',
    "web/extra/reader.py": '''\
class Reader:
    def read(self) -> str:
        """Give the text. The reader must not be shared by threads."""
        if not hasattr(self, "_text"):
            self._text = "text"
        return self._text
''',
    "app.py": """\
import argparse
import sys

from web import Router
from web.context import context
from web.routing import Route
from web.sessions import load

router = Router([Route("/", load)])
arguments = argparse.ArgumentParser()
arguments.add_argument("--reload", action="store_true")


def show(reader) -> None:
    print(router.dispatch(sys.argv), context(), reader.read())
""",
}


@pytest.fixture
def ask(engine, tmp_path):
    async def asked(prompt, files=WEB, **more):
        folder = make_project(tmp_path / "web", files)
        outcome = await engine.run(task(folder, prompt, **more), Journal())
        assert outcome.status is RunStatus.COMPLETE, outcome.result
        return outcome.result

    return asked


@pytest.mark.parametrize(
    ("prompt", "there", "not_there"),
    [
        (
            "Which functions are never called?",
            ["_leftover", "_forgotten", "no proof"],
            ["never`", "dispatch", "unsign"],
        ),
        ("Is there any dead code?", ["web/routing.py:33", "Private, so the likeliest"], ["search for"]),
        ("find unused functions in web/routing.py", ["_leftover", "no proof"], ["Nothing named"]),
        ("are there unused functions in web/status.py?", ["I found no function or method"], ["_leftover"]),
        ("which functions in web/routing.py are not used anywhere", ["_leftover"], ["Nothing named"]),
        ("is the function load never called?", ["app.py:"], ["_leftover"]),
        ("are there unused imports?", ["ruff check --select F401"], []),
        ("which files are never imported?", ["`app.py`"], ["web/routing.py"]),
        ("what attributes are supported?", ["I searched"], ["Nothing named"]),
        ("what is the default number of attempts?", ["MAX_ATTEMPTS", "search for"], ["source files"]),
        ("What does the README say?", ["hands requests to endpoints", "Install it (line 6)"], ["search for"]),
        ("summarize the readme", ["Install it (line 6)"], ["search for"]),
        ("show me CHANGELOG.md", ["# Changes"], ["Nothing named"]),
        ("What does the Makefile do?", ["There is no file `Makefile`"], ["search for"]),
        ("Where is `Context` defined?", ["exactly as written", "`context` is a function", "web/context.py:4"], []),
        ("is there a changelog?", ["CHANGELOG.md", "1.0 (line 3)"], ["git"]),
        ("what license is it under?", ["There is no file `license`"], ["search for"]),
        ("which python versions are supported?", ["pyproject.toml:3"], ["search for"]),
        ("how many private functions are there?", ["1 function, and 1 method besides (private only)"], []),
        ("What is the public API?", ["exports 1 name", "`Router` (class, `web/routing.py:17`)"], ["search for"]),
        ("what are the command line options?", ["app.py:11"], ["search for"]),
        ("what does `__init__.py` do?", ["web/__init__.py", "web/extra/__init__.py"], ["Nothing named"]),
        ("Where is signing implemented and who uses it?", ["imported by 1 file", "web/sessions.py:3"], []),
        ("how is load implemented?", ["def load", "Where to read"], []),
        ("Is Reader.read thread safe?", ["must not be shared by threads"], []),
        ("Is Reader.read cached?", ['hasattr(self, "_text")'], []),
        ("what does Reader.read do?", ["Perhaps used in 1 place in 1 file: `app.py`"], []),
        ("Does it support HTTP/2?", ["search"], ["Nothing named"]),
        ("where is the 502 answer made?", ["web/status.py:2"], []),
        ("how do I use the Router class?", ["web/routing.py:17"], ["pyproject.toml"]),
        ("which exceptions does it define?", ["1 class", "web/signing.py:4"], ["search for"]),
        ("Which functions are async?", ["`serve` (function, `web/extra/server.py:10`)"], ["show`"]),
        ("list classes without a docstring", ["`BadSignature`", "have no docstring: 3"], ["`Router`"]),
        ("which methods are deprecated?", ["speak of a deprecation: 0"], ["Nothing named"]),
        ("Which classes implement Readable?", ["1 class has all its methods", "`Reader`"], ["`Router`"]),
        ("is there any argparse left?", ["app.py:1"], ["search for"]),
        ("who uses httpx and where is it declared?", ["web/extra/server.py:3", "`httpx>=0.27`"], ["search for"]),
        ("explain the extra", ["web/extra/"], ["search for"]),
        ("Is Reader.read safe for several threads?", ["must not be shared by threads"], ["called from"]),
        ("Is there a circular import?", ["No: no files"], ["search for"]),
        ("signature bad", ["except BadSignature", "`web/signing.py:4`"], ["BAD_GATEWAY"]),
        (
            "How does a request get to my endpoint?",
            ["`Router.dispatch` (method, `web/routing.py:23`)", "`Route`"],
            ["BAD_REQUEST"],
        ),
    ],
)
async def test_plain_words_are_not_taken_for_names(ask, prompt, there, not_there):
    answer = await ask(prompt)
    assert [fact for fact in there if fact not in answer] == [], answer
    assert [wrong for wrong in not_there if wrong in answer] == [], answer


async def test_files_that_import_each_other_are_found(ask):
    files = {"a.py": "import b\n", "b.py": "import a\n", "c.py": "import a\n", "d/e.py": ""}
    answer = await ask("Are there any import cycles?", files)
    assert "`a.py` → `b.py` → `a.py`" in answer
    assert "c.py" not in answer
    assert "No: no files of `d/`" in await ask("any circular imports in d/?", files)


async def test_many_uses_are_told_by_file_and_calls_first(ask):
    annotated = "from a import Thing\n" + "".join(f"def f{number}(x: Thing): ...\n" for number in range(40))
    files = {"a.py": "class Thing:\n    pass\n", "b.py": annotated, "c.py": "from a import Thing\n\nTHING = Thing()\n"}
    answer = await ask("who uses Thing?", files)
    assert answer.index("c.py:3") < answer.index("b.py")
    assert "`b.py`: 40 annotations and 1 import, lines 1, 2, 3" in answer
    assert answer.count("\n- ") < 10


async def test_code_in_other_languages_is_not_said_to_be_missing(ask, monkeypatch):
    files = {"a.py": "x = 1\n", "main.go": "func g() {}\n", "lib.rb": "def h; end\n"}
    monkeypatch.setitem(sys.modules, "tree_sitter", None)
    tags._grammar.cache_clear()
    try:
        answer = await ask("Who calls g?", files)
    finally:
        monkeypatch.undo()
        tags._grammar.cache_clear()
    assert "1 Go file" in answer
    assert "pip install 'contexten[languages]'" in answer
    assert "1 Ruby file" in answer
    assert "main.go:1" in answer


class Painter:
    """Another engine, which is not set up."""

    name = "painter"
    concurrency: int | None = None

    def availability(self) -> Availability:
        return Availability(ready=False, detail="needs a brush")

    async def run(self, task: Task, journal: WritesLog) -> Outcome:
        return Outcome(RunStatus.COMPLETE, "painted")


async def test_asked_for_work_it_names_the_engines_there_are_and_no_other(tmp_path):
    folder = make_project(tmp_path / "web", WEB)
    alone = AnalystEngine(cache=tmp_path / "cache")
    said = (await alone.run(task(folder, "Add a cache to load"), Journal())).result
    assert "no other engine here" in said
    assert "CONTEXTEN_MODEL" not in said
    engines = Engines([AnalystEngine(cache=tmp_path / "cache", engines=lambda: engines), Painter()])
    said = (await engines.get("analyst").run(task(folder, "Add a cache to load"), Journal())).result
    assert "`painter`: not ready, needs a brush" in said
    assert "`analyst`: " not in said
