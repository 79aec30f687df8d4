"""What the gate lets in and what it refuses."""

import ast
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contexten.autogenlib import Policy
from contexten.autogenlib.answer import AnswerError, merged, module_of
from contexten.autogenlib.lint import errors_in
from contexten.autogenlib.trial import failures_of
from contexten.autogenlib.usages import calls_in, uses_in

POLICY = Policy(modules=frozenset({"shop"}), dependencies=frozenset({"rich", "pyyaml"}))

REFUSED = {
    "import os\ndef f(): os.system('x')": "os.system",
    "import os as o\ndef f(): o.system('x')": "os.system",
    "from os import system\ndef f(): system('x')": "os.system",
    "from os import *": "import *",
    "import os\nx = os\ndef f(): x.system('x')": "as a value",
    "from os import path\ndef f(): path.os.system('x')": "reaches for os",
    "import os.path\ndef f(): return os.path.os": "reaches for os",
    "from concurrent import futures\ndef f(): return [futures][0]": "as a value",
    "import random\ndef f(): random._os.system('x')": "_os",
    "import random\nr = random\ndef f(): r._os.system('x')": "as a value",
    "def f(x): return x.os.system('x')": "reaches for os",
    "import subprocess": "subprocess",
    "import socket": "socket",
    "import ctypes": "ctypes",
    "from _posixsubprocess import fork_exec": "_posixsubprocess",
    "import importlib\ndef f(): importlib.import_module('os')": "importlib.import_module",
    "from importlib import import_module": "importlib.import_module",
    "import sys\ndef f(): return sys.modules['os']": "sys.modules",
    "import asyncio\nasync def f(): await asyncio.create_subprocess_shell('x')": "create_subprocess_shell",
    "import urllib.request": "urllib.request",
    "import requests": "requests",
    "import shop_evil": "shop_evil",
    "from . import x": "relative",
    "def f(): eval('1')": "uses eval",
    "def f(): exec('1')": "uses exec",
    "e = eval": "uses eval",
    "def f(): __import__('os')": "__import__",
    "def f(): return globals()": "globals",
    "def f(): return __builtins__": "__builtins__",
    "def f(): return ().__class__.__base__.__subclasses__()": "__base__",
    "def f(g): return g.__globals__": "__globals__",
    "def f(g): return g.__code__": "__code__",
    "def f(x, n): return getattr(x, n)": "made up while running",
    "import logging\ndef f(): return getattr(logging, 'os')": "as a value",
    "def f(x): return getattr(x, '__globals__')": "__globals__",
    "def f(x): return getattr(x, '_os')": "_os",
    "g = getattr": "other than by calling",
    "import operator\ndef f(x): return operator.attrgetter('__globals__')(x)": "__globals__",
    "from operator import attrgetter\ndef f(x, n): return attrgetter(n)(x)": "made up",
    "from operator import methodcaller": "methodcaller",
    "def f(x): return '{0.__globals__}'.format(x)": "__globals__",
    "def f(x):\n    match x:\n        case object(__globals__=g): return g": "__globals__",
    "def __getattribute__(n): ...": "__getattribute__",
    "def __dir__(): return []": "__dir__",
    "import json as __loader__": "__loader__",
    "print('hello')": "Expr while it is imported",
    "x = open('/etc/passwd').read()": "calls open",
    "for i in range(3): x = i": "For while it is imported",
    "try:\n    import rich\nexcept ImportError:\n    rich = None": "Try while it is imported",
    "if __name__ == '__main__': pass": "If while it is imported",
    "class A:\n    print('x')": "Expr while it is imported",
    "class A(print('x')): pass": "calls print",
    "def f(x=open('y')): return x": "calls open",
    "@print\ndef f(): ...": "calls print",
    "import io\nx = io.open('y')": "calls io.open",
    "from pathlib import Path\nx = Path('y').write_text('z')": "write_text",
    "import threading\nx = threading.Thread(target=int).start()": ".start",
    "import asyncio\nx = asyncio.run(f())": "calls asyncio.run",
    "import time\nx = time.sleep(9)": "time.sleep",
    "def f(): return open('y')\nx = f()": "line 1: calls open",
    "def g(): print(1)\ndef f(): return g()\nx = [f() for _ in 'ab']": "line 1: calls print",
    "class A:\n    def __init__(self): open('y')\nx = A()": "line 2: calls open",
    "def deco(f): print(f)\n@deco\ndef f(): ...": "line 1: calls print",
    "class A:\n    x = open('y')": "calls open",
    "import json\njson = 1": "another meaning",
    "import json\ndef json(): ...": "another meaning",
    "def open(): ...": None,
    "open = 1": "another meaning",
    "import pickle": "pickle",
    "import timeit\n": "timeit",
    "import contexten": "contexten",
    "import autogenlib.other": "autogenlib",
    "def f(:": "not Python",
    "x = '\x00'": "not Python",
    "def f():\n    return 1\n    nonlocal x": "does not compile",
    "def f(): return 1 is 1": "does not compile",
    "(" * 5000 + ")" * 5000: "not Python",
    "x = " + "-" * 100_000 + "1": None,
    "x = 1\n" * 50_000: "characters",
}


