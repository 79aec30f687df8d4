"""`EnhancedAutogenGenerator`: direct generation with context and cache, and an agent where it fails."""

from __future__ import annotations

import asyncio
import copy
import time
from typing import TYPE_CHECKING, Any

from contexten.autogenlib.answer import AnswerError, module_of
from contexten.autogenlib.conversation import Facts
from contexten.cache import SingleFlight
from contexten.errors import (
    ApiError,
    AutogenError,
    ContextenError,
    GenerationError,
    NotLockedError,
    PolicyError,
    QuotaError,
)
from contexten.extensions.codegen.adapters.autogenlib_adapter import AutogenlibAdapter
from contexten.extensions.codegen.adapters.codegen_adapter import CodegenAdapter
from contexten.extensions.codegen.autogenlib.cache_manager import IntegratedCacheManager, Result
from contexten.extensions.codegen.autogenlib.context_injector import ContextInjector
from contexten.extensions.codegen.config import CodegenAutogenConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contexten.autogenlib import GenerationRequest
    from contexten.extensions.codegen.autogenlib.context_injector import EnhancedPrompt

_MEANT = (QuotaError, NotLockedError)
"""Refusals that asking an agent instead would go around."""
_FREE = {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0, "seconds": 0.0}


class EnhancedAutogenGenerator:
    """Generates code for prompts. The same prompt is generated once, however many ask for it at a time.

    Args:
        config: what may be said about it.
        codegen_adapter: the agent to fall back to; one of the configuration when absent.
    """

    def __init__(
        self, config: CodegenAutogenConfig | None = None, codegen_adapter: CodegenAdapter | None = None
    ) -> None:
        self.config = config or CodegenAutogenConfig()
        self.codegen_adapter = codegen_adapter or CodegenAdapter.of(self.config)
        self.autogenlib_adapter = AutogenlibAdapter(self.config)
        client = self.autogenlib_adapter.client
        self.context_injector = ContextInjector(self.config, client)
        self.cache_manager = IntegratedCacheManager(self.config, client)
        self._flights: SingleFlight[Result] = SingleFlight()

    async def initialize(self) -> None:
        """Get ready: imports follow the configuration, the codebase is read ahead."""
        await self.autogenlib_adapter.initialize()
        await self.context_injector.initialize()
        await self.cache_manager.initialize()

    async def generate(self, prompt: str, context: Mapping[str, Any] | None = None, use_cache: bool = True) -> Result:
        """Code for a prompt; see `CodegenAutogenIntegration.generate_with_context`.

        Args:
            prompt: what the code is to do.
            context: facts to know about the codebase.
            use_cache: whether a result that is kept will do, and this one is kept.
        """
        if not (use_cache and self.config.enable_caching):
            return await self._generated(prompt, context)
        key = self.cache_manager.key_of(prompt, context)
        return copy.deepcopy(await self._flights.ado(key, lambda: self._cached(prompt, context)))

    async def aclose(self) -> None:
        """Close all connections."""
        await self.autogenlib_adapter.aclose()

    async def _cached(self, prompt: str, context: Mapping[str, Any] | None) -> Result:
        found = await self.cache_manager.get_cached_result(prompt, context)
        if found is not None:
            return {**found, "generation_metadata": {**found["generation_metadata"], **_FREE, "cached": True}}
        made = await self._generated(prompt, context)
        if "fallback_used" not in made:
            await self.cache_manager.cache_result(prompt, context, made)
        return made

    async def _generated(self, prompt: str, context: Mapping[str, Any] | None) -> Result:
        request = self.context_injector.request_for(prompt, context)
        enhanced = await self.context_injector.enhance_prompt(prompt, context)
        try:
            made = await self.autogenlib_adapter.generate(request, enhanced.text)
        except _MEANT:
            raise
        except (AutogenError, ApiError) as error:
            if not self.config.fallback:
                raise
            return await self._by_agent(request, enhanced, error)
        return _result(request, enhanced, made.code, {**made.metadata, **made.usage_info})

    async def _by_agent(self, request: GenerationRequest, enhanced: EnhancedPrompt, error: ContextenError) -> Result:
        answer: dict[str, Any] = {}
        facts = Facts()

        async def ask() -> str:
            answer.update(await self.codegen_adapter.run_agent_task(enhanced.text, writes_code=True, facts=facts))
            return await asyncio.to_thread(self._checked, answer["result"], request)

        try:
            code = await self.autogenlib_adapter.client.counted(request, facts, ask)
        except (AutogenError, ApiError) as second:
            raise GenerationError(
                f"Neither direct generation nor the agent gave code. Direct generation: {error} Agent: {second}",
                [error, second],
            ) from second
        known = {"run_id": answer["task_id"], "status": answer["status"], "web_url": answer["web_url"]}
        how = {"cached": False, "fallback_method": "codegen_sdk_agent", **known, **answer["usage_info"]}
        return {**_result(request, enhanced, code, how), "fallback_used": True, "original_error": str(error)}

    def _checked(self, answer: str, request: GenerationRequest) -> str:
        """The code of an agent's answer: it must pass what generated code must."""
        code = ""
        try:
            code = module_of(answer)
            reasons = self.autogenlib_adapter.client.gate.refusals(code, request)
        except AnswerError as error:
            reasons = [str(error)]
        if reasons:
            raise PolicyError("Its answer cannot be used:", reasons)
        return code


def _result(request: GenerationRequest, enhanced: EnhancedPrompt, code: str, facts: Mapping[str, Any]) -> Result:
    return {
        "generated_code": code,
        "prompt": enhanced.text,
        "context_used": enhanced.context_summary,
        "generation_metadata": {
            "timestamp": time.time(),
            "context_size": len(enhanced.text) - len(request.task),
            "enhanced_prompt_size": len(enhanced.text),
            "relevance_score": enhanced.relevance_score,
            "module": enhanced.module_name,
            "method": "autogenlib",
            "checked": True,
            **facts,
        },
    }
