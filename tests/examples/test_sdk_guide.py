"""The guide's examples run as printed, one after the other, against a server of its own."""

import re

import pytest
from example_programs import ROOT, examples, run_examples

GUIDE = (ROOT / "docs" / "sdk.md").read_text()


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return run_examples(GUIDE, tmp_path_factory.mktemp("guide"))


def test_all_of_them_run(done):
    assert len(examples(GUIDE)) == 6
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "line",
    [
        "COMPLETE Give me an overview",
        "And where are the tests?",
        "['Where are the tests?', 'What are the entry points?']",
        "List the entry points List the entry points",
        "counted agent_requests_total 1 {'agent': 'streaming'}",
        "100.0 % complete: Give me an overview",
        "healthy ",
        "heard 1.2",
        "queue_is_long fired 12.0",
        "['queue_is_long']",
    ],
)
def test_they_print_what_the_guide_says(done, line):
    assert line in done.stdout


def test_the_files_that_it_names_are_there():
    for path in re.findall(r"(?:deploy|benchmarks)/[\w/.]+\.\w+", GUIDE):
        assert (ROOT / path).is_file()
    for name in re.findall(r"`(\w+\.py)`", GUIDE):
        assert (ROOT / "benchmarks" / name).is_file()