@pytest.mark.parametrize(("code", "reason"), [(code, reason) for code, reason in REFUSED.items() if reason])
def test_it_refuses(code, reason):
    assert reason in " ".join(POLICY.refusals(code))


def test_code_too_deep_for_the_parser_is_refused_and_nothing_breaks():
    assert POLICY.refusals("x = " + "-" * 100_000 + "1")


LET_IN = '''
"""Forms of the shop."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from os import path as p
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import rich
import shop.codes
import yaml
from rich.table import Table

if TYPE_CHECKING:
    from decimal import Decimal

_LOG = logging.getLogger(__name__)
PATTERN: re.Pattern[str] = re.compile(r"\\d+")
KNOWN = {name: len(name) for name in ("a", "b")}


@dataclasses.dataclass(frozen=True)
class Form:
    """A form."""

    name: str
    fields: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        if not self.name:
            raise ValueError(f"{type(self).__name__} has no name")

    def __len__(self) -> int:
        return len(self.fields)


class Point(NamedTuple):
    x: int = 0


@lru_cache(maxsize=8)
def parse(text: str, *, strict: bool = False) -> Form:
    """Parse.

    >>> parse("{}").name
    'form'
    """
    _LOG.debug("parsing %s", len(text))
    return Form("form", json.loads(text))


async def load(path: str | os.PathLike[str], retries: int = 3) -> Iterator[str]:
    """Load."""
    await asyncio.sleep(0)
    with open(path) as file, ThreadPoolExecutor() as pool:
        lines = list(pool.map(str.strip, file))
    print(sys.maxsize, os.environ.get("HOME"), p.join("a", "b"), urlsplit("x").path, file=sys.stderr)
    return iter(lines)


def _table() -> dict[str, int]:
    return {name: KNOWN[name] for name in sorted(KNOWN)}


TABLE = _table()
CONSOLE = rich.console.Console()
HANDLERS = {"load": load}


def told(value: Any) -> str:
    return getattr(value, "name", "") or repr(yaml.safe_dump(shop.codes.is_code("x"))) + str(Path.cwd()) + rich.__name__
'''


def test_it_lets_ordinary_code_in():
    assert POLICY.refusals(LET_IN, ["Form", "parse", "load", "told"], "await load('x')\nparse('{}', strict=True)") == []


def test_what_is_allowed_by_name_is_let_in():
    code = "import os\nimport subprocess\ndef f(): os.remove('x'); subprocess.run(['x']); eval('1')"
    assert POLICY.refusals(code)
    assert Policy(frozenset({"os.remove", "subprocess", "eval"})).refusals(code) == []
    assert Policy(frozenset({"subprocess.run", "eval"})).refusals(code) == ["line 3: uses os.remove"]
    assert Policy(frozenset({"subprocess.run"})).refusals("import subprocess\ndef f(): subprocess.Popen(['x'])")
    assert Policy(frozenset({"subprocess.run"})).refusals("import subprocess\ndef f(): return [subprocess]")


def test_its_fingerprint_changes_with_what_it_lets_in():
    policies = [
        Policy(),
        Policy(frozenset({"a"})),
        Policy(modules=frozenset({"a"})),
        Policy(dependencies=frozenset({"a"})),
    ]
    assert len({policy.fingerprint for policy in policies}) == 4


@pytest.mark.parametrize(
    ("code", "usage", "fits"),
    [
        ("def f(a, b=1): ...", "f(1)\nf(1, 2)\nf(1, b=2)", True),
        ("def f(a, b=1): ...", "f()", False),
        ("def f(a): ...", "f(1, 2)", False),
        ("def f(a): ...", "f(1, deep=True)", False),
        ("def f(a, *, deep): ...", "f(1)", False),
        ("def f(a, /): ...", "f(a=1)", False),
        ("def f(*args, **kwargs): ...", "f(1, 2, x=3)", True),
        ("def f(a, b): ...", "f(*parts)", True),
        ("def f(a): ...", "f(1, 2, *parts)", False),
        ("async def f(): ...", "await f()", True),
        ("def f(): ...", "await f()", False),
        ("class f:\n    def __init__(self, a): ...", "f(1)", True),
        ("class f:\n    def __init__(self, a): ...", "f()", False),
        ("class f(dict): ...", "f(1, 2, 3)", True),
        ("f = print_later = lambda: 1", "f(1)", True),
        ("def f(): ...", "no expression (\nf", True),
        ("def g(): ...", "", False),
        ("from json import loads as f", "", False),
    ],
)
def test_a_name_must_fit_the_way_it_is_used(code, usage, fits):
    assert (POLICY.refusals(code, ["f"], usage) == []) == fits


