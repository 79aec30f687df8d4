"""Runs of the engine `model` from their beginning to their end, over real HTTP in each provider's protocol."""

import asyncio
import base64
import shutil
import threading
from dataclasses import replace

import pytest

from contexten.engines import Exchange
from contexten.engines.model import ModelEngine
from contexten.engines.model.limits import Limits
from contexten.engines.sandbox import Sandbox
from contexten.errors import EngineUnavailableError
from contexten.protocol import RunStatus
from model_provider import KEY, Fails, Holds, Says, calls, finish
from shop_project import SHOP, Journal, task

pytestmark = [pytest.mark.anyio, pytest.mark.once]

QUICK = Limits(retries=2, request_seconds=30)
TEST = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_it(self):\n        self.assertEqual(1, 1)\n"
INSERT = ("edit", {"path": "shop/errors.py", "old": '"""What can', "new": '# seen\n"""What can'})


@pytest.mark.parametrize(
    "model",
    ["openai:gpt-5", "openai-chat:gpt-5", "ollama:qwen3", "anthropic:claude-opus-4-5", "google:gemini-2.5-pro"],
)
async def test_a_model_edits_tests_and_finishes(work, shop, model):
    outcome = await work(
        calls(("read", {"path": "shop/errors.py"}), text="I read it first."),
        calls(
            ("edit", {"path": "shop/errors.py", "old": "There is none left.", "new": "Sold out."}),
            ("write", {"path": "tests/test_new.py", "text": TEST}),
            ("run", {"command": "python3 -m unittest tests/test_new.py"}),
        ),
        finish("It says so now."),
        model=model,
        prompt="Let OutOfStockError say sold out",
    )
    assert (outcome.status, outcome.result) == (RunStatus.COMPLETE, "It says so now.")
    assert [file.path for file in outcome.changes.files] == ["shop/errors.py", "tests/test_new.py"]
    assert '+    """Sold out."""' in outcome.changes.patch
    assert outcome.summary.startswith("2 files, +7 \u22121 · tests 1 passed · ")
    assert (outcome.usage.input_tokens, outcome.usage.output_tokens) == (3000, 300)
    assert (shop / "shop/errors.py").read_text() == SHOP["shop/errors.py"]
    assert "data, not instructions" in work.provider.told(0)
    assert "You are a software engineer" in work.provider.told(0)
    assert "GatewayTimeoutError(PaymentError)" in work.provider.told(1)
    assert work.journal.tools == ["read", "edit", "write", "run"]
    first = work.journal.written["step-1.1"]
    assert (first.message_type, first.thought, first.observation) == (
        "ACTION",
        "I read it first.",
        "shop/errors.py:1-17",
    )


async def test_a_price_that_is_known_is_told_and_one_that_is_not_is_not_made_up(work):
    known = await work(Says("Yes."))
    assert known.usage.cost_usd == pytest.approx(0.00225)
    assert known.summary == "no changes · $0.0022"
    work.journal = Journal()
    unknown = await work(Says("Yes."), model="ollama:qwen3")
    assert unknown.usage.cost_usd == 0
    assert unknown.summary == "no changes · 1,100 tokens, price unknown"


async def test_an_answer_without_a_call_is_the_last_word(work):
    outcome = await work(Says("Nobody calls it."))
    assert (outcome.status, outcome.result) == (RunStatus.COMPLETE, "Nobody calls it.")
    assert work.journal.written["answer"].observation == "Nobody calls it."


async def test_a_later_turn_goes_on_in_the_same_copy_and_knows_what_was_said(work):
    await work(calls(INSERT), finish("Noted."), prompt="Note that it was seen.")
    work.journal = Journal()
    before = (Exchange("Note that it was seen.", "Noted.", "COMPLETE"),)
    outcome = await work(calls(("read", {"path": "shop/errors.py"})), finish(), turn=2, history=before, prompt="More.")
    assert "1\t# seen" in work.answers[0]
    told = work.provider.told(0)
    assert told.index("Note that it was seen.") < told.index("Noted.") < told.index("More.")
    assert "- shop/errors.py (modified, +1 -0)" in told
    assert [file.path for file in outcome.changes.files] == ["shop/errors.py"]


async def test_images_and_the_mode_reach_the_model(work):
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
    await work(Says("I see."), images=(f"data:image/png;base64,{picture}",), metadata={"mode": "review"})
    assert picture in work.provider.told(0)
    assert "Mode: review" in work.provider.told(0)


async def test_without_a_sandbox_no_command_is_offered(work, monkeypatch, tmp_path):
    git = shutil.which("git")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to(git)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    await work(calls(("run", {"command": "true"})), finish())
    assert "There is no tool 'run'" in work.answers[0]
    assert "Commands cannot be run here" in work.provider.told(0)


