"""What tools answer: JSON about runs, text about code, both of a length that a model can take."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from contexten._plain import clean, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contexten.protocol import AgentRun, LogEntry

LONGEST = 40_000
"""Characters of an answer: about as many as the programs that call tools take of one."""
_LONGEST_RESULT = 24_000
_LONGEST_PROMPT = 2_000
_LONGEST_IN_LIST = 300
_LONGEST_FIELD = 4_000
_ROOM = 38_000
"""Characters of the things in one answer that lists some."""
_FACTS = ("id", "status", "created_at", "prompt", "engine", "model", "repo_id", "turn", "summary", "result", "web_url")
_FIGURES = ("log_count", "input_tokens", "output_tokens", "cost_usd", "started_at", "finished_at")


def bounded(text: str) -> str:
    """The text without control characters, cut when it is too long, with a note."""
    text = clean(text)
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}\n[cut: these are the first {LONGEST} of {len(text)} characters. Ask for less.]"


def as_json(value: Any) -> str:
    """A value as JSON, readable."""
    return clean(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def facts(run: AgentRun, *, next_step: str | None = None) -> dict[str, Any]:
    """A run: what is known of it, but for what is empty."""
    found = {name: run.get(name) for name in (*_FACTS, *_FIGURES)}
    found["prompt"] = short(found["prompt"], _LONGEST_PROMPT)
    found["result"] = short(found["result"], _LONGEST_RESULT)
    found["summary"] = short(found["summary"], _LONGEST_IN_LIST)
    pulls = [{"url": pull.url, "title": pull.title} for pull in run.github_pull_requests or []]
    return _filled({**found, "github_pull_requests": pulls, "next": next_step})


def in_list(run: AgentRun) -> dict[str, Any]:
    """A run as one of many."""
    found = {name: run.get(name) for name in _FACTS if name != "result"}
    return _filled(found | {name: short(found[name], _LONGEST_IN_LIST) for name in ("prompt", "summary")})


def fitting(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Things of a list as they come, as many as there is room for, and at least one."""
    found: list[dict[str, Any]] = []
    room = _ROOM
    for item in items:
        room -= len(as_json(item))
        if found and room < 0:
            break
        found.append(item)
    return found


def of_log(entry: LogEntry) -> dict[str, Any]:
    """A log entry: what is in it, with long texts cut."""
    return _filled({name: _field(entry.get(name)) for name in entry.keys() if name != "agent_run_id"})  # noqa: SIM118 - no dict


def line(entry: LogEntry) -> str:
    """An entry in one line, for people who watch."""
    said = entry.observation if isinstance(entry.observation, str) and entry.observation else entry.thought or ""
    label = entry.tool_name or (entry.message_type or "").lower().replace("_", " ")
    return one_line(f"{label}: {said}", _LONGEST_IN_LIST)


def short(text: str | None, most: int) -> str | None:
    """The beginning of a text, with a note of how much there is; None stays None."""
    if text is None or len(text) <= most:
        return text
    return f"{text[:most]} [cut: {len(text)} characters in all]"


def _field(value: Any) -> Any:
    """A field of an entry; what is large in it becomes the beginning of its text."""
    if isinstance(value, str):
        return short(value, _LONGEST_FIELD)
    if isinstance(value, dict):
        text = json.dumps(value, ensure_ascii=False, default=str)
        return value if len(text) <= _LONGEST_FIELD else short(text, _LONGEST_FIELD)
    return value


def _filled(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value not in (None, "", [], {})}
