"""The examples of the page about workflows run as printed, and its document is one."""

import re

import pytest
from example_programs import ROOT, examples, run_examples

from contexten.workflows.files import read_workflow_text

GUIDE = (ROOT / "docs" / "workflows.md").read_text()


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return run_examples(GUIDE, tmp_path_factory.mktemp("guide"))


def test_they_print_what_the_guide_says(done):
    assert len(examples(GUIDE)) == 3
    assert (done.returncode, done.stderr) == (0, "")
    first, second, *_, features, completed, last = done.stdout.strip().split("\n")
    assert first == "100.0% success rate, COMPLETE"
    assert re.match(r"COMPLETE \d+ You write and run tests", second)
    assert features == "['design', 'implement', 'test', 'review', 'document']"
    assert (completed, last) == ("1", "overview True")


def test_the_document_that_shows_all_there_is_can_be_run():
    (text,) = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    assert [task.id for task in read_workflow_text(text.encode(), toml=True).tasks] == ["check", "publish"]
