"""What the analyst says: facts of a small shop, asked in many words."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contexten.engines import Exchange
from contexten.engines.analyst.plan import MAX_STEPS, make_plan
from contexten.engines.analyst.understanding.prompt import MAX_QUESTIONS, understand
from contexten.protocol import RunStatus
from shop_project import commit_all, make_project

pytestmark = pytest.mark.anyio

ASKED = [
    ("Where is refund_order defined?", ["shop/payments/refunds.py:12"]),
    ("Where is refund_order? find zebra", ["shop/payments/refunds.py:12", "for `zebra` and found nothing"]),
    ("Where is frobnicate? find zebra", ["`frobnicate` and found nothing", "`zebra` and found nothing"]),
    ("Where is frobnicate? find refund_order", ["`frobnicate` and found nothing", "shop/payments/refunds.py:12"]),
    ("Where is X? find Y", ["*Where is X* · *find Y*", "It is not clear"]),
    ("where's the Basket", ["shop/orders.py:8", "class"]),
    (
        "Who calls refund_order?",
        ["shop/cli.py:17", "shop/orders.py:32", "shop/payments/refunds.py:25", "4 places in 4 files"],
    ),
    ("Who calls `refund_order` in shop/orders.py?", ["shop/orders.py:32", "1 place in 1 file"]),
    ("who uses GatewayTimeoutError", ["shop/payments/gateway.py:3", "shop/payments/gateway.py:18"]),
    ("Is refund_order retried?", ["not retried", "shop/payments/refunds.py:12-20", "shop/payments/refunds.py:18"]),
    ("is charge retried?", ["@retry(times=3)", "shop/payments/charges.py:27"]),
    ("What can refund_order raise?", ["PaymentError", "shop/payments/refunds.py:18", "GatewayTimeoutError"]),
    ("which exceptions does cancel_order catch", ["except PaymentError", "shop/orders.py:33"]),
    ("What does refund_order return?", ["`str`", "shop/payments/refunds.py:20"]),
    ("what parameters does refund_order take", ["order_id: int", "amount: int = 0"]),
    ("does refund_order log anything?", ["shop/payments/refunds.py:19"]),
    ("is refund_order async?", ["No", "plain `def`"]),
    ("what is the value of MAX_AMOUNT", ["MAX_AMOUNT = 5_000", "shop/payments/refunds.py:9"]),
    (
        "What does refund_order do?",
        ["Give the money for an order back", "PaymentError", "shop/payments/refunds.py:12-20"],
    ),
    ("explain the Gateway class", ["A connection to the card gateway", "send(", "`timeout`"]),
    ("what does shop/payments/refunds.py do?", ["Gives money back", "refund_order", "refund_all", "shop/orders.py"]),
    ("what's in shop/payments", ["gateway.py", "refunds.py", "charges.py"]),
    ("shop/orders.py:17", ["add", "OutOfStockError"]),
    ("what methods does Basket have", ["add(item)", "total()"]),
    ("subclasses of ShopError", ["PaymentError", "GatewayTimeoutError", "OutOfStockError", "3 classes"]),
    ("which classes inherit from PaymentError?", ["GatewayTimeoutError", "1 class"]),
    ("what are the base classes of GatewayTimeoutError", ["PaymentError", "ShopError"]),
    ("who derives from Exception", ["shop/errors.py:4", "4 classes"]),
    ("what does the function charge in shop/payments/charges.py return", ["shop/payments/charges.py:29"]),
    ("who uses refund_all?", ["No code in this repository refers to"]),
    ("where is requests imported", ["shop/cli.py:5"]),
    ("where do we use charge?", ["shop/orders.py:26"]),
    ("where does charge get called?", ["shop/orders.py:26"]),
    ("what would break if I rename charge?", ["shop/orders.py:26"]),
    ("I am new here. Where should I start?", ["takes orders, charges cards", "shop.cli:main"]),
    ("who calls `charge` in shop/cli.py", ["No code in `shop/cli.py` calls"]),
    ("who uses `charge` in shop/cli.py", ["No code in `shop/cli.py` refers to"]),
    ("what does send return in Gateway?", ["shop/payments/gateway.py:19"]),
    ("what does the add method of Basket raise", ["shop/orders.py:17"]),
    ("what does `charge` in shop/payments/charges.py call", ["shop/payments/gateway.py:15"]),
    ("what does `total` of `Basket` return", ["shop/orders.py:21"]),
    ("where are exceptions defined?", ["ShopError", "4 classes"]),
    ("what calls charge and refund_order", ["shop/orders.py:26", "shop/orders.py:32"]),
    ("who calls charge and place order?", ["shop/orders.py:26", "No code in this repository calls `place_order`"]),
    ("does GatewayTimeoutError inherit from ShopError?", ["Yes", "through other classes"]),
    ("does PaymentError inherit from ShopError?", ["Yes: `PaymentError` derives from `ShopError`"]),
    ("what should I read first?", ["takes orders, charges cards"]),
    ("what is deprecated?", ["speak of a deprecation: 0"]),
    ("does Basket inherit from ShopError?", ["No"]),
    ("is charge used in tests?", ["No test"]),
    ("list all exceptions", ["ShopError", "OutOfStockError", "4 classes"]),
    ("where is PaymentError raised?", ["shop/payments/refunds.py:18", "raised in 1 place", "shop/orders.py:33"]),
    (
        "who raises GatewayTimeoutError",
        ["shop/payments/gateway.py:18", "where a class that it derives from", "shop/orders.py:33"],
    ),
    ("where is OSError raised", ["No `raise` in this repository names"]),
    ("which environment variables does it read?", ["No reading of environment variables"]),
    ("does anything use OutOfStockError?", ["shop/orders.py:17"]),
    ("what imports shop.payments.gateway?", ["4 files", "shop/cli.py", "shop/payments/charges.py"]),
    ("who imports requests", ["shop/cli.py:5"]),
    ("what does shop/cli.py import", ["shop/orders.py", "requests"]),
    ("What does cancel_order call?", ["refund_order", "shop/payments/refunds.py:12"]),
    ("does cancel_order call refund_order?", ["Yes", "shop/orders.py:32"]),
    ("does cancel_order call charge?", ["No"]),
    ("does main call Gateway.send?", ["through others", "send"]),
    ("which tests cover refund_order", ["test_refund_gives_a_receipt", "tests/test_refunds.py:5"]),
    ("is Basket tested?", ["No test"]),
    ('find "sold out"', ["shop/orders.py:17", "settings.yml:2"]),
    ("grep for warehouse", ["shop/orders.py:17"]),
    ("are there any TODOs?", ["shop/orders.py:17"]),
    ("How many callers does refund_order have?", ["4 places"]),
    ("how many tests are there?", ["2 test functions in 1 file"]),
    ("How many classes are there in shop/errors.py", ["4 classes"]),
    ("how many lines of code", ["source files"]),
    ("what are the dependencies?", ["requests>=2", "attrs"]),
    ("entry points", ["shop.cli:main", "python -m shop"]),
    ("How do I run the tests?", ["pytest", "make test"]),
    ("overview", ["takes orders, charges cards", "shop/payments/", "shop.cli:main", "refund_order", "2 tests"]),
    ("What does this project do?", ["takes orders, charges cards"]),
    ("largest files", ["shop/orders.py"]),
    ("most used classes", ["Gateway"]),
    ("show me the source of cancel_order", ["def cancel_order", "except PaymentError:"]),
    ("refund order", ["shop/payments/refunds.py:12"]),
    ("REFUND_ORDER", ["shop/payments/refunds.py:12"]),
    ("wo is refnd_order defined", ["refund_order", "shop/payments/refunds.py:12"]),
    ("how is stock checked?", ["search", "OutOfStockError", "shop/"]),
    ("hi", ["Where is"]),
]


@pytest.mark.parametrize(("prompt", "facts"), ASKED, ids=[prompt for prompt, _ in ASKED])
async def test_an_answer_holds_the_facts(ask, prompt, facts):
    outcome = await ask(prompt)
    assert outcome.status is RunStatus.COMPLETE
    assert [fact for fact in facts if fact not in outcome.result] == [], outcome.result
    assert outcome.summary
    assert "\n" not in outcome.summary


async def test_every_place_in_an_answer_is_there(ask, shop):
    outcome = await ask("Who uses refund_order, what can it raise, which tests cover it, and what does it call?")
    places = re.findall(r"`([\w/.]+\.py):(\d+)", outcome.result)
    assert len(places) > 8
    for path, line in places:
        assert int(line) <= len((shop / path).read_text().splitlines())


async def test_several_questions_about_one_thing(ask):
    outcome = await ask("Who calls refund_order, and is it retried?")
    assert "shop/orders.py:32" in outcome.result
    assert "not retried" in outcome.result


async def test_the_name_may_come_last(ask):
    outcome = await ask("List the definition, callers and tests of refund_order")
    assert {"shop/payments/refunds.py:12", "shop/cli.py:17"} <= set(re.findall(r"[\w/.]+:\d+", outcome.result))
    assert "test_refund_gives_a_receipt" in outcome.result


@pytest.mark.parametrize(
    ("earlier", "prompt", "facts"),
    [
        (["Who calls refund_order?"], "is it retried?", ["not retried"]),
        (["Where is refund_order defined?"], "and who calls it?", ["shop/orders.py:32"]),
        (["Where is refund_order defined?"], "what can that function raise?", ["PaymentError"]),
        (["Who calls refund_order?"], "what about charge?", ["shop/orders.py:26"]),
        (["Where is Basket?", "hi"], "what methods does it have?", ["total()"]),
        (["Who calls refund_order?"], "is there any caching?", ["search"]),
        (["Where is Basket?"], "Where is refund_order, and who calls it?", ["shop/orders.py:32"]),
    ],
)
async def test_a_follow_up_means_what_was_named_last(ask, earlier, prompt, facts):
    outcome = await ask(prompt, *earlier)
    assert [fact for fact in facts if fact not in outcome.result] == [], outcome.result


async def test_it_without_anything_before_is_not_guessed(ask):
    outcome = await ask("who calls it?")
    assert outcome.status is RunStatus.COMPLETE
    assert "not clear" in outcome.result


async def test_several_things_of_one_name_are_all_listed(engine, tmp_path, ask):
    project = make_project(
        tmp_path / "twice", {"a.py": "def run():\n    pass\n", "b.py": "def run():\n    raise OSError\n"}
    )
    outcome = await ask("where is run defined and what does it raise", workspace=project)
    assert {"a.py:1", "b.py:1"} <= set(re.findall(r"\w\.py:\d", outcome.result))
    assert "OSError" in outcome.result


async def test_what_is_not_there_is_said_so_and_completes(ask):
    outcome = await ask("who calls frobnicate_widget?")
    assert outcome.status is RunStatus.COMPLETE
    assert "Nothing named `frobnicate_widget`" in outcome.result


@pytest.mark.parametrize(
    "prompt",
    [
        "Add retry to refund_order",
        "please fix refund_order",
        "Can you refactor refund_order to be async?",
        "write tests for refund_order",
        "Implement a cache for refund_order. It must expire after a minute.",
        "Review refund_order",
        "Explain refund_order and then rename it",
    ],
)
async def test_asked_for_work_it_says_what_that_needs_and_what_it_found(ask, prompt):
    outcome = await ask(prompt)
    assert outcome.status is RunStatus.FAILED
    for fact in (
        "needs a model",
        "nothing was changed",
        "shop/payments/refunds.py:12",
        "shop/orders.py:32",
    ):
        assert fact in outcome.result


async def test_work_that_names_nothing_gets_places_by_its_words(ask):
    outcome = await ask("Add a limit on the number of items in a basket")
    assert outcome.status is RunStatus.FAILED
    assert "shop/orders.py:8" in outcome.result


async def test_questions_beside_the_work_are_answered(ask):
    outcome = await ask("Which tests cover Gateway? Then add a close method to it.")
    assert outcome.status is RunStatus.FAILED
    assert "tests/test_refunds.py" in outcome.result


@pytest.mark.parametrize(
    "prompt",
    ["write a summary of refund_order", "create an overview of this project", "make a list of callers of charge"],
)
async def test_writing_about_code_is_not_writing_code(ask, prompt):
    assert (await ask(prompt)).status is RunStatus.COMPLETE


async def test_changes_come_from_git_and_leave_no_trace(ask, shop):
    commit_all(shop, "Open the shop")
    (shop / "shop/cli.py").write_text("def main():\n    pass\n")
    commit_all(shop, "Close the till")
    before = sorted((path, path.stat().st_mtime_ns) for path in shop.rglob("*"))
    outcome = await ask("what changed recently?")
    assert outcome.result.index("Close the till") < outcome.result.index("Open the shop")
    assert "shop/cli.py" in outcome.result
    of_one = await ask("who wrote refund_order?")
    assert "Open the shop" in of_one.result
    assert "Close the till" not in of_one.result
    assert sorted((path, path.stat().st_mtime_ns) for path in shop.rglob("*")) == before


async def test_without_git_the_history_is_said_to_be_missing(ask):
    assert "not a git repository" in (await ask("what changed recently?")).result


async def test_long_lists_say_what_they_leave_out(tmp_path, ask):
    calls = "from a import f\n" + "f()\n" * 500
    project = make_project(tmp_path / "long", {"a.py": "def f():\n    pass\n", "b.py": calls})
    outcome = await ask("who calls `f`?", workspace=project)
    assert "500 places" in outcome.result
    assert "500 calls, lines 2, 3" in outcome.result
    assert "and 490 more" in outcome.result
    assert len(outcome.result) < 5000


async def test_a_project_that_is_empty_broken_or_not_python(tmp_path, ask):
    empty = make_project(tmp_path / "empty", {"notes.txt": "buy milk\n"})
    assert (await ask("overview", workspace=empty)).status is RunStatus.COMPLETE
    assert "notes.txt:1" in (await ask('find "milk"', workspace=empty)).result
    broken = make_project(tmp_path / "broken", {"bad.py": "def f(:\n", "good.py": "def g():\n    return 1\n"})
    assert "bad.py" in (await ask("overview", workspace=broken)).result
    assert "good.py:1" in (await ask("where is g?", workspace=broken)).result


async def test_nothing_outside_the_repository_is_read(tmp_path, ask):
    (tmp_path / "secret.md").write_text("the password is swordfish\n")
    project = make_project(tmp_path / "linked", {"a.py": "x = 1\n"})
    (project / "README.md").symlink_to(tmp_path / "secret.md")
    (project / "link.py").symlink_to(tmp_path / "secret.md")
    for prompt in (
        "overview",
        'find "swordfish"',
        "what does ../secret.md do",
        "show me README.md",
        "what does link.py do",
    ):
        assert "the password" not in (await ask(prompt, workspace=project)).result


@pytest.mark.parametrize(
    "prompt",
    [
        "?",
        "....",
        "`",
        "```",
        "a" * 500_000,
        "why " * 50_000,
        "(" * 10_000,
        "'" * 9_999,
        "\x00\x01",
        "⟦0⟧ who calls ⟦7⟧",
        "🙂",
        "who calls `" + "x" * 5000 + "`",
    ],
)
async def test_any_prompt_ends_well(ask, prompt):
    outcome = await ask(prompt)
    assert outcome.status in {RunStatus.COMPLETE, RunStatus.FAILED}
    assert outcome.result


class NoNames:
    def resolve(self, phrase):
        return phrase if phrase.startswith("x") else None


_WORDS = [
    "who",
    "what",
    "where",
    "calls",
    "find",
    "of",
    "the",
    "and",
    "is",
    "it",
    "⟦0⟧",
    "`x`",
    "'x",
    "y'",
    "a/b.py:3",
    "Foo",
    "x.y()",
    "?",
    ".",
    ",",
    ";",
    "\n",
    "how",
    "many",
    "tests",
    "add",
    "retry",
    "list",
]


@given(st.text(max_size=300) | st.lists(st.sampled_from(_WORDS), max_size=60).map(" ".join))
@settings(deadline=None)
def test_any_text_is_understood_as_a_few_questions(prompt):
    questions = understand(prompt, NoNames(), (Exchange(prompt, None, "FAILED"),))
    assert 1 <= len(questions) <= MAX_QUESTIONS
    assert len(make_plan(questions)) <= MAX_STEPS