# what it takes


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (None, "no model is set. Export CONTEXTEN_MODEL (for example openai:gpt-5 or ollama:qwen3) or pass --model."),
        (" ", "no model is set. Export CONTEXTEN_MODEL (for example openai:gpt-5 or ollama:qwen3) or pass --model."),
        ("gpt-5", "'gpt-5' names no provider and model."),
        ("anthropic:claude-opus-4-5", "ANTHROPIC_API_KEY is not set where the server runs"),
        ("google:gemini-2.5-pro", "GOOGLE_API_KEY or GEMINI_API_KEY is not set"),
        ("openai-codex:gpt-5", "There is no provider 'openai-codex' for models here. There are: alibaba, anthropic, "),
        ("groq:llama", "needs a package that is not installed: pip install 'pydantic-ai-slim[groq]'"),
    ],
)
async def test_what_is_missing_is_said_before_a_run_begins(work, monkeypatch, model, said):
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    engine = ModelEngine(model, work.home, Sandbox(), QUICK)
    assert said in engine.objection(model)
    with pytest.raises(EngineUnavailableError, match=r"is|names|needs"):
        await engine.run(task(work.shop, "Do it.", model=model), work.journal)


async def test_it_is_ready_when_its_model_has_a_key_and_says_so_without_asking_anybody(work, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    ready = ModelEngine("openai:gpt-5", work.home, Sandbox(), QUICK).availability()
    assert (ready.ready, ready.detail) == (True, "openai:gpt-5")
    assert ModelEngine("ollama:qwen3", work.home, Sandbox(), QUICK).availability().ready
    assert ModelEngine(None, work.home, Sandbox(), QUICK).availability().detail == "needs CONTEXTEN_MODEL"
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert not ModelEngine("openai:gpt-5", work.home, Sandbox(), QUICK).availability().ready


async def test_a_provider_that_lacks_more_than_a_key_ends_the_run_with_what_it_says(work, monkeypatch):
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    with pytest.raises(EngineUnavailableError, match=r"'azure:m' cannot be used: .*AZURE_OPENAI_ENDPOINT"):
        await work.run(model="azure:m")


# limits


@pytest.mark.parametrize(
    ("limit", "status", "setting"),
    [
        ({"requests": 2}, RunStatus.MAX_ITERATIONS_REACHED, "CONTEXTEN_MODEL_MAX_REQUESTS"),
        ({"tokens": 2000}, RunStatus.OUT_OF_TOKENS, "CONTEXTEN_MODEL_MAX_TOKENS"),
        ({"cost_usd": 0.004}, RunStatus.OUT_OF_TOKENS, "CONTEXTEN_MODEL_MAX_COST"),
    ],
)
async def test_a_limit_ends_the_run_names_itself_and_keeps_what_was_done(work, limit, status, setting):
    names = iter(range(100))
    script = [calls(("write", {"path": f"{next(names)}.txt", "text": "x"})) for _ in range(5)]
    outcome = await work(*script, limits=replace(QUICK, **limit))
    assert outcome.status == status
    assert setting in outcome.result
    assert 'contexten runs resume 1 "go on"' in outcome.result
    assert "contexten runs diff 1" in outcome.result
    assert [file.path for file in outcome.changes.files] == ["0.txt", "1.txt"]
    assert len(work.provider.requests) == 2
    assert work.journal.written["limit"].message_type == "ERROR"


async def test_time_that_is_up_ends_the_run_with_what_was_done(work):
    await _cancelled_when_held(work, calls(INSERT))
    outcome = await work(Holds(), seconds=1, attempt=2)
    assert outcome.status == RunStatus.TIMEOUT
    assert "after 1 s" in outcome.result
    assert outcome.usage.input_tokens == 1000
    assert [file.path for file in outcome.changes.files] == ["shop/errors.py"]


async def test_going_round_in_circles_ends_the_run(work):
    outcome = await work(calls(("search", {"text": "nowhere at all"})), forever=True)
    assert outcome.status == RunStatus.FAILED
    assert "went round in circles" in outcome.result
    assert len(work.provider.requests) == 4


async def test_the_same_test_again_after_each_edit_is_no_circle(work):
    script = []
    for number in range(6):
        script += [
            calls(("write", {"path": "a.txt", "text": f"{number}"}), ("run", {"command": "echo '1 failed in 0.1s'"}))
        ]
    outcome = await work(*script, finish())
    assert outcome.status == RunStatus.COMPLETE
    assert "tests 1 failed" in outcome.summary


# what does not fit


async def test_older_answers_are_left_out_when_the_context_is_full(work):
    full = Fails(400, "Your input exceeds the context window of this model.", "context_length_exceeded")
    outcome = await work(
        calls(("read", {"path": "shop/errors.py"}), ("context", {"question": "refund order"})),
        calls(("find", {"name": "refund_order"})),
        calls(("find", {"name": "ShopError"})),
        full,
        finish(),
    )
    assert outcome.status == RunStatus.COMPLETE
    assert "left out to make room" in work.provider.told(-1)
    assert "left out to make room" not in work.provider.told(-2)


async def test_a_context_that_nothing_can_be_left_out_of_ends_the_run(work):
    full = Fails(400, "Your input exceeds the context window of this model.", "context_length_exceeded")
    outcome = await work(full, forever=True)
    assert outcome.status == RunStatus.OUT_OF_TOKENS
    assert "larger context" in outcome.result
    assert len(work.provider.requests) == 1


async def test_an_answer_that_was_cut_off_is_not_the_last_word(work):
    outcome = await work(Says("I was about to", stop="length"), finish("Whole."))
    assert outcome.result == "Whole."
    assert "cut off" in work.provider.told(1)


async def test_a_model_that_says_nothing_is_asked_again_and_then_given_up(work):
    outcome = await work(Says(""), forever=True)
    assert outcome.status == RunStatus.FAILED
    assert len(work.provider.requests) == 3
    assert "You said nothing" in work.provider.told(1)


# crashes


async def test_an_attempt_after_a_crash_goes_on_where_the_log_ends(work):
    await _cancelled_when_held(work, calls(INSERT, ("find", {"name": "refund_order"}), text="First."))
    written = dict(work.journal.written)
    outcome = await work(finish("Both."), attempt=2)
    assert outcome.status == RunStatus.COMPLETE
    assert len(work.provider.requests) == 1
    told = work.provider.told(0)
    assert told.index("First.") < told.index("refunds.py:12")
    assert work.text("shop/errors.py").count("# seen") == 1
    assert outcome.usage.input_tokens == 2000
    assert written.items() <= work.journal.written.items()


async def test_a_change_that_nobody_noted_is_not_made_twice(work):
    class Dying(Journal):
        async def add(self, entry, *, key):
            if key == "step-1.1":
                raise asyncio.CancelledError
            return await super().add(entry, key=key)

    dying = work.journal = Dying()
    with pytest.raises(asyncio.CancelledError):
        await work(calls(INSERT, ("read", {"path": "shop/errors.py"})))
    work.journal = Journal()
    work.journal.written = dying.written
    await work(finish(), attempt=2)
    assert work.text("shop/errors.py").count("# seen") == 1
    assert "whether it was done is not known" in work.answers[0]
    assert work.answers[1].startswith("1\t# seen")
    assert work.provider.requests, "the model was told"


async def test_an_attempt_after_the_last_word_only_says_it_again(work):
    first = await work(calls(INSERT), finish("All."))
    again = await work(Fails(500), attempt=2)
    assert not work.provider.requests
    assert (again.result, again.summary, again.usage) == (first.result, first.summary, first.usage)


async def test_a_cancelled_command_leaves_nothing_running(work, tmp_path):
    attempt = asyncio.create_task(work(calls(("run", {"command": "touch begun; sleep 300"}))))
    deadline = asyncio.get_running_loop().time() + 60
    while not list(work.home.rglob("begun")):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
    attempt.cancel()
    await asyncio.wait([attempt])
    assert attempt.cancelled()
    assert not work.journal.tools


async def _cancelled_when_held(work, *script):
    held = Holds()
    attempt = asyncio.create_task(work(*script, held))
    assert await asyncio.to_thread(held.reached.wait, 150)
    attempt.cancel()
    await asyncio.wait([attempt])
    held.let_go.set()


@pytest.mark.parametrize("model", ["openai:gpt-5", "openai-chat:gpt-5", "anthropic:claude-opus-4-5"])
async def test_what_the_model_says_is_shown_while_it_says_it_and_kept_once(work, model):
    halfway = threading.Event()
    said = "I look at the refunds first. Then at who calls them."
    script = (Says(said, [("find", {"name": "refund_order"})], halfway=halfway), finish())
    work.journal.on_partial = halfway.set
    outcome = await work(*script, model=model)
    assert outcome.result == "Done."
    assert work.journal.shown[0] == said[: len(said) // 2].strip()
    assert work.journal.written["step-1"].thought == said
    assert work.log.count("Then at who calls them") == 2  # the answer, and the first call that it makes


async def test_what_was_used_is_told_after_each_answer(work):
    await work(calls(("find", {"name": "refund_order"}), tokens=(500, 50)), finish())
    assert (work.journal.spent.input_tokens, work.journal.spent.output_tokens) == (1500, 150)


async def test_work_that_goes_on_in_another_copy_is_done_again(work):
    edit = calls(("write", {"path": "new.py", "text": "x = 1\n"}), text="I write it.")
    await _cancelled_when_held(work, edit)
    shutil.rmtree(work.home)  # as it is on another worker
    outcome = await work(edit, finish("Written."), attempt=2)
    assert outcome.result == "Written."
    assert "goes on in another copy" in work.provider.told(0)
    assert work.text("new.py") == "x = 1\n"
    assert "was made anew" in work.journal.written["copy-2"].observation
