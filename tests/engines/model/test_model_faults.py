"""What becomes of a run whose provider refuses, fails, says nonsense or nothing: a message with the next step, and no key."""

import socket
from dataclasses import replace

import pytest

from contexten.engines.model.limits import Limits
from contexten.protocol import RunStatus
from model_provider import KEY, NOW, Fails, Holds, Raw, Says, calls, finish

pytestmark = [pytest.mark.anyio, pytest.mark.once]

QUICK = Limits(retries=2, request_seconds=30)
FAILED, ERROR = RunStatus.FAILED, RunStatus.ERROR


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Fails(401, f"Incorrect API key provided: {KEY}", "invalid_api_key"), (FAILED, "OPENAI_API_KEY", 1)),
        (Fails(403, "not for you"), (FAILED, "refused the key", 1)),
        (Fails(404, "The model does not exist", "model_not_found"), (FAILED, "knows no model 'gpt-5'", 1)),
        (Fails(429, "Fill up", "insufficient_quota", headers={"x-should-retry": "false"}), (FAILED, "Fill up", 1)),
        (Fails(400, "messages are odd"), (FAILED, "messages are odd", 1)),
        (Fails(429, "slow down", headers=NOW), (ERROR, "too many requests", 3)),
        (Fails(500, "oh no", headers=NOW), (ERROR, "status 500 oh no", 3)),
        (Fails(503, "later", headers=NOW), (ERROR, "status 503 later", 3)),
        (Raw(b"<html>hello</html>", "text/html"), (ERROR, "not its API", 2)),
        (Raw(b"{"), (ERROR, "not its API", 2)),
        (Raw(b"[1, 2]"), (ERROR, "cannot be understood", 2)),
        (Says(stop="content_filter"), (FAILED, "refused the content", 1)),
    ],
)  # fmt: skip
async def test_a_refusal_or_a_fault_ends_the_run_with_the_next_step(work, caplog, answer, expected):
    caplog.set_level("DEBUG")
    status, said, requests = expected
    outcome = await work(answer, forever=True)
    assert (outcome.status, len(work.provider.requests)) == (status, requests)
    assert said in outcome.result
    assert KEY not in outcome.result + work.log + caplog.text


async def test_a_passing_fault_is_no_end(work):
    outcome = await work(Fails(500, headers=NOW), Fails(429, headers=NOW), finish("Still."))
    assert outcome.result == "Still."
    assert len(work.provider.requests) == 3


async def test_an_answer_that_breaks_off_is_asked_for_again_as_a_whole(work):
    outcome = await work(Says("I look at it first, and then I shall see.", breaks=True), finish("Whole."))
    assert (outcome.result, len(work.provider.requests)) == ("Whole.", 2)
    assert [bool(request.get("stream")) for request in work.provider.requests] == [True, False]


@pytest.mark.parametrize("model", ["anthropic:claude-opus-4-5", "google:gemini-2.5-pro", "ollama:qwen3"])
@pytest.mark.parametrize(("status", "said"), [(401, "refused the key"), (404, "knows no model"), (400, "odd")])
async def test_the_other_providers_refusals_mean_the_same(work, model, status, said):
    outcome = await work(Fails(status, "odd"), forever=True, model=model)
    assert (outcome.status, said in outcome.result) == (FAILED, True), outcome.result


async def test_a_provider_that_is_silent_is_not_waited_for_without_end(work):
    outcome = await work(Holds(), limits=replace(QUICK, retries=0, request_seconds=0.5))
    assert (outcome.status, "did not answer in time" in outcome.result) == (ERROR, True)


async def test_a_provider_that_is_not_there_is_said_not_to_be(work, monkeypatch):
    with socket.socket() as taken:  # and nobody listens
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("OLLAMA_BASE_URL", f"http://user:{KEY}@127.0.0.1:{taken.getsockname()[1]}/v1")
        outcome = await work.run(model="ollama:qwen3", limits=replace(QUICK, retries=0))
    assert (outcome.status, "cannot be reached" in outcome.result) == (ERROR, True)
    assert KEY not in outcome.result


async def test_a_key_that_no_header_can_hold_is_not_shown(work, monkeypatch, caplog):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    outcome = await work.run(limits=replace(QUICK, retries=0))
    assert outcome.status == ERROR
    assert KEY not in outcome.result + work.log + caplog.text


async def test_what_was_done_before_a_fault_is_kept(work):
    outcome = await work(
        calls(("write", {"path": "new.txt", "text": "x"})), Fails(500, headers=NOW), Fails(500, headers=NOW)
    )
    assert outcome.status == ERROR
    assert "contexten runs diff 1" in outcome.result
    assert 'contexten runs resume 1 "go on"' in outcome.result
    assert outcome.usage.input_tokens == 1000


@pytest.mark.parametrize(
    ("model", "answer", "status"),
    [
        ("anthropic:claude-opus-4-5", Says(stop="refusal"), FAILED),
        ("google:gemini-2.5-pro", Says(stop="SAFETY"), FAILED),
        ("anthropic:claude-opus-4-5", Fails(400, "prompt is too long: 9 tokens > 8 maximum"), RunStatus.OUT_OF_TOKENS),
        (
            "google:gemini-2.5-pro",
            Fails(
                400, "The input token count (9) exceeds the maximum number of tokens allowed (8).", "INVALID_ARGUMENT"
            ),
            RunStatus.OUT_OF_TOKENS,
        ),
    ],
)
async def test_each_provider_has_its_own_way_to_refuse_content_and_to_be_full(work, model, answer, status):
    outcome = await work(answer, forever=True, model=model)
    assert (outcome.status, len(work.provider.requests)) == (status, 1), outcome.result
