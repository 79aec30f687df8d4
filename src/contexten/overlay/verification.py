"""Proof that the overlay is whole and changes nothing else: files against hashes, and the live package if it can be run."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from contexten.overlay import block, contents, record
from contexten.overlay.files import read, sha256
from contexten.overlay.state import Files, State, diagnose
from contexten.overlay.target import interpreter_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contexten.overlay.target import Target

_PROBE_SECONDS = 120
_PROBE = """
import inspect, json, sys
import codegen, codegen.agents, codegen.agents.agent as module
hooked = (module.Agent.__init__, module.Agent.run, module.AgentTask.__init__, module.AgentTask.refresh)
print(json.dumps({
    "where": module.__file__,
    "hooks": all(hasattr(method, "__wrapped__") for method in hooked),
    "signatures": all(inspect.signature(method) == inspect.signature(method.__wrapped__) for method in hooked),
    "one class": getattr(codegen, "Agent", module.Agent) is codegen.agents.Agent is module.Agent,
    "added": all(hasattr(module.Agent, name) for name in ("get_contexten_metrics", "add_callback", "run_enhanced")),
}))
"""


class Check(NamedTuple):
    """One thing that was looked at."""

    name: str
    passed: bool
    detail: str


def verify(target: Target) -> list[Check]:
    """Look at everything that the overlay promises; it is in order when every check has passed."""
    files = Files.of(target)
    state, problems = diagnose(target, files)
    checks = [Check("state", state is State.APPLIED, "; ".join(problems) or str(state))]
    if state in {State.ABSENT, State.LEFTOVERS}:
        return checks
    return [*checks, *_agent(target, files), _payload(target, files), _record(target, files), *_live(target)]


def _agent(target: Target, files: Files) -> Iterator[Check]:
    original = files.original
    same = original is not None and files.agent == block.enhanced(original)
    yield Check("agent.py is the original and the block", same, str(target.agent))
    facts = files.manifest
    kept = facts is not None and files.backup is not None and sha256(files.backup) == facts["original"]
    yield Check("agent.py.original is the original", kept, str(target.backup))
    name = target.name_in_record(target.agent)
    as_made = facts is not None and facts["record_entry"] == record.line(name, files.backup or b"").decode()
    yield Check("the original is as codegen's makers released it", as_made, facts["record_entry"] if facts else "")


def _payload(target: Target, files: Files) -> Check:
    same = files.payload == contents.payload()
    return Check(f"the added files are those of contexten {_by(files)}", same, str(target.payload))


def _by(files: Files) -> str:
    return files.manifest["contexten"] if files.manifest else "?"


def _record(target: Target, files: Files) -> Check:
    wrong = [name for name in _hashed(files.record or b"") if not _true(target, files.record or b"", name)]
    return Check("RECORD tells the truth", bool(files.record) and not wrong, ", ".join(wrong) or str(target.record))


def _hashed(listed: bytes) -> Iterator[str]:
    return (name for name, (digest, _) in record.entries(listed).items() if digest and not name.startswith(".."))


def _true(target: Target, listed: bytes, name: str) -> bool:
    data = read(target.site_packages / name)
    return data is not None and record.matches(listed, name, data)


def _live(target: Target) -> Iterator[Check]:
    python = target.python or _interpreter(target.site_packages)
    if python is None:
        return
    done = subprocess.run(  # noqa: S603 - the interpreter that the package belongs to
        [str(python), "-c", _PROBE],
        capture_output=True,
        text=True,
        timeout=_PROBE_SECONDS,
        check=False,
        cwd=target.package,
    )
    try:
        seen = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        yield Check("the package can be imported", passed=False, detail=f"{python}: {reason}")
        return
    yield Check("the hooks are in effect", seen["hooks"] and seen["added"], seen["where"])
    yield Check("the public signatures are unchanged", seen["signatures"], "Agent, AgentTask")
    yield Check(
        "all import paths lead to one class", seen["one class"], "codegen, codegen.agents, codegen.agents.agent"
    )


def _interpreter(site_packages: Path) -> Path | None:
    roots = (site_packages.parents[2], site_packages.parents[1])
    return next((python for root in roots if (python := interpreter_in(root))), None)
