"""`contexten run` with a server that is up: the live log, the answer, exit codes, pipes and JSON."""

import json
import re
import subprocess

import pytest

QUESTION = "Who calls refund_order?"


def test_the_log_streams_and_the_answer_is_right(live):
    done = live("run", QUESTION)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"  run \d+ · analyst · ~/src/shop", lines[0])
    assert re.fullmatch(r"  plan      \d+ steps?: .+", lines[1])
    answer = next(place for place, line in enumerate(lines) if line.startswith("  answer    ───"))
    assert "shop/checkout.py:8" in "\n".join(lines[answer:])
    assert re.fullmatch(r"  complete in \d+\.\d s · contexten runs show \d+", lines[-1])
    assert done.stderr == ""


def test_nothing_in_a_pipe_is_meant_for_a_terminal(live):
    done = live("run", QUESTION)
    assert "\x1b" not in done.stdout
    assert "\r" not in done.stdout


def test_a_prompt_comes_from_standard_input(live):
    assert live("run", "-", input=QUESTION).returncode == 0
    assert live.json("runs", "list", "--limit", "1")["items"][0]["prompt"] == QUESTION


def test_json_is_the_ended_run_and_nothing_else(live):
    run = live.json("run", QUESTION)
    assert (run["status"], run["engine"], run["prompt"]) == ("COMPLETE", "analyst", QUESTION)
    assert "shop/checkout.py:8" in run["result"]
    assert run["finished_at"]


def test_not_following_returns_at_once_and_says_how_to_follow(live):
    done = live("run", QUESTION, "--no-follow")
    number = re.search(r"run (\d+) ", done.stdout)[1]
    assert done.returncode == 0
    assert f"contexten runs logs {number} --follow" in done.stdout
    made = live.json("run", QUESTION, "--no-follow")
    assert made["id"] > int(number)
    assert made["status"] in {"PENDING", "RUNNING", "COMPLETE"}


def test_a_folder_is_registered_once_and_worked_on(live, tmp_path):
    (tmp_path / "billing.py").write_text("def charge(): ...\n")
    first = live.json("run", "Where is charge defined?", "--repo", str(tmp_path))
    second = live.json("run", "Where is charge defined?", "--repo", str(tmp_path))
    assert "billing.py:1" in first["result"]
    assert first["repo_id"] == second["repo_id"]
    assert [repo["path"] for repo in live.json("repos", "list")].count(str(tmp_path.resolve())) == 1


def test_a_folder_is_named_from_where_one_stands(live):
    done = live("run", "Where is refund_order defined?", "--repo", "shop", cwd=live.home / "src")
    assert done.returncode == 0
    assert "· ~/src/shop\n" in done.stdout


def test_work_that_needs_a_model_fails_with_what_it_needs(live):
    done = live("run", "Add a retry to refund_order and write a test for it")
    assert done.returncode == 1
    assert "needs a model" in done.stdout
    assert re.search(r"^  failed in \d", done.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("hi", "--engine", "nobody"), "nobody"),
        (("hi", "--timeout", "-1"), "timeout"),
        (("hi", "--repo", "nowhere"), "'nowhere' does not exist"),
        (("hi", "--repo", "shop/refunds.py"), "'shop/refunds.py' is not a folder"),
        (("hi", "--repo", "ftp://example.org/x.git"), "ftp://"),
        (("x" * 600_000,), "the prompt has 600000 bytes"),
    ],
    ids=["engine", "timeout", "no folder", "a file", "scheme", "long"],
)
def test_what_cannot_be_meant_is_wrong_use(live, words, said):
    # One argument may not be longer than 128 KiB on Linux, so a long prompt comes by standard input.
    done = live("run", "-", input=words[0]) if len(words[0]) > 100_000 else live("run", *words)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_reader_that_goes_away_is_not_an_error(live):
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", '"$0" run "$1" | head -n 1', live.program, QUESTION],
        cwd=live.project,
        env=live.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.startswith("  run ")
    assert done.stderr == ""


@pytest.mark.parametrize("token", ["ctx_wrong", "two words"])
def test_a_wrong_token_is_told_and_not_shown(live, token):
    live.extra["CODEGEN_API_TOKEN"] = token
    try:
        done = live("runs", "list")
    finally:
        del live.extra["CODEGEN_API_TOKEN"]
    assert done.returncode in {1, 2}
    assert done.stderr.startswith("error: ")
    assert token not in done.stderr


def test_another_server_that_does_not_answer_is_named(live):
    live.extra |= {"CODEGEN_API_TOKEN": "ctx_x", "CODEGEN_BASE_URL": "http://127.0.0.1:9"}
    try:
        done = live("runs", "list")
    finally:
        live.extra.clear()
    assert done.returncode == 1
    assert "http://127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_was_printed_as_json_can_be_read_back(live):
    made = live.json("run", "Find the text 'naïve 日本語' in the code")
    assert json.loads(live("runs", "show", str(made["id"]), "--json").stdout)["prompt"] == made["prompt"]


def test_a_model_for_an_engine_without_one_is_said_to_change_nothing(live):
    done = live("run", QUESTION, "--model", "openai:gpt-5")
    assert done.stderr == "The engine analyst works without a model, so --model openai:gpt-5 changes nothing.\n"
    assert "openai" not in done.stdout
    assert live.json("run", QUESTION, "--model", "openai:gpt-5")["model"] is None
