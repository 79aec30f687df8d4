"""What is picked for a task, and how it is packed."""

from pathlib import Path

import pytest

import contexten.codebase
from contexten.codebase import Codebase
from contexten.errors import CodebaseError, UsageError

SHOP = {
    "shop/__init__.py": "",
    "shop/http.py": '''
        from shop.errors import TransportError

        class HttpClient:
            """Sends requests."""

            def send(self, url: str) -> bytes:
                """Send one request."""
                if not url:
                    raise TransportError(url)
                return b""
    ''',
    "shop/errors.py": '''
        class TransportError(Exception):
            """The network failed."""
    ''',
    "shop/retry.py": '''
        def with_retry(call, attempts: int = 3):
            """Call something again when it fails."""
            return call()
    ''',
    "shop/upload.py": '''
        from shop.http import HttpClient

        CHUNK = 1024

        class UploadClient(HttpClient):
            """Uploads files."""

            def upload(self, path: str) -> None:
                self.send(self.address(path))

            @staticmethod
            def address(path: str) -> str:
                return "/upload/" + path
    ''',
    "shop/billing.py": '''
        class Invoice:
            """What is owed."""

            def total(self) -> int:
                return 0
    ''',
}


def names(context):
    return [each.symbol.qualified_name for each in context.items]


def test_what_the_task_is_about_comes_first_with_its_reason(project):
    context = project(SHOP).relevant_context("add retry to the upload client")
    assert {"shop.upload.UploadClient", "shop.retry.with_retry"} <= set(names(context)[:4])
    assert "shop.billing.Invoice" not in names(context)
    assert all(0 < each.score <= 1 and each.reason for each in context.items)
    assert [each.score for each in context.items] == sorted((each.score for each in context.items), reverse=True)


def test_a_name_in_the_prompt_outweighs_words(project):
    context = project(SHOP).relevant_context("Why does `Invoice.total` ignore retry and upload?")
    assert names(context)[0] == "shop.billing.Invoice.total"
    assert "named in the prompt" in context.items[0].reason


def test_the_caller_brings_its_surroundings(project):
    codebase = project(SHOP)
    context = codebase.relevant_context("say how far it is", caller="UploadClient.upload")
    assert {"shop.upload.UploadClient", "shop.upload.UploadClient.address", "shop.http.HttpClient.send"} <= set(
        names(context)
    )
    assert "shop.upload.UploadClient.upload" not in names(context)
    for caller in ("shop/upload.py:9", codebase.symbols("UploadClient.upload")[0]):
        assert str(codebase.relevant_context("say how far it is", caller)) == str(context)
    assert "shop.upload.CHUNK" in names(codebase.relevant_context("say how far it is", "shop/upload.py"))


def test_the_text_is_grouped_by_file_and_shows_bodies_where_there_is_room(project):
    text = str(project(SHOP).relevant_context("add retry to the upload client", budget_tokens=1000))
    assert "# shop/upload.py\n" in text
    assert 'class UploadClient(HttpClient):\n    """Uploads files."""' in text
    assert '    @staticmethod\n    def address(path: str) -> str:\n        return "/upload/" + path' in text
    assert text.count("class UploadClient") == 1


@pytest.mark.parametrize("budget", [1, 20, 60, 150, 400, 2000])
def test_the_budget_is_kept_and_a_larger_one_shows_no_less(project, budget):
    codebase = project(SHOP)
    context = codebase.relevant_context("add retry to the upload client", "shop/upload.py", budget)
    assert context.tokens <= budget
    assert len(context.items) <= len(
        codebase.relevant_context("add retry to the upload client", "shop/upload.py", 9000).items
    )


def test_the_same_question_gets_the_same_answer(project):
    codebase = project(SHOP)
    first = codebase.relevant_context("upload", "shop/http.py", 500)
    assert project(SHOP).relevant_context("upload", "shop/http.py", 500).as_data() == first.as_data()


def test_what_cannot_be_meant_is_refused(project):
    codebase = project(SHOP)
    with pytest.raises(CodebaseError, match="no file or symbol 'nowhere'"):
        codebase.relevant_context("x", "nowhere")
    with pytest.raises(UsageError, match="budget_tokens must be > 0"):
        codebase.relevant_context("x", budget_tokens=0)


def test_an_empty_folder_or_prompt_gives_an_empty_context(project):
    assert str(project({}).relevant_context("add retry")) == ""
    assert project(SHOP).relevant_context("").items == ()


def test_similar_functions_are_found_by_their_words(project):
    codebase = project(
        {
            "a.py": "def validate_email(address):\n    '''Check an email address.'''\n    return '@' in address\n",
            "b.py": "def check_mail_address(email):\n    '''Validate an address.'''\n    return '@' in email\n",
            "c.py": "def draw_line(canvas): return canvas.line()\nclass EmailAddress: ...\n",
        }
    )
    found = codebase.similar(codebase.symbols("validate_email")[0])
    assert [each.name for each, _score in found] == ["check_mail_address"]
    assert 0.3 < found[0][1] <= 1


def test_examples_come_from_different_files(project):
    calls = "from lib import go\n\ndef first():\n    x = 1\n    return go(x)\n\ndef second():\n    go(2)\n"
    codebase = project({"lib.py": "def go(x): ...\n", "a.py": calls, "b.py": calls})
    found = codebase.usage_examples(codebase.symbols("go")[0], 3)
    assert [each.reference.location for each in found] == ["a.py:5", "b.py:5", "a.py:8"]
    assert found[0].source == "def first():\n    x = 1\n    return go(x)"


@pytest.fixture(scope="module")
def own_code():
    return Codebase.from_path(
        Path(contexten.codebase.__file__).parents[1], include=["codebase/", "errors.py"], cache=None
    )


@pytest.mark.parametrize("caller", [None, "codebase/codebase.py", "_Packer.bodies", "Resolver", "codebase/scan.py:120"])
@pytest.mark.parametrize("budget", [100, 700, 3000, 20_000])
def test_the_budget_is_kept_on_real_code(own_code, budget, caller):
    context = own_code.relevant_context("resolve names of imported symbols and pack their signatures", caller, budget)
    assert 0 < context.tokens <= budget
    for item in context.items:
        assert item.symbol.name in str(context)
