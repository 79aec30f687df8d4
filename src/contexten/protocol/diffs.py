"""What a run changed: a patch, and what it does to each file."""

from __future__ import annotations

from typing import Literal

from contexten.protocol.model import Model


class ChangedFile(Model):
    """What happened to one file."""

    path: str
    """Relative to the repository, with forward slashes."""
    status: Literal["added", "modified", "deleted", "renamed"] | str  # noqa: PYI051 - a newer server may know more
    insertions: int = 0
    """Lines."""
    deletions: int = 0
    """Lines."""
    binary: bool = False
    """Whether it has no lines to count."""
    previous: str | None = None
    """Its name before, when it was renamed."""
    omitted: bool = False
    """Whether its changes are too large to be in the patch."""


class AgentRunDiff(Model):
    """What a run has changed since it began, in its own copy of the repository."""

    agent_run_id: int
    turn: int
    """Number of the turn after which it was so."""
    branch: str | None = None
    """Branch of the run's copy; null when the repository is not git."""
    patch: str
    """In git's format, binary files included: `git apply` takes it."""
    files: list[ChangedFile]
    """By path."""
    insertions: int
    """Lines in all files."""
    deletions: int
    """Lines in all files."""
    truncated: bool = False
    """Whether the patch leaves changes out; `omitted` says of which files."""
