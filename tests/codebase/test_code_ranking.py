"""What speaks for a definition: its name, its words, what it uses and who uses it, how lately its file was changed."""

import os

import pytest

from contexten.codebase import Codebase

DAY = 24 * 3600
NEWEST = 1_700_000_000


def scores(codebase, prompt, caller=None):
    items = codebase.relevant_context(prompt, caller, 4000).items
    return {each.symbol.name: (each.score, each.reason) for each in items}


def age(root, days):
    for path, number in days.items():
        os.utime(root / path, (NEWEST - number * DAY,) * 2)


TWINS = {"a.py": "def parse_order(text): ...\n", "b.py": "def parse_order(text): ...\n"}


def test_of_two_alike_the_one_changed_lately_comes_first(project, root):
    project(TWINS)
    for newer, older in (("a.py", "b.py"), ("b.py", "a.py")):
        age(root, {newer: 0, older: 30})
        items = Codebase.from_path(root, cache=None).relevant_context("parse the order").items
        assert [each.symbol.path for each in items] == [newer, older]
        assert items[0].score > items[1].score
        assert "changed lately" in items[0].reason or items[0].reason.count(";") == 1


def test_files_of_one_checkout_are_of_one_age(project, root):
    project(TWINS)
    age(root, {"a.py": 0, "b.py": 0})
    same = str(Codebase.from_path(root, cache=None).relevant_context("parse the order"))
    os.utime(root / "a.py", (NEWEST - 3,) * 2)
    assert str(Codebase.from_path(root, cache=None).relevant_context("parse the order")) == same


def test_a_file_that_was_only_touched_is_as_new_as_in_a_fresh_index(project, root):
    project(TWINS)
    age(root, {"a.py": 30, "b.py": 0})
    codebase = Codebase.from_path(root, cache=None)
    age(root, {"a.py": 0, "b.py": 30})
    assert not codebase.refresh()
    fresh = Codebase.from_path(root, cache=None)
    assert [each.modified for each in codebase.files] == [each.modified for each in fresh.files]
    assert str(codebase.relevant_context("parse the order")) == str(fresh.relevant_context("parse the order"))


@pytest.mark.parametrize(
    "prompt",
    ["Change UploadClient", "the upload client is slow", "upload clients must wait", "rename upload_client everywhere"],
)
def test_a_name_is_recognized_in_code_and_in_words(project, prompt):
    codebase = project(
        {
            "a.py": "class UploadClient: ...\ndef upload_client(): ...\n",
            "b.py": "class Upload:\n    '''The upload of a client to the upload client.'''\nclass Client: ...\n",
        }
    )
    found = scores(codebase, prompt)
    best = max(found, key=found.__getitem__)
    assert best in ("UploadClient", "upload_client")
    assert "named in the prompt" in found[best][1]


def test_other_words_for_the_same_are_found(project):
    codebase = project({"a.py": "def with_backoff(call): ...\ndef draw(canvas): ...\n"})
    found = scores(codebase, "add retry")
    assert found.keys() == {"with_backoff"}
    assert found["with_backoff"][1].startswith("about the words of the prompt")


CHAIN = {
    "a.py": "from b import step\n\ndef checkout(cart):\n    return step(cart)\n",
    "b.py": "from c import last\n\ndef step(x):\n    return last(x)\n",
    "c.py": "def last(x): return x\n",
    "d.py": "from a import checkout\n\ndef page():\n    checkout(1)\n\ndef unrelated(): ...\n",
}


def test_what_the_best_uses_and_who_uses_it_are_near(project):
    found = scores(project(CHAIN), "the checkout is wrong")
    assert found["checkout"][0] > found["step"][0] > 0
    assert "used by checkout" in found["step"][1]
    assert "uses checkout" in found["page"][1]
    assert "unrelated" not in found


def test_near_the_caller_counts_less_with_every_step(project):
    found = scores(project(CHAIN), "write it", "d.py")
    assert found["checkout"][0] > found.get("step", (0, ""))[0] > found.get("last", (0, ""))[0]


def test_likeness_is_by_words_of_name_signature_docstring_and_body(project):
    codebase = project(
        {
            "a.py": "def one(invoice): ...\n",
            "b.py": "def two():\n    '''Send the invoice.'''\n",
            "c.py": "def three(x):\n    return x.invoice.total\n",
            "d.py": "def invoice_four(): ...\n",
            "e.py": "def five(): ...\n",
        }
    )
    found = scores(codebase, "print each invoice")
    assert found.keys() == {"one", "two", "three", "invoice_four"}
    assert max(found, key=found.__getitem__) == "invoice_four"


def test_tests_step_back_unless_the_task_is_about_them(project):
    files = {"shop.py": "def pay(order): ...\n", "tests/test_shop.py": "def test_pay(order): ...\n"}
    codebase = project(files)
    plain, about_tests = scores(codebase, "pay an order"), scores(codebase, "fix the test that pays an order")
    assert plain["pay"][0] > plain["test_pay"][0]
    assert about_tests["test_pay"][0] > plain["test_pay"][0]
    assert next(iter(about_tests)) == "test_pay"


def test_every_score_lies_between_0_and_1_and_has_a_reason(project):
    for prompt, caller in (("checkout step last page", None), ("checkout", "d.py")):
        for score, reason in scores(project(CHAIN), prompt, caller).values():
            assert 0 < score <= 1
            assert reason
