import pytest

from contexten.errors import CodebaseError

SHOP = {
    "shop/__init__.py": "",
    "shop/cart.py": '''
        """Carts."""
        from dataclasses import dataclass

        LIMIT: int = 10

        @dataclass(frozen=True)
        class Cart(dict[str, int], metaclass=type):
            """What is bought.

            A second paragraph.
            """

            currency = "EUR"

            def add(
                self,
                name: str,
                count: int = 1,  # how many
                *,
                gift: bool = False,
            ) -> None:
                """Put it in."""
                self.last = name

            @property
            def size(self) -> int: return len(self)

        async def fetch(url, /): return url
    ''',
}


def test_a_symbol_says_what_it_is(project):
    codebase = project(SHOP)
    (cart,) = codebase.symbols("Cart")
    assert (cart.qualified_name, cart.kind, cart.location, cart.end_line) == (
        "shop.cart.Cart",
        "class",
        "shop/cart.py:7",
        26,
    )
    assert cart.signature == "class Cart(dict[str, int], metaclass=type)"
    assert cart.docstring == "What is bought.\n\nA second paragraph."
    assert cart.decorators == ("dataclass(frozen=True)",)
    (add,) = codebase.symbols("Cart.add")
    assert add.signature == "def add(self, name: str, count: int=1, *, gift: bool=False) -> None"
    assert (add.kind, add.parent) == ("method", "shop.cart.Cart")
    assert codebase.symbols("shop.cart.fetch")[0].signature == "async def fetch(url, /)"
    assert codebase.symbols("size")[0].decorators == ("property",)


def test_members_are_in_source_order(project):
    codebase = project(SHOP)
    names = [(each.name, each.kind) for each in codebase.members(codebase.symbols("Cart")[0])]
    assert names == [("currency", "attribute"), ("add", "method"), ("last", "attribute"), ("size", "method")]


def test_names_are_found_by_their_end_and_without_regard_to_case(project):
    codebase = project(SHOP)
    assert [each.name for each in codebase.symbols("cart.LIMIT")] == ["LIMIT"]
    assert [each.kind for each in codebase.symbols("CART")] == ["class"]
    assert [each.qualified_name for each in codebase.symbols("shop.cart")] == ["shop.cart"]
    assert codebase.symbols("art.LIMIT") == codebase.symbols("nothing") == []


def test_a_module_is_a_symbol_with_its_docstring(project):
    module = project(SHOP).module("shop/cart.py")
    assert module is not None
    assert (module.name, module.docstring, module.kind) == ("cart", "Carts.", "module")


def test_files_are_found_and_read(project):
    codebase = project({"a/upload.py": "x = 1\ny = 2\nz = 3\n", "upload/b.py": "", "README.md": "not code"})
    assert [each.path for each in codebase.find_files("UPLOAD")] == ["a/upload.py", "upload/b.py"]
    assert codebase.source("a/upload.py", 2, 3) == "y = 2\nz = 3"
    file = codebase.file("a/upload.py")
    assert file is not None
    assert (file.language, file.lines, file.size, file.module) == ("python", 3, 18, "upload")
    with pytest.raises(CodebaseError, match=r"no file README\.md"):
        codebase.source("README.md")


def test_text_is_searched_in_order_and_up_to_the_limit(project):
    codebase = project({"a.py": "Timeout = 1\nx = 'timeout'\n", "b.py": "timeout = 2\n"})
    assert [(each.path, each.line) for each in codebase.search_text("timeout")] == [
        ("a.py", 1),
        ("a.py", 2),
        ("b.py", 1),
    ]
    assert [each.text for each in codebase.search_text("timeout", ignore_case=False, limit=1)] == ["x = 'timeout'"]
    assert [each.path for each in codebase.search_text(r"^timeout\s*=", regex=True, ignore_case=False)] == ["b.py"]
    with pytest.raises(CodebaseError, match="malformed"):
        codebase.search_text("(", regex=True)


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    from contexten.codebase import Codebase

    with pytest.raises(CodebaseError, match="no folder"):
        Codebase.from_path(tmp_path / "nowhere", cache=None)
    (tmp_path / "file.py").write_text("")
    with pytest.raises(CodebaseError, match="is a file"):
        Codebase.from_path(tmp_path / "file.py", cache=None)


HANDED_ON = {
    "click/__init__.py": "from .utils import echo as echo\nfrom .core import *\nfrom . import utils\n",
    "click/utils.py": "def echo(x): ...\n",
    "click/core.py": "class Context:\n    def invoke(self): ...\nclass Command: ...\n",
    "app.py": "from click import echo, Context\necho(1)\nContext().invoke()\n",
}


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("click.echo", "click/utils.py:1"),
        ("click.Context", "click/core.py:1"),
        ("click.Context.invoke", "click/core.py:2"),
        ("click.utils.echo", "click/utils.py:1"),
        ("app.echo", "click/utils.py:1"),
    ],
)
def test_a_name_that_a_package_hands_on_is_found(project, name, place):
    codebase = project(HANDED_ON)
    assert [each.location for each in codebase.symbols(name)] == [place]


def test_a_name_that_no_package_hands_on_is_not(project):
    codebase = project(HANDED_ON)
    for name in ("click.invoke", "ick.echo", "click.nothing", "click.", ".echo", "click..echo"):
        assert codebase.symbols(name) == []


OVERLOADS = """
    from typing import overload
    import typing as t

    class Context:
        @overload
        def invoke(self, x: int) -> int: ...
        @t.overload
        def invoke(self, x: str) -> str: ...
        def invoke(self, x):
            return x

    @overload
    def only(x: int) -> int: ...
    @overload
    def only(x: str) -> str: ...

    def like(self, x):
        return x.invoke

    Context().invoke(1)
"""


def test_overloads_are_one_definition(project):
    codebase = project({"a.py": OVERLOADS})
    (invoke,) = codebase.symbols("Context.invoke")
    assert invoke.line == 9
    assert [each.location for each in codebase.callers(invoke)] == ["a.py:20"]
    assert [each.line for each in codebase.symbols("only")] == [13]
    assert [each.name for each in codebase.members(codebase.symbols("Context")[0])] == ["invoke"]
    assert [each.name for each, _score in codebase.similar(codebase.symbols("like")[0])].count("invoke") <= 1
    assert "invoke" not in [each.name for each, _score in codebase.similar(invoke)]
    assert [each.name for each in codebase.symbols_in("a.py")].count("invoke") == 3
