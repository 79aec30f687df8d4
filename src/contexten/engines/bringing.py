"""What a new copy of a repository begins with beside what is on disk: what other runs changed, and what its own run has so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.engines.applying import apply_patch, is_applied
from contexten.errors import EngineError

if TYPE_CHECKING:
    from pathlib import Path

    from contexten.engines.base import Earlier
    from contexten.engines.changes import Changes


def take_over(earlier: Earlier, work: Path) -> None:
    """Bring about what an earlier run changed on which this one builds. Blocking.

    Raises:
        EngineError: it is too large, or does not fit.
    """
    number = earlier.run_id
    _bring_about(
        earlier.changes,
        work,
        too_large=f"What run {number} changed, which this run builds on, is too large to be taken over.",
        misfit=f"This run builds on run {number}, whose changes do not fit any more.",
    )


def bring_own(changes: Changes, run_id: int, work: Path) -> None:
    """Bring about what a run itself has changed so far. Blocking.

    Raises:
        EngineError: it is too large, or does not fit.
    """
    said = f"This worker has no copy of run {run_id}, and what the run has changed"
    kept = f"It is kept: contexten runs diff {run_id}."
    _bring_about(
        changes,
        work,
        too_large=f"{said} is too large to be brought into a new one. {kept}",
        misfit=f"{said} does not fit the repository as it is here. {kept}",
    )


def _bring_about(changes: Changes, work: Path, *, too_large: str, misfit: str) -> None:
    """Apply changes to a new copy, unless they are there already."""
    if changes.truncated:
        raise EngineError(too_large)
    if changes and not is_applied(changes.patch, work):
        try:
            apply_patch(changes.patch, work, changes.paths)
        except EngineError as error:
            raise EngineError(f"{misfit} {error}") from error
