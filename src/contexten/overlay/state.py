"""Where an installed package stands with the overlay, read from its files alone."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from contexten._version import __version__
from contexten.overlay import block, contents, record
from contexten.overlay.files import SUFFIX, read, sha256

if TYPE_CHECKING:
    from pathlib import Path

    from contexten.overlay.target import Target


class State(StrEnum):
    """Where the package stands."""

    ABSENT = "absent"
    APPLIED = "applied"
    OUTDATED = "outdated"
    STALE = "stale"
    INTERRUPTED = "interrupted"
    EDITED = "edited"
    LEFTOVERS = "leftovers"


_MEANING = {
    State.ABSENT: "the overlay is not applied",
    State.APPLIED: "the overlay is applied and whole",
    State.OUTDATED: "the overlay of another version of contexten is applied",
    State.STALE: "codegen was installed anew over the overlay, which is no longer in effect",
    State.INTERRUPTED: "the overlay is half-applied: an apply or revert was cut off, or its files were restored by hand",
    State.EDITED: "files were edited by someone else",
    State.LEFTOVERS: "codegen was uninstalled, and files of the overlay were left behind",
}

_NEXT = {
    State.ABSENT: ("apply",),
    State.APPLIED: ("verify", "revert"),
    State.OUTDATED: ("apply",),
    State.STALE: ("apply", "revert"),
    State.INTERRUPTED: ("apply", "revert"),
    State.EDITED: ("apply --force", "revert --force"),
    State.LEFTOVERS: ("revert",),
}


@dataclass(frozen=True)
class Status:
    """What was found; `next` has the commands that lead on."""

    state: State
    meaning: str
    next: tuple[str, ...]
    package: str
    codegen: str
    contexten: str
    applied_by: str | None = None
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Files:
    """All that the state is read from, read once."""

    agent: bytes | None
    backup: bytes | None
    manifest: dict[str, Any] | None
    payload: dict[str, bytes]
    record: bytes | None
    strays: tuple[Path, ...]

    @classmethod
    def of(cls, target: Target) -> Files:
        """Read the package's files."""
        payload = {path.name: read(path) or b"" for path in sorted(target.payload.glob("*.py"))}
        strays = sorted(path for path in target.package.glob(f"*/*{SUFFIX}")) if target.package.is_dir() else []
        if target.metadata:
            strays += sorted(target.metadata.glob(f"*{SUFFIX}"))
        return cls(
            agent=read(target.agent),
            backup=read(target.backup),
            manifest=contents.read_manifest(read(target.payload / contents.MANIFEST)),
            payload=payload,
            record=read(target.record) if target.record else None,
            strays=tuple(strays),
        )

    @property
    def original(self) -> bytes | None:
        """The agent file as it was before the overlay; None when that can no longer be told."""
        if self.agent is None or not block.has_block(self.agent):
            return self.agent
        stripped = block.without_block(self.agent)
        wanted = self.manifest["original"] if self.manifest else None
        for candidate in (self.backup, stripped):
            if candidate is not None and sha256(candidate) == wanted:
                return candidate
        return stripped


def status(target: Target) -> Status:
    """Where a package stands with the overlay."""
    files = Files.of(target)
    state, problems = diagnose(target, files)
    return Status(
        state=state,
        meaning=_MEANING[state],
        next=tuple(command(verb, target) for verb in _NEXT[state]),
        package=str(target.package),
        codegen=target.version,
        contexten=__version__,
        applied_by=files.manifest["contexten"] if files.manifest else None,
        problems=problems,
    )


def command(verb: str, target: Target) -> str:
    """A command line of the overlay for this package."""
    where = ("--python", target.python) if target.python else ("--target", target.site_packages)
    return f"contexten overlay {verb} {where[0]} {shlex.quote(str(where[1]))}"


def diagnose(target: Target, files: Files) -> tuple[State, list[str]]:
    """The state, and what is wrong in words."""
    if target.metadata is None:
        return State.LEFTOVERS, [f"{path} is left" for path in (target.payload, target.backup) if path.exists()]
    if files.agent is not None and block.has_block(files.agent):
        return _with_block(target, files)
    return _without_block(target, files)


def _with_block(target: Target, files: Files) -> tuple[State, list[str]]:
    edited = _edited(target, files)
    if edited:
        return State.EDITED, edited
    missing = _missing(target, files)
    if missing:
        return State.INTERRUPTED, missing
    same = files.manifest is not None and files.manifest["payload"] == contents.fingerprint()
    return (State.APPLIED if same else State.OUTDATED), []


def _without_block(target: Target, files: Files) -> tuple[State, list[str]]:
    facts, ours = files.manifest, _traces(target, files)
    if not ours:
        return (State.ABSENT, []) if _as_installed(target, files) else (State.EDITED, [_foreign(target)])
    if facts and (facts["codegen"] != target.version or facts["original"] != sha256(files.agent or b"")):
        return State.STALE, [f"the overlay was applied to codegen {facts['codegen']}", *ours]
    return State.INTERRUPTED, ours


def _traces(target: Target, files: Files) -> list[str]:
    traces = [f"{path} is there" for path in (target.payload, target.backup, *files.strays) if path.exists()]
    prefix = target.name_in_record(target.payload) + "/"
    if files.record and any(path.startswith(prefix) for path in record.entries(files.record)):
        traces.append(f"{target.record} lists files of the overlay")
    return traces


def _missing(target: Target, files: Files) -> list[str]:
    facts = files.manifest
    if facts is None:
        return [f"{target.payload / contents.MANIFEST} is missing or broken"]
    missing = [
        f"{target.payload / name} is missing or of another version"
        for name, wanted in facts["files"].items()
        if sha256(files.payload.get(name, b"")) != wanted
    ]
    if sha256(files.agent or b"") != facts["enhanced"]:
        missing.append(f"{target.agent} is of another version")
    if sha256(files.backup or b"") != facts["original"]:
        missing.append(f"{target.backup} is missing or changed")
    if not _as_installed(target, files):
        missing.append(f"{target.record} is not up to date")
    return [*missing, *(f"{path} is left of an interrupted write" for path in files.strays)]


def _edited(target: Target, files: Files) -> list[str]:
    """What is neither as the manifest has it nor as this version of the overlay writes it."""
    facts = files.manifest or {"files": {}, "enhanced": "", "original": ""}
    edited = []
    if sha256(files.agent or b"") != facts["enhanced"] and not _ours(files):
        edited.append(f"{target.agent} was edited after the overlay was applied")
    for name, data in files.payload.items():
        if files.manifest and sha256(data) != facts["files"].get(name) and data != contents.payload().get(name):
            edited.append(f"{target.payload / name} was edited")
    return edited


def _ours(files: Files) -> bool:
    original = block.without_block(files.agent or b"")
    backed_up = files.backup is None or files.backup == original
    return original is not None and backed_up


def _as_installed(target: Target, files: Files) -> bool:
    if files.agent is None or files.record is None:
        return True  # the structure check has the better words for it
    return record.matches(files.record, target.name_in_record(target.agent), files.agent)


def _foreign(target: Target) -> str:
    return f"{target.agent} is not as codegen {target.version} has it: somebody edited it"
