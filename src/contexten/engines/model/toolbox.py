"""Doing the calls of a model: the tool is looked up, its arguments are checked, it works, and whatever happens is told."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from pydantic import ValidationError

from contexten.engines.model.providers import without_secrets
from contexten.engines.model.said import sendable
from contexten.engines.model.tools import FINISH, Result, tools_for
from contexten.engines.model.tools.finishing import Finish
from contexten.errors import CodebaseError, EngineError
from contexten.protocol import MessageType, NewLogEntry
from contexten.telemetry import metrics, names, tracing

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from contexten.engines.model.said import Call
    from contexten.engines.model.tools import Arguments, Place, Tool
    from contexten.protocol import LogEntry

_LONGEST_COMPLAINT = 1_000


class Toolbox:
    """The tools of one run.

    Args:
        place: where they work.
        threads: where those work that block.
    """

    def __init__(self, place: Place, threads: Executor) -> None:
        self.tools = tools_for(place)
        self._place = place
        self._threads = threads

    def changes(self, call: Call) -> bool:
        """Whether a call may change something."""
        tool = self.tools.get(call.tool)
        return tool is not None and tool.changes

    def answer(self, call: Call) -> str | None:
        """The answer in a call of `finish`; None when there is none in it."""
        arguments = _checked(FINISH, call)
        return arguments.answer if isinstance(arguments, Finish) else None

    async def do(self, call: Call) -> Result:
        """Do a call. What goes wrong is a result as well: the model is told and goes on."""
        tool = self.tools.get(call.tool)
        if tool is None:
            return _failed(call, f"There is no tool {call.tool!r}. Your tools are {', '.join(self.tools)}.")
        arguments = _checked(tool, call)
        if isinstance(arguments, str):
            return _failed(call, arguments)
        began = perf_counter()
        with tracing.execute_tool(tool.name):
            result = await self._work(tool, call, arguments)
        result = replace(result, text=sendable(result.text), line=sendable(result.line))
        metrics.registry.observe(names.EXECUTE_TOOL_SECONDS, perf_counter() - began, {"gen_ai_tool_name": tool.name})
        return result

    async def _work(self, tool: Tool, call: Call, arguments: Arguments) -> Result:
        if tool.work is None:
            return _failed(call, "This tool ends the run, with an answer.")
        try:
            result: Result
            if inspect.iscoroutinefunction(tool.work):
                result = await tool.work(self._place, arguments)
            else:
                loop = asyncio.get_running_loop()
                result = await loop.run_in_executor(self._threads, tool.work, self._place, arguments)
        except (EngineError, CodebaseError, ValueError) as error:  # a name or a command that no system can take
            return _failed(call, str(error))
        except OSError as error:
            return _failed(call, f"{error.strerror or type(error).__name__}.")
        return result

    @staticmethod
    def entry(call: Call, result: Result, thought: str | None) -> NewLogEntry:
        """What the log keeps of a call."""
        return NewLogEntry(
            message_type=MessageType.ACTION,
            thought=thought or None,
            tool_name=call.tool,
            tool_input=call.arguments or {},
            tool_output={**result.data, "ok": result.ok, "answer": result.text},
            observation=result.line,
        )

    def remembered(self, call: Call, entry: LogEntry) -> Result:
        """What came of a call that an earlier attempt of the turn did."""
        data = dict(entry.tool_output or {})
        text, ok = str(data.pop("answer", "")), bool(data.pop("ok", False))
        self._place.tests = data.get("tests") or self._place.tests
        return Result(text, str(entry.observation or call.tool), ok, data)


def _checked(tool: Tool, call: Call) -> Arguments | str:
    """The arguments of a call, or what is wrong with them."""
    if call.arguments is None:
        return "The arguments are no JSON object, or longer than is allowed. Make the call again with less in it."
    try:
        return tool.arguments.model_validate(call.arguments)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}" for each in error.errors())
        return f"The arguments cannot be used: {wrong[:_LONGEST_COMPLAINT]}"


def _failed(call: Call, why: str) -> Result:
    said = sendable(without_secrets(why))
    return Result(f"Error: {said}", " ".join(f"{call.tool}: {said}".split()), ok=False)