def test_uses_are_found_under_every_name():
    source = """
from contexten.autogen.tokens import make as m, other
import contexten.autogen.tokens as t
from autogenlib import tokens
async def go():
    x = await m(1, b=2)
    if t.make(3) and tokens.make(4).strip():
        return [m for _ in ()]
other.thing()
def make(): ...
make()
"""
    modules = {"contexten.autogen.tokens", "autogenlib.tokens"}
    assert uses_in(source, modules, "make").expressions == [
        "await m(1, b=2)",
        "t.make(3)",
        "tokens.make(4).strip()",
        "m",
    ]
    assert uses_in(source, modules, "other").attributes_only
    assert not uses_in(source, modules, "make").attributes_only
    assert uses_in("no python (", modules, "make").expressions == []
    assert [(call.positional, call.keywords, call.awaited) for call in calls_in("await m(1, b=2)\nx(\n", "m")] == [
        (1, ("b",), True)
    ]


FENCED = "Here:\n```python\ndef f(): ...\n```\nThat is it."


@pytest.mark.parametrize(
    "answer",
    [FENCED, "def f(): ...", "```py\r\ndef f(): ...\r\n```", "````\ndef f(): ...\n````", "```json\n{}\n```\n" + FENCED],
)
def test_an_answer_is_one_module(answer):
    assert module_of(answer) == "def f(): ...\n"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        " ",
        FENCED + FENCED,
        "```python\ndef f(): ...",
        "I cannot do that.",
        "```python\ndef f(:\n```",
        "x = 1\n" * 50_000,
    ],
)
def test_anything_else_is_none(answer):
    with pytest.raises(AnswerError):
        module_of(answer)


OLD = '"""Tokens."""\n\nimport os  # first\n\nX = 1\n\n\n# by hand\ndef f():\n    return X\n'


def test_new_code_is_added_and_the_old_is_not_touched():
    new = (
        '"""Other."""\nfrom __future__ import annotations\nimport os\nimport json\nX = 1\n__all__ = ["g"]\n\n\n'
        "@staticmethod\ndef g():\n    # inside\n    return json\n\n\na = 1; b = 2\n"
    )
    assert merged(OLD, new) == (
        '"""Tokens."""\n\nfrom __future__ import annotations\n\nimport os  # first\nimport json\n\n\n'
        "X = 1\n\n\n# by hand\ndef f():\n    return X\n\n\n@staticmethod\ndef g():\n    # inside\n    return json\n\n\na = 1\n\n\nb = 2\n"
    )
    assert merged("", new) == new
    assert merged("X = 1\n", "import json\nY = 2\n") == "import json\n\n\nX = 1\n\n\nY = 2\n"


@pytest.mark.parametrize(
    "new", ["X = 2", "def f():\n    return 2", "class f: ...", "from json import loads as f", "f: int = 1"]
)
def test_what_is_there_is_not_defined_anew(new):
    with pytest.raises(AnswerError, match="defined already"):
        merged(OLD, new)


STATEMENTS = st.lists(
    st.sampled_from([
        "import json", "from os import path", "from __future__ import annotations", "import re as regex", "A = 1", "B: int = 2",
        "def f():\n    return 1", "@property\ndef g(x):\n    '''Doc.'''\n    return x", "class C:\n    x = 1\n\n    y = 2", "D = '''a\nb'''",
    ]), unique=True,
)  # fmt: skip


def _module(statements):
    return "\n".join(sorted(statements, key=lambda each: not each.startswith("from __future__"))) + "\n"


@settings(deadline=None)
@given(old=STATEMENTS, new=STATEMENTS)
def test_a_merged_module_has_every_statement_of_both_once(old, new):
    whole = ast.parse(merged(_module(old), _module(new)))
    expected = {ast.dump(node) for each in (old, new) for node in ast.parse(_module(each)).body}
    assert sorted(ast.dump(node) for node in whole.body) == sorted(expected)
    compile(whole, "<merged>", "exec")


def test_ruff_finds_what_the_compiler_does_not():
    assert "Undefined name `y` (F821)" in errors_in("def f():\n    return y\n")[0]
    assert errors_in("import os\n") == []


def test_a_trial_runs_doctests_within_limits(tmp_path):
    assert failures_of('def f():\n    """\n    >>> f()\n    1\n    """\n    return 1\n', "web.m", []) is None
    assert "Expected:" in failures_of('def f():\n    """\n    >>> f()\n    2\n    """\n    return 1\n', "m", [])
    assert "ZeroDivisionError" in failures_of("x = 1 // 0\n", "m", [])
    assert "MemoryError" in failures_of("x = bytearray(3 * 2**30)\n", "m", [])
    assert "did not end" in failures_of("while True: pass\n", "m", [], seconds=1)
    assert "failed" in failures_of("while True: print('x' * 1000)\n", "m", [])
    (tmp_path / "mine.py").write_text("x = 1\n")
    assert failures_of("from mine import x\n", "m", [tmp_path]) is None


def test_a_trial_sees_no_secret_and_leaves_nothing_running(tmp_path, monkeypatch):
    monkeypatch.setenv("CODEGEN_API_TOKEN", "secret")
    mark = tmp_path / "pid"
    code = (
        "import os, subprocess, sys\nassert 'CODEGEN_API_TOKEN' not in os.environ\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(mark)!r}, 'w').write(str(child.pid))\n"
    )
    assert failures_of(code, "m", []) is None
    deadline = time.monotonic() + 150
    while _runs(int(mark.read_text())):
        assert time.monotonic() < deadline


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
