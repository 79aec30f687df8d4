"""`CodegenAdapter`: a run of an agent, asked for and followed to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from contexten.agents.prompts import with_context
from contexten.autogenlib.conversation import READS_ONLY, Facts, check_end, stop
from contexten.errors import GenerationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from contexten.client import AsyncAgentTask, AsyncCodegenClient
    from contexten.client.runs import RunOptions
    from contexten.extensions.codegen.config import CodegenAutogenConfig


class CodegenAdapter:
    """Agents of a server.

    Args:
        org_id: organization; else CODEGEN_ORG_ID, else the token's own.
        token: bearer token; else CODEGEN_API_TOKEN, else the local server's.
        base_url: address of the server; else CODEGEN_BASE_URL, else the local server's.
        timeout: seconds that a run may take; then it is stopped.
        engine: who does the runs; the server's default when absent.
        max_retries: repetitions of a request; as for every client when absent.
    """

    def __init__(  # noqa: PLR0913 - the documented three, and what may be tuned by name
        self,
        org_id: int | str | None = None,
        token: SecretStr | str | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 300.0,
        engine: str | None = None,
        max_retries: int | None = None,
    ) -> None:
        self.org_id, self.token, self.base_url = org_id, token, base_url
        self._timeout, self._engine, self._max_retries = timeout, engine, max_retries
        self._client: AsyncCodegenClient | None = None

    @classmethod
    def of(cls, config: CodegenAutogenConfig) -> Self:
        """The adapter of a configuration."""
        return cls(
            config.org_id, config.token, config.base_url or config.autogen.base_url, timeout=config.agent_timeout,
            engine=config.agent_engine, max_retries=config.max_retries,
        )  # fmt: skip

    async def initialize(self) -> None:
        """Get ready; using it does the same."""
        self._connected()

    async def run_agent_task(
        self,
        prompt: str,
        context: Mapping[str, Any] | None = None,
        *,
        writes_code: bool = False,
        facts: Facts | None = None,
    ) -> dict[str, Any]:
        """Have an agent do something.

        Args:
            prompt: what to do.
            context: facts to send along.
            writes_code: whether an engine that only reads is refused.
            facts: is filled with what became of the run, also when it fails.

        Returns:
            `result`, `status`, `web_url`, `task_id`, `prompt` as it was sent, and `usage_info` with tokens and cost.

        Raises:
            GenerationError: the run ended without doing it.
            RequestTimeoutError: it took too long, and was stopped.
            ApiError: the server could not be asked.
        """
        sent = with_context(prompt, context)
        task = await self._connected().run(sent, **self._options())
        told = facts or Facts()
        try:
            told.take(task)
            if writes_code and told.engine == READS_ONLY:
                raise GenerationError(_NO_WRITER)
            await task.wait(self._timeout)
            await task.refresh()  # what it cost is known when it has ended
        finally:
            if not task.is_terminal:
                await stop(task)
            told.take(task)
        check_end(task)
        return _answer(task, sent, told)

    async def aclose(self) -> None:
        """Close all connections; using it opens them again."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _connected(self) -> AsyncCodegenClient:
        if self._client is None:
            from contexten.client import AsyncCodegenClient

            self._client = AsyncCodegenClient(self.token, self.org_id, self.base_url, max_retries=self._max_retries)
        return self._client

    def _options(self) -> RunOptions:
        options: RunOptions = {"timeout": self._timeout}
        if self._engine:
            options["engine"] = self._engine
        return options


_NO_WRITER = (
    "The engine of its run is analyst, which only reads. Name another one: agent_engine of the configuration, or CONTEXTEN_ENGINE "
    "where the server is started."
)


def _answer(task: AsyncAgentTask, sent: str, facts: Facts) -> dict[str, Any]:
    usage = {"input_tokens": facts.input_tokens, "output_tokens": facts.output_tokens, "cost_usd": facts.cost_usd}
    return {
        "result": task.result or "",
        "status": task.status,
        "web_url": task.web_url,
        "task_id": task.id,
        "prompt": sent,
        "usage_info": usage,
    }
