"""`contexten overlay …` as people and programs call it: output, JSON, exit codes, and running one program."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from contexten.cli import main
from contexten.overlay import State, apply, revert, status

pytestmark = pytest.mark.conformance


@pytest.fixture
def overlay(environment, capsys):
    """Calls the command for the environment; its exit code and what it wrote."""

    def call(verb, *words):
        code = main(["overlay", verb, "--target", str(environment.site_packages), *words])
        written = capsys.readouterr()
        return code, written.out, written.err

    return call


def test_the_way_through_for_people(environment, overlay):
    code, out, _ = overlay("status")
    assert (code, out.splitlines()[0]) == (0, "absent: the overlay is not applied")
    assert f"next     contexten overlay apply --target {environment.site_packages}" in out
    code, out, _ = overlay("apply")
    assert (code, out.splitlines()[0]) == (0, f"applied to codegen 0.57.0: {environment.package}")
    assert overlay("apply")[1].startswith("the overlay is applied already to codegen 0.57.0")
    assert overlay("revert")[1].startswith("taken out of codegen 0.57.0")
    assert overlay("revert")[1].startswith("there is nothing to take out of codegen 0.57.0")


def test_the_way_through_for_programs(environment, overlay):
    applied = json.loads(overlay("apply", "--json")[1])
    assert (applied["changed"], applied["before"], applied["state"]) == (True, "absent", "applied")
    assert {"action": "write", "path": str(environment.agent)} in applied["steps"]
    found = json.loads(overlay("status", "--json")[1])
    assert (found["state"], found["codegen"], found["problems"]) == ("applied", "0.57.0", [])
    reverted = json.loads(overlay("revert", "--json")[1])
    assert (reverted["changed"], reverted["state"]) == (True, "absent")


def test_a_dry_run_shows_the_difference(environment, overlay):
    code, out, _ = overlay("apply", "--dry-run")
    assert code == 0
    assert "+    from codegen.contexten.integration import instrument as _contexten_instrument" in out
    assert f"write   {environment.package / 'contexten' / 'metrics.py'}" in out
    assert "-codegen/agents/agent.py,sha256=" in out
    assert status(environment.target()).state is State.ABSENT
    document = json.loads(overlay("apply", "--dry-run", "--json")[1])
    assert not document["changed"]
    assert "+# >>> contexten overlay >>>" in document["diff"]
    apply(environment.target())
    assert "nothing would change" in overlay("apply", "--dry-run")[1]
    assert "-# >>> contexten overlay >>>" in overlay("revert", "--dry-run")[1]


def test_verify_says_what_to_do_next(overlay):
    code, out, _ = overlay("verify")
    assert code == 1
    assert out.splitlines()[-1].startswith("next: contexten overlay apply")


def test_verify_says_what_failed(environment, overlay):
    apply(environment.target())
    (environment.package / "contexten" / "events.py").unlink()
    code, out, _ = overlay("verify")
    assert code == 1
    assert "FAILED  RECORD tells the truth  (codegen/contexten/events.py)" in out
    document = json.loads(overlay("verify", "--json")[1])
    assert (document["passed"], document["checks"][0]["name"]) == (False, "state")


def test_verify_passes_on_a_whole_environment(environments, capsys):
    environment = environments()
    apply(environment.target())
    try:
        code = main(["overlay", "verify", "--python", str(environment.python)])
        out = capsys.readouterr().out
    finally:
        revert(environment.target())
    assert (code, "FAILED" in out) == (0, False)
    assert "ok      the public signatures are unchanged" in out


def test_errors_have_a_next_step_and_a_code(tmp_path, capsys):
    assert main(["overlay", "apply", "--target", str(tmp_path)]) == 1
    assert "error: Codegen package not found in" in capsys.readouterr().err
    assert main(["overlay", "apply", "--target", str(tmp_path / "none")]) == 2
    assert "there is no folder" in capsys.readouterr().err


PROGRAM = """
import sys
from codegen.agents.agent import Agent
from codegen.contexten.integration import register_event_handler
import codegen.contexten.metrics
register_event_handler("agent_created", lambda event: print(event["event_type"]))
Agent(token="x", org_id=1, base_url="http://127.0.0.1:9")
print(__name__, sys.argv[1:], codegen.contexten.metrics.get_metrics()["counters"]["agents_created"])
sys.exit(7)
"""


def launched(environment, *words, cwd=None, **more):
    command = [sys.executable, "-m", "contexten.overlay", "run", "--python", str(environment.python), *words]
    variables = {**os.environ, "CONTEXTEN_OVERLAY_BRIDGE": "0", "HOME": str(environment.root), **more}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=variables, cwd=cwd)


@pytest.mark.parametrize("as_module", [False, True])
def test_one_program_is_instrumented_and_nothing_is_written(environments, tmp_path, as_module):
    environment = environments()
    (tmp_path / "program.py").write_text(PROGRAM)
    before = environment.snapshot()
    words = ["-m", "program"] if as_module else [str(tmp_path / "program.py")]
    done = launched(environment, *words, "--json", "a b", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout == "agent_created\n__main__ ['--json', 'a b'] 1\n"
    assert environment.snapshot() == before
    assert not (environment.package / "contexten").exists()


def test_a_program_runs_under_the_applied_overlay_as_well(environments, tmp_path):
    environment = environments()
    (tmp_path / "program.py").write_text(PROGRAM)
    apply(environment.target())
    try:
        done = launched(environment, str(tmp_path / "program.py"))
    finally:
        revert(environment.target())
    assert (done.returncode, done.stdout) == (7, "agent_created\n__main__ [] 1\n")


@pytest.mark.parametrize("safe", ["", "1"])
@pytest.mark.parametrize("as_module", [False, True])
def test_a_program_finds_modules_where_it_would_without_the_overlay(environment, tmp_path, as_module, safe):
    (tmp_path / "library").mkdir()
    for folder in (tmp_path, tmp_path / "library"):
        (folder / "program.py").write_text("import sys; print(sys.path)")
    words = ["-m", "program"] if as_module else [str(tmp_path / "program.py")]
    variables = {"PYTHONSAFEPATH": safe, "PYTHONPATH": str(tmp_path / "library")}
    alone = environment.python_with(*words, **variables)
    done = launched(environment, *words, cwd=environment.root, **variables)
    assert (done.returncode, done.stdout) == (0, alone)


def test_a_program_that_the_hook_cannot_instrument_runs_all_the_same(environments, tmp_path):
    environment = environments()
    (tmp_path / "codegen" / "agents").mkdir(parents=True)
    (tmp_path / "codegen" / "__init__.py").touch()
    (tmp_path / "codegen" / "agents" / "__init__.py").touch()
    (tmp_path / "codegen" / "agents" / "agent.py").write_text("x = 1\n")
    (tmp_path / "program.py").write_text("from codegen.agents.agent import x\nprint(x)\n")
    done = launched(environment, str(tmp_path / "program.py"))
    assert (done.returncode, done.stdout) == (0, "1\n")
    assert done.stderr.startswith("contexten overlay: not in effect (AttributeError")


@pytest.mark.parametrize(
    ("words", "error"),
    [([], "no program was named"), (["-m"], "no module was named"), (["none.py"], "there is no script none.py")],
)
def test_a_program_that_is_not_there(environment, words, error):
    done = launched(environment, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert error in done.stderr


@pytest.mark.parametrize("as_module", [False, True])
def test_run_through_the_cli_passes_words_on(environments, tmp_path, as_module):
    environment = environments()
    (tmp_path / "program.py").write_text("import sys; print(sys.argv[1:])")
    program = "import sys; from contexten.cli import main; sys.exit(main(sys.argv[1:]))"
    named = ["-m", "program"] if as_module else ["program.py"]
    words = ["overlay", "run", "--python", str(environment.python), *named, "--help", "-x", "--python"]
    command = [sys.executable, "-c", program, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "['--help', '-x', '--python']\n"), done.stderr


def test_a_zipped_package_can_be_run(environments, tmp_path):
    environment = environments()
    archive = shutil.make_archive(str(tmp_path / "codegen"), "zip", environment.site_packages, "codegen")
    (tmp_path / "program.py").write_text("import codegen.agents.agent as a\nprint(a.__file__)\n" + PROGRAM)
    done = launched(environment, str(tmp_path / "program.py"), PYTHONPATH=archive)
    where, *said = done.stdout.splitlines()
    assert where.startswith(archive)
    assert (done.returncode, said) == (7, ["agent_created", "__main__ [] 1"])
