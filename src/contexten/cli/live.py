"""A run as it is seen while it goes on: one short line per log entry, the answer in full, a last line with the outcome."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from contexten._plain import clean, one_line
from contexten.cli.output import home_relative, room, styled, wrapped
from contexten.protocol import MessageType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contexten.protocol import AgentRun, LogEntry

_LABEL = 10
_RULE = "─" * 46
_PLAIN_LIMIT = 400
_MINUTE = 60
_MOVING = 56
"""Characters of a text on the moving line."""
_LABELS: dict[str, str] = {
    MessageType.PLAN_EVALUATION: "plan",
    MessageType.FINAL_ANSWER: "answer",
    MessageType.ERROR: "error",
    MessageType.USER_MESSAGE: "you",
    MessageType.AGENT_RUN_LINK: "link",
}
_WRITERS = frozenset({"model", "claude_code", "codex"})
"""Engines that work in a copy of the repository."""
_CODE = re.compile(r"`[^`\n]+`")


def heading(run: AgentRun, place: str | None) -> str:
    """The first line: which run, by what, where."""
    worker = " ".join(part for part in (run.get("engine"), run.get("model")) if part)
    parts = [f"run {run.id}", worker, place and home_relative(place), _branch(run, place)]
    return "  " + " · ".join(clean(part) for part in parts if part)


def _branch(run: AgentRun, place: str | None) -> str | None:
    """The branch of a run's own copy of a git repository on this machine; None when it has no copy, or it cannot be told."""
    is_git = run.get("engine") in _WRITERS and place is not None and (Path(place) / ".git").exists()
    return f"branch contexten/run-{run.id}" if is_git else None


class LiveLog:
    """A log as it is shown entry by entry."""

    def __init__(self) -> None:
        self._last = ""

    def lines(self, entry: LogEntry) -> Iterator[str]:
        """The lines that show the next entry; none for what only programs read, or repeats what was just shown."""
        if entry.message_type == MessageType.PLAN_EVALUATION and not (
            entry.thought or isinstance(entry.observation, str)
        ):
            return
        text = _text(entry)
        if entry.message_type != MessageType.ERROR or text.strip() != self._last:
            yield from _lines(entry, text)
        self._last = text.strip()

    def rest(self, result: str | None) -> Iterator[str]:
        """The lines of a result that was not the last thing shown."""
        if result and result.strip() != self._last:
            yield from answer_lines(result)


def _lines(entry: LogEntry, text: str) -> Iterator[str]:
    label = _label(entry)
    if entry.message_type == MessageType.FINAL_ANSWER:
        yield f"  {styled(f'{label:<{_LABEL}}', 'cyan')}{styled(_RULE, 'dim')}"
        yield from answer_lines(text)
        return
    if entry.message_type == MessageType.ERROR:  # in full: it says what to do next
        first, *more = wrapped(one_line(text), room(2 + _LABEL))
        yield f"  {styled(f'{label:<{_LABEL}}', 'red')}{first}".rstrip()
        yield from (f"  {'':<{_LABEL}}{line}" for line in more)
        return
    shown = one_line(text, room(2 + _LABEL) or _PLAIN_LIMIT)
    yield f"  {styled(f'{label:<{_LABEL}}', 'cyan')}{shown}".rstrip()


def last_words(text: str) -> str:
    """The end of a text that is still being said, as much as a moving line shows."""
    line = one_line(text)
    if len(line) <= _MOVING:
        return line
    end = line[-_MOVING:]
    return f"… {end[end.find(' ') + 1 :]}"


def answer_lines(text: str) -> Iterator[str]:
    """Markdown as it was written, indented; on a terminal prose is wrapped, and headings and code stand out."""
    fenced = False
    for line in clean(text).strip().split("\n"):
        fenced ^= line.lstrip().startswith("```")
        for part in [line] if fenced else wrapped(line, room(2)):
            shown = styled(part, "bold") if line.startswith("#") else _CODE.sub(_as_code, part)
            yield f"  {shown}".rstrip()


def _as_code(code: re.Match[str]) -> str:
    return styled(code[0], "cyan")


def outcome(run: AgentRun, see: str | None) -> str:
    """The last line: how it ended, how long it took, where to see it."""
    style = "green" if run.is_successful else "red"
    figures = clean(run.summary or "") if run.get("engine") in _WRITERS else ""
    parts = [styled(clean(str(run.status)).lower(), style) + _duration(run), figures, clean(see or "")]
    return "  " + " · ".join(part for part in parts if part)


def _label(entry: LogEntry) -> str:
    kind = entry.message_type or ""
    label = _LABELS.get(kind) or entry.tool_name or kind.lower().replace("_", " ")
    return one_line(label, _LABEL - 1)


def _text(entry: LogEntry) -> str:
    """What an entry says to people: engines put it into the observation, or else into the thought."""
    if isinstance(entry.observation, str) and entry.observation:
        return entry.observation
    return entry.thought or str(entry.observation or entry.tool_input or "")


def facts(run: AgentRun, place: str | None) -> Iterator[tuple[str, str]]:
    """Names and values that describe a run, without its result."""
    yield "run", f"{run.id} · {clean(str(run.status)).lower()}{_duration(run)}"
    yield "prompt", one_line(run.get("prompt", ""), room(12))
    yield "engine", " · ".join(clean(part) for part in (run.get("engine"), run.get("model")) if part)
    if place:
        yield "repo", home_relative(place)
    if tokens := run.get("input_tokens", 0) + run.get("output_tokens", 0):
        cost = run.get("cost_usd", 0.0)
        yield "used", f"{tokens:,} tokens{f' · ${cost:.4f}' if cost else ''}"
    yield "created", f"{age(run.created_at)} ago · turn {run.get('turn', 1)} · {_entries(run.get('log_count', 0))}"


def _entries(count: int) -> str:
    return "1 log entry" if count == 1 else f"{count} log entries"


def age(moment: str | None) -> str:
    """How long ago an ISO 8601 time was, as `40 s`, `3 min`, `5 h` or `12 d`; empty without a time."""
    if not moment:
        return ""
    seconds = max(0, int((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _duration(run: AgentRun) -> str:
    started, finished = run.get("started_at"), run.get("finished_at")
    if not (started and finished):
        return ""
    seconds = (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()
    return f" in {seconds:.1f} s" if seconds < _MINUTE else f" in {seconds:.0f} s"
