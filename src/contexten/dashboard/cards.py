"""A run as a card of the list shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contexten._plain import one_line
from contexten.dashboard.words import duration, figures, status_word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contexten.protocol import AgentRun

LONGEST_PROMPT = 240


@dataclass(frozen=True)
class Card:
    """What a card says of a run."""

    id: int
    word: str
    """Its status in a word."""
    tone: str
    """The tone of its status: idle, live, hold, good, bad or off."""
    ended: bool
    prompt: str
    worker: str
    """Engine and model."""
    repository: str
    created: str
    """ISO 8601, UTC; empty when it is not known."""
    started: str
    took: str
    """How long its newest turn took; empty while it goes on."""
    figures: str
    address: str
    """Where its server shows it, when that is not here."""
    turn: int = 1


def card_of(run: AgentRun, repositories: Mapping[int, str], here: str) -> Card:
    """The card of a run.

    Args:
        run: as the server describes it.
        repositories: names by id.
        here: origin of the dashboard, such as `http://127.0.0.1:8000`.
    """
    word, tone = status_word(run.status)
    address = run.web_url or ""
    return Card(
        id=run.id,
        word=word,
        tone=tone,
        ended=run.is_terminal,
        prompt=one_line(run.get("prompt") or run.summary or "(no prompt is known)", LONGEST_PROMPT),
        worker=" · ".join(one_line(part, 80) for part in (run.get("engine"), run.get("model")) if part),
        repository=repositories.get(run.get("repo_id") or 0, ""),
        created=run.created_at or "",
        started=run.get("started_at") or "",
        took=duration(run.get("started_at"), run.get("finished_at")) if run.is_terminal else "",
        figures=figures(run),
        address=address if address.startswith(("https://", "http://")) and not address.startswith(f"{here}/") else "",
        turn=run.get("turn") or 1,
    )
