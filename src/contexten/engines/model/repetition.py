"""Notices a model that goes round in circles: the same calls with the same answers, over and over."""

from __future__ import annotations

import hashlib
import re
from collections import deque

ROUNDS = 4
"""How often a circle is gone round before it counts as one."""
_LONGEST = 3
"""Calls in a circle."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Repetition:
    """The last calls of a turn, as far as they tell whether it goes round in circles."""

    def __init__(self) -> None:
        self._last: deque[bytes] = deque(maxlen=_LONGEST * ROUNDS)

    def add(self, tool: str, arguments: str, answer: str) -> None:
        """Note a call and its answer, in which numbers do not count: a test run tells how long it took."""
        said = f"{tool}\n{arguments}\n{_NUMBER.sub('0', answer)}"
        self._last.append(hashlib.sha256(said.encode("utf-8", "replace")).digest())

    @property
    def found(self) -> bool:
        """Whether the last calls were a circle."""
        last = list(self._last)
        return any(self._is_circle(last, length) for length in range(1, _LONGEST + 1))

    @staticmethod
    def _is_circle(last: list[bytes], length: int) -> bool:
        if len(last) < length * ROUNDS:
            return False
        tail = last[-length * ROUNDS :]
        return tail == tail[:length] * ROUNDS
