"""Reading one clause of a prompt: which wording it matches, and in which words it names its subject."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from contexten.engines.analyst.understanding.wordings import ASPECT, ASPECT_OPENING, ASPECTS, WORDINGS

if TYPE_CHECKING:
    from contexten.engines.analyst.understanding.intents import Intent


@dataclass(frozen=True, slots=True)
class Reading:
    """How a clause was read."""

    intent: Intent | None
    subject: str = ""
    """The plain words in which it names its subject; may be empty."""
    other: str = ""
    """The words for the second of two things that may be related."""
    detail: str = ""
    """Which aspect of a body is asked, or what is to be counted."""


def read_clause(clause: str) -> Reading:
    """Find out what a clause asks. Its literals are marks, and it has no punctuation at its ends."""
    for intent, pattern in _patterns():
        if pattern.pattern == ASPECT:
            if aspect := read_aspect(clause):
                return Reading(intent, detail=aspect)
        elif match := pattern.search(clause):
            return Reading(intent, _group(match, "s"), _group(match, "other"), _group(match, "what"))
    return Reading(None)


@cache
def _patterns() -> tuple[tuple[Intent, re.Pattern[str]], ...]:
    return tuple((intent, re.compile(row, re.IGNORECASE)) for intent, rows in WORDINGS for row in rows)


@cache
def _aspects() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((name, re.compile(row, re.IGNORECASE)) for name, row in ASPECTS)


def read_aspect(clause: str) -> str:
    """Which aspect of a body a clause asks about; empty when none."""
    if not re.search(ASPECT_OPENING, clause, re.IGNORECASE):
        return ""
    return next((name for name, pattern in _aspects() if pattern.search(clause)), "")


def _group(match: re.Match[str], prefix: str) -> str:
    return next((text.strip() for name, text in match.groupdict().items() if name.startswith(prefix) and text), "")
