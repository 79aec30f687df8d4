"""`Agent`: a program written for the official SDK, and nothing changed but the import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from contexten.client.codegen import CodegenClient

if TYPE_CHECKING:
    from contexten.client.runs import RunOptions
    from contexten.client.task import AgentTask


class Agent:
    """Runs agents in one organization, with the names of the official class and without its surprises.

    Args:
        token: bearer token; None takes the environment's, else the local server's.
        org_id: organization as a number or as digits; None takes the environment's, else the token's own.
        base_url: address with or without `/v1`; None takes the environment's, else the local server's.

    Raises:
        UsageError: a value cannot be meant, or there is no token.
    """

    def __init__(
        self, token: str | None = None, org_id: int | str | None = None, base_url: str | None = None, **options: Any
    ) -> None:
        self.api_client = CodegenClient(token, org_id, base_url, **options)
        """The client that sends the requests."""
        self.current_job: AgentTask | None = None
        """The run that was started last."""

    @property
    def token(self) -> str:
        """The bearer token in plain text."""
        return self.api_client.token.get_secret_value()

    @property
    def org_id(self) -> int:
        """The organization; asked for once when it was not given."""
        return self.api_client.org_id

    @property
    def agents_api(self) -> CodegenClient:
        """The requests about runs."""
        return self.api_client

    def run(self, prompt: str, **options: Unpack[RunOptions]) -> AgentTask:
        """Start a run.

        Raises:
            UsageError: the prompt is empty; nothing was sent.
        """
        self.current_job = self.api_client.run(prompt, **options)
        return self.current_job

    def get_status(self) -> dict[str, Any] | None:
        """`id`, `status`, `result` and `web_url` of the run started last, asked for now; None before the first."""
        if (job := self.current_job) is None:
            return None
        job.refresh()
        return {"id": job.id, "status": job.status, "result": job.result, "web_url": job.web_url}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.api_client.base_url}>"
