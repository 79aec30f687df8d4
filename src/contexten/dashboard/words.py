"""Statuses, times and figures in the words that the pages use."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from contexten._plain import one_line
from contexten.protocol import RunStatus

if TYPE_CHECKING:
    from contexten.protocol import AgentRun, AgentRunDiff

_MINUTE, _HOUR = 60, 3600

WORDS: dict[str, tuple[str, str]] = {
    "PENDING": ("waiting", "idle"),
    "ACTIVE": ("running", "live"),
    "RUNNING": ("running", "live"),
    "EVALUATION": ("running", "live"),
    "RETRYING": ("tries again", "live"),
    "PAUSED": ("paused", "hold"),
    "WAITING": ("waits for you", "hold"),
    "COMPLETE": ("complete", "good"),
    "ERROR": ("error", "bad"),
    "FAILED": ("failed", "bad"),
    "TIMEOUT": ("timed out", "bad"),
    "MAX_ITERATIONS_REACHED": ("out of steps", "bad"),
    "OUT_OF_TOKENS": ("out of tokens", "bad"),
    "CANCELLED": ("cancelled", "off"),
    "STOPPED": ("stopped", "off"),
    "SKIPPED": ("skipped", "off"),
}
"""What each status is called, and in which tone it is shown."""

GROUPS: dict[str, tuple[str, ...]] = {
    "going": ("PENDING", "ACTIVE", "RUNNING", "EVALUATION", "PAUSED"),
    "complete": ("COMPLETE",),
    "failed": ("ERROR", "FAILED", "TIMEOUT", "MAX_ITERATIONS_REACHED", "OUT_OF_TOKENS"),
    "stopped": ("CANCELLED", "STOPPED"),
}
"""The statuses that people look for together."""


def status_word(status: str | None) -> tuple[str, str]:
    """The word for a status, and the tone: idle, live, hold, good, bad or off."""
    known = str(RunStatus.parse(status or "PENDING"))
    return WORDS.get(known.upper(), (one_line(known, 30).lower().replace("_", " "), "idle"))


def duration(started: str | None, finished: str | None) -> str:
    """How long something took, such as `0.3 s`, `4 min 10 s`; empty when it has not ended."""
    if not (started and finished):
        return ""
    seconds = max(0.0, (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds())
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), _MINUTE)
    return f"{minutes} min {rest} s" if seconds < _HOUR else f"{minutes // 60} h {minutes % 60} min"


def money(dollars: float) -> str:
    """US dollars, with more digits where there is less of them."""
    if not dollars:
        return ""
    return f"${dollars:.2f}" if dollars >= 0.01 else f"${dollars:.4f}"  # noqa: PLR2004 - a cent


def figures(run: AgentRun) -> str:
    """What a run came to in one line: what its engine says of it, else what it cost."""
    said = one_line(run.summary or "", 160)
    cost = money(run.get("cost_usd", 0.0))
    return " · ".join(part for part in (said, "" if cost and cost in said else cost) if part)


def tokens(run: AgentRun) -> str:
    """How many tokens models read and wrote; empty when none."""
    count = run.get("input_tokens", 0) + run.get("output_tokens", 0)
    return f"{count:,} tokens" if count else ""


def changed(diff: AgentRunDiff) -> str:
    """How much was changed: files, lines added, lines removed."""
    count = len(diff.files)
    return f"{count} file{'' if count == 1 else 's'}, +{diff.insertions} \u2212{diff.deletions}"
