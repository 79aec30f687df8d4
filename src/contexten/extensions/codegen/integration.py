"""`CodegenAutogenIntegration`: code for a prompt, by direct generation or by an agent, counted and timed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from contexten.extensions.codegen.adapters.codegen_adapter import CodegenAdapter
from contexten.extensions.codegen.autogenlib.enhanced_generator import EnhancedAutogenGenerator
from contexten.extensions.codegen.config import CodegenAutogenConfig
from contexten.extensions.codegen.utils.performance import PerformanceMonitor
from contexten.extensions.codegen.utils.validation import validate_context, validate_prompt

if TYPE_CHECKING:
    from collections.abc import Mapping


class CodegenAutogenIntegration:
    """Generates code with the codebase as context, and asks an agent where that fails. An asynchronous context manager.

    Args:
        config: what may be said about it.
    """

    def __init__(self, config: CodegenAutogenConfig | None = None) -> None:
        self.config = config or CodegenAutogenConfig()
        self.codegen_adapter = CodegenAdapter.of(self.config)
        self.autogen_generator = EnhancedAutogenGenerator(self.config, self.codegen_adapter)
        self.performance_monitor = PerformanceMonitor()
        self._initialized = False

    async def initialize(self) -> None:
        """Get ready: imports below `contexten.autogen` follow this configuration, the codebase is read ahead.

        Using the object does the same. The server is first asked when something is wanted of it.
        """
        if self._initialized:
            return
        await self.codegen_adapter.initialize()
        await self.autogen_generator.initialize()
        self._initialized = True

    async def generate_with_context(
        self, prompt: str, codebase_context: Mapping[str, Any] | None = None, use_codegen_agent: bool = False
    ) -> dict[str, Any]:
        """Code for a prompt.

        Args:
            prompt: what the code is to do.
            codebase_context: facts to know about the codebase, beside what is found in it.
            use_codegen_agent: whether to ask an agent at once; its answer is text that no gate has looked at.

        Returns:
            `generated_code`, `prompt` as it was sent, `context_used` in words, and `generation_metadata`; with `fallback_used` and
            `original_error` when an agent had to be asked. Of an agent asked at once also `result`, `status`, `web_url`, `task_id`.

        Raises:
            UsageError: the prompt is empty, or the facts are none.
            GenerationError: neither way gave code; the message names what was wrong with each.
            QuotaError: the day's quota is used up.
        """
        wanted, facts = validate_prompt(prompt), validate_context(codebase_context)
        await self.initialize()
        started, done = time.perf_counter(), False
        try:
            found = await (self._by_agent(wanted, facts) if use_codegen_agent else self._directly(wanted, facts))
            done = True
        finally:
            await self.performance_monitor.record_request(time.perf_counter() - started, done)
        return found

    async def aclose(self) -> None:
        """Close all connections."""
        await self.autogen_generator.aclose()
        await self.codegen_adapter.aclose()

    async def __aenter__(self) -> Self:
        await self.initialize()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _directly(self, prompt: str, facts: dict[str, Any]) -> dict[str, Any]:
        return await self.autogen_generator.generate(prompt, facts)

    async def _by_agent(self, prompt: str, facts: dict[str, Any]) -> dict[str, Any]:
        answer = await self.codegen_adapter.run_agent_task(prompt, facts)
        return {
            **answer,
            "generated_code": answer["result"],
            "prompt": answer["prompt"],
            "context_used": f"said: {', '.join(facts)}" if facts else "nothing was said",
            "generation_metadata": {
                "timestamp": time.time(),
                "context_size": len(answer["prompt"]) - len(prompt),
                "enhanced_prompt_size": len(answer["prompt"]),
                "method": "codegen_agent",
                "checked": False,
                "cached": False,
                "run_id": answer["task_id"],
                **answer["usage_info"],
            },
        }
