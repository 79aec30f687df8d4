"""Applying and reverting: a list of steps, each of which is done whole or not at all.

The order makes every interruption harmless. RECORD lists our files from before the first is there until after the last
is gone, so an uninstall always takes everything along. The agent file, which alone puts the overlay into effect, comes
after all that it needs, and goes back before any of that is removed; its own entry in RECORD follows it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contexten.errors import CodegenNotFoundError, OverlayError, PackageEditedError
from contexten.overlay import block, contents, files, inspection, record
from contexten.overlay.lock import locked
from contexten.overlay.state import Files, State, Status, command, diagnose, status
from contexten.telemetry import events

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contexten.overlay.target import Target


@dataclass(frozen=True)
class Step:
    """One change: a file gets this content, or, without content, a file or an empty folder goes away."""

    path: Path
    data: bytes | None = None
    like: Path | None = None
    folder: bool = False

    def do(self) -> None:
        """Make the change; once made, making it again changes nothing."""
        if self.data is not None:
            files.make_folder(self.path.parent)
            files.put(self.path, self.data, self.like)
        elif self.folder:
            files.remove_folder(self.path)
        else:
            files.remove(self.path)
            files.remove_compiled(self.path)

    def changes(self) -> bool:
        """Whether the file or folder is not so already."""
        if self.data is not None:
            return files.read(self.path) != self.data
        return self.path.exists()


@dataclass(frozen=True)
class Outcome:
    """What was done, or would be."""

    changed: bool
    before: State
    steps: tuple[Step, ...]
    status: Status


def apply(target: Target, *, force: bool = False, dry_run: bool = False) -> Outcome:
    """Put the overlay into effect; a package that has it whole already is left alone.

    Args:
        target: the package.
        force: go on although somebody edited files. Edits of `agents/agent.py` are kept, those of our own files not.
        dry_run: change nothing.

    Raises:
        OverlayError: the package cannot be changed, and was not.
    """
    with locked(target):
        found = Files.of(target)
        state, problems = diagnose(target, found)
        if state is State.LEFTOVERS:
            tidy = command("revert", target)
            raise CodegenNotFoundError(f"Codegen package not found; files of the overlay were left behind. Run: {tidy}")
        inspection.check_version(target)
        _check_edits(state, problems, force=force)
        steps = () if state is State.APPLIED else _needed(_apply_steps(target, found))
        if not dry_run and steps:
            _do_or_undo(target, steps)
            events.emit(events.EventType.OVERLAY_APPLIED, package=str(target.package), codegen=target.version)
        return Outcome(bool(steps) and not dry_run, state, steps, status(target))


def revert(target: Target, *, force: bool = False, dry_run: bool = False) -> Outcome:
    """Give the package back as it was, byte for byte, and take our files away.

    Args:
        target: the package, or what an uninstall has left of it.
        force: go on although somebody edited files; the edits are lost.
        dry_run: change nothing.

    Raises:
        OverlayError: the package cannot be changed, and was not.
    """
    with locked(target):
        found = Files.of(target)
        state, problems = diagnose(target, found)
        blocked = found.agent is not None and block.has_block(found.agent)
        if state is State.EDITED and blocked:
            _check_edits(state, problems, force=force)
        steps = () if state is State.ABSENT else _needed(_revert_steps(target, found))
        if steps:
            inspection.check_writable(target)
        if not dry_run:
            _do_or_tell(steps)
        return Outcome(bool(steps) and not dry_run, state, steps, status(target))


def _apply_steps(target: Target, found: Files) -> Iterator[Step]:
    original = _original(target, found, keep_edits=True)
    inspection.check_structure(target, original)
    listed = inspection.check_record(target)
    inspection.check_writable(target)
    enhanced = block.enhanced(original)
    manifest = contents.manifest(target.version, original, enhanced, _entry_before(target, found, original))
    payload = {target.payload / name: data for name, data in contents.payload().items()}
    manifest_file = target.payload / contents.MANIFEST
    ours = _entries(target, payload | {manifest_file: manifest, target.backup: original})
    recorded = record.with_entries(_without_ours(target, listed), ours)

    yield from (Step(path) for path in found.strays)
    yield Step(_record(target), recorded)
    if any(files.read(path) != data for path, data in payload.items()):
        yield Step(target.agent, original)
    yield from (Step(path, data, target.agent) for path, data in payload.items())
    yield from (Step(target.payload / name) for name in found.payload if name not in contents.payload())
    yield Step(target.backup, original, target.agent)
    yield Step(target.agent, enhanced)
    yield Step(manifest_file, manifest, target.agent)
    yield Step(_record(target), record.with_entries(recorded, _entries(target, {target.agent: enhanced})))


def _revert_steps(target: Target, found: Files) -> Iterator[Step]:
    recorded = found.record
    if found.agent is not None:
        original = _original(target, found, keep_edits=False)
        yield Step(target.agent, original)
        if recorded:
            name = target.name_in_record(target.agent)
            recorded = record.with_entries(recorded, {name: _entry_before(target, found, original)})
            yield Step(_record(target), recorded)
    yield Step(target.backup)
    yield from (Step(path) for path in found.strays)
    yield from (Step(path) for path in sorted(target.payload.glob("*.py")))
    yield Step(target.payload / contents.MANIFEST)
    yield Step(target.payload, folder=True)
    if target.metadata is None:
        yield from (Step(folder, folder=True) for folder in (target.agent.parent, target.package))
    if recorded:
        yield Step(_record(target), _without_ours(target, recorded))


def _entries(target: Target, contents_by_path: dict[Path, bytes]) -> dict[str, bytes]:
    named = {target.name_in_record(path): data for path, data in contents_by_path.items()}
    return {name: record.line(name, data) for name, data in named.items()}


def _entry_before(target: Target, found: Files, original: bytes) -> bytes:
    """The agent file's entry in RECORD as the package's installer wrote it."""
    name = target.name_in_record(target.agent)
    if found.manifest and found.manifest["original"] == files.sha256(original):
        return str(found.manifest["record_entry"]).encode()
    written = record.entry(found.record or b"", name)
    if written is None or written == record.line(name, block.enhanced(original)):
        return record.line(name, original)
    return written


def _needed(steps: Iterator[Step]) -> tuple[Step, ...]:
    """The steps of those files and folders that are to change; all steps of a file, or none."""
    chosen = list(steps)
    changing = {step.path for step in chosen if step.changes()}
    return tuple(step for step in chosen if step.path in changing)


def _do(steps: tuple[Step, ...]) -> None:
    for step in steps:
        step.do()


def _do_or_tell(steps: tuple[Step, ...]) -> None:
    try:
        _do(steps)
    except OSError as error:
        raise OverlayError(
            f"the overlay could not be taken out wholly ({error}). Mend that and revert again."
        ) from error


def _do_or_undo(target: Target, steps: tuple[Step, ...]) -> None:
    try:
        _do(steps)
    except (OSError, OverlayError) as error:
        with suppress(OSError, OverlayError):
            _do(_needed(_revert_steps(target, Files.of(target))))
        state, _ = diagnose(target, Files.of(target))
        raise OverlayError(f"the overlay could not be written ({error}). The package is now: {state}.") from error


def _check_edits(state: State, problems: list[str], *, force: bool) -> None:
    if state is State.EDITED and not force:
        raise PackageEditedError(
            f"{'; '.join(problems)}. Go on with --force: apply keeps edits of agent.py, revert drops them. "
            "Or install the package anew: pip install --force-reinstall --no-deps codegen"
        )


def _original(target: Target, found: Files, *, keep_edits: bool) -> bytes:
    """The agent file without the overlay: with edits made since, or as it was before."""
    if found.agent is None:
        inspection.check_structure(target, None)
    source = found.agent or b""
    kept = block.without_block(source) if keep_edits and block.has_block(source) else None
    original = kept if kept is not None else found.original
    if original is None:
        raise PackageEditedError(
            f"{target.agent} was edited inside the overlay's block, and {target.backup} does not hold the original. "
            f'Install the package anew: pip install --force-reinstall --no-deps "codegen=={target.version}"'
        )
    return original


def _without_ours(target: Target, listed: bytes) -> bytes:
    prefix = target.name_in_record(target.payload) + "/"
    backup = target.name_in_record(target.backup)
    return record.without_files(
        listed, {path for path in record.entries(listed) if path.startswith(prefix) or path == backup}
    )


def _record(target: Target) -> Path:
    assert target.record is not None  # noqa: S101 - only a package with metadata comes this far
    return target.record
