"""What a coding agent's stream comes down to, whichever agent it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from contexten.engines.base import Usage
from contexten.protocol import MessageType, NewLogEntry, RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Began:
    """The agent has a session, under which it can be asked to go on later."""

    session: str
    model: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """The agent has ended its turn."""

    status: RunStatus
    text: str
    """The answer, or why there is none."""
    usage: Usage = field(default_factory=Usage)
    """Of this turn; or of the whole session, for a program that counts so."""
    lost: bool = False
    """Whether it ended because the session that it should go on with is not there."""


Told = Began | NewLogEntry | Ended


class Reader(Protocol):
    """Understands the stream of one turn."""

    def take(self, message: Mapping[str, Any]) -> Iterable[Told]:
        """What a message of the stream tells; nothing when it is of no use, or of a kind that is not known."""
        ...

    def rest(self) -> Iterable[NewLogEntry]:
        """What was begun and did not come to an end when the stream was cut."""
        ...

    def failure(self, said: str) -> Ended | None:
        """How the turn ended when the program stopped without telling, from what it said on its standard error."""
        ...


def thought(text: str) -> NewLogEntry:
    """What the agent says or thinks on its way."""
    return NewLogEntry(message_type=MessageType.PLAN_EVALUATION, thought=text)


def tool_call(name: str, given: Mapping[str, Any] | None, observed: str | None, **output: Any) -> NewLogEntry:
    """A call of a tool and what came of it; None when nothing did."""
    return NewLogEntry(
        message_type=MessageType.ACTION,
        tool_name=name,
        tool_input=None if given is None else dict(given),
        tool_output={key: value for key, value in output.items() if value is not None} or None,
        observation=observed,
    )


def text_in(value: object, *path: str) -> str:
    """The text at a place in nested objects; empty when there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def count_in(value: object, *path: str) -> int:
    """The number at a place in nested objects; 0 when there is none that counts anything."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else 0


def objects_in(value: object) -> list[dict[str, Any]]:
    """The objects in a list; none when it is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
