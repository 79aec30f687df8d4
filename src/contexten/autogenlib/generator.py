"""`AutogenClient`: asks for code with the codebase as context, once for each request, and counts what it costs."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from contexten.autogenlib.caching import CacheManager
from contexten.autogenlib.config import AutogenConfig, Manifest
from contexten.autogenlib.context import CodebaseContext, ContextEngine
from contexten.autogenlib.conversation import Conversation
from contexten.autogenlib.gate import Gate
from contexten.autogenlib.policy import Policy
from contexten.autogenlib.prompts import PromptEnhancer
from contexten.autogenlib.request import CallerContext, GeneratedCode, GenerationRequest
from contexten.autogenlib.roots import import_folders, top_modules
from contexten.autogenlib.usage import FAILED, UsageTracker
from contexten.client.completing import completed
from contexten.errors import CodebaseError, ContextenError
from contexten.telemetry import metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pydantic import SecretStr

    from contexten.autogenlib.conversation import Facts, Told
    from contexten.client import AsyncCodegenClient, CodegenClient
    from contexten.client.runs import RunOptions

GENERATIONS = "contexten_autogen_generations_total"
SECONDS = "contexten_autogen_generation"
_FREE = {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0, "seconds": 0.0}


class AutogenClient:
    """Generates code through runs on a server. For threads and tasks; a context manager of both kinds.

    Args:
        org_id: organization of the runs; else CODEGEN_ORG_ID, else the token's own.
        token: bearer token; else CODEGEN_API_TOKEN, else the local server's.
        config: everything else.
    """

    def __init__(
        self,
        org_id: int | str | None = None,
        token: str | SecretStr | None = None,
        config: AutogenConfig | None = None,
    ) -> None:
        self.config = config or AutogenConfig()
        self._org_id, self._token = org_id, token
        self.root = self.config.root(Path.cwd())
        settings = self.config.settings
        self.context_engine = ContextEngine(self.root, self.config.context_tokens)
        self.prompt_enhancer = PromptEnhancer()
        self.usage_tracker = UsageTracker(org_id, settings.data_dir)
        self._shared: AsyncCodegenClient | None = None

    async def generate_code(
        self,
        module_path: str,
        function_name: str,
        caller_context: CallerContext | None = None,
        *,
        told: Told | None = None,
    ) -> GeneratedCode:
        """Code for a name of a module. It has passed the gate; nothing is written into the project.

        Args:
            module_path: dotted name, or path, of the module.
            function_name: what it must define.
            caller_context: who asks, and how it will be used.
            told: called with what happens meanwhile.

        Raises:
            UsageError: a name cannot be meant.
            GenerationError: the run failed.
            PolicyError: no answer can be used.
            QuotaError: the day's quota is used up.
            ApiError: the server could not be asked.
        """
        return await self.agenerate(
            GenerationRequest(module_path, function_name, caller_context or CallerContext()), told=told
        )

    async def agenerate(
        self, request: GenerationRequest, *, told: Told | None = None, prompt: str | None = None
    ) -> GeneratedCode:
        """The same for a request.

        Args:
            request: what is wanted.
            told: called with what happens meanwhile.
            prompt: what `prompt_for` has made for it already.
        """
        if self._shared is None:
            self._shared = self._connect()
        fresh: list[GeneratedCode] = []

        async def generate() -> GeneratedCode:
            fresh.append(await self._new(request, self._shared or self._connect(), told, prompt))
            return fresh[-1]

        if not self.config.caching:
            return await generate()
        found = await self.cache_manager.get_or_generate(self.key_of(request), generate)
        return found if fresh else _cached(found)

    def generate(self, request: GenerationRequest) -> GeneratedCode:
        """The same for a caller that waits for it, such as an import."""
        fresh: list[GeneratedCode] = []

        async def alone() -> GeneratedCode:
            async with self._connect() as client:
                return await self._new(request, client, None)

        def generate() -> GeneratedCode:
            fresh.append(completed(alone()))
            return fresh[-1]

        if not self.config.caching:
            return generate()
        found = self.cache_manager.get_or_generate_now(self.key_of(request), generate)
        return found if fresh else _cached(found)

    def spec_of(self, request: GenerationRequest) -> str:
        """Hash of what is wanted: module, names, description, how it is used, and the task where there is one."""
        usage = request.caller_context.usage_example
        told = [request.task, request.facts] if request.task or request.facts else []
        return _hash([request.module_path, sorted(request.names), self.description, usage, *told])

    def key_of(self, request: GenerationRequest) -> str:
        """Under what an answer is kept: what is wanted, who asks, of whom, and what would be let in."""
        settings = self.config.settings
        who = [settings.engine, settings.model, self.config.base_url, self._org_id and str(self._org_id)]
        rules = [self.gate.policy.fingerprint, self.config.trial, self.prompt_enhancer.template_manager.fingerprint()]
        asks = self._relative(request.caller_context.file_path)
        return _hash([self.spec_of(request), asks, _hash(request.existing), who, rules])

    @cached_property
    def manifest(self) -> Manifest:
        """What the project's own files say."""
        return Manifest.of(self.root)

    @property
    def description(self) -> str:
        """What the code is for."""
        return self.config.description or self.manifest.description

    @cached_property
    def cache_manager(self) -> CacheManager:
        """The answers that are kept."""
        return CacheManager(self.config.cache_config)

    @cached_property
    def gate(self) -> Gate:
        """What new code must pass."""
        allow = frozenset({*self.config.allow, *self.manifest.allow})
        policy = Policy(allow, top_modules(self.root), self.manifest.dependencies)
        settings = self.config.settings
        return Gate(
            policy, import_folders(self.root), trial=self.config.trial, walls=settings.sandbox != "none",
            hidden=[settings.data_dir, settings.cache_dir],
        )  # fmt: skip

    def close(self) -> None:
        """Give back what is held, but for the connections of asynchronous use: see `aclose`."""
        if "cache_manager" in self.__dict__:
            self.cache_manager.close()

    async def aclose(self) -> None:
        """Close all connections."""
        shared, self._shared = self._shared, None
        if shared is not None:
            await shared.aclose()
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def connect(self, timeout: float = 60.0) -> CodegenClient:
        """A synchronous client of the same server.

        Args:
            timeout: seconds that a request may take.
        """
        from contexten.client import CodegenClient

        return CodegenClient(
            self._token, self._org_id, self.config.base_url, timeout, max_retries=self.config.max_retries
        )

    def _connect(self) -> AsyncCodegenClient:
        from contexten.client import AsyncCodegenClient

        return AsyncCodegenClient(self._token, self._org_id, self.config.base_url, max_retries=self.config.max_retries)

    async def _new(
        self, request: GenerationRequest, client: AsyncCodegenClient, told: Told | None, prompt: str | None = None
    ) -> GeneratedCode:
        asked = await asyncio.to_thread(self.prompt_for, request) if prompt is None else prompt
        talk = Conversation(
            client,
            self._run_options(request),
            check=lambda code: self.gate.refusals(code, request),
            repair=self.prompt_enhancer.repair_prompt,
            max_attempts=self.config.max_attempts,
            told=told,
        )
        started = time.monotonic()
        code = await self.counted(request, talk.facts, lambda: talk.code_for(asked, self.config.timeout))
        return self._made(request, code, talk.facts, time.monotonic() - started)

    async def counted(self, request: GenerationRequest, facts: Facts, generate: Callable[[], Awaitable[str]]) -> str:
        """Generate code within the day's quota, and write down what became of it, also when it fails.

        Args:
            request: what is wanted.
            facts: of the run, filled while `generate` works.
            generate: does it.

        Raises:
            QuotaError: the day's quota is used up; nothing was done.
        """
        settings = self.config.settings
        await asyncio.to_thread(self.usage_tracker.check_quota, settings.max_generations, settings.max_cost)
        started, code, error = time.monotonic(), "", None
        try:
            code = await generate()
        except BaseException as raised:
            error = raised
            raise
        finally:
            self._record(request, code, facts, time.monotonic() - started, error)
        return code

    def context_for(self, request: GenerationRequest, budget_tokens: int | None = None) -> CodebaseContext:
        """What of the codebase the model is shown; nothing of one that cannot be read.

        Args:
            request: what is wanted.
            budget_tokens: length of its text, when it is not that of the configuration.
        """
        try:
            return self.context_engine.context_for(request, self.description, budget_tokens)
        except CodebaseError:
            return CodebaseContext()

    def prompt_for(self, request: GenerationRequest, context: CodebaseContext | None = None) -> str:
        """What the model is asked.

        Args:
            request: what is wanted.
            context: what it is shown of the codebase; found for the request when absent.
        """
        policy = self.gate.policy
        return self.prompt_enhancer.enhance_prompt(
            self.description,
            self.context_for(request) if context is None else context,
            CallerContext(self._relative(request.caller_context.file_path), request.caller_context.usage_example),
            module=request.module_path,
            names=request.names,
            task=request.task,
            facts=request.facts,
            existing=request.existing,
            coding_standards=self.manifest.standards,
            allow=sorted(policy.allow),
            dependencies=sorted(policy.dependencies),
            modules=sorted(policy.modules),
        )

    def _run_options(self, request: GenerationRequest) -> RunOptions:
        settings = self.config.settings
        options: RunOptions = {
            "metadata": {"autogen": request.title[:200]},
            "model": settings.model,
            "timeout": self.config.timeout,
        }
        if settings.engine:
            options["engine"] = settings.engine
        return options

    def _made(self, request: GenerationRequest, code: str, facts: Facts, seconds: float) -> GeneratedCode:
        metadata: dict[str, Any] = {
            "module": request.module_path,
            "names": list(request.names),
            "model": facts.model,
            "engine": facts.engine,
            "run_id": facts.run_id,
            "attempts": facts.attempts,
            "spec": self.spec_of(request),
            "cached": False,
        }
        return GeneratedCode(code, metadata, {**_cost(facts), "seconds": round(seconds, 3)})

    def _record(
        self, request: GenerationRequest, code: str, facts: Facts, seconds: float, error: BaseException | None
    ) -> None:
        kind = "generated" if code else type(error).__name__ if isinstance(error, ContextenError) else "interrupted"
        metrics.increment(GENERATIONS, labels={"outcome": kind})
        metrics.observe(SECONDS, seconds)
        if facts.run_id is None:  # nobody was asked
            return
        outcome = {} if code else {"outcome": FAILED}
        reason = {"reason": f"{type(error).__name__}: {error}"} if error is not None else {}
        self.usage_tracker.record_generation(
            request.module_path, ",".join(request.names), len(code), **outcome, **_cost(facts), **reason,
            seconds=round(seconds, 3), model=facts.model, run_id=facts.run_id, org_id=facts.org_id, attempts=facts.attempts,
            spec=self.spec_of(request), source=_hash(code) if code else None,
        )  # fmt: skip

    def _relative(self, path: str) -> str:
        """A file of the project as the project names it; of others the last name alone."""
        if not path:
            return ""
        try:
            return Path(path).resolve().relative_to(self.root).as_posix() if Path(path).is_absolute() else path
        except ValueError:
            return Path(path).name


def _cost(facts: Facts) -> dict[str, Any]:
    return {"input_tokens": facts.input_tokens, "output_tokens": facts.output_tokens, "cost_usd": facts.cost_usd}


def _cached(code: GeneratedCode) -> GeneratedCode:
    return GeneratedCode(code.code, {**code.metadata, "cached": True}, dict(_FREE))


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
