"""What the README shows is what the program does."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```console\n(.*?)```", README, re.DOTALL)


def shown(beginning):
    """What the README shows below a command."""
    block = next(block for block in BLOCKS if block.startswith(f"$ {beginning}"))
    return stable(block.partition("\n")[2])


def stable(text):
    """The text without what differs from run to run."""
    text = re.sub(r"http://127\.0\.0\.1:\d+", "ADDRESS", text)
    text = re.sub(r"\d+\.\d s\b", "SECONDS", text)
    text = text.replace("~/.local/share/", "~/data/")
    return re.sub(r" {2,}", "  ", text)


def places(text):
    """Every `path:line` in a text."""
    return set(re.findall(r"[\w/]+\.py:\d+(?:-\d+)?", text))


@pytest.fixture(scope="module")
def sample(live):
    """The project of the transcript, in place of the usual one."""
    shutil.rmtree(live.project / "shop")
    shutil.copytree(Path(__file__).with_name("sample") / "shop", live.project / "shop")
    return live


def test_the_banner(machine):
    shutil.rmtree(machine.project / "shop")
    shutil.copytree(Path(__file__).with_name("sample") / "shop", machine.project / "shop")
    process = machine.start("up", "--port", "0")
    lines = "".join(process.stdout.readline() for _ in range(4))
    machine.interrupt(process)
    before, last = shown("contexten up").rsplit("\n", 2)[:2]
    assert stable(lines) == f"{before}\n"
    assert (
        last == "  open  ADDRESS/?code=…  one-time sign-in"
    )  # tests/cli/test_terminal.py: only a terminal is shown it


def test_the_run(sample):
    """Line by line, apart from the answer's sentences: of those, the places in the code."""
    done = sample("run", "Who calls refund_order, and is it retried?")
    (log, answer), (log_shown, answer_shown) = (
        text.split("  answer  ") for text in (stable(done.stdout), shown("contexten run"))
    )
    assert log == log_shown
    assert places(answer) == places(answer_shown)
    assert answer.splitlines()[-1] == answer_shown.splitlines()[-1]


def test_the_python_snippet(sample, tmp_path):
    snippet = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]
    (tmp_path / "snippet.py").write_text(snippet)
    done = subprocess.run(
        [sys.executable, tmp_path / "snippet.py"],
        env=sample.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "\nCOMPLETE " in done.stdout
    assert {"shop/checkout.py:8", "shop/support.py:17"} <= places(done.stdout)


def test_the_curl_call(sample):
    call = next(block for block in BLOCKS if "curl" in block).removeprefix("$ ")
    done = subprocess.run(
        ["bash", "-euc", f'eval "$("$0" env)"\n{call}', sample.program],
        env=sample.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout)["prompt"] == "Where is refund_order defined?"


@pytest.mark.parametrize("path", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_a_link_leads_somewhere(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("name", re.findall(r"`(\w+\.py)` \|", README))
def test_a_benchmark_that_is_named_exists(name):
    assert (ROOT / "benchmarks" / name).exists()
