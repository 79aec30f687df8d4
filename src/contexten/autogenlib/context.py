"""What generated code should know of the codebase that it becomes part of."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.autogenlib.request import CallerContext, GenerationRequest

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from contexten.codebase import Codebase, Symbol

FRESH = 1.0
"""Seconds for which the codebase is not looked at again."""
_MOST = 40
_RELATED = 8


@dataclass(frozen=True, slots=True)
class CodebaseContext:
    """What is known, as text for prompts."""

    existing_symbols: tuple[str, ...] = ()
    """Signatures in the target module, when it is part of the codebase."""
    imports: tuple[str, ...] = ()
    """Modules that the target imports."""
    dependencies: tuple[str, ...] = ()
    """Files of the codebase that the target imports from."""
    caller_symbols: tuple[str, ...] = ()
    """Signatures in the file that asks."""
    usage_patterns: tuple[str, ...] = ()
    """Lines that use the wanted names, with their places."""
    related_functions: tuple[str, ...] = ()
    """Functions about the same, with their places."""
    patterns: tuple[str, ...] = ()
    """How this codebase is written."""
    text: str = field(default="", repr=False)
    """The definitions that matter most, as source."""
    sources: tuple[str, ...] = ()
    """Where those are: `path:line`."""
    relevance: float = 0.0
    """How much the first of them matters for the task, from 0 to 1."""


class ContextEngine:
    """Asks a codebase, which is read when it is first needed.

    Args:
        codebase_path: the project's folder.
        budget_tokens: length of the text of a context.
    """

    def __init__(self, codebase_path: str | os.PathLike[str], budget_tokens: int = 4000) -> None:
        self._root, self._budget = Path(codebase_path).resolve(), budget_tokens
        self._codebase: Codebase | None = None
        self._looked_at = 0.0
        self._lock = threading.Lock()

    async def analyze_context(
        self, module_path: str, function_name: str, caller_context: CallerContext | None = None, description: str = ""
    ) -> CodebaseContext:
        """What is known for a name of a module.

        Raises:
            CodebaseError: the project's folder cannot be read.
        """
        request = GenerationRequest(module_path, function_name, caller_context or CallerContext())
        return await asyncio.to_thread(self.context_for, request, description)

    def enhance_prompt(
        self,
        base_prompt: str,
        codebase_context: CodebaseContext | None = None,
        caller_context: CallerContext | None = None,
    ) -> str:
        """A prompt with what is known, as `PromptEnhancer` makes it."""
        from contexten.autogenlib.prompts import PromptEnhancer

        return PromptEnhancer().enhance_prompt(base_prompt, codebase_context, caller_context)

    def context_for(
        self, request: GenerationRequest, description: str = "", budget_tokens: int | None = None
    ) -> CodebaseContext:
        """The same for a request, synchronously.

        Args:
            request: what is wanted.
            description: what the code is for.
            budget_tokens: length of the text, when it is not the engine's own.
        """
        codebase = self._read()
        target = _file_of(codebase, request.module_path)
        imports = codebase.imports(target) if target else []
        caller = self._inside(codebase, request.caller_context.file_path)
        found = codebase.relevant_context(
            _wanted(request, description), caller, self._budget if budget_tokens is None else budget_tokens
        )
        near = [item.symbol for item in found.items if item.symbol.kind in {"function", "method"}]
        return CodebaseContext(
            existing_symbols=_signatures(codebase, target),
            imports=tuple(dict.fromkeys(each.module for each in imports))[:_MOST],
            dependencies=tuple(sorted({each.target for each in imports if each.target})),
            caller_symbols=_signatures(codebase, caller),
            usage_patterns=_usages(codebase, request.names),
            related_functions=tuple(f"{each.signature}  # {each.location}" for each in near[:_RELATED]),
            patterns=_patterns(near or _functions(codebase)),
            text=found.text,
            sources=tuple(item.symbol.location for item in found.items),
            relevance=max((item.score for item in found.items), default=0.0),
        )

    def modules(self) -> frozenset[str]:
        """Top-level modules of the project itself."""
        named = (file.module.partition(".")[0] for file in self._read().files if file.module)
        return frozenset(name for name in named if name)

    def _read(self) -> Codebase:
        from contexten.codebase import Codebase

        with self._lock:
            if self._codebase is None:
                self._codebase = Codebase.from_path(self._root)
            elif time.monotonic() - self._looked_at > FRESH:
                self._codebase.refresh()
            self._looked_at = time.monotonic()
            return self._codebase

    def _inside(self, codebase: Codebase, path: str) -> str | None:
        """A path as the codebase names it; None for a file that is none of its."""
        if not path:
            return None
        full = Path(path) if Path(path).is_absolute() else self._root / path
        try:
            relative = full.resolve().relative_to(self._root).as_posix()
        except ValueError:
            return None
        return relative if codebase.file(relative) else None


def _wanted(request: GenerationRequest, description: str) -> str:
    """In words; a module that is named after its task says nothing by its name."""
    named = [*request.names, request.module_path.replace(".", " ")] if request.names else []
    return " ".join([*named, request.task, description]).strip()


def _file_of(codebase: Codebase, module: str) -> str | None:
    ending = module.replace(".", "/") + ".py"
    return next(
        (file.path for file in codebase.files if file.module == module or file.path.endswith(f"/{ending}")), None
    )


def _signatures(codebase: Codebase, path: str | None) -> tuple[str, ...]:
    symbols: Iterable[Symbol] = codebase.symbols_in(path) if path else ()
    return tuple(each.signature or each.name for each in symbols if each.parent is None)[:_MOST]


def _usages(codebase: Codebase, names: Iterable[str]) -> tuple[str, ...]:
    found = [
        each for name in names for each in codebase.search_text(rf"\b{name}\b", regex=True, ignore_case=False, limit=10)
    ]
    return tuple(f"{each.path}:{each.line}: {each.text}" for each in found)


def _functions(codebase: Codebase) -> list[Symbol]:
    found: list[Symbol] = []
    for path, _ in codebase.rank()[:20]:
        found += [each for each in codebase.symbols_in(path) if each.kind in {"function", "method"}]
    return found


def _patterns(functions: list[Symbol]) -> tuple[str, ...]:
    if not functions:
        return ()
    typed = sum("->" in each.signature for each in functions) / len(functions)
    told = sum(bool(each.docstring) for each in functions) / len(functions)
    later = sum(each.signature.startswith("async ") for each in functions) / len(functions)
    return (
        f"{typed:.0%} of the functions near this have type annotations",
        f"{told:.0%} have a docstring",
        f"{later:.0%} are asynchronous",
    )
