"""`contexten code`, as a person or a script calls it."""

import json

import pytest
from typer.testing import CliRunner

from contexten.cli.code import app
from contexten.codebase.record import KINDS

FILES = {
    "shop.py": "def refund(order):\n    '''Give money back.'''\n\ndef cancel(order):\n    refund(order)\n",
    "app.py": "from shop import cancel\n\ncancel(1)\n",
}


@pytest.fixture
def code(project, root, tmp_path, monkeypatch):
    project(FILES)
    monkeypatch.setenv("CONTEXTEN_CACHE_DIR", str(tmp_path / "cache"))

    def run(*arguments):
        return CliRunner().invoke(app, [*arguments, "--repo", str(root)])

    return run


def test_what_people_read(code):
    assert code("overview").stdout.startswith("project: 2 files, 8 lines (python 2)")
    assert "called from (1): shop.cancel shop.py:5" in code("symbol", "refund").stdout
    assert code("refs", "cancel").stdout == (
        "app.py:1  import  in (module): from shop import cancel\napp.py:3  call  in (module): cancel(1)\n"
    )
    assert code("callers", "refund", "--depth", "2").stdout == (
        "shop.py:5  call  in shop.cancel: refund(order)\napp.py:3  call  in (module): cancel(1)\n"
    )
    assert "def refund(order)" in code("context", "give the money of an order back").stdout
    assert "cancel" in code("similar", "refund").stdout


def test_what_programs_read(code):
    assert json.loads(code("overview", "--json").stdout)["files"] == 2
    assert json.loads(code("symbol", "refund", "--json").stdout)[0]["callers"] == ["shop.cancel shop.py:5"]
    assert [each["kind"] for each in json.loads(code("refs", "cancel", "--kind", "call", "--json").stdout)] == ["call"]
    assert json.loads(code("callers", "refund", "--json").stdout)[0]["symbol"] == "shop.cancel"
    assert json.loads(code("similar", "refund", "--json").stdout)[0]["name"] == "cancel"
    context = json.loads(code("context", "refund", "--caller", "app.py", "--budget", "200", "--json").stdout)
    assert context["items"][0]["name"] == "shop.refund"


def test_a_name_that_is_not_there_brings_a_hint(code):
    result = code("symbol", "refnd")
    assert result.exit_code == 1
    assert "no symbol refnd" in str(result.exception)
    assert "Did you mean refund?" in str(result.exception)
    assert 'contexten code context "zebra"' in str(code("refs", "zebra").exception)


def test_what_is_empty_is_refused(code):
    assert "the name is empty" in str(code("symbol", " ").exception)
    assert "the prompt is empty" in str(code("context", "").exception)


def test_nothing_found_is_said_beside_the_result(code):
    for arguments, said in (
        (("refs", "app"), "There are no uses of app (app.py:1)."),
        (("refs", "refund", "--kind", "write"), "There are no uses of shop.refund (shop.py:1)."),
        (("similar", "app"), "Nothing is like app (app.py:1)."),
        (("context", "zebra"), "Nothing in the code has to do with it."),
    ):
        result = code(*arguments)
        assert result.exit_code == 0
        assert said in result.stderr
        assert result.stdout == ""
    assert code("refs", "app", "--json").stdout == "[]\n"


def test_several_symbols_of_a_name_are_told_apart(project, code):
    project({"one.py": "def go(): ...\ngo()\n", "two.py": "def go(): ...\n", "three.py": "def go(): ...\ngo()\n"})
    assert code("refs", "go").stdout == (
        "# one.go  one.py:1\none.py:2  call  in (module): go()\n"
        "# three.go  three.py:1\nthree.py:2  call  in (module): go()\n"
    )


def test_the_prompt_may_come_by_pipe(code, root):
    typed = code("context", "give the money of an order back").stdout
    arguments = ["context", "-", "--repo", str(root)]
    assert CliRunner().invoke(app, arguments, input="give the money of an order back\n").stdout == typed


def test_files_with_problems_are_named(project, code):
    project({"bad.py": "def f(:\n"})
    shown = code("overview").stdout
    assert "files with problems: 1\n" in shown
    assert "    bad.py: invalid syntax (line 1)" in shown
    assert json.loads(code("overview", "--json").stdout)["problem_files"][0]["path"] == "bad.py"


@pytest.mark.parametrize("command", ["overview", "symbol", "refs", "callers", "similar", "context"])
def test_help_teaches_by_example(command):
    shown = CliRunner().invoke(app, [command, "--help"]).stdout
    assert f"Example: contexten code {command}" in shown
    for option in ("--repo", "--json"):
        assert option in shown


def test_every_kind_of_reference_is_in_the_help():
    shown = " ".join(CliRunner().invoke(app, ["refs", "--help"]).stdout.split())
    assert all(kind in shown for kind in KINDS)
