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


USES = {
    "js": ("class Base {}\nfunction step(x) {}\n", "class Sub extends Base {}\nfunction f() { step(1); new Base() }\n"),
    "ts": (
        "export class Base {}\nexport function step(x: number) {}\n",
        "class Sub extends Base {}\nfunction f(b: Base) { step(1) }\n",
    ),
    "tsx": (
        "export class Base {}\nexport function step(x: number) {}\n",
        "class Sub extends Base {}\nfunction f() { return <b>{step(1)}</b> }\n",
    ),
    "java": (
        "class Base { static void step(int x) {} }\n",
        "class Sub extends Base { void f() { Base.step(1); new Base(); } }\n",
    ),
    "go": (
        "package x\ntype Base struct{}\nfunc (b Base) step(x int) {}\n",
        "package x\nfunc f(b Base) { b.step(1) }\n",
    ),
    "rs": ("struct Base;\nfn step(x: i32) {}\n", "fn f() { step(1) }\nimpl Base { fn g() { step(2) } }\n"),
    "c": ("struct Base { int a; };\nvoid step(int x) {}\n", "int f(struct Base *b) { step(1); return 0; }\n"),
    "cpp": (
        "class Base {};\nvoid step(int x) {}\n",
        "class Sub : Base {};\nint f() { step(1); new Base(); return 0; }\n",
    ),
}


@pytest.mark.parametrize("suffix", USES)
def test_uses_in_another_file_are_found(project, suffix):
    definitions, uses = USES[suffix]
    codebase = project({f"lib.{suffix}": definitions, f"app.{suffix}": uses})
    (step,) = codebase.symbols("step")
    called = codebase.callers(step)
    assert {each.path for each in called} == {f"app.{suffix}"}
    assert not any(each.certain for each in called)
    assert called[0].symbol is not None
    assert called[0].symbol.name == "f"
    assert "step(1)" in called[0].text
    assert [each.target.name for each in codebase.callees(called[0].symbol) if each.target][:1] == ["step"]
    (base,) = codebase.symbols("Base")
    assert f"app.{suffix}" in {each.path for each in codebase.references(base)}


def test_a_piece_without_a_name_is_left_out(project):
    codebase = project({"p.h": "V8_INLINE T* operator*() const { return this->operator->(); }\n", "a.py": "x = 1\n"})
    assert codebase.problems == []
    assert codebase.symbols("x")
    assert all(each.name for each in codebase.symbols_in("p.h"))


HOSTILE = {
    "brackets": b"(" * 100_000,
    "blocks": b"{" * 100_000,
    "calls": b"a" + b"()" * 50_000,
    "functions in functions": b"function f() {" * 3000 + b"}" * 3000,
    "one long line": b"f(1); " * 20_000,
    "bytes": bytes(range(256)) * 4000,
    "null bytes": b"\0" * 100_000,
    "empty": b"",
}


@pytest.mark.parametrize("suffix", ["js", "tsx", "java", "go", "rs", "c", "cpp"])
@pytest.mark.parametrize("name", HOSTILE)
def test_no_file_is_too_odd(root, name, suffix):
    (root / f"odd.{suffix}").write_bytes(HOSTILE[name])
    (root / f"fine.{suffix}").write_bytes(USES[suffix][0].encode())
    codebase = Codebase.from_path(root, cache=None)
    assert [each.path for each in codebase.files] == [f"fine.{suffix}", f"odd.{suffix}"]
    assert codebase.symbols("Base")
    codebase.relevant_context("go to the base", f"odd.{suffix}")


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
