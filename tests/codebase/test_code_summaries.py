import types

import pytest

from contexten.codebase import (
    Symbol,
    get_class_summary,
    get_codebase_summary,
    get_file_summary,
    get_function_summary,
    get_symbol_summary,
)
from contexten.errors import UsageError

FILES = {
    "core.py": '''
        """The core."""
        import os

        LIMIT = 3

        class Base:
            """Common things."""

        class Job(Base):
            retries = LIMIT

            def start(self, name: str) -> None:
                """Start it."""
                prepare(name)

        def prepare(name): return os.path.join(name)
    ''',
    "app.py": "from core import Job\n\ndef main():\n    Job().start('x')\n",
}


def test_a_function_with_its_callers_and_callees(project):
    summary = get_function_summary(project(FILES).symbols("Job.start")[0])
    assert summary.data["calls"] == ["core.prepare"]
    assert summary.data["callers"] == ["app.main app.py:4"]
    assert "def start(self, name: str) -> None" in summary
    assert "Start it." in summary
    assert "called from (1): app.main app.py:4" in summary


def test_a_class_with_its_family_and_members(project):
    summary = get_class_summary(project(FILES).symbols("Job")[0])
    data = summary.data
    assert (data["bases"], data["attributes"], data["references"]) == (["core.Base"], ["retries"], 2)
    assert [each["name"] for each in data["methods"]] == ["start"]
    assert get_class_summary(project(FILES).symbols("Base")[0]).data["subclasses"] == ["core.Job"]


def test_a_file_with_its_imports_both_ways(project):
    file = project(FILES).file("core.py")
    assert file is not None
    data = get_file_summary(file).data
    assert (data["imports"], data["external_imports"], data["imported_by"]) == ([], ["os"], ["app.py"])
    assert [each["name"] for each in data["definitions"]] == ["Base", "Job", "prepare"]
    assert data["docstring"] == "The core."


def test_a_codebase_in_numbers_and_by_importance(project):
    summary = get_codebase_summary(project(FILES))
    assert summary.data["symbols"] == {"attribute": 1, "class": 2, "function": 2, "method": 1, "variable": 1}
    assert [each["path"] for each in summary.data["central_files"]] == ["core.py", "app.py"]
    assert "core.py  # The core." in summary


def test_the_summary_fits_the_kind_of_symbol(project):
    codebase = project(FILES)
    assert get_symbol_summary(codebase.symbols("Job")[0]) == get_class_summary(codebase.symbols("Job")[0])
    assert get_symbol_summary(codebase.symbols("LIMIT")[0]).data["used_in"] == ["core.Job core.py:10"]
    assert get_symbol_summary(codebase.symbols("core")[0]).data["path"] == "core.py"


def test_a_symbol_from_nowhere_is_refused():
    with pytest.raises(UsageError, match="does not come from a codebase"):
        get_symbol_summary(Symbol("f", "f", "function", "a.py", 1, 1))


class Foreign(types.SimpleNamespace):
    """Has the attributes of graph-sitter's objects, as version 0.56.14 shows them."""

    __module__ = "graph_sitter.python.function"


def test_objects_of_graph_sitter_are_taken_too():
    place = {"filepath": "a.py", "start_point": (9, 4), "end_point": (11, 0)}
    caller = Foreign(name="go", **place)
    func = Foreign(
        name="run",
        full_name="A.run",
        symbol_type=types.SimpleNamespace(name="Function"),
        parameters=["self", "y: int = 1"],
        return_type="int",
        is_async=False,
        decorators=[],
        docstring=types.SimpleNamespace(text="Runs."),
        function_calls=[Foreign(name="helper")],
        dependencies=[Foreign(name="helper")],
        call_sites=[Foreign(parent_function=types.SimpleNamespace(name="go"), **place)],
        usages=[Foreign(usage_symbol=caller, match=caller)],
        **place,
    )
    summary = get_symbol_summary(func)
    assert summary.splitlines()[:2] == ["def run(self, y: int = 1) -> int    # A.run, a.py:10-12", "    Runs."]
    assert (summary.data["calls"], summary.data["callers"]) == (["helper"], ["go a.py:10"])
