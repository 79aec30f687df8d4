"""All that a model can do: each tool by its name, with the arguments that it takes. There is no other way to act."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.engines.model.tools import changing, code, files, running
from contexten.engines.model.tools.finishing import Finish
from contexten.engines.model.tools.tool import Arguments, Place, Result, Tool, ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FINISH", "Arguments", "Place", "Result", "Tool", "ToolError", "tools_for"]

FINISH = Tool("finish", Finish, None)
"""Ends the run; the loop sees to it."""
_ALWAYS = (
    Tool("find", code.Find, code.find),
    Tool("uses", code.Uses, code.uses),
    Tool("context", code.Context, code.context),
    Tool("search", files.Search, files.search),
    Tool("list", files.List, files.list_folder),
    Tool("read", files.Read, files.read),
    Tool("edit", changing.Edit, changing.edit, changes=True),
    Tool("write", changing.Write, changing.write, changes=True),
    Tool("delete", changing.Delete, changing.delete, changes=True),
)
_RUN = Tool("run", running.Run, running.run, changes=True)


def tools_for(place: Place) -> dict[str, Tool]:
    """The tools that a model has there; without a sandbox it cannot run commands."""
    tools: Iterable[Tool] = (*_ALWAYS, _RUN, FINISH) if place.sandbox else (*_ALWAYS, FINISH)
    return {tool.name: tool for tool in tools}
