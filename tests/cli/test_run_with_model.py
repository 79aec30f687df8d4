"""`contexten run --engine model`: what a person sees of it, and what is said when no model is set."""

import re

import pytest

from model_provider import calls, finish, provider

pytestmark = pytest.mark.once

EDIT = ("edit", {"path": "shop/refunds.py", "old": "return order_id > 0", "new": "return order_id >= 0"})


def test_a_model_that_nobody_named_is_asked_for(live):
    done = live("run", "hi", "--engine", "model")
    assert done.returncode == 2
    assert done.stderr == (
        "error: no model is set. Export CONTEXTEN_MODEL (for example openai:gpt-5 or ollama:qwen3) or pass --model.\n"
    )


def test_the_steps_the_answer_and_the_figures_are_shown(machine):
    report = "echo '== 12 passed in 0.1s =='"
    with provider(
        calls(("read", {"path": "shop/refunds.py"}), text="I read it first."),
        calls(EDIT, ("run", {"command": report})),
        finish("Zero is an order too."),
    ) as scripted:
        machine.extra |= scripted.environment() | {"CONTEXTEN_MODEL": "openai:gpt-5"}
        done = machine("run", "Let order 0 be refunded", "--engine", "model")
        shown = machine("runs", "show", "1").stdout
    assert done.returncode == 0, done.stderr
    first, *lines = done.stdout.splitlines()
    assert first == "  run 1 · model openai:gpt-5 · ~/src/shop · branch contexten/run-1"
    assert lines[:4] == [
        "  plan      I read it first.",
        "  read      shop/refunds.py:1-6",
        "  edit      shop/refunds.py:6 1 → 1 lines",
        f"  run       {report} → 12 passed",
    ]
    assert "  Zero is an order too." in lines
    assert re.search(r"complete in \d+\.\d s · 1 file, \+1 \u22121 · tests 12 passed · \$0\.0067", done.stdout)
    assert "diff: contexten runs diff 1" in lines[-1]
    assert "  used      3,300 tokens · $0.0067" in shown
