"""`contexten runs`: looking at runs, following, resuming, cancelling and searching them."""

import json
import re

import pytest


@pytest.fixture(scope="module")
def run(live):
    return live.json("run", "Who calls refund_order?")


def test_an_empty_list_says_how_to_make_a_run(machine):
    with machine.up():
        done = machine("runs", "list")
        page = machine.json("runs", "list")
    assert (done.stdout, done.stderr) == ("", 'There are no runs yet. Make one: contexten run "Give me an overview"\n')
    assert (page["items"], page["total"]) == ([], 0)


def test_the_list_is_newest_first(live, run):
    newest = live.json("run", "Where is cancel defined?")
    done = live("runs", "list")
    head, first, second = done.stdout.splitlines()[:3]
    assert head.split("\t") == ["RUN", "STATUS", "AGE", "ENGINE", "PROMPT"]
    assert re.fullmatch(rf"{newest['id']}\tCOMPLETE\t\d+ s\tanalyst\tWhere is cancel defined\?", first)
    assert second.startswith(str(newest["id"] - 1))


def test_the_list_is_cut_and_says_how_to_go_on(live, run):
    live.json("run", "overview")
    done = live("runs", "list", "--limit", "1")
    total = live.json("runs", "list")["total"]
    assert done.stderr == f"1 of {total} runs. More: contexten runs list --skip 1\n"
    assert live.json("runs", "list", "--skip", str(total))["items"] == []


def test_in_a_pipe_a_long_prompt_is_one_short_line_and_json_has_it_whole(live):
    prompt = "Find the text 'a\tb'\n" + "and the rest of it " * 2000
    run = live.json("run", prompt)
    line = live("runs", "list", "--limit", "1").stdout.splitlines()[1]
    assert line.startswith(f"{run['id']}\t")
    assert line.count("\t") == 4
    assert len(line) < 200
    assert live.json("runs", "list", "--limit", "1")["items"][0]["prompt"] == prompt


def test_a_run_is_shown_with_its_result(live, run):
    done = live("runs", "show", str(run["id"]))
    assert re.match(rf"  run +{run['id']} · complete in \d", done.stdout)
    assert "  prompt    Who calls refund_order?\n" in done.stdout
    assert "shop/checkout.py:8" in done.stdout
    assert live.json("runs", "show", str(run["id"]))["result"] == run["result"]


@pytest.mark.parametrize(
    "words", [("show",), ("logs",), ("logs", "--follow"), ("cancel",), ("resume", "more"), ("delete",)], ids=" ".join
)
def test_a_run_that_is_not_there_names_the_newest(live, run, words):
    newest = live.json("runs", "list", "--limit", "1")["items"][0]["id"]
    done = live("runs", words[0], "9999", *words[1:])
    assert done.returncode == 1
    assert done.stderr == f"error: no run 9999 in organization 1. The newest is {newest}: contexten runs list\n"


def test_the_log_is_the_same_followed_or_not(live, run):
    at_once = live("runs", "logs", str(run["id"])).stdout
    followed = live("runs", "logs", str(run["id"]), "--follow").stdout
    assert at_once == followed
    assert at_once.startswith("  you       Who calls refund_order?\n  plan ")


def test_the_log_as_json_is_one_entry_a_line(live, run):
    done = live("runs", "logs", str(run["id"]), "--json")
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(entries) == run["log_count"] or len(entries) == live.json("runs", "show", str(run["id"]))["log_count"]
    assert entries[0]["message_type"] == "USER_MESSAGE"
    assert entries[-1]["message_type"] == "FINAL_ANSWER"


def test_a_resumed_run_goes_on_with_a_new_turn(live):
    first = live.json("run", "Where is refund_order defined?")
    done = live("runs", "resume", str(first["id"]), "Who calls it?")
    assert done.returncode == 0, done.stderr
    assert f"  run {first['id']} · analyst · ~/src/shop\n" in done.stdout
    assert done.stdout.count("  answer    ─") == 1
    again = live.json("runs", "resume", str(first["id"]), "overview")
    assert (again["turn"], again["prompt"]) == (3, "overview")


def test_a_run_that_has_ended_cannot_be_cancelled(live, run):
    done = live("runs", "cancel", str(run["id"]))
    assert done.returncode == 1
    assert done.stderr == (
        f"error: run {run['id']} had ended already: complete. See: contexten runs show {run['id']}\n"
    )


def test_searching_finds_prompts_and_answers(live, run):
    done = live("runs", "search", "refund_order")
    assert done.returncode == 0
    assert "refund_order" in done.stdout
    assert run["id"] in {
        hit["run"]["id"] for hit in live.json("runs", "search", "refund_order", "--limit", "50")["items"]
    }
    assert live("runs", "search", "zebra crossing").stderr == "Nothing contains 'zebra crossing'.\n"


@pytest.mark.parametrize("text", ['"', "a OR", "NEAR(", "*", "'; drop table runs; --"])
def test_a_search_text_is_text_and_not_a_query(live, run, text):
    assert live("runs", "search", text).returncode == 0
