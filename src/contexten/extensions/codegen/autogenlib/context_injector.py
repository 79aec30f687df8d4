"""`ContextInjector`: a prompt with what of the codebase matters for it."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contexten.agents.prompts import as_facts
from contexten.autogenlib import CodebaseContext, GenerationRequest
from contexten.errors import CodebaseError
from contexten.extensions.codegen.config import CodegenAutogenConfig
from contexten.extensions.codegen.utils.validation import validate_context, validate_prompt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contexten.autogenlib import AutogenClient

_CHARACTERS_PER_TOKEN = 4
_CUT = "\n… (cut)"
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class EnhancedPrompt:
    """A prompt that is ready to be sent."""

    text: str
    module_name: str
    """The module that the code is written as; the same for the same task."""
    context_summary: str
    """What it shows of the codebase, in words."""
    relevance_score: float
    """How much the most relevant definition shown matters for the task, from 0 (none is shown) to 1."""


class ContextInjector:
    """Makes prompts.

    Args:
        config: how much may be shown.
        client: knows the codebase and the gate; one of the configuration when absent.
    """

    def __init__(self, config: CodegenAutogenConfig | None = None, client: AutogenClient | None = None) -> None:
        self.config = config or CodegenAutogenConfig()
        self._client = client or self.config.client()

    async def initialize(self) -> None:
        """Read the codebase ahead, where it can be read."""
        with suppress(CodebaseError):
            await asyncio.to_thread(self._client.context_engine.modules)

    async def enhance_prompt(self, prompt: str, context: Mapping[str, Any] | None = None) -> EnhancedPrompt:
        """A prompt with context.

        Args:
            prompt: what the code is to do.
            context: facts to know about the codebase, beside what is found in it.

        Raises:
            UsageError: the prompt is empty, or the facts are none.
        """
        return await asyncio.to_thread(self._enhanced, self.request_for(prompt, context), context)

    def request_for(self, prompt: str, context: Mapping[str, Any] | None = None) -> GenerationRequest:
        """The same as a request, with nothing of the codebase in it yet."""
        task, facts = validate_prompt(prompt), as_facts(validate_context(context))
        most = self.config.max_context_size
        cut = facts if len(facts) <= most else facts[: most - len(_CUT)] + _CUT
        return GenerationRequest(_module_name(task), task=task, facts=cut)

    def _enhanced(self, request: GenerationRequest, context: Mapping[str, Any] | None) -> EnhancedPrompt:
        left = (self.config.max_context_size - len(request.facts)) // _CHARACTERS_PER_TOKEN
        found = self._client.context_for(request, left) if left > 0 else CodebaseContext()
        text = self._client.prompt_for(request, found)
        return EnhancedPrompt(text, request.module_path, _summary(found, context), found.relevance)


def _module_name(task: str) -> str:
    return f"autogen_module_{hashlib.sha256(task.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _summary(found: CodebaseContext, context: Mapping[str, Any] | None) -> str:
    count = len(found.sources)
    shown = ", ".join(found.sources[:_SHOWN]) + (", …" if count > _SHOWN else "")
    definitions = f"{count} definition{'s' * (count != 1)}: {shown}" if count else "nothing of the codebase"
    return f"{definitions}; said: {', '.join(context)}" if context else definitions
