"""The loop: ask the model, do what it calls for, tell it what came of it, until something ends the turn.

Each answer is written to the log before its calls are done, and each call when it is done. An attempt that comes after a
crash goes the same way from the log, asks and does nothing again, and goes on where the log ends.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from contexten.engines.model.ending import Ended
from contexten.engines.model.limits import Spent
from contexten.engines.model.repetition import ROUNDS, Repetition
from contexten.engines.model.said import MOST_CALLS, remembered
from contexten.engines.model.tools import FINISH, Result
from contexten.protocol import RunStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contexten.engines.base import Journal
    from contexten.engines.model.asking import Asked
    from contexten.engines.model.conversation import Conversation
    from contexten.engines.model.limits import Limits
    from contexten.engines.model.said import Call, Said
    from contexten.engines.model.toolbox import Toolbox
    from contexten.protocol import LogEntry

_MOST_EMPTY = 3
_SILENT = "You said nothing and called no tool. Go on with the task, or call finish."
_CUT_OFF = "Your answer was cut off at the longest that is allowed. Go on in smaller steps."
_GONE = (
    "The work was interrupted and goes on in another copy of the repository: what you have changed since you were given the "
    "task may not be in it. Look at what is there, and do again what is missing."
)
_NOT_KNOWN = (
    "The work was interrupted while this was being done, and whether it was done is not known. It was not done again. "
    "Look at what is there before you repeat it."
)


class Loop:
    """One turn of a run.

    Args:
        asked: the model.
        toolbox: what it can do.
        conversation: what was said so far.
        journal: the log of the turn.
        before: what earlier attempts of the turn wrote there.
        limits: what the turn may use up.
        lost: whether what earlier attempts changed may be gone.
    """

    def __init__(  # noqa: PLR0913 - the parts of a turn
        self,
        asked: Asked,
        toolbox: Toolbox,
        conversation: Conversation,
        journal: Journal,
        *,
        before: Mapping[str, LogEntry],
        limits: Limits,
        lost: bool = False,
    ) -> None:
        self.spent = Spent()
        self._asked = asked
        self._toolbox = toolbox
        self._conversation = conversation
        self._journal = journal
        self._before = before
        self._limits = limits
        self._repetition = Repetition()
        self._lost = lost and bool(before)
        self._empty = 0

    async def run(self) -> Ended:
        """Go on until the turn ends."""
        try:
            for number in count(1):
                await self._step(f"step-{number}")
        except Ended as ended:
            return ended
        raise AssertionError  # count() has no end

    async def _step(self, key: str) -> None:
        said = remembered(self._before.get(key)) or await self._query(key)
        self.spent.add(said.used)
        self._journal.spend(self.spent.usage)
        self._conversation.add(said)
        if said.calls:
            await self._execute(said, key)
        else:
            self._heard_no_call(said)

    async def _query(self, key: str) -> Said:
        self.spent.check(self._limits)
        if self._lost:
            self._lost = False
            self._conversation.answer((), _GONE)
        said = await self._asked.ask(self._conversation, self._journal.partial)
        await self._journal.add(said.entry(), key=key)
        return said

    async def _execute(self, said: Said, key: str) -> None:
        results: list[tuple[Call, Result]] = []
        uncertain = said.remembered
        for number, call in enumerate(said.calls, 1):
            entry = self._before.get(f"{key}.{number}")
            if call.tool == FINISH.name and (answer := self._toolbox.answer(call)) is not None:
                raise Ended(RunStatus.COMPLETE, answer)
            if entry is not None:
                result = self._toolbox.remembered(call, entry)
            else:
                result = await self._call(call, uncertain=uncertain)
                thought = said.text if number == 1 else None
                await self._journal.add(self._toolbox.entry(call, result, thought), key=f"{key}.{number}")
                uncertain = False
            self._repetition.add(call.tool, str(call.arguments), result.text)
            results.append((call, result))
        self._conversation.answer(results, _note(said))
        self._check_progress()

    async def _call(self, call: Call, *, uncertain: bool) -> Result:
        """Do a call. What may have been done by an attempt that did not live to say so is left alone."""
        if uncertain and self._toolbox.changes(call):
            return Result(_NOT_KNOWN, f"{call.tool}: interrupted, not done again", ok=False)
        return await self._toolbox.do(call)

    def _heard_no_call(self, said: Said) -> None:
        """Without a call an answer is the last word, unless there is none or it was cut off."""
        if said.text and said.ended != "length":
            raise Ended(RunStatus.COMPLETE, said.text)
        self._empty += 1
        if self._empty == _MOST_EMPTY:
            raise Ended(
                RunStatus.FAILED,
                f"The model gave {_MOST_EMPTY} answers without an end. Name another model with --model.",
            )
        self._conversation.answer((), _CUT_OFF if said.ended == "length" else _SILENT)

    def _check_progress(self) -> None:
        if self._repetition.found:
            said = (
                f"The model went round in circles: {ROUNDS} times the same calls with the same answers. Tell it more:"
            )
            raise Ended(RunStatus.FAILED, said, resumable=True)


def _note(said: Said) -> str:
    if said.dropped:
        return f"Only the first {MOST_CALLS} calls were done, and {said.dropped} were not. Make fewer in one answer."
    return _CUT_OFF if said.ended == "length" else ""
