"""The program's words: what there is, how it is asked for, and what wrong use looks like. No server needed."""

import re
import subprocess

import pytest

from contexten.cli.errors import uncapitalized
from contexten.cli.nouns import NOUNS

SUBCOMMANDS = {
    "runs": ("list", "show", "logs", "resume", "cancel", "search", "delete", "prune"),
    "workflows": (
        "run",
        "list",
        "show",
        "follow",
        "cancel",
        "approve",
        "retry",
        "delete",
        "validate",
        "templates",
        "graph",
    ),
    "repos": ("list", "add", "remove"),
    "code": ("overview", "symbol", "refs", "callers", "similar", "context"),
    "autogen": ("list", "show", "check", "generate", "clear", "stubs", "usage"),
    "org": ("list", "create"),
    "token": ("create", "list", "revoke"),
    "overlay": ("apply", "revert", "status", "verify", "run"),
}
COMMANDS = [(noun, *rest) for noun in NOUNS for rest in ([(word,) for word in SUBCOMMANDS.get(noun, ())] or [()])]
WITHOUT_JSON = {("overlay", "run"), ("mcp",)}  # their output is another program's, or a protocol's


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_the_overview_lists_every_command(machine, words):
    done = machine(*words)
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.split("Commands:\n")[1].split("\n\n")[0].splitlines()] == list(
        NOUNS
    )


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example_and_json(machine, words):
    done = machine(*words, "--help")
    assert done.returncode == 0
    assert f"Usage: contexten {' '.join(words)}" in done.stdout
    assert "Example: " in done.stdout
    assert ("--json" in done.stdout) == (words not in WITHOUT_JSON)
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("noun", SUBCOMMANDS)
def test_a_noun_alone_shows_its_help(machine, noun):
    done = machine(noun)
    assert done.returncode == 0
    for word in SUBCOMMANDS[noun]:
        assert f"  {word} " in done.stdout


@pytest.mark.parametrize("words", [("version",), ("--version",)])
def test_the_version(machine, words):
    assert re.fullmatch(r"contexten \d+\.\d+\.\d+ \(Python 3\.\d+\.\d+\)\n", machine(*words).stdout)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rnu",), "error: there is no command 'rnu'. Did you mean: contexten run\n"),
        (("qqq",), "error: there is no command 'qqq'. The commands: contexten --help\n"),
        (("--qqq",), "error: there is no option '--qqq'. The commands: contexten --help\n"),
        (("run",), "error: missing argument 'PROMPT'. See: contexten run --help\n"),
        (("run", "hi", "--qqq"), "error: there is no option --qqq. See: contexten run --help\n"),
        (
            ("run", "hi", "--modle", "x"),
            "error: there is no option --modle. Did you mean --model? See: contexten run --help\n",
        ),
        (("run", "hi", "--nope"), "error: there is no option --nope. See: contexten run --help\n"),
        (("dance",), "error: there is no command 'dance'. The commands: contexten --help\n"),
        (("runs", "shwo"), "error: no such command 'shwo'. Did you mean 'show'? See: contexten runs --help\n"),
        (
            ("runs", "show", "one"),
            "error: 'RUN' is 'one': it should be a valid integer. See: contexten runs show --help\n",
        ),
        (
            ("runs", "show", "0"),
            "error: 'RUN' is '0': it should be greater than or equal to 1. See: contexten runs show --help\n",
        ),
        (("runs", "nothing"), "error: no such command 'nothing'. See: contexten runs --help\n"),
        (
            ("up", "--port", "99999"),
            "error: '--port' is '99999': it should be less than or equal to 65535. See: contexten up --help\n",
        ),
        (("run", ""), "error: the prompt is empty. Give it as an argument, or pipe it: contexten run - < task.md\n"),
        (("run", " \n"), "error: the prompt is empty. Give it as an argument, or pipe it: contexten run - < task.md\n"),
        (("run", "-"), "error: the prompt is empty. Give it as an argument, or pipe it: contexten run - < task.md\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_use_is_one_line_and_exit_code_2(machine, words, said):
    done = machine(*words)
    assert done.returncode == 2
    assert done.stderr.endswith(said)
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize("words", [("repos", "add", ""), ("run", "overview", "--repo", " ")])
def test_an_empty_place_is_not_the_current_folder(machine, words):
    with machine.up():
        done = machine(*words)
    assert (done.returncode, done.stderr) == (
        2,
        "error: the place is empty. Give the folder of a project, or a git address\n",
    )


def test_a_setting_that_cannot_work_is_wrong_use(machine):
    machine.extra["CONTEXTEN_PORT"] = "many"
    done = machine("up")
    assert done.returncode == 2
    assert done.stderr.startswith("error: CONTEXTEN_PORT='many' cannot be used: ")


def test_a_prompt_that_is_not_text_is_wrong_use(machine):
    done = subprocess.run(
        [machine.program, "run", "-"], input=b"\xff\xfe", capture_output=True, env=machine.environment, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: the prompt is not UTF-8 text.")


def test_a_fault_shows_its_traceback_only_when_asked(machine):
    machine.data.parent.mkdir(parents=True)
    machine.data.write_text("a file where a folder belongs")
    done = machine("up", "--port", "0")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: the data folder {machine.data} cannot be used: File exists.")
    assert "Traceback" not in done.stderr
    assert "Traceback" in machine("--debug", "up", "--port", "0").stderr


@pytest.mark.parametrize("token", [None, "ctx_any"])
def test_a_named_server_that_is_down_is_traced_to_where_it_was_named(machine, token):
    machine.extra = {"CODEGEN_BASE_URL": "http://127.0.0.1:9"} | ({"CODEGEN_API_TOKEN": token} if token else {})
    done = machine("org", "list")
    assert "token=" not in done.stderr
    if token:
        assert done.stderr.endswith(
            " The address is that of CODEGEN_BASE_URL: correct it, or unset it to use the local server.\n"
        )


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("The data folder", "the data folder"),
        ("A run", "a run"),
        ("Python 3.10 is too old", "Python 3.10 is too old"),
        ("CONTEXTEN_PORT='x'", "CONTEXTEN_PORT='x'"),
        ("SQLite is old", "SQLite is old"),
        ("", ""),
    ],
)
def test_an_error_begins_small_unless_a_name_begins_it(message, shown):
    assert uncapitalized(message) == shown


def test_without_a_server_the_variables_cannot_be_printed(machine):
    done = machine("env")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: no server was started yet with the data in ")
    assert done.stderr.endswith("Start it: contexten up\n")


@pytest.mark.parametrize("closing", ["<&-", ">&-", "2>&-"])
def test_a_closed_stream_is_an_empty_one(machine, closing):
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$0" run - {closing}', machine.program],
        input="", capture_output=True, text=True, env=machine.environment, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert closing == "2>&-" or done.stderr.startswith("error: the prompt is empty.")


def test_characters_that_the_stream_lacks_are_replaced(machine):
    machine.extra["PYTHONIOENCODING"] = "ascii"
    with machine.up():
        machine("run", "wo ist böse?")
        assert "wo ist b?se?" in machine("runs", "list").stdout
        assert machine.json("runs", "list")["items"][0]["prompt"] == "wo ist böse?"
