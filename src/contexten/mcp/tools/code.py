"""Tools that ask the code index of a repository: what is where, who uses it, and what matters for a task."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, TypeVar

from pydantic import Field

from contexten.codebase.telling import likeness_lines, reference_lines, symbols_named
from contexten.mcp.answers import bounded
from contexten.mcp.tool import Arguments

if TYPE_CHECKING:
    from collections.abc import Callable

    from contexten.codebase import Codebase
    from contexten.mcp.tool import Call

T = TypeVar("T")
_LOOK = "Look for its words with code_context."
_NAME = Field(
    max_length=300,
    description="Name of a function, class, variable or module, or the end of its dotted name: Cart.add.",
)


class CodeArguments(Arguments):
    """Arguments of a question about code."""

    repository: str | None = Field(
        None, description="Repository, as list_repositories names it; the one that you work in when absent."
    )


class Overview(CodeArguments):
    """Show what a codebase consists of and which files matter most."""


class Symbol(CodeArguments):
    """Show what a symbol is, what it uses and who uses it."""

    name: str = _NAME


class References(CodeArguments):
    """List where a symbol is used."""

    name: str = _NAME
    kinds: list[Literal["read", "call", "write", "import", "base", "decorator", "annotation", "export"]] | None = Field(
        None, description="Only these kinds of use."
    )
    possible: bool = Field(False, description="Also uses that only the name tells.")


class Callers(CodeArguments):
    """List the calls of a function, and the calls of its callers."""

    name: str = _NAME
    depth: int = Field(1, ge=1, le=20, description="How many steps of calls to follow back.")


class Similar(CodeArguments):
    """List functions or classes that are about the same words as one, with a likeness from 0 to 1."""

    name: str = _NAME
    limit: int = Field(10, ge=1, le=100, description="How many.")


class Context(CodeArguments):
    """Show what of the codebase a task needs: the best definitions whole, others with their signature."""

    task: str = Field(min_length=1, max_length=20_000, description="What you want to know or do, in plain words.")
    caller: str | None = Field(None, max_length=1_000, description="Where the code goes: a path, path:line or a name.")
    budget_tokens: int = Field(4_000, ge=100, le=9_000, description="Length, at most.")


async def overview(call: Call, wanted: Overview) -> str:
    """What a codebase consists of."""
    from contexten.codebase import get_codebase_summary

    return bounded(await _asked(call, wanted, get_codebase_summary))


async def symbol(call: Call, wanted: Symbol) -> str:
    """What a symbol is."""
    from contexten.codebase import get_symbol_summary

    def answer(codebase: Codebase) -> str:
        return "\n\n".join(get_symbol_summary(each) for each in symbols_named(codebase, wanted.name, otherwise=_LOOK))

    return bounded(await _asked(call, wanted, answer))


async def references(call: Call, wanted: References) -> str:
    """Uses of a symbol."""

    def answer(codebase: Codebase) -> str:
        symbols = symbols_named(codebase, wanted.name, otherwise=_LOOK)
        found = {
            each: codebase.references(each, wanted.kinds or None, possible=wanted.possible)  # as contexten code refs
            for each in symbols
        }
        return "\n".join(reference_lines(found, "uses"))

    return bounded(await _asked(call, wanted, answer))


async def callers(call: Call, wanted: Callers) -> str:
    """Calls of a function."""

    def answer(codebase: Codebase) -> str:
        symbols = symbols_named(codebase, wanted.name, otherwise=_LOOK)
        return "\n".join(reference_lines({each: codebase.callers(each, wanted.depth) for each in symbols}, "calls"))

    return bounded(await _asked(call, wanted, answer))


async def similar(call: Call, wanted: Similar) -> str:
    """Symbols like one."""

    def answer(codebase: Codebase) -> str:
        first = symbols_named(codebase, wanted.name, otherwise=_LOOK)[0]
        return "\n".join(likeness_lines(first, codebase.similar(first, wanted.limit)))

    return bounded(await _asked(call, wanted, answer))


async def context(call: Call, wanted: Context) -> str:
    """What a task needs of the code."""

    def answer(codebase: Codebase) -> str:
        found = codebase.relevant_context(wanted.task, wanted.caller, wanted.budget_tokens)
        return str(found) if found.items else "Nothing in the code has to do with it. Name a function or a file."

    return bounded(await _asked(call, wanted, answer))


async def _asked(call: Call, wanted: CodeArguments, question: Callable[[Codebase], T]) -> T:
    """The answer of the index of a folder, as the folder is now; building it takes a moment the first time."""
    from contexten.engines.analyst import codebase_for

    folder = await call.access.code_folder(wanted.repository)
    await call.progress(f"reading {folder.name}")
    return await asyncio.to_thread(lambda: question(codebase_for(folder, call.access.cache)))
