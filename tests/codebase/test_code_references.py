"""Every way in which Python code can name something."""

import pytest

from contexten.errors import UsageError

TARGET = {
    "pkg/__init__.py": "",
    "pkg/target.py": "def goal(): ...\nclass Base:\n    def run(self): ...\n    level = 1\n",
}

CASES = {
    "import": ("from pkg.target import goal\ngoal()\n", ["1 import", "2 call"]),
    "renamed": ("from pkg.target import goal as g\ng()\n", ["1 import", "2 call"]),
    "module": ("import pkg.target\npkg.target.goal()\n", ["2 call"]),
    "module renamed": ("import pkg.target as t\nt.goal()\n", ["2 call"]),
    "module from package": ("from pkg import target\ntarget.goal()\n", ["2 call"]),
    "relative": ("from .target import goal\ngoal\n", ["1 import", "2 read"]),
    "relative module": ("from . import target\nx = target.goal\n", ["2 read"]),
    "star": ("from pkg.target import *\ngoal()\n", ["2 call"]),
    "inside a function": ("def f():\n    from pkg.target import goal\n    return goal()\n", ["2 import", "3 call"]),
    "closure": (
        "from pkg.target import goal\ndef f():\n    def g(): return goal()\n    return g\n",
        ["1 import", "3 call"],
    ),
    "shadowed by a parameter": ("from pkg.target import goal\ndef f(goal): return goal()\n", ["1 import"]),
    "shadowed by an assignment": (
        "from pkg.target import goal\ndef f():\n    goal = 1\n    return goal\n",
        ["1 import"],
    ),
    "shadowed in a comprehension": ("from pkg.target import goal\nx = [goal for goal in y]\n", ["1 import"]),
    "comprehension": ("from pkg.target import goal\nx = [goal() for y in z]\n", ["1 import", "2 call"]),
    "lambda": ("from pkg.target import goal\nx = lambda a: goal(a)\n", ["1 import", "2 call"]),
    "default and decorator": (
        "from pkg.target import goal\n@goal\ndef f(a=goal): ...\n",
        ["1 import", "2 decorator", "3 read"],
    ),
    "annotation": (
        "from pkg.target import goal\ndef f(a: 'goal') -> goal: ...\n",
        ["1 import", "2 annotation", "2 annotation"],
    ),
    "export": ("from pkg.target import goal\n__all__ = ['goal']\n", ["1 import", "2 export"]),
    "global": ("from pkg.target import goal\ndef f():\n    global goal\n    goal = 1\n", ["1 import", "4 write"]),
    "imported for all": (
        "goal = None\ndef f():\n    global goal\n    from pkg.target import goal\ndef g(): return goal()\n",
        ["4 import", "5 call"],
    ),
    "class body": (
        "from pkg.target import goal\nclass A:\n    goal = goal\n    def f(self): goal()\n",
        ["1 import", "4 call"],
    ),
    "try": ("try:\n    from pkg.target import goal\nexcept ImportError:\n    goal = None\n", ["2 import", "4 write"]),
    "match": ("from pkg.target import goal\nmatch x:\n    case goal.y: ...\n", ["1 import", "3 read"]),
    "walrus": ("from pkg.target import goal\nif (y := goal()): ...\n", ["1 import", "2 call"]),
    "other module": ("from elsewhere import goal\ngoal()\n", []),
    "non-ASCII line": ("from pkg.target import goal\nx = 'ä', goal()\n", ["1 import", "2 call"]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_function_is_found_wherever_it_is_named(project, name):
    source, expected = CASES[name]
    codebase = project({**TARGET, "pkg/user.py": source})
    found = codebase.references(codebase.symbols("pkg.target.goal")[0])
    assert [f"{each.line} {each.kind}" for each in found] == expected
    for each in found:
        line = codebase.source(each.path, each.line)
        assert line[each.column :].startswith(("goal", "g()")), each


METHOD_CASES = {
    "instance": "from pkg.target import Base\nBase().run()\n",
    "variable": "from pkg.target import Base\nx = Base()\nx.run()\n",
    "local variable": "from pkg.target import Base\ndef f():\n    x = Base()\n    x.run()\n",
    "parameter": "from pkg.target import Base\ndef f(x: Base): x.run()\n",
    "optional parameter": "from pkg.target import Base\ndef f(x: 'Base | None' = None): x.run()\n",
    "class": "from pkg.target import Base\nBase.run(1)\n",
    "self": "from pkg.target import Base\nclass A(Base):\n    def f(self): self.run()\n",
    "super": "from pkg.target import Base\nclass A(Base):\n    def run(self): super().run()\n",
    "subclass": "from pkg.target import Base\nclass A(Base): ...\nA().run()\n",
    "attribute": "from pkg.target import Base\nclass A:\n    def __init__(self): self.b = Base()\n    def f(self): self.b.run()\n",
    "injected": "from pkg.target import Base\nclass A:\n    def __init__(self, b: Base): self.b = b\n    def f(self): self.b.run()\n",
    "returned": "from pkg.target import Base\ndef make() -> Base: ...\nmake().run()\n",
    "returned without annotation": "from pkg.target import Base\ndef make(): return Base()\nmake().run()\n",
    "property": "from pkg.target import Base\nclass A:\n    @property\n    def b(self) -> Base: ...\nA().b.run()\n",
    "with": "from pkg.target import Base\nwith Base() as b: b.run()\n",
    "awaited": "from pkg.target import Base\nasync def make() -> Base: ...\nasync def f(): (await make()).run()\n",
}


@pytest.mark.parametrize("name", METHOD_CASES)
def test_a_method_is_found_where_the_type_is_known(project, name):
    codebase = project({**TARGET, "user.py": METHOD_CASES[name]})
    found = codebase.references(codebase.symbols("Base.run")[0])
    assert [each.path for each in found] == ["user.py"], found


def test_an_overridden_method_is_another_method(project):
    codebase = project(
        {**TARGET, "user.py": "from pkg.target import Base\nclass A(Base):\n    def run(self): ...\nA().run()\n"}
    )
    assert codebase.references(codebase.symbols("Base.run")[0]) == []
    assert [each.line for each in codebase.references(codebase.symbols("A.run")[0])] == [4]


def test_a_kind_that_does_not_exist_is_refused(project):
    codebase = project(TARGET)
    with pytest.raises(UsageError, match="no kind of reference 'calls'"):
        codebase.references(codebase.symbols("goal")[0], ["calls"])


def test_a_use_on_an_unknown_object_is_only_possible(project):
    codebase = project({**TARGET, "user.py": "def f(x): x.run()\n"})
    run = codebase.symbols("Base.run")[0]
    assert codebase.references(run) == []
    (found,) = codebase.references(run, possible=True)
    assert (found.location, found.certain) == ("user.py:1", False)


def test_a_name_is_followed_through_re_exports_and_other_names(project):
    codebase = project(
        {
            **TARGET,
            "api.py": "from pkg.target import goal as aim\n",
            "star.py": "from api import *\n",
            "user.py": "import star\nfrom api import aim as a\nstar.aim()\na()\n",
        }
    )
    found = codebase.references(codebase.symbols("goal")[0])
    assert [each.location for each in found] == ["api.py:1", "user.py:2", "user.py:3", "user.py:4"]


def test_star_imports_respect_all_and_underscores(project):
    codebase = project(
        {
            "a.py": "__all__ = ['x']\ndef x(): ...\ndef y(): ...\n",
            "b.py": "def _z(): ...\n",
            "user.py": "from a import *\nfrom b import *\nx(); y(); _z()\n",
        }
    )
    count = {name: len(codebase.references(codebase.symbols(name)[0], ["call"])) for name in ("x", "y", "_z")}
    assert count == {"x": 1, "y": 0, "_z": 0}


def test_circles_of_imports_end(project):
    codebase = project(
        {
            "a.py": "from b import x\nfrom b import *\nclass A(B): ...\nA().go()\n",
            "b.py": "from a import x\nfrom a import *\nfrom a import A\nclass B(A): ...\n",
        }
    )
    assert codebase.references(codebase.symbols("B")[0])[0].location == "a.py:3"
    assert codebase.cycles() == [["a.py", "b.py"]]


def test_source_folders_and_scripts_are_import_roots(project):
    codebase = project(
        {
            "src/app/__init__.py": "",
            "src/app/core.py": "def start(): ...\n",
            "tests/helper.py": "def prepare(): ...\n",
            "tests/test_app.py": "from app.core import start\nfrom helper import prepare\nimport queue\nstart(prepare())\n",
            "tests/sub/queue.py": "",
        }
    )
    assert [each.location for each in codebase.callers(codebase.symbols("app.core.start")[0])] == [
        "tests/test_app.py:4"
    ]
    targets = {each.module: each.target for each in codebase.imports("tests/test_app.py")}
    assert targets == {"app.core": "src/app/core.py", "helper": "tests/helper.py", "queue": None}


def test_callers_and_callees_go_as_deep_as_asked(project):
    codebase = project({"a.py": "def one(): two()\ndef two(): three()\ndef three(): ...\none()\n"})
    one, two, three = (codebase.symbols(name)[0] for name in ("one", "two", "three"))
    assert [each.symbol for each in codebase.callers(three)] == [two]
    assert [each.line for each in codebase.callers(three, depth=3)] == [2, 1, 4]
    assert [each.target for each in codebase.callees(one)] == [two]
    assert [each.target for each in codebase.callees(one, depth=2)] == [two, three]


def test_the_hierarchy_of_classes(project):
    codebase = project({"a.py": "class A: ...\nclass B(A): ...\nclass C(B): ...\nclass D(B, A): ...\n"})
    a = codebase.symbols("A")[0]
    assert [each.name for each in codebase.subclasses(a)] == ["B", "C", "D"]
    assert [each.name for each in codebase.subclasses(a, direct=True)] == ["B", "D"]
    assert [each.name for each in codebase.bases(codebase.symbols("D")[0])] == ["B", "A"]


def test_importers_and_ranking(project):
    codebase = project({"core.py": "x = 1\n", "a.py": "import core\n", "b.py": "from core import x\nimport a\n"})
    assert [(each.path, each.line) for each in codebase.importers("core.py")] == [("a.py", 1), ("b.py", 1)]
    ranking = codebase.rank()
    assert [path for path, _score in ranking] == ["core.py", "a.py", "b.py"]
    assert sum(score for _path, score in ranking) == pytest.approx(1.0, abs=1e-6)
    module = codebase.module("core.py")
    assert module is not None
    assert [each.location for each in codebase.references(module)] == ["a.py:1", "b.py:1"]
