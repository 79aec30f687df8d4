"""Languages other than Python: definitions and uses by name."""

import sys

import pytest

from contexten.codebase import Codebase

SOURCES = {
    "a.js": (
        "/** Says hi. */\nclass A extends B { go(x) { return hop(x) } }\nconst f = (a) => new A()\n",
        ["A class 2-2", "A.go method 2-2", "f function 3-3"],
        "hop",
    ),
    "a.ts": (
        "interface I { a(): string }\nclass C implements I { a() { return step(1) } }\nexport function f(x: I) { return new C() }\n",
        ["I class 1-1", "I.a method 1-1", "C class 2-2", "C.a method 2-2", "f function 3-3"],
        "step",
    ),
    "a.tsx": ("export function App(p: P) { return <b>{f(p)}</b> }\n", ["App function 1-1"], "f"),
    "A.java": ("class A extends B {\n  int f(int x) { return g(x); }\n}\n", ["A class 1-3", "A.f method 2-2"], "g"),
    "a.go": (
        "package x\n// F does it.\nfunc F(a int) T { return g(a) }\ntype T struct{}\n",
        ["F function 3-3", "T class 4-4"],
        "g",
    ),
    "a.rs": (
        "struct S;\nimpl S { fn new() { helper() } }\nfn top() {}\n",
        ["S class 1-1", "new method 2-2", "top function 3-3"],
        "helper",
    ),
    "a.c": (
        "static int add(int a) {\n  return mul(a);\n}\nstruct s { int a; };\n",
        ["add function 1-3", "s class 4-4"],
        "mul",
    ),
    "a.cpp": (
        "class A { int f(int x) { return g(x); } };\nint A::h() { return k(); }\n",
        ["A class 1-1", "A.f function 1-1", "h method 2-2"],
        "g",
    ),
}


@pytest.mark.parametrize("path", SOURCES)
def test_definitions_and_calls_are_read(root, path):
    source, expected, called = SOURCES[path]
    (root / path).write_text(source)
    codebase = Codebase.from_path(root, cache=None)
    assert codebase.problems == []
    found = [
        f"{each.qualified_name.removeprefix(f'{path}:')} {each.kind} {each.line}-{each.end_line}"
        for each in codebase.symbols_in(path)
    ]
    assert found == expected
    snapshot = codebase.questions.snapshot
    assert path in snapshot.used[called]


def test_uses_are_followed_by_name_from_near_to_far(project):
    codebase = project(
        {
            "lib/upload.js": "// Sends it.\nfunction send(x) { return x }\n",
            "app/main.ts": "function start() { send(1); local(); }\nfunction local() {}\n",
            "other/main.js": "function local() {}\n",
            "unrelated.py": "send(1)\n",
        }
    )
    (send,) = codebase.symbols("send")
    assert (send.docstring, send.signature) == ("Sends it.", "function send(x)")
    (reference,) = codebase.references(send)
    assert (reference.location, reference.certain) == ("app/main.ts:1", False)
    assert reference.symbol is not None
    assert reference.symbol.name == "start"
    local = {each.path: each for each in codebase.symbols("local")}
    assert [each.location for each in codebase.callers(local["app/main.ts"])] == ["app/main.ts:1"]
    assert codebase.callers(local["other/main.js"]) == []


def test_an_ambiguous_name_is_only_possible(project):
    codebase = project({"a/x.js": "function go() {}\n", "b/x.js": "function go() {}\n", "c/y.js": "go()\n"})
    go = codebase.symbols("go")[0]
    assert codebase.references(go) == []
    assert [each.location for each in codebase.references(go, possible=True)] == ["c/y.js:1"]


def test_without_grammars_the_files_are_listed_and_the_reason_is_given(project, root, tmp_path, monkeypatch):
    from contexten.codebase import tags

    monkeypatch.setitem(sys.modules, "tree_sitter", None)
    tags._grammar.cache_clear()
    try:
        project({"a.js": "function f() {}\n", "b.py": "def g(): ...\n"})
        codebase = Codebase.from_path(root, cache=tmp_path / "cache")
        assert [(each.path, each.lines) for each in codebase.files] == [("a.js", 1), ("b.py", 1)]
        (problem,) = codebase.problems
        assert "contexten[languages]" in problem.message
        assert codebase.symbols("f") == []
    finally:
        monkeypatch.undo()
        tags._grammar.cache_clear()
    assert Codebase.from_path(root, cache=tmp_path / "cache").symbols("f")
