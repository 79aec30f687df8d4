"""`contexten code`, as a person or a script calls it."""

import json

import pytest
from typer.testing import CliRunner

from contexten.cli.code import app

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
